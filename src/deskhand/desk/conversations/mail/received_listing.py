"""What people see of mail that came: the newest messages, those that could not be read, and how many of each kind."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, columns, rows, value
from deskhand.mail.tables import received_mail


class Listed(msgspec.Struct, frozen=True):
    """A message that came, and what became of it; `recipients` is JSON."""

    id: int
    inbox_id: int
    way: str
    place: str
    size: int
    message_id: str
    sender: str
    recipients: str
    state: str
    reason: str
    conversation_id: int | None
    thread_id: int | None
    received_at: str
    settled_at: str | None


class Tally(msgspec.Struct, frozen=True):
    """How many messages of an inbox are in a state, for a reason."""

    inbox_id: int
    state: str
    reason: str
    n: int


class _Place(msgspec.Struct, frozen=True):
    place: str


_OURS = received_mail.c.account_id == P("account_id")
_OF_INBOX = (_OURS, received_mail.c.inbox_id == P("inbox_id"))
_LISTED = sa.select(*columns(received_mail, *Listed.__struct_fields__))
_NEWEST_FIRST = (received_mail.c.received_at.desc(), received_mail.c.id.desc())
_NEWEST = rows(Listed, _LISTED.where(_OURS).order_by(received_mail.c.id.desc()).limit(P("most", sa.Integer)))
_NEWEST_OF_INBOX = rows(Listed, _LISTED.where(*_OF_INBOX).order_by(*_NEWEST_FIRST).limit(P("most", sa.Integer)))
_FAILED = rows(
    Listed,
    _LISTED.where(_OURS, received_mail.c.state == sa.literal_column("'failed'"))
    .order_by(received_mail.c.id)
    .limit(P("most", sa.Integer)),
)
_IN_STATE = rows(
    Listed,
    _LISTED.where(*_OF_INBOX, received_mail.c.state == P("state"))
    .order_by(received_mail.c.id.desc())
    .limit(P("most", sa.Integer)),
)
_TALLY = rows(
    Tally,
    sa.select(
        received_mail.c.inbox_id, received_mail.c.state, received_mail.c.reason, sa.func.count().label("n")
    )
    .where(_OURS)
    .group_by(received_mail.c.inbox_id, received_mail.c.state, received_mail.c.reason)
    .order_by(received_mail.c.inbox_id, received_mail.c.state, received_mail.c.reason),
)  # fmt: skip
_PLACES = rows(
    _Place,
    sa.select(received_mail.c.place).where(*_OF_INBOX, received_mail.c.place != sa.literal_column("''")),
)
_OLDEST_WAITING = value(
    str,
    sa.select(received_mail.c.received_at)
    .where(*_OF_INBOX, received_mail.c.state == sa.literal_column("'waiting'"))
    .order_by(received_mail.c.id)
    .limit(sa.literal_column("1")),
)


def newest(db: Reader, account_id: int, inbox_id: int | None, most: int) -> list[Listed]:
    """What came to an account, or to one inbox, the newest first."""
    if inbox_id is None:
        return db.all(_NEWEST, account_id=account_id, most=most)
    return db.all(_NEWEST_OF_INBOX, account_id=account_id, inbox_id=inbox_id, most=most)


def in_state(db: Reader, account_id: int, inbox_id: int, state: str, most: int) -> list[Listed]:
    """What came to an inbox and is waiting, taken, skipped or failed; the newest first."""
    return db.all(_IN_STATE, account_id=account_id, inbox_id=inbox_id, state=state, most=most)


def failed(db: Reader, account_id: int, most: int) -> list[Listed]:
    """What could not be read, the oldest first."""
    return db.all(_FAILED, account_id=account_id, most=most)


def tally(db: Reader, account_id: int) -> list[Tally]:
    """How many messages came to each inbox, by what became of them."""
    return db.all(_TALLY, account_id=account_id)


def places(db: Reader, account_id: int, inbox_id: int) -> set[str]:
    """Where mail servers have what came to an inbox."""
    return {one.place for one in db.all(_PLACES, account_id=account_id, inbox_id=inbox_id)}


def oldest_waiting(db: Reader, account_id: int, inbox_id: int) -> str | None:
    """When the first message came that still waits to be read."""
    return db.one(_OLDEST_WAITING, account_id=account_id, inbox_id=inbox_id)
