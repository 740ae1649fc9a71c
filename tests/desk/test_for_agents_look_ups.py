"""What the gateway asks before it decides: where things lie, and what a workflow amounts to."""

from __future__ import annotations

from typing import Any

from deskhand.catalogue.operation import Of
from deskhand.desk.conversations.threads.rating import rate
from deskhand.desk.for_agents import EVERYWHERE, Place, inbox_names, look_up, rate_limit
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
from tests.desk.answers import items
from tests.desk.conversations.builders import add, created, done, merge, patch, read, set_tags, start
from tests.desk.webhooks.builders import hook
from tests.world import Desk, open_desk


def places(desk: Desk, *wanted: Of) -> list[Place | None]:
    found = desk.server.app.database.read_now(lambda db: look_up(db, desk.account_id, set(wanted)))
    assert set(found) == set(wanted)
    return [found[of] for of in wanted]


def in_(*inboxes: int) -> Place:
    return Place(frozenset(inboxes))


def conversation_place(desk: Desk, id: int) -> Place:
    (found,) = places(desk, Of("conversation", id))
    assert found is not None
    return found


def test_a_conversation_is_looked_up(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    found = conversation_place(desk, id)
    assert (found.inboxes, found.number) == (frozenset({inbox}), read(desk, id)["number"])
    stranger = open_desk(desk.server)
    deleted = start(desk, inbox)
    done(desk.delete(f"/v2/conversations/{deleted}"))
    assert places(desk, Of("conversation", deleted), Of("conversation", 999_999_999)) == [None, None]
    assert places(stranger, Of("conversation", id)) == [None]


def test_a_conversations_mark_changes_with_what_matters_to_a_waiting_call(desk: Desk) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox()
    id = start(desk, inbox)
    customer = {"id": read(desk, id)["primaryCustomer"]["id"]}
    draft = created(add(desk, id, "reply", customer=customer, draft=True))
    marks = [conversation_place(desk, id).mark]
    matters: list[Any] = [
        lambda: created(add(desk, id, "customer", customer=customer)),
        lambda: created(add(desk, id, "reply", customer=customer)),
        lambda: created(add(desk, id, "chats", customer=customer)),
        lambda: created(add(desk, id, "phones", customer=customer)),
        lambda: done(patch(desk, id, "/status", "closed")),
        lambda: done(patch(desk, id, "/assignTo", desk.user_id)),
        lambda: done(patch(desk, id, "/mailboxId", other, op="move")),
        lambda: done(patch(desk, id, "/assignTo", op="remove")),
        lambda: send_now(desk, id, draft),
    ]
    for happens in matters:
        happens()
        marks.append(conversation_place(desk, id).mark)
    assert len(set(marks)) == len(marks)
    for happens in (
        lambda: created(add(desk, id, "notes")), lambda: set_tags(desk, id, "vip"),
        lambda: done(patch(desk, id, "/subject", "Other")),
        lambda: created(add(desk, id, "reply", customer=customer, draft=True)),
    ):  # fmt: skip
        happens()
        assert conversation_place(desk, id).mark == marks[-1]


def send_now(desk: Desk, id: int, draft: int) -> None:
    path = f"/v2/conversations/{id}/threads/{draft}/schedule"
    done(desk.put(path, {"scheduledFor": "2099-01-01T00:00:00Z", "unscheduleOnCustomerReply": False}))
    done(desk.patch(path, {"op": "replace", "path": "/state", "value": "published"}))


def test_a_merged_conversation_is_looked_up_where_it_leads_to(desk: Desk) -> None:
    first, second = desk.add_inbox(), desk.add_inbox()
    merged, survivor, next_one = start(desk, first), start(desk, second), start(desk, first)
    number = read(desk, merged)["number"]
    merge(desk, merged, survivor)
    found = conversation_place(desk, merged)
    assert (found.inboxes, found.number) == (frozenset({second}), number)
    merge(desk, survivor, next_one)
    assert places(desk, Of("conversation", merged)) == [None]


def test_customers_are_in_the_inboxes_of_their_conversations(desk: Desk) -> None:
    first, second, third = (desk.add_inbox() for _ in range(3))
    mira = read(desk, start(desk, first, customer={"email": "mira@buyer.example"}))["primaryCustomer"]["id"]
    start(desk, first, customer={"id": mira})
    start(desk, second, customer={"id": mira})
    merged = start(desk, third, customer={"id": mira})
    merge(desk, merged, start(desk, first))
    alone = created(desk.post("/v2/customers", {"firstName": "Al", "emails": [{"value": "al@buyer.example"}]}))
    by = [Of("customer", mira), Of("email", "mira@buyer.example"), Of("email", " MIRA@buyer.example")]
    assert places(desk, *by) == [in_(first, second)] * 3
    assert places(desk, Of("customer", mira, every=True)) == [in_(first, second)]
    assert places(desk, Of("customer", alone), Of("email", "al@buyer.example")) == [in_(), in_()]
    nobody = [Of("customer", 999_999_999), Of("email", "nobody@buyer.example"), Of("email", "a\0b@buyer.example")]
    assert places(desk, *nobody) == [None] * 3
    assert places(open_desk(desk.server), *by) == [None] * 3


def test_a_workflow_is_looked_up_with_what_it_amounts_to(desk: Desk) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox()
    field = desk.add_field(inbox, "Plan", "singleline")
    set_tags(desk, start(desk, inbox), "vip")
    tag = items(desk.get("/v2/tags"))[0]["id"]
    text = {"name": "Thanks", "text": "<p>Hi</p>"}
    reply = int(desk.post(f"/v2/mailboxes/{inbox}/saved-replies", text).headers["Resource-ID"])
    hook = {"url": "http://127.0.0.1:9/", "events": ["convo.merged"], "secret": "x"}
    webhook = int(desk.post("/v2/webhooks", hook).headers["Resource-ID"])
    for actions, does, into in (
        ((SetStatus("closed"),), ("update_conversation",), ()),
        ((Assign(None), SetStatus("spam")), ("update_conversation",), ()),
        ((AddTags([tag]), RemoveTags([tag])), ("set_conversation_tags",), ()),
        ((AddNote("Hm"), SetField(field, "x")), ("add_note", "set_conversation_fields"), ()),
        ((AddNote("Hm"), Move(other)), ("add_note", "update_conversation"), (other,)),
        ((Reply(reply), CallWebhook(webhook)), ("reply_to_conversation", "create_webhook"), ()),
        ((Snooze(1, "days"), Unsnooze()), ("snooze_conversation", "unsnooze_conversation"), ()),
    ):
        id = desk.add_workflow(inbox, *actions)
        assert places(desk, Of("workflow", id)) == [Place(frozenset({inbox}), does=does, into=frozenset(into))]
    assert places(desk, Of("workflow", 999_999_999)) == [None]
    assert places(open_desk(desk.server), Of("workflow", id)) == [None]


def test_webhooks_ratings_and_folders_are_looked_up(desk: Desk) -> None:
    first, second = desk.add_inbox(), desk.add_inbox()
    some = created(desk.post("/v2/webhooks", hook(mailboxIds=[first, second])))
    every = created(desk.post("/v2/webhooks", hook()))
    id = start(desk, first, customer={"email": "mira@buyer.example"})
    written = created(add(desk, id, "reply", customer={"email": "mira@buyer.example"}))
    rating = desk.write(lambda tx: rate(tx, desk.account_id, written, "great", "", desk.now))
    wanted = (
        Of("webhook", some, every=True), Of("webhook", every, every=True), Of("rating", rating),
        Of("folder", first * 10 + 5), Of("folder", second * 10 + 2),
    )  # fmt: skip
    assert places(desk, *wanted) == [in_(first, second), in_(EVERYWHERE), in_(first), in_(first), in_(second)]
    done(patch(desk, id, "/mailboxId", second, op="move"))
    assert places(desk, Of("rating", rating)) == [in_(second)]
    unknown = (
        Of("webhook", 999_999_999), Of("rating", 999_999_999), Of("folder", 999_999_991), Of("folder", first * 10 + 9),
        Of("folder", 5),
    )  # fmt: skip
    assert places(desk, *unknown) == [None] * 5
    assert places(open_desk(desk.server), *wanted) == [None] * 5


def test_looking_up_takes_a_statement_for_each_kind(desk: Desk) -> None:
    inbox = desk.add_inbox()
    conversations = [start(desk, inbox) for _ in range(3)]
    wanted = {Of("conversation", id) for id in conversations} | {Of("folder", inbox * 10 + 1), Of("customer", 1)}

    def counted(db: Any) -> int:
        before = db.ran
        look_up(db, desk.account_id, wanted)
        return int(db.ran - before)

    assert desk.server.app.database.read_now(counted) == 3


def test_names_of_inboxes_and_the_rate_limit_are_told(desk: Desk) -> None:
    read_now = desk.server.app.database.read_now
    first, second = desk.add_inbox("Orders"), desk.add_inbox("Wholesale")
    assert read_now(lambda db: inbox_names(db, desk.account_id)) == {first: "Orders", second: "Wholesale"}
    limited = open_desk(desk.server, rate_limit=400)
    assert [read_now(lambda db: rate_limit(db, one.account_id)) for one in (desk, limited)] == [0, 400]  # noqa: B023
