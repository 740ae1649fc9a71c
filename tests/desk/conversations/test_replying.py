"""Adding threads: what each kind does to its conversation, what it tells, and when it is refused."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from deskhand.lib.clock import to_wire
from tests.desk.conversations.builders import (
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
    rows_of,
    snooze,
    start,
    threads,
    told,
    wrote,
)
from tests.world import Desk, open_desk, unique

KINDS = ("reply", "notes", "chats", "phones", "customer")


def someone(desk: Desk, id: int) -> dict[str, Any]:
    """The conversation's own customer, as bodies name them."""
    return {"id": read(desk, id)["primaryCustomer"]["id"]}


def added(desk: Desk, id: int, kind: str, **body: Any) -> int:
    """A thread of any kind."""
    return created(add(desk, id, kind, **{"customer": someone(desk, id), **body}))


def waiting(desk: Desk, id: int) -> tuple[str, str] | None:
    shown = read(desk, id).get("customerWaitingSince")
    return shown and (shown["time"], shown["latestReplyFrom"])


# Replies -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [
        ("closed", None, "active"), ("pending", None, "active"), ("spam", None, "active"), ("active", None, "active"),
        ("pending", "all", "pending"), ("closed", "all", "closed"), ("closed", "open", "active"),
        ("active", "closed", "closed"), ("active", "spam", "spam"), ("active", "inbox_predefined", "pending"),
    ],
)  # fmt: skip
def test_a_reply_leaves_the_status_it_asks_for(desk: Desk, before: str, asked: str | None, after: str) -> None:
    inbox_id = desk.add_inbox(default_status="pending")
    id = start(desk, inbox_id, status=before)
    thread_id = reply(desk, id, status=asked)
    shown = read(desk, id)
    assert shown["status"] == after
    assert ("closedAt" in shown, shown["closedBy"] > 0) == ((after == "closed"),) * 2
    thread = threads(desk, id)[-1]
    assert (thread.id, thread.status) == (thread_id, after if after != before else "nochange")
    assert told(desk, id) == [
        "convo.created", "convo.agent.reply.created", *(["convo.status"] if after != before else []),
    ]  # fmt: skip
    assert counted(desk) == recounted(desk)


def test_a_reply_may_give_away_keep_or_take_back(desk: Desk) -> None:
    inbox_id, ines = desk.add_inbox(), desk.add_user("Ines")
    id = start(desk, inbox_id)
    reply(desk, id, assignTo=ines)
    assert (read(desk, id)["assignee"]["id"], read(desk, id)["folderId"] % 10) == (ines, 5)
    reply(desk, id)
    assert read(desk, id)["assignee"]["id"] == ines
    reply(desk, id, assignTo=None)
    assert ("assignee" in read(desk, id), read(desk, id)["folderId"] % 10) == (False, 1)
    assert [json.loads(fact.particulars) for fact in events(desk, id) if fact.name == "convo.assigned"] == [
        {"before": 0, "after": ines},
        {"before": ines, "after": 0},
    ]
    assert [one.assigned_to for one in threads(desk, id)][1:] == [ines, ines, None]
    assert counted(desk) == recounted(desk)


def test_its_event_names_the_thread_the_inbox_and_who_did_it(desk: Desk) -> None:
    inbox_id, ines = desk.add_inbox(), desk.add_user("Ines")
    id = start(desk, inbox_id)
    thread_id = reply(desk, id, user=ines)
    fact = events(desk, id)[-1]
    assert (fact.name, fact.thread_id, fact.inbox_id) == ("convo.agent.reply.created", thread_id, inbox_id)
    assert (fact.actor_type, fact.actor_id) == ("user", desk.user_id)  # who called, whomever the thread names
    assert threads(desk, id)[-1].created_by_id == ines


def test_a_draft_changes_nothing_and_tells_nothing(desk: Desk) -> None:
    ines = desk.add_user("Ines")
    id = start(desk, desk.add_inbox(), status="closed")
    before, facts = read(desk, id), told(desk, id)
    thread_id = reply(desk, id, draft=True, status="pending", assignTo=ines, cc=["boss@buyer.example"])
    assert read(desk, id) == before
    assert told(desk, id) == facts
    draft = threads(desk, id)[-1]
    assert (draft.id, draft.state, draft.status, draft.assigned_to) == (thread_id, "draft", "closed", None)
    assert json.loads(draft.on_publish) == {"status": "pending", "owner": ines}
    assert counted(desk) == recounted(desk)


def test_publishing_a_draft_conversation_does_what_its_draft_replies_asked_for(desk: Desk) -> None:
    ines = desk.add_user("Ines")
    id = start(desk, desk.add_inbox(), threads=[{"type": "reply", "text": "Soon.", "draft": True}])
    reply(desk, id, draft=True, status="pending", assignTo=ines)
    assert told(desk, id) == []
    done(patch(desk, id, "/draft", False))
    shown = read(desk, id)
    assert (shown["state"], shown["threads"]) == ("published", 2)
    assert (shown["status"], shown.get("assignee", {}).get("id")) == ("pending", ines)
    assert counted(desk) == recounted(desk)


def test_copies_stay_until_others_are_named(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[wrote(cc=["one@buyer.example"])])
    reply(desk, id)
    assert read(desk, id)["cc"] == ["one@buyer.example"]
    reply(desk, id, cc=["two@buyer.example", {"email": "three@buyer.example"}], bcc=["four@buyer.example"])
    assert (read(desk, id)["cc"], read(desk, id)["bcc"]) == (
        ["two@buyer.example", "three@buyer.example"],
        ["four@buyer.example"],
    )


def test_a_reply_goes_to_whom_it_names(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    own = read(desk, id)["primaryCustomer"]
    address = f"{unique('other')}@buyer.example"
    reply(desk, id, customer={"email": address, "firstName": "Other"})
    thread = threads(desk, id)[-1]
    assert (json.loads(thread.recipients), thread.customer_id != own["id"]) == ([address], True)
    assert read(desk, id)["primaryCustomer"] == own
    unknown = add(desk, id, "reply", customer={"id": 987_654_321})
    assert faults(unknown) == ["customer.id"]
    assert faults(add(desk, id, "reply")) == ["customer"]


def test_the_newest_thread_is_the_preview(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    for kind in KINDS:
        added(desk, id, kind, text=f"<p>By {kind}</p>")
        assert read(desk, id)["preview"] == f"By {kind}"
    assert read(desk, id)["threads"] == 1 + len(KINDS)


# Who waits -----------------------------------------------------------------------------------------------------------


def test_the_customer_waits_since_the_first_unanswered_message(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[{"type": "reply", "text": "Hello."}])
    assert waiting(desk, id) is None
    now = desk.server.clock.now()
    first, second = to_wire(now - timedelta(hours=2)), to_wire(now - timedelta(hours=1))
    added(desk, id, "customer", imported=True, createdAt=first)
    added(desk, id, "customer", imported=True, createdAt=second)
    assert waiting(desk, id) == (first, "customer")
    added(desk, id, "notes")
    added(desk, id, "phones")
    added(desk, id, "reply", draft=True)
    assert waiting(desk, id) == (first, "customer")
    reply(desk, id)
    assert waiting(desk, id) is None
    added(desk, id, "customer")
    assert waiting(desk, id) == (threads(desk, id)[-1].created_at, "customer")


# Other kinds ---------------------------------------------------------------------------------------------------------


def test_each_kind_tells_its_own(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    customer = read(desk, id)["primaryCustomer"]["id"]
    made = {kind: added(desk, id, kind) for kind in KINDS}
    facts = [(one.name, one.thread_id, one.actor_type, one.actor_id) for one in events(desk, id)]
    assert facts == [
        ("convo.created", None, "user", desk.user_id),
        ("convo.agent.reply.created", made["reply"], "user", desk.user_id),
        ("convo.note.created", made["notes"], "user", desk.user_id),
        ("convo.customer.reply.created", made["customer"], "customer", customer),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_imports_say_so(desk: Desk, kind: str) -> None:
    id = start(desk, desk.add_inbox())
    at = "2021-05-01T10:00:00Z"
    added(desk, id, kind, imported=True, createdAt=at)
    thread = threads(desk, id)[-1]
    assert (thread.created_at, thread.imported) == (at, 1)
    particulars = [json.loads(one.particulars) for one in events(desk, id) if one.thread_id]
    assert particulars == ([] if kind in ("chats", "phones") else [{"imported": True}])
    assert faults(add(desk, id, kind, customer=someone(desk, id), createdAt=at)) == ["createdAt"]
    assert len(threads(desk, id)) == 2


@pytest.mark.parametrize("before", ["active", "pending", "closed", "spam"])
def test_a_note_changes_the_status_only_when_asked(desk: Desk, before: str) -> None:
    id = start(desk, desk.add_inbox(), status=before)
    added(desk, id, "notes")
    assert read(desk, id)["status"] == before
    assert told(desk, id) == ["convo.created", "convo.note.created"]
    added(desk, id, "notes", status="closed")
    assert read(desk, id)["status"] == "closed"
    assert ("convo.status" in told(desk, id)) == (before != "closed")
    assert counted(desk) == recounted(desk)


@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize("before", ["closed", "pending", "spam"])
def test_what_the_customer_writes_reopens_unless_it_is_imported(desk: Desk, before: str, imported: bool) -> None:
    id = start(desk, desk.add_inbox(), status=before, assignTo=desk.user_id)
    added(desk, id, "customer", imported=imported)
    shown = read(desk, id)
    assert shown["status"] == (before if imported else "active")
    assert shown["assignee"]["id"] == desk.user_id
    assert ("convo.status" in told(desk, id)) == (not imported)
    assert counted(desk) == recounted(desk)


@pytest.mark.parametrize("until_reply", [False, True])
@pytest.mark.parametrize("imported", [False, True])
def test_what_the_customer_writes_may_end_a_snooze(desk: Desk, until_reply: bool, imported: bool) -> None:
    id = start(desk, desk.add_inbox())
    snooze(desk, id, "2030-01-01T09:00:00Z", until_reply=until_reply)
    assert read(desk, id)["folderId"] % 10 == 8
    added(desk, id, "customer", imported=imported)
    woken = until_reply and not imported
    assert ("snooze" in read(desk, id), read(desk, id)["folderId"] % 10) == ((False, 1) if woken else (True, 8))
    assert counted(desk) == recounted(desk)


def test_a_chat_is_the_customers_and_a_phone_call_the_users(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), status="closed")
    customer = read(desk, id)["primaryCustomer"]["id"]
    for kind in ("chats", "phones"):
        added(desk, id, kind)
    _, chat, phone = threads(desk, id)
    assert (chat.type, chat.created_by_type, chat.created_by_id) == ("chat", "customer", customer)
    assert (phone.type, phone.created_by_type, phone.created_by_id) == ("phone", "user", desk.user_id)
    assert read(desk, id)["status"] == "closed"


def test_an_attachment_marks_its_conversation(desk: Desk) -> None:
    id, plain = start(desk, desk.add_inbox()), start(desk, desk.add_inbox())
    data = base64.b64encode(b"receipt").decode()
    added(desk, id, "notes", attachments=[{"fileName": "receipt.txt", "mimeType": "text/plain", "data": data}])
    added(desk, plain, "notes")
    found = desk.get("/v2/conversations", query="(attachments:true)").json()["_embedded"]["conversations"]
    assert [one["id"] for one in found] == [id]
    added(desk, id, "notes")
    assert desk.get("/v2/conversations", query="(attachments:true)").json()["page"]["totalElements"] == 1


# Refusals ------------------------------------------------------------------------------------------------------------


def test_the_hundredth_thread_is_the_last_whatever_its_kind(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), threads=[wrote(f"part {n}") for n in range(98)])
    done(patch(desk, id, "/status", "pending"))  # its line item does not count
    reply(desk, id, draft=True)
    added(desk, id, "notes")
    customer, before = someone(desk, id), read(desk, id)
    for kind in KINDS:
        assert faults(add(desk, id, kind, customer=customer), 412) == ["conversationId"], kind
    assert read(desk, id) == before
    done(patch(desk, id, "/status", "closed"))
    assert len([one for one in threads(desk, id) if one.type != "lineitem"]) == 100


def test_light_users_only_add_notes(desk: Desk) -> None:
    inbox_id = desk.add_inbox()
    id = start(desk, inbox_id)
    light = desk.as_user(desk.add_user(role="light user", inboxes=(inbox_id,)))
    customer = someone(desk, id)
    assert add(light, id, "reply", customer=customer).status_code == 403
    assert add(light, id, "reply", customer=customer, draft=True).status_code == 403
    created(add(light, id, "notes"))
    assert [one.type for one in threads(desk, id)] == ["customer", "note"]


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_inboxes_and_other_accounts_are_closed(desk: Desk, kind: str) -> None:
    id = start(desk, desk.add_inbox())
    customer = someone(desk, id)
    ines = desk.as_user(desk.add_user(inboxes=(desk.add_inbox(),)))
    assert add(ines, id, kind, customer=customer).status_code == 403
    other = open_desk(desk.server)
    own = {"id": read(other, start(other, other.add_inbox()))["primaryCustomer"]["id"]}
    assert add(other, id, kind, customer=own).status_code == 404
    assert len(threads(desk, id)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_merged_conversations_take_nothing(desk: Desk, kind: str) -> None:
    inbox_id = desk.add_inbox()
    survivor, id = start(desk, inbox_id), start(desk, inbox_id)
    customer = someone(desk, id)
    merge(desk, id, survivor)
    assert add(desk, id, kind, customer=customer).status_code == 404
    assert counted(desk) == recounted(desk)
    assert len(rows_of(desk)) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_old_conversations_are_locked_where_the_account_says_so(desk: Desk, kind: str) -> None:
    strict = open_desk(desk.server, lock_after_days=30)
    inbox_id, now = strict.add_inbox(), desk.server.clock.now()
    young, old = (
        start(strict, inbox_id, imported=True, createdAt=to_wire(now - timedelta(days=30) + by))
        for by in (timedelta(minutes=5), -timedelta(minutes=5))
    )
    created(add(strict, young, kind, customer=someone(strict, young)))
    assert faults(add(strict, old, kind, customer=someone(strict, old)), 412) == ["conversationId"]
    assert (len(threads(strict, young)), len(threads(strict, old))) == (2, 1)
    assert told(strict, old) == ["convo.created"]


def test_a_refused_thread_leaves_no_customer_behind(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    before, address = read(desk, id), f"{unique('nobody')}@buyer.example"
    for body in ({"user": 987_654_321}, {"assignTo": 987_654_321}):
        assert add(desk, id, "reply", customer={"email": address}, **body).status_code == 400
    assert read(desk, id) == before
    assert desk.get("/v2/customers", query=f'(email:"{address}")').json()["page"]["totalElements"] == 0
