"""Which workflows name something (a tag, an owner, a custom field, …), for those who delete or merge it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeVar

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, command, rows
from deskhand.desk.workflows import actions, conditions
from deskhand.desk.workflows.actions import Action, AddTags, Assign, Move, RemoveTags, Reply, SetField
from deskhand.desk.workflows.conditions import Condition, FieldValue, Group, HasAssignee, HasTag, InInbox
from deskhand.desk.workflows.tables import workflow

Kind = Literal["tag", "owner", "field", "inbox", "reply"]


class Mentioning(msgspec.Struct, frozen=True):
    """A workflow, as it is listed."""

    id: int
    name: str


class _Row(msgspec.Struct, frozen=True):
    id: int
    name: str
    actions: str
    conditions: str


_ALL = rows(
    _Row,
    sa.select(workflow.c.id, workflow.c.name, workflow.c.actions, workflow.c.conditions)
    .where(workflow.c.account_id == P("account_id"))
    .order_by(workflow.c.id),
)

_REPLACE = command(
    sa.update(workflow)
    .where(workflow.c.account_id == P("account_id"), workflow.c.id == P("id"))
    .values(actions=P("actions"), conditions=P("conditions"), modified_at=P("now"))
)
T = TypeVar("T")


def mentioning(db: Reader, account_id: int, kind: Kind, id: int) -> list[Mentioning]:
    """The account's workflows whose conditions or actions name it."""
    return [Mentioning(row.id, row.name) for row in db.all(_ALL, account_id=account_id) if _names(row, kind, id)]


def replace_tag(tx: Writer, account_id: int, tag_id: int, into: int, now: str) -> None:
    """Let the account's workflows name another tag in the place of one that is merged into it."""
    for row in tx.all(_ALL, account_id=account_id):
        if _names(row, "tag", tag_id):
            done = [_with_tag(one, tag_id, into) for one in actions.from_json(row.actions) or ()]
            asked = [
                Group([_with_tag(one, tag_id, into) for one in group.any])
                for group in conditions.from_json(row.conditions) or ()
            ]
            tx.run(
                _REPLACE, account_id=account_id, id=row.id, actions=actions.as_json(done),
                conditions=conditions.as_json(asked), now=now,
            )  # fmt: skip


def _with_tag(one: T, tag_id: int, into: int) -> T:
    """The same, but with another tag where it names one; each tag stays once."""
    if not isinstance(one, AddTags | RemoveTags | HasTag):
        return one
    return msgspec.structs.replace(one, value=list(dict.fromkeys(into if id == tag_id else id for id in one.value)))


def _names(row: _Row, kind: Kind, id: int) -> bool:
    """Whether its actions or conditions name it; those that make no sense name nothing."""
    if any(id in _named_by_action(action, kind) for action in actions.from_json(row.actions) or ()):
        return True
    groups = conditions.from_json(row.conditions) or ()
    return any(id in _named_by_condition(one, kind) for group in groups for one in group.any)


def _named_by_action(action: Action, kind: Kind) -> Collection[int | None]:
    match kind, action:
        case "tag", AddTags(ids) | RemoveTags(ids):
            return ids
        case "owner", Assign(id):
            return (id,)
        case "field", SetField(id, _):
            return (id,)
        case "inbox", Move(id):
            return (id,)
        case "reply", Reply(id):
            return (id,)
    return ()


def _named_by_condition(condition: Condition, kind: Kind) -> Collection[int | None]:
    match kind, condition:
        case "tag", HasTag(_, ids):
            return ids
        case "owner", HasAssignee(_, owners):
            return owners
        case "inbox", InInbox(_, ids):
            return ids
        case "field", FieldValue(field=id):
            return (id,)
    return ()
