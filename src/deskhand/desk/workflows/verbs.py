"""Making workflows, and switching them on and off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.conversations import Patch
from deskhand.catalogue.problems import BadRequest, FieldError, empty, invalid, shown, unknown_id
from deskhand.catalogue.workflows import WorkflowType
from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command, value
from deskhand.desk.access import require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.workflows import naming, queries
from deskhand.desk.workflows.actions import ACTIONS_MOST, Action, as_json
from deskhand.desk.workflows.tables import workflow

NAME_MOST = 100
"""Characters of a workflow's name. Source: our choice."""


class NewWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow to be added; without a `position` (from 1) it comes last in its inbox. `conditions` is JSON."""

    account_id: int
    inbox_id: int
    name: str
    actions: Sequence[Action]
    type: WorkflowType = "manual"
    status: Literal["active", "inactive"] = "active"
    position: int = 0
    conditions: str = "[]"
    created_at: str


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    inbox_id: int
    type: str
    status: str
    position: int
    name: str
    actions: str
    conditions: str
    created_at: str
    modified_at: str


_ADD = Insert(workflow, _Row)
_LAST = value(
    int,
    sa.select(sa.func.coalesce(sa.func.max(workflow.c.position), sa.literal_column("0"))).where(
        workflow.c.account_id == P("account_id"), workflow.c.inbox_id == P("inbox_id")
    ),
)
_SET_STATUS = command(
    sa.update(workflow)
    .where(workflow.c.account_id == P("account_id"), workflow.c.id == P("id"))
    .values(status=P("status"), modified_at=P("now"))
)


def add(tx: Writer, new: NewWorkflow) -> int:
    """Add a workflow; gives its id. Raises BadRequest naming `inboxId`, `name` or `actions[i]`."""
    if inboxes.by_id(tx, new.account_id, new.inbox_id) is None:
        raise unknown_id("inboxId", new.inbox_id, "inbox")
    faults = [*_size_faults(new)]
    if not faults:
        named = naming.named_by(tx, new.account_id, (new.inbox_id,), new.actions)
        faults = naming.faults(new.inbox_id, new.actions, named)
    if faults:
        raise BadRequest(*faults)
    position = new.position or 1 + tx.first(_LAST, account_id=new.account_id, inbox_id=new.inbox_id)
    row = _Row(
        account_id=new.account_id,
        inbox_id=new.inbox_id,
        type=new.type,
        status=new.status,
        position=position,
        name=new.name.strip(),
        actions=as_json(new.actions),
        conditions=new.conditions,
        created_at=new.created_at,
        modified_at=new.created_at,
    )
    return tx.add(_ADD, row)


def _size_faults(new: NewWorkflow) -> list[FieldError]:
    faults = []
    if not new.name.strip():
        faults.append(empty("name"))
    if len(new.name) > NAME_MOST:
        faults.append(FieldError("name", f"must have at most {NAME_MOST} characters", "Size", new.name[:200]))
    if not new.actions:
        faults.append(empty("actions"))
    if len(new.actions) > ACTIONS_MOST:
        faults.append(FieldError("actions", f"must have at most {ACTIONS_MOST} elements", "Size"))
    return faults


def change(tx: Writer, actor: Actor, id: int, patches: Sequence[Patch], now: str) -> None:
    """Switch a workflow on or off; raises NotFound, AccessDenied and BadRequest.

    Source: https://developer.helpscout.com/mailbox-api/endpoints/workflows/update
    """
    row = queries.seen_by(tx, actor, id)
    require_administrator(actor)
    if not patches:
        raise BadRequest(empty("op"))
    for patch in patches:
        _check(patch)
    status = patches[-1].value
    if status == "active" and queries.broken(tx, actor.account_id, [row]):
        raise invalid("value", "the workflow's actions name something that is no longer there", "EnumValue", status)
    tx.run(_SET_STATUS, account_id=actor.account_id, id=id, status=status, now=now)


def _check(patch: Patch) -> None:
    if patch.path.removeprefix("/") != "status":
        raise invalid("path", "Expected one of these: '/status'", "EnumValue", patch.path)
    if patch.op != "replace":
        raise invalid("op", "Expected one of these: 'replace'", "EnumValue", patch.op)
    if patch.value not in ("active", "inactive"):
        raise invalid("value", "Expected one of these: 'active', 'inactive'", "EnumValue", shown(patch.value))
