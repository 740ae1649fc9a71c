"""Recording facts: what history, webhooks and workflows read. Each is looked at once by the worker."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, rows, value
from deskhand.outbox.tables import event

WAKE = "jobs"
"""The name under which new events and jobs are announced to the worker, see `Database.listen`."""
EVENTS = "events"
"""The name under which new events are announced to open pages."""
PRESENCE = "presence"
"""The name under which is announced that somebody came, went or began to write."""
PAGES = "pages"
"""The name under which changes are announced that are no events but that any open page may show, such as settings."""
FOR_PAGES = frozenset({EVENTS, PRESENCE, PAGES})


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One fact. `particulars` is JSON: what a reader needs that can't be looked up later, such as the old status."""

    account_id: int
    name: str
    subject_id: int
    inbox_id: int | None = None
    thread_id: int | None = None
    actor_type: str = "user"
    actor_id: int
    at: str
    particulars: str = "{}"
    handled: int = 0


class Fact(msgspec.Struct, frozen=True):
    """A recorded event, as those who listen to it are given it."""

    id: int
    account_id: int
    name: str
    subject_id: int
    inbox_id: int | None
    thread_id: int | None
    actor_type: str
    actor_id: int
    at: str
    particulars: str


ADD = Insert(event, Event)
_UNHANDLED = event.c.handled == sa.literal_column("0")
_ANY = value(int, sa.select(event.c.id).where(_UNHANDLED).limit(sa.literal_column("1")))
# Ordered and limited first: one process looks at an event, the others pass over it.
_NEXT = (
    sa.select(event.c.id)
    .where(_UNHANDLED)
    .order_by(event.c.id)
    .limit(P("most", sa.Integer))
    .with_for_update(skip_locked=True)
    .cte("next")
)
_TAKE = rows(
    Fact,
    sa.update(event)
    .where(event.c.id.in_(sa.select(_NEXT.c.id)))
    .values(handled=sa.literal_column("1"))
    .returning(*(event.c[name] for name in Fact.__struct_fields__)),
)
_NEWEST = value(int, sa.select(sa.func.coalesce(sa.func.max(event.c.id), sa.literal_column("0"))))
_AFTER = rows(
    Fact,
    sa.select(*(event.c[name] for name in Fact.__struct_fields__))
    .where(event.c.id > P("id"))
    .order_by(event.c.id)
    .limit(sa.literal_column("1000")),
)


def record(tx: Writer, fact: Event) -> None:
    """Write a fact down, in the transaction of the change that it tells of."""
    record_many(tx, (fact,))


def record_many(tx: Writer, facts: Sequence[Event]) -> None:
    """As `record`, for what one change does to many."""
    if not facts:
        return
    tx.add_many(ADD, facts)
    tx.changed(WAKE)
    tx.changed(EVENTS)


def any_unhandled(db: Reader) -> bool:
    """Whether there are events that no worker has looked at."""
    return db.one(_ANY) is not None


def take(tx: Writer, most: int) -> list[Fact]:
    """The next events that nobody has looked at, oldest first; once this transaction commits they count as handled."""
    return sorted(tx.all(_TAKE, most=most), key=lambda fact: fact.id)


def newest(db: Reader) -> int:
    """The id of the last event there is; 0 where there is none."""
    return db.first(_NEWEST)


def after(db: Reader, id: int) -> list[Fact]:
    """The events behind one, oldest first, at most a thousand: those of all accounts, for whoever serves all."""
    return db.all(_AFTER, id=id)
