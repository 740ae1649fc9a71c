"""What stands beside the rows of a list: attachments, drafts that wait, faces; for a page of conversations at once."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import P, rows
from deskhand.desk.conversations.listing.filters import in_trouble
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.users.tables import staff


class More(msgspec.Struct, frozen=True):
    """What lists through the API don't show. `attachments` is 1 where some thread has one."""

    id: int
    attachments: int
    photo_url: str | None


class Draft(msgspec.Struct, frozen=True):
    """A text in a conversation that nobody has sent yet; `type` is the kind of user who wrote it."""

    conversation_id: int
    user_id: int
    type: str
    first_name: str
    last_name: str


class InTrouble(msgspec.Struct, frozen=True):
    """How many open conversations of an inbox have a mail that could not be delivered."""

    inbox_id: int
    n: int


_IDS = P("ids", sa.Text)
_MORE = rows(
    More,
    sa.select(conversation.c.id, conversation.c.attachments, staff.c.photo_url)
    .outerjoin(
        staff, sa.and_(staff.c.id == conversation.c.assignee_id, staff.c.account_id == conversation.c.account_id)
    )
    .where(unindexed(conversation.c.account_id) == P("account_id"), ids_in(conversation.c.id, _IDS))
    .order_by(conversation.c.id),
)
_DRAFTS = rows(
    Draft,
    sa.select(
        thread.c.conversation_id,
        thread.c.created_by_id.label("user_id"),
        staff.c.type,
        staff.c.first_name,
        staff.c.last_name,
    )
    .join(staff, sa.and_(staff.c.id == thread.c.created_by_id, staff.c.account_id == thread.c.account_id))
    .where(
        unindexed(thread.c.account_id) == P("account_id"),
        ids_in(thread.c.conversation_id, _IDS),
        thread.c.state == sa.literal_column("'draft'"),
    )
    .order_by(thread.c.conversation_id, thread.c.id),
)
_OPEN: list[sa.ColumnElement[str]] = [sa.literal_column("'active'"), sa.literal_column("'pending'")]
_IN_TROUBLE = rows(
    InTrouble,
    sa.select(conversation.c.inbox_id, sa.func.count().label("n"))
    .where(
        unindexed(conversation.c.account_id) == P("account_id"),
        conversation.c.id.in_(in_trouble()),
        conversation.c.merged_into.is_(None),
        conversation.c.status.in_(_OPEN),
    )
    .group_by(conversation.c.inbox_id)
    .order_by(conversation.c.inbox_id),
)


def more(db: Reader, account_id: int, ids: Collection[int]) -> dict[int, More]:
    """What else is known of some conversations."""
    return {one.id: one for one in db.all(_MORE, account_id=account_id, ids=_json(ids))} if ids else {}


def drafts(db: Reader, account_id: int, ids: Collection[int]) -> dict[int, Draft]:
    """The unsent text that each conversation shows: an agent's before anybody else's."""
    if not ids:
        return {}
    found: dict[int, Draft] = {}
    for one in db.all(_DRAFTS, account_id=account_id, ids=_json(ids)):
        there = found.get(one.conversation_id)
        if there is None or (one.type == "system_user" and there.type != "system_user"):
            found[one.conversation_id] = one
    return found


def troubled(db: Reader, account_id: int) -> dict[int, int]:
    """How many open conversations of each inbox have a mail that could not be delivered."""
    return {one.inbox_id: one.n for one in db.all(_IN_TROUBLE, account_id=account_id)}


def _json(ids: Collection[int]) -> str:
    return msgspec.json.encode(sorted(ids)).decode()
