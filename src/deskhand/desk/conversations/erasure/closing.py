"""Deleting a team, which lets go of its conversations, and an inbox, which must have none."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound, PreconditionFailed
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, command, value
from deskhand.desk.access import require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.conversations.erasure.leaving import let_go
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.inboxes import managing as inboxes
from deskhand.desk.inboxes import queries
from deskhand.desk.saved_replies.tables import saved_reply
from deskhand.desk.teams import managing as teams

# A slice that lies above this one, so its table is named here by the columns that are needed.
_workflow = sa.table(
    "workflow",
    sa.column("id", sa.BigInteger),
    sa.column("account_id", sa.BigInteger),
    sa.column("inbox_id", sa.BigInteger),
)
_OWNED = value(
    int,
    sa.select(sa.func.count())
    .select_from(conversation)
    .where(conversation.c.account_id == P("account_id"), conversation.c.assignee_id == P("owner_id")),
)
_FIRST_IN = value(
    int,
    sa.select(conversation.c.id)
    .where(conversation.c.account_id == P("account_id"), conversation.c.inbox_id == P("inbox_id"))
    .limit(sa.literal_column("1")),
)
_WORKFLOWS_IN = value(
    int,
    sa.select(sa.func.count())
    .select_from(_workflow)
    .where(_workflow.c.account_id == P("account_id"), _workflow.c.inbox_id == P("inbox_id")),
)
_DROP_REPLIES = command(
    sa.update(saved_reply)
    .where(saved_reply.c.account_id == P("account_id"), saved_reply.c.inbox_id == P("inbox_id"))
    .values(deleted=sa.literal_column("1"), updated_at=P("now"))
)


def owned(db: Reader, account_id: int, owner_id: int) -> int:
    """How many conversations a user or team owns, closed ones included."""
    return db.first(_OWNED, account_id=account_id, owner_id=owner_id)


def close_team(tx: Writer, actor: Actor, id: int, now: str) -> None:
    """Delete a team and leave its conversations to nobody; raises NotFound and AccessDenied."""
    teams.close(tx, actor, id, now)
    let_go(tx, actor, id, now)


def what_keeps_inbox(db: Reader, account_id: int, id: int) -> str:
    """Why an inbox can't be deleted, in words; empty when it can."""
    if db.one(_FIRST_IN, account_id=account_id, inbox_id=id) is not None:
        return "It has conversations. Move or delete them first."
    if db.first(_WORKFLOWS_IN, account_id=account_id, inbox_id=id):
        return "It has workflows. Delete them first."
    if len(queries.all_of(db, account_id)) == 1:
        return "It is the only one. Make another inbox first."
    return ""


def close_inbox(tx: Writer, actor: Actor, id: int, now: str) -> None:
    """Delete an empty inbox; raises NotFound, AccessDenied, and PreconditionFailed for one that is still of use."""
    require_administrator(actor)
    if queries.by_id(tx, actor.account_id, id) is None:
        raise NotFound
    if why := what_keeps_inbox(tx, actor.account_id, id):
        problem = PreconditionFailed()
        problem.message = why
        raise problem
    tx.run(_DROP_REPLIES, account_id=actor.account_id, inbox_id=id, now=now)
    inboxes.forget(tx, actor.account_id, id)
