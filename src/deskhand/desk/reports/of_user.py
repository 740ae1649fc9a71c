"""The report of a user, or of the members of a team together."""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa
from msgspec import UNSET

from deskhand.catalogue.reports_productivity import AskUserReport, ReportedUser, UserDeltas, UserNumbers, UserReport
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, Statement, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.reports import hours, names, work
from deskhand.desk.reports.numbers import changes, percent, whole_days
from deskhand.desk.reports.office import Office, office
from deskhand.desk.reports.people import Workers, workers, working
from deskhand.desk.reports.productivity import UNMEASURED
from deskhand.desk.reports.scores import scores
from deskhand.desk.reports.selecting import Filters, Selection, Span, began, conditions, select, spans
from deskhand.desk.reports.work import Helped, together

_NONE = Helped(0, 0, 0, 0)


def report(db: Reader, actor: Actor, query: AskUserReport) -> UserReport:
    """The whole report; raises BadRequest for a span, a filter or a user that makes no sense."""
    (span, earlier), who = spans(query), workers(db, actor, query.user)
    selection, by = working(select(actor, query), who), office(db, actor, query.office_hours)
    current = _numbers(db, actor, selection, span, by)
    previous = _numbers(db, actor, selection, earlier, by) if earlier else UNSET
    deltas = changes(UserDeltas, current, previous) if previous else UNSET
    if deltas and previous:
        deltas.happiness_score = current.happiness_score - previous.happiness_score
    return UserReport(
        filter_tags=names.tags(db, actor),
        user=_user(who, current.customers_helped),
        current=current,
        previous=previous,
        deltas=deltas,
    )


def _user(who: Workers, customers_helped: int) -> ReportedUser:
    row = who.row
    return ReportedUser(
        id=row.id,
        name=names.person(row.first_name, row.last_name, row.email),
        has_photo=bool(row.photo_url),
        photo_url=row.photo_url,
        created_at=row.created_at,
        total_customers_helped=customers_helped,
    )


def _numbers(db: Reader, actor: Actor, selection: Selection, span: Span, by: Office | None) -> UserNumbers:
    replies = work.replies(db, selection, span, by)
    closed = work.closed(db, selection, span, by)
    helped = work.helped(db, selection, span).get(0, _NONE)
    week = hours.by_week(work.reply_quarters(db, selection, span), hours.zone(actor.policy.timezone))
    busiest = hours.busiest_day(week)
    days = whole_days(span.start, span.end)
    divisor = max(1, days)  # less than a day counts as one
    resolved, at_once = together(closed.resolved), closed.resolved.get(1, work.Times())
    return UserNumbers(
        start_date=span.start,
        end_date=span.end,
        total_days=days,
        resolved=resolved.n,
        conversations_created=db.first(_created(selection.filters), **selection.parameters(span)),
        closed=closed.closed,
        total_replies=replies.sent,
        resolved_on_first_reply=at_once.n,
        percent_resolved_on_first_reply=percent(at_once.n, resolved.n),
        replies_to_resolve=closed.replies / resolved.n if resolved.n else None,
        handle_time=UNMEASURED,
        happiness_score=scores(db, selection, span).get(0, 0.0),
        response_time=together(replies.waits).average,
        resolution_time=resolved.average,
        replies_per_day=replies.sent / divisor,
        customers_helped=helped.customers,
        total_conversations=helped.conversations,
        conversations_per_day=helped.conversations / divisor,
        busiest_day=busiest.day if busiest else None,
    )


@lru_cache(maxsize=64)
def _created(filters: Filters) -> Statement[int]:
    c = conversation.c
    by_users = (c.created_by_type == sa.literal_column("'user'"), ids_in(c.created_by_id, P("users", sa.Text)))
    counted = sa.select(sa.func.count()).select_from(conversation).where(*began(), *conditions(filters), *by_users)
    return value(int, counted, keep=False)
