"""Mails that let users choose a password: the job `mail_sign_in_link`, queued with the link that it sends.

It leaves from an inbox of the account, because an address of ours is what mail servers let us send from. A job may be
carried out twice: link and Message-ID stay the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass, replace
from html import escape

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Database, Reader
from deskhand.db.statements import P, columns, rows
from deskhand.desk.inboxes import mail_settings
from deskhand.desk.inboxes.tables import inbox, inbox_mail
from deskhand.desk.users import sign_in_links
from deskhand.desk.users.sign_in_links import Handover, Mailable
from deskhand.lib.clock import Clock, from_wire, to_wire
from deskhand.lib.sealing import Sealer, SealingError
from deskhand.mail.addresses import BadAddress, routable
from deskhand.mail.body import body
from deskhand.mail.compose import LOOP_FIELD, Outgoing, compose, loop_mark
from deskhand.mail.headers import Address
from deskhand.mail.post import Envelope, NoServer, Post, Undelivered
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Failed, Kind, Then
from deskhand.settings import SmtpServer

log = logging.getLogger("deskhand.mail")

PATHS = {"reset": "/sign-in/password/", "welcome": "/sign-in/welcome/"}
"""Where links lead, by what they are for; the token follows."""
ATTEMPTS = 30
AUTOMATIC = (("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All"))
"""Header fields of mail that no person wrote."""


class Sender(msgspec.Struct, frozen=True):
    """The inbox that such mail comes from; `smtp` is the sealed URL of its own server, if it has one."""

    id: int
    email: str
    smtp: str | None


_SENDER = rows(
    Sender,
    sa.select(*columns(inbox, "id", "email"), inbox_mail.c.smtp)
    .outerjoin(inbox_mail, sa.and_(inbox_mail.c.inbox_id == inbox.c.id, inbox_mail.c.account_id == inbox.c.account_id))
    .where(inbox.c.account_id == P("account_id"))
    .order_by(inbox.c.id)
    .limit(sa.literal_column("1")),
)


@dataclass(frozen=True, slots=True)
class SignInMail:
    """Sends the links. Without a `sealer` there is no key that they are made with."""

    database: Database
    clock: Clock
    post: Post
    sealer: Sealer | None
    base_url: str

    @property
    def kind(self) -> Kind:
        """How the jobs are carried out: quickly again, because somebody waits for it."""
        return Kind(self.carry, attempts=ATTEMPTS, first_pause_s=10.0, longest_pause_s=1800.0)

    async def carry(self, work: Work) -> Then | None:
        """Make a link work and send it."""
        handover = msgspec.json.decode(work.payload, type=Handover)
        now = to_wire(self.clock.now())

        def read(db: Reader) -> tuple[Mailable | None, Sender | None]:
            found = sign_in_links.mailable(db, work.account_id, handover.link_id, now)
            return found, sender_of(db, work.account_id)

        link, sender = await self.database.read(read)
        if link is None:
            return None  # it was withdrawn meanwhile, or would lead nowhere
        if sender is None:
            raise Failed("the account has no inbox whose address the mail could come from", final=True)
        try:
            if self.sealer is None:
                raise Undelivered("there is no key to make the link with")
            token = sign_in_links.token(self.sealer, work.account_id, link)
            await self.database.write(
                lambda tx: sign_in_links.know_token(tx, work.account_id, link.id, token)  # before anybody can follow it
            )
            server = own_server(self.sealer, work.account_id, sender)
            mail = outgoing(link, sender, self.base_url + PATHS[link.purpose] + token)
            raw = await asyncio.to_thread(compose, mail)
            sent = await self.post.send(
                mail, raw, Envelope(work.account_id, 0, mail.sender.email, mail.recipients, server)
            )
        except (Undelivered, BadAddress, SealingError) as problem:
            final = isinstance(problem, BadAddress) or (isinstance(problem, Undelivered) and problem.final)
            if not isinstance(problem, NoServer):
                log.warning("the sign-in link of user %d was not sent: %s", link.user_id, problem)
            raise Failed(str(problem), final=final) from problem
        if sent.refused:  # it has one recipient, so this is whom it was for
            raise Failed(sent.refused[0].reason, final=sent.refused[0].final)
        then = sent.then
        return None if then is None else lambda tx: _none(then(tx))


def sender_of(db: Reader, account_id: int) -> Sender | None:
    """The inbox that an account's mail about signing in comes from; None while it has none."""
    return db.one(_SENDER, account_id=account_id)


def own_server(sealer: Sealer, account_id: int, sender: Sender) -> SmtpServer | None:
    """The inbox's own server, if it has one; raises Undelivered for one that can't be used."""
    if not sender.smtp:
        return None
    try:
        return mail_settings.smtp_of(sealer, account_id, sender.id, sender.smtp)
    except (SealingError, ValueError) as problem:
        raise Undelivered(f"the inbox's SMTP server can't be used: {problem}") from problem


def outgoing(link: Mailable, sender: Sender, url: str) -> Outgoing:
    """The mail with a link; raises BadAddress."""
    address = routable(sender.email)
    said = body(_html(link, url))
    subjects = {
        "reset": "Choose a new password",
        "welcome": f"You are invited to {link.account_name}",
    }
    name = " ".join(filter(None, (link.first_name, link.last_name)))
    mail = Outgoing(
        message_id=_message_id(link, address),
        sender=Address(address, link.account_name),
        reply_to=Address(address),
        to=(Address(routable(link.email), name),),
        subject=subjects[link.purpose],
        html="",
        text="",
        date=from_wire(link.created_at),
        headers=(*AUTOMATIC, (LOOP_FIELD, loop_mark(address))),
    )
    return replace(mail, html=said.html, text=said.text)


def _html(link: Mailable, url: str) -> str:
    greeting = f"Hello {link.first_name}," if link.first_name else "Hello,"
    where = f"Deskhand, the help desk of {link.account_name}"
    if link.purpose == "welcome":
        begin = f"you are invited to {where}. Choose a password to begin:"
        end = "The link works for seven days and until you have used it. If you did not expect this, you can ignore it."
    else:
        begin = f"somebody, probably you, asked for a new password for {where}. Choose one here:"
        end = (
            "The link works for one hour and once. If it was not you, you can ignore this mail: nothing has changed, "
            "and nobody else was sent the link."
        )
    paragraphs = (escape(greeting), escape(begin), f'<a href="{escape(url)}">{escape(url)}</a>', escape(end))
    return "\n".join(f"<p>{one}</p>" for one in paragraphs)


def _message_id(link: Mailable, address: str) -> str:
    """The same each time that the mail goes out; nothing can be told from it."""
    mark = hashlib.sha256(f"message {link.mark}".encode()).hexdigest()[:32]
    return f"<{mark}.{link.id}@{address.rpartition('@')[2]}>"


def _none(_: object) -> None:
    """What was written is nobody's business."""
