"""Keeping ratings: one for each reply, which its customer may change."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command, value
from deskhand.desk.ratings.tables import rating


class NewRating(msgspec.Struct, frozen=True, kw_only=True):
    """A rating as it is given; `rating` is great, okay or not_good."""

    account_id: int
    thread_id: int
    conversation_id: int
    inbox_id: int
    customer_id: int
    user_id: int
    rating: str
    comments: str
    created_at: str
    modified_at: str


_ADD = Insert(rating, NewRating)
_OF_THREAD = value(
    int, sa.select(rating.c.id).where(rating.c.account_id == P("account_id"), rating.c.thread_id == P("thread_id"))
)
_CHANGE = command(
    sa.update(rating)
    .where(rating.c.account_id == P("for_account"), rating.c.id == P("id"))
    .values(rating=P("rating"), comments=P("comments"), modified_at=P("now"))
)


def keep(tx: Writer, new: NewRating) -> int:
    """Add a reply's rating, or put the new one in the place of the old; gives its id."""
    id = tx.one(_OF_THREAD, account_id=new.account_id, thread_id=new.thread_id)
    if id is None:
        return tx.add(_ADD, new)
    tx.run(
        _CHANGE, for_account=new.account_id, id=id, rating=new.rating, comments=new.comments, now=new.modified_at
    )  # fmt: skip
    return id
