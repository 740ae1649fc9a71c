"""Conversations as clients change them by JSON Patch.

Facts: §3 and facts 61-68 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deskhand.lib.clock import MovableClock
from tests.contract.conversations.builders import PATH, faults, listed, patch, read, start, thread
from tests.world import Desk


def test_closing_and_reopening(desk: Desk, inbox: int, clock: MovableClock) -> None:
    id = start(desk, inbox)
    clock.advance(timedelta(minutes=10))
    answer = patch(desk, id, "replace", "/status", "closed")
    assert answer.content == b""
    closed = read(desk, id)
    assert (closed["status"], closed["closedBy"]) == ("closed", desk.user_id)
    assert closed["closedAt"] > closed["createdAt"]
    assert closed["userUpdatedAt"] == closed["closedAt"]
    patch(desk, id, "replace", "/status", "active")
    opened = read(desk, id)
    assert (opened["status"], opened["closedBy"]) == ("active", 0)
    assert not {"closedAt", "closedByUser"} & set(opened) and "closedBy" not in opened["_links"]


@pytest.mark.parametrize(
    ("given", "status"),
    [("active", "active"), ("closed", "closed"), ("pending", "pending"), ("spam", "spam"), ("open", "active")],
)
def test_a_status_can_be_set(desk: Desk, inbox: int, given: str, status: str) -> None:
    id = start(desk, inbox, status="pending" if status != "pending" else "active")
    patch(desk, id, "replace", "/status", given)
    assert read(desk, id)["status"] == status
    assert listed(desk, status=status) == [id]


def test_an_array_of_steps_is_applied_whole_or_not_at_all(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    good = [
        {"op": "replace", "path": "/status", "value": "closed"}, {"op": "replace", "path": "/subject", "value": "Done"},
    ]  # fmt: skip
    assert desk.patch(f"{PATH}/{id}", good).status_code == 204
    assert (read(desk, id)["status"], read(desk, id)["subject"]) == ("closed", "Done")
    bad = [
        {"op": "replace", "path": "/subject", "value": "Not"},
        {"op": "replace", "path": "/status", "value": "Wrong"},
    ]
    assert desk.patch(f"{PATH}/{id}", bad).status_code == 400
    assert read(desk, id)["subject"] == "Done"


@pytest.mark.parametrize("op", ["move", "replace"])
def test_moving_to_another_inbox(desk: Desk, inbox: int, op: str) -> None:
    other = desk.add_inbox()
    id = start(desk, inbox)
    patch(desk, id, op, "/mailboxId", other)
    made = read(desk, id)
    assert made["mailboxId"] == other
    assert made["_links"]["mailbox"]["href"].endswith(f"/v2/mailboxes/{other}")
    assert listed(desk, mailbox=other) == [id] and listed(desk, mailbox=inbox) == []
    folders = desk.get(f"/v2/mailboxes/{other}/folders").json()["_embedded"]["folders"]
    assert made["folderId"] in [folder["id"] for folder in folders]


def test_assigning_and_unassigning(desk: Desk, inbox: int) -> None:
    ines, team = desk.add_user(inboxes=(inbox,)), desk.add_team()
    id = start(desk, inbox)
    for owner, kind in ((ines, "user"), (team, "team"), (desk.user_id, "user")):
        patch(desk, id, "replace", "/assignTo", owner)
        assert (read(desk, id)["assignee"]["id"], read(desk, id)["assignee"]["type"]) == (owner, kind)
    patch(desk, id, "remove", "/assignTo")
    assert "assignee" not in read(desk, id) and "assignee" not in read(desk, id)["_links"]
    patch(desk, id, "remove", "/assignTo")
    patch(desk, id, "replace", "/assignTo", ines)
    patch(desk, id, "remove", "/assignTo", 5)
    assert "assignee" not in read(desk, id), "the value of a removal is ignored"


def test_another_customer(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    made = desk.post("/v2/customers", {"firstName": "Mira", "emails": [{"value": "mira@northwind.example"}]})
    mira = int(made.headers["Resource-ID"])
    patch(desk, id, "replace", "/primaryCustomer.id", mira)
    customer = read(desk, id)["primaryCustomer"]
    assert customer == {"id": mira, "type": "customer", "first": "Mira", "email": "mira@northwind.example"}
    assert read(desk, id)["_links"]["primaryCustomer"]["href"].endswith(f"/v2/customers/{mira}")
    assert listed(desk, query=f"customerIds:{mira}") == [id]


def test_another_subject(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    patch(desk, id, "replace", "/subject", "Something else")
    assert read(desk, id)["subject"] == "Something else"
    patch(desk, id, "replace", "subject", "Without the slash")
    assert read(desk, id)["subject"] == "Without the slash"


def test_publishing_a_draft(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, threads=[thread("reply", "Here", draft=True)])
    patch(desk, id, "replace", "/draft", True)
    assert read(desk, id)["state"] == "draft"
    patch(desk, id, "replace", "/draft", False)
    made = read(desk, id, embed="threads")
    assert (made["state"], made["threads"]) == ("published", 1)
    messages = [one for one in made["_embedded"]["threads"] if one["type"] == "message"]
    assert [one["state"] for one in messages] == ["published"]
    patch(desk, id, "replace", "/draft", False)
    assert read(desk, id)["state"] == "published"


IMPOSSIBLE: list[tuple[str, str, Any]] = [
    ("replace", "/foo", 1),
    ("replace", "/", 1),
    ("replace", "/threads", 1),
    ("replace", "/primaryCustomer", 1),
    ("replace", "/primaryCustomer/id", 1),
    ("remove", "/status", ...),
    ("remove", "/subject", ...),
    ("remove", "/mailboxId", ...),
    ("move", "/status", "closed"),
    ("move", "/assignTo", 2),
    ("test", "/status", "active"),
    ("copy", "/status", "active"),
    ("Replace", "/status", "closed"),
    ("replace", "/status", "Wrong"),
    ("replace", "/status", ["closed"]),
    ("replace", "/status", None),
    ("replace", "/status", ...),
    ("replace", "/subject", 5),
    ("replace", "/subject", None),
    ("replace", "/subject", ...),
    ("replace", "/draft", "no"),
    ("replace", "/draft", ...),
    ("replace", "/assignTo", 1),
    ("replace", "/assignTo", 0),
    ("replace", "/assignTo", -3),
    ("replace", "/assignTo", 1.5),
    ("replace", "/assignTo", True),
    ("replace", "/assignTo", "ines"),
    ("replace", "/assignTo", 999_999_999),
    ("replace", "/assignTo", ...),
    ("move", "/mailboxId", 999_999_999),
    ("move", "/mailboxId", "x"),
    ("move", "/mailboxId", ...),
    ("replace", "/primaryCustomer.id", 999_999_999),
    ("replace", "/primaryCustomer.id", {"id": 1}),
]


def test_a_step_that_is_not_possible_is_400_and_changes_nothing(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    before = read(desk, id, embed="threads")
    for op, path, value in IMPOSSIBLE:
        assert len(faults(patch(desk, id, op, path, value, status=400))) == 1, (op, path, value)
    assert read(desk, id, embed="threads") == before


@pytest.mark.parametrize("body", [{}, {"op": "replace"}, {"path": "/status", "value": "closed"}, {"status": "closed"}])
def test_a_patch_without_op_or_path_is_400(desk: Desk, inbox: int, body: dict[str, Any]) -> None:
    assert desk.patch(f"{PATH}/{start(desk, inbox)}", body).status_code == 400


def test_a_change_is_told_by_a_line_item(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    other = desk.add_inbox()
    for op, path, value in (
        ("replace", "/status", "closed"),
        ("replace", "/assignTo", desk.user_id),
        ("move", "/mailboxId", other),
    ):
        patch(desk, id, op, path, value)
    items = [one for one in read(desk, id, embed="threads")["_embedded"]["threads"] if one["type"] == "lineitem"]
    assert len(items) == 3
    for item in items:
        assert item["action"]["text"]
        assert "body" not in item
        assert item["createdBy"]["id"] == desk.user_id
    moved = [item["action"] for item in items if item["action"]["type"] != "default"]
    assert [action["type"] for action in moved] == ["moved-from-mailbox"]
    assert moved[0]["associatedEntities"] == {"mailbox": inbox}
