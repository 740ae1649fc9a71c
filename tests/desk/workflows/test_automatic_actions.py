"""What workflows do by themselves: changes, webhooks, and replies that no machine is to answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from deskhand.db.statements import P, value
from deskhand.desk.conversations.mail import letters, mail_queries
from deskhand.desk.conversations.mail.letters import Letter
from deskhand.desk.conversations.tables import thread_mail
from deskhand.desk.workflows import acting
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
from deskhand.desk.workflows.conditions import Body
from deskhand.lib.clock import from_wire, to_wire
from tests.desk.conversations.builders import add, counted, created, done, read, recounted, start, threads
from tests.desk.workflows.waiting import REFUND, automatic, by_machine, customer_of, ran, rest, saved, tag
from tests.receiver import receiving
from tests.world import Desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


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
        "The workflow All ran: marked as pending, assigned to Tier Two, added the tag vip, removed the tag new,"
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
    created(add(desk, id, "customer", text="It is urgent", customer={"id": customer_of(desk, id)}))
    ran(desk, id)
    assert "snooze" not in read(desk, id)


def test_manual_ones_reply_snooze_and_call_webhooks_as_well(desk: Desk, inbox: int) -> None:
    workflow = desk.add_workflow(inbox, Reply(saved(desk, inbox)), Snooze(1, "hours"), name="Answer")
    id = start(desk, inbox)
    done(desk.post(f"/v2/workflows/{workflow}/run", {"conversationIds": [id]}))
    message = next(one for one in threads(desk, id) if one.type == "message")
    assert message.created_by_id == desk.user_id
    texts = [one.action_text for one in threads(desk, id) if one.type == "lineitem"]
    assert texts == ["Ada Holm ran the workflow Answer: replied with Thanks, snoozed the conversation for 1 hour"]
    assert "snooze" in read(desk, id)


# -- Replies


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


# -- Webhooks


def test_a_line_item_keeps_the_secret_part_of_a_webhooks_address(desk: Desk, inbox: int) -> None:
    hook = {"url": "https://hooks.example/T0/s3cret?key=s3cret", "events": ["convo.merged"], "secret": "x"}
    automatic(desk, inbox, REFUND, CallWebhook(created(desk.post("/v2/webhooks", hook))), name="Tell")
    id = start(desk, inbox, subject="Refund")
    assert ran(desk, id) == ["The workflow Tell ran: sent the conversation to the webhook hooks.example"]


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
