"""Workflows at `/admin/v1`: made, shown, changed, tried and deleted; whatever is wrong is named by its place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.admin.door import Admin, administer
from tests.desk.conversations.builders import read, start
from tests.desk.workflows.waiting import ran
from tests.world import Desk, open_desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def written(inbox: int, **more: Any) -> dict[str, Any]:
    return {
        "inbox_id": inbox,
        "name": "Refunds",
        "type": "automatic",
        "conditions": [{"any": [{"about": "subject", "op": "contains", "value": "refund"}]}],
        "actions": [{"do": "status", "value": "pending"}],
        **more,
    }


def test_one_is_made_and_works(desk: Desk, admin: Admin, inbox: int) -> None:
    made = admin.post("/workflows", written(inbox))
    assert {name: made[name] for name in written(inbox)} == written(inbox)
    assert (made["status"], made["position"], made["invalid_because"]) == ("active", 1, "")
    assert admin.get(f"/workflows/{made['id']}") == made
    assert admin.get("/workflows") == admin.get("/workflows", inbox_id=inbox) == {"workflows": [made]}
    assert admin.get("/workflows", inbox_id=desk.add_inbox()) == {"workflows": []}
    id = start(desk, inbox, subject="Refund")
    ran(desk, id)
    assert read(desk, id)["status"] == "pending"


def test_one_is_changed_and_deleted(desk: Desk, admin: Admin, inbox: int) -> None:
    id = admin.post("/workflows", written(inbox))["id"]
    other = written(inbox, name="Other", status="inactive", position=7, actions=[{"do": "status", "value": "closed"}])
    changed = admin.put(f"/workflows/{id}", other)
    assert {name: changed[name] for name in other} == other
    assert admin.refused("PUT", f"/workflows/{id}", written(desk.add_inbox()))[1] == [
        ("inbox_id", f"can't be changed: it is {inbox}")
    ]
    manual = written(inbox, type="manual", conditions=[])
    assert admin.refused("PUT", f"/workflows/{id}", manual)[1] == [("type", "can't be changed: it is automatic")]
    admin.delete(f"/workflows/{id}")
    for method in ("GET", "DELETE"):
        assert admin.refused(method, f"/workflows/{id}")[0] == 404
    assert admin.refused("PUT", f"/workflows/{id}", other)[0] == 404
    assert admin.refused("POST", f"/workflows/{id}/dry-run")[0] == 404


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({"name": ""}, ["name"]),
        ({"name": None}, ["name"]),
        ({"name": "x\0"}, ["name"]),
        ({"colour": "red"}, ["colour"]),
        ({"type": "sometimes"}, ["type"]),
        ({"status": "invalid"}, ["status"]),
        ({"position": 0}, ["position"]),
        ({"inbox_id": 999_999_999}, ["inbox_id"]),
        ({"inbox_id": "x"}, ["inbox_id"]),
        ({"conditions": []}, ["conditions"]),
        ({"type": "manual"}, ["conditions"]),
        ({"conditions": {}}, ["conditions"]),
        (
            {"conditions": [{"any": [{"about": "subject", "op": "contains", "value": " \u00a0"}]}]},
            ["conditions[0].any[0].value"],
        ),
        ({"actions": [{"do": "note", "value": "x\0"}]}, ["actions[0].value"]),
        ({"conditions": [{"any": [{"about": "tag", "op": "is", "value": [999_999_999]}]}]}, ["conditions[0].any[0]"]),
        (
            {"conditions": [{"any": [{"about": "field", "op": "is", "value": "x", "field": 1}]}]},
            ["conditions[0].any[0]"],
        ),
        ({"conditions": [{"any": [{"about": "assignee", "op": "is", "value": [999_999]}]}]}, ["conditions[0].any[0]"]),
        ({"conditions": [{"any": [{"about": "inbox", "op": "is", "value": [999_999]}]}]}, ["conditions[0].any[0]"]),
        ({"actions": []}, ["actions"]),
        ({"actions": [{"do": "dance"}]}, ["actions[0].do"]),
        ({"actions": [{"do": "status", "value": "closed", "why": 1}]}, ["actions[0].why"]),
        ({"actions": [{"do": "reply", "value": 999_999}]}, ["actions[0]"]),
        ({"actions": [{"do": "webhook", "value": 999_999}]}, ["actions[0]"]),
        ({"actions": [{"do": "snooze", "value": 0, "unit": "days"}]}, ["actions[0].value"]),
        ({"actions": [{"do": "snooze", "value": 1, "unit": "years"}]}, ["actions[0].unit"]),
        (
            {"conditions": [{"any": [{"about": "x"}]}], "actions": [{"do": "dance"}]},
            ["conditions[0].any[0].about", "actions[0].do"],
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_named(admin: Admin, inbox: int, given: dict[str, Any], paths: list[str]) -> None:
    for path in ("/workflows", "/workflows/dry-run"):
        status, faults = admin.refused("POST", path, written(inbox) | given)
        assert (status, [place for place, _ in faults]) == (400, paths)
    assert admin.get("/workflows") == {"workflows": []}


def test_saved_replies_and_webhooks_of_others_are_not_to_be_named(desk: Desk, admin: Admin, inbox: int) -> None:
    stranger = open_desk(desk.server)
    body = {"name": "Hi", "text": "<p>Hi</p>"}
    for owner, place in ((stranger, stranger.add_inbox()), (desk, desk.add_inbox())):
        reply = int(owner.post(f"/v2/mailboxes/{place}/saved-replies", body).headers["Resource-ID"])
        given = written(inbox, actions=[{"do": "reply", "value": reply}])
        assert admin.refused("POST", "/workflows", given)[1] == [
            ("actions[0]", f"there is no saved reply {reply} in inbox {inbox}")
        ]
    body = {"name": "Chat", "chatText": "Hi"}
    chat = int(desk.post(f"/v2/mailboxes/{inbox}/saved-replies", body).headers["Resource-ID"])
    given = written(inbox, actions=[{"do": "reply", "value": chat}])
    words = "the saved reply Chat has no text for mail"
    assert admin.refused("POST", "/workflows", given)[1] == [("actions[0]", words)]
    hook = {"url": "http://127.0.0.1:9/", "events": ["convo.merged"], "secret": "x"}
    webhook = int(stranger.post("/v2/webhooks", hook).headers["Resource-ID"])
    given = written(inbox, actions=[{"do": "webhook", "value": webhook}])
    assert admin.refused("POST", "/workflows", given)[1] == [("actions[0]", f"there is no webhook {webhook}")]


def test_a_dry_run_before_and_after_it_is_saved(desk: Desk, admin: Admin, inbox: int) -> None:
    first, second = start(desk, inbox, subject="Refund"), start(desk, inbox)
    found = admin.post("/workflows/dry-run?conversations=50", written(inbox))
    assert (found["looked_at"], found["would_run"]) == (2, 1)
    told = {one["conversation_id"]: one for one in found["conversations"]}
    assert (told[first]["actions"], told[second]["actions"]) == (["marked as pending"], [])
    assert told[second]["because"] == [
        {
            "place": "conditions[0].any[0]", "condition": "the subject contains “refund”",
            "saw": "A lamp that flickers", "held": False,
        }
    ]  # fmt: skip
    id = admin.post("/workflows", written(inbox, status="inactive"))["id"]
    assert admin.post(f"/workflows/{id}/dry-run") == found
    assert admin.post(f"/workflows/{id}/dry-run?conversations=1")["looked_at"] == 1
    assert admin.refused("POST", f"/workflows/{id}/dry-run?conversations=1001")[0] == 400


def test_workflows_of_other_accounts_do_not_exist(desk: Desk, admin: Admin, inbox: int) -> None:
    id = admin.post("/workflows", written(inbox))["id"]
    stranger = administer(open_desk(desk.server))
    assert stranger.get("/workflows") == {"workflows": []}
    assert stranger.refused("GET", f"/workflows/{id}")[0] == 404
    assert stranger.refused("DELETE", f"/workflows/{id}")[0] == 404
    assert stranger.refused("POST", f"/workflows/{id}/dry-run")[0] == 404
    assert stranger.refused("POST", "/workflows", written(inbox))[1] == [("inbox_id", "no such inbox")]
    other = stranger.desk.add_inbox()
    assert stranger.refused("PUT", f"/workflows/{id}", written(other))[0] == 404
    assert admin.get(f"/workflows/{id}")["name"] == "Refunds"


def test_an_invalid_one_says_why(desk: Desk, admin: Admin, inbox: int) -> None:
    lea = desk.add_user(inboxes=(inbox,))
    id = admin.post("/workflows", written(inbox, actions=[{"do": "assign", "value": lea}]))["id"]
    assert desk.delete(f"/v2/users/{lea}").status_code == 204
    found = admin.get(f"/workflows/{id}")
    assert (found["status"], found["invalid_because"]) == ("invalid", f"there is no user or team {lea}")
    assert admin.refused("POST", f"/workflows/{id}/dry-run")[0] == 400
