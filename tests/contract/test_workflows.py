"""Workflows: listing them, switching them on and off, running manual ones.

Facts: §7 and facts 66-68 of the wire contract's half B
(https://developer.helpscout.com/mailbox-api/endpoints/workflows/list/, update/, run/).
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import requests

from deskhand.desk.users import verbs as users
from deskhand.desk.workflows.actions import (
    AddNote,
    AddTags,
    Assign,
    Move,
    RemoveTags,
    SetField,
    SetStatus,
)
from deskhand.desk.workflows.conditions import Group, Subject
from tests.desk.conversations.builders import (
    add,
    counted,
    created,
    done,
    events,
    faults,
    fields,
    merge,
    read,
    recounted,
    set_tags,
    start,
    threads,
    told,
)
from tests.world import Desk, open_desk

WHEN = [Group([Subject("is", "Never")])]


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def listed(desk: Desk, **params: Any) -> list[Any]:
    answer = desk.get("/v2/workflows", **params)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    found = list(body["_embedded"]["workflows"])
    assert body["page"] == {"size": 50, "totalElements": len(found), "totalPages": min(1, len(found)), "number": 1}
    return found


def ids(desk: Desk, **params: Any) -> list[int]:
    return [one["id"] for one in listed(desk, **params)]


def run(desk: Desk, workflow: int, *conversations: Any) -> requests.Response:
    return desk.post(f"/v2/workflows/{workflow}/run", {"conversationIds": list(conversations)})


def status_of(desk: Desk, workflow: int) -> str:
    return str(desk.get(f"/v2/workflows/{workflow}").json()["status"])


def patch(desk: Desk, workflow: int, value: Any, op: str = "replace", path: str = "/status") -> requests.Response:
    return desk.patch(f"/v2/workflows/{workflow}", {"op": op, "path": path, "value": value})


def tag(desk: Desk, inbox: int, name: str) -> int:
    """A tag's id; a spam conversation carries it, so that it is there."""
    id = start(desk, inbox, status="spam", tags=[name])
    return int(read(desk, id)["tags"][0]["id"])


# -- Listing (fact 66)


def test_workflows_are_listed_in_their_order(desk: Desk, inbox: int) -> None:
    assert listed(desk) == []
    second, first = (
        desk.add_workflow(inbox, SetStatus("closed"), name=name, position=position)
        for name, position in (("Second", 2), ("First", 1))
    )
    found = listed(desk)
    assert [one["id"] for one in found] == [first, second]
    place = f"{desk.server.url}/v2/workflows/{first}"
    known = found[0]
    assert known == {
        "id": first, "mailboxId": inbox, "type": "manual", "status": "active", "order": 1, "name": "First",
        "createdAt": known["createdAt"], "modifiedAt": known["createdAt"], "_links": {"self": {"href": place}},
    }  # fmt: skip
    assert desk.get(place).json() == known
    assert desk.get("/v2/workflows/999999999").status_code == 404


def test_workflows_are_found_by_inbox_and_type(desk: Desk, inbox: int) -> None:
    other = desk.add_inbox()
    manual = desk.add_workflow(inbox, SetStatus("closed"))
    automatic = desk.add_workflow(inbox, SetStatus("closed"), type="automatic", conditions=WHEN)
    elsewhere = desk.add_workflow(other, SetStatus("closed"))
    assert ids(desk) == [manual, automatic, elsewhere]
    assert ids(desk, mailboxId=inbox) == [manual, automatic]
    assert ids(desk, type="manual") == [manual, elsewhere]
    assert ids(desk, type="automatic", mailboxId=inbox) == [automatic]
    assert ids(desk, type="automatic", mailboxId=other) == ids(desk, mailboxId=999_999_999) == []
    for params in ({"type": "both"}, {"mailboxId": "x"}, {"mailboxId": 0}):
        assert faults(desk.get("/v2/workflows", **params)) == list(params)


def test_workflows_are_listed_50_a_page(desk: Desk, inbox: int) -> None:
    made = [desk.add_workflow(inbox, SetStatus("closed")) for _ in range(51)]
    pages = [desk.get("/v2/workflows", page=number, mailboxId=inbox).json() for number in (1, 2)]
    assert [one["id"] for page in pages for one in page["_embedded"]["workflows"]] == made
    assert "mailboxId" in pages[0]["_links"]["next"]["href"]
    assert desk.get("/v2/workflows", page=1_000_000_000).json()["_embedded"] == {"workflows": []}


def test_a_user_sees_the_workflows_of_their_inboxes(desk: Desk, inbox: int) -> None:
    mine, hidden = desk.add_workflow(inbox, SetStatus("closed")), desk.add_workflow(desk.add_inbox(), SetStatus("spam"))
    ines = desk.as_user(desk.add_user(inboxes=(inbox,)))
    assert ids(ines) == ids(ines, type="manual") == ids(ines, mailboxId=inbox) == [mine]
    assert ines.get(f"/v2/workflows/{hidden}").status_code == 403
    assert ids(desk.as_user(desk.add_user())) == []


def test_a_workflow_that_names_what_is_gone_is_invalid(desk: Desk, inbox: int) -> None:
    lea = desk.add_user()
    fine, broken = desk.add_workflow(inbox, Assign(None)), desk.add_workflow(inbox, SetStatus("closed"), Assign(lea))
    assert [one["status"] for one in listed(desk)] == ["active", "active"]
    done(desk.delete(f"/v2/users/{lea}"))
    assert [one["status"] for one in listed(desk)] == ["active", "invalid"]
    assert (status_of(desk, fine), status_of(desk, broken)) == ("active", "invalid")
    id = start(desk, inbox)
    answer = run(desk, broken, id)
    assert faults(answer) == ["workflowId"]
    assert f"there is no user or team {lea}" in answer.text
    assert read(desk, id)["status"] == "active"
    assert faults(patch(desk, broken, "active")) == ["value"]
    done(patch(desk, broken, "inactive"))


# -- Switching on and off (fact 67)


def test_a_workflow_is_switched_off_and_on(desk: Desk, inbox: int) -> None:
    id = desk.add_workflow(inbox, SetStatus("closed"))
    done(patch(desk, id, "inactive"))
    assert status_of(desk, id) == "inactive"
    done(desk.patch(f"/v2/workflows/{id}", [{"op": "replace", "path": "status", "value": "active"}]))
    assert status_of(desk, id) == "active"
    both = [{"op": "replace", "path": "/status", "value": value} for value in ("active", "inactive")]
    done(desk.patch(f"/v2/workflows/{id}", both))
    assert status_of(desk, id) == "inactive"


@pytest.mark.parametrize(
    ("body", "at_fault"),
    [
        ({"op": "replace", "path": "/status", "value": "invalid"}, ["value"]),
        ({"op": "replace", "path": "/status", "value": ["active"]}, ["value"]),
        ({"op": "replace", "path": "/status"}, ["value"]),
        ({"op": "remove", "path": "/status", "value": "active"}, ["op"]),
        ({"op": "replace", "path": "/name", "value": "x"}, ["path"]),
        ({"path": "/status", "value": "active"}, ["op"]),
        ({"op": 1, "path": 2, "value": "active"}, ["op", "path"]),
        ([], ["op"]),
        ([{"op": "replace", "path": "/status", "value": "inactive"}, {"op": "x", "path": "/status"}], ["op"]),
    ],
)
def test_any_other_change_is_refused(desk: Desk, inbox: int, body: Any, at_fault: list[str]) -> None:
    id = desk.add_workflow(inbox, SetStatus("closed"))
    assert faults(desk.patch(f"/v2/workflows/{id}", body)) == at_fault
    assert status_of(desk, id) == "active"


def test_switching_is_for_owners_and_administrators(desk: Desk, inbox: int) -> None:
    id = desk.add_workflow(inbox, SetStatus("closed"))
    for role, status in (("user", 403), ("light user", 403), ("admin", 204)):
        caller = desk.as_user(desk.add_user(role=role, inboxes=(inbox,)))
        assert patch(caller, id, "inactive").status_code == status
    assert patch(desk, 999_999_999, "active").status_code == 404
    assert patch(open_desk(desk.server), id, "active").status_code == 404
    assert status_of(desk, id) == "inactive"


# -- Running (fact 68)


def test_a_run_carries_out_every_action(desk: Desk, inbox: int) -> None:
    lea = desk.add_user("Lea", "Lind", inboxes=(inbox,))
    plan = desk.add_field(inbox, "Plan", "dropdown", ("Free", "Pro"))
    order = desk.add_field(inbox, "Order", "number")
    pro = desk.get(f"/v2/mailboxes/{inbox}/fields").json()["_embedded"]["fields"][0]["options"][1]["id"]
    vip, old = tag(desk, inbox, "vip"), tag(desk, inbox, "old")
    id = start(desk, inbox, tags=["old", "kept"], fields=[{"id": order, "value": "5521"}])
    workflow = desk.add_workflow(
        inbox, SetStatus("pending"), Assign(lea), AddTags([vip]), RemoveTags([old]), SetField(plan, str(pro)),
        AddNote("<p>Escalated</p>"), name="Escalate",
    )  # fmt: skip
    before = len(events(desk, id))
    done(run(desk, workflow, id))
    whole = read(desk, id, embed="threads")
    assert (whole["status"], whole["assignee"]["id"]) == ("pending", lea)
    assert [one["tag"] for one in whole["tags"]] == ["kept", "vip"]
    assert [(one["id"], one["text"]) for one in whole["customFields"]] == [(plan, "Pro"), (order, "5521")]
    assert [(one.field_id, one.value) for one in fields(desk, id)] == [(plan, str(pro)), (order, "5521")]
    note, line = whole["_embedded"]["threads"][1], whole["_embedded"]["threads"][0]
    assert (note["type"], note["body"], note["createdBy"]["id"]) == ("note", "<p>Escalated</p>", desk.user_id)
    assert line["type"] == "lineitem"
    assert line["action"] == {
        "type": "manual-workflow",
        "text": "Ada Holm ran the workflow Escalate: marked as pending, assigned to Lea Lind, added the tag vip, "
        "removed the tag old, set Plan to Pro, added a note",
        "associatedEntities": {"workflow": workflow, "user": desk.user_id},
    }
    assert [one.type for one in threads(desk, id)] == ["customer", "note", "lineitem"], "one line item for all of it"
    assert told(desk, id)[before:] == [
        "convo.status", "convo.assigned", "convo.tags", "convo.tags", "convo.custom-fields", "convo.note.created",
    ]  # fmt: skip
    assert desk.get("/v2/conversations", query="body:escalated", status="all").json()["page"]["totalElements"] == 1
    assert desk.get("/v2/conversations", tag="vip", status="pending").json()["page"]["totalElements"] == 1
    assert counted(desk) == recounted(desk)


def test_a_run_can_move_conversations(desk: Desk, inbox: int) -> None:
    sales = desk.add_inbox("Sales")
    here, there = desk.add_field(inbox, "Here", "singleline"), desk.add_field(sales, "There", "date")
    ines = desk.add_user(inboxes=(inbox,))
    id = start(desk, inbox, assignTo=ines, fields=[{"id": here, "value": "x"}])
    workflow = desk.add_workflow(inbox, Move(sales), SetField(there, "2026-11-23"), SetField(there, "2026-12-24"))
    done(run(desk, workflow, id))
    found = read(desk, id)
    assert found["mailboxId"] == sales and "assignee" not in found
    assert [(one["id"], one["value"]) for one in found["customFields"]] == [(there, "2026-12-24")]
    assert counted(desk) == recounted(desk)
    assert faults(run(desk, workflow, id)) == ["conversationIds[0]"], "it lies elsewhere now"


def test_what_is_so_already_stays_and_the_run_is_told_all_the_same(desk: Desk, inbox: int) -> None:
    vip = tag(desk, inbox, "vip")
    id = start(desk, inbox, status="closed", tags=["vip"])
    workflow = desk.add_workflow(inbox, SetStatus("closed"), Assign(None), AddTags([vip]))
    before = told(desk, id)
    done(run(desk, workflow, id))
    done(run(desk, workflow, id))
    assert told(desk, id) == before
    assert [one.action_type for one in threads(desk, id) if one.type == "lineitem"] == ["manual-workflow"] * 2
    assert [one["tag"] for one in read(desk, id)["tags"]] == ["vip"]
    assert counted(desk) == recounted(desk)


def test_50_conversations_are_taken_and_51_are_not(desk: Desk, inbox: int) -> None:
    made = [start(desk, inbox) for _ in range(51)]
    workflow = desk.add_workflow(inbox, SetStatus("closed"))
    assert faults(run(desk, workflow, *made)) == ["conversationIds"]
    assert faults(run(desk, workflow, *made[:1] * 51)) == ["conversationIds"]
    assert desk.get("/v2/conversations", status="closed").json()["page"]["totalElements"] == 0
    done(run(desk, workflow, *made[:50]))
    assert desk.get("/v2/conversations", status="closed").json()["page"]["totalElements"] == 50
    assert counted(desk) == recounted(desk)


def test_a_conversation_named_twice_is_taken_once(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    done(run(desk, desk.add_workflow(inbox, AddNote("Once")), id, id, id))
    assert [one.type for one in threads(desk, id)] == ["customer", "note", "lineitem"]


@pytest.mark.parametrize(
    ("body", "at_fault"),
    [
        ({}, ["conversationIds"]),
        ({"conversationIds": None}, ["conversationIds"]),
        ({"conversationIds": []}, ["conversationIds"]),
        ({"conversationIds": 5}, ["conversationIds"]),
        ({"conversationIds": ["5"]}, ["conversationIds[0]"]),
        ({"conversationIds": [1.5, True, None]}, [f"conversationIds[{number}]" for number in range(3)]),
        ({"conversationIds": [0, -1, 2**63]}, [f"conversationIds[{number}]" for number in range(3)]),
        ({"conversationIds": [2**63 - 1]}, ["conversationIds[0]"]),
        ({"conversationIds": [[1]]}, ["conversationIds[0]"]),
    ],
)
def test_hostile_lists_are_refused(desk: Desk, inbox: int, body: Any, at_fault: list[str]) -> None:
    workflow = desk.add_workflow(inbox, SetStatus("closed"))
    assert faults(desk.post(f"/v2/workflows/{workflow}/run", body)) == at_fault


def test_every_conversation_must_lie_in_the_workflows_inbox(desk: Desk, inbox: int) -> None:
    stranger = open_desk(desk.server)
    foreign = start(stranger, stranger.add_inbox())
    elsewhere, mine, merged = start(desk, desk.add_inbox()), start(desk, inbox), start(desk, inbox)
    merge(desk, merged, into=mine)
    workflow = desk.add_workflow(inbox, SetStatus("closed"), AddNote("x"))
    answer = run(desk, workflow, mine, foreign, elsewhere, merged, 999_999_999)
    assert faults(answer) == [f"conversationIds[{number}]" for number in range(1, 5)]
    assert [error["rejectedValue"] for error in answer.json()["_embedded"]["errors"]] == [
        foreign, elsewhere, merged, 999_999_999,
    ]  # fmt: skip
    assert (read(desk, mine)["status"], len(threads(desk, mine))) == ("active", 1), "nothing was changed"


def test_only_an_active_manual_workflow_runs(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    for workflow in (
        desk.add_workflow(inbox, SetStatus("closed"), type="automatic", conditions=WHEN),
        desk.add_workflow(inbox, SetStatus("closed"), status="inactive"),
    ):
        assert faults(run(desk, workflow, id)) == ["workflowId"]
    assert run(desk, 999_999_999, id).status_code == 404
    assert (read(desk, id)["status"], len(threads(desk, id))) == ("active", 1)


def test_a_user_runs_the_workflows_of_their_inboxes(desk: Desk, inbox: int) -> None:
    workflow, id = desk.add_workflow(inbox, SetStatus("closed")), start(desk, inbox)
    ines = desk.as_user(desk.add_user("Ines", "Okafor", inboxes=(inbox,)))
    assert run(desk.as_user(desk.add_user()), workflow, id).status_code == 403
    assert read(desk, id)["status"] == "active"
    done(run(ines, workflow, id))
    assert threads(desk, id)[-1].action_text == "Ines Okafor ran the workflow Close it: marked as closed"
    assert threads(desk, id)[-1].created_by_id == ines.user_id


def test_nobody_moves_conversations_where_they_may_not_look(desk: Desk, inbox: int) -> None:
    workflow, id = desk.add_workflow(inbox, SetStatus("closed"), Move(desk.add_inbox())), start(desk, inbox)
    assert faults(run(desk.as_user(desk.add_user(inboxes=(inbox,))), workflow, id), 403) == ["workflowId"]
    assert (read(desk, id)["status"], read(desk, id)["mailboxId"]) == ("active", inbox)


# -- All or nothing


def test_a_full_conversation_stops_the_whole_run(desk: Desk, inbox: int) -> None:
    first, full, last = (start(desk, inbox) for _ in range(3))
    for _ in range(99):
        created(add(desk, full, "notes"))
    workflow = desk.add_workflow(inbox, SetStatus("closed"), AddNote("x"))
    answer = run(desk, workflow, last, full, first)
    assert faults(answer, 412) == ["conversationIds[1]"]
    assert answer.json()["_embedded"]["errors"][0]["rejectedValue"] == full
    for id in (first, full, last):
        assert read(desk, id)["status"] == "active"
        assert not [one for one in threads(desk, id) if one.type == "lineitem"]
    assert counted(desk) == recounted(desk)
    done(run(desk, desk.add_workflow(inbox, SetStatus("closed")), full))


def test_a_conversation_locked_by_its_age_stops_the_whole_run(desk: Desk) -> None:
    desk = open_desk(desk.server, lock_after_days=30)
    inbox = desk.add_inbox()
    fresh = start(desk, inbox)
    old = start(desk, inbox, imported=True, createdAt="2020-01-01T00:00:00Z")
    answer = run(desk, desk.add_workflow(inbox, SetStatus("closed")), fresh, old)
    assert faults(answer, 412) == ["conversationIds[1]"]
    assert read(desk, fresh)["status"] == read(desk, old)["status"] == "active"


def test_other_field_values_stay_when_one_is_cleared(desk: Desk, inbox: int) -> None:
    order, note = desk.add_field(inbox, "Order", "number"), desk.add_field(inbox, "Note", "multiline")
    id = start(desk, inbox, fields=[{"id": order, "value": "1"}, {"id": note, "value": "x"}])
    done(run(desk, desk.add_workflow(inbox, SetField(order, "")), id))
    assert [(one.field_id, one.value) for one in fields(desk, id)] == [(note, "x")]
    set_tags(desk, id, "vip")
    assert msgspec.json.decode(msgspec.json.encode(read(desk, id)["customFields"]))[0]["value"] == "x"


def test_a_deactivated_user_in_an_action_makes_it_invalid_until_they_are_back(desk: Desk, inbox: int) -> None:
    lea = desk.add_user()
    workflow, id = desk.add_workflow(inbox, Assign(lea)), start(desk, inbox)
    desk.write(lambda tx: users.set_state(tx, desk.account_id, lea, "inactive", desk.now))
    assert run(desk, workflow, id).status_code == 400
    desk.write(lambda tx: users.set_state(tx, desk.account_id, lea, "active", desk.now))
    done(run(desk, workflow, id))
    assert read(desk, id)["assignee"]["id"] == lea
