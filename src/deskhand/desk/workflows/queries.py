"""Reading workflows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.workflows import WorkflowType
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, columns, rows, value
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.workflows import naming
from deskhand.desk.workflows.actions import Action, from_json
from deskhand.desk.workflows.tables import workflow

PAGE_SIZE = 50


class WorkflowRow(msgspec.Struct, frozen=True):
    """A workflow as stored; `actions` is JSON, see actions.py."""

    id: int
    account_id: int
    inbox_id: int
    type: WorkflowType
    status: Literal["active", "inactive", "invalid"]
    position: int
    name: str
    actions: str
    created_at: str
    modified_at: str


_ALL = sa.select(*columns(workflow, *WorkflowRow.__struct_fields__)).where(workflow.c.account_id == P("account_id"))
_IN = ids_in(workflow.c.inbox_id, P("inboxes", sa.Text))
_TYPE = workflow.c.type == P("type")


def _listing(*conditions: sa.ColumnElement[bool]) -> tuple[Any, Any]:
    """The statements of a page and of how many there are."""
    found = _ALL.where(*conditions)
    page = (
        found.order_by(workflow.c.inbox_id, workflow.c.position, workflow.c.id)
        .limit(P("size", sa.Integer))
        .offset(P("start", sa.BigInteger))
    )
    return rows(WorkflowRow, page), value(int, sa.select(sa.func.count()).select_from(found.subquery()))


_LISTS = {
    (False, False): _listing(),
    (False, True): _listing(_TYPE),
    (True, False): _listing(_IN),
    (True, True): _listing(_IN, _TYPE),
}
"""By whether only some inboxes and only one type are asked for."""
_BY_ID = rows(WorkflowRow, _ALL.where(workflow.c.id == P("id")))


def find(
    db: Reader, account_id: int, inboxes: tuple[int, ...] | None, type: str | None, page: int
) -> tuple[list[WorkflowRow], int]:
    """A page of workflows by inbox and order, and how many there are; of some inboxes or of all (None)."""
    listed, counted = _LISTS[inboxes is not None, type is not None]
    wanted = {"account_id": account_id, "inboxes": json.dumps(inboxes), "type": type}
    found = db.all(listed, **wanted, size=PAGE_SIZE, start=(page - 1) * PAGE_SIZE)
    return found, db.first(counted, **wanted)


def seen_by(db: Reader, actor: Actor, id: int) -> WorkflowRow:
    """A workflow; raises NotFound, and AccessDenied where the caller may not see its inbox."""
    found = db.one(_BY_ID, account_id=actor.account_id, id=id)
    if found is None:
        raise NotFound
    access.require_inbox(actor, found.inbox_id)
    return found


def broken(db: Reader, account_id: int, workflows: Sequence[WorkflowRow]) -> set[int]:
    """Which of some workflows can't run, because their actions make no sense or name what is no longer there."""
    kept = {row.id: from_json(row.actions) for row in workflows}
    every: list[Action] = [action for actions in kept.values() for action in actions or ()]
    named = naming.named_by(db, account_id, (row.inbox_id for row in workflows), every)

    def is_broken(row: WorkflowRow) -> bool:
        actions = kept[row.id]
        return actions is None or bool(naming.faults(row.inbox_id, actions, named))

    return {row.id for row in workflows if is_broken(row)}
