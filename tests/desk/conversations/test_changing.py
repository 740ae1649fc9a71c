"""Changing conversations: steps of a patch, tags, custom fields and deleting, with what they count and tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.db.statements import P, command
from deskhand.desk.customers.tables import customer
from deskhand.lib.clock import to_wire
from tests.desk.conversations.builders import (
    add,
    counted,
    created,
    done,
    events,
    faults,
    fields,
    merge,
    patch,
    read,
    recounted,
    reply,
    rows_of,
    set_tags,
    snooze,
    start,
    stored,
    threads,
    told,
)
from tests.world import Desk, open_desk, unique

_ARCHIVE = command(
    sa.update(customer)
    .where(customer.c.account_id == P("account_id"), customer.c.id == P("id"))
    .values(archived_conversations=P("n")),
    keep=False,
)


def particulars(desk: Desk, id: int, name: str) -> list[Any]:
    return [json.loads(fact.particulars) for fact in events(desk, id) if fact.name == name]


def line_items(desk: Desk, id: int) -> list[str]:
    return [one.action_text for one in threads(desk, id) if one.type == "lineitem"]


# Moving --------------------------------------------------------------------------------------------------------------


def test_moving_clears_custom_fields_which_belong_to_the_old_inbox(desk: Desk) -> None:
    old, new = desk.add_inbox("Support"), desk.add_inbox("Sales")
    order = desk.add_field(old, "Order", "number")
    id = start(desk, old, fields=[{"id": order, "value": "5521"}])
    done(patch(desk, id, "/mailboxId", new, op="move"))
    shown = read(desk, id)
    assert (shown["mailboxId"], shown["customFields"], shown["folderId"]) == (new, [], new * 10 + 1)
    assert fields(desk, id) == []
    assert told(desk, id) == ["convo.created", "convo.custom-fields", "convo.moved"]
    assert particulars(desk, id, "convo.moved") == [{"before": old, "after": new}]
    moved = threads(desk, id)[-1]
    assert (moved.type, moved.action_type, moved.action_text) == (
        "lineitem", "moved-from-mailbox", "Ada Holm moved the conversation to Sales",
    )  # fmt: skip
    assert json.loads(moved.associated) == {"mailbox": old}
    assert {fact.inbox_id for fact in events(desk, id) if fact.name == "convo.moved"} == {new}
    assert counted(desk) == recounted(desk)


def test_moving_without_custom_fields_tells_of_none(desk: Desk) -> None:
    id, new = start(desk, desk.add_inbox()), desk.add_inbox()
    done(patch(desk, id, "/mailboxId", new))
    assert told(desk, id) == ["convo.created", "convo.moved"]


def test_moving_unassigns_owners_who_cannot_see_the_new_inbox(desk: Desk) -> None:
    old, new = desk.add_inbox(), desk.add_inbox()
    stays, goes = desk.add_user("Stays", inboxes=(old, new)), desk.add_user("Goes", inboxes=(old,))
    owners = {stays: True, goes: False, desk.user_id: True, desk.add_team(): True}
    for owner, kept in owners.items():
        id = start(desk, old, assignTo=owner)
        done(patch(desk, id, "/mailboxId", new))
        shown = read(desk, id)
        assert (shown.get("assignee", {}).get("id") == owner) == kept, owner
        assert shown["folderId"] % 10 == (5 if kept else 1)
        assert particulars(desk, id, "convo.assigned") == ([] if kept else [{"before": owner, "after": 0}])
    assert counted(desk) == recounted(desk)


def test_a_later_step_may_give_the_moved_conversation_to_somebody_else(desk: Desk) -> None:
    old, new = desk.add_inbox(), desk.add_inbox()
    goes, stays = desk.add_user("Goes", inboxes=(old,)), desk.add_user("Stays", inboxes=(new,))
    id = start(desk, old, assignTo=goes)
    steps = [
        {"op": "move", "path": "/mailboxId", "value": new},
        {"op": "replace", "path": "/assignTo", "value": stays},
        {"op": "replace", "path": "/status", "value": "pending"},
    ]
    done(desk.patch(f"/v2/conversations/{id}", steps))
    shown = read(desk, id)
    assert (shown["mailboxId"], shown["assignee"]["id"], shown["status"]) == (new, stays, "pending")
    assert particulars(desk, id, "convo.assigned") == [{"before": goes, "after": stays}]
    assert told(desk, id) == ["convo.created", "convo.moved", "convo.status", "convo.assigned"]
    assert counted(desk) == recounted(desk)


def test_moving_to_where_it_is_or_there_and_back_leaves_it_alone(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    id = start(desk, inbox_id)
    before = read(desk, id)
    done(patch(desk, id, "/mailboxId", inbox_id))
    assert (read(desk, id), told(desk, id), len(threads(desk, id))) == (before, ["convo.created"], 1)


def test_a_user_moves_only_between_inboxes_they_see(desk: Desk) -> None:
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    ines = desk.as_user(desk.add_user(inboxes=(seen,)))
    id, other = start(desk, seen), start(desk, hidden)
    assert patch(ines, id, "/mailboxId", hidden).status_code == 403
    assert patch(ines, other, "/mailboxId", seen).status_code == 403
    foreign = open_desk(desk.server).add_inbox()
    assert faults(patch(desk, id, "/mailboxId", foreign)) == ["value"]
    assert [read(desk, one)["mailboxId"] for one in (id, other)] == [seen, hidden]


# Status and owner ----------------------------------------------------------------------------------------------------


def test_closing_and_reopening(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), assignTo=desk.user_id)
    done(patch(desk, id, "/status", "closed"))
    shown = read(desk, id)
    assert (shown["folderId"] % 10, shown["closedBy"], shown["closedByUser"]["id"]) == (6, desk.user_id, desk.user_id)
    done(patch(desk, id, "/status", "open"))
    shown = read(desk, id)
    assert (shown["status"], shown["folderId"] % 10, shown["closedBy"], "closedAt" in shown) == ("active", 5, 0, False)
    assert particulars(desk, id, "convo.status") == [
        {"before": "active", "after": "closed"},
        {"before": "closed", "after": "active"},
    ]
    assert line_items(desk, id) == ["Ada Holm marked as closed", "Ada Holm marked as active"]
    assert counted(desk) == recounted(desk)


def test_what_changes_nothing_is_not_told(desk: Desk) -> None:
    ines = desk.add_user("Ines")
    id = start(desk, desk.add_inbox(), assignTo=ines, tags=["vip"])
    before = read(desk, id)
    for path, value in (
        ("/status", "active"), ("/status", "open"), ("/assignTo", ines), ("/subject", before["subject"]),
        ("/primaryCustomer.id", before["primaryCustomer"]["id"]), ("/draft", False), ("/draft", True),
    ):  # fmt: skip
        done(patch(desk, id, path, value))
    set_tags(desk, id, "VIP")
    done(desk.put(f"/v2/conversations/{id}/fields", {"fields": []}))
    assert (read(desk, id), told(desk, id), len(threads(desk, id))) == (before, ["convo.created"], 1)


def test_changing_the_owner(desk: Desk) -> None:
    ines, team = desk.add_user("Ines", "Okafor"), desk.add_team("Returns")
    id = start(desk, desk.add_inbox())
    for owner in (ines, team):
        done(patch(desk, id, "/assignTo", owner))
        assert read(desk, id)["assignee"]["id"] == owner
    done(patch(desk, id, "/assignTo", op="remove"))
    assert "assignee" not in read(desk, id)
    assert particulars(desk, id, "convo.assigned") == [
        {"before": 0, "after": ines},
        {"before": ines, "after": team},
        {"before": team, "after": 0},
    ]
    assert line_items(desk, id) == [
        "Ada Holm assigned to Ines Okafor", "Ada Holm assigned to Returns", "Ada Holm unassigned the conversation",
    ]  # fmt: skip
    assert counted(desk) == recounted(desk)


def test_an_owner_must_be_active_and_of_the_account(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    for owner in (open_desk(desk.server).user_id, 987_654_321, 1, 0, "x", None, True):
        assert faults(patch(desk, id, "/assignTo", owner)) == ["value"], owner
    assert told(desk, id) == ["convo.created"]


# All or nothing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        {"op": "replace", "path": "/status", "value": "Wrong"},
        {"op": "replace", "path": "/assignTo", "value": 987_654_321},
        {"op": "replace", "path": "/nothing", "value": 1},
        {"op": "remove", "path": "/subject"},
        {"op": "move", "path": "/mailboxId", "value": 987_654_321},
        {"op": "replace", "path": "/draft", "value": "no"},
        {"op": "replace", "path": "/primaryCustomer.id", "value": 987_654_321},
        {"op": "replace", "path": "/subject", "value": 5},
    ],
)
def test_one_bad_step_undoes_all(desk: Desk, bad: dict[str, Any]) -> None:
    old, new = desk.add_inbox(), desk.add_inbox()
    order = desk.add_field(old, "Order", "number")
    id = start(desk, old, fields=[{"id": order, "value": "1"}], subject="Zephyr")
    before = read(desk, id)
    good = [
        {"op": "replace", "path": "/subject", "value": "Quagga"},
        {"op": "replace", "path": "/status", "value": "closed"},
        {"op": "move", "path": "/mailboxId", "value": new},
    ]
    answer = desk.patch(f"/v2/conversations/{id}", [*good, bad])
    assert answer.status_code == 400, answer.text
    assert read(desk, id) == before
    assert (told(desk, id), len(fields(desk, id)), len(threads(desk, id))) == (["convo.created"], 1, 1)
    for word, found in (("zephyr", [id]), ("quagga", [])):
        listed = desk.get("/v2/conversations", query=f"subject:{word}").json()["_embedded"]["conversations"]
        assert [one["id"] for one in listed] == found
    assert counted(desk) == recounted(desk)


def test_an_empty_patch_is_refused(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    assert desk.patch(f"/v2/conversations/{id}", []).status_code == 400


# Subject and customer ------------------------------------------------------------------------------------------------


def test_a_new_subject_is_found_and_the_old_one_is_not(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), subject="Zephyr")
    done(patch(desk, id, "/subject", "Quagga"))
    for word, found in (("zephyr", []), ("quagga", [id])):
        listed = desk.get("/v2/conversations", query=f"(subject:{word})").json()["_embedded"]["conversations"]
        assert [one["id"] for one in listed] == found


def test_another_customer_takes_over_name_and_address(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    id, other = start(desk, inbox_id), start(desk, inbox_id, customer={"email": f"{unique('zoe')}@buyer.example"})
    zoe = read(desk, other)["primaryCustomer"]
    done(patch(desk, id, "/primaryCustomer.id", zoe["id"]))
    assert read(desk, id)["primaryCustomer"] == zoe
    assert threads(desk, id)[-1].action_type == "changed-ticket-customer"
    listed = desk.get("/v2/conversations", query=f'(email:"{zoe["email"]}")').json()["_embedded"]["conversations"]
    assert {one["id"] for one in listed} == {id, other}


# Tags and fields -----------------------------------------------------------------------------------------------------


def test_tags_are_what_was_put_last(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    id, other = start(desk, inbox_id), start(desk, inbox_id, tags=["Refund"])
    set_tags(desk, id, "refund", "vip", "VIP ")
    assert [tag["tag"] for tag in read(desk, id)["tags"]] == ["Refund", "vip"]
    assert counted(desk) == recounted(desk)
    set_tags(desk, id, "late")
    set_tags(desk, id)
    assert read(desk, id)["tags"] == []
    assert told(desk, id) == ["convo.created", *["convo.tags"] * 3]
    assert line_items(desk, id) == [
        "Ada Holm set the tags Refund, vip", "Ada Holm set the tag late", "Ada Holm removed all tags",
    ]  # fmt: skip
    assert {tag["name"]: tag["ticketCount"] for tag in desk.get("/v2/tags").json()["_embedded"]["tags"]} == {
        "late": 0, "Refund": 1, "vip": 0,
    }  # fmt: skip
    assert [tag["tag"] for tag in read(desk, other)["tags"]] == ["Refund"]
    assert counted(desk) == recounted(desk)


def test_a_bad_name_changes_no_tag_and_makes_none(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), tags=["vip"])
    assert faults(desk.put(f"/v2/conversations/{id}/tags", {"tags": ["new", "", "x" * 101]})) == ["tags[1]", "tags[2]"]
    assert [tag["tag"] for tag in read(desk, id)["tags"]] == ["vip"]
    assert desk.get("/v2/tags").json()["page"]["totalElements"] == 1


def test_fields_are_what_was_put_last(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    order, when = desk.add_field(inbox_id, "Order", "number"), desk.add_field(inbox_id, "When", "date")
    id = start(desk, inbox_id, fields=[{"id": order, "value": "1"}])
    path = f"/v2/conversations/{id}/fields"
    done(desk.put(path, {"fields": [{"id": when, "value": "2026-11-23"}]}))
    assert [one["id"] for one in read(desk, id)["customFields"]] == [when]
    assert faults(desk.put(path, {"fields": [{"id": order, "value": "x"}, {"id": when, "value": "2026-02-30"}]})) == [
        "fields[0].value",
        "fields[1].value",
    ]
    assert [(one.field_id, one.value) for one in fields(desk, id)] == [(when, "2026-11-23")]
    done(desk.put(path, {"fields": [{"id": when, "value": None}]}))
    assert (read(desk, id)["customFields"], fields(desk, id)) == ([], [])
    assert told(desk, id) == ["convo.created", "convo.custom-fields", "convo.custom-fields"]


# Drafts --------------------------------------------------------------------------------------------------------------


def test_a_draft_tells_nothing_until_it_is_published(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    order = desk.add_field(inbox_id, "Order", "number")
    id = start(desk, inbox_id, threads=[{"type": "reply", "text": "Soon.", "draft": True}])
    done(patch(desk, id, "/subject", "Changed"))
    done(patch(desk, id, "/status", "pending"))
    done(patch(desk, id, "/assignTo", desk.user_id))
    set_tags(desk, id, "vip")
    done(desk.put(f"/v2/conversations/{id}/fields", {"fields": [{"id": order, "value": "1"}]}))
    done(patch(desk, id, "/mailboxId", desk.add_inbox()))
    assert told(desk, id) == []
    assert counted(desk) == recounted(desk)
    done(patch(desk, id, "/draft", False))
    assert told(desk, id) == ["convo.created"]
    assert counted(desk) == recounted(desk)


def test_a_deleted_draft_was_never_told_of(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[{"type": "reply", "text": "Soon.", "draft": True}])
    done(desk.delete(f"/v2/conversations/{id}"))
    assert told(desk, id) == []


def test_a_published_draft_shows_its_last_reply(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[{"type": "reply", "text": "Soon.", "draft": True}])
    reply(desk, id, draft=True, text="Now!", cc=["boss@buyer.example"])
    done(patch(desk, id, "/draft", False))
    shown = read(desk, id)
    assert (shown["preview"], shown["cc"], shown["threads"]) == ("Now!", ["boss@buyer.example"], 2)


def test_light_users_publish_nothing(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    id = start(desk, inbox_id, threads=[{"type": "reply", "text": "Soon.", "draft": True}])
    light = desk.as_user(desk.add_user(role="light user", inboxes=(inbox_id,)))
    assert patch(light, id, "/draft", False).status_code == 403
    assert (read(desk, id)["state"], threads(desk, id)[0].state) == ("draft", "draft")


# Deleting ------------------------------------------------------------------------------------------------------------


def test_deleting_leaves_nothing_but_the_fact(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    order = desk.add_field(inbox_id, "Order", "number")
    id = start(desk, inbox_id, tags=["vip"], fields=[{"id": order, "value": "1"}], subject="Zephyr")
    number = read(desk, id)["number"]
    reply(desk, id)
    done(desk.delete(f"/v2/conversations/{id}"))
    assert desk.get(f"/v2/conversations/{id}").status_code == 404
    assert desk.delete(f"/v2/conversations/{id}").status_code == 404
    assert (stored(desk), threads(desk, id), fields(desk, id), counted(desk)) == (0, [], [], {})
    assert desk.get("/v2/conversations", query="zephyr").json()["page"]["totalElements"] == 0
    assert told(desk, id)[-1] == "convo.deleted"
    assert particulars(desk, id, "convo.deleted") == [{"number": number}]
    assert read(desk, start(desk, inbox_id))["number"] == number + 1


# Refusals that all changes share -------------------------------------------------------------------------------------

CHANGES: dict[str, Callable[[Desk, int], Any]] = {
    "status": lambda desk, id: patch(desk, id, "/status", "closed"),
    "subject": lambda desk, id: patch(desk, id, "/subject", "Changed"),
    "tags": lambda desk, id: desk.put(f"/v2/conversations/{id}/tags", {"tags": ["new"]}),
    "fields": lambda desk, id: desk.put(f"/v2/conversations/{id}/fields", {"fields": []}),
    "delete": lambda desk, id: desk.delete(f"/v2/conversations/{id}"),
}
changes = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


@changes
def test_old_conversations_are_locked_where_the_account_says_so(desk: Desk, change: Callable[[Desk, int], Any]) -> None:
    strict = open_desk(desk.server, lock_after_days=30)
    inbox_id = strict.add_inbox()
    written = desk.server.clock.now() - timedelta(days=30, minutes=5)
    id = start(strict, inbox_id, imported=True, createdAt=to_wire(written))
    before = read(strict, id)
    assert faults(change(strict, id), 412) == ["conversationId"]
    assert (read(strict, id), told(strict, id)) == (before, ["convo.created"])


@changes
def test_hidden_merged_and_foreign_conversations_stay_as_they_are(
    desk: Desk, change: Callable[[Desk, int], Any]
) -> None:
    inbox_id = desk.add_inbox()
    id, survivor = start(desk, inbox_id), start(desk, inbox_id)
    assert change(desk.as_user(desk.add_user(inboxes=(desk.add_inbox(),))), id).status_code == 403
    assert change(open_desk(desk.server), id).status_code == 404
    merge(desk, id, survivor)
    assert change(desk, id).status_code == 404
    assert (stored(desk), told(desk, id), len(threads(desk, id))) == (2, ["convo.created"], 1)
    assert desk.get("/v2/tags").json()["page"]["totalElements"] == 0
    assert counted(desk) == recounted(desk)


def test_light_users_delete_nothing(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    id = start(desk, inbox_id)
    light = desk.as_user(desk.add_user(role="light user", inboxes=(inbox_id,)))
    assert light.delete(f"/v2/conversations/{id}").status_code == 403
    assert stored(desk) == 1


def test_a_customer_with_too_many_conversations_is_locked(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    id, other = start(desk, inbox_id), start(desk, inbox_id)
    busy = read(desk, other)["primaryCustomer"]["id"]
    archive(desk, busy, 4_999)
    assert patch(desk, id, "/primaryCustomer.id", busy).status_code == 423
    steps = [
        {"op": "replace", "path": "/status", "value": "closed"},
        {"op": "replace", "path": "/primaryCustomer.id", "value": busy},
    ]
    assert desk.patch(f"/v2/conversations/{id}", steps).status_code == 423
    assert read(desk, id)["status"] == "active"
    archive(desk, busy, 4_998)
    done(patch(desk, id, "/primaryCustomer.id", busy))
    assert patch(desk, id, "/primaryCustomer.id", read(desk, other)["primaryCustomer"]["id"]).status_code == 204


def test_all_kinds_of_change_keep_the_numbers_of_a_snoozed_conversation(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    id = start(desk, inbox_id, assignTo=desk.user_id, tags=["vip"])
    snooze(desk, id, "2030-01-01T09:00:00Z", until_reply=False)
    for step in (
        lambda: patch(desk, id, "/status", "pending"),
        lambda: patch(desk, id, "/status", "spam"),
        lambda: patch(desk, id, "/status", "active"),
        lambda: patch(desk, id, "/mailboxId", desk.add_inbox()),
        lambda: patch(desk, id, "/assignTo", op="remove"),
    ):
        done(step())
        assert counted(desk) == recounted(desk)
    assert [row.folder_id % 10 for row in rows_of(desk)] == [8]
    created(add(desk, id, "notes"))
    assert counted(desk) == recounted(desk)


def archive(desk: Desk, customer_id: int, conversations: int) -> None:
    """Let a customer have so many conversations that lie in an archive."""
    desk.write(lambda tx: tx.run(_ARCHIVE, account_id=desk.account_id, id=customer_id, n=conversations))
