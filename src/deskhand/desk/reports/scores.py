"""How content the customers of each user were."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import Statement, rows
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.ratings.tables import rating
from deskhand.desk.reports.happiness import given_in_span
from deskhand.desk.reports.numbers import percent
from deskhand.desk.reports.selecting import Filters, Selection, Span


class _Opinions(msgspec.Struct, frozen=True):
    user_id: int
    rating: str
    n: int


def scores(db: Reader, selection: Selection, span: Span) -> dict[int, float]:
    """The happiness score of each user who was rated, from -100 to 100, and under 0 that of all together."""
    found: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in db.all(_opinions(selection.filters), **selection.parameters(span)):
        for user_id in (one.user_id, 0):
            found[user_id][one.rating] += one.n
    return {user_id: _score(of) for user_id, of in found.items()}


def _score(of: dict[str, int]) -> float:
    ratings = sum(of.values())
    return percent(of["great"], ratings) - percent(of["not_good"], ratings)


@lru_cache(maxsize=64)
def _opinions(filters: Filters) -> Statement[_Opinions]:
    counted = (
        sa.select(rating.c.user_id, rating.c.rating, sa.func.count().label("n"))
        .join(conversation, conversation.c.id == rating.c.conversation_id)
        .where(*given_in_span(filters))
        .group_by(rating.c.user_id, rating.c.rating)
    )
    return rows(_Opinions, counted, keep=False)
