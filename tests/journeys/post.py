"""A mail server as a shop has one: takes mail by SMTP for everybody and lays it into their mailboxes on Dovecot."""

from __future__ import annotations

import asyncio
import imaplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP

from tests.mail.post_office import close, wait


class Mailboxes(Protocol):
    """An IMAP server, its users' common password, and what they are called there."""

    port: int
    password: str


@dataclass
class Post:
    """The server; `smtp_port` takes mail."""

    mailboxes: Mailboxes
    smtp_port: int = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        for address in envelope.rcpt_tos:
            before = f"Return-Path: <{envelope.mail_from or ''}>\r\nDelivered-To: {address}\r\n".encode()
            await asyncio.to_thread(self._lay, address, before + envelope.content)
        return "250 Taken"

    def _lay(self, address: str, raw: bytes) -> None:
        with self.opened(address) as mailbox:
            assert mailbox.append("INBOX", "", "", raw)[0] == "OK"

    @contextmanager
    def opened(self, address: str) -> Iterator[imaplib.IMAP4]:
        """The mailbox of an address; what stands behind a plus belongs to whoever stands before it."""
        with imaplib.IMAP4("127.0.0.1", self.mailboxes.port) as mailbox:
            mailbox.login(user_of(address), self.mailboxes.password)
            yield mailbox

    def mails(self, address: str) -> list[EmailMessage]:
        """All that lies in somebody's mailbox, oldest first; looking at it marks nothing as read."""
        with self.opened(address) as mailbox:
            mailbox.select("INBOX", readonly=True)
            numbers = mailbox.search(None, "ALL")[1][0].split()
            raw = [mailbox.fetch(number.decode(), "(BODY.PEEK[])")[1][0] for number in numbers]
        return [message_from_bytes(one[1], policy=default) for one in raw if isinstance(one, tuple)]

    def wait_for(self, address: str, number: int) -> list[EmailMessage]:
        """What lies in somebody's mailbox once it is so much."""
        wait(lambda: len(self.mails(address)) >= number)
        return self.mails(address)


def user_of(address: str) -> str:
    """Who owns an address: the part before the plus."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


@contextmanager
def post(mailboxes: Mailboxes) -> Iterator[Post]:
    """A running server."""
    office = Post(mailboxes)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(lambda: SMTP(office, loop=loop, hostname="post.example"), "127.0.0.1", 0)
    )
    office.smtp_port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield office
    finally:
        asyncio.run_coroutine_threadsafe(close(server), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()
