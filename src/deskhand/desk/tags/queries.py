"""Reading tags and how many conversations carry them."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, texts_in
from deskhand.db.statements import P, columns, rows, value
from deskhand.desk.counters import counter
from deskhand.desk.tags.tables import tag

PAGE_SIZE = 50


class TagRow(msgspec.Struct, frozen=True):
    """A tag as stored; `folded` is its name without regard to case."""

    id: int
    account_id: int
    name: str
    folded: str
    slug: str
    color: str
    created_at: str
    updated_at: str


class CountedTag(msgspec.Struct, frozen=True):
    """A tag and how many conversations carry it."""

    id: int
    name: str
    slug: str
    color: str
    created_at: str
    updated_at: str
    conversations: int


_CARRIED = sa.select(sa.cast(sa.func.coalesce(sa.func.sum(counter.c.n), sa.literal_column("0")), sa.Integer)).where(
    counter.c.account_id == tag.c.account_id,
    counter.c.kind == sa.literal_column("'tag'"),
    counter.c.key == tag.c.id,
)
_CARRIED_IN = _CARRIED.where(ids_in(counter.c.inbox_id, P("inboxes", sa.Text)))


def _counted(carried: sa.Select[Any]) -> sa.Select[Any]:
    """An account's tags; the numbers come from counters, in the same statement."""
    return sa.select(
        *columns(tag, "id", "name", "slug", "color", "created_at", "updated_at"),
        carried.scalar_subquery().label("conversations"),
    ).where(tag.c.account_id == P("account_id"))


def _page(select: sa.Select[Any]) -> sa.Select[Any]:
    # The folded name is unique in an account, so the order is complete and comes from its index.
    return select.order_by(tag.c.folded).limit(P("size", sa.Integer)).offset(P("start", sa.BigInteger))


COUNTED = _counted(_CARRIED)
"""An account's tags, counted in all inboxes, for queries that narrow or order them."""
_LIST = rows(CountedTag, _page(_counted(_CARRIED)))
_LIST_IN = rows(CountedTag, _page(_counted(_CARRIED_IN)))
_COUNT = value(int, sa.select(sa.func.count()).select_from(tag).where(tag.c.account_id == P("account_id")))
_BY_ID = rows(CountedTag, _counted(_CARRIED).where(tag.c.id == P("id")))
_BY_ID_IN = rows(CountedTag, _counted(_CARRIED_IN).where(tag.c.id == P("id")))
_FIRST = rows(
    TagRow,
    sa.select(*columns(tag, *TagRow.__struct_fields__))
    .where(tag.c.account_id == P("account_id"))
    .order_by(tag.c.folded)
    .limit(P("most", sa.Integer)),
)
_FOLDED = rows(
    TagRow,
    sa.select(*columns(tag, *TagRow.__struct_fields__)).where(
        tag.c.account_id == P("account_id"), texts_in(tag.c.folded, P("folded", sa.Text))
    ),
)


def find(db: Reader, account_id: int, inboxes: tuple[int, ...] | None, page: int) -> tuple[list[CountedTag], int]:
    """A page of an account's tags by name, and how many there are.

    Conversations are counted in some inboxes, or in all (None).
    """
    query = _LIST if inboxes is None else _LIST_IN
    start = (page - 1) * PAGE_SIZE
    found = db.all(query, account_id=account_id, inboxes=_json(inboxes), size=PAGE_SIZE, start=start)
    return found, db.first(_COUNT, account_id=account_id)


def first_of(db: Reader, account_id: int, most: int) -> list[TagRow]:
    """An account's tags by name, so many at most; nothing is counted."""
    return db.known(_FIRST, account_id=account_id, most=most)


def by_id(db: Reader, account_id: int, id: int, inboxes: tuple[int, ...] | None) -> CountedTag | None:
    """A tag, its conversations counted in some inboxes or in all (None)."""
    query = _BY_ID if inboxes is None else _BY_ID_IN
    return db.one(query, account_id=account_id, id=id, inboxes=_json(inboxes))


def by_folded(db: Reader, account_id: int, folded: list[str]) -> dict[str, TagRow]:
    """Tags by their folded names; those that do not exist are left out."""
    return {row.folded: row for row in db.all(_FOLDED, account_id=account_id, folded=_json(folded))}


def _json(listed: tuple[int, ...] | list[str] | None) -> str:
    return msgspec.json.encode(listed).decode()
