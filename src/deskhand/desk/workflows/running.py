"""Running a manual workflow on conversations: on all of them, or on none.

Source: https://developer.helpscout.com/mailbox-api/endpoints/workflows/run
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError, Problem
from deskhand.db.engine import Writer
from deskhand.db.portable import ids_in
from deskhand.db.statements import Insert, P, columns, rows
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations import owners
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.conversations.writing import add_line_item
from deskhand.desk.workflows import acting, naming, queries
from deskhand.desk.workflows.actions import Action, Move, from_json
from deskhand.desk.workflows.naming import Named
from deskhand.desk.workflows.queries import WorkflowRow
from deskhand.desk.workflows.tables import workflow_run


class Run(msgspec.Struct, frozen=True):
    """That a workflow ran on a conversation, for reports; without a user it ran by itself."""

    account_id: int
    workflow_id: int
    conversation_id: int
    user_id: int | None
    at: str


_ADD = Insert(workflow_run, Run)
# Locked in one order by all, so that two runs on the same conversations wait for each other and never both.
_TAKE = rows(
    Head,
    sa.select(*columns(conversation, *Head.__struct_fields__))
    .where(conversation.c.account_id == P("account_id"), ids_in(conversation.c.id, P("ids", sa.Text)))
    .order_by(conversation.c.id)
    .with_for_update(),
)


def run(tx: Writer, actor: Actor, id: int, conversation_ids: Sequence[int], now: str) -> None:
    """Run a workflow on conversations, each once.

    Raises NotFound, AccessDenied, BadRequest, and PreconditionFailed naming the conversation that is full or locked.
    """
    workflow = queries.seen_by(tx, actor, id)
    actions, named = _plan(tx, actor, workflow)
    who = owners.by_id(tx, actor.account_id, actor.user_id)
    ran = f"{who.name if who else 'Someone'} ran the workflow {workflow.name}"
    for head in _take(tx, actor, workflow, conversation_ids):
        with _named(conversation_ids.index(head.id), head.id):
            done = acting.carry_out(tx, actor, head.id, actions, named, now, id)
        add_line_item(tx, head, actor, now, f"{ran}: {done}", "manual-workflow", workflow=id, user=actor.user_id)
        tx.add_many(_ADD, (Run(actor.account_id, id, head.id, actor.user_id, now),))


def _plan(tx: Writer, actor: Actor, workflow: WorkflowRow) -> tuple[list[Action], Named]:
    """What is to be done; raises BadRequest for a workflow that can't run, AccessDenied for one that moves too far."""
    if workflow.type != "manual":
        raise _refused("only manual workflows can be run on demand")
    if workflow.status == "inactive":
        raise _refused("the workflow is inactive")
    actions = from_json(workflow.actions)
    if actions is None or workflow.status == "invalid":
        raise _refused("the workflow is invalid")
    named = naming.named_by(tx, actor.account_id, (workflow.inbox_id,), actions)
    faults = naming.faults(workflow.inbox_id, actions, named)
    if faults:
        raise _refused(f"the workflow is invalid: {faults[0].message}")
    if not all(access.may_see(actor, one.value) for one in actions if isinstance(one, Move)):
        text = "the workflow moves conversations to an inbox that the caller may not see"
        raise AccessDenied(FieldError("workflowId", text, "ValidIdentifier", source="URI"))
    return actions, named


def _refused(text: str) -> BadRequest:
    return BadRequest(FieldError("workflowId", text, "ValidIdentifier", source="URI"))


def _take(tx: Writer, actor: Actor, workflow: WorkflowRow, ids: Sequence[int]) -> list[Head]:
    """The conversations, locked for this change; raises BadRequest naming those that don't lie in the inbox."""
    heads = tx.all(_TAKE, account_id=actor.account_id, ids=json.dumps(sorted(set(ids))))
    there = {head.id for head in heads if head.inbox_id == workflow.inbox_id and head.merged_into is None}
    faults = [
        FieldError(
            f"conversationIds[{position}]", "no such conversation in the workflow's inbox", "ValidIdentifier", id
        )
        for position, id in enumerate(ids)
        if id not in there
    ]
    if faults:
        raise BadRequest(*faults)
    return heads


@contextmanager
def _named(position: int, id: int) -> Iterator[None]:
    """Let a refusal name the conversation that caused it."""
    try:
        yield
    except Problem as problem:
        path = f"conversationIds[{position}]"
        faults = (msgspec.structs.replace(one, path=path, rejected=id, source="JSON") for one in problem.errors)
        raise type(problem)(*faults) from None
