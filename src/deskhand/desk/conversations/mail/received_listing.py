"""What people see of mail that came: the newest messages, those that could not be read, and how many of each kind."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, Statement, columns, rows, value
from deskhand.mail.tables import received_mail

Turned = Literal["newest", "before", "after"]
"""Which page of a list is meant: its beginning, or what stands before or after a message in time."""


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


class Key(msgspec.Struct, frozen=True):
    """Where a message stands among those of its inbox, which are ordered by when they came."""

    at: str
    id: int


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
_NEWEST = rows(Listed, _LISTED.where(_OURS).order_by(received_mail.c.id.desc()).limit(P("most", sa.Integer)))
_FAILED = rows(
    Listed,
    _LISTED.where(_OURS, received_mail.c.state == sa.literal_column("'failed'"))
    .order_by(received_mail.c.id)
    .limit(P("most", sa.Integer)),
)


def _of_inbox(*narrowed: sa.ColumnElement[bool]) -> dict[Turned, Statement[Listed]]:
    """A page of an inbox's messages: the newest, those before one, and those after one, the next of them first."""
    at, id = received_mail.c.received_at, received_mail.c.id
    found = _LISTED.where(*_OF_INBOX, *narrowed).limit(P("most", sa.Integer))
    # The first condition is what an index can use.
    before = (at <= P("at"), sa.or_(at < P("at"), id < P("id", sa.BigInteger)))
    after = (at >= P("at"), sa.or_(at > P("at"), id > P("id", sa.BigInteger)))
    return {
        "newest": rows(Listed, found.order_by(at.desc(), id.desc())),
        "before": rows(Listed, found.where(*before).order_by(at.desc(), id.desc())),
        "after": rows(Listed, found.where(*after).order_by(at, id)),
    }


_ALL_OF_INBOX = _of_inbox()
_IN_STATE = _of_inbox(received_mail.c.state == P("state"))
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
    return of_inbox(db, account_id, inbox_id, most)


def of_inbox(
    db: Reader,
    account_id: int,
    inbox_id: int,
    most: int,
    *,
    state: str = "",
    turned: Turned = "newest",
    key: Key | None = None,
) -> list[Listed]:
    """What came to an inbox, all or what is waiting, taken, skipped or failed: the newest first.

    `turned` with a `key`: those before it, or those after it, and then the next one first.
    """
    given: dict[str, Any] = {"account_id": account_id, "inbox_id": inbox_id, "most": most} | (
        {"state": state} if state else {}
    )
    if key is not None:
        given |= {"at": key.at, "id": key.id}
    statement = (_IN_STATE if state else _ALL_OF_INBOX)["newest" if key is None else turned]
    return db.all(statement, **given)


def in_state(db: Reader, account_id: int, inbox_id: int, state: str, most: int) -> list[Listed]:
    """What came to an inbox and is waiting, taken, skipped or failed; the newest first."""
    return of_inbox(db, account_id, inbox_id, most, state=state)


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
