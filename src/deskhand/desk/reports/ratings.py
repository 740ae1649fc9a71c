"""The happiness report's ratings one by one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.reports import AskRatings, Facets, RatingResult, RatingsReport
from deskhand.db.engine import Reader
from deskhand.db.statements import P, Statement, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.customers.tables import customer
from deskhand.desk.ratings.tables import rating
from deskhand.desk.reports.happiness import OPINIONS, given_in_span
from deskhand.desk.reports.names import person
from deskhand.desk.reports.people import Workers, working
from deskhand.desk.reports.selecting import Filters, select, spans
from deskhand.desk.users.tables import staff

PAGE_SIZE = 25
"""Ratings on a page. Source: our choice; the reports that tell a size begin with 25."""
_FARTHEST = 2**31
_OPINION_OF = {"great": "great", "ok": "okay", "not-good": "not_good"}


class _Row(msgspec.Struct, frozen=True):
    number: int
    thread_id: int
    thread_created_at: str | None
    conversation_id: int
    type: str
    rating: str
    customer_id: int
    comments: str
    created_at: str
    user_id: int
    customer_first: str | None
    customer_last: str | None
    customer_email: str | None
    user_first: str | None
    user_last: str | None
    user_email: str | None


def report(db: Reader, actor: Actor, query: AskRatings, of: Workers | None = None) -> RatingsReport:
    """One page, or one of some users' ratings; raises BadRequest for a span or a filter that makes no sense."""
    (span, _), selection = spans(query), select(actor, query)
    if of is not None:
        selection = working(selection, of)
    sort = query.sort_field or query.sort_field_ratings or "modifiedAt"
    opinion = _OPINION_OF.get(query.rating)
    page, count = _statements(selection.filters, sort, query.sort_order.upper() == "DESC", opinion is not None)
    given = selection.parameters(span) | {"opinion": opinion}
    start = min((query.page - 1) * PAGE_SIZE, _FARTHEST)
    total = db.first(count, **given)
    found = db.all(page, **given, size=PAGE_SIZE, start_at=start)
    return RatingsReport(
        facets=Facets(),
        results=[_result(row) for row in found],
        page=query.page,
        count=total,
        pages=-(-total // PAGE_SIZE),
    )


def _result(row: _Row) -> RatingResult:
    return RatingResult(
        number=row.number,
        thread_id=row.thread_id,
        thread_created_at=row.thread_created_at or row.created_at,
        id=row.conversation_id,
        type=row.type,
        rating_id=OPINIONS.index(row.rating) + 1,
        rating_customer_id=row.customer_id,
        rating_comments=row.comments,
        rating_created_at=row.created_at,
        rating_customer_name=person(row.customer_first, row.customer_last, row.customer_email),
        rating_user_id=row.user_id,
        rating_user_name=person(row.user_first, row.user_last, row.user_email),
    )


@lru_cache(maxsize=256)
def _statements(filters: Filters, sort: str, down: bool, one: bool) -> tuple[Statement[_Row], Statement[int]]:
    wanted = given_in_span(filters)
    if one:
        wanted.append(rating.c.rating == P("opinion"))
    column = {"number": conversation.c.number, "modifiedAt": rating.c.modified_at, "rating": _number()}[sort]
    order = (column.desc(), rating.c.id.desc()) if down else (column.asc(), rating.c.id.asc())
    count = sa.select(sa.func.count()).select_from(rating).join(
        conversation, conversation.c.id == rating.c.conversation_id
    )  # fmt: skip
    page = (
        _shown().where(*wanted).order_by(*order).limit(P("size", sa.Integer)).offset(P("start_at", sa.BigInteger))
    )  # fmt: skip
    return rows(_Row, page, keep=False), value(int, count.where(*wanted), keep=False)


def _number() -> sa.ColumnElement[int]:
    """The opinion's number, by which they are sorted: great comes first."""
    return sa.case(
        *(
            (rating.c.rating == sa.literal_column(f"'{opinion}'"), sa.literal_column(str(number), sa.Integer))
            for number, opinion in enumerate(OPINIONS)
        )
    )


def _shown() -> sa.Select[Any]:
    return (
        sa.select(
            conversation.c.number,
            rating.c.thread_id,
            thread.c.created_at.label("thread_created_at"),
            rating.c.conversation_id,
            conversation.c.type,
            rating.c.rating,
            rating.c.customer_id,
            rating.c.comments,
            rating.c.created_at,
            rating.c.user_id,
            customer.c.first_name.label("customer_first"),
            customer.c.last_name.label("customer_last"),
            customer.c.email.label("customer_email"),
            staff.c.first_name.label("user_first"),
            staff.c.last_name.label("user_last"),
            staff.c.email.label("user_email"),
        )
        .select_from(rating)
        .join(conversation, conversation.c.id == rating.c.conversation_id)
        .outerjoin(thread, thread.c.id == rating.c.thread_id)
        .outerjoin(customer, customer.c.id == rating.c.customer_id)
        .outerjoin(staff, staff.c.id == rating.c.user_id)
    )
