"""How an inbox's new conversations are given to users. Facts: §4 and facts 54, 55 of the wire contract's half B
(https://developer.helpscout.com/mailbox-api/endpoints/inboxes/routing/routing-configuration-get/).
"""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.desk.users import verbs as users
from tests.desk.conversations.builders import done, faults, patch, start
from tests.world import Desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def place(inbox: int) -> str:
    return f"/v2/mailboxes/{inbox}/routing"


def rules(*user_ids: Any, **changes: Any) -> dict[str, Any]:
    return {
        "state": "enabled", "assignmentLimit": 2, "assignmentMethod": "round_robin", "userIds": list(user_ids),
    } | changes  # fmt: skip


def read(desk: Desk, inbox: int) -> Any:
    answer = desk.get(place(inbox))
    assert answer.status_code == 200, answer.text
    return answer.json()


def reasons(desk: Desk, inbox: int) -> dict[int, str | None]:
    return {one["userId"]: one.get("reason") for one in read(desk, inbox)["rotation"]}


def test_before_anybody_chose_nobody_is_in_rotation(desk: Desk, inbox: int) -> None:
    ines = desk.add_user(inboxes=(inbox,))
    desk.add_user()
    answer = desk.get(place(inbox))
    assert answer.headers["Content-Type"] == "application/hal+json"
    assert answer.json() == {
        "state": "disabled", "assignmentLimit": 100, "assignmentMethod": "round_robin", "userIds": [],
        "rotation": [
            {"userId": id, "conversationsCount": 0, "eligible": False, "reason": "not_in_rotation"}
            for id in (desk.user_id, ines)
        ],
        "_links": {"self": {"href": desk.server.url + place(inbox)}},
    }  # fmt: skip


def test_what_is_set_is_read(desk: Desk, inbox: int) -> None:
    ines, lea = desk.add_user(inboxes=(inbox,)), desk.add_user(inboxes=(inbox,))
    done(desk.put(place(inbox), rules(lea, ines, lea, assignmentMethod="balanced", assignmentLimit=100)))
    found = read(desk, inbox)
    assert (found["state"], found["assignmentLimit"], found["assignmentMethod"]) == ("enabled", 100, "balanced")
    assert found["userIds"] == [lea, ines], "in their order, each once"
    assert [one["userId"] for one in found["rotation"]] == [lea, ines, desk.user_id]
    done(desk.put(place(inbox), rules(state="disabled", assignmentLimit=1)))
    found = read(desk, inbox)
    assert (found["state"], found["assignmentLimit"], found["userIds"]) == ("disabled", 1, [])


def test_the_rotation_tells_who_can_be_given_more_and_why_not(desk: Desk, inbox: int) -> None:
    ines, lea, omar, zoe = (desk.add_user(inboxes=(inbox,)) for _ in range(4))
    done(desk.put(place(inbox), rules(ines, lea, omar)))
    kept = [start(desk, inbox, assignTo=ines), start(desk, inbox, assignTo=ines)]
    start(desk, inbox, assignTo=ines, status="closed")
    start(desk, inbox, assignTo=lea, status="pending")
    start(desk, desk.add_inbox(), assignTo=lea)
    start(desk, inbox, assignTo=lea)
    done(desk.put(f"/v2/users/{omar}/status", {"status": "away"}))
    assert read(desk, inbox)["rotation"] == [
        {"userId": ines, "conversationsCount": 2, "eligible": False, "reason": "at_capacity"},
        {"userId": lea, "conversationsCount": 1, "eligible": True},
        {"userId": omar, "conversationsCount": 0, "eligible": False, "reason": "away"},
        {"userId": desk.user_id, "conversationsCount": 0, "eligible": False, "reason": "not_in_rotation"},
        {"userId": zoe, "conversationsCount": 0, "eligible": False, "reason": "not_in_rotation"},
    ]
    done(patch(desk, kept[0], "/status", "closed"))
    done(desk.put(f"/v2/users/{omar}/status", {"status": "active"}))
    assert [reasons(desk, inbox)[id] for id in (ines, lea, omar)] == [None] * 3


def test_who_no_longer_sees_the_inbox_leaves_the_rotation(desk: Desk, inbox: int) -> None:
    ines, lea = desk.add_user(inboxes=(inbox,)), desk.add_user(inboxes=(inbox,))
    done(desk.put(place(inbox), rules(ines, lea)))
    desk.write(lambda tx: users.set_inboxes(tx, desk.account_id, ines, ()))
    assert read(desk, inbox)["userIds"] == [lea]
    done(desk.delete(f"/v2/users/{lea}"))
    found = read(desk, inbox)
    assert (found["userIds"], [one["userId"] for one in found["rotation"]]) == ([], [desk.user_id])


@pytest.mark.parametrize(
    ("changes", "at_fault"),
    [
        ({"userIds": []}, ["userIds"]),
        ({"assignmentLimit": 101}, ["assignmentLimit"]),
        ({"assignmentLimit": 0}, ["assignmentLimit"]),
        ({"assignmentLimit": "5"}, ["assignmentLimit"]),
        ({"assignmentLimit": 1.5}, ["assignmentLimit"]),
        ({"assignmentLimit": True}, ["assignmentLimit"]),
        ({"assignmentLimit": 10**30}, ["assignmentLimit"]),
        ({"state": "on"}, ["state"]),
        ({"state": None, "assignmentMethod": None}, ["state", "assignmentMethod"]),
        ({"assignmentMethod": "random"}, ["assignmentMethod"]),
        ({"userIds": None}, ["userIds"]),
        ({"userIds": "5"}, ["userIds"]),
        ({"userIds": [0]}, ["userIds[0]"]),
        ({"userIds": [2**63]}, ["userIds[0]"]),
        ({"userIds": [2**63 - 1]}, ["userIds[0]"]),
        ({"userIds": list(range(1, 1_002))}, ["userIds"]),
    ],
)
def test_a_wrong_setting_is_refused_and_named(
    desk: Desk, inbox: int, changes: dict[str, Any], at_fault: list[str]
) -> None:
    done(desk.put(place(inbox), rules(desk.user_id)))
    before = read(desk, inbox)
    assert faults(desk.put(place(inbox), rules(desk.user_id) | changes)) == at_fault
    assert read(desk, inbox) == before


def test_all_four_fields_are_required(desk: Desk, inbox: int) -> None:
    assert faults(desk.put(place(inbox), {})) == ["state", "assignmentLimit", "assignmentMethod", "userIds"]


def test_only_users_who_see_the_inbox_can_be_in_rotation(desk: Desk, inbox: int) -> None:
    stranger, team, triage = desk.add_user(), desk.add_team(), desk.add_system_user()
    gone = desk.add_user(inboxes=(inbox,))
    done(desk.delete(f"/v2/users/{gone}"))
    wrong = rules(desk.user_id, stranger, team, triage, gone)
    assert faults(desk.put(place(inbox), wrong)) == [f"userIds[{number}]" for number in range(1, 5)]
    assert read(desk, inbox)["userIds"] == []


def test_routing_is_for_owners_and_administrators_to_set(desk: Desk, inbox: int) -> None:
    for role, status in (("admin", 204), ("user", 403), ("light user", 403)):
        caller = desk.as_user(desk.add_user(role=role, inboxes=(inbox,)))
        assert caller.put(place(inbox), rules(desk.user_id)).status_code == status
        assert caller.get(place(inbox)).status_code == 200
    assert desk.put(place(999_999_999), rules(desk.user_id)).status_code == 404
