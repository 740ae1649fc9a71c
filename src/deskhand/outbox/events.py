"""Recording facts: what history, webhooks and workflows read."""

from __future__ import annotations

import msgspec

from deskhand.db.engine import Writer
from deskhand.db.statements import Insert
from deskhand.outbox.tables import event


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


ADD = Insert(event, Event)


def record(tx: Writer, fact: Event) -> None:
    """Write a fact down, in the transaction of the change that it tells of."""
    tx.add(ADD, fact)
