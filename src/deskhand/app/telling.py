"""Tells the audit log of what users change on the desk through the API: the desk itself does not know of the log."""

from __future__ import annotations

from deskhand.db.engine import Writer
from deskhand.desk.call import Actor, Change
from deskhand.desk.conversations import owners
from deskhand.gateway.administering import desk_changes
from deskhand.gateway.administering.who import Who
from deskhand.gateway.audit import Audit, By
from deskhand.gateway.sentences import NAME_MOST, one_line


def tell(audit: Audit, tx: Writer, actor: Actor, change: Change) -> None:
    """Write a change into the log, with the user who made it and the application that they came through."""
    found = owners.by_id(tx, actor.account_id, actor.user_id)
    name = one_line(found.name, NAME_MOST) if found else ""
    who = Who(actor.account_id, By("user", actor.user_id), name or f"User {actor.user_id}")
    desk_changes.log(audit, tx, who, change, application=actor.application)
