"""What has arrived in a conversation since somebody last saw it, so that nobody answers what they have not read."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, rows, value
from deskhand.desk.conversations.tables import thread
from deskhand.desk.customers.tables import customer
from deskhand.desk.users.tables import staff


class Arrived(msgspec.Struct, frozen=True):
    """A thread that is new: what it is, who wrote it and how it begins."""

    id: int
    type: str
    state: str
    body: str | None
    created_at: str
    by: str
    first: str | None
    last: str | None


_BODY_MOST: sa.ColumnElement[int] = sa.literal_column("20000")
_author, _customer = staff.alias("author"), customer.alias("by_customer")
_BY_CUSTOMER = thread.c.created_by_type == sa.literal_column("'customer'")
_IS_PROGRAM = _author.c.type == sa.literal_column("'system_user'")
_OF_ONE = (thread.c.account_id == P("account_id"), thread.c.conversation_id == P("conversation_id"))
_SAID = thread.c.type != sa.literal_column("'lineitem'")
_PUBLISHED = thread.c.state == sa.literal_column("'published'")
_BY_OTHERS = (
    sa.or_(_PUBLISHED, sa.and_(thread.c.state == sa.literal_column("'draft'"), _IS_PROGRAM)),
    sa.or_(_BY_CUSTOMER, thread.c.created_by_id != P("user_id")),
)
_PUBLISHED_SINCE = sa.and_(_PUBLISHED, thread.c.created_at > P("since"))
_BY_ONESELF = sa.and_(
    sa.not_(_BY_CUSTOMER),
    thread.c.type == sa.literal_column("'message'"),
    thread.c.created_by_id == P("user_id"),
)
_SINCE = rows(
    Arrived,
    sa.select(
        thread.c.id,
        thread.c.type,
        thread.c.state,
        sa.func.substr(thread.c.body, sa.literal_column("1"), _BODY_MOST).label("body"),
        thread.c.created_at,
        sa.case(
            (_BY_CUSTOMER, sa.literal_column("'customer'")),
            (_IS_PROGRAM, sa.literal_column("'agent'")),
            (thread.c.created_by_id == P("user_id"), sa.literal_column("'oneself'")),
            else_=sa.literal_column("'user'"),
        ).label("by"),
        sa.func.coalesce(_author.c.first_name, _customer.c.first_name).label("first"),
        sa.func.coalesce(_author.c.last_name, _customer.c.last_name).label("last"),
    )
    .select_from(thread)
    .outerjoin(_author, sa.and_(_author.c.id == thread.c.created_by_id, sa.not_(_BY_CUSTOMER)))
    .outerjoin(_customer, sa.and_(_customer.c.id == thread.c.created_by_id, _BY_CUSTOMER))
    .where(
        *_OF_ONE,
        _SAID,
        # A draft that is sent later has an old id and a new time.
        sa.or_(
            sa.and_(sa.or_(thread.c.id > P("after"), _PUBLISHED_SINCE), *_BY_OTHERS),
            sa.and_(_PUBLISHED_SINCE, _BY_ONESELF),
        ),
    )
    .order_by(thread.c.created_at, thread.c.id),
)
_NEWEST = value(
    int,
    sa.select(sa.func.max(thread.c.id))
    .select_from(thread)
    .outerjoin(_author, sa.and_(_author.c.id == thread.c.created_by_id, sa.not_(_BY_CUSTOMER)))
    .where(*_OF_ONE, _SAID, *_BY_OTHERS),
)


def arrived(db: Reader, account_id: int, conversation_id: int, user_id: int, seen: int, seen_at: str) -> list[Arrived]:
    """What others have written since a thread (`seen`) was the newest, at a time; oldest first.

    Replies that the user sent from another window since count as well, else one text would be sent from each of them.
    Drafts of people are left out, for presence tells of those.
    """
    return db.all(
        _SINCE, account_id=account_id, conversation_id=conversation_id, user_id=user_id, after=seen, since=seen_at
    )


def newest(db: Reader, account_id: int, conversation_id: int, user_id: int) -> int:
    """The newest thread that `arrived` may tell of; 0 where there is none."""
    return db.one(_NEWEST, account_id=account_id, conversation_id=conversation_id, user_id=user_id) or 0
