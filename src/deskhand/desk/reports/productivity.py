"""The productivity report: how quickly customers were answered, and how conversations were resolved."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import UNSET, UnsetType

from deskhand.catalogue.reports import AskReport, AskSeries, AskUserSeries
from deskhand.catalogue.reports_productivity import (
    AskTimes,
    DateReplies,
    DateResolved,
    DateTime,
    ProductivityDeltas,
    ProductivityNumbers,
    ProductivityReport,
    RepliesRange,
    RepliesReport,
    RepliesToResolve,
    ResolvedReport,
    TimeRange,
    Times,
    TimesReport,
)
from deskhand.db.engine import Reader
from deskhand.desk.call import Actor
from deskhand.desk.reports import names, work
from deskhand.desk.reports.numbers import changes, percent
from deskhand.desk.reports.office import Office, office
from deskhand.desk.reports.people import workers, working
from deskhand.desk.reports.selecting import Selection, Span, select, spans
from deskhand.desk.reports.series import Pieces, series
from deskhand.desk.reports.work import Closed, Replies, together

UNMEASURED = 0.0
"""Every handle time: nobody measures them."""


class Work(msgspec.Struct, frozen=True):
    """What was done in a span."""

    span: Span
    conversations: int
    replies: Replies
    closed: Closed


def report(db: Reader, actor: Actor, query: AskReport) -> ProductivityReport:
    """The whole report; raises BadRequest for a span or a filter that makes no sense."""
    (span, earlier), selection = spans(query), select(actor, query)
    by = office(db, actor, query.office_hours)
    now = done(db, selection, span, by)
    before = done(db, selection, earlier, by) if earlier else None
    current, previous = numbers(now), numbers(before) if before else UNSET
    return ProductivityReport(
        filter_tags=names.tags(db, actor),
        current=current,
        previous=previous,
        deltas=changes(ProductivityDeltas, current, previous) if previous else UNSET,
        response_time=_times(now.replies.waits, before.replies.waits if before else None),
        handle_time=Times(count=0, previous_count=0 if before else UNSET, ranges=[]),
        first_response_time=_times(now.replies.first_waits, before.replies.first_waits if before else None),
        replies_to_resolve=_replies_to_resolve(now.closed, before.closed if before else None),
    )


def done(db: Reader, selection: Selection, span: Span, by: Office | None) -> Work:
    """Count what was done in a span."""
    return Work(
        span,
        work.conversations(db, selection, span),
        work.replies(db, selection, span, by),
        work.closed(db, selection, span, by),
    )


def numbers(of: Work) -> ProductivityNumbers:
    """The numbers that several reports tell."""
    resolved, at_once = together(of.closed.resolved), of.closed.resolved.get(1, work.Times())
    return ProductivityNumbers(
        start_date=of.span.start,
        end_date=of.span.end,
        total_conversations=of.conversations,
        resolution_time=resolved.average,
        replies_to_resolve=of.closed.replies / resolved.n if resolved.n else None,
        response_time=together(of.replies.waits).average,
        first_response_time=together(of.replies.first_waits).average,
        resolved=resolved.n,
        resolved_on_first_reply=at_once.n,
        closed=of.closed.closed,
        replies_sent=of.replies.sent,
        handle_time=UNMEASURED,
        percent_resolved_on_first_reply=percent(at_once.n, resolved.n),
    )


def _times(now: dict[int, work.Times], before: dict[int, work.Times] | None) -> Times:
    all_now, all_before = together(now).n, together(before).n if before is not None else 0
    ranges = []
    for id in range(1, len(work.BOUNDS) + 2):
        n = now[id].n if id in now else 0
        one = TimeRange(id=id, count=n, percent=percent(n, all_now))
        if before is not None:
            one.previous_count = before[id].n if id in before else 0
            one.previous_percent = percent(one.previous_count, all_before)
        ranges.append(one)
    return Times(count=all_now, previous_count=UNSET if before is None else all_before, ranges=ranges)


def _replies_to_resolve(now: Closed, before: Closed | None) -> RepliesToResolve:
    all_now, all_before = together(now.resolved).n, together(before.resolved).n if before else 0
    ranges = []
    for id in range(1, work.MOST_REPLIES + 1):
        of = now.resolved.get(id, work.Times())
        one = RepliesRange(id=id, count=of.n, percent=percent(of.n, all_now), resolution_time=of.average)
        if before is not None:
            one.previous_count = before.resolved.get(id, work.Times()).n
            one.previous_percent = percent(one.previous_count, all_before)
        ranges.append(one)
    return RepliesToResolve(count=all_now, previous_count=UNSET if before is None else all_before, ranges=ranges)


# -- By day, week or month


def response_times(db: Reader, actor: Actor, query: AskTimes, *, first: bool) -> TimesReport:
    """How long customers waited for replies, or for first ones; raises BadRequest as `series` does."""
    selection, by = select(actor, query), office(db, actor, query.office_hours)
    return _times_over_time(
        actor, query, lambda span, pieces: work.waits_over_time(db, selection, span, pieces, by, first=first)
    )


def resolution_times(db: Reader, actor: Actor, query: AskTimes) -> TimesReport:
    """How long it took to resolve conversations; raises BadRequest as `series` does."""
    selection, by = select(actor, query), office(db, actor, query.office_hours)
    return _times_over_time(
        actor, query, lambda span, pieces: work.resolutions_over_time(db, selection, span, pieces, by)
    )


def replies_sent(db: Reader, actor: Actor, query: AskSeries) -> RepliesReport:
    """How many replies were sent, by a user where one is named; raises BadRequest as `series` does."""
    selection = _selection(db, actor, query)

    def counted(span: Span, pieces: Pieces) -> list[DateReplies]:
        found = work.replies_over_time(db, selection, span, pieces)
        return [DateReplies(date=date, replies=n) for date, n in zip(pieces.starts, found, strict=True)]

    now, before = series(actor, query)
    return RepliesReport(current=counted(*now), previous=counted(*before) if before else UNSET)


def resolved(db: Reader, actor: Actor, query: AskSeries) -> ResolvedReport:
    """How many conversations were resolved, by a user where one is named; raises BadRequest as `series` does."""
    selection = _selection(db, actor, query)

    def counted(span: Span, pieces: Pieces) -> list[DateResolved]:
        found = work.resolutions_over_time(db, selection, span, pieces, None)
        return [DateResolved(date=date, resolved=one.n) for date, one in zip(pieces.starts, found, strict=True)]

    now, before = series(actor, query)
    return ResolvedReport(current=counted(*now), previous=counted(*before) if before else UNSET)


def _selection(db: Reader, actor: Actor, query: AskSeries) -> Selection:
    selection = select(actor, query)
    if isinstance(query, AskUserSeries):
        return working(selection, workers(db, actor, query.user))
    return selection


def _times_over_time(actor: Actor, query: AskTimes, count: Callable[[Span, Pieces], list[work.Times]]) -> TimesReport:
    def averages(span: Span, pieces: Pieces) -> list[DateTime]:
        found = count(span, pieces)
        return [DateTime(date=date, time=one.average) for date, one in zip(pieces.starts, found, strict=True)]

    now, before = series(actor, query)
    previous: list[DateTime] | UnsetType = averages(*before) if before else UNSET
    return TimesReport(current=averages(*now), previous=previous)
