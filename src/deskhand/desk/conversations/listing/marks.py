"""What stands beside the rows of a list: attachments, drafts that wait, faces; for a page of conversations at once."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import P, columns, rows
from deskhand.desk.conversations.listing.filters import in_trouble
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.users.tables import staff


class Draft(msgspec.Struct, frozen=True):
    """A text in a conversation that nobody has sent yet; `type` is the kind of user who wrote it."""

    conversation_id: int
    user_id: int
    type: str
    first_name: str
    last_name: str


class More(msgspec.Struct, frozen=True):
    """What lists through the API don't show. `attachments` is 1 where some thread has one.

    `draft` is the unsent text that the list shows: an agent's before anybody else's.
    """

    attachments: int
    photo_url: str | None
    draft: Draft | None


class _Line(msgspec.Struct, frozen=True):
    """A conversation with one of its drafts, if there is any."""

    id: int
    attachments: int
    photo_url: str | None
    user_id: int | None
    type: str | None
    first_name: str | None
    last_name: str | None


class InTrouble(msgspec.Struct, frozen=True):
    """How many open conversations of an inbox have a mail that could not be delivered."""

    inbox_id: int
    n: int


_IDS = P("ids", sa.Text)
_writer = staff.alias("writer")
_MORE = rows(
    _Line,
    sa.select(
        conversation.c.id,
        conversation.c.attachments,
        staff.c.photo_url,
        _writer.c.id.label("user_id"),
        *columns(_writer, "type", "first_name", "last_name"),
    )
    .outerjoin(
        staff, sa.and_(staff.c.id == conversation.c.assignee_id, staff.c.account_id == conversation.c.account_id)
    )
    .outerjoin(
        thread,
        sa.and_(
            thread.c.conversation_id == conversation.c.id,
            unindexed(thread.c.account_id) == conversation.c.account_id,
            thread.c.state == sa.literal_column("'draft'"),
        ),
    )
    .outerjoin(
        _writer, sa.and_(_writer.c.id == thread.c.created_by_id, _writer.c.account_id == conversation.c.account_id)
    )
    .where(unindexed(conversation.c.account_id) == P("account_id"), ids_in(conversation.c.id, _IDS))
    .order_by(conversation.c.id, thread.c.id),
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
    """What else is known of some conversations; one statement for all."""
    found: dict[int, More] = {}
    for one in db.all(_MORE, account_id=account_id, ids=_json(ids)) if ids else ():
        there, draft = found.get(one.id), _draft(one)
        if there is None or (draft and draft.type == "system_user" and there.draft and there.draft.type != draft.type):
            found[one.id] = More(one.attachments, one.photo_url, draft)
    return found


def _draft(one: _Line) -> Draft | None:
    if one.user_id is None or one.type is None:
        return None
    return Draft(one.id, one.user_id, one.type, one.first_name or "", one.last_name or "")


def troubled(db: Reader, account_id: int) -> dict[int, int]:
    """How many open conversations of each inbox have a mail that could not be delivered."""
    return {one.inbox_id: one.n for one in db.all(_IN_TROUBLE, account_id=account_id)}


def _json(ids: Collection[int]) -> str:
    return msgspec.json.encode(sorted(ids)).decode()
