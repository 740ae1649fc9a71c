"""Listing ratings, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, Statement, value
from deskhand.desk.ratings import queries
from deskhand.desk.ratings.queries import RatingRow
from deskhand.desk.ratings.tables import rating

PAGE_SIZE = 25
RATINGS = ("great", "okay", "not_good")

_IDS = sa.select(rating.c.id).where(rating.c.account_id == P("account_id"))
_IN = ids_in(rating.c.inbox_id, P("inboxes", sa.Text))
_SUCH = rating.c.rating == P("rating")
_WITH_WORDS = rating.c.comments != sa.literal_column("''")


def _page(*conditions: sa.ColumnElement[bool]) -> Statement[int]:
    newest: sa.Select[Any] = _IDS.where(*conditions).order_by(rating.c.created_at.desc(), rating.c.id.desc())
    return value(int, newest.limit(P("size", sa.Integer)).offset(P("start", sa.BigInteger)))


_PAGES = {
    (such, words): _page(_IN, *([_SUCH] if such else []), *([_WITH_WORDS] if words else []))
    for such in (False, True)
    for words in (False, True)
}
"""By whether one kind of rating is asked for, and whether only those with a comment are."""


def recent(
    db: Reader, account_id: int, inboxes: Sequence[int], page: int, *, rating: str = "", with_words: bool = False
) -> tuple[list[RatingRow], bool]:
    """A page of the ratings given in some inboxes, the newest first, and whether there are more behind it."""
    ids = db.all(
        _PAGES[bool(rating), with_words], account_id=account_id, inboxes=msgspec.json.encode(inboxes).decode(),
        rating=rating, size=PAGE_SIZE + 1, start=(page - 1) * PAGE_SIZE,
    )  # fmt: skip
    place = {id: number for number, id in enumerate(ids)}
    found = queries.by_ids(db, account_id, ids[:PAGE_SIZE])
    return sorted(found, key=lambda row: place[row.id]), len(ids) > PAGE_SIZE
