"""Conversations that are put aside: where they lie meanwhile, and what brings them back."""

from __future__ import annotations

import pytest

from deskhand.desk.conversations.timing import snoozing
from deskhand.desk.conversations.timing.snoozing import WAKE_CONVERSATION, Alarm
from tests.desk.conversations.builders import (
    add,
    counted,
    created,
    done,
    events,
    merge,
    patch,
    read,
    recounted,
    start,
    threads,
    told,
)
from tests.desk.conversations.passing import ahead, jobs_left, let_pass
from tests.world import Desk

UNASSIGNED, ASSIGNED, CLOSED, SPAM, SNOOZED = 1, 5, 6, 7, 8


def snooze(desk: Desk, id: int, until: str, *, until_reply: bool = True) -> None:
    """Put a conversation aside through the API."""
    body = {"snoozedUntil": until, "unsnoozeOnCustomerReply": until_reply}
    done(desk.put(f"/v2/conversations/{id}/snooze", body))


def folder(desk: Desk, id: int) -> int:
    return int(read(desk, id)["folderId"]) % 10


def line_items(desk: Desk, id: int) -> list[str]:
    return [one.action_text for one in threads(desk, id) if one.type == "lineitem"]


@pytest.mark.parametrize("assigned", [False, True])
def test_a_snoozed_conversation_lies_in_a_folder_of_its_own_and_comes_back(timed: Desk, assigned: bool) -> None:
    id = start(timed, timed.add_inbox(), assignTo=timed.user_id if assigned else None, tags=["vip"])
    until = ahead(timed, hours=1)
    snooze(timed, id, until)
    shown = read(timed, id)
    assert shown["snooze"] == {"snoozedBy": timed.user_id, "snoozedUntil": until, "unsnoozeOnCustomerReply": True}
    assert shown["nextEvent"] == {
        "time": until, "eventType": "snooze", "userId": timed.user_id, "cancelOnCustomerReply": True,
    }  # fmt: skip
    assert (folder(timed, id), shown["status"]) == (SNOOZED, "active")
    assert counted(timed) == recounted(timed)

    let_pass(timed, WAKE_CONVERSATION, minutes=59)
    assert folder(timed, id) == SNOOZED
    let_pass(timed, WAKE_CONVERSATION, minutes=2)
    shown = read(timed, id)
    assert (folder(timed, id), "snooze" in shown, "nextEvent" in shown) == (
        ASSIGNED if assigned else UNASSIGNED, False, False,
    )  # fmt: skip
    assert line_items(timed, id) == [f"Ada Holm snoozed the conversation until {until}", "The snooze ended"]
    assert told(timed, id) == ["convo.created"], "there are no webhook events of snoozing"
    assert counted(timed) == recounted(timed)
    assert jobs_left(timed, WAKE_CONVERSATION) == 0


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("status", ["pending", "closed", "spam"])
def test_waking_makes_a_conversation_active_but_for_spam(timed: Desk, status: str, by_hand: bool) -> None:
    id = start(timed, timed.add_inbox())
    snooze(timed, id, ahead(timed, hours=1))
    done(patch(timed, id, "/status", status))
    if by_hand:
        done(timed.delete(f"/v2/conversations/{id}/snooze"))
    else:
        let_pass(timed, WAKE_CONVERSATION, hours=2)
    shown = read(timed, id)
    spam = status == "spam"
    assert (shown["status"], folder(timed, id)) == (("spam", SPAM) if spam else ("active", UNASSIGNED))
    assert ("snooze" in shown, "closedAt" in shown, shown["closedBy"]) == (False, False, 0)
    assert told(timed, id) == ["convo.created", "convo.status"] + ([] if spam else ["convo.status"])
    assert events(timed, id)[-1].actor_id == timed.user_id
    assert counted(timed) == recounted(timed)


def test_another_time_takes_the_place_of_the_one_before(timed: Desk) -> None:
    id = start(timed, timed.add_inbox())
    snooze(timed, id, ahead(timed, hours=1))
    later = ahead(timed, hours=5)
    snooze(timed, id, later, until_reply=False)
    let_pass(timed, WAKE_CONVERSATION, hours=2)
    assert read(timed, id)["snooze"] == {
        "snoozedBy": timed.user_id, "snoozedUntil": later, "unsnoozeOnCustomerReply": False,
    }  # fmt: skip
    let_pass(timed, WAKE_CONVERSATION, hours=4)
    assert folder(timed, id) == UNASSIGNED


def test_a_snooze_that_was_ended_by_hand_does_not_end_again(timed: Desk) -> None:
    id = start(timed, timed.add_inbox())
    snooze(timed, id, ahead(timed, hours=1))
    done(timed.delete(f"/v2/conversations/{id}/snooze"))
    done(timed.delete(f"/v2/conversations/{id}/snooze"))
    done(patch(timed, id, "/status", "closed"))
    let_pass(timed, WAKE_CONVERSATION, hours=2)
    assert (read(timed, id)["status"], folder(timed, id)) == ("closed", CLOSED)
    assert [text.rpartition(" until ")[0] or text for text in line_items(timed, id)] == [
        "Ada Holm snoozed the conversation", "Ada Holm ended the snooze", "Ada Holm marked as closed",
    ]  # fmt: skip


def test_nothing_wakes_in_a_deleted_or_merged_conversation(timed: Desk) -> None:
    inbox = timed.add_inbox()
    gone, merged, survivor = (start(timed, inbox) for _ in range(3))
    for id in (gone, merged):
        snooze(timed, id, ahead(timed, hours=1))
    done(timed.delete(f"/v2/conversations/{gone}"))
    merge(timed, merged, survivor)
    let_pass(timed, WAKE_CONVERSATION, hours=2)
    assert jobs_left(timed, WAKE_CONVERSATION) == 0, "they ended, and did not fail"
    assert len(line_items(timed, merged)) == 1
    assert counted(timed) == recounted(timed)


@pytest.mark.parametrize("until_reply", [False, True])
def test_an_answer_of_the_customer_wakes_it_if_that_was_asked_for(desk: Desk, until_reply: bool) -> None:
    id = start(desk, desk.add_inbox())
    snooze(desk, id, ahead(desk, hours=1), until_reply=until_reply)
    customer = {"id": read(desk, id)["primaryCustomer"]["id"]}
    created(add(desk, id, "customer", customer=customer))
    assert ("snooze" in read(desk, id), folder(desk, id)) == ((False, UNASSIGNED) if until_reply else (True, SNOOZED))
    assert counted(desk) == recounted(desk)


def test_an_alarm_that_rings_twice_wakes_once(desk: Desk) -> None:
    id, until = start(desk, desk.add_inbox()), ahead(desk, hours=1)
    snooze(desk, id, until)
    for _ in range(2):
        desk.write(lambda tx: snoozing.wake(tx, desk.account_id, Alarm(id, until), desk.now))
    assert line_items(desk, id)[1:] == ["The snooze ended"]


def test_the_earlier_of_snooze_and_schedule_is_what_happens_next(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    customer = {"id": read(desk, id)["primaryCustomer"]["id"]}
    draft = created(add(desk, id, "reply", customer=customer, draft=True))
    place = f"/v2/conversations/{id}/threads/{draft}/schedule"
    snooze(desk, id, ahead(desk, hours=2))
    done(desk.put(place, {"scheduledFor": ahead(desk, hours=3), "unscheduleOnCustomerReply": True}))
    assert read(desk, id)["nextEvent"]["eventType"] == "snooze"
    done(desk.put(place, {"scheduledFor": ahead(desk, hours=1), "unscheduleOnCustomerReply": True}))
    assert read(desk, id)["nextEvent"]["eventType"] == "scheduled"
    assert read(desk, id)["snooze"]["unsnoozeOnCustomerReply"] is True
