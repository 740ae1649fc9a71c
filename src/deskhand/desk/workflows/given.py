"""Workflows as administrators write them: a JSON object in, everything that is wrong with it named by its place."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.catalogue.values import Id
from deskhand.catalogue.workflows import WorkflowType
from deskhand.db.engine import Reader
from deskhand.desk.workflows import actions, conditions, queries
from deskhand.desk.workflows.actions import Action
from deskhand.desk.workflows.conditions import Group, converted
from deskhand.desk.workflows.queries import WorkflowRow
from deskhand.desk.workflows.verbs import NewWorkflow

POSITION_MOST = 1_000_000


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A workflow that somebody writes; without a `position` (from 1) a new one comes last."""

    inbox_id: Id
    name: str
    type: WorkflowType
    status: Literal["active", "inactive"] = "active"
    position: Annotated[int, Meta(ge=1, le=POSITION_MOST)] | None = None
    conditions: Any = []
    actions: Any = []


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow as administrators see it; `invalid_because` says why one is invalid, it is empty for all others."""

    id: int
    inbox_id: int
    name: str
    type: WorkflowType
    status: Literal["active", "inactive", "invalid"]
    invalid_because: str
    position: int
    conditions: list[Group]
    actions: list[Action]
    created_at: str
    modified_at: str


def read(account_id: int, given: Any, now: str) -> NewWorkflow:
    """A workflow out of a JSON value; raises BadRequest naming everything at fault."""
    found, faults = converted(given, Given, "")
    if found is None:
        # A path of the outermost object begins with a dot.
        raise BadRequest(*(msgspec.structs.replace(fault, path=fault.path.lstrip(".")) for fault in faults))
    groups, wrong_conditions = conditions.read(found.conditions)
    does, wrong_actions = actions.read(found.actions)
    faults = [*_nul(found.name), *wrong_conditions, *wrong_actions]
    if faults:
        raise BadRequest(*faults)
    return NewWorkflow(
        account_id=account_id,
        inbox_id=found.inbox_id,
        name=found.name,
        actions=does,
        type=found.type,
        status=found.status,
        position=found.position or 0,
        conditions=groups,
        created_at=now,
    )


def _nul(name: str) -> list[FieldError]:
    return [FieldError("name", "may not contain the character NUL", "Size")] if "\0" in name else []


def shown(db: Reader, account_id: int, found: list[WorkflowRow]) -> list[Shown]:
    """Workflows as administrators see them; those that name what is gone are invalid, whatever was said."""
    broken = queries.why_broken(db, account_id, found)
    return [_shown(row, broken.get(row.id, "")) for row in found]


def _shown(row: WorkflowRow, because: str) -> Shown:
    return Shown(
        id=row.id,
        inbox_id=row.inbox_id,
        name=row.name,
        type=row.type,
        status="invalid" if because else row.status,
        invalid_because=because or row.invalid_because,
        position=row.position,
        conditions=list(conditions.from_json(row.conditions) or ()),
        actions=actions.from_json(row.actions) or [],
        created_at=row.created_at,
        modified_at=row.modified_at,
    )
