"""Drafts that go out by themselves: when, in whose name, what that changes, and what keeps them from it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from deskhand.db.statements import P, value
from deskhand.desk.conversations.tables import conversation, thread_mail
from deskhand.desk.conversations.timing import scheduling
from deskhand.desk.conversations.timing.scheduling import SEND_SCHEDULED, Departure
from deskhand.lib.clock import from_wire
from tests.desk.conversations.builders import (
    ThreadRow,
    add,
    counted,
    created,
    done,
    events,
    faults,
    merge,
    patch,
    read,
    recounted,
    reply,
    start,
    threads,
    told,
)
from tests.desk.conversations.passing import ahead, eventually, jobs_left, let_pass
from tests.world import Desk

NOW = {"op": "replace", "path": "/state", "value": "published"}

_MAILS = value(
    int,
    sa.select(sa.func.count()).where(
        thread_mail.c.account_id == P("account_id"), thread_mail.c.thread_id == P("thread_id")
    ),
    keep=False,
)
_SCHEDULED_FOR = value(
    str,
    sa.select(conversation.c.scheduled_for).where(
        conversation.c.account_id == P("account_id"), conversation.c.id == P("id")
    ),
    keep=False,
)


def place(id: int, thread_id: int) -> str:
    return f"/v2/conversations/{id}/threads/{thread_id}/schedule"


def schedule(desk: Desk, id: int, thread_id: int, at: str, *, until_reply: bool = False, **body: Any) -> None:
    """Let a draft go out at a time."""
    given = {"scheduledFor": at, "unscheduleOnCustomerReply": until_reply, **body}
    done(desk.put(place(id, thread_id), given))


def send_now(desk: Desk, id: int, thread_id: int) -> requests.Response:
    return desk.patch(place(id, thread_id), NOW)


def thread(desk: Desk, id: int, thread_id: int) -> ThreadRow:
    (found,) = [one for one in threads(desk, id) if one.id == thread_id]
    return found


def mails(desk: Desk, thread_id: int) -> int:
    """How many mails a thread was handed over for."""
    return desk.server.app.database.read_now(
        lambda db: db.first(_MAILS, account_id=desk.account_id, thread_id=thread_id)
    )


def scheduled_for(desk: Desk, id: int) -> str | None:
    """The earliest schedule, as the conversation keeps it."""
    return desk.server.app.database.read_now(lambda db: db.first(_SCHEDULED_FOR, account_id=desk.account_id, id=id))


# When the time comes --------------------------------------------------------------------------------------------------


def test_a_scheduled_draft_goes_out_by_itself(timed: Desk) -> None:
    ines = timed.add_user("Ines", role="admin")
    id = start(timed, timed.add_inbox(), status="closed")
    draft = reply(timed, id, draft=True, text="It is on its way.", status="pending", assignTo=ines)
    at = ahead(timed, hours=1)
    schedule(timed, id, draft, at)
    assert read(timed, id)["nextEvent"] == {
        "time": at, "eventType": "scheduled", "userId": timed.user_id, "cancelOnCustomerReply": False,
    }  # fmt: skip
    assert (read(timed, id)["status"], told(timed, id), mails(timed, draft)) == ("closed", ["convo.created"], 0)

    let_pass(timed, SEND_SCHEDULED, minutes=59)
    assert thread(timed, id, draft).state == "draft"
    let_pass(timed, SEND_SCHEDULED, minutes=2)

    sent, shown = thread(timed, id, draft), read(timed, id)
    assert (sent.state, sent.status, sent.assigned_to) == ("published", "pending", ines)
    assert from_wire(at) <= from_wire(sent.created_at) <= timed.server.clock.now()
    assert (shown["status"], shown["assignee"]["id"], shown["threads"]) == ("pending", ines, 2)
    assert (shown["preview"], "nextEvent" in shown, "customerWaitingSince" in shown) == (
        "It is on its way.", False, False,
    )  # fmt: skip
    assert told(timed, id)[1:] == ["convo.agent.reply.created", "convo.status", "convo.assigned"]
    assert events(timed, id)[1].thread_id == draft
    assert mails(timed, draft) == 1
    assert counted(timed) == recounted(timed)
    assert jobs_left(timed, SEND_SCHEDULED) == 0


@pytest.mark.parametrize("as_creator", [False, True])
@pytest.mark.parametrize("by_hand", [False, True])
def test_it_goes_out_in_the_name_of_who_planned_it_or_who_wrote_it(
    timed: Desk, as_creator: bool, by_hand: bool
) -> None:
    inbox = timed.add_inbox()
    writer, planner = timed.add_user("Wanda", inboxes=(inbox,)), timed.add_user("Paula", inboxes=(inbox,))
    id = start(timed, inbox)
    draft = reply(timed, id, draft=True, user=writer)
    schedule(timed.as_user(planner), id, draft, ahead(timed, hours=1), sendAsCreator=as_creator)
    if by_hand:
        done(send_now(timed, id, draft))
    else:
        let_pass(timed, SEND_SCHEDULED, hours=2)
    author = writer if as_creator else planner
    assert (thread(timed, id, draft).state, thread(timed, id, draft).created_by_id) == ("published", author)
    fact = events(timed, id)[1]
    assert (fact.name, fact.actor_id) == ("convo.agent.reply.created", timed.user_id if by_hand else author)


def test_who_was_assigned_meanwhile_stays_unless_the_draft_names_an_owner(desk: Desk) -> None:
    ines = desk.add_user("Ines", role="admin")
    id = start(desk, desk.add_inbox())
    draft = reply(desk, id, draft=True)
    schedule(desk, id, draft, ahead(desk, hours=1))
    done(patch(desk, id, "/assignTo", ines))
    done(send_now(desk, id, draft))
    assert read(desk, id)["assignee"]["id"] == ines
    assert json.loads(thread(desk, id, draft).on_publish) == {"status": "active"}


def test_a_draft_conversation_is_published_and_told_of_as_new(timed: Desk) -> None:
    id = start(timed, timed.add_inbox(), threads=[{"type": "reply", "text": "Soon.", "draft": True}])
    first, second = threads(timed, id)[0].id, reply(timed, id, draft=True, text="Later.")
    schedule(timed, id, first, ahead(timed, hours=1))
    let_pass(timed, SEND_SCHEDULED, hours=2)
    shown = read(timed, id)
    assert (shown["state"], shown["threads"], shown["folderId"] % 10) == ("published", 1, 1)
    assert [one.state for one in threads(timed, id)] == ["published", "draft"], "the other one was not planned"
    assert told(timed, id) == ["convo.created"]
    assert (mails(timed, first), mails(timed, second)) == (1, 0)
    assert counted(timed) == recounted(timed)


# What keeps a draft ---------------------------------------------------------------------------------------------------


def test_another_time_takes_the_place_of_the_one_before(timed: Desk) -> None:
    id = start(timed, timed.add_inbox())
    draft = reply(timed, id, draft=True)
    schedule(timed, id, draft, ahead(timed, hours=1))
    later = ahead(timed, hours=5)
    schedule(timed, id, draft, later)
    schedule(timed, id, draft, later)
    let_pass(timed, SEND_SCHEDULED, hours=2)
    assert (thread(timed, id, draft).state, scheduled_for(timed, id)) == ("draft", later)
    let_pass(timed, SEND_SCHEDULED, hours=4)
    assert thread(timed, id, draft).state == "published"
    assert told(timed, id).count("convo.agent.reply.created") == mails(timed, draft) == 1
    assert jobs_left(timed, SEND_SCHEDULED) == 0


def test_a_draft_that_is_taken_off_its_schedule_stays_a_draft(timed: Desk) -> None:
    id = start(timed, timed.add_inbox())
    draft = reply(timed, id, draft=True)
    schedule(timed, id, draft, ahead(timed, hours=1))
    done(timed.delete(place(id, draft)))
    done(timed.delete(place(id, draft)))
    assert ("nextEvent" in read(timed, id), scheduled_for(timed, id)) == (False, None)
    let_pass(timed, SEND_SCHEDULED, hours=2)
    assert thread(timed, id, draft).state == "draft"
    assert (told(timed, id), jobs_left(timed, SEND_SCHEDULED)) == (["convo.created"], 0)


def test_nothing_goes_out_of_a_deleted_or_merged_conversation(timed: Desk) -> None:
    inbox = timed.add_inbox()
    gone, merged, survivor = (start(timed, inbox) for _ in range(3))
    drafts = [reply(timed, id, draft=True) for id in (gone, merged)]
    for id, draft in zip((gone, merged), drafts, strict=True):
        schedule(timed, id, draft, ahead(timed, hours=1))
    done(timed.delete(f"/v2/conversations/{gone}"))
    merge(timed, merged, survivor)
    let_pass(timed, SEND_SCHEDULED, hours=2)
    assert jobs_left(timed, SEND_SCHEDULED) == 0, "they ended, and did not fail"
    assert thread(timed, merged, drafts[1]).state == "draft"
    assert [mails(timed, draft) for draft in drafts] == [0, 0]


@pytest.mark.parametrize("imported", [False, True])
def test_an_answer_of_the_customer_ends_the_schedules_that_say_so(desk: Desk, imported: bool) -> None:
    id = start(desk, desk.add_inbox())
    fragile, sturdy = reply(desk, id, draft=True), reply(desk, id, draft=True)
    first, second = ahead(desk, hours=1), ahead(desk, hours=2)
    schedule(desk, id, fragile, first, until_reply=True)
    schedule(desk, id, sturdy, second)
    customer = {"id": read(desk, id)["primaryCustomer"]["id"]}
    created(add(desk, id, "customer", customer=customer, imported=imported))
    shown = {one["id"]: one.get("scheduled") for one in desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]}  # fmt: skip  # noqa: E501
    assert (shown[fragile] is None, shown[sturdy] is None) == (not imported, False)
    assert thread(desk, id, fragile).state == "draft"
    assert read(desk, id)["nextEvent"]["time"] == (first if imported else second)


def test_a_conversation_knows_the_earliest_of_its_schedules(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    early, late = reply(desk, id, draft=True), reply(desk, id, draft=True)
    first, second = ahead(desk, hours=1), ahead(desk, hours=2)
    schedule(desk, id, late, second, until_reply=True)
    assert scheduled_for(desk, id) == second
    schedule(desk, id, early, first)
    assert read(desk, id)["nextEvent"]["time"] == scheduled_for(desk, id) == first
    done(send_now(desk, id, early))
    assert read(desk, id)["nextEvent"] == {
        "time": second, "eventType": "scheduled", "userId": desk.user_id, "cancelOnCustomerReply": True,
    }  # fmt: skip
    done(desk.delete(place(id, late)))
    assert scheduled_for(desk, id) is None


def test_publishing_the_whole_draft_ends_its_schedules(timed: Desk) -> None:
    id = start(timed, timed.add_inbox(), threads=[{"type": "reply", "text": "Soon.", "draft": True}])
    draft = threads(timed, id)[0].id
    schedule(timed, id, draft, ahead(timed, hours=1), sendAsCreator=True)
    done(patch(timed, id, "/draft", False))
    assert ("nextEvent" in read(timed, id), scheduled_for(timed, id)) == (False, None)
    published_at = thread(timed, id, draft).created_at
    let_pass(timed, SEND_SCHEDULED, hours=2)
    assert (told(timed, id), mails(timed, draft)) == (["convo.created"], 1)
    assert thread(timed, id, draft).created_at == published_at


# Once -----------------------------------------------------------------------------------------------------------------


def test_a_job_that_is_carried_out_twice_sends_once(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    draft, at = reply(desk, id, draft=True), ahead(desk, hours=1)
    schedule(desk, id, draft, at)
    for _ in range(2):
        desk.write(lambda tx: scheduling.send_due(tx, desk.account_id, Departure(id, draft, at), desk.now))
    assert told(desk, id).count("convo.agent.reply.created") == mails(desk, draft) == 1
    assert read(desk, id)["threads"] == 2


def test_somebody_who_does_not_wait_and_the_time_itself_send_once(timed: Desk) -> None:
    inbox = timed.add_inbox()
    ids = [start(timed, inbox) for _ in range(12)]
    drafts = {id: reply(timed, id, draft=True) for id in ids}
    for id, draft in drafts.items():
        schedule(timed, id, draft, ahead(timed, hours=1))
    others = [timed.as_user(timed.user_id) for _ in range(3)]

    def hurry(desk: Desk) -> list[int]:
        return [send_now(desk, id, draft).status_code for id, draft in drafts.items()]

    with ThreadPoolExecutor(len(others)) as pool:
        running = [pool.submit(hurry, desk) for desk in others]
        timed.server.clock.advance(timedelta(hours=2))
        codes = [code for one in running for code in one.result()]
    assert set(codes) <= {204, 404}
    eventually(lambda: jobs_left(timed, SEND_SCHEDULED) == 0)
    for id, draft in drafts.items():
        assert told(timed, id).count("convo.agent.reply.created") == mails(timed, draft) == 1
        assert read(timed, id)["threads"] == 2
    assert counted(timed) == recounted(timed)


# What is refused ------------------------------------------------------------------------------------------------------


def test_only_drafts_are_scheduled(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    body = {"scheduledFor": ahead(desk, hours=1), "unscheduleOnCustomerReply": True}
    done(patch(desk, id, "/status", "closed"))
    for thread_id in [*(one.id for one in threads(desk, id)), reply(desk, id), created(add(desk, id, "notes"))]:
        assert faults(desk.put(place(id, thread_id), body)) == ["threadId"]
        assert faults(desk.delete(place(id, thread_id))) == ["threadId"]
    assert jobs_left(desk, SEND_SCHEDULED) == 0


@pytest.mark.parametrize(
    "at", ["2020-01-01T00:00:00Z", "2101-01-01T00:00:00Z", "2099-01-01", "2099-01-01T00:00:00.000Z", 5, ""]
)
def test_a_time_that_is_past_or_none_is_named(desk: Desk, at: Any) -> None:
    id = start(desk, desk.add_inbox())
    draft = reply(desk, id, draft=True)
    body = {"scheduledFor": at, "unscheduleOnCustomerReply": True}
    assert faults(desk.put(place(id, draft), body)) == ["scheduledFor"]
    assert "nextEvent" not in read(desk, id)


def test_a_light_user_schedules_and_sends_nothing(desk: Desk) -> None:
    inbox = desk.add_inbox()
    light = desk.as_user(desk.add_user("Lea", role="light user", inboxes=(inbox,)))
    id = start(desk, inbox)
    draft = reply(desk, id, draft=True)
    schedule(desk, id, draft, ahead(desk, hours=1))
    body = {"scheduledFor": ahead(desk, hours=2), "unscheduleOnCustomerReply": True}
    answers = (light.put(place(id, draft), body), send_now(light, id, draft), light.delete(place(id, draft)))
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert thread(desk, id, draft).state == "draft"
