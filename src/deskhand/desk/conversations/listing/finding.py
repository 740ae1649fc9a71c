"""Finding conversations: pages of lists, and how many there are in all."""

from __future__ import annotations

import hashlib
import time
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.conversations import PAGE_SIZE
from deskhand.db.engine import Reader
from deskhand.db.statements import P, Statement, rows, value
from deskhand.desk import counters
from deskhand.desk.conversations.listing import listed, newest
from deskhand.desk.conversations.listing.filters import (
    STATUSES,
    Shape,
    Wanted,
    behind,
    conditions,
    order,
    parameters,
    shape_of,
)
from deskhand.desk.conversations.listing.listed import Counted, Listed, skipped
from deskhand.desk.conversations.listing.walking import WALKS, End, Step
from deskhand.desk.conversations.tables import conversation


def find(db: Reader, wanted: Wanted) -> tuple[list[Listed], int]:
    """A page of conversations and how many there are in all."""
    if wanted.inboxes == ():
        return [], 0
    walk = _walk(db, wanted)
    step = WALKS.before(walk, wanted.page)
    found: list[Listed]
    counted_at = None
    if wanted.search is not None:
        found, total, counted_at = newest.find(db, wanted, step)
    elif wanted.page == 1 and wanted.indexed:
        first = db.all(_first_page(wanted.status, wanted.descending, wanted.inboxes is not None), **parameters(wanted))
        found, total = list(first), first[0].total if first else 0
    else:
        found, total = _find(db, wanted, step)
    if len(found) == wanted.size:
        WALKS.serve(walk, wanted.page, End(found[-1].key, found[-1].id), total, counted_at)
    return found, total


def ids(db: Reader, wanted: Wanted) -> list[int]:
    """All conversations of a list by their ids, whichever page is asked for."""
    if wanted.inboxes == ():
        return []
    if wanted.search is not None:
        return newest.ids(db, wanted)
    return db.all(_ids(shape_of(wanted)), **parameters(wanted))


def beside(db: Reader, wanted: Wanted, end: End, but: int) -> Listed | None:
    """The conversation that comes behind a place in a list, whether or not one of the list is at that place.

    `but` is the conversation that one saw there. It may have moved on since, and is never beside itself.
    """
    if wanted.inboxes == ():
        return None
    if wanted.search is not None:
        found, _, _ = newest.find(db, wanted, Step(end, 0, time.monotonic()))
    else:
        last = {"last": end.key, "last_id": end.id}
        found = db.all(_next_two(shape_of(wanted), end.key is None), **parameters(wanted), **last)
    return next((one for one in found if one.id != but), None)


def _walk(db: Reader, wanted: Wanted) -> bytes:
    """What the pages of one list, read by one user, have in common."""
    query = wanted.search.text if wanted.search is not None else None
    list_of_all = msgspec.structs.replace(wanted, search=None, page=0)
    return hashlib.blake2b(msgspec.json.encode((db.place, query, list_of_all)), digest_size=16).digest()


def _find(db: Reader, wanted: Wanted, step: Step | None) -> tuple[list[Listed], int]:
    given, shape = parameters(wanted), shape_of(wanted)
    if wanted.page == 1 and wanted.folder is not None and wanted.status == "all":
        found = db.all(_top(shape, wanted.size), **given)
    elif step is None:
        found = db.all(_page(shape), **given, size=wanted.size, start=skipped(wanted.page, wanted.size))
    else:
        last = {"last": step.end.key, "last_id": step.end.id}
        found = db.all(_next_page(shape, step.end.key is None), **given, **last, size=wanted.size)
    if wanted.countable:
        return found, listed.size(db, wanted)
    if wanted.page == 1 and len(found) < wanted.size:
        return found, len(found)
    in_folder = listed.of_folder(db, wanted)
    if in_folder is not None:
        return found, in_folder
    return found, db.first(_count(shape), **given)


@lru_cache(maxsize=64)
def _first_page(status: str, descending: bool, one_inbox: bool) -> Statement[Counted]:
    """What is asked for most: the first page of a status, in one statement with its total.

    Without parameters for limit and offset PostgreSQL plans it once and not for each call.
    """
    shape = ("sort createdAt", "desc" if descending else "asc", f"status {status}", *(("inbox",) if one_inbox else ()))
    number = counters.counter.c
    counted = [
        number.account_id == P("account_id"),
        number.kind == sa.literal_column("'status'"),
        number.key == sa.literal_column(str(counters.STATUS_CODES[STATUSES[status][0]])),
    ]
    if one_inbox:
        counted.append(number.inbox_id == P("inbox"))
    total = sa.cast(sa.func.coalesce(sa.func.sum(number.n), sa.literal_column("0")), sa.Integer)
    page = listed.columns(shape, conversation, sa.select(total).where(*counted).scalar_subquery().label("total"))
    page = page.where(*conditions(shape)).order_by(*order(shape)).limit(sa.literal_column(str(PAGE_SIZE)))
    return rows(Counted, page, keep=False)


@lru_cache(maxsize=64)
def _top(shape: Shape, size: int) -> Statement[Listed]:
    """The first page of a whole folder, which has an index in each order; without parameters as `_first_page`."""
    return rows(Listed, listed.page(shape, _all(shape).limit(sa.literal_column(str(size)))), keep=False)


@lru_cache(maxsize=512)
def _page(shape: Shape) -> Statement[Listed]:
    """A page that lies so far behind the beginning."""
    ids = _all(shape)
    return rows(
        Listed,
        listed.page(shape, ids.limit(P("size", sa.Integer)).offset(P("start", sa.BigInteger))),
        keep=False,
    )


@lru_cache(maxsize=512)
def _next_page(shape: Shape, empty: bool) -> Statement[Listed]:
    """The page behind a conversation; `empty` when that one has nothing in the column of the order."""
    return rows(Listed, listed.page(shape, _behind(shape, empty).limit(P("size", sa.Integer))), keep=False)


@lru_cache(maxsize=512)
def _next_two(shape: Shape, empty: bool) -> Statement[Listed]:
    """The two behind a conversation; as their number is no parameter, PostgreSQL plans it once."""
    return rows(Listed, listed.page(shape, _behind(shape, empty).limit(sa.literal_column("2"))), keep=False)


def _behind(shape: Shape, empty: bool) -> sa.Select[Any]:
    further = behind(shape, empty=empty, by_index=_indexed(shape))
    return _all(shape).where(further)


def _all(shape: Shape) -> sa.Select[Any]:
    return sa.select(conversation.c.id).where(*conditions(shape)).order_by(*_order(shape))


def _order(shape: Shape) -> tuple[sa.ColumnElement[Any], ...]:
    return order(shape, by_index=_indexed(shape))


def _indexed(shape: Shape) -> bool:
    """Whether to go through an index in this order. What somebody has is rather sorted: the index of it has few."""
    return "mine" not in shape or shape[0] == "sort modifiedAt"


@lru_cache(maxsize=512)
def _ids(shape: Shape) -> Statement[int]:
    return value(int, sa.select(conversation.c.id).where(*conditions(shape)).order_by(conversation.c.id), keep=False)


@lru_cache(maxsize=512)
def _count(shape: Shape) -> Statement[int]:
    return value(int, sa.select(sa.func.count()).select_from(conversation).where(*conditions(shape)), keep=False)
