"""Automatic workflows at work: what lets them look, in which order, once each, and how they come to an end."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import P, rows, value
from deskhand.desk.conversations.mail import letters, mail_queries
from deskhand.desk.conversations.mail.letters import Letter
from deskhand.desk.conversations.tables import thread_mail
from deskhand.desk.conversations.threads import rating
from deskhand.desk.users import verbs as users
from deskhand.desk.workflows import acting, queries, ticking, verbs
from deskhand.desk.workflows import automatic as running
from deskhand.desk.workflows.actions import (
    AddNote,
    AddTags,
    Assign,
    CallWebhook,
    Move,
    RemoveTags,
    Reply,
    SetField,
    SetStatus,
    Snooze,
    Unsnooze,
)
from deskhand.desk.workflows.automatic import Running, Turn
from deskhand.desk.workflows.conditions import (
    Body,
    Condition,
    Created,
    FieldValue,
    Group,
    HasAssignee,
    HasRating,
    HasStatus,
    HasTag,
    LastCustomerReply,
    LastUserReply,
    Subject,
    WaitingSince,
)
from deskhand.desk.workflows.evaluating import Matcher
from deskhand.desk.workflows.tables import workflow_run
from deskhand.lib.clock import from_wire, to_wire
from deskhand.outbox import jobs
from deskhand.outbox.events import Fact
from deskhand.outbox.jobs import NewJob, Work
from deskhand.outbox.tables import job
from deskhand.outbox.worker import Failed
from tests.agents import add_agent
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
from tests.desk.workflows.waiting import automatic, by_machine, items, ran, tags, until
from tests.receiver import receiving
from tests.world import Desk

REFUND = Subject("contains", "refund")
_marks = itertools.count(10**12)
CLOSED = HasStatus("is", ["closed"])


class Run(msgspec.Struct, frozen=True):
    workflow_id: int
    user_id: int | None


_RUNS = rows(
    Run,
    sa.select(workflow_run.c.workflow_id, workflow_run.c.user_id)
    .where(workflow_run.c.account_id == P("account_id"), workflow_run.c.conversation_id == P("id"))
    .order_by(workflow_run.c.id),
    keep=False,
)
_TARGETS = value(
    str, sa.select(job.c.target).where(job.c.account_id == P("account_id"), job.c.kind == "run_workflows"), keep=False
)
_JOBS = value(
    int,
    sa.select(sa.func.count()).select_from(job).where(job.c.account_id == P("account_id"), job.c.state == "waiting"),
    keep=False,
)


def runs(desk: Desk, id: int) -> list[int]:
    """The workflows that ran by themselves on a conversation, in the order in which they did."""
    found = desk.server.app.database.read_now(lambda db: db.all(_RUNS, account_id=desk.account_id, id=id))
    return [one.workflow_id for one in found if one.user_id is None]


def held(desk: Desk, id: int) -> Work:
    """A job to look at a conversation that this test has claimed, as a worker does."""
    payload = msgspec.json.encode(Turn(id)).decode()
    mark = next(_marks)
    new = NewJob(
        account_id=0, kind="run_workflows", target="of a test", payload=payload, due_at=2**52, claim=mark, attempts=1,
        created_at=desk.now,
    )  # fmt: skip # of no account, so that nobody waits for its end
    desk.write(lambda tx: jobs.add_many(tx, [new]))
    one = value(int, sa.select(job.c.id).where(job.c.claim == P("mark")), keep=False)
    id = desk.server.app.database.read_now(lambda db: db.first(one, mark=mark))
    return Work(id, desk.account_id, "run_workflows", "of a test", payload, 1, mark)


def rest(desk: Desk) -> None:
    """Wait until all events have been looked at and nothing is left to do at once."""
    database = desk.server.app.database
    until(lambda: not database.read_now(running_facts) and not database.read_now(waiting(desk)))


def running_facts(db: Any) -> bool:
    unhandled = sa.text("SELECT id FROM event WHERE handled = 0").columns(sa.column("id"))
    return bool(db.one(value(int, unhandled, keep=False)))


def waiting(desk: Desk) -> Any:
    return lambda db: db.first(_JOBS, account_id=desk.account_id)


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def tag(desk: Desk, inbox: int, name: str) -> int:
    """A tag of the account, by its id."""
    other = start(desk, desk.add_inbox(), tags=[name])
    return int(next(one["id"] for one in read(desk, other)["tags"] if one["tag"] == name))


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
            created(add(desk, id, "customer", text="A second mail", customer={"id": _customer(desk, id)}))
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


def _customer(desk: Desk, id: int) -> int:
    return int(read(desk, id)["primaryCustomer"]["id"])


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


# -- What they can't do


def test_one_that_names_what_is_gone_becomes_invalid_and_does_nothing(desk: Desk, inbox: int) -> None:
    lea = desk.add_user(inboxes=(inbox,))
    workflow = automatic(desk, inbox, REFUND, SetStatus("closed"), Assign(lea))
    after = automatic(desk, inbox, REFUND, AddNote("Still here"))
    desk.write(lambda tx: users.set_state(tx, desk.account_id, lea, "inactive", desk.now))
    id = start(desk, inbox, subject="Refund")
    ran(desk, id)
    assert (read(desk, id)["status"], runs(desk, id)) == ("active", [after])
    assert desk.get(f"/v2/workflows/{workflow}").json()["status"] == "invalid"
    row = desk.server.app.database.read_now(lambda db: queries.existing(db, desk.account_id, workflow))
    assert (row.status, row.invalid_because) == ("invalid", f"there is no user or team {lea}")
    answer = desk.patch(f"/v2/workflows/{workflow}", {"op": "replace", "path": "/status", "value": "active"})
    assert answer.status_code == 400


def look(desk: Desk, id: int) -> None:
    """Let workflows look at a conversation, without the worker."""
    app = desk.server.app
    work = held(desk, id)
    desk.server.run(Running(app.database, app.clock).carry(work))


def test_one_that_can_not_do_its_work_leaves_nothing_is_told_of_once_and_the_next_goes_on(
    desk: Desk, inbox: int
) -> None:
    id = start(desk, inbox, subject="Refund", threads=[wrote() for _ in range(99)])
    created(add(desk, id, "notes"))  # full
    rest(desk)
    fails = automatic(desk, inbox, REFUND, SetStatus("closed"), AddNote("No room"), name="Fails")
    good = automatic(desk, inbox, REFUND, SetStatus("pending"))
    for _ in range(3):
        look(desk, id)
    rest(desk)
    assert (read(desk, id)["status"], runs(desk, id)) == ("pending", [good])
    told = [one for one in threads(desk, id) if one.action_text.startswith("The workflow Fails")]
    assert [(one.action_text, json.loads(one.associated)) for one in told] == [
        ("The workflow Fails could not run: the conversation already has 100 threads", {"workflow": fails})
    ]


def test_one_that_breaks_down_is_tried_again_and_holds_no_other_up(
    desk: Desk, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = start(desk, inbox, subject="Refund")
    rest(desk)
    breaks = automatic(desk, inbox, REFUND, SetStatus("closed"), name="Breaks")
    good = automatic(desk, inbox, REFUND, SetStatus("pending"))
    run = running.run

    def broken(tx: Writer, **given: Any) -> bool:
        if given["workflow_id"] == breaks:
            raise ZeroDivisionError
        return run(tx, **given)

    with monkeypatch.context() as patched:
        patched.setattr(running, "run", broken)
        with pytest.raises(Failed, match=r"\(Breaks\): ZeroDivisionError") as failure:
            look(desk, id)
    assert (runs(desk, id), failure.value.final) == ([good], False)
    look(desk, id)
    assert runs(desk, id) == [good, breaks]


def test_all_that_match_run_in_one_go_however_many(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, subject="Refund")
    rest(desk)
    made = [automatic(desk, inbox, REFUND, Unsnooze()) for _ in range(running.CHAIN_MOST + 3)]
    look(desk, id)
    assert runs(desk, id) == made


def test_a_burst_leaves_others_their_places(desk: Desk, inbox: int) -> None:
    automatic(desk, inbox, REFUND, SetStatus("closed"))
    facts = [Fact(n, desk.account_id, "convo.created", n, inbox, None, "user", 1, desk.now, "{}") for n in range(50)]
    targets: list[str] = []

    def burst(tx: Writer) -> None:
        running.look_at(tx, facts, desk.server.clock.now())
        targets.extend(tx.all(_TARGETS, account_id=desk.account_id))
        raise ZeroDivisionError  # so that nothing of it stays

    with pytest.raises(ZeroDivisionError):
        desk.write(burst)
    assert (len(targets), len(set(targets))) == (50, 1)  # a worker does only few of one target at a time


def test_a_conversation_that_is_gone_is_no_failure(desk: Desk) -> None:
    app = desk.server.app
    work = held(desk, 999_999_999)
    desk.server.run(Running(app.database, app.clock).carry(work))


# -- Actions


def test_all_actions_in_one_go(desk: Desk, inbox: int) -> None:
    sales = desk.add_inbox("Sales")
    order, team = desk.add_field(sales, "Order", "number"), desk.add_team("Tier Two")
    vip, new = tag(desk, inbox, "vip"), tag(desk, inbox, "new")
    automatic(
        desk, inbox, REFUND, SetStatus("pending"), Assign(team), AddTags([vip]), RemoveTags([new]), Move(sales),
        SetField(order, "12"), AddNote("Look"), Snooze(2, "days"), name="All",
    )  # fmt: skip
    id = start(desk, inbox, subject="Refund", tags=["new"])
    assert ran(desk, id) == [
        "The workflow All ran: marked as pending, assigned to Tier Two, added the tags vip, removed the tags new,"
        " moved the conversation to Sales, set Order to 12, added a note, snoozed the conversation for 2 days"
    ]
    found = read(desk, id)
    assert (found["status"], found["assignee"]["id"], found["mailboxId"]) == ("pending", team, sales)
    assert [one["tag"] for one in found["tags"]] == ["vip"]
    assert [one["value"] for one in found["customFields"]] == ["12"]
    until_ = from_wire(found["snooze"]["snoozedUntil"])
    assert timedelta(hours=47) < until_ - desk.server.clock.now() <= timedelta(hours=48)
    assert [one.action_type for one in threads(desk, id) if one.type == "lineitem"] == ["automatic-workflow"]
    assert counted(desk) == recounted(desk)


def test_a_snooze_is_ended(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    tomorrow = to_wire(desk.server.clock.now() + timedelta(days=1))
    done(desk.put(f"/v2/conversations/{id}/snooze", {"snoozedUntil": tomorrow, "unsnoozeOnCustomerReply": False}))
    automatic(desk, inbox, Body("contains", "urgent"), Unsnooze())
    created(add(desk, id, "customer", text="It is urgent", customer={"id": _customer(desk, id)}))
    ran(desk, id)
    assert "snooze" not in read(desk, id)


def saved(desk: Desk, inbox: int, text: str | None = "<p>We look at it.</p>") -> int:
    body = {"name": "Thanks", "text": text, "chatText": "Hi"}
    return created(desk.post(f"/v2/mailboxes/{inbox}/saved-replies", body))


def test_a_saved_reply_goes_out_once_as_a_reply(desk: Desk, inbox: int) -> None:
    thanks = saved(desk, inbox)
    automatic(desk, inbox, REFUND, Reply(thanks), name="Thanks")
    id = start(desk, inbox, subject="Refund", customer={"email": "paul@buyer.example"})
    assert ran(desk, id) == ["The workflow Thanks ran: replied with Thanks"]
    shown = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    sent = [one for one in shown if one["type"] == "message"]
    assert [(one["body"], one["savedReplyId"], one["to"]) for one in sent] == [
        ("<p>We look at it.</p>", thanks, ["paul@buyer.example"])
    ]
    assert (sent[0]["source"], sent[0]["state"]) == ({"type": "workflows", "via": "user"}, "published")
    found = read(desk, id)
    assert (found["status"], "time" in found["customerWaitingSince"]) == ("active", True)
    assert found["customerWaitingSince"]["latestReplyFrom"] == "customer"
    mails = desk.server.app.database.read_now(
        lambda db: db.all(
            value(
                int,
                sa.select(thread_mail.c.thread_id).where(
                    thread_mail.c.conversation_id == P("id"), thread_mail.c.direction == "out"
                ),
                keep=False,
            ),
            id=id,
        )
    )
    assert mails == [sent[0]["id"]]
    letter = desk.server.app.database.read_now(lambda db: mail_queries.reply(db, desk.account_id, inbox, sent[0]["id"]))
    assert letter is not None
    mail = letters.outgoing(Letter(desk.account_id, inbox, letter))
    assert (mail.sender.name, ("Auto-Submitted", "auto-replied") in mail.headers) == ("Support", True)


def test_variables_in_a_saved_reply_are_filled(desk: Desk, inbox: int) -> None:
    text = "<p>Hi {%customer.firstName,fallback=there%}, about {%conversation.subject%}: {%mailbox.name%}</p>"
    automatic(desk, inbox, REFUND, Reply(saved(desk, inbox, text)))
    for customer, hello in (({"firstName": "Zoë"}, "Zoë"), ({}, "there")):
        id = start(desk, inbox, subject="Refund <b>", customer={"email": f"{hello}@buyer.example", **customer})
        ran(desk, id)
        sent = next(one for one in threads(desk, id) if one.type == "message")
        assert sent.body == f"<p>Hi {hello}, about Refund &lt;b&gt;: Support</p>"


def test_no_machine_is_answered(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, subject="Refund")
    by_machine(desk, id)
    automatic(desk, inbox, REFUND, Reply(saved(desk, inbox)), SetStatus("closed"), name="Thanks")
    created(add(desk, id, "notes"))
    assert ran(desk, id) == [
        "The workflow Thanks ran: sent no reply, because the customer's last message was sent by a machine,"
        " marked as closed"
    ]
    assert [one.type for one in threads(desk, id)] == ["customer", "note", "lineitem"]


@pytest.mark.parametrize("who", ["no-reply", "another inbox", "spam"])
def test_what_would_begin_a_loop_or_is_spam_is_not_answered(desk: Desk, inbox: int, who: str) -> None:
    address = {"no-reply": "no-reply@shop.example", "another inbox": "Desk@here.example"}.get(who, "eve@buyer.example")
    desk.add_inbox("Another", email="desk@here.example")
    automatic(desk, inbox, REFUND, Reply(saved(desk, inbox)), name="Thanks")
    id = start(desk, inbox, subject="Refund", customer={"email": address}, status="spam" if who == "spam" else "active")
    words = {
        "no-reply": "nobody reads mail to the customer's address",
        "another inbox": "the customer's address is an inbox here",
        "spam": "it is spam",
    }[who]
    assert ran(desk, id) == [f"The workflow Thanks ran: sent no reply, because {words}"]
    assert [one.type for one in threads(desk, id)] == ["customer", "lineitem"]


def test_a_machine_that_answers_each_reply_by_a_new_mail_gets_only_so_many_a_day(
    desk: Desk, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "REPLIES_MOST", 2)
    automatic(desk, inbox, REFUND, Reply(saved(desk, inbox)))
    who = {"email": "desk@partner.example"}

    def answered() -> bool:
        id = start(desk, inbox, subject="Refund", customer=who)
        return "sent no reply" not in ran(desk, id)[0]

    assert [answered() for _ in range(4)] == [True, True, False, False]
    desk.server.clock.advance(timedelta(days=1, minutes=1))
    assert answered()


def test_a_line_item_keeps_the_secret_part_of_a_webhooks_address(desk: Desk, inbox: int) -> None:
    hook = {"url": "https://hooks.example/T0/s3cret?key=s3cret", "events": ["convo.merged"], "secret": "x"}
    automatic(desk, inbox, REFUND, CallWebhook(created(desk.post("/v2/webhooks", hook))), name="Tell")
    id = start(desk, inbox, subject="Refund")
    assert ran(desk, id) == ["The workflow Tell ran: sent the conversation to the webhook hooks.example"]


def test_manual_ones_reply_snooze_and_call_webhooks_as_well(desk: Desk, inbox: int) -> None:
    workflow = desk.add_workflow(inbox, Reply(saved(desk, inbox)), Snooze(1, "hours"), name="Answer")
    id = start(desk, inbox)
    done(desk.post(f"/v2/workflows/{workflow}/run", {"conversationIds": [id]}))
    message = next(one for one in threads(desk, id) if one.type == "message")
    assert message.created_by_id == desk.user_id
    texts = [one.action_text for one in threads(desk, id) if one.type == "lineitem"]
    assert texts == ["Ada Holm ran the workflow Answer: replied with Thanks, snoozed the conversation for 1 hour"]
    assert "snooze" in read(desk, id)


def test_a_webhook_gets_the_conversation_signed(desk: Desk, inbox: int) -> None:
    with receiving() as receiver:
        hook = {"url": receiver.url, "events": ["convo.merged"], "secret": "s3cret", "label": "Ledger"}
        webhook = created(desk.post("/v2/webhooks", hook))
        automatic(desk, inbox, REFUND, CallWebhook(webhook), name="Tell")
        id = start(desk, inbox, subject="Refund")
        assert ran(desk, id) == ["The workflow Tell ran: sent the conversation to the webhook Ledger"]
        came = receiver.first("workflow.webhook")
        assert (came.json["id"], came.json["subject"]) == (id, "Refund")
        assert came.headers["x-helpscout-signature"]
        rest(desk)
        assert len(receiver.received) == 1


def test_an_agent_runs_only_what_it_might_do_itself(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    hook = {"url": "http://127.0.0.1:9/", "events": ["convo.merged"], "secret": "x"}
    webhook = created(desk.post("/v2/webhooks", hook))
    answering = desk.add_workflow(inbox, Reply(saved(desk, inbox)), Snooze(1, "days"))
    calling = desk.add_workflow(inbox, CallWebhook(webhook))
    held: dict[str, Any] = {
        name: {"level": "write", "inboxes": [inbox]} for name in ("conversations", "threads", "workflows")
    }
    agent = add_agent(desk, resources=held, actions={"reply_to_conversation": "off"})

    def run(workflow: int) -> Any:
        return agent.post(f"/v2/workflows/{workflow}/run", {"conversationIds": [id]})

    assert (run(answering).status_code, run(calling).status_code) == (403, 403)
    agent.grant(resources=held)
    assert (run(answering).status_code, run(calling).status_code) == (204, 403)
    agent.grant(resources=held | {"webhooks": {"level": "write", "inboxes": [inbox]}})
    assert run(calling).status_code == 204
    switching = automatic(desk, inbox, REFUND, Reply(saved(desk, inbox)))
    agent.grant(resources=held, actions={"reply_to_conversation": "off"})
    off = {"op": "replace", "path": "/status", "value": "inactive"}
    assert agent.patch(f"/v2/workflows/{switching}", off).status_code == 403
    agent.grant(resources=held)
    assert agent.patch(f"/v2/workflows/{switching}", off).status_code == 204


def test_an_agent_does_by_a_workflow_nothing_beyond_its_limits(desk: Desk, inbox: int) -> None:
    id, vip = start(desk, inbox), tag(desk, inbox, "vip")
    tagging = desk.add_workflow(inbox, AddTags([vip]))
    switching = automatic(desk, inbox, REFUND, AddTags([vip]), status="inactive")
    held: dict[str, Any] = {
        name: {"level": "write", "inboxes": [inbox]} for name in ("conversations", "threads", "workflows")
    }
    on = {"op": "replace", "path": "/status", "value": "active"}
    agent = add_agent(desk, resources=held, limits={"tags": ["lamp"]})

    def answers() -> tuple[int, int]:
        ran = agent.post(f"/v2/workflows/{tagging}/run", {"conversationIds": [id]})
        return ran.status_code, agent.patch(f"/v2/workflows/{switching}", on).status_code

    assert answers() == (403, 403)
    limited = {"set_conversation_tags": {"setting": "allow", "limits": {"tags": ["lamp"]}}}
    agent.grant(resources=held, actions=limited)
    assert answers() == (403, 403)
    assert tags(desk, id) == set()
    agent.grant(resources=held, limits={"statuses": ["pending"]})  # which tagging has nothing to do with
    assert answers() == (204, 204)


def test_an_agent_replies_by_a_workflow_only_in_inboxes_where_it_may(desk: Desk, inbox: int) -> None:
    sales = desk.add_inbox("Sales")
    id = start(desk, inbox)
    workflow = desk.add_workflow(inbox, Move(sales), Reply(saved(desk, sales)))
    both: dict[str, Any] = {
        name: {"level": "write", "inboxes": [inbox, sales]} for name in ("conversations", "workflows")
    }
    agent = add_agent(desk, resources=both | {"threads": {"level": "write", "inboxes": [inbox]}})
    run = {"conversationIds": [id]}
    assert agent.post(f"/v2/workflows/{workflow}/run", run).status_code in (403, 404)
    assert [one.type for one in threads(desk, id)] == ["customer"]


# -- Time


def test_waiting_too_long_happens_without_anything_happening(desk: Desk, inbox: int) -> None:
    late = tag(desk, inbox, "late")
    id, answered = start(desk, inbox), start(desk, inbox)
    reply(desk, answered)
    automatic(desk, inbox, WaitingSince("more_than", 2, "hours"), AddTags([late]))
    rest(desk)
    assert runs(desk, id) == []
    desk.server.clock.advance(timedelta(hours=1, minutes=50))
    created(add(desk, id, "notes"))
    rest(desk)
    assert runs(desk, id) == []
    desk.server.clock.advance(timedelta(minutes=15))
    ran(desk, id)
    assert (tags(desk, id), tags(desk, answered)) == ({"late"}, set())


@pytest.mark.parametrize("kind", [Created, LastUserReply, LastCustomerReply])
def test_other_moments_come_too(desk: Desk, inbox: int, kind: Any) -> None:
    workflow = automatic(
        desk, inbox, [[kind("more_than", 3, "days")], [REFUND, Subject("is", "x")]], SetStatus("closed")
    )
    id, other = start(desk, inbox, subject="Refund"), start(desk, inbox, subject="Hello")
    reply(desk, id), reply(desk, other)
    rest(desk)
    desk.server.clock.advance(timedelta(days=3, minutes=1))
    ran(desk, id)
    rest(desk)
    assert (runs(desk, id), runs(desk, other)) == ([workflow], [])


def test_what_was_over_before_it_was_switched_on_is_left_alone(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    rest(desk)
    desk.server.clock.advance(timedelta(hours=5))
    automatic(desk, inbox, WaitingSince("more_than", 2, "hours"), SetStatus("pending"))
    desk.server.clock.advance(timedelta(hours=5))
    newer = start(desk, inbox)
    desk.server.clock.advance(timedelta(hours=3))
    ran(desk, newer)
    assert runs(desk, id) == []
    created(add(desk, id, "notes"))
    ran(desk, id)


def test_many_at_once_are_found_little_by_little_without_more_waiting(
    desk: Desk, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticking, "FOUND_MOST", 2)
    made = [start(desk, inbox) for _ in range(3)]
    desk.server.clock.advance(timedelta(seconds=5))
    made += [start(desk, inbox) for _ in range(3)]
    automatic(desk, inbox, WaitingSince("more_than", 1, "hours"), SetStatus("pending"))
    rest(desk)
    desk.server.clock.advance(timedelta(days=1))
    for id in made:
        ran(desk, id)


def test_one_that_can_not_be_told_the_time_holds_no_other_up(
    desk: Desk, inbox: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = automatic(desk, inbox, WaitingSince("more_than", 2, "hours"), SetStatus("pending"))
    automatic(desk, inbox, WaitingSince("more_than", 1, "hours"), SetStatus("closed"))
    id = start(desk, inbox)
    rest(desk)
    came = ticking.came

    def broken(db: Any, one: ticking.Timed, now: Any) -> Any:
        if one.id == first:
            raise ZeroDivisionError
        return came(db, one, now)

    monkeypatch.setattr(ticking, "came", broken)
    desk.server.clock.advance(timedelta(minutes=70))
    ran(desk, id)
    assert read(desk, id)["status"] == "closed"


def test_what_a_customer_said_in_a_chat_counts_as_written(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, subject="Refund", threads=[wrote()])
    desk.server.clock.advance(timedelta(hours=1))
    created(add(desk, id, "chats", text="Anybody there?", customer={"id": _customer(desk, id)}))
    workflow = automatic(desk, inbox, LastCustomerReply("more_than", 2, "hours"), AddNote("Look"))
    rest(desk)
    desk.server.clock.advance(timedelta(minutes=90))
    app = desk.server.app
    desk.server.run(ticking.Ticking(app.database, app.clock).look(app.clock.now()))
    rest(desk)
    assert runs(desk, id) == []
    desk.server.clock.advance(timedelta(minutes=40))
    ran(desk, id)
    assert runs(desk, id) == [workflow]


@pytest.mark.parametrize("way", ["renamed", "switched on again"])
def test_what_is_about_to_come_is_not_lost_when_a_workflow_is_touched(
    desk: Desk, inbox: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticking, "EVERY", timedelta(days=1000))  # as if nobody had looked for a while
    late = WaitingSince("more_than", 2, "hours")
    id = start(desk, inbox)
    workflow = automatic(desk, inbox, late, SetStatus("pending"))
    rest(desk)
    desk.server.clock.advance(timedelta(hours=3))
    if way == "renamed":
        new = verbs.NewWorkflow(
            account_id=desk.account_id, inbox_id=inbox, name="Renamed", actions=[SetStatus("closed")],
            type="automatic", conditions=[Group([late])], created_at=desk.now,
        )  # fmt: skip
        desk.write(lambda tx: verbs.replace(tx, workflow, new))
    else:
        done(desk.patch(f"/v2/workflows/{workflow}", {"op": "replace", "path": "/status", "value": "active"}))
    monkeypatch.undo()
    ran(desk, id)


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

    assert min(look() for _ in range(20)) < 0.02  # reading included, on a machine that others keep busy
