"""The conversations report, put together from its counts."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from deskhand.catalogue.reports import (
    UNTAGGED,
    AskReport,
    ConversationDeltas,
    ConversationNumbers,
    ConversationsReport,
    Top,
    TopItem,
)
from deskhand.db.engine import Reader
from deskhand.desk.call import Actor
from deskhand.desk.reports import activity, hours, names, office
from deskhand.desk.reports.activity import Activity, Frequency
from deskhand.desk.reports.names import Named
from deskhand.desk.reports.numbers import change, per_day, percent
from deskhand.desk.reports.selecting import Selection, Span, select, spans


def report(db: Reader, actor: Actor, query: AskReport) -> ConversationsReport:
    """The whole report; raises BadRequest for a span or a filter that makes no sense."""
    (span, earlier), selection, account_id = spans(query), select(actor, query), actor.account_id
    now = activity.count(db, selection, span)
    before = activity.count(db, selection, earlier, now.customers.top()) if earlier else None
    week = _week(db, actor, selection, span, query.office_hours)
    busy = hours.busy_time(week)
    current = _numbers(now, span)
    previous = _numbers(before, earlier) if before and earlier else UNSET
    tags = names.tags(db, actor)
    return ConversationsReport(
        filter_tags=tags,
        busiest_day=hours.busiest_day(week),
        busy_time_start=busy[0] if busy else None,
        busy_time_end=busy[1] if busy else None,
        current=current,
        previous=previous,
        deltas=_deltas(current, previous) if previous else UNSET,
        tags=_top("tags", now, before, {tag.id: Named(tag.id, tag.name) for tag in tags}),
        customers=_top("customers", now, before, names.customers(db, account_id, now.customers.top())),
        replies=_top("replies", now, before, names.replies(db, account_id, now.replies.top())),
        workflows=_top("workflows", now, before, names.workflows(db, account_id, now.workflows.top())),
    )


def _week(db: Reader, actor: Actor, selection: Selection, span: Span, in_office: bool) -> hours.Week:
    """When conversations began.

    Office hours leave out no conversation: they only say where the busiest time is looked for.
    Source: https://docs.helpscout.com/article/46-reporting (office hours)
    """
    opening = office.kept(db, actor) if in_office else None
    return hours.by_week(activity.quarters(db, selection, span), hours.zone(actor.policy.timezone), opening)


def _numbers(of: Activity, span: Span) -> ConversationNumbers:
    return ConversationNumbers(
        start_date=span.start,
        end_date=span.end,
        total_conversations=of.conversations,
        conversations_created=of.began,
        new_conversations=of.began,
        customers=of.distinct_customers,
        conversations_per_day=per_day(of.conversations, span.start, span.end),
    )


def _deltas(now: ConversationNumbers, before: ConversationNumbers) -> ConversationDeltas:
    return ConversationDeltas(
        new_conversations=change(now.new_conversations, before.new_conversations),
        total_conversations=change(now.total_conversations, before.total_conversations),
        customers=change(now.customers, before.customers),
        conversations_created=change(now.conversations_created, before.conversations_created),
        conversations_per_day=change(now.conversations_per_day, before.conversations_per_day),
    )


def _top(kind: str, now: Activity, before: Activity | None, called: Mapping[int, Named]) -> Top:
    frequency = _with_untagged(kind, now)
    earlier = _with_untagged(kind, before) if before else None
    found = []
    for id in frequency.top():
        n, name = frequency.each[id], called.get(id)
        item = TopItem(id=id, count=n, percent=percent(n, now.conversations))
        if name is not None:
            item.name, item.mailbox_id = name.name, name.inbox_id or UNSET
        if before and earlier:
            item.previous_count = earlier.each.get(id, 0)
            item.previous_percent = percent(item.previous_count, before.conversations)
            item.delta_percent = item.percent - item.previous_percent
        found.append(item)
    return Top(count=frequency.any, top=found)


def _with_untagged(kind: str, of: Activity) -> Frequency:
    """Conversations without a tag stand among the tags, but are not in their number. Source: the public sample."""
    found: Frequency = getattr(of, kind)
    without = of.conversations - found.any
    if kind != "tags" or not without:
        return found
    return Frequency(found.any, found.each | {UNTAGGED: without})
