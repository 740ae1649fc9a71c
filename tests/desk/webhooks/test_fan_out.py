"""Which webhook is told of what, and what it is told."""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.catalogue.events import EVENTS
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations import merging, relabelling
from deskhand.desk.conversations.threads.rating import rate
from deskhand.desk.users import verbs as users
from deskhand.outbox import events as facts
from tests.desk.webhooks.builders import (
    add_customer,
    add_webhook,
    all_heard,
    created,
    deliveries,
    done,
    log_of,
    rename,
    start,
    state_of,
)
from tests.receiver import Receiver
from tests.world import Desk, open_desk

ALL = [kind.name for kind in EVENTS]


def conversation(desk: Desk, id: int, version: str = "v2", **params: str) -> Any:
    """A conversation as the API shows it, without what changes by the minute."""
    answer = desk.get(f"/{version}/conversations/{id}", **params)
    assert answer.status_code == 200
    return settled(answer.json())


def settled(body: Any) -> Any:
    body.get("customerWaitingSince", {}).pop("friendly", None)
    return body


def record(desk: Desk, event: facts.Event) -> None:
    desk.write(lambda tx: facts.record(tx, event))


def patch(op: str, path: str, value: Any = None) -> dict[str, Any]:
    return {"op": op, "path": path, "value": value}


# -- The events that API calls cause


def test_a_new_conversation_is_told(desk: Desk, receiver: Receiver) -> None:
    add_webhook(desk, receiver, "convo.created")
    id = start(desk, desk.add_inbox(), tags=["vip"])
    body = settled(receiver.first("convo.created").json)
    assert body == conversation(desk, id)
    assert body["_embedded"] == {"threads": []}
    assert [one.event for one in receiver.received] == ["convo.created"]


@pytest.mark.parametrize(
    ("event", "path", "given", "kind"),
    [
        ("convo.agent.reply.created", "reply", {"text": "Here", "customer": {"email": "p@buyer.example"}}, "message"),
        ("convo.note.created", "notes", {"text": "Patience"}, "note"),
        (
            "convo.customer.reply.created",
            "customer",
            {"text": "And?", "customer": {"email": "p@x.example"}},
            "customer",
        ),
    ],
)
def test_a_new_thread_is_told_with_all_threads(
    desk: Desk, receiver: Receiver, event: str, path: str, given: Any, kind: str
) -> None:
    id = start(desk, desk.add_inbox())
    add_webhook(desk, receiver, event)
    file = {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}
    thread_id = created(desk, f"/v2/conversations/{id}/{path}", given | {"attachments": [file]})
    body = settled(receiver.first(event).json)
    assert body == conversation(desk, id, embed="threads")
    newest = body["_embedded"]["threads"][0]
    assert (newest["id"], newest["type"], newest["body"]) == (thread_id, kind, given["text"])
    assert newest["_embedded"]["attachments"][0]["filename"] == "a.txt"
    assert (body["id"], body["subject"]) == (id, "Refund")


@pytest.mark.parametrize("event", ["convo.assigned", "convo.status", "convo.moved"])
def test_a_change_of_a_conversation_is_told(desk: Desk, receiver: Receiver, event: str) -> None:
    first, second = desk.add_inbox(), desk.add_inbox()
    id = start(desk, first)
    add_webhook(desk, receiver, event)
    change = {
        "convo.assigned": patch("replace", "/assignTo", desk.user_id),
        "convo.status": patch("replace", "/status", "closed"),
        "convo.moved": patch("move", "/mailboxId", second),
    }[event]
    done(desk.patch(f"/v2/conversations/{id}", change))
    assert settled(receiver.first(event).json) == conversation(desk, id)


def test_a_merge_is_told_with_the_conversation_that_stays(desk: Desk, receiver: Receiver) -> None:
    inbox = desk.add_inbox()
    gone, stays = start(desk, inbox, tags=["late"]), start(desk, inbox, tags=["vip"])
    add_webhook(desk, receiver, "convo.merged", "convo.tags")
    owner = by_owner(desk)
    desk.write(lambda tx: merging.merge(tx, owner, gone, stays, desk.now))
    assert settled(receiver.first("convo.merged").json) == conversation(desk, stays)
    receiver.wait(lambda: all_heard(desk) and len(receiver.received) == 2)
    assert sorted(one.event for one in receiver.received) == ["convo.merged", "convo.tags"]


def test_each_conversation_whose_tag_is_renamed_is_told_and_each_by_what_it_is_then(
    desk: Desk, receiver: Receiver
) -> None:
    inbox = desk.add_inbox()
    ids = {start(desk, inbox, tags=["late"]) for _ in range(3)}
    start(desk, inbox, tags=["vip"])
    late = desk.get("/v2/tags").json()["_embedded"]["tags"][0]
    assert late["name"] == "late"
    add_webhook(desk, receiver, "convo.tags")
    owner = by_owner(desk)
    desk.write(lambda tx: relabelling.change_tag(tx, owner, late["id"], "Delayed", late["color"], desk.now))
    receiver.wait(lambda: all_heard(desk) and len(receiver.received) == 3)
    bodies = {one.json["id"]: settled(one.json) for one in receiver.received}
    assert set(bodies) == ids and all(body == conversation(desk, id) for id, body in bodies.items())
    assert {tag["tag"] for body in bodies.values() for tag in body["tags"]} == {"Delayed"}


def by_owner(desk: Desk) -> Actor:
    found = desk.server.app.database.read_now(lambda db: access.actor(db, desk.user_id))
    assert found is not None
    return found


def test_new_tags_are_told_of_the_conversation_and_of_each_tag_that_is_new(desk: Desk, receiver: Receiver) -> None:
    id = start(desk, desk.add_inbox())
    add_webhook(desk, receiver, "convo.tags", "tag.created")
    done(desk.put(f"/v2/conversations/{id}/tags", {"tags": ["vip", "late"]}))
    assert {tag["tag"] for tag in receiver.first("convo.tags").json["tags"]} == {"vip", "late"}
    receiver.wait(lambda: len(receiver.received) == 3)
    told = {one.json["id"]: one.json for one in receiver.named("tag.created")}
    assert {id: desk.get(f"/v2/tags/{id}").json() for id in told} == told
    assert {one["name"] for one in told.values()} == {"vip", "late"}


def test_new_values_of_custom_fields_are_told(desk: Desk, receiver: Receiver) -> None:
    inbox = desk.add_inbox()
    field, id = desk.add_field(inbox, "Order", "number"), start(desk, inbox)
    add_webhook(desk, receiver, "convo.custom-fields")
    done(desk.put(f"/v2/conversations/{id}/fields", {"fields": [{"id": field, "value": "7"}]}))
    assert receiver.first("convo.custom-fields").json["customFields"][0]["value"] == "7"


def test_a_deleted_conversation_is_told_by_its_id_alone(desk: Desk, receiver: Receiver) -> None:
    id = start(desk, desk.add_inbox())
    add_webhook(desk, receiver, "convo.deleted")
    done(desk.delete(f"/v2/conversations/{id}"))
    assert receiver.first("convo.deleted").body == b'{"id":%d}' % id


def test_a_customer_is_told_when_new_and_when_changed(desk: Desk, receiver: Receiver) -> None:
    add_webhook(desk, receiver, "customer.created", "customer.updated")
    id = add_customer(desk)
    assert receiver.first("customer.created").json == desk.get(f"/v2/customers/{id}").json()
    rename(desk, id, "Karl")
    body = receiver.first("customer.updated").json
    assert body == desk.get(f"/v2/customers/{id}").json()
    assert body["firstName"] == "Karl"


def test_a_deleted_customer_is_told_by_their_id_alone(desk: Desk, receiver: Receiver) -> None:
    id = add_customer(desk)
    add_webhook(desk, receiver, "customer.deleted", payloadVersion="V3")
    done(desk.delete(f"/v2/customers/{id}"))
    assert receiver.first("customer.deleted").body == b'{"id":%d}' % id


def test_an_organization_is_told_when_new_changed_and_deleted(desk: Desk, receiver: Receiver) -> None:
    add_webhook(desk, receiver, "organization.created", "organization.updated", "organization.deleted")
    id = created(desk, "/v2/organizations", {"name": "Buyer", "domain": "buyer.example"})
    shown = desk.get(f"/v2/organizations/{id}").json()
    assert receiver.first("organization.created").json == shown
    done(desk.put(f"/v2/organizations/{id}", {"name": "Buyer Inc"}))
    assert receiver.first("organization.updated").json["name"] == "Buyer Inc"
    done(desk.delete(f"/v2/organizations/{id}"))
    assert receiver.first("organization.deleted").body == b'{"id":%d}' % id


def test_a_users_status_is_told(desk: Desk, receiver: Receiver) -> None:
    """Acceptance fact 59."""
    add_webhook(desk, receiver, "user.status.changed")
    place = f"/v2/users/{desk.user_id}/status"
    done(desk.put(place, {"status": "away", "customStatus": {"text": "Lunch", "emoji": "🍜"}}))
    assert receiver.first("user.status.changed").json == desk.get(place).json()


def test_a_rating_is_told_to_whoever_sees_its_inbox(desk: Desk, receiver: Receiver) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox()
    id = start(desk, inbox)
    reply = created(desk, f"/v2/conversations/{id}/reply", {"text": "Here", "customer": {"email": "p@buyer.example"}})
    add_webhook(desk, receiver, "satisfaction.ratings", path="/owner", mailboxIds=[other])
    blind = desk.as_user(desk.add_user(inboxes=(other,)))
    add_webhook(blind, receiver, "satisfaction.ratings", path="/blind")
    rating = desk.write(lambda tx: rate(tx, desk.account_id, reply, "great", "Quick!", desk.now))
    one = receiver.first("satisfaction.ratings")
    assert one.json == desk.get(f"/v2/ratings/{rating}").json()
    assert (one.json["rating"], one.json["mailboxId"]) == ("great", inbox)
    receiver.wait(lambda: all_heard(desk))
    assert deliveries(desk) == 1, "of which the other webhook has none, sent or not"
    assert [one.path for one in receiver.received] == ["/owner"], "mailboxIds narrow conversation events alone"


def test_what_is_not_subscribed_to_is_not_sent(desk: Desk, receiver: Receiver) -> None:
    add_webhook(desk, receiver, "customer.updated")
    id = start(desk, desk.add_inbox(), tags=["vip"])
    done(desk.delete(f"/v2/conversations/{id}"))
    rename(desk, add_customer(desk))
    receiver.first("customer.updated")
    assert [one.event for one in receiver.received] == ["customer.updated"]
    assert deliveries(desk) == 1


# -- Drafts and imports


def test_of_a_draft_nothing_is_told_until_it_is_published(desk: Desk, receiver: Receiver) -> None:
    inbox = desk.add_inbox()
    add_webhook(desk, receiver, *(name for name in ALL if name.startswith("convo.")))
    customer = {"email": "paul@buyer.example"}
    draft = {"type": "reply", "text": "Dear Paul", "customer": customer, "draft": True}
    id = start(desk, inbox, customer=customer, threads=[draft], status="closed")
    done(desk.put(f"/v2/conversations/{id}/tags", {"tags": ["vip"]}))
    receiver.wait(lambda: all_heard(desk))
    assert (deliveries(desk), receiver.received) == (0, [])
    done(desk.patch(f"/v2/conversations/{id}", patch("replace", "/draft", False)))
    assert receiver.first("convo.created").json["state"] == "published"


def test_a_draft_reply_tells_nothing(desk: Desk, receiver: Receiver) -> None:
    id = start(desk, desk.add_inbox())
    add_webhook(desk, receiver, *ALL)
    reply = {"text": "Dear Paul", "customer": {"email": "new@buyer.example"}, "draft": True, "status": "closed"}
    created(desk, f"/v2/conversations/{id}/reply", reply)
    receiver.first("customer.created")
    receiver.wait(lambda: all_heard(desk))
    assert deliveries(desk) == 1


def test_imported_threads_and_conversations_tell_nobody(desk: Desk, receiver: Receiver) -> None:
    inbox = desk.add_inbox()
    first = start(desk, inbox)
    add_webhook(desk, receiver, *(name for name in ALL if name.startswith("convo.")))
    id = start(desk, inbox, imported=True, createdAt="2020-01-01T00:00:00Z")
    created(desk, f"/v2/conversations/{first}/notes", {"text": "Old", "imported": True})
    given = {"text": "Old", "customer": {"email": "p@x.example"}, "imported": True, "status": "active"}
    created(desk, f"/v2/conversations/{first}/reply", given)
    created(desk, f"/v2/conversations/{id}/notes", {"text": "New"})
    assert receiver.first("convo.note.created").json["id"] == id
    assert [one.event for one in receiver.received] == ["convo.note.created"]


# -- Inboxes, and who may see them


def test_mailbox_ids_narrow_conversation_events_and_no_others(desk: Desk, receiver: Receiver) -> None:
    """Acceptance fact 77."""
    third, fourth = desk.add_inbox(), desk.add_inbox()
    add_webhook(desk, receiver, "convo.created", "convo.deleted", "customer.created", mailboxIds=[third])
    done(desk.delete(f"/v2/conversations/{start(desk, fourth)}"))
    id = start(desk, third)
    receiver.first("convo.created")
    receiver.wait(lambda: len(receiver.named("customer.created")) == 2)
    assert [one.json["id"] for one in receiver.received if one.event.startswith("convo.")] == [id]


def test_a_webhook_is_told_of_no_inbox_that_its_user_may_not_see(desk: Desk, receiver: Receiver) -> None:
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    user = desk.as_user(desk.add_user(inboxes=(seen,)))
    add_webhook(user, receiver, "convo.created", "convo.tags", "convo.deleted", "tag.created")
    other = start(desk, hidden, tags=["vip"])
    done(desk.put(f"/v2/conversations/{other}/tags", {"tags": []}))
    done(desk.delete(f"/v2/conversations/{other}"))
    id = start(desk, seen)
    assert receiver.first("convo.created").json["id"] == id
    assert receiver.first("tag.created").json["ticketCount"] == 0, "conversations it can't see are not counted"
    receiver.wait(lambda: all_heard(desk))
    assert len(receiver.received) == deliveries(desk) == 2


def test_what_counts_is_what_the_user_may_see_now(desk: Desk, receiver: Receiver) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox()
    user_id = desk.add_user(inboxes=(inbox, other))
    add_webhook(desk.as_user(user_id), receiver, "convo.created", mailboxIds=[inbox, other])
    desk.write(lambda tx: users.set_inboxes(tx, desk.account_id, user_id, (other,)))
    start(desk, inbox)
    id = start(desk, other)
    assert receiver.first("convo.created").json["id"] == id
    receiver.wait(lambda: all_heard(desk))
    assert deliveries(desk) == 1


def test_a_conversation_that_has_moved_out_of_sight_is_not_told_any_more(desk: Desk, receiver: Receiver) -> None:
    """Its event is of an inbox that is seen, but its body would show it in one that is not."""
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    add_webhook(desk.as_user(desk.add_user(inboxes=(seen,))), receiver, "convo.created", "customer.updated")
    id = start(desk, hidden)
    head = facts.Event(
        account_id=desk.account_id, name="convo.created", subject_id=id, inbox_id=seen, actor_id=2, at=desk.now
    )
    record(desk, head)
    rename(desk, add_customer(desk))
    receiver.first("customer.updated")
    assert [one.event for one in receiver.received] == ["customer.updated"]


def test_whoever_saves_a_webhook_decides_what_it_is_told(desk: Desk, receiver: Receiver) -> None:
    """So nobody gets at hidden inboxes by changing the address of somebody else's webhook."""
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    id = add_webhook(desk, receiver, "convo.created")
    user = desk.as_user(desk.add_user(inboxes=(seen,)))
    body = {"url": receiver.url + "/mine", "events": ["convo.created"], "secret": "x"}
    done(user.put(f"/v2/webhooks/{id}", body))
    start(desk, hidden)
    started = start(desk, seen)
    assert receiver.first("convo.created").json["id"] == started
    assert len(receiver.received) == 1


def test_a_webhook_whose_user_is_gone_is_switched_off(desk: Desk, receiver: Receiver) -> None:
    inbox = desk.add_inbox()
    user_id = desk.add_user(inboxes=(inbox,))
    id = add_webhook(desk.as_user(user_id), receiver, "convo.created")
    desk.write(lambda tx: users.set_state(tx, desk.account_id, user_id, "inactive", desk.now))
    start(desk, inbox)
    receiver.wait(lambda: state_of(desk, id).state == "disabled")
    assert state_of(desk, id).disabled_because == "the user that it acts for is not active any more"
    assert (deliveries(desk), receiver.received) == (0, [])


def test_another_accounts_events_are_not_told(desk: Desk, receiver: Receiver) -> None:
    other = open_desk(desk.server)
    add_webhook(desk, receiver, *ALL)
    start(other, other.add_inbox(), tags=["vip"])
    id = add_customer(desk)
    assert receiver.first("customer.created").json["id"] == id
    receiver.wait(lambda: all_heard(other))
    assert (len(receiver.received), deliveries(other)) == (1, 0)


# -- Versions and notifications


def test_only_version_3_tells_system_users_from_users(desk: Desk, receiver: Receiver) -> None:
    new = users.NewStaff(
        account_id=desk.account_id, type="system_user", first_name="Triage", created_at=desk.now, updated_at=desk.now
    )
    triage = desk.write(lambda tx: users.add_staff(tx, new))
    id = start(desk, desk.add_inbox())
    names = ("convo.assigned", "convo.note.created")
    add_webhook(desk, receiver, *names, path="/v2")
    add_webhook(desk, receiver, *names, path="/v3", payloadVersion="V3")
    done(desk.patch(f"/v2/conversations/{id}", patch("replace", "/assignTo", triage)))
    created(desk, f"/v2/conversations/{id}/notes", {"text": "Mine", "user": triage})
    receiver.wait(lambda: len(receiver.received) == 4)
    for version, kind in (("v2", "user"), ("v3", "system_user")):
        assigned, noted = sorted((one for one in receiver.received if one.path == f"/{version}"), key=lambda o: o.event)
        assert assigned.json["assignee"]["type"] == noted.json["assignee"]["type"] == kind
        note = next(one for one in noted.json["_embedded"]["threads"] if one["type"] == "note")
        assert note["createdBy"]["type"] == kind
        assert settled(noted.json) == conversation(desk, id, version, embed="threads")


def test_a_notification_names_the_resource_and_no_more(desk: Desk, receiver: Receiver) -> None:
    add_webhook(desk, receiver, "convo.created", "customer.created", "tag.created", "convo.deleted", notification=True)
    id = start(desk, desk.add_inbox(), tags=["vip"])
    receiver.wait(lambda: len(receiver.received) == 3)
    done(desk.delete(f"/v2/conversations/{id}"))
    assert receiver.first("convo.deleted").json == {"id": id}
    for event, place in (
        ("convo.created", "conversations"),
        ("customer.created", "customers"),
        ("tag.created", "tags"),
    ):
        body = receiver.first(event).json
        assert body == {
            "id": body["id"], "_links": {"self": {"href": f"{desk.server.url}/v2/{place}/{body['id']}"}},
        }  # fmt: skip
    assert receiver.first("convo.created").json["id"] == id


def test_what_has_vanished_meanwhile_is_passed_over(desk: Desk, receiver: Receiver) -> None:
    id = add_webhook(desk, receiver, "convo.created", "customer.updated", "convo.deleted")
    for name, subject in (("convo.created", 10**9), ("customer.updated", 10**9), ("convo.deleted", 10**9)):
        event = facts.Event(account_id=desk.account_id, name=name, subject_id=subject, actor_id=2, at=desk.now)
        record(desk, event)
    assert receiver.first("convo.deleted").json == {"id": 10**9}
    receiver.wait(lambda: all_heard(desk))
    assert [one.delivery.event for one in log_of(desk, id)] == ["convo.deleted"]


def test_each_webhook_gets_its_own_delivery_of_the_same_body(desk: Desk, receiver: Receiver) -> None:
    for number in range(3):
        add_webhook(desk, receiver, "convo.created", path=f"/{number}", secret=f"secret {number}")
    start(desk, desk.add_inbox())
    receiver.wait(lambda: len(receiver.received) == 3)
    assert {one.path for one in receiver.received} == {"/0", "/1", "/2"}
    assert len({one.body for one in receiver.received}) == 1
    assert len({one.key for one in receiver.received}) == len({str(one.headers) for one in receiver.received}) == 3


def test_what_happened_before_a_webhook_was_there_is_not_told(desk: Desk, receiver: Receiver) -> None:
    add_webhook(desk, receiver, "customer.deleted")
    for at, subject in (("2020-01-01T00:00:00Z", 7), (desk.now, 8)):
        event = facts.Event(account_id=desk.account_id, name="customer.deleted", subject_id=subject, actor_id=2, at=at)
        record(desk, event)
    assert receiver.first("customer.deleted").json == {"id": 8}
    receiver.wait(lambda: all_heard(desk))
    assert deliveries(desk) == 1
