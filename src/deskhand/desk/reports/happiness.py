"""The happiness report: how customers rated replies, in numbers.

Its customers are those of the conversations report, and whoever gave a rating; of a user's report those who got a reply
from the user, and whoever rated one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from msgspec import UNSET

from deskhand.catalogue.reports import AskCompared, HappinessDeltas, HappinessNumbers, HappinessReport
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, Statement, rows
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.ratings.tables import rating
from deskhand.desk.reports import names
from deskhand.desk.reports.activity import Count
from deskhand.desk.reports.numbers import change, percent
from deskhand.desk.reports.people import Workers, working
from deskhand.desk.reports.selecting import (
    Filters,
    Selection,
    Span,
    active,
    answered,
    conditions,
    select,
    spans,
    within,
)

OPINIONS = ("great", "okay", "not_good")
"""In the order of their numbers, which begin at 1. Source: reports/happiness/reports-happiness-ratings."""


def report(db: Reader, actor: Actor, query: AskCompared, of: Workers | None = None) -> HappinessReport:
    """The whole report, or that of some users; raises BadRequest for a span or a filter that makes no sense."""
    (span, earlier), selection = spans(query), select(actor, query)
    if of is not None:
        selection = working(selection, of)
    current = _numbers(db, selection, span)
    previous = _numbers(db, selection, earlier) if earlier else UNSET
    return HappinessReport(
        filter_tags=names.tags(db, actor),
        current=current,
        previous=previous,
        deltas=_deltas(current, previous) if previous else UNSET,
    )


def given_in_span(filters: Filters) -> list[sa.ColumnElement[bool]]:
    """Ratings of the span, of some users where those are asked for, in reported conversations, which must be joined."""
    return [
        rating.c.account_id == P("account_id"),
        within(rating.c.created_at),
        rating.c.rating != sa.literal_column("'unknown'"),
        *([ids_in(rating.c.user_id, P("users", sa.Text))] if "users" in filters else []),
        *conditions(filters),
    ]


def _numbers(db: Reader, selection: Selection, span: Span) -> HappinessNumbers:
    found = {one.kind: one.n for one in db.all(_counts(selection.filters), **selection.parameters(span))}
    great, okay, not_good = (found.get(opinion, 0) for opinion in OPINIONS)
    ratings = great + okay + not_good
    return HappinessNumbers(
        great=percent(great, ratings),
        okay=percent(okay, ratings),
        not_good=percent(not_good, ratings),
        great_count=great,
        okay_count=okay,
        not_good_count=not_good,
        ratings_count=ratings,
        total_customers=found["customers"],
        total_customers_with_ratings=found["raters"],
        ratings_percent=percent(found["raters"], found["customers"]),
        happiness_score=percent(great, ratings) - percent(not_good, ratings),
    )


def _deltas(now: HappinessNumbers, before: HappinessNumbers) -> HappinessDeltas:
    return HappinessDeltas(
        great=now.great - before.great,
        okay=now.okay - before.okay,
        not_good=now.not_good - before.not_good,
        great_count=change(now.great_count, before.great_count),
        okay_count=change(now.okay_count, before.okay_count),
        not_good_count=change(now.not_good_count, before.not_good_count),
        happiness_score=now.happiness_score - before.happiness_score,
    )


@lru_cache(maxsize=64)
def _counts(filters: Filters) -> Statement[Count]:
    rated = (
        sa.select(rating.c.rating, rating.c.customer_id)
        .join(conversation, conversation.c.id == rating.c.conversation_id)
        .where(*given_in_span(filters))
        .cte("rated")
    )
    seen = answered(filters) if "users" in filters else active(filters)
    everybody = sa.union(sa.select(seen.c.customer_id), sa.select(rated.c.customer_id)).subquery("everybody")
    zero: sa.ColumnElement[Any] = sa.literal_column("0").label("key")
    counted = sa.union_all(
        sa.select(rated.c.rating.label("kind"), zero, sa.func.count().label("n")).group_by(rated.c.rating),
        sa.select(sa.literal_column("'raters'"), zero, sa.func.count(rated.c.customer_id.distinct())),
        sa.select(sa.literal_column("'customers'"), zero, sa.func.count()).select_from(everybody),
    )
    return rows(Count, counted, keep=False)
