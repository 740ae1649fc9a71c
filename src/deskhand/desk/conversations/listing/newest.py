"""Pages of what a query finds, at best without looking at all that it finds.

The newest conversations of the list are read first, or those that changed last: what many have is soon found among
them. For what fewer have, the list's index is gone through in order and held against the hits; only where hits are very
few they are looked up one by one. Numbers of hits come from the index of words, where possible without a look at the
conversations.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from deskhand.catalogue.conversations import PAGE_SIZE
from deskhand.db.engine import Reader
from deskhand.db.portable import unindexed
from deskhand.db.statements import Dialect, P, Statement, rows, value
from deskhand.desk.conversations.listing import listed, search
from deskhand.desk.conversations.listing.filters import (
    STATUSES,
    Shape,
    Wanted,
    around,
    behind,
    conditions,
    order,
    parameters,
    shape_of,
    sorted_by,
)
from deskhand.desk.conversations.listing.listed import Counted, Listed, skipped
from deskhand.desk.conversations.listing.search_conditions import candidates, condition, of_texts
from deskhand.desk.conversations.listing.walking import WALKS, Step
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.search.matching import at_once

WINDOW = 500
"""So many of the newest conversations are read first."""
GOING_THROUGH, LOOKING_UP = 0.3, 20.0
"""What a conversation costs in an index that is gone through, and looked up by its id: microseconds, measured."""

_c = conversation.c
_PAGE: sa.ColumnElement[int] = sa.literal_column(str(PAGE_SIZE))


def find(db: Reader, wanted: Wanted, step: Step | None) -> tuple[list[Listed], int, float | None]:
    """A page of what `wanted.search` finds, how many there are in all, and when that was counted (None: now).

    `step` is where the page before it ended, if that is known.
    """
    asked, given = _asked(wanted, step), parameters(wanted)
    start, total, counted_at = skipped(wanted.page), None, None
    if step is not None:
        start = 0
        given |= {"last": step.end.key, "last_id": step.end.id}
        if WALKS.still_counts(step):
            total, counted_at = step.total, step.counted_at
    if asked.by_time and start == 0:
        found = db.all(_of_newest(asked), **given, window=WINDOW)
        if len(found) == PAGE_SIZE:
            return found, number(db, wanted) if total is None else total, counted_at
        if step is None and listed.size(db, around(wanted)) <= WINDOW:
            return found, len(found), None  # the list has no others
    if asked.by_time and asked.by_texts_alone:
        total = number(db, wanted) if total is None else total
        if _in_order_is_quicker(db, wanted, total, start):
            return db.all(_in_order(asked, db.dialect), **given, start=start), total, counted_at
    looked_up = db.all(_by_index(asked, db.dialect), **given, start=start)
    if total is None:
        total = looked_up[0].total if looked_up and step is None else number(db, wanted)
    return list(looked_up), total, counted_at


def number(db: Reader, wanted: Wanted) -> int:
    """How many conversations of a list its query finds."""
    asked, given = _asked(wanted, None), parameters(wanted)
    if asked.query[0] == "not" and asked.by_texts_alone:
        others = asked._replace(query=asked.query[1])
        return listed.size(db, wanted) - db.first(_count(others, db.dialect), **given)
    return db.first(_count(asked, db.dialect), **given)


def number_up_to(db: Reader, wanted: Wanted, most: int) -> int:
    """As `number`, but no more are counted than `most`, where that is the sooner done."""
    asked = _asked(wanted, None)
    if asked.by_texts_alone:
        return min(number(db, wanted), most)
    return db.first(_count_up_to(asked, db.dialect), **parameters(wanted), most=most)


def ids(db: Reader, wanted: Wanted) -> list[int]:
    """All conversations of a list that its query finds, by their ids."""
    asked = _asked(wanted, None)
    return db.all(_ids(asked, db.dialect), **parameters(wanted))


def _asked(wanted: Wanted, step: Step | None) -> _Asked:
    query = wanted.search.shape if wanted.search is not None else search.EVERYTHING
    return _Asked(shape_of(wanted), shape_of(around(wanted)), query, None if step is None else step.end.key is None)


class _Asked(NamedTuple):
    """What statements depend on: the shapes of the list, of the one around it and of the query; where a page begins.

    `behind_empty` is None for a page from the start, else whether the conversation before it has nothing in the column
    of the order.
    """

    shape: Shape
    around: Shape
    query: search.Shape
    behind_empty: bool | None

    @property
    def by_time(self) -> bool:
        """Whether the list is in an order that conversations are read in first."""
        return self.shape[0] in ("sort createdAt", "sort modifiedAt", "sort score")

    @property
    def by_texts_alone(self) -> bool:
        """Whether texts, statuses and inboxes are all that is asked for: indexes know those without conversations."""
        return of_texts(self.query) and all(part.startswith(("status", "inbox")) for part in self.shape[2:])

    @property
    def listed(self) -> list[sa.ColumnElement[bool]]:
        """The conditions of the list, in the order of an index."""
        return self.begun(conditions(self.shape))

    @property
    def looked_up(self) -> list[sa.ColumnElement[bool]]:
        """The same for conversations that an index of words finds: no other index is better then."""
        return self.begun(conditions(self.shape, unindexed(_c.account_id)))

    @property
    def indexed(self) -> bool:
        """Whether the index that finds the fewest is in this order, too: that of an inbox is in order of age alone."""
        return self.shape[0] != "sort modifiedAt" or "inbox" not in self.shape

    def begun(self, found: list[sa.ColumnElement[bool]], *, by_index: bool = True) -> list[sa.ColumnElement[bool]]:
        """These conditions, and that the page begins where it does."""
        if self.behind_empty is not None:
            found.append(behind(self.shape, empty=self.behind_empty, by_index=by_index))
        return found


def _in_order_is_quicker(db: Reader, wanted: Wanted, total: int, start: int) -> bool:
    """Whether the list's index leads to a page of so many hits sooner than looking up every hit there is."""
    everything = listed.size(db, Wanted(wanted.account_id, wanted.user_id, None, "all"))
    hits = total * everything / max(1, listed.size(db, wanted))  # in all lists, as far as one can tell
    behind_page = start + PAGE_SIZE
    gone_through = listed.size(db, around(wanted)) * behind_page / max(total, behind_page)
    return (gone_through + hits) * GOING_THROUGH < hits * LOOKING_UP


@lru_cache(maxsize=512)
def _of_newest(asked: _Asked) -> Statement[Listed]:
    """A page of hits among so many conversations at the list's beginning, which are read until the page is full."""
    descending, at = asked.shape[1] == "desc", sorted_by(asked.shape)
    begun = (
        sa.select(at)
        .where(*asked.begun(conditions(asked.around)))
        .order_by(*order(asked.shape))
        .limit(sa.literal_column("1"))
        .offset(P("window", sa.BigInteger))
        .correlate(None)
        .scalar_subquery()
    )
    within = (
        at >= sa.func.coalesce(begun, sa.literal_column("''"))
        if descending
        else at <= sa.func.coalesce(begun, sa.literal_column("'~'"))
    )
    ids = sa.select(_c.id).where(*asked.listed, within, condition(asked.query, "read")).order_by(*order(asked.shape))
    return rows(Listed, listed.page(asked.shape, ids.limit(_PAGE)), keep=False)


@lru_cache(maxsize=512)
def _in_order(asked: _Asked, dialect: Dialect) -> Statement[Listed]:
    """A page of all that is found, by going through the list in order."""
    found = candidates(asked.query, dialect)
    hit = [condition(asked.query, "found")]
    if found is not None:
        hit = [unindexed(_c.id).in_(found.ids), condition(found.rest, "found")]
    ids = sa.select(_c.id).where(*asked.listed, *hit).order_by(*order(asked.shape))
    return rows(Listed, listed.page(asked.shape, ids.limit(_PAGE).offset(P("start", sa.BigInteger))), keep=False)


@lru_cache(maxsize=512)
def _by_index(asked: _Asked, dialect: Dialect) -> Statement[Counted]:
    """A page of all that is found, by looking all of it up; and how many that are."""
    ids = sa.select(_c.id, sa.func.count().over().label("total")).where(*_matching(asked, dialect))
    ids = ids.order_by(*order(asked.shape, by_index=asked.indexed)).limit(_PAGE).offset(P("start", sa.BigInteger))
    return rows(Counted, listed.page(asked.shape, ids), keep=False)


@lru_cache(maxsize=512)
def _count(asked: _Asked, dialect: Dialect) -> Statement[int]:
    found = candidates(asked.query, dialect)
    if found is None or not asked.by_texts_alone:
        count = sa.select(sa.func.count()).select_from(conversation).where(*_matching(asked, dialect))
        return value(int, count, keep=False)
    hit = found.ids.subquery("hit")
    count = sa.select(sa.func.count(sa.distinct(hit.c.id))).where(
        condition(found.rest, "found", hit.c.id), _in_list(asked.shape, hit.c.id)
    )
    return value(int, count, keep=False)


@lru_cache(maxsize=512)
def _count_up_to(asked: _Asked, dialect: Dialect) -> Statement[int]:
    some = sa.select(_c.id).where(*_matching(asked, dialect)).limit(P("most", sa.Integer)).subquery("some")
    return value(int, sa.select(sa.func.count()).select_from(some), keep=False)


@lru_cache(maxsize=512)
def _ids(asked: _Asked, dialect: Dialect) -> Statement[int]:
    return value(int, sa.select(_c.id).where(*_matching(asked, dialect)).order_by(_c.id), keep=False)


def _matching(asked: _Asked, dialect: Dialect) -> list[sa.ColumnElement[bool]]:
    found = candidates(asked.query, dialect)
    if found is None:
        return [*asked.begun(conditions(asked.shape), by_index=asked.indexed), condition(asked.query, "found")]
    ids = found.ids if dialect == "sqlite" else at_once(found.ids)
    matching = [*asked.looked_up, _c.id.in_(ids)]
    return [*matching, condition(found.rest, "found")]


def _in_list(shape: Shape, id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether an indexed conversation is of the list's status and inboxes, by indexes alone.

    Most conversations are closed, so the others are the shorter list to hold against.
    """
    statuses = STATUSES[shape[2].removeprefix("status ")]
    if len(shape) == 3 and "closed" in statuses:
        others = [f"status {status}" for status in STATUSES["all"] if status not in statuses]
        return sa.and_(sa.true(), *(id.not_in(_ids_of((*shape[:2], other))) for other in others))
    return id.in_(_ids_of(shape))


def _ids_of(shape: Shape) -> sa.Select[Any]:
    return sa.select(_c.id).where(*conditions(shape)).correlate(None)
