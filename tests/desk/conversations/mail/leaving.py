"""Conversations whose replies really leave by mail, and what is known of these mails."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import P, command, rows, value
from deskhand.desk.conversations.mail import mailing
from deskhand.desk.conversations.tables import thread_mail
from deskhand.desk.inboxes import mail_settings
from deskhand.desk.inboxes.mail_settings import MailChange, MailSettings
from deskhand.outbox.events import any_unhandled
from deskhand.outbox.tables import job
from tests.desk.conversations.builders import add, created, start
from tests.live import LiveServer
from tests.mail.post_office import PostOffice, Received, wait
from tests.world import Desk, unique

SALES = "sales@desk.example"


class Mail(msgspec.Struct, frozen=True):
    """What is known of a thread's mail."""

    thread_id: int
    direction: str
    message_id: str
    state: str
    error: str


_MAILS = rows(
    Mail,
    sa.select(*(thread_mail.c[name] for name in Mail.__struct_fields__))
    .where(thread_mail.c.account_id == P("account_id"))
    .order_by(thread_mail.c.thread_id),
    keep=False,
)


class _Left(msgspec.Struct, frozen=True):
    state: str
    attempts: int
    claim: int
    last_error: str


_JOBS = rows(
    _Left,
    sa.select(job.c.state, job.c.attempts, job.c.claim, job.c.last_error).where(
        job.c.account_id == P("account_id"), job.c.kind == mailing.SEND_EMAIL
    ),
    keep=False,
)


_FORGET = command(sa.delete(job).where(job.c.claim == 0), keep=False)
_ANY = value(int, sa.select(job.c.id).limit(1), keep=False)


class Offices:
    """The two servers that mail leaves by: one for all, one for the inbox of the sales department."""

    def __init__(self, everybody: PostOffice, sales: PostOffice) -> None:
        self.everybody = everybody
        self.sales = sales


class Case:
    """A conversation with one customer, whose mail is looked at."""

    def __init__(self, desk: Desk, office: PostOffice, **inbox: Any) -> None:
        self.desk, self.office = desk, office
        self.inbox_id = desk.add_inbox(**inbox)
        self.customer = {"email": f"{unique('paul')}@buyer.example", "firstName": "Paul", "lastName": "Grün, jr."}

    def start(self, **body: Any) -> int:
        customer = self.customer
        self.id = start(self.desk, self.inbox_id, **{"customer": customer, "subject": "A lamp that flickers", **body})
        return self.id

    def reply(self, text: str = "Turn it off.", **body: Any) -> int:
        customer = {"email": self.customer["email"]}
        return created(add(self.desk, self.id, "reply", **{"text": text, "customer": customer, **body}))

    def arrived(self, number: int = 1) -> list[Received]:
        wait(lambda: len(self.office.to(self.customer["email"])) >= number)
        return self.office.to(self.customer["email"])

    def message(self, number: int = 1) -> EmailMessage:
        return self.arrived(number)[number - 1].message

    def attempts(self) -> list[Received]:
        return [one for one in self.office.attempts if self.customer["email"] in one.recipients]


def mails(desk: Desk) -> list[Mail]:
    return desk.server.app.database.read_now(lambda db: db.all(_MAILS, account_id=desk.account_id))


def left(desk: Desk) -> list[_Left]:
    return desk.server.app.database.read_now(lambda db: db.all(_JOBS, account_id=desk.account_id))


def settled(desk: Desk, *states: str) -> list[Mail]:
    """The mails once they are in these states and no job is under way."""
    wait(lambda: tuple(one.state for one in mails(desk)) == states and all(one.state == "failed" for one in left(desk)))
    return mails(desk)


def tried(desk: Desk, attempts: int) -> None:
    """Wait until the only job has been tried so often, and waits to be tried again."""
    wait(lambda: [(one.state, one.attempts, one.claim) for one in left(desk)] == [("waiting", attempts, 0)])


def at_rest(server: LiveServer) -> bool:
    """Give up all that still waits to be done, for all accounts; whether nothing is under way any more."""

    def forget(tx: Writer) -> bool:
        tx.run(_FORGET)
        return any_unhandled(tx) or tx.one(_ANY) is not None

    return not server.app.database.write_now(forget)


def text(message: EmailMessage, kind: str = "plain") -> str:
    """What a mail says, its text without what it repeats of earlier ones."""
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content().replace("\r\n", "\n")
    return content if kind == "html" else content.partition("\n\nOn ")[0].rstrip("\n") + "\n"


def set_up(desk: Desk, inbox_id: int, **changes: Any) -> MailSettings:
    """Change an inbox's mail settings."""
    sealer = desk.server.app.gateway.sealer
    return desk.write(
        lambda tx: mail_settings.change(tx, desk.account_id, inbox_id, MailChange(**changes), sealer, desk.now)
    )
