"""Reading saved replies."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader
from deskhand.db.statements import P, columns, rows
from deskhand.desk.call import Actor
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.saved_replies.tables import saved_reply
from deskhand.lib.text import PREVIEW_LENGTH


class SavedReplyRow(msgspec.Struct, frozen=True):
    """A saved reply as stored; None for a text that it does not have."""

    id: int
    inbox_id: int
    name: str
    text: str | None
    chat_text: str | None


# As much as lib.text.preview looks at.
_BEGINNING: sa.ColumnElement[int] = sa.literal_column(str(PREVIEW_LENGTH * 20))
_OURS = (
    saved_reply.c.account_id == P("account_id"),
    saved_reply.c.inbox_id == P("inbox_id"),
    saved_reply.c.deleted == sa.literal_column("0"),
)
_FOR_MAIL = sa.or_(saved_reply.c.text.is_not(None), saved_reply.c.chat_text.is_(None))
_BEGUN = sa.select(
    *columns(saved_reply, "id", "inbox_id", "name"),
    sa.func.substr(saved_reply.c.text, sa.literal_column("1"), _BEGINNING).label("text"),
    sa.func.substr(saved_reply.c.chat_text, sa.literal_column("1"), _BEGINNING).label("chat_text"),
).where(*_OURS)
_ORDER = (saved_reply.c.name, saved_reply.c.id)
_LIST = rows(SavedReplyRow, _BEGUN.where(_FOR_MAIL).order_by(*_ORDER))
_LIST_WITH_CHAT = rows(SavedReplyRow, _BEGUN.order_by(*_ORDER))
_ONE = rows(
    SavedReplyRow,
    sa.select(*columns(saved_reply, *SavedReplyRow.__struct_fields__)).where(*_OURS, saved_reply.c.id == P("id")),
)


def beginnings(db: Reader, actor: Actor, inbox_id: int, *, with_chat: bool) -> list[SavedReplyRow]:
    """How an inbox's saved replies begin, by name; those for chats alone `with_chat`. Raises as `seen_by` does."""
    inboxes.seen_by(db, actor, inbox_id)
    return db.all(_LIST_WITH_CHAT if with_chat else _LIST, account_id=actor.account_id, inbox_id=inbox_id)


def seen_by(db: Reader, actor: Actor, inbox_id: int, id: int) -> SavedReplyRow:
    """A saved reply of an inbox; raises NotFound, and AccessDenied where the caller may not see the inbox."""
    inboxes.seen_by(db, actor, inbox_id)
    found = db.one(_ONE, account_id=actor.account_id, inbox_id=inbox_id, id=id)
    if found is None:
        raise NotFound
    return found
