"""Making workflows, changing and deleting them, and switching them on and off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.conversations import Patch
from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, empty, invalid, shown, unknown_id
from deskhand.catalogue.workflows import WorkflowType
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, command, rows, value
from deskhand.desk.access import require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.users import verbs as users
from deskhand.desk.workflows import conditions, naming, queries
from deskhand.desk.workflows.actions import ACTIONS_MOST, Action, as_json
from deskhand.desk.workflows.conditions import Groups, Time
from deskhand.desk.workflows.queries import WorkflowRow
from deskhand.desk.workflows.tables import workflow

ACTOR = "Workflow"
"""The first name of the system users as whom workflows act."""
NAME_MOST = 100
"""Characters of a workflow's name. Source: our choice."""


class NewWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow to be added; without a `position` (from 1) it comes last in its inbox."""

    account_id: int
    inbox_id: int
    name: str
    actions: Sequence[Action]
    type: WorkflowType = "manual"
    status: Literal["active", "inactive"] = "active"
    position: int = 0
    conditions: Groups = ()
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
    looked_at: str | None
    created_at: str
    modified_at: str


class Acting(msgspec.Struct, frozen=True):
    """A workflow, and the system user as whom it acts, if there is one yet."""

    id: int
    name: str
    actor_id: int | None


_ADD = Insert(workflow, _Row)
_LAST = value(
    int,
    sa.select(sa.func.coalesce(sa.func.max(workflow.c.position), sa.literal_column("0"))).where(
        workflow.c.account_id == P("account_id"), workflow.c.inbox_id == P("inbox_id")
    ),
)
_ONE = (workflow.c.account_id == P("account_id"), workflow.c.id == P("id"))
# Kept: what is about to come would be lost if time were looked at from now on only.
_LOOKED_AT = sa.case((P("keep", sa.Integer) == sa.literal_column("1"), workflow.c.looked_at), else_=P("looked_at"))
_CHANGED = {"looked_at": _LOOKED_AT, "invalid_because": sa.literal_column("''"), "modified_at": P("now")}
_SET_STATUS = command(sa.update(workflow).where(*_ONE).values(status=P("status"), **_CHANGED))
_REPLACE = command(
    sa.update(workflow)
    .where(*_ONE)
    .values(
        name=P("name"),
        status=P("status"),
        position=P("position"),
        actions=P("actions"),
        conditions=P("conditions"),
        **_CHANGED,
    )
)
_DELETE = command(sa.delete(workflow).where(*_ONE))
_INVALIDATE = command(
    sa.update(workflow)
    .where(*_ONE)
    .values(
        status=sa.literal_column("'invalid'"),
        invalid_because=P("because"),
        looked_at=sa.null(),
        modified_at=P("now"),
    )
)
_LOCKED = rows(
    Acting,
    sa.select(workflow.c.id, workflow.c.name, workflow.c.actor_id).where(*_ONE).with_for_update(),
)
_PLACE = command(sa.update(workflow).where(*_ONE).values(position=P("position")))
_SET_ACTOR = command(sa.update(workflow).where(*_ONE).values(actor_id=P("actor_id")))


def add(tx: Writer, new: NewWorkflow) -> int:
    """Add a workflow; gives its id. Raises BadRequest naming `inbox_id`, `name`, `conditions` or `actions`."""
    if inboxes.by_id(tx, new.account_id, new.inbox_id) is None:
        raise unknown_id("inbox_id", new.inbox_id, "inbox")
    require_sound(tx, new)
    position = new.position or 1 + tx.first(_LAST, account_id=new.account_id, inbox_id=new.inbox_id)
    row = _Row(
        account_id=new.account_id,
        inbox_id=new.inbox_id,
        type=new.type,
        status=new.status,
        position=position,
        name=new.name.strip(),
        actions=as_json(new.actions),
        conditions=conditions.as_json(new.conditions),
        looked_at=_looked_at(new.status, new.conditions, new.created_at),
        created_at=new.created_at,
        modified_at=new.created_at,
    )
    return tx.add(_ADD, row)


def require_sound(db: Reader, new: NewWorkflow) -> None:
    """Raises BadRequest naming all that is wrong with a workflow of an inbox that is there."""
    faults = [*_size_faults(new)]
    if not faults:
        named = naming.named_by(
            db, new.account_id, (new.inbox_id,), new.actions, list(conditions.every(new.conditions))
        )
        faults = naming.every_fault(new.inbox_id, new.conditions, new.actions, named)
    if faults:
        raise BadRequest(*faults)


def _looked_at(status: str, groups: Groups, now: str) -> str | None:
    """From when on time is looked at: what was over by then is let alone until something happens to it."""
    return now if status == "active" and conditions.thresholds(groups) else None


def _size_faults(new: NewWorkflow) -> list[FieldError]:
    faults = []
    if not new.name.strip():
        faults.append(empty("name"))
    if len(new.name) > NAME_MOST:
        faults.append(FieldError("name", f"must have at most {NAME_MOST} characters", "Size", new.name[:200]))
    if new.type == "automatic" and not new.conditions:
        faults.append(empty("conditions"))
    if new.type == "manual" and new.conditions:
        faults.append(FieldError("conditions", "only automatic workflows have conditions", "Size"))
    if not new.actions:
        faults.append(empty("actions"))
    if len(new.actions) > ACTIONS_MOST:
        faults.append(FieldError("actions", f"must have at most {ACTIONS_MOST} elements", "Size"))
    return faults


def replace(tx: Writer, id: int, new: NewWorkflow) -> None:
    """Put a workflow in the place of one of the same inbox and type; on which it ran, it does not run again.

    Raises NotFound, and BadRequest as `add` does.
    """
    row = queries.by_id(tx, new.account_id, id)
    if row is None:
        raise NotFound
    for path, given, kept in (("inbox_id", new.inbox_id, row.inbox_id), ("type", new.type, row.type)):
        if given != kept:
            raise invalid(path, f"can't be changed: it is {kept}", "ValidIdentifier", given)
    require_sound(tx, new)
    now = new.created_at
    tx.run(
        _REPLACE,
        account_id=new.account_id,
        id=id,
        name=new.name.strip(),
        status=new.status,
        position=new.position or row.position,
        actions=as_json(new.actions),
        conditions=conditions.as_json(new.conditions),
        looked_at=_looked_at(new.status, new.conditions, now),
        keep=int(row.status == "active" == new.status and _waits_for(row) == conditions.thresholds(new.conditions)),
        now=now,
    )
    found = tx.first(_LOCKED, account_id=new.account_id, id=id)
    if found.actor_id is not None:
        users.rename(tx, new.account_id, found.actor_id, ACTOR, found.name, now)


def _waits_for(row: WorkflowRow) -> set[tuple[type[Time], timedelta]]:
    return conditions.thresholds(conditions.from_json(row.conditions) or ())


def delete(tx: Writer, account_id: int, id: int, now: str) -> None:
    """Delete a workflow; what it did stays, and goes on naming it. Raises NotFound."""
    found = tx.one(_LOCKED, account_id=account_id, id=id)
    if found is None:
        raise NotFound
    if found.actor_id is not None:
        users.set_state(tx, account_id, found.actor_id, "inactive", now)
    tx.run(_DELETE, account_id=account_id, id=id)


def invalidate(tx: Writer, account_id: int, id: int, because: str, now: str) -> None:
    """Switch a workflow off that can't run any more, and say why."""
    tx.run(_INVALIDATE, account_id=account_id, id=id, because=because, now=now)


def actor_of(tx: Writer, account_id: int, id: int, now: str) -> int:
    """The system user as whom a workflow acts by itself, made when it first does."""
    found = tx.first(_LOCKED, account_id=account_id, id=id)
    if found.actor_id is not None:
        return found.actor_id
    new = users.NewStaff(
        account_id=account_id,
        type="system_user",
        first_name=ACTOR,
        last_name=found.name,
        created_at=now,
        updated_at=now,
    )
    actor_id = users.add_staff(tx, new)
    tx.run(_SET_ACTOR, account_id=account_id, id=id, actor_id=actor_id)
    return actor_id


def switch(tx: Writer, account_id: int, id: int, status: Literal["active", "inactive"], now: str) -> None:
    """Switch a workflow on or off; raises NotFound, and BadRequest for one that can't run."""
    row = queries.by_id(tx, account_id, id)
    if row is None:
        raise NotFound
    broken = queries.why_broken(tx, account_id, [row]).get(id) if status == "active" else None
    if broken:
        raise invalid("value", f"the workflow can't run: {broken}", "EnumValue", status)
    looked_at = _looked_at(status, conditions.from_json(row.conditions) or (), now)
    keep = int(row.status == "active" == status)
    tx.run(_SET_STATUS, account_id=account_id, id=id, status=status, looked_at=looked_at, keep=keep, now=now)


def shift(tx: Writer, account_id: int, id: int, by: Literal[-1, 1]) -> None:
    """Let a workflow change places with the one before it (-1) or after it (1) in its inbox. Raises NotFound.

    Manual ones count among themselves. What they do stays, so they count as unchanged.
    """
    row = queries.by_id(tx, account_id, id)
    if row is None:
        raise NotFound
    every = queries.every(tx, account_id, row.inbox_id)
    order = [one.id for one in every if one.type == row.type]
    at = order.index(id)
    other = at + by
    if 0 <= other < len(order):
        order[at], order[other] = order[other], order[at]
    positions = {one.id: one.position for one in every}
    for position, one in enumerate(order, 1):
        if positions[one] != position:
            tx.run(_PLACE, account_id=account_id, id=one, position=position)


def change(tx: Writer, actor: Actor, id: int, patches: Sequence[Patch], now: str) -> None:
    """Switch a workflow on or off; raises NotFound, AccessDenied and BadRequest.

    Source: https://developer.helpscout.com/mailbox-api/endpoints/workflows/update
    """
    queries.seen_by(tx, actor, id)
    require_administrator(actor)
    if not patches:
        raise BadRequest(empty("op"))
    for patch in patches:
        _check(patch)
    status = patches[-1].value
    switch(tx, actor.account_id, id, status, now)


def _check(patch: Patch) -> None:
    if patch.path.removeprefix("/") != "status":
        raise invalid("path", "Expected one of these: '/status'", "EnumValue", patch.path)
    if patch.op != "replace":
        raise invalid("op", "Expected one of these: 'replace'", "EnumValue", patch.op)
    if patch.value not in ("active", "inactive"):
        raise invalid("value", "Expected one of these: 'active', 'inactive'", "EnumValue", shown(patch.value))
