"""The company report: what the staff did, together and one by one; and the conversations behind its numbers."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.catalogue.reports import AskCompared
from deskhand.catalogue.reports_conversations import Drilldown
from deskhand.catalogue.reports_productivity import (
    AskCompanyDrilldown,
    CompanyDeltas,
    CompanyNumbers,
    CompanyReport,
    CompanyUser,
)
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_from, seconds_between
from deskhand.db.statements import P
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.reports import drilldown, names, work
from deskhand.desk.reports.drilldown import Source
from deskhand.desk.reports.numbers import changes, whole_days
from deskhand.desk.reports.productivity import UNMEASURED
from deskhand.desk.reports.scores import scores
from deskhand.desk.reports.selecting import (
    Filters,
    Selection,
    Span,
    conditions,
    replied,
    select,
    span_of,
    spans,
    within,
)
from deskhand.desk.reports.work import Closed, Helped, together
from deskhand.desk.users import queries as users

_NONE = Helped(0, 0, 0, 0)
_LONGEST = 2**62


class _Done(msgspec.Struct, frozen=True):
    span: Span
    by_user: dict[int, Helped]
    closed: Closed
    scores: dict[int, float]


def report(db: Reader, actor: Actor, query: AskCompared) -> CompanyReport:
    """The whole report; raises BadRequest for a span or a filter that makes no sense."""
    (span, earlier), selection = spans(query), select(actor, query)
    now = _done(db, selection, span)
    before = _done(db, selection, earlier) if earlier else None
    current, previous = _numbers(now), _numbers(before) if before else UNSET
    return CompanyReport(
        filter_tags=names.tags(db, actor),
        current=current,
        previous=previous,
        deltas=changes(CompanyDeltas, current, previous) if previous else UNSET,
        users=_users(db, actor, now, before),
    )


def _done(db: Reader, selection: Selection, span: Span) -> _Done:
    return _Done(
        span,
        work.helped(db, selection, span),
        work.closed(db, selection, span, None),
        scores(db, selection, span),
    )


def _numbers(of: _Done) -> CompanyNumbers:
    everybody, replied_by = of.by_user.get(0, _NONE), len(of.by_user.keys() - {0})
    days = whole_days(of.span.start, of.span.end)
    divisor = max(1, days)  # less than a day counts as one
    return CompanyNumbers(
        start_date=of.span.start,
        end_date=of.span.end,
        customers_helped=everybody.customers,
        closed=of.closed.closed,
        total_replies=everybody.replies,
        total_users=replied_by,
        total_days=days,
        replies_per_day_per_user=everybody.replies / (divisor * replied_by) if replied_by else 0.0,
        replies_per_day=everybody.replies / divisor,
        resolved_per_day=together(of.closed.resolved).n / divisor,
    )


def _users(db: Reader, actor: Actor, now: _Done, before: _Done | None) -> list[CompanyUser]:
    """Those who replied in the span, those with most replies first."""
    ids = sorted(now.by_user.keys() - {0}, key=lambda id: (-now.by_user[id].replies, id))
    people = users.people(db, actor.account_id, ids)
    found = []
    for id in ids:
        who, of = people.get(id), now.by_user[id]
        one = CompanyUser(
            user=str(id),
            name=names.person(who.first, who.last, who.email) if who else "",
            customers_helped=of.customers,
            replies=of.replies,
            happiness_score=now.scores.get(id, 0.0),
            handle_time=UNMEASURED,
        )
        if before is not None:
            was = before.by_user.get(id, _NONE)
            one.previous_customers_helped, one.previous_replies = was.customers, was.replies
            one.previous_happiness_score, one.previous_handle_time = before.scores.get(id, 0.0), UNMEASURED
        found.append(one)
    return found


# -- Drilldown


def listed(db: Reader, actor: Actor, query: AskCompanyDrilldown) -> Drilldown:
    """The conversations behind a number; raises BadRequest as the report does, and for a range without its name."""
    source, given = _source(query.range, query.range_id)
    return drilldown.page(db, actor, source, select(actor, query), span_of(query), query, **given)


def _source(name: str | None, id: int | None) -> tuple[Source, dict[str, Any]]:
    """Which conversations a range has, and from how many replies or seconds until below how many."""
    if name is None:
        if id is not None:
            raise _fault("goes with a range", id)
        return _replied, {}
    if name == "handleTime":
        return _unmeasured, {}
    if name in ("responseTime", "firstResponseTime"):
        bounds = (0, *work.BOUNDS, _LONGEST)
        return _waited if name == "responseTime" else _waited_first, _between(bounds, id)
    if name == "firstReplyResolved":
        return _resolved, {"least": 1, "below": 2}
    bounds = (*range(1, work.MOST_REPLIES + 1), _LONGEST)
    return _resolved, _between(bounds, id if name == "replies" else None)


def _between(bounds: tuple[int, ...], id: int | None) -> dict[str, Any]:
    if id is None:
        return {"least": bounds[0], "below": bounds[-1]}
    if not 1 <= id < len(bounds):
        raise _fault(f"must be from 1 to {len(bounds) - 1}", id)
    return {"least": bounds[id - 1], "below": bounds[id]}


def _fault(text: str, id: int) -> BadRequest:
    return BadRequest(FieldError("rangeId", text, "Range", id, "QUERY"))


def _of_replies(filters: Filters, name: str, *wanted: sa.ColumnElement[bool]) -> sa.CTE:
    ids = sa.select(thread.c.conversation_id).where(within(thread.c.created_at), *replied(filters), *wanted)
    return sa.select(conversation.c.id).where(ids_from(conversation.c.id, ids), *conditions(filters)).cte(name)


def _replied(filters: Filters) -> sa.CTE:
    return _of_replies(filters, "replied")


def _inside(number: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(number >= P("least", sa.BigInteger), number < P("below", sa.BigInteger))


_WAITED = _inside(seconds_between(thread.c.waited_since, thread.c.created_at))


def _waited(filters: Filters) -> sa.CTE:
    return _of_replies(filters, "waited", _WAITED)


def _waited_first(filters: Filters) -> sa.CTE:
    return _of_replies(filters, "waited", _WAITED, thread.c.first_reply == sa.literal_column("1"))


def _resolved(filters: Filters) -> sa.CTE:
    chosen = sa.select(conversation.c.id).where(*work.closed_in_span(filters), _inside(conversation.c.replies))
    return chosen.cte("resolved")


def _unmeasured(filters: Filters) -> sa.CTE:
    chosen = sa.select(conversation.c.id).where(conversation.c.account_id == P("account_id"), sa.false())
    return chosen.cte("unmeasured")
