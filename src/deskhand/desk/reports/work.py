"""What the staff did, counted: replies and how long customers had waited for them, conversations closed and resolved.

The database sums up; only where the account's office hours are asked for, times are read one by one. Reports count
replies that were imported like all others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import for_each, ids_in, in_order, seconds_between
from deskhand.db.statements import P, Statement, rows, value
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.reports import series
from deskhand.desk.reports.hours import Quarter
from deskhand.desk.reports.office import Office
from deskhand.desk.reports.selecting import Filters, Selection, Span, active, conditions, replied, within
from deskhand.desk.reports.series import Pieces

BOUNDS = (900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800)
"""Where the ranges of times end, in seconds; their ids count from 1. Source: §10.3 of the wire contract's half B."""
MOST_REPLIES = 5
"""The id of the range of so many replies or more."""


class Times(msgspec.Struct, frozen=True):
    """So many things that took so many seconds together."""

    n: int = 0
    seconds: int = 0

    def plus(self, n: int, seconds: int) -> Times:
        return Times(self.n + n, self.seconds + seconds)

    @property
    def average(self) -> float | None:
        """Seconds; None of nothing."""
        return self.seconds / self.n if self.n else None


class Replies(msgspec.Struct, frozen=True):
    """The replies of a span: how many, and the waits that they ended, by range; of first replies apart."""

    sent: int
    waits: dict[int, Times]
    first_waits: dict[int, Times]


class Closed(msgspec.Struct, frozen=True):
    """The conversations closed in a span, and of those with a reply how many needed how many, by range."""

    closed: int
    replies: int
    resolved: dict[int, Times]


class Helped(msgspec.Struct, frozen=True):
    """What a user did (0: all together): replies, and to how many customers and in how many conversations."""

    user_id: int
    replies: int
    customers: int
    conversations: int


def together(times: dict[int, Times]) -> Times:
    """The times of all ranges."""
    return Times(sum(one.n for one in times.values()), sum(one.seconds for one in times.values()))


def range_of(seconds: int) -> int:
    """The id of the range that a time lies in."""
    return bisect_right(BOUNDS, seconds) + 1


def conversations(db: Reader, selection: Selection, span: Span) -> int:
    """In how many conversations something happened."""
    return db.first(_active(selection.filters), **selection.parameters(span))


def replies(db: Reader, selection: Selection, span: Span, office: Office | None) -> Replies:
    """Count replies and waits."""
    given = selection.parameters(span)
    found = (
        db.all(_waits(selection.filters), **given)
        if office is None
        else _by_range(db.all(_each_reply(selection.filters), **given), office, lambda one, took: range_of(took))
    )
    waits: dict[int, Times] = defaultdict(Times)
    first: dict[int, Times] = defaultdict(Times)
    for one in found:
        if one.range:
            waits[one.range] = waits[one.range].plus(one.n, one.seconds)
            if one.mark:
                first[one.range] = first[one.range].plus(one.n, one.seconds)
    return Replies(sum(one.n for one in found), waits, first)


def closed(db: Reader, selection: Selection, span: Span, office: Office | None) -> Closed:
    """Count what was closed and resolved."""
    given = selection.parameters(span)
    found = (
        db.all(_resolutions(selection.filters), **given)
        if office is None
        else _by_range(
            db.all(_each_closed(selection.filters), **given), office, lambda one, took: min(one.mark, MOST_REPLIES)
        )
    )
    resolved: dict[int, Times] = defaultdict(Times)
    for one in found:
        if one.range:
            resolved[one.range] = resolved[one.range].plus(one.n, one.seconds)
    return Closed(sum(one.n for one in found), sum(one.n * one.mark for one in found), resolved)


def helped(db: Reader, selection: Selection, span: Span) -> dict[int, Helped]:
    """What each user who replied did, and under 0 what all did together."""
    return {one.user_id: one for one in db.all(_helped(selection.filters), **selection.parameters(span))}


def reply_quarters(db: Reader, selection: Selection, span: Span) -> list[Quarter]:
    """How many replies were sent in each quarter of an hour."""
    return db.all(_quarters(selection.filters), **selection.parameters(span))


def waits_over_time(
    db: Reader, selection: Selection, span: Span, pieces: Pieces, office: Office | None, *, first: bool
) -> list[Times]:
    """For each piece of time the waits that replies ended in it, those of first replies only or all."""
    filters, given = selection.filters, selection.parameters(span)
    if office is None:
        return _pieces(db.all(_waits_over_time(filters, first), **given, pieces=pieces.parameter()), pieces)
    found = db.all(_each_reply(filters), **given)
    return _in_pieces([one for one in found if one.mark or not first], pieces, office)


def resolutions_over_time(
    db: Reader, selection: Selection, span: Span, pieces: Pieces, office: Office | None
) -> list[Times]:
    """For each piece of time what was resolved in it."""
    filters, given = selection.filters, selection.parameters(span)
    if office is None:
        return _pieces(db.all(_resolutions_over_time(filters), **given, pieces=pieces.parameter()), pieces)
    found = db.all(_each_closed(filters), **given)
    return _in_pieces([one for one in found if one.mark], pieces, office)


def replies_over_time(db: Reader, selection: Selection, span: Span, pieces: Pieces) -> list[int]:
    """For each piece of time how many replies were sent in it."""
    given = selection.parameters(span) | {"pieces": pieces.parameter()}
    return [one.n for one in _pieces(db.all(_replies_over_time(selection.filters), **given), pieces)]


# -- By office hours


class _Each(msgspec.Struct, frozen=True):
    """A reply or a closed conversation: when, from when until when it took (seconds since 1970), and its mark.

    The mark is 1 for a first reply, and of a conversation its number of replies.
    """

    at: str
    since: int | None
    until: int
    mark: int


class _Range(msgspec.Struct, frozen=True):
    mark: int
    range: int  # 0: what has no time
    n: int
    seconds: int


def _by_range(found: Sequence[_Each], office: Office, range: Callable[[_Each, int], int]) -> list[_Range]:
    _cover(found, office)
    counts: Counter[tuple[int, int]] = Counter()
    seconds: Counter[tuple[int, int]] = Counter()
    for one in found:
        took = None if one.since is None else office.between(one.since, one.until)
        key = one.mark, 0 if took is None else range(one, took)
        counts[key] += 1
        seconds[key] += took or 0
    return [_Range(*key, n, seconds[key]) for key, n in counts.items()]


def _in_pieces(found: Sequence[_Each], pieces: Pieces, office: Office) -> list[Times]:
    _cover(found, office)
    times = [Times()] * len(pieces.starts)
    for one in found:
        if one.since is not None:
            position = pieces.position(one.at)
            times[position] = times[position].plus(1, office.between(one.since, one.until))
    return times


def _cover(found: Sequence[_Each], office: Office) -> None:
    timed = [one for one in found if one.since is not None]
    if timed:
        office.cover(min(one.since or 0 for one in timed), max(one.until for one in timed))


# -- In SQL


class _Piece(msgspec.Struct, frozen=True):
    since: str
    n: int
    seconds: int


def _pieces(found: Iterable[_Piece], pieces: Pieces) -> list[Times]:
    known = {one.since: Times(one.n, one.seconds) for one in found}
    return [known.get(start, Times()) for start in pieces.starts]


_WAITED = seconds_between(thread.c.waited_since, thread.c.created_at)
_TOOK = seconds_between(conversation.c.created_at, conversation.c.closed_at)
# What was imported may have been closed before it began.
_TOOK_AT_LEAST_NONE: sa.ColumnElement[Any] = sa.case(
    (conversation.c.closed_at > conversation.c.created_at, _TOOK), else_=sa.literal_column("0")
)
_EPOCH: sa.ColumnElement[Any] = sa.literal_column("'1970-01-01T00:00:00Z'", sa.Text)
_IN_CONVERSATION = conversation.c.id == thread.c.conversation_id


def since_1970(moment: sa.ColumnElement[Any]) -> seconds_between:
    """A moment in seconds since 1970."""
    return seconds_between(_EPOCH, moment)


def _number(n: int) -> sa.ColumnElement[int]:
    """A number written into the statement."""
    return sa.literal_column(str(n), sa.Integer)


def _sum(seconds: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(seconds), _number(0)), sa.BigInteger).label("seconds")


def closed_in_span(filters: Filters) -> list[sa.ColumnElement[bool]]:
    """Conversations that were closed in the span, by some users where those are asked for; in the index's words."""
    return [within(conversation.c.closed_at), *_closed(filters)]


def _closed(filters: Filters) -> list[sa.ColumnElement[bool]]:
    by_users = [ids_in(conversation.c.closed_by, P("users", sa.Text))] if "users" in filters else []
    c = conversation.c
    return [c.account_id == P("account_id"), c.closed_at.is_not(None), *conditions(filters), *by_users]


def replied_in_span(filters: Filters) -> list[sa.ColumnElement[bool]]:
    """Replies of the span, and the conversations they are in, which must be joined."""
    return [within(thread.c.created_at), *replied(filters), *conditions(filters)]


@lru_cache(maxsize=64)
def _active(filters: Filters) -> Statement[int]:
    return value(int, sa.select(sa.func.count()).select_from(active(filters)), keep=False)


@lru_cache(maxsize=64)
def _waits(filters: Filters) -> Statement[_Range]:
    # Grouped by itself first: else databases would work the wait out anew for each bound.
    waited = _WAITED.label("waited")
    each = (
        sa.select(thread.c.first_reply.label("mark"), waited, sa.func.count().label("n"))
        .join(conversation, _IN_CONVERSATION)
        .where(*replied_in_span(filters))
        .group_by(thread.c.first_reply, waited)
        .subquery("reply")
    )
    ranges = [(each.c.waited < _number(bound), _number(id)) for id, bound in enumerate(BOUNDS, 1)]
    range_ = sa.case((each.c.waited.is_(None), _number(0)), *ranges, else_=_number(len(BOUNDS) + 1)).label("range")
    n = sa.cast(sa.func.sum(each.c.n), sa.BigInteger).label("n")
    counted = sa.select(each.c.mark, range_, n, _sum(each.c.waited * each.c.n))
    return rows(_Range, counted.group_by(each.c.mark, range_), keep=False)


@lru_cache(maxsize=64)
def _resolutions(filters: Filters) -> Statement[_Range]:
    needed = conversation.c.replies
    most = _number(MOST_REPLIES)
    range_ = sa.case((needed < most, needed), else_=most).label("range")
    counted = sa.select(needed.label("mark"), range_, sa.func.count().label("n"), _sum(_TOOK_AT_LEAST_NONE))
    return rows(_Range, counted.where(*closed_in_span(filters)).group_by(needed), keep=False)


@lru_cache(maxsize=64)
def _each_reply(filters: Filters) -> Statement[_Each]:
    t = thread.c
    each = sa.select(
        t.created_at.label("at"),
        since_1970(t.waited_since).label("since"),
        since_1970(t.created_at).label("until"),
        t.first_reply.label("mark"),
    )
    return rows(_Each, each.join(conversation, _IN_CONVERSATION).where(*replied_in_span(filters)), keep=False)


@lru_cache(maxsize=64)
def _each_closed(filters: Filters) -> Statement[_Each]:
    c = conversation.c
    each = sa.select(
        c.closed_at.label("at"),
        since_1970(c.created_at).label("since"),
        since_1970(c.closed_at).label("until"),
        c.replies.label("mark"),
    )
    return rows(_Each, each.where(*closed_in_span(filters)), keep=False)


@lru_cache(maxsize=64)
def _helped(filters: Filters) -> Statement[Helped]:
    each = (
        sa.select(thread.c.created_by_id.label("user_id"), thread.c.conversation_id, conversation.c.customer_id)
        .join(conversation, _IN_CONVERSATION)
        .where(*replied_in_span(filters))
        .cte("reply")
    )

    def counted(user: sa.ColumnElement[Any]) -> sa.Select[Any]:
        customers, cases = each.c.customer_id.distinct(), each.c.conversation_id.distinct()
        return sa.select(
            user.label("user_id"),
            sa.func.count().label("replies"),
            sa.func.count(customers).label("customers"),
            sa.func.count(cases).label("conversations"),
        ).select_from(each)

    everybody = counted(sa.literal_column("0", sa.BigInteger))
    by_user = counted(each.c.user_id).group_by(each.c.user_id)
    return rows(Helped, sa.union_all(everybody, by_user), keep=False)


@lru_cache(maxsize=64)
def _quarters(filters: Filters) -> Statement[Quarter]:
    at = thread.c.created_at
    hour = sa.func.substr(at, _number(1), _number(13)).label("hour")
    quarter = (sa.cast(sa.func.substr(at, _number(15), _number(2)), sa.Integer) // _number(15)).label("quarter")
    counted = sa.select(hour, quarter, sa.func.count().label("n")).join(conversation, _IN_CONVERSATION)
    return rows(Quarter, counted.where(*replied_in_span(filters)).group_by(hour, quarter), keep=False)


@lru_cache(maxsize=64)
def _waits_over_time(filters: Filters, first: bool) -> Statement[_Piece]:
    wanted: list[sa.ColumnElement[bool]] = [thread.c.waited_since.is_not(None)]
    if first:
        wanted.append(thread.c.first_reply == _number(1))
    return _of_replies(filters, _sum(_WAITED), *wanted)


@lru_cache(maxsize=64)
def _replies_over_time(filters: Filters) -> Statement[_Piece]:
    return _of_replies(filters, _number(0).label("seconds"))


def _of_replies(filters: Filters, seconds: sa.ColumnElement[int], *wanted: sa.ColumnElement[bool]) -> Statement[_Piece]:
    piece, t = series.pieces(), thread.c
    wanted_threads = sa.and_(series.inside(t.created_at, piece), *replied(filters), *wanted)
    joined = in_order(for_each(piece, thread, wanted_threads), conversation, _IN_CONVERSATION)
    return _grouped(piece, seconds, joined, *conditions(filters))


@lru_cache(maxsize=64)
def _resolutions_over_time(filters: Filters) -> Statement[_Piece]:
    piece, c = series.pieces(), conversation.c
    joined = for_each(piece, conversation, sa.and_(series.inside(c.closed_at, piece), *_closed(filters)))
    return _grouped(piece, _sum(_TOOK_AT_LEAST_NONE), joined, c.replies > _number(0))


def _grouped(
    piece: sa.TableValuedAlias,
    seconds: sa.ColumnElement[int],
    joined: sa.Join,
    *wanted: sa.ColumnElement[bool],
) -> Statement[_Piece]:
    counted = sa.select(piece.c.since.label("since"), sa.func.count().label("n"), seconds).select_from(joined)
    return rows(_Piece, counted.where(*wanted).group_by(piece.c.since), keep=False)
