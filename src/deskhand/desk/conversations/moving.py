"""Deleting conversations."""

from __future__ import annotations

from deskhand.catalogue import events
from deskhand.catalogue.problems import AccessDenied
from deskhand.db.engine import Writer
from deskhand.desk.call import Actor
from deskhand.desk.conversations.erasure.erasing import erase
from deskhand.desk.conversations.writing import take, tell


def delete(tx: Writer, actor: Actor, id: int, now: str) -> None:
    """Delete a conversation with all that belongs to it; raises NotFound, AccessDenied and PreconditionFailed."""
    if actor.role == "light user":
        raise AccessDenied
    head = take(tx, actor, id, now)
    erase(tx, [head], now)
    tell(tx, actor, head, events.CONVERSATION_DELETED, now, number=head.number)
