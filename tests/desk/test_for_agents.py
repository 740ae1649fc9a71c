"""Agents on the desk: who they are there, what a narrowed one is told and may do, and what the gateway asks first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.catalogue.operation import Of
from deskhand.db.statements import P, command
from deskhand.desk.conversations.tables import thread
from deskhand.desk.conversations.threads.rating import rate
from deskhand.desk.for_agents import EVERYWHERE, Authors, Place, inbox_names, look_up, rate_limit
from deskhand.desk.users.tables import user_status
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
from deskhand.oauth import tokens
from tests.desk.as_agent import as_agent
from tests.desk.conversations.builders import add, created, done, faults, merge, patch, read, set_tags, start
from tests.desk.webhooks.builders import add_webhook, all_heard, deliveries, hurry
from tests.receiver import Receiver, receiving
from tests.world import Desk, open_desk, unique

ALWAYS = {"start": "2000-01-01T00:00:00Z", "end": "2098-12-31T23:59:59Z"}

_LINK = command(
    sa.update(thread)
    .where(thread.c.account_id == P("for_account"), thread.c.conversation_id == P("id"))
    .values(linked_conversation_id=P("to")),
    keep=False,
)
_USE = command(
    sa.update(thread)
    .where(thread.c.account_id == P("for_account"), thread.c.conversation_id == P("id"))
    .values(saved_reply_id=P("reply_id")),
    keep=False,
)
_CHATS = command(
    sa.update(user_status).where(user_status.c.account_id == P("for_account")).values(chat_inboxes=P("chats")),
    keep=False,
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def items(answer: Any) -> list[Any]:
    """The items of a list."""
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["_embedded"].values()
    return list(found)


def ids(answer: Any) -> list[int]:
    return [one["id"] for one in items(answer)]


def total(answer: Any) -> int:
    return int(answer.json()["page"]["totalElements"])


def threads_of(desk: Desk, id: int, version: str = "v2") -> list[Any]:
    return items(desk.get(f"/{version}/conversations/{id}/threads"))


# -- Who an agent is


def test_what_an_agent_writes_is_by_a_user_in_v2_and_a_system_user_in_v3(desk: Desk) -> None:
    inbox = desk.add_inbox()
    agent = as_agent(desk, inbox)
    customer = {"email": "mira@buyer.example"}
    id = start(agent, inbox, customer=customer, threads=[{"type": "reply", "text": "Hello", "customer": customer}])
    created(add(agent, id, "notes"))
    created(add(agent, id, "reply", customer=customer))
    done(patch(agent, id, "/assignTo", agent.user_id))
    done(patch(agent, id, "/status", "closed"))
    me = f"{desk.server.url}/v2/users/{agent.user_id}"
    for version, kind in (("v2", "user"), ("v3", "system_user")):
        whole = desk.get(f"/{version}/conversations/{id}", embed="threads").json()
        listed = threads_of(desk, id, version)
        for shown in (whole["createdBy"], whole["closedByUser"], whole["assignee"]):
            assert (shown["id"], shown["type"]) == (agent.user_id, kind)
        for found in (listed, whole["_embedded"]["threads"]):
            assert {(one["type"], one["createdBy"]["type"], one["createdBy"]["first"]) for one in found} == {
                (one, kind, "Triage") for one in ("message", "note", "lineitem")
            }
            assert {one["assignedTo"]["type"] for one in found if "assignedTo" in one} <= {kind}
        assert whole["_links"]["createdByUser"]["href"] == whole["_links"]["assignee"]["href"] == me
        assert whole["closedBy"] == agent.user_id
    assert desk.get(me).json()["firstName"] == "Triage"
    assert [one["action"]["text"] for one in listed if one["type"] == "lineitem"] == [
        "Triage marked as closed", "Triage assigned to Triage",
    ]  # fmt: skip


def test_an_agent_has_a_folder_of_its_own(desk: Desk) -> None:
    inbox = desk.add_inbox()
    agent = as_agent(desk, inbox)
    id = start(desk, inbox, assignTo=agent.user_id)
    start(desk, inbox, assignTo=desk.user_id)
    (mine,) = (one for one in items(agent.get(f"/v2/mailboxes/{inbox}/folders")) if one["type"] == "mytickets")
    assert (mine["userId"], mine["totalCount"], mine["activeCount"]) == (agent.user_id, 1, 1)
    assert ids(agent.get("/v2/conversations", folder=mine["id"])) == [id]
    report = agent.get("/v2/reports/conversations", **ALWAYS, folders=mine["id"]).json()
    assert report["current"]["totalConversations"] == 1


def test_an_agent_is_told_who_it_is(desk: Desk) -> None:
    agent = as_agent(desk, desk.add_inbox())
    me = agent.get("/v2/users/me")
    assert (me.status_code, me.json()["id"], me.json()["companyId"]) == (200, agent.user_id, desk.account_id)
    assert ids(agent.get("/v3/system-users")) == [agent.user_id]


def test_ratings_and_reports_name_an_agent_that_was_rated(desk: Desk) -> None:
    inbox = desk.add_inbox()
    agent = as_agent(desk, inbox)
    id = start(desk, inbox, customer={"email": "mira@buyer.example"})
    written = created(add(agent, id, "reply", customer={"email": "mira@buyer.example"}))
    rating = desk.write(lambda tx: rate(tx, desk.account_id, written, "great", "Quick!", desk.now))
    assert agent.get(f"/v2/ratings/{rating}").json()["user"] == {"id": agent.user_id, "firstName": "Triage"}
    (result,) = agent.get("/v2/reports/happiness/ratings", **ALWAYS).json()["results"]
    assert (result["ratingUserId"], result["ratingUserName"]) == (agent.user_id, "Triage")


def test_webhooks_tell_an_agent_from_a_user_in_their_newer_payload(desk: Desk, receiver: Receiver) -> None:
    inbox = desk.add_inbox()
    agent = as_agent(desk, inbox)
    for version in ("V2", "V3"):
        add_webhook(desk, receiver, "convo.note.created", payloadVersion=version, path=f"/{version}")
    created(add(agent, start(desk, inbox), "notes"))
    receiver.wait(lambda: len(receiver.received) == 2)
    authors = {
        one.path: one.json["_embedded"]["threads"][0]["createdBy"]["type"] for one in receiver.received
    }  # fmt: skip
    assert authors == {"/V2": "user", "/V3": "system_user"}


def test_an_agent_has_an_administrators_rights_in_its_inboxes(desk: Desk) -> None:
    inbox, user = desk.add_inbox(), desk.add_user()
    agent = as_agent(desk, inbox)
    id = start(desk, inbox)
    written = threads_of(desk, id)[0]["id"]
    done(agent.patch(f"/v2/conversations/{id}/threads/{written}", {"op": "replace", "path": "/text", "value": "x"}))
    workflow = desk.add_workflow(inbox, SetStatus("closed"))
    done(agent.patch(f"/v2/workflows/{workflow}", {"op": "replace", "path": "/status", "value": "inactive"}))
    done(agent.put(f"/v2/users/{user}/status", {"status": "away"}))


def test_no_credential_stands_for_an_agent(desk: Desk) -> None:
    agent = as_agent(desk, everywhere=True)
    issued = desk.write(
        lambda tx: tokens.issue(
            tx, account_id=desk.account_id, application_id=desk.application_id, user_id=agent.user_id,
            now=desk.server.clock.now(), refreshable=False,
        )
    )  # fmt: skip
    for headers in ({"Authorization": f"Bearer {issued.access}"}, {"Deskhand.Agent": "1", "Authorization": ""}):
        assert desk.request("GET", "/v2/users/me", headers=headers).status_code == 401


def test_only_a_system_user_of_the_account_can_be_an_agent(desk: Desk) -> None:
    stranger = open_desk(desk.server).add_system_user()
    for user_id in (desk.user_id, desk.add_team(), stranger, 999_999_999):
        agent = as_agent(desk, everywhere=True, user_id=user_id)
        assert agent.get("/v2/mailboxes").status_code == 401


def test_an_agent_that_was_retired_is_nobody_at_once(desk: Desk) -> None:
    agent, authors = as_agent(desk, everywhere=True), Authors()
    inbox = desk.add_inbox()
    id = start(desk, inbox, assignTo=agent.user_id)
    assert agent.get("/v2/mailboxes").status_code == 200
    desk.write(lambda tx: authors.retire(tx, desk.account_id, agent.user_id, desk.server.clock.now()))
    assert agent.get("/v2/mailboxes").status_code == 401
    assert "assignee" not in read(desk, id)
    folders = {one["type"]: one["totalCount"] for one in items(desk.get(f"/v2/mailboxes/{inbox}/folders"))}
    assert (folders["open"], folders["assigned"]) == (1, 0)


def test_an_author_is_added_and_renamed(desk: Desk) -> None:
    authors, now = Authors(), desk.server.clock.now()
    added = desk.write(lambda tx: authors.add(tx, desk.account_id, "Triage", now))
    agent = as_agent(desk, everywhere=True, user_id=added)
    id = start(desk, desk.add_inbox())
    created(add(agent, id, "notes"))
    desk.write(lambda tx: authors.rename(tx, desk.account_id, added, "Sorter", now))
    desk.write(lambda tx: authors.rename(tx, desk.account_id, desk.user_id, "Nobody", now))
    assert threads_of(desk, id, "v3")[0]["createdBy"] == {"id": added, "type": "system_user", "first": "Sorter"}
    assert desk.get(f"/v2/users/{desk.user_id}").json()["firstName"] == "Ada"


# -- Merged, linked and moved conversations


def test_a_merged_conversation_lies_where_it_leads_to(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent = as_agent(desk, granted)
    survivors = {inbox: start(desk, inbox) for inbox in (granted, other)}
    gone = start(desk, granted)
    for came_from in (granted, other):
        for inbox, survivor in survivors.items():
            merged = start(desk, came_from)
            merge(desk, merged, survivor)
            for version in ("v2", "v3"):
                answer = agent.get(f"/{version}/conversations/{merged}")
                if inbox == granted:
                    assert answer.status_code == 301
                    assert answer.headers["Location"].endswith(f"/{version}/conversations/{survivor}")
                else:
                    assert (answer.status_code, "Location" in answer.headers) == (404, False)
    merge(desk, survivors[granted], gone)
    assert agent.get(f"/v2/conversations/{merged}").status_code == 404


def test_a_linked_conversation_elsewhere_is_not_named(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent, id = as_agent(desk, granted), start(desk, granted)
    near, far, gone = start(desk, granted), start(desk, other), start(desk, other)
    merge(desk, gone, near)
    for linked, told in ((near, str(near)), (far, None), (gone, str(gone)), (999_999_999, None)):
        desk.write(lambda tx: tx.run(_LINK, for_account=desk.account_id, id=id, to=linked))  # noqa: B023
        assert [one.get("linkedConversationId") for one in threads_of(agent, id)] == [told]
        embedded = items(agent.get("/v2/conversations", embed="threads"))
        (shown,) = (one for one in embedded if one["id"] == id)
        assert shown["_embedded"]["threads"][0].get("linkedConversationId") == told
        assert threads_of(desk, id)[0]["linkedConversationId"] == str(linked)


def test_what_happened_to_a_conversation_elsewhere_is_told_without_names(desk: Desk) -> None:
    granted, other = desk.add_inbox("Orders"), desk.add_inbox("Wholesale")
    agent, id = as_agent(desk, granted), start(desk, granted)
    here = desk.add_workflow(granted, SetStatus("closed"), name="Ours")
    away = desk.add_workflow(granted, Move(other), name="Away")
    there = desk.add_workflow(other, SetStatus("pending"), Move(granted), name="Theirs")
    for workflow in (here, away, there):
        done(desk.post(f"/v2/workflows/{workflow}/run", {"conversationIds": [id]}))
    done(patch(desk, id, "/mailboxId", other, op="move"))
    done(patch(desk, id, "/mailboxId", granted, op="move"))
    actions = [one["action"] for one in threads_of(agent, id) if one["type"] == "lineitem"]
    about = [(one["type"], one["associatedEntities"], one.get("text")) for one in actions]
    ada = {"user": desk.user_id}
    assert about == [
        ("moved-from-mailbox", {}, None),
        ("moved-from-mailbox", {"mailbox": granted}, None),
        ("manual-workflow", ada, None),
        ("manual-workflow", ada, None),
        ("manual-workflow", {"workflow": here, **ada}, "Ada Holm ran the workflow Ours: marked as closed"),
    ]
    assert "Wholesale" not in agent.get(f"/v2/conversations/{id}", embed="threads").text
    assert "Wholesale" in desk.get(f"/v2/conversations/{id}", embed="threads").text


def test_a_saved_reply_of_elsewhere_is_not_named(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent = as_agent(desk, granted)
    for inbox in (granted, other):
        body = {"name": unique("Reply"), "text": "x"}
        reply, id = created(desk.post(f"/v2/mailboxes/{inbox}/saved-replies", body)), start(desk, granted)
        desk.write(lambda tx: tx.run(_USE, for_account=desk.account_id, id=id, reply_id=reply))  # noqa: B023
        assert [one["savedReplyId"] for one in threads_of(desk, id)] == [reply]
        assert [one["savedReplyId"] for one in threads_of(agent, id)] == [reply if inbox == granted else 0]
    report = agent.get("/v2/reports/conversations", **ALWAYS).json()
    assert report["replies"]["count"] == len(report["replies"]["top"]) == 1
    assert desk.get("/v2/reports/conversations", **ALWAYS).json()["replies"]["count"] == 2


def test_a_conversation_that_was_moved_away_is_gone_for_reading_and_writing(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent, id = as_agent(desk, granted), start(desk, granted)
    customer = {"id": read(agent, id)["primaryCustomer"]["id"]}
    done(patch(desk, id, "/mailboxId", other, op="move"))
    for answer in (
        agent.get(f"/v2/conversations/{id}"), patch(agent, id, "/status", "closed"), add(agent, id, "notes"),
        agent.put(f"/v2/conversations/{id}/tags", {"tags": ["vip"]}), agent.delete(f"/v2/conversations/{id}"),
        add(agent, id, "reply", customer=customer), agent.get(f"/v2/customers/{customer['id']}"),
        patch(agent, id, "/mailboxId", granted, op="move"),
    ):  # fmt: skip
        assert answer.status_code == 404, answer.text
    assert agent.get("/v2/conversations", status="all").json()["page"]["totalElements"] == 0


def test_an_agent_moves_conversations_between_its_inboxes_alone(desk: Desk) -> None:
    first, second, other = (desk.add_inbox() for _ in range(3))
    agent, id = as_agent(desk, first, second), start(desk, first)
    done(patch(agent, id, "/mailboxId", second, op="move"))
    refused = patch(agent, id, "/mailboxId", other, op="move")
    unknown = patch(agent, id, "/mailboxId", 999_999_999, op="move")
    assert faults(refused) == faults(unknown) == ["value"]
    assert read(desk, id)["mailboxId"] == second


# -- What answers leave out


def test_previews_are_left_out_where_that_is_asked_for(desk: Desk) -> None:
    inbox = desk.add_inbox()
    organization = created(desk.post("/v2/organizations", {"name": "Northwind", "domain": "northwind.example"}))
    id = start(desk, inbox, customer={"email": "mira@northwind.example"})
    for agent in (as_agent(desk, inbox), as_agent(desk, everywhere=True)):
        blind = as_agent(desk, *agent.inboxes or (), everywhere=agent.inboxes is None, hide=["preview"])
        for reader, seen in ((agent, True), (blind, False)):
            shown = [
                read(reader, id), reader.get(f"/v3/conversations/{id}").json(),
                *items(reader.get("/v2/conversations")), *items(reader.get("/v2/conversations", query="body:flickers")),
                *items(reader.get(f"/v2/organizations/{organization}/conversations")),
            ]  # fmt: skip
            assert [one.get("preview") for one in shown] == ["It flickers." if seen else None] * 5


def test_tag_counts_are_left_out_where_that_is_asked_for(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    for inbox in (granted, other, other):
        set_tags(desk, start(desk, inbox), "vip")
    (tag,) = items(desk.get("/v2/tags"))
    for agent, count in (
        (as_agent(desk, granted), 1), (as_agent(desk, everywhere=True), 3),
        (as_agent(desk, granted, hide=["tag_counts"]), None),
    ):  # fmt: skip
        (listed,) = items(agent.get("/v2/tags"))
        assert listed.get("ticketCount") == agent.get(f"/v2/tags/{tag['id']}").json().get("ticketCount") == count


def test_statuses_of_chats_are_told_for_granted_inboxes_alone(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    done(desk.put(f"/v2/users/{desk.user_id}/status", {"status": "away"}))
    chats = {str(granted): "available", str(other): "unavailable"}
    desk.write(lambda tx: tx.run(_CHATS, for_account=desk.account_id, chats=json.dumps(chats)))
    agent = as_agent(desk, granted)
    (listed,) = items(agent.get("/v2/users/status"))
    for shown in (listed, agent.get(f"/v2/users/{desk.user_id}/status").json()):
        assert shown["chat"]["mailboxStatuses"] == {str(granted): "available"}
    whole = desk.get(f"/v2/users/{desk.user_id}/status").json()
    assert whole["chat"]["mailboxStatuses"] == chats


# -- Customers


def test_an_address_of_a_foreign_customer_opens_no_door_to_them(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent, id = as_agent(desk, granted), start(desk, granted)
    start(desk, other, customer={"email": "mira@buyer.example", "firstName": "Mira", "phone": "+1 555"})
    foreign = {"email": "Mira@Buyer.example"}
    by_note = {"type": "note", "text": "x", "customer": foreign}
    conversation = f"/v2/conversations/{id}"
    body = {"subject": "x", "type": "email", "mailboxId": granted, "status": "active", "customer": foreign}
    for answer, place in (
        (agent.post("/v2/conversations", body | {"threads": [by_note]}), "customer.email"),
        (
            agent.post("/v2/conversations", body | {"customer": {"email": "new@buyer.example"}, "threads": [by_note]}),
            "threads[0].customer.email",
        ),
        *(
            (agent.post(f"{conversation}/{kind}", {"text": "x", "customer": foreign}), "customer.email")
            for kind in ("reply", "chats", "phones", "customer")
        ),
    ):
        assert faults(answer) == [place]
        assert "+1 555" not in answer.text
    assert agent.get("/v2/customers", email="mira@buyer.example").json()["page"]["totalElements"] == 0
    assert total(desk.get("/v2/customers", email="new@buyer.example")) == 0


def test_a_new_customer_may_be_named_several_times_in_one_conversation(desk: Desk) -> None:
    inbox = desk.add_inbox()
    agent = as_agent(desk, inbox)
    writers = ({"email": "Ana@buyer.example"}, {"email": "ana@buyer.example"}, {"email": "bo@buyer.example"})
    threads = [{"type": "customer", "text": "x", "customer": who} for who in (*writers, writers[2])]
    id = start(agent, inbox, customer={"email": "ana@buyer.example"}, threads=threads)
    by = [one["customer"]["email"].lower() for one in threads_of(agent, id)]
    assert sorted(by) == ["ana@buyer.example"] * 2 + ["bo@buyer.example"] * 2


def test_an_address_in_use_is_refused_alike_whoever_has_it(desk: Desk) -> None:
    """That somebody has it can't be kept from an agent that may write addresses; who, and where they wrote, can."""
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent = as_agent(desk, granted)
    mine = read(desk, start(desk, granted, customer={"email": "mine@buyer.example"}))["primaryCustomer"]["id"]
    start(desk, granted, customer={"email": "near@buyer.example"})
    start(desk, other, customer={"email": "far@buyer.example"})
    refusals = []
    for address in ("near@buyer.example", "far@buyer.example"):
        answers = (
            agent.post("/v2/customers", {"firstName": "x", "emails": [{"type": "work", "value": address}]}),
            agent.post(f"/v2/customers/{mine}/emails", {"type": "work", "value": address}),
            agent.patch(f"/v2/customers/{mine}", [{"op": "add", "path": "/emails", "value": {"value": address}}]),
        )
        refusals.append([(one.status_code, faults(one, 409)) for one in answers])
    assert refusals[0] == refusals[1]


def test_who_wrote_elsewhere_too_is_not_erased(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent = as_agent(desk, granted)
    for inbox in (granted, other):
        id = start(desk, inbox, customer={"email": "mira@buyer.example"})
    mira = read(desk, id)["primaryCustomer"]["id"]
    for query in ("", "?async=true"):
        assert agent.delete(f"/v2/customers/{mira}{query}").status_code == 404
    assert desk.get(f"/v2/customers/{mira}").status_code == 200
    done(desk.delete(f"/v2/conversations/{id}"))
    done(agent.delete(f"/v2/customers/{mira}"))


def test_who_has_no_conversation_is_in_no_inbox(desk: Desk) -> None:
    inbox = desk.add_inbox()
    mira = created(desk.post("/v2/customers", {"firstName": "Mira"}))
    id = start(desk, inbox, customer={"id": mira})
    narrowed, everywhere = as_agent(desk, inbox), as_agent(desk, everywhere=True)
    assert narrowed.get(f"/v2/customers/{mira}").status_code == 200
    done(desk.delete(f"/v2/conversations/{id}"))
    assert narrowed.get(f"/v2/customers/{mira}").status_code == 404
    assert ids(narrowed.get("/v2/customers")) == []
    assert ids(everywhere.get("/v2/customers")) == [mira]


def test_walking_through_pages_shows_all_that_is_granted_and_nothing_else(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent = as_agent(desk, granted)
    organization = created(desk.post("/v2/organizations", {"name": "Buyers", "domain": "buyer.example"}))
    expected: list[int] = []
    for number in range(75):
        inbox = granted if number % 4 else other
        id = start(desk, inbox, customer={"email": f"{number:02}@buyer.example"})
        expected += [id] if inbox == granted else []
    wrote = [read(desk, id)["primaryCustomer"]["id"] for id in expected]
    organized = f"/v2/organizations/{organization}"
    for path, wanted in (
        ("/v2/conversations", expected), ("/v2/customers", wrote), (f"{organized}/customers", wrote),
        (f"{organized}/conversations", expected),
    ):  # fmt: skip
        pages = [agent.get(path, page=number) for number in (1, 2, 3, 4)]
        found = [id for page in pages for id in ids(page)]
        assert sorted(found) == wanted, path
        assert {total(page) for page in pages} == {len(wanted)}
        assert len(ids(pages[1])) > 0
    walked = [agent.get("/v3/customers")]
    while following := walked[-1].json()["_links"].get("next"):
        walked.append(agent.get(following["href"]))
    assert sorted(id for stretch in walked for id in ids(stretch)) == wrote
    assert len(walked) == 2


def test_organizations_are_sorted_by_what_the_agent_may_know(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    few, many = (
        created(desk.post("/v2/organizations", {"name": name, "domain": f"{name}.example"})) for name in ("few", "many")
    )
    start(desk, granted, customer={"email": "a@few.example"})
    for name in ("a", "b"):
        start(desk, other, customer={"email": f"{name}@many.example"})
    agent = as_agent(desk, granted)
    for sort in ("customerCount", "conversationCount", "lastInteractionAt"):
        assert ids(agent.get("/v2/organizations", sort=sort)) == [few, many]
        assert ids(desk.get("/v2/organizations", sort=sort)) == [many, few]
    counted = [agent.get(f"/v2/organizations/{id}", includeCounts="true").json() for id in (few, many)]
    assert [(one["customerCount"], one["conversationCount"]) for one in counted] == [(1, 1), (0, 0)]


# -- Workflows, webhooks, users


def test_a_workflow_runs_on_conversations_of_its_inbox_all_or_none(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent = as_agent(desk, granted)
    ours, theirs = start(desk, granted), start(desk, other)
    path = f"/v2/workflows/{desk.add_workflow(granted, SetStatus('closed'))}/run"
    refused = agent.post(path, {"conversationIds": [ours, theirs]})
    unknown = agent.post(path, {"conversationIds": [ours, 999_999_999]})
    assert faults(refused) == faults(unknown) == ["conversationIds[1]"]
    assert read(desk, ours)["status"] == "active"
    done(agent.post(path, {"conversationIds": [ours]}))
    assert read(desk, ours)["status"] == "closed"


def test_a_workflow_that_moves_conversations_away_is_not_run(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    id, workflow = start(desk, granted), desk.add_workflow(granted, SetStatus("closed"), Move(other))
    run = f"/v2/workflows/{workflow}/run", {"conversationIds": [id]}
    assert as_agent(desk, granted).post(*run).status_code == 403
    assert read(desk, id)["status"] == "active"
    done(as_agent(desk, granted, other).post(*run))


def hook(**changes: Any) -> dict[str, Any]:
    return {"url": "http://127.0.0.1:9/", "events": ["convo.created"], "secret": "x"} | changes


def test_a_narrowed_agent_has_webhooks_for_its_inboxes_alone(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent = as_agent(desk, granted)
    assert faults(agent.post("/v2/webhooks", hook())) == ["mailboxIds"]
    assert faults(agent.post("/v2/webhooks", hook(mailboxIds=[granted, other]))) == ["mailboxIds[1]"]
    reaching = ["convo.tags", "customer.created", "tag.created", "satisfaction.ratings", "user.status.changed"]
    answer = agent.post("/v2/webhooks", hook(mailboxIds=[granted], events=reaching))
    assert faults(answer) == ["events[1]", "events[2]", "events[4]"]
    made = created(agent.post("/v2/webhooks", hook(mailboxIds=[granted], events=["convo.tags"])))
    wider = [created(desk.post("/v2/webhooks", hook(mailboxIds=listed))) for listed in ([], [granted, other], [other])]
    found = agent.get("/v2/webhooks")
    assert (ids(found), total(found)) == ([made], 1)
    for id in wider:
        for answer in (
            agent.get(f"/v2/webhooks/{id}"), agent.delete(f"/v2/webhooks/{id}"),
            agent.put(f"/v2/webhooks/{id}", hook(mailboxIds=[granted])),
        ):  # fmt: skip
            assert answer.status_code == 404
    assert total(desk.get("/v2/webhooks")) == 4
    assert faults(agent.put(f"/v2/webhooks/{made}", hook())) == ["mailboxIds"]
    done(agent.put(f"/v2/webhooks/{made}", hook(mailboxIds=[granted], label="mine")))
    assert total(as_agent(desk, everywhere=True).get("/v2/webhooks")) == 4


def test_a_webhook_of_an_agent_is_told_of_the_inboxes_it_names(desk: Desk, receiver: Receiver) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    agent = as_agent(desk, granted)
    events = ("convo.created", "convo.note.created", "satisfaction.ratings")
    add_webhook(agent, receiver, *events, mailboxIds=[granted])
    rated = []
    for inbox in (other, granted):
        reply = {"type": "reply", "text": "Here", "customer": {"email": "mira@buyer.example"}}
        id = start(desk, inbox, customer={"email": "mira@buyer.example"}, threads=[reply])
        rated.append((id, threads_of(desk, id)[0]["id"]))
    for _, written in rated:
        desk.write(lambda tx: rate(tx, desk.account_id, written, "great", "", desk.now))  # noqa: B023
    near = rated[1][0]
    receiver.wait(lambda: all_heard(desk) and len(receiver.received) == 2)
    created(add(desk, rated[0][0], "notes"))
    done(patch(desk, near, "/mailboxId", other, op="move"))
    done(patch(desk, near, "/mailboxId", granted, op="move"))
    created(add(desk, near, "notes"))
    receiver.wait(lambda: all_heard(desk) and len(receiver.received) == 3)
    told = {one.event: one.json for one in receiver.received}
    assert set(told) == set(events)
    assert (told["convo.created"]["id"], told["satisfaction.ratings"]["mailboxId"]) == (near, granted)
    listed = told["convo.note.created"]["_embedded"]["threads"]
    assert [one["action"].get("text") for one in listed if one["type"] == "lineitem"] == [None, None]
    assert str(other) not in {str(one["action"]["associatedEntities"].get("mailbox")) for one in listed}


def test_what_could_not_be_sent_yet_goes_to_no_new_address_of_an_agent(desk: Desk, receiver: Receiver) -> None:
    granted = desk.add_inbox()
    agent = as_agent(desk, granted)
    id = created(agent.post("/v2/webhooks", hook(mailboxIds=[granted])))
    start(desk, granted)
    receiver.wait(lambda: deliveries(desk) == 1)
    done(agent.put(f"/v2/webhooks/{id}", hook(url=receiver.url, mailboxIds=[granted])))
    hurry(desk)
    later = start(desk, granted)
    receiver.wait(lambda: len(receiver.received) > 0)
    assert [one.json["id"] for one in receiver.received] == [later]


def test_whoever_sees_a_foreign_inbox_is_not_told(desk: Desk) -> None:
    granted, other = desk.add_inbox(), desk.add_inbox()
    user = desk.add_user(inboxes=(granted, other))
    agent = as_agent(desk, granted)
    assert ids(agent.get("/v2/users", mailbox=granted)) == [desk.user_id, user]
    assert agent.get("/v2/users", mailbox=other).json()["_embedded"] == {"users": []}
    assert total(agent.get("/v2/users", mailbox=other)) == total(agent.get("/v2/users", mailbox=999_999_999)) == 0
    body = {"firstName": "A", "lastName": "B", "email": f"{unique('new')}@desk.example", "role": "user"}
    answers = [agent.post("/v2/users", body | {"mailboxes": [{"id": id}]}) for id in (other, 999_999_999)]
    assert [faults(one) for one in answers] == [["mailboxes[0].id"]] * 2


def test_an_agent_without_any_inbox_sees_nothing(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    nobody = as_agent(desk)
    for path in ("/v2/conversations", "/v2/customers", "/v2/mailboxes", "/v2/workflows", "/v2/webhooks"):
        assert (ids(nobody.get(path)), total(nobody.get(path))) == ([], 0)
    assert nobody.get(f"/v2/conversations/{id}").status_code == 404
    assert nobody.get("/v2/reports/conversations", **ALWAYS).json()["current"]["totalConversations"] == 0


def test_an_agent_with_all_inboxes_sees_what_the_owner_sees(desk: Desk) -> None:
    first, second = desk.add_inbox(), desk.add_inbox()
    for inbox in (first, second):
        set_tags(desk, start(desk, inbox), "vip")
    created(desk.post("/v2/customers", {"firstName": "Mira"}))
    agent = as_agent(desk, everywhere=True)
    for path in ("/v2/conversations", "/v2/customers", "/v3/customers", "/v2/mailboxes", "/v2/tags", "/v2/webhooks"):
        seen, found = desk.get(path).json(), agent.get(path).json()
        assert found["_embedded"] == seen["_embedded"]
    assert agent.get("/v2/reports/conversations", **ALWAYS).json() == desk.get(
        "/v2/reports/conversations", **ALWAYS
    ).json()  # fmt: skip


# -- What the gateway asks before it decides


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
