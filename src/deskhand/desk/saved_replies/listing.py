"""Listing the saved replies of several inboxes at once."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, columns, rows, value
from deskhand.desk.saved_replies.tables import saved_reply
from deskhand.lib.text import PREVIEW_LENGTH


class Listed(msgspec.Struct, frozen=True):
    """A saved reply with the beginning of its text; None where it has only one for chats."""

    id: int
    inbox_id: int
    name: str
    text: str | None
    updated_at: str


_BEGINNING: sa.ColumnElement[int] = sa.literal_column(str(PREVIEW_LENGTH * 20))  # as much as lib.text.preview looks at
_THERE = (saved_reply.c.account_id == P("account_id"), saved_reply.c.deleted == sa.literal_column("0"))
_LIST = rows(
    Listed,
    sa.select(
        *columns(saved_reply, "id", "inbox_id", "name"),
        sa.func.substr(saved_reply.c.text, sa.literal_column("1"), _BEGINNING).label("text"),
        saved_reply.c.updated_at,
    )
    .where(*_THERE, ids_in(saved_reply.c.inbox_id, P("inboxes", sa.Text)))
    .order_by(saved_reply.c.name, saved_reply.c.id),
)
_INBOX_OF = value(int, sa.select(saved_reply.c.inbox_id).where(*_THERE, saved_reply.c.id == P("id")))


def of_inboxes(db: Reader, account_id: int, inbox_ids: Iterable[int]) -> list[Listed]:
    """The saved replies of some inboxes, by name."""
    return db.all(_LIST, account_id=account_id, inboxes=msgspec.json.encode(sorted(inbox_ids)).decode())


def inbox_of(db: Reader, account_id: int, id: int) -> int:
    """The inbox that a saved reply belongs to; raises NotFound."""
    found = db.one(_INBOX_OF, account_id=account_id, id=id)
    if found is None:
        raise NotFound
    return found
