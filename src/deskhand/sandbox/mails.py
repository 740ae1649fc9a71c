"""The mails that the invented conversations came by and were answered with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple

from deskhand.sandbox.records import ConversationRecord, ThreadRecord, World

KEPT_FOR = timedelta(days=3)
"""How long the original of a mail is kept. Help Scout kept them for 15 days, but a sandbox has to start quickly."""


class Mail(NamedTuple):
    """The mail of a thread; `original` are its bytes, empty for our own and for those that are no longer kept."""

    thread: ThreadRecord
    direction: str
    message_id: str
    original: bytes


def mails(world: World, record: ConversationRecord) -> Iterator[Mail]:
    """The mails of a conversation, oldest first; of chats, phone calls, notes and what was imported there are none."""
    if record.type != "email" or record.imported:
        return
    inbox = next(inbox for inbox in world.inboxes if inbox.id == record.inbox_id).email
    before: list[str] = []
    for thread in record.threads:
        if thread.type not in ("customer", "message") or thread.state != "published":
            continue
        incoming = thread.type == "customer"
        message_id = _message_id(world.seed, thread.id, record.customer_email if incoming else inbox)
        kept = incoming and thread.created_at > world.now - KEPT_FOR
        yield Mail(
            thread,
            "in" if incoming else "out",
            message_id,
            _original(record, thread, inbox, message_id, before) if kept else b"",
        )
        before.append(message_id)


def _message_id(seed: int, thread_id: int, address: str) -> str:
    token = hashlib.sha256(f"{seed}:mail:{thread_id}".encode()).hexdigest()[:24]
    return f"<{token}@{address.rpartition('@')[2]}>"


def _original(
    record: ConversationRecord, thread: ThreadRecord, inbox: str, message_id: str, before: list[str]
) -> bytes:
    mail = EmailMessage(SMTP)
    mail["From"], mail["To"] = record.customer_email, inbox
    if thread.cc:
        mail["Cc"] = ", ".join(thread.cc)
    mail["Subject"] = f"Re: {record.subject}" if before and record.subject else record.subject or ""
    mail["Date"], mail["Message-ID"] = format_datetime(thread.created_at), message_id
    if before:
        mail["In-Reply-To"], mail["References"] = before[-1], " ".join(before)
    mail.set_content(thread.body, subtype="html", cte="quoted-printable")
    return mail.as_bytes()
