"""Workflows: what is done with conversations again and again."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from msgspec import Meta, field

from deskhand.catalogue import events
from deskhand.catalogue.conversations import Patches
from deskhand.catalogue.links import Links
from deskhand.catalogue.needs import by_workflow, conversation_written, need, places
from deskhand.catalogue.operation import HS, Action, Asked, ListOf, Need, NoContent, Of, One, Operation, Resource
from deskhand.catalogue.values import Id, PageNumber, Shape

CONVERSATIONS_MOST = 50
"""Conversations that one run takes. Source: workflows/run."""

WorkflowType = Literal["manual", "automatic"]


class Workflow(Shape, kw_only=True):
    """A workflow as it is read; `invalid` is one that names something that is no longer there."""

    id: int
    mailbox_id: int
    type: WorkflowType
    status: Literal["active", "inactive", "invalid"]
    order: int
    name: str
    created_at: str
    modified_at: str
    links: Links = field(name="_links")


class ListWorkflows(Shape, kw_only=True):
    """Which workflows to list."""

    page: PageNumber = 1
    mailbox_id: Id | None = None
    type: WorkflowType | None = None


class RunWorkflow(Shape, kw_only=True):
    """Which conversations to run it on, each once however often it is named; all lie in the workflow's inbox."""

    conversation_ids: Annotated[list[Id], Meta(min_length=1, max_length=CONVERSATIONS_MOST)]


def _listed(asked: Asked) -> tuple[Need, ...]:
    query: ListWorkflows = asked.query
    return tuple(need(asked, place) for place in places(None if query.mailbox_id is None else (query.mailbox_id,)))


def _run(asked: Asked) -> tuple[Need, ...]:
    """Every conversation is changed. What the workflow's actions need is for whoever can look them up."""
    body: RunWorkflow = asked.body
    ids = dict.fromkeys(body.conversation_ids)
    return by_workflow(asked) + tuple(conversation_written(Of("conversation", id), "update_conversation") for id in ids)


_HIDDEN = (403, "the caller may not see the workflow's inbox")

list_workflows = Operation(
    name="list_workflows", method="GET", path="/v2/workflows",
    resource=Resource.WORKFLOWS, action=Action.READ, needs=_listed,
    query=ListWorkflows, returns=ListOf("workflows", Workflow),
    phrase="list workflows",
    summary="List the workflows of the inboxes that the caller may see, in the order in which each inbox has them.",
    source=HS + "workflows/list", since="2018-11-13",
)  # fmt: skip

get_workflow = Operation(
    name="get_workflow", method="GET", path="/v2/workflows/{workflow_id}",
    resource=Resource.WORKFLOWS, action=Action.READ, needs=by_workflow, returns=One(Workflow), errors=(_HIDDEN,),
    phrase="read workflow {workflow_id}",
    summary="One workflow; not documented, but each workflow links to itself.",
    source=HS + "workflows/list",
)  # fmt: skip

update_workflow = Operation(
    name="update_workflow", method="PATCH", path="/v2/workflows/{workflow_id}",
    resource=Resource.WORKFLOWS, action=Action.WRITE, needs=by_workflow,
    body=cast(type[Patches], Patches), returns=NoContent(),
    errors=((403, "the caller is neither owner nor administrator"),),
    phrase="switch workflow {workflow_id} on or off",
    summary="Switch a workflow on or off by replacing its `/status` with `active` or `inactive`.",
    source=HS + "workflows/update", since="2018-11-13",
)  # fmt: skip

run_workflow = Operation(
    name="run_workflow", method="POST", path="/v2/workflows/{workflow_id}/run",
    resource=Resource.WORKFLOWS, action=Action.WRITE, needs=_run, body=RunWorkflow, returns=NoContent(),
    errors=(_HIDDEN, (412, "a conversation is locked, or full while the workflow adds a thread; nothing was changed")),
    emits=(
        events.CONVERSATION_STATUS, events.CONVERSATION_ASSIGNED, events.CONVERSATION_TAGS, events.CONVERSATION_MOVED,
        events.CONVERSATION_CUSTOM_FIELDS, events.NOTE_CREATED, events.AGENT_REPLY_CREATED,
    ),
    phrase="run workflow {workflow_id}",
    summary="Run an active manual workflow on 1 to 50 conversations of its inbox; all of it happens or nothing.",
    source=HS + "workflows/run", since="2018-11-13",
)  # fmt: skip

OPERATIONS = (list_workflows, get_workflow, update_workflow, run_workflow)
