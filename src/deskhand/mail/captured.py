"""Mail that is kept to be looked at instead of being sent: the sandbox's way out."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import add_missing
from deskhand.db.statements import P, columns, command, rows
from deskhand.lib.clock import Clock, to_wire
from deskhand.mail.compose import Outgoing
from deskhand.mail.headers import Address
from deskhand.mail.post import Envelope, Sent
from deskhand.mail.tables import captured_mail


class Captured(msgspec.Struct, frozen=True):
    """A mail that was caught; `references_`, `recipients` and `cc` are JSON lists."""

    id: int
    thread_id: int
    message_id: str
    in_reply_to: str | None
    references_: str
    sender: str
    recipients: str
    cc: str
    subject: str
    text: str
    html: str
    raw: str
    sent_at: str


_NAMES = ("account_id", *Captured.__struct_fields__[1:])
_OURS = captured_mail.c.account_id == P("account_id")
_ALL = sa.select(*columns(captured_mail, *Captured.__struct_fields__)).where(_OURS)
_ADD = add_missing(captured_mail, *_NAMES)
_NEWEST = rows(Captured, _ALL.order_by(captured_mail.c.id.desc()).limit(P("most", sa.Integer)))
_ONE = rows(Captured, _ALL.where(captured_mail.c.id == P("id")))
_OF_THREAD = rows(
    Captured,
    _ALL.where(captured_mail.c.thread_id == P("thread_id"))
    .order_by(captured_mail.c.id.desc())
    .limit(sa.literal_column("1")),
)
_EMPTY = command(sa.delete(captured_mail).where(_OURS))


class Capture:
    """Keeps each mail once, however often it is handed over.

    It is kept when its job ends, so that none comes late after a reset that took the job away.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def send(self, mail: Outgoing, raw: bytes, envelope: Envelope) -> Sent:
        given = {
            "account_id": envelope.account_id,
            "thread_id": envelope.thread_id,
            "message_id": mail.message_id,
            "in_reply_to": mail.in_reply_to or None,
            "references_": _json(mail.references),
            "sender": _written(mail.sender),
            "recipients": _json([one.email for one in mail.to]),
            "cc": _json([one.email for one in mail.cc]),
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "raw": raw.decode(),
            "sent_at": to_wire(self._clock.now()),
        }
        return Sent(then=lambda tx: tx.run(_ADD, **given))


def newest(db: Reader, account_id: int, most: int) -> list[Captured]:
    """What was caught, newest first."""
    return db.all(_NEWEST, account_id=account_id, most=most)


def one(db: Reader, account_id: int, id: int) -> Captured | None:
    """One mail that was caught."""
    return db.one(_ONE, account_id=account_id, id=id)


def of_thread(db: Reader, account_id: int, thread_id: int) -> Captured | None:
    """The mail that was caught last of a thread's."""
    return db.one(_OF_THREAD, account_id=account_id, thread_id=thread_id)


def empty(tx: Writer, account_id: int) -> None:
    """Forget all that was caught."""
    tx.run(_EMPTY, account_id=account_id)


def _written(address: Address) -> str:
    return f"{address.name} <{address.email}>" if address.name else address.email


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
