"""In which hours of the week conversations begin."""

from __future__ import annotations

from deskhand.catalogue.reports import AskCompared
from deskhand.catalogue.reports_conversations import BusyTime
from deskhand.db.engine import Reader
from deskhand.desk.call import Actor
from deskhand.desk.reports import activity, hours
from deskhand.desk.reports.selecting import select, spans


def report(db: Reader, actor: Actor, query: AskCompared) -> list[BusyTime]:
    """The hours in which any began, in order; raises BadRequest for a span or a filter that makes no sense."""
    (span, _), selection = spans(query), select(actor, query)
    week = hours.by_week(activity.quarters(db, selection, span), hours.zone(actor.policy.timezone))
    return [BusyTime(day=day, hour=hour, count=n) for (day, hour), n in sorted(week.items())]
