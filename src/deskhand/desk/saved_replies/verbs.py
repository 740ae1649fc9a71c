"""Writing saved replies. Deleted ones are kept, for threads that were written with them name them."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, BadRequest, empty
from deskhand.catalogue.saved_replies import SavedReplyFields
from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command
from deskhand.desk.call import Actor
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.saved_replies import queries
from deskhand.desk.saved_replies.tables import saved_reply


class NewSavedReply(msgspec.Struct, frozen=True, kw_only=True):
    """A saved reply to be added."""

    account_id: int
    inbox_id: int
    name: str
    text: str | None
    chat_text: str | None
    deleted: int = 0
    created_at: str
    updated_at: str


_ADD = Insert(saved_reply, NewSavedReply)
_ONE = (saved_reply.c.account_id == P("account_id"), saved_reply.c.id == P("id"))
_CHANGE = command(
    sa.update(saved_reply)
    .where(*_ONE)
    .values(name=P("name"), text=P("text"), chat_text=P("chat_text"), updated_at=P("now"))
)
_DELETE = command(sa.update(saved_reply).where(*_ONE).values(deleted=sa.literal_column("1"), updated_at=P("now")))


def add(tx: Writer, actor: Actor, inbox_id: int, given: SavedReplyFields, now: str) -> int:
    """Add a saved reply to an inbox; gives its id. Raises NotFound, AccessDenied and BadRequest."""
    inboxes.seen_by(tx, actor, inbox_id)
    _require_full_user(actor)
    new = NewSavedReply(
        account_id=actor.account_id,
        inbox_id=inbox_id,
        name=_name(given),
        text=given.text or None,
        chat_text=given.chat_text or None,
        created_at=now,
        updated_at=now,
    )
    return tx.add(_ADD, new)


def change(tx: Writer, actor: Actor, inbox_id: int, id: int, given: SavedReplyFields, now: str) -> None:
    """Replace a saved reply's name and texts; raises as `add` does."""
    queries.seen_by(tx, actor, inbox_id, id)
    _require_full_user(actor)
    texts = {"text": given.text or None, "chat_text": given.chat_text or None}
    tx.run(_CHANGE, account_id=actor.account_id, id=id, name=_name(given), **texts, now=now)


def delete(tx: Writer, actor: Actor, inbox_id: int, id: int, now: str) -> None:
    """Delete a saved reply; raises NotFound and AccessDenied."""
    queries.seen_by(tx, actor, inbox_id, id)
    _require_full_user(actor)
    tx.run(_DELETE, account_id=actor.account_id, id=id, now=now)


def _require_full_user(actor: Actor) -> None:
    """Light users don't reply, so what replies say is not theirs to decide."""
    if actor.role == "light user":
        raise AccessDenied


def _name(given: SavedReplyFields) -> str:
    name = given.name.strip()
    if not name:
        raise BadRequest(empty("name"))
    return name
