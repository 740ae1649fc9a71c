"""Workflows: making, changing and deleting them, and trying what they would do."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from deskhand.admin.call import Asked, Calls
from deskhand.admin.call import Given as Sent
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.values import Id
from deskhand.catalogue.workflows import WorkflowType
from deskhand.db.engine import Reader, Writer
from deskhand.desk.call import Change
from deskhand.desk.workflows import dry_run, given, queries, telling, verbs
from deskhand.desk.workflows.actions import Action
from deskhand.desk.workflows.conditions import Group
from deskhand.desk.workflows.dry_run import DryRun
from deskhand.desk.workflows.given import Shown
from deskhand.gateway.administering import desk_changes
from deskhand.lib.clock import to_wire

CALLS = Calls("workflows")


class Which(Sent, kw_only=True):
    """Which workflows to list: those of one inbox, or all."""

    inbox_id: Id | None = None


class HowMany(Sent, kw_only=True):
    """How many of the newest conversations to look at."""

    conversations: Annotated[int, Meta(ge=1, le=dry_run.MOST)] = 100


class Workflows(msgspec.Struct, frozen=True):
    """Workflows by inbox, in their order."""

    workflows: list[Shown]


class Written(Sent, kw_only=True):
    """A workflow as it is sent: only automatic ones have conditions; every group must hold, by any condition in it."""

    inbox_id: Id
    name: str
    type: WorkflowType
    status: Literal["active", "inactive"] = "active"
    position: Id | None = None
    conditions: list[Group] = []
    actions: list[Action]


WRITTEN = dict.fromkeys(("create_workflow", "replace_workflow", "try_new_workflow"), Written)
"""What the bodies are that handlers read themselves, so that each fault in them is named by its place."""


@CALLS.add("GET", "/workflows", query=Which, answers=Workflows)
async def list_workflows_in_full(asked: Asked[Which, NoBody]) -> Workflows:
    """List workflows with their conditions and actions."""
    inbox_id = asked.query.inbox_id

    def read(db: Reader) -> list[Shown]:
        return given.shown(db, asked.account_id, queries.every(db, asked.account_id, inbox_id))

    return Workflows(await asked.parts.database.read(read))


@CALLS.add("POST", "/workflows", body=dict[str, Any], answers=Shown, status=201)
async def create_workflow(asked: Asked[NoQuery, dict[str, Any]]) -> Shown:
    """Add a workflow; an automatic one begins at once, unless its status is inactive."""
    now = to_wire(asked.parts.clock.now())
    new = given.read(asked.account_id, asked.body, now)

    def add(tx: Writer) -> int:
        id = verbs.add(tx, new)
        _tell(asked, tx, telling.done("made", queries.existing(tx, asked.account_id, id), "added"))
        return id

    return await _one(asked, await asked.parts.database.write(add))


@CALLS.add("POST", "/workflows/dry-run", query=HowMany, body=dict[str, Any], answers=DryRun)
async def try_new_workflow(asked: Asked[HowMany, dict[str, Any]]) -> DryRun:
    """Tell what a workflow that is not saved would have done to the newest conversations of its inbox, and why."""
    now = asked.parts.clock.now()
    new = given.read(asked.account_id, asked.body, to_wire(now))
    trying = partial(dry_run.of, wanted=new, most=asked.query.conversations, now=now)
    return await asked.parts.database.read(trying, "slow")


@CALLS.add("GET", "/workflows/{workflow_id}", answers=Shown)
async def get_workflow_in_full(asked: Asked[NoQuery, NoBody]) -> Shown:
    """Show a workflow with its conditions and actions."""
    return await _one(asked, asked.id)


@CALLS.add("PUT", "/workflows/{workflow_id}", body=dict[str, Any], answers=Shown)
async def replace_workflow(asked: Asked[NoQuery, dict[str, Any]]) -> Shown:
    """Change a workflow; its inbox and its type stay, and on which it ran, it does not run again."""
    new = given.read(asked.account_id, asked.body, to_wire(asked.parts.clock.now()))

    def replace(tx: Writer) -> None:
        verbs.replace(tx, asked.id, new)
        _tell(asked, tx, telling.done("changed", queries.existing(tx, asked.account_id, asked.id), "changed"))

    await asked.parts.database.write(replace)
    return await _one(asked, asked.id)


@CALLS.add("DELETE", "/workflows/{workflow_id}")
async def delete_workflow(asked: Asked[NoQuery, NoBody]) -> None:
    """Delete a workflow; what it did stays."""
    now = to_wire(asked.parts.clock.now())

    def delete(tx: Writer) -> None:
        row = queries.by_id(tx, asked.account_id, asked.id)
        verbs.delete(tx, asked.account_id, asked.id, now)
        if row is not None:
            _tell(asked, tx, telling.done("deleted", row, "deleted"))

    await asked.parts.database.write(delete)


def _tell(asked: Asked[Any, Any], tx: Writer, change: Change) -> None:
    desk_changes.log(asked.parts.audit, tx, asked.who, change)


@CALLS.add("POST", "/workflows/{workflow_id}/dry-run", query=HowMany, answers=DryRun)
async def try_workflow(asked: Asked[HowMany, NoBody]) -> DryRun:
    """Tell what a workflow would have done to the newest conversations of its inbox, and why."""
    trying = partial(
        dry_run.of_existing, account_id=asked.account_id, id=asked.id, most=asked.query.conversations,
        now=asked.parts.clock.now(),
    )  # fmt: skip
    return await asked.parts.database.read(trying, "slow")


async def _one(asked: Asked[Any, Any], id: int) -> Shown:
    def read(db: Reader) -> list[Shown]:
        row = queries.by_id(db, asked.account_id, id)
        return [] if row is None else given.shown(db, asked.account_id, [row])

    found = await asked.parts.database.read(read)
    if not found:
        raise NotFound
    return found[0]
