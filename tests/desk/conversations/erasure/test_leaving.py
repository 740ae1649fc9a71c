"""When a user is deleted: nobody owns what was theirs, and every number is right."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.desk.conversations.builders import (
    counted,
    done,
    events,
    merge,
    patch,
    read,
    recounted,
    reply,
    rows_of,
    snooze,
    start,
    threads,
    told,
)
from tests.desk.conversations.passing import ahead
from tests.world import Desk, open_desk


def leave(desk: Desk, user_id: int) -> None:
    done(desk.delete(f"/v2/users/{user_id}"))


def draft(desk: Desk, inbox: int, **body: Any) -> int:
    return start(desk, inbox, threads=[{"type": "reply", "text": "Soon.", "draft": True}], **body)


def test_conversations_of_every_kind_are_let_go(desk: Desk) -> None:
    inbox, sales = desk.add_inbox(), desk.add_inbox()
    ines, lea = (desk.add_user(name, "Okafor", inboxes=(inbox, sales)) for name in ("Ines", "Lea"))
    mine = [
        *(start(desk, inbox, assignTo=ines, status=status) for status in ("active", "pending", "closed", "spam")),
        start(desk, sales, assignTo=ines), draft(desk, inbox, assignTo=ines),
        start(desk, inbox, assignTo=ines), start(desk, inbox, assignTo=ines),
    ]  # fmt: skip
    snooze(desk, mine[-2], "2099-01-01T00:00:00Z", until_reply=True)
    merge(desk, mine[-1], into=mine[0])
    others = [start(desk, inbox, assignTo=lea), start(desk, inbox)]
    kept = {row.id: row for row in rows_of(desk) if row.id in others}
    leave(desk, ines)
    assert {row.id: row for row in rows_of(desk) if row.id in others} == kept
    assert all(row.assignee_id is None for row in rows_of(desk) if row.id in mine)
    assert counted(desk) == recounted(desk)
    folders = desk.get(f"/v2/mailboxes/{inbox}/folders").json()["_embedded"]["folders"]
    totals = {one["type"]: one["totalCount"] for one in folders if one["totalCount"]}
    assert totals == {"open": 3, "assigned": 1, "closed": 1, "spam": 1, "drafts": 1, "custom": 1}
    found = desk.get("/v2/conversations", assigned_to=ines, status="all").json()
    assert found["page"]["totalElements"] == 0


def test_it_is_told_in_words_and_as_an_event(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ines = desk.add_user("Ines", "Okafor", inboxes=(inbox,))
    id, unpublished = start(desk, inbox, assignTo=ines), draft(desk, inbox, assignTo=ines)
    before = told(desk, id)
    leave(desk, ines)
    assert threads(desk, id)[-1].action_text == "Ada Holm unassigned the conversation: Ines Okafor has left"
    assert told(desk, id) == [*before, "convo.assigned"]
    fact = events(desk, id)[-1]
    assert (fact.inbox_id, fact.actor_id, fact.particulars) == (inbox, desk.user_id, f'{{"before":{ines},"after":0}}')
    assert told(desk, unpublished) == [], "of a draft nothing is told"
    assert read(desk, id)["userUpdatedAt"] == fact.at


def test_an_inbox_gives_them_nothing_by_default_any_more(desk: Desk) -> None:
    ines = desk.add_user()
    inbox = desk.add_inbox(default_assignee_id=ines)
    reply = [{"type": "reply", "text": "Hello."}]

    def owner() -> Any:
        body = {
            "subject": "x", "type": "email", "mailboxId": inbox, "status": "active",
            "customer": {"email": "a@b.example"}, "threads": [reply[0] | {"customer": {"email": "a@b.example"}}],
        }  # fmt: skip
        return read(desk, int(desk.post("/v2/conversations", body).headers["Resource-ID"])).get("assignee")

    assert owner()["id"] == ines
    leave(desk, ines)
    assert owner() is None


def test_another_accounts_conversations_are_left_alone(desk: Desk) -> None:
    other = open_desk(desk.server)
    id = start(other, other.add_inbox(), assignTo=other.user_id)
    ines = desk.add_user()
    leave(desk, ines)
    assert read(other, id)["assignee"]["id"] == other.user_id


def test_nothing_can_be_assigned_to_who_has_left(desk: Desk) -> None:
    inbox = desk.add_inbox()
    ines = desk.add_user(inboxes=(inbox,))
    id = start(desk, inbox)
    leave(desk, ines)
    assert patch(desk, id, "/assignTo", ines).status_code == 400
    assert "assignee" not in read(desk, id)


def test_whoever_assigns_while_they_leave_is_refused_or_undone(desk: Desk) -> None:
    inbox = desk.add_inbox()
    made = [start(desk, inbox) for _ in range(6)]
    callers = [desk.as_user(desk.user_id) for _ in range(7)]
    for attempt in range(6):
        lea = desk.add_user("Lea", inboxes=(inbox,))

        def act(number: int, attempt: int = attempt, lea: int = lea) -> set[int]:
            if number == 6:
                time.sleep(0.005 * attempt)
                return {callers[number].delete(f"/v2/users/{lea}").status_code}
            turned = made[number:] + made[:number]
            return {patch(callers[number], id, "/assignTo", lea).status_code for id in turned}

        with ThreadPoolExecutor(7) as pool:
            assert set().union(*pool.map(act, range(7))) <= {204, 400}
        assert not [row.id for row in rows_of(desk) if row.assignee_id is not None]
    assert counted(desk) == recounted(desk)


def test_a_draft_that_asked_for_who_has_left_keeps_the_owner_there_is(desk: Desk) -> None:
    inbox = desk.add_inbox()
    lea, tom = (desk.add_user(name, inboxes=(inbox,)) for name in ("Lea", "Tom"))
    later = start(desk, inbox, assignTo=tom)
    planned = reply(desk, later, draft=True, assignTo=lea, status="pending")
    place = f"/v2/conversations/{later}/threads/{planned}/schedule"
    done(desk.put(place, {"scheduledFor": ahead(desk, hours=1), "unscheduleOnCustomerReply": False}))
    whole = draft(desk, inbox)
    reply(desk, whole, draft=True, assignTo=lea, status="pending")
    leave(desk, lea)
    done(desk.patch(place, {"op": "replace", "path": "/state", "value": "published"}))
    done(patch(desk, whole, "/draft", False))
    shown = [read(desk, id) for id in (later, whole)]
    assert [one["status"] for one in shown] == ["pending", "pending"]
    assert [one.get("assignee", {}).get("id") for one in shown] == [tom, None]
    assert counted(desk) == recounted(desk)
