"""Automatic workflows at work: what lets them look, in which order, once each, and how they come to an end."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import pytest

from deskhand.desk.conversations.threads import rating
from deskhand.desk.workflows import automatic as running
from deskhand.desk.workflows import verbs
from deskhand.desk.workflows.actions import AddNote, AddTags, SetStatus, Unsnooze
from deskhand.desk.workflows.automatic import Running
from deskhand.desk.workflows.conditions import (
    Body,
    Condition,
    FieldValue,
    HasAssignee,
    HasRating,
    HasStatus,
    HasTag,
    Subject,
)
from deskhand.desk.workflows.evaluating import Matcher
from deskhand.lib.clock import to_wire
from deskhand.outbox import jobs
from tests.desk.conversations.builders import (
    add,
    counted,
    created,
    done,
    events,
    patch,
    read,
    recounted,
    reply,
    set_tags,
    start,
    threads,
    wrote,
)
from tests.desk.workflows.waiting import (
    CLOSED,
    REFUND,
    automatic,
    customer_of,
    held,
    items,
    look,
    ran,
    rest,
    runs,
    tag,
    until,
)
from tests.world import Desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


# -- What lets them look


def test_a_new_conversation_is_looked_at(desk: Desk, inbox: int) -> None:
    workflow = automatic(desk, inbox, REFUND, SetStatus("pending"), name="Refunds")
    id, other = start(desk, inbox, subject="Refund, please"), start(desk, inbox, subject="Hello")
    assert ran(desk, id) == ["The workflow Refunds ran: marked as pending"]
    rest(desk)
    assert (read(desk, id)["status"], read(desk, other)["status"]) == ("pending", "active")
    assert (runs(desk, id), runs(desk, other)) == ([workflow], [])


def test_the_line_item_names_the_workflow_and_who_it_is(desk: Desk, inbox: int) -> None:
    workflow = automatic(desk, inbox, REFUND, SetStatus("closed"), name="Refunds")
    id = start(desk, inbox, subject="Refund")
    ran(desk, id)
    shown = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    item = next(one for one in shown if one["type"] == "lineitem")
    assert item["action"] == {
        "type": "automatic-workflow", "text": "The workflow Refunds ran: marked as closed",
        "associatedEntities": {"workflow": workflow},
    }  # fmt: skip
    by = item["createdBy"]
    assert (by["type"], by["first"], by["last"]) == ("user", "Workflow", "Refunds")
    assert desk.get(item["_links"]["createdByUser"]["href"]).status_code == 200
    assert read(desk, id)["closedBy"] == by["id"]
    second = start(desk, inbox, subject="Refund")
    ran(desk, second)
    assert read(desk, second)["closedBy"] == by["id"]


@pytest.mark.parametrize("kind", ["customer", "reply", "note", "status", "assign", "tags", "field", "move", "rating"])
def test_whatever_happens_to_a_conversation_lets_workflows_look(desk: Desk, inbox: int, kind: str) -> None:
    field = desk.add_field(inbox, "Order", "number")
    vip = tag(desk, inbox, "vip")
    conditions: dict[str, Any] = {
        "customer": Body("contains", "second"), "reply": Body("contains", "our answer"),
        "note": Subject("contains", "x"), "status": CLOSED, "assign": HasAssignee("is", [desk.user_id]),
        "tags": HasTag("is", [vip]), "field": FieldValue("is", "12", field), "move": REFUND,
        "rating": HasRating("is", ["great"]),
    }  # fmt: skip
    id = start(desk, desk.add_inbox() if kind == "move" else inbox, subject="refund x")
    thread = reply(desk, id) if kind == "rating" else 0
    rest(desk)
    workflow = automatic(desk, inbox, conditions[kind], Unsnooze())
    match kind:
        case "customer":
            created(add(desk, id, "customer", text="A second mail", customer={"id": customer_of(desk, id)}))
        case "reply":
            reply(desk, id, text="This is our answer")
        case "note":
            created(add(desk, id, "notes"))
        case "status":
            done(patch(desk, id, "/status", "closed"))
        case "assign":
            done(patch(desk, id, "/assignTo", desk.user_id))
        case "tags":
            set_tags(desk, id, "vip")
        case "field":
            done(desk.put(f"/v2/conversations/{id}/fields", {"fields": [{"id": field, "value": "12"}]}))
        case "move":
            done(patch(desk, id, "/mailboxId", inbox, op="move"))
        case "rating":
            rate(desk, thread)
    ran(desk, id)
    assert runs(desk, id) == [workflow]


def rate(desk: Desk, thread: int) -> None:
    desk.write(lambda tx: rating.rate(tx, desk.account_id, thread, "great", "Quick", desk.now))


def test_imported_conversations_and_drafts_move_nothing(desk: Desk, inbox: int) -> None:
    automatic(desk, inbox, REFUND, SetStatus("closed"))
    moment = to_wire(desk.server.clock.now() - timedelta(days=3))
    old = start(desk, inbox, subject="Refund", imported=True, createdAt=moment)
    draft = start(desk, inbox, subject="Refund", threads=[{"type": "reply", "text": "x", "draft": True}])
    rest(desk)
    assert (runs(desk, old), runs(desk, draft)) == ([], [])


# -- Order, once, chains


def test_they_run_in_order_each_on_what_those_before_left(desk: Desk, inbox: int) -> None:
    second = automatic(desk, inbox, CLOSED, AddNote("Closed it"), name="Second", position=2)
    first = automatic(desk, inbox, REFUND, SetStatus("closed"), name="First", position=1)
    id = start(desk, inbox, subject="Refund")
    assert [text.split(":")[0] for text in ran(desk, id, 2)] == ["The workflow First ran", "The workflow Second ran"]
    assert runs(desk, id) == [first, second]


def test_each_runs_once_on_a_conversation_whatever_happens_later(desk: Desk, inbox: int) -> None:
    workflow = automatic(desk, inbox, REFUND, SetStatus("closed"))
    id = start(desk, inbox, subject="Refund")
    ran(desk, id)
    for _ in range(3):
        done(patch(desk, id, "/status", "active"))
        done(patch(desk, id, "/status", "pending"))
    rest(desk)
    assert runs(desk, id) == [workflow]
    assert read(desk, id)["status"] == "pending"


def test_two_that_undo_each_other_come_to_rest(desk: Desk, inbox: int) -> None:
    ping = automatic(desk, inbox, HasStatus("is", ["active"]), SetStatus("pending"), name="Ping")
    pong = automatic(desk, inbox, HasStatus("is", ["pending"]), SetStatus("active"), name="Pong")
    id = start(desk, inbox)
    ran(desk, id, 2)
    rest(desk)
    assert runs(desk, id) == [ping, pong]
    assert read(desk, id)["status"] == "active"
    assert counted(desk) == recounted(desk)


def test_a_chain_of_workflows_has_an_end(desk: Desk, inbox: int) -> None:
    numbers = [tag(desk, inbox, f"n{number}") for number in range(8)]
    made = [
        automatic(desk, inbox, HasTag("is", [numbers[place]]), AddTags([numbers[place + 1]]), position=10 - place)
        for place in range(7)
    ]
    id = start(desk, inbox, tags=["n0"])
    ran(desk, id, running.CHAIN_MOST)
    rest(desk)
    assert runs(desk, id) == made[: running.CHAIN_MOST]
    done(patch(desk, id, "/status", "pending"))  # by somebody's hand: it may go on
    until(lambda: len(runs(desk, id)) == 7)


def test_what_workflows_do_says_so_in_its_events(desk: Desk, inbox: int) -> None:
    workflow = automatic(desk, inbox, REFUND, SetStatus("closed"))
    id = start(desk, inbox, subject="Refund")
    ran(desk, id)
    told = [json.loads(one.particulars) for one in events(desk, id) if one.name == "convo.status"]
    assert told == [{"before": "active", "after": "closed", "workflows": [workflow]}]


def test_who_has_lost_the_job_meanwhile_runs_nothing(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, subject="Refund")
    rest(desk)
    automatic(desk, inbox, REFUND, AddNote("Too late"))
    app, work = desk.server.app, held(desk, id)
    assert desk.write(lambda tx: jobs.remove(tx, work))
    desk.server.run(Running(app.database, app.clock).carry(work))
    assert (runs(desk, id), [one.type for one in threads(desk, id)]) == ([], ["customer"])


def test_workers_that_race_run_it_once(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, subject="Refund")
    rest(desk)
    workflow = automatic(desk, inbox, REFUND, AddNote("Once"), SetStatus("closed"))
    app = desk.server.app
    work = held(desk, id)

    async def race() -> None:
        await asyncio.gather(*(Running(app.database, app.clock).carry(work) for _ in range(8)))

    desk.server.run(race())
    rest(desk)
    assert runs(desk, id) == [workflow]
    assert [one.type for one in threads(desk, id)].count("note") == 1
    assert len(items(desk, id)) == 1


def test_of_other_inboxes_accounts_and_states_none_runs(desk: Desk, inbox: int) -> None:
    automatic(desk, desk.add_inbox(), REFUND, SetStatus("closed"))
    automatic(desk, inbox, REFUND, SetStatus("closed"), status="inactive")
    desk.add_workflow(inbox, SetStatus("closed"))
    id = start(desk, inbox, subject="Refund")
    rest(desk)
    assert (runs(desk, id), read(desk, id)["status"]) == ([], "active")


def test_switched_off_it_rests_and_switched_on_it_runs(desk: Desk, inbox: int) -> None:
    workflow = automatic(desk, inbox, REFUND, SetStatus("closed"))
    step = {"op": "replace", "path": "/status", "value": "inactive"}
    done(desk.patch(f"/v2/workflows/{workflow}", step))
    id = start(desk, inbox, subject="Refund")
    rest(desk)
    assert runs(desk, id) == []
    done(desk.patch(f"/v2/workflows/{workflow}", step | {"value": "active"}))
    created(add(desk, id, "notes"))
    ran(desk, id)
    answer = desk.post(f"/v2/workflows/{workflow}/run", {"conversationIds": [id]})
    assert answer.status_code == 400
    assert "only manual workflows can be run on demand" in answer.text


def test_all_that_match_run_in_one_go_however_many(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, subject="Refund")
    rest(desk)
    made = [automatic(desk, inbox, REFUND, Unsnooze()) for _ in range(running.CHAIN_MOST + 3)]
    look(desk, id)
    assert runs(desk, id) == made


# -- What is left of them


def test_reports_count_what_ran_by_itself(desk: Desk, inbox: int) -> None:
    workflow = automatic(desk, inbox, REFUND, SetStatus("closed"), name="Refunds")
    for _ in range(2):
        ran(desk, start(desk, inbox, subject="Refund"))
    now = desk.server.clock.now()
    span = {"start": to_wire(now - timedelta(days=1)), "end": to_wire(now + timedelta(days=1))}
    report = desk.get("/v2/reports/conversations", **span).json()
    assert report["workflows"]["count"] == 2
    assert [(one["id"], one["name"], one["count"]) for one in report["workflows"]["top"]] == [(workflow, "Refunds", 2)]


def test_a_deleted_one_leaves_what_it_did(desk: Desk, inbox: int) -> None:
    workflow = automatic(desk, inbox, REFUND, SetStatus("closed"))
    id = start(desk, inbox, subject="Refund")
    ran(desk, id)
    desk.write(lambda tx: verbs.delete(tx, desk.account_id, workflow, desk.now))
    assert desk.get(f"/v2/workflows/{workflow}").status_code == 404
    assert len(items(desk, id)) == 1
    assert desk.get(f"/v2/conversations/{id}/threads").status_code == 200


def test_twenty_workflows_look_at_a_conversation_quickly(desk: Desk, inbox: int) -> None:
    said = [wrote("It flickers at night and by day. " * 20) for _ in range(30)]
    id = start(desk, inbox, subject="A lamp", threads=said)
    for number in range(20):
        named: list[Condition] = [Subject("contains", f"x{number}"), Body("matches", f"x{number}+y")]
        automatic(desk, inbox, [named, [Body("contains", "lamp")]], SetStatus("closed"))
    rest(desk)
    database, now = desk.server.app.database, desk.server.clock.now()

    def look() -> float:
        began = time.perf_counter()
        assert database.read_now(lambda db: running.choose(db, desk.account_id, id, (), now, Matcher())) is None
        return time.perf_counter() - began

    assert any(look() < 0.02 for _ in range(300))  # reading included, on a machine that others keep busy
