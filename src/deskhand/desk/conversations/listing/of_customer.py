"""The conversations of one customer, newest first, as far as the caller may see them."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import P, columns, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation

PAGE_SIZE = 25


class Earlier(msgspec.Struct, frozen=True):
    """A conversation of a customer, as short as it can be told."""

    id: int
    number: int
    inbox_id: int
    subject: str
    preview: str
    status: str
    state: str
    threads: int
    created_at: str
    user_updated_at: str


_THEIRS = (
    conversation.c.account_id == P("account_id"),
    conversation.c.customer_id == P("customer_id"),
    conversation.c.merged_into.is_(None),
)
_IN = ids_in(unindexed(conversation.c.inbox_id), P("inboxes", sa.Text))


def _list(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(*columns(conversation, *Earlier.__struct_fields__))
        .where(*_THEIRS, *conditions)
        .order_by(conversation.c.id.desc())
        .limit(P("size", sa.Integer))
        .offset(P("start", sa.BigInteger))
    )


def _number(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(conversation).where(*_THEIRS, *conditions)


_LISTS = {False: rows(Earlier, _list()), True: rows(Earlier, _list(_IN))}
_COUNTS = {False: value(int, _number()), True: value(int, _number(_IN))}
"""By whether the caller sees only some inboxes."""


def conversations(db: Reader, actor: Actor, customer_id: int, page: int = 1, size: int = PAGE_SIZE) -> list[Earlier]:
    """A page of a customer's conversations; an unknown customer has none."""
    return db.all(_LISTS[actor.inboxes is not None], **_given(actor, customer_id), size=size, start=(page - 1) * size)


def count(db: Reader, actor: Actor, customer_id: int) -> int:
    """How many conversations a customer has that the caller may see."""
    return db.first(_COUNTS[actor.inboxes is not None], **_given(actor, customer_id))


def _given(actor: Actor, customer_id: int) -> dict[str, object]:
    inboxes = msgspec.json.encode(actor.inboxes or ()).decode()
    return {"account_id": actor.account_id, "customer_id": customer_id, "inboxes": inboxes}
