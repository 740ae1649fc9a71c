"""What an agent that is narrowed to some inboxes is told, and what it may do."""

from __future__ import annotations

import json

import sqlalchemy as sa

from deskhand.db.statements import P, command
from deskhand.desk.conversations.tables import thread
from deskhand.desk.users.tables import user_status
from deskhand.desk.workflows.actions import Move, SetStatus
from tests.desk.answers import ALWAYS, ids, items, threads_of, total
from tests.desk.as_agent import as_agent
from tests.desk.conversations.builders import add, created, done, faults, merge, patch, read, set_tags, start
from tests.world import Desk, unique

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


# -- Users, and agents with no inbox and with all


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
