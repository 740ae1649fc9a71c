"""Deleting conversations."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.problems import AccessDenied
from deskhand.db.engine import Writer
from deskhand.db.statements import P, command
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import (
    attachment,
    conversation,
    conversation_field,
    conversation_tag,
    thread,
)
from deskhand.desk.conversations.writing import count, take, tell
from deskhand.desk.search import index

_DELETE_PARTS = [
    command(sa.delete(part).where(part.c.account_id == P("account_id"), part.c.conversation_id == P("id")))
    for part in (attachment, thread, conversation_tag, conversation_field)
]
_DELETE = command(
    sa.delete(conversation).where(conversation.c.account_id == P("account_id"), conversation.c.id == P("id"))
)


def delete(tx: Writer, actor: Actor, id: int, now: str) -> None:
    """Delete a conversation with all that belongs to it; raises NotFound, AccessDenied and PreconditionFailed."""
    if actor.role == "light user":
        raise AccessDenied
    head = take(tx, actor, id, now)
    for statement in _DELETE_PARTS:
        tx.run(statement, account_id=actor.account_id, id=id)
    tx.run(_DELETE, account_id=actor.account_id, id=id)
    index.forget(tx, actor.account_id, id)
    count(tx, head, -1)
    tell(tx, actor, head, events.CONVERSATION_DELETED, now, number=head.number)
