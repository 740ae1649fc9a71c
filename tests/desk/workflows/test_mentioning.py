"""Which workflows name a tag, an owner, a field, an inbox or a saved reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from deskhand.db.statements import command
from deskhand.desk.tags.verbs import named
from deskhand.desk.workflows import actions, conditions, queries
from deskhand.desk.workflows.actions import Action, AddTags, Assign, Move, RemoveTags, Reply, SetField, SetStatus
from deskhand.desk.workflows.conditions import FieldValue, Group, HasAssignee, HasTag, InInbox
from deskhand.desk.workflows.mentioning import Kind, mentioning, replace_tag
from deskhand.desk.workflows.tables import workflow
from tests.world import Desk


def names(desk: Desk, kind: Kind, id: int) -> list[str]:
    found = desk.server.app.database.read_now(lambda db: mentioning(db, desk.account_id, kind, id))
    return [one.name for one in found]


def put(desk: Desk, name: str, done: Sequence[Action], asked: Sequence[Group] = ()) -> None:
    """A workflow that names what there is not, as one does when that was deleted."""
    id = desk.add_workflow(desk.add_inbox(), SetStatus("closed"), name=name)
    values = {"actions": actions.as_json(done), "conditions": conditions.as_json(tuple(asked))}
    statement = command(workflow.update().where(workflow.c.id == id).values(values), keep=False)
    desk.write(lambda tx: tx.run(statement))


@pytest.mark.parametrize(
    "kind, action",
    [
        ("tag", AddTags([5, 77])),
        ("tag", RemoveTags([77])),
        ("owner", Assign(77)),
        ("field", SetField(77, "x")),
        ("inbox", Move(77)),
        ("reply", Reply(77)),
    ],
)
def test_an_action_names_it(desk: Desk, kind: Kind, action: Action) -> None:
    put(desk, "Names it", [SetStatus("closed"), action])
    put(desk, "Names nothing", [SetStatus("closed")])
    assert names(desk, kind, 77) == ["Names it"] and names(desk, kind, 78) == []
    others: Sequence[Any] = [one for one in ("tag", "owner", "field", "inbox", "reply") if one != kind]
    assert not any(names(desk, other, 77) for other in others)


@pytest.mark.parametrize(
    "kind, condition",
    [
        ("tag", HasTag("is", [77])),
        ("owner", HasAssignee("is", [None, 77])),
        ("field", FieldValue("is", "x", 77)),
        ("inbox", InInbox("is_not", [77])),
    ],
)
def test_a_condition_names_it(desk: Desk, kind: Kind, condition: Any) -> None:
    put(desk, "Asks", [SetStatus("closed")], [Group([condition])])
    assert names(desk, kind, 77) == ["Asks"] and names(desk, kind, 78) == []


def test_a_merged_tag_is_replaced_once_in_what_is_asked_and_done(desk: Desk) -> None:
    old, new = (row.id for row in desk.write(lambda tx: named(tx, desk.account_id, ["old", "new"], desk.now)))
    groups = [Group([HasTag("is_not", [old]), HasTag("is", [new, old])])]
    done = (AddTags([old, new]), SetStatus("closed"), RemoveTags([old]))
    id = desk.add_workflow(desk.add_inbox(), *done, type="automatic", conditions=groups)
    desk.write(lambda tx: replace_tag(tx, desk.account_id, old, new, desk.now))
    row = desk.server.app.database.read_now(lambda db: queries.by_id(db, desk.account_id, id))
    assert row is not None
    assert actions.from_json(row.actions) == [AddTags([new]), SetStatus("closed"), RemoveTags([new])]
    assert conditions.from_json(row.conditions) == (Group([HasTag("is_not", [new]), HasTag("is", [new])]),)
