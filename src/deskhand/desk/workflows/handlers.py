"""Workflows, as far as the caller may see their inboxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deskhand.catalogue import workflows as operations
from deskhand.catalogue.conversations import Patch, Patches
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.workflows import ListWorkflows, RunWorkflow, Workflow
from deskhand.desk import access
from deskhand.desk.call import Call, Page, implements
from deskhand.desk.workflows import queries, represent, running, telling, verbs
from deskhand.desk.workflows.queries import PAGE_SIZE, WorkflowRow


@implements(operations.list_workflows)
def list_workflows(call: Call[ListWorkflows, NoBody]) -> Page[Workflow]:
    query, actor = call.query, call.actor
    inboxes = actor.inboxes
    if query.mailbox_id is not None:
        inboxes = (query.mailbox_id,) if access.may_see(actor, query.mailbox_id) else ()
    found, total = queries.find(call.tx, actor.account_id, inboxes, query.type, query.page)
    return Page(_shown(call, found), query.page, PAGE_SIZE, total)


@implements(operations.get_workflow)
def get_workflow(call: Call[NoQuery, NoBody]) -> Workflow:
    return _shown(call, [queries.seen_by(call.tx, call.actor, call.path[0])])[0]


def _shown(call: Call[Any, NoBody], found: Sequence[WorkflowRow]) -> list[Workflow]:
    broken = queries.broken(call.tx, call.actor.account_id, found)
    return [represent.workflow(row, call.base, broken=row.id in broken) for row in found]


@implements(operations.update_workflow)
def update_workflow(call: Call[NoQuery, Patches]) -> None:
    patches = [call.body] if isinstance(call.body, Patch) else call.body
    (id,) = call.path
    before = queries.seen_by(call.tx, call.actor, id)
    verbs.change(call.tx, call.actor, id, patches, call.now)
    after = queries.existing(call.tx, call.actor.account_id, id)
    if after.status != before.status:
        call.tell(telling.switched(after))


@implements(operations.run_workflow)
def run_workflow(call: Call[NoQuery, RunWorkflow]) -> None:
    running.run(call.tx, call.actor, call.path[0], call.body.conversation_ids, call.now)
