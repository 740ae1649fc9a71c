"""Making workflows: what is refused, and where a new one stands."""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.catalogue.problems import BadRequest
from deskhand.desk.users import verbs as users
from deskhand.desk.workflows.actions import AddNote, AddTags, Assign, Move, RemoveTags, SetField, SetStatus
from tests.desk.conversations.builders import read, start
from tests.world import Desk, open_desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def refused(desk: Desk, inbox: int, *actions: Any, **workflow: Any) -> list[tuple[str, str]]:
    with pytest.raises(BadRequest) as caught:
        desk.add_workflow(inbox, *actions, **workflow)
    assert desk.get("/v2/workflows").json()["page"]["totalElements"] == 0
    return [(error.path, error.message) for error in caught.value.errors]


def test_a_new_workflow_comes_last_in_its_inbox(desk: Desk, inbox: int) -> None:
    for number in (inbox, inbox, desk.add_inbox()):
        desk.add_workflow(number, SetStatus("closed"))
    found = desk.get("/v2/workflows").json()["_embedded"]["workflows"]
    assert [one["order"] for one in found] == [1, 2, 1]


def test_a_workflow_needs_an_inbox_a_name_and_something_to_do(desk: Desk, inbox: int) -> None:
    stranger = open_desk(desk.server)
    assert refused(desk, stranger.add_inbox(), SetStatus("closed")) == [("inbox_id", "no such inbox")]
    assert [path for path, _ in refused(desk, inbox, name=" ")] == ["name", "actions"]
    assert [path for path, _ in refused(desk, inbox, SetStatus("closed"), name="x" * 101)] == ["name"]
    assert [path for path, _ in refused(desk, inbox, *[SetStatus("closed")] * 51)] == ["actions"]


def test_whatever_an_action_names_must_be_there(desk: Desk, inbox: int) -> None:
    stranger, sales = open_desk(desk.server), desk.add_inbox()
    foreign = stranger.add_inbox()
    gone = desk.add_user()
    desk.write(lambda tx: users.set_state(tx, desk.account_id, gone, "inactive", desk.now))
    there = desk.add_field(sales, "Order", "number")
    tag = read(stranger, start(stranger, foreign, tags=["vip"]))["tags"][0]["id"]
    problems = refused(
        desk, inbox, Assign(gone), Assign(stranger.user_id), AddTags([tag]), RemoveTags([tag, 999_999_999]),
        Move(foreign), SetField(there, "1"), AddNote("x"), Assign(None),
    )  # fmt: skip
    assert problems == [
        ("actions[0]", f"there is no user or team {gone}"),
        ("actions[1]", f"there is no user or team {stranger.user_id}"),
        ("actions[2]", f"there is no tag {tag}"),
        ("actions[3]", f"there is no tag {tag}, 999999999"),
        ("actions[4]", f"there is no inbox {foreign}"),
        ("actions[5]", f"there is no custom field {there} in inbox {foreign}"),
    ]


def test_a_field_belongs_to_the_inbox_in_which_the_conversation_lies_by_then(desk: Desk, inbox: int) -> None:
    sales = desk.add_inbox()
    here, there = desk.add_field(inbox, "Here", "number"), desk.add_field(sales, "There", "number")
    assert [path for path, _ in refused(desk, inbox, SetField(there, "1"), Move(sales), SetField(here, "1"))] == [
        "actions[0]", "actions[2]",
    ]  # fmt: skip
    assert refused(desk, inbox, SetField(here, "many")) == [
        ("actions[0]", "the value of Here must be an integer of at most 255 digits")
    ]
    assert desk.add_workflow(inbox, SetField(here, ""), Move(sales), SetField(there, "1"))


def test_system_users_and_teams_can_be_assigned_to(desk: Desk, inbox: int) -> None:
    assert desk.add_workflow(inbox, Assign(desk.add_team()), Assign(desk.add_system_user()))
