"""The conversations that a user replied to, one by one: how often, how quickly, and how long each took."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.reports_productivity import AskUserHistory, HistoryCustomer, HistoryItem, HistoryReport
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, Statement, rows
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.customers.tables import customer
from deskhand.desk.reports.names import person
from deskhand.desk.reports.office import Office, office
from deskhand.desk.reports.people import workers, working
from deskhand.desk.reports.productivity import UNMEASURED
from deskhand.desk.reports.selecting import Filters, select, span_of, spans
from deskhand.desk.reports.work import Times, replied_in_span, since_1970

PAGE_SIZE = 25
"""Conversations on a page. Source: our choice; the reports that tell a size begin with 25."""


class _Reply(msgspec.Struct, frozen=True):
    """A reply in the span, and of its conversation what it is found and sorted by."""

    id: int
    number: int
    status: str
    since: int | None
    at: int
    began: int
    closed: int | None
    replies: int


class _Detail(msgspec.Struct, frozen=True):
    id: int
    customer_id: int
    first: str | None
    last: str | None
    email: str | None
    since: int | None
    at: int | None


_DETAILS = rows(
    _Detail,
    sa.select(
        conversation.c.id,
        conversation.c.customer_id,
        customer.c.first_name.label("first"),
        customer.c.last_name.label("last"),
        customer.c.email,
        since_1970(thread.c.waited_since).label("since"),
        since_1970(thread.c.created_at).label("at"),
    )
    .select_from(conversation)
    .outerjoin(customer, customer.c.id == conversation.c.customer_id)
    .outerjoin(
        thread,
        sa.and_(thread.c.conversation_id == conversation.c.id, thread.c.first_reply == sa.literal_column("1")),
    )
    .where(conversation.c.account_id == P("account_id"), ids_in(conversation.c.id, P("ids", sa.Text))),
)


class _Case(msgspec.Struct, frozen=True):
    """A conversation with its numbers."""

    id: int
    number: int
    status: str
    replies_sent: int
    response_time: float | None
    resolve_time: float | None


def report(db: Reader, actor: Actor, query: AskUserHistory) -> HistoryReport:
    """One page; raises BadRequest for a span, a filter or a user that makes no sense."""
    spans(query)  # what is compared has no place in the answer, but must make sense
    selection = working(select(actor, query), workers(db, actor, query.user))
    by = office(db, actor, query.office_hours)
    found = db.all(
        _replies(selection.filters, query.status is not None),
        **selection.parameters(span_of(query)),
        status=query.status,
    )
    cases = _sorted(_cases(found, by), query.sort_field, query.sort_order.upper() == "DESC")
    shown = cases[(query.page - 1) * PAGE_SIZE : query.page * PAGE_SIZE]
    return HistoryReport(
        results=_items(db, actor, shown, by), page=query.page, count=len(cases), pages=-(-len(cases) // PAGE_SIZE)
    )


def _cases(found: list[_Reply], by: Office | None) -> list[_Case]:
    if by is not None and found:
        starts = [one.began if one.since is None else min(one.since, one.began) for one in found]
        by.cover(min(starts), max(max(one.at, one.closed or one.at) for one in found))
    replies: dict[int, list[_Reply]] = defaultdict(list)
    for one in found:
        replies[one.id].append(one)
    return [_case(of, by) for of in replies.values()]


def _case(of: list[_Reply], by: Office | None) -> _Case:
    one, waits = of[0], Times()
    for reply in of:
        if reply.since is not None:
            waits = waits.plus(1, _between(reply.since, reply.at, by))
    resolved = one.closed is not None and one.replies > 0
    took = _between(one.began, one.closed or 0, by) if resolved else None
    return _Case(one.id, one.number, one.status, len(of), waits.average, None if took is None else float(took))


def _between(since: int, at: int, by: Office | None) -> int:
    return max(0, at - since) if by is None else by.between(since, at)


def _sorted(cases: list[_Case], field: str, down: bool) -> list[_Case]:
    """By a number, then by id; conversations without that number stand at the end either way."""
    name = {"repliesSent": "replies_sent", "responseTime": "response_time", "resolveTime": "resolve_time"}.get(
        field, "number"
    )
    keyed = [(getattr(one, name), one.id, one) for one in cases]
    with_number = sorted((key for key in keyed if key[0] is not None), key=lambda key: key[:2], reverse=down)
    without = sorted((key for key in keyed if key[0] is None), key=lambda key: key[1], reverse=down)
    return [one for *_, one in (*with_number, *without)]


def _items(db: Reader, actor: Actor, cases: list[_Case], by: Office | None) -> list[HistoryItem]:
    ids = msgspec.json.encode([one.id for one in cases]).decode()
    details = {one.id: one for one in db.all(_DETAILS, account_id=actor.account_id, ids=ids)} if cases else {}
    firsts = [one for one in details.values() if one.since is not None]
    if by is not None and firsts:
        by.cover(min(one.since or 0 for one in firsts), max(one.at or 0 for one in firsts))
    items = []
    for case in cases:
        of = details[case.id]
        first = None if of.since is None or of.at is None else float(_between(of.since, of.at, by))
        items.append(
            HistoryItem(
                id=case.id,
                number=case.number,
                status=case.status,
                customers=[HistoryCustomer(id=of.customer_id, name=person(of.first, of.last, of.email))],
                avg_handle_time=UNMEASURED,
                first_response_time=first,
                replies_sent=case.replies_sent,
                response_time=case.response_time,
                resolve_time=case.resolve_time,
            )
        )
    return items


@lru_cache(maxsize=128)
def _replies(filters: Filters, one_status: bool) -> Statement[_Reply]:
    c, t = conversation.c, thread.c
    wanted: list[sa.ColumnElement[Any]] = [*replied_in_span(filters)]
    if one_status:
        wanted.append(c.status == P("status"))
    each = sa.select(
        c.id,
        c.number,
        c.status,
        since_1970(t.waited_since).label("since"),
        since_1970(t.created_at).label("at"),
        since_1970(c.created_at).label("began"),
        since_1970(c.closed_at).label("closed"),
        c.replies,
    )
    return rows(
        _Reply, each.select_from(thread.join(conversation, c.id == t.conversation_id)).where(*wanted), keep=False
    )
