"""Whether who wrote something to customers may still send it, when it is to leave by itself after a while."""

from __future__ import annotations

from deskhand.db.engine import Reader
from deskhand.desk import access
from deskhand.desk.conversations import owners

_GONE = "is no active user any more"


def fault(db: Reader, account_id: int, inbox_id: int, sender_id: int, author_id: int = 0) -> str:
    """Why nothing may leave an inbox that a user sent, in another's name maybe; empty where it may.

    It is known of system users only whether they are still there: the gateway decides what agents may.
    """
    sender = owners.by_id(db, account_id, sender_id)
    lacks = _lacks(db, inbox_id, sender)
    if lacks:
        return f"{sender.name if sender else 'somebody'}, who sent it, {lacks}"
    author = owners.by_id(db, account_id, author_id) if author_id not in (0, sender_id) else sender
    if author is None or author.state == "inactive":
        return f"{author.name if author else 'somebody'}, in whose name it was to leave, {_GONE}"
    return ""


def _lacks(db: Reader, inbox_id: int, sender: owners.Staff | None) -> str:
    if sender is not None and sender.type == "system_user":
        return "" if sender.state == "active" else "is not there any more"
    actor = None if sender is None else access.actor(db, sender.id)
    if actor is None:
        return _GONE
    if actor.role == "light user":
        return "is a light user now, and light users write to nobody"
    return "" if access.may_see(actor, inbox_id) else "no longer sees this inbox"
