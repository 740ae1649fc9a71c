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
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.users.tables import staff
from deskhand.desk.workflows import conditions, naming
from deskhand.desk.workflows.actions import Action, from_json
from deskhand.desk.workflows.tables import workflow, workflow_run

PAGE_SIZE = 50
_NEWEST = 2**62


class WorkflowRow(msgspec.Struct, frozen=True):
    """A workflow as stored; `actions` and `conditions` are JSON, see actions.py and conditions.py."""

    id: int
    account_id: int
    inbox_id: int
    type: WorkflowType
    status: Literal["active", "inactive", "invalid"]
    position: int
    name: str
    actions: str
    conditions: str
    invalid_because: str
    created_at: str
    modified_at: str


class RunRow(msgspec.Struct, frozen=True):
    """That a workflow ran on a conversation: by itself, or started by a user; the conversation may be gone."""

    id: int
    conversation_id: int
    number: int | None
    subject: str | None
    user_id: int | None
    first_name: str | None
    last_name: str | None
    at: str


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
_ORDER = (workflow.c.inbox_id, workflow.c.position, workflow.c.id)
_EVERY = rows(WorkflowRow, _ALL.order_by(*_ORDER))
_EVERY_IN = rows(WorkflowRow, _ALL.where(_IN).order_by(*_ORDER))
_BY_HAND = rows(
    WorkflowRow,
    _ALL.where(
        workflow.c.inbox_id == P("inbox_id"),
        workflow.c.type == sa.literal_column("'manual'"),
        workflow.c.status == sa.literal_column("'active'"),
    ).order_by(*_ORDER),
)
_RUNS = rows(
    RunRow,
    sa.select(
        workflow_run.c.id,
        workflow_run.c.conversation_id,
        conversation.c.number,
        conversation.c.subject,
        workflow_run.c.user_id,
        staff.c.first_name,
        staff.c.last_name,
        workflow_run.c.at,
    )
    .select_from(workflow_run)
    .outerjoin(
        conversation,
        sa.and_(
            conversation.c.id == workflow_run.c.conversation_id, conversation.c.account_id == workflow_run.c.account_id
        ),
    )
    .outerjoin(staff, sa.and_(staff.c.id == workflow_run.c.user_id, staff.c.account_id == workflow_run.c.account_id))
    .where(
        workflow_run.c.account_id == P("account_id"),
        workflow_run.c.workflow_id == P("workflow_id"),
        workflow_run.c.id < P("before_id", sa.BigInteger),
    )
    .order_by(workflow_run.c.id.desc())
    .limit(P("most", sa.Integer)),
)
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


def by_id(db: Reader, account_id: int, id: int) -> WorkflowRow | None:
    """A workflow of the account, whoever may see its inbox."""
    return db.one(_BY_ID, account_id=account_id, id=id)


def every(db: Reader, account_id: int, inbox_id: int | None = None) -> list[WorkflowRow]:
    """All workflows by inbox and order, of one inbox or of all."""
    inboxes = None if inbox_id is None else json.dumps([inbox_id])
    listed = _EVERY if inboxes is None else _EVERY_IN
    return db.all(listed, account_id=account_id, inboxes=inboxes)


def by_hand(db: Reader, account_id: int, inbox_id: int) -> list[WorkflowRow]:
    """The workflows of an inbox that people can run now, in order, as they are known."""
    return db.known(_BY_HAND, account_id=account_id, inbox_id=inbox_id)


def runs(
    db: Reader, account_id: int, workflow_id: int, before_id: int = _NEWEST, most: int = PAGE_SIZE
) -> list[RunRow]:
    """On which conversations a workflow ran, the newest first, those before `before_id`."""
    return db.all(_RUNS, account_id=account_id, workflow_id=workflow_id, before_id=before_id, most=most)


def existing(db: Reader, account_id: int, id: int) -> WorkflowRow:
    """A workflow of the account that is surely there."""
    return db.first(_BY_ID, account_id=account_id, id=id)


def broken(db: Reader, account_id: int, workflows: Sequence[WorkflowRow]) -> set[int]:
    """Which of some workflows can't run, because they make no sense or name what is no longer there."""
    return set(why_broken(db, account_id, workflows))


def why_broken(db: Reader, account_id: int, workflows: Sequence[WorkflowRow]) -> dict[int, str]:
    """The same, with the reason in words."""
    kept = {row.id: (from_json(row.actions), conditions.from_json(row.conditions)) for row in workflows}
    actions: list[Action] = [action for one, _ in kept.values() for action in one or ()]
    every = [condition for _, groups in kept.values() for condition in conditions.every(groups or ())]
    named = naming.named_by(db, account_id, [row.inbox_id for row in workflows], actions, every)

    def reason(row: WorkflowRow) -> str:
        does, groups = kept[row.id]
        if does is None or groups is None:
            return f"its {'actions' if does is None else 'conditions'} make no sense"
        faults = naming.every_fault(row.inbox_id, groups, does, named)
        return faults[0].message if faults else ""

    return {row.id: text for row in workflows if (text := reason(row))}
