"""Snoozing conversations.

Facts: §3.8 and facts 71, 72 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/snooze/update).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deskhand.lib.clock import to_wire
from tests.contract.test_threads import PATH, faults, inbox, nulls, read, start, threads
from tests.world import Desk, open_desk

__all__ = ["inbox"]


def until(desk: Desk, days: int = 2) -> str:
    return to_wire(desk.server.clock.now() + timedelta(days=days))


def test_a_snoozed_conversation_shows_it(desk: Desk, inbox: int) -> None:
    id, time = start(desk, inbox), until(desk)
    answer = desk.put(f"{PATH}/{id}/snooze", {"snoozedUntil": time, "unsnoozeOnCustomerReply": False})
    assert (answer.status_code, answer.content) == (204, b"")
    shown = read(desk, id)
    assert shown["snooze"] == {"snoozedBy": desk.user_id, "snoozedUntil": time, "unsnoozeOnCustomerReply": False}
    assert shown["nextEvent"] == {
        "time": time, "eventType": "snooze", "userId": desk.user_id, "cancelOnCustomerReply": False,
    }  # fmt: skip
    assert nulls(shown) == []
    (listed,) = desk.get(PATH, folder=shown["folderId"]).json()["_embedded"]["conversations"]
    assert listed["snooze"] == shown["snooze"]
    folders = desk.get(f"/v2/mailboxes/{inbox}/folders").json()["_embedded"]["folders"]
    (folder,) = [one for one in folders if one["id"] == shown["folderId"]]
    assert (folder["type"], folder["name"], folder["totalCount"]) == ("custom", "Snoozed", 1)


def test_ending_a_snooze_takes_both_keys_away(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    folder = read(desk, id)["folderId"]
    assert desk.put(f"{PATH}/{id}/snooze", {"snoozedUntil": until(desk)}).status_code == 204
    for _ in range(2):
        answer = desk.delete(f"{PATH}/{id}/snooze")
        assert (answer.status_code, answer.content) == (204, b"")
        shown = read(desk, id)
        assert ("snooze" in shown, "nextEvent" in shown, shown["folderId"]) == (False, False, folder)


@pytest.mark.parametrize("given", [None, True, "absent"])
def test_unless_it_is_said_not_to_an_answer_ends_it(desk: Desk, inbox: int, given: Any) -> None:
    id = start(desk, inbox)
    body: dict[str, Any] = {"snoozedUntil": until(desk)}
    if given != "absent":
        body["unsnoozeOnCustomerReply"] = given
    assert desk.put(f"{PATH}/{id}/snooze", body).status_code == 204
    assert read(desk, id)["snooze"]["unsnoozeOnCustomerReply"] is True


def test_a_later_call_takes_the_place_of_the_one_before(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    for days in (2, 5, 1):
        assert desk.put(f"{PATH}/{id}/snooze", {"snoozedUntil": (time := until(desk, days))}).status_code == 204
        assert read(desk, id)["snooze"]["snoozedUntil"] == time


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "snoozedUntil"), ({"snoozedUntil": None}, "snoozedUntil"),
        ({"snoozedUntil": "2020-01-01T00:00:00Z"}, "snoozedUntil"),
        ({"snoozedUntil": "2101-01-01T00:00:00Z"}, "snoozedUntil"),
        ({"snoozedUntil": "2099-01-01T00:00:00.000Z"}, "snoozedUntil"),
        ({"snoozedUntil": "2099-02-30T00:00:00Z"}, "snoozedUntil"), ({"snoozedUntil": 1}, "snoozedUntil"),
        ({"snoozedUntil": "2099-01-01T00:00:00Z", "unsnoozeOnCustomerReply": "no"}, "unsnoozeOnCustomerReply"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(desk: Desk, inbox: int, body: dict[str, Any], fault: str) -> None:
    id = start(desk, inbox)
    assert faults(desk.put(f"{PATH}/{id}/snooze", body)) == [fault]
    assert ("snooze" in read(desk, id), len(threads(desk, id))) == (False, 1)


def test_the_last_day_of_2100_is_not_too_late(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    assert desk.put(f"{PATH}/{id}/snooze", {"snoozedUntil": "2100-12-31T23:59:59Z"}).status_code == 204


def test_what_is_not_there_or_locked(desk: Desk) -> None:
    here = open_desk(desk.server, lock_after_days=30)
    old = start(here, here.add_inbox(), imported=True, createdAt="2020-01-01T00:00:00Z")
    for id, status in ((9_999_999_999, 404), (old, 412)):
        place = f"{PATH}/{id}/snooze"
        assert here.put(place, {"snoozedUntil": until(here)}).status_code == status
        assert here.delete(place).status_code == status
