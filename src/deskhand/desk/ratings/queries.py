"""Reading ratings with those who gave and got them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, columns, rows
from deskhand.desk.ratings.tables import rating
from deskhand.desk.users.tables import staff

# Slices that lie above this one or beside it, so their tables are named here by the columns that are needed.
_conversation = sa.table(
    "conversation",
    sa.column("id", sa.BigInteger),
    sa.column("account_id", sa.BigInteger),
    sa.column("number", sa.BigInteger),
    sa.column("inbox_id", sa.BigInteger),
)
_customer = sa.table(
    "customer", *(sa.column(name) for name in ("id", "account_id", "first_name", "last_name", "email", "photo_url"))
)


class RatingRow(msgspec.Struct, frozen=True):
    """A rating as shown; inbox and number are those that its conversation has now."""

    id: int
    thread_id: int
    conversation_id: int
    customer_id: int
    user_id: int
    rating: str
    comments: str
    created_at: str
    modified_at: str
    conversation_number: int
    inbox_id: int
    user_first: str | None
    user_last: str | None
    user_email: str | None
    customer_first: str | None
    customer_last: str | None
    customer_email: str | None
    customer_photo: str | None


_OWN = RatingRow.__struct_fields__[: RatingRow.__struct_fields__.index("conversation_number")]
_BY_IDS = rows(
    RatingRow,
    sa.select(
        *columns(rating, *_OWN),
        _conversation.c.number.label("conversation_number"),
        _conversation.c.inbox_id,
        staff.c.first_name.label("user_first"),
        staff.c.last_name.label("user_last"),
        staff.c.email.label("user_email"),
        _customer.c.first_name.label("customer_first"),
        _customer.c.last_name.label("customer_last"),
        _customer.c.email.label("customer_email"),
        _customer.c.photo_url.label("customer_photo"),
    )
    .join(_conversation, _conversation.c.id == rating.c.conversation_id)
    .outerjoin(staff, staff.c.id == rating.c.user_id)
    .outerjoin(_customer, _customer.c.id == rating.c.customer_id)
    .where(rating.c.account_id == P("account_id"), ids_in(rating.c.id, P("ids", sa.Text))),
)


def by_ids(db: Reader, account_id: int, ids: Sequence[int]) -> list[RatingRow]:
    """Ratings by their ids; those of deleted conversations are gone."""
    return db.all(_BY_IDS, account_id=account_id, ids=msgspec.json.encode(ids).decode())


def by_id(db: Reader, account_id: int, id: int) -> RatingRow | None:
    """One rating."""
    found = by_ids(db, account_id, [id])
    return found[0] if found else None
