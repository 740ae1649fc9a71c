"""More of agents' calls end to end: stops, calls that wait, what the log says, and where rules could be got around."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from deskhand.desk.workflows.actions import Move, SetStatus
from deskhand.gateway.connections import read_given
from deskhand.gateway.held_calls import NotReleased
from tests import postgresql
from tests.agents import AgentOf, add_agent, log_of, somebody
from tests.clients.live_sandbox import LiveSandbox
from tests.gateway.fake_desk import faking
from tests.live import LiveServer
from tests.outage import postgresql_with_outages
from tests.world import Desk, open_desk

BY_INBOX = ("conversations", "threads", "customers", "inboxes", "workflows", "webhooks")


def full_in(*inboxes: int) -> dict[str, Any]:
    """Full access to whatever is granted by inbox, in some inboxes."""
    return {name: {"level": "full", "inboxes": list(inboxes)} for name in BY_INBOX}


def begun(desk: Desk, inbox: int, email: str = "ann@a.example") -> int:
    customer = {"email": email}
    body = {
        "subject": "My order", "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
        "threads": [{"type": "customer", "text": "Where is my lamp?", "customer": customer}],
    }  # fmt: skip
    return int(desk.post("/v2/conversations", body).headers["Resource-ID"])


def customer_of(desk: Desk, conversation: int) -> int:
    return int(desk.get(f"/v2/conversations/{conversation}").json()["primaryCustomer"]["id"])


def reply(agent: AgentOf, conversation: int, text: str = "It is on its way.", **more: Any) -> requests.Response:
    return agent.post(
        f"/v2/conversations/{conversation}/reply", {"text": text, "customer": {"email": "ann@a.example"}} | more
    )


def approve(desk: Desk, approval_id: int, text: str | None = None) -> Any:
    who, approvals = somebody(desk), desk.server.app.gateway.approvals
    return desk.server.run(approvals.approve(desk.account_id, approval_id, who.by, who.words, text))


def stop(desk: Desk, scope: Any, id: int | None = None) -> None:
    desk.server.run(desk.server.app.gateway.administration.stops.add(somebody(desk), scope, id))


def reason(answer: requests.Response) -> str:
    return str(answer.json().get("reason")) if answer.content else ""


# -- Pauses and stops


def test_a_paused_agent_hears_nothing_of_its_approvals_either(desk: Desk) -> None:
    conversation = begun(desk, desk.add_inbox())
    agent = add_agent(desk, preset="drafter")
    ask = agent.put(f"/v2/conversations/{conversation}/tags", {"tags": ["vip"]}).json()["ask"]
    assert agent.get(ask).status_code == 200
    desk.server.run(desk.server.app.gateway.administration.agents.pause(somebody(desk), agent.id))
    paused = agent.get(ask)
    assert (paused.status_code, reason(paused), paused.headers["Deskhand-Decision"]) == (403, "paused", "refused")
    desk.server.run(desk.server.app.gateway.administration.agents.resume(somebody(desk), agent.id))
    stop(desk, "all")
    assert reason(agent.get(ask)) == "stopped"
    assert log_of(desk, agent=agent.id)[0].sentence.endswith("the kill switch (all) is on")


def test_stopping_an_inboxs_writes_stops_whatever_changes_something_there(desk: Desk) -> None:
    open_, stopped = desk.add_inbox("Orders"), desk.add_inbox("Billing")
    here, there = begun(desk, open_), begun(desk, stopped, "bob@b.example")
    moving = desk.add_workflow(open_, Move(stopped))
    agent = add_agent(desk, resources=full_in(open_, stopped) | {"organizations": {"level": "full"}})
    stop(desk, "inbox_writes", stopped)
    run = {"conversationIds": [here]}
    move = [{"op": "replace", "path": "/mailboxId", "value": stopped}]
    rename = [{"op": "replace", "path": "/firstName", "value": "Bo"}]
    for answer in (
        agent.post(f"/v2/workflows/{moving}/run", run),
        agent.patch(f"/v2/conversations/{here}", move),
        agent.delete(f"/v2/conversations/{there}"),
        agent.patch(f"/v2/customers/{customer_of(desk, there)}", rename),
    ):  # fmt: skip
        assert (answer.status_code, reason(answer)) == (403, "stopped")
    for answer in (
        agent.get(f"/v2/conversations/{there}"),
        agent.put(f"/v2/conversations/{here}/tags", {"tags": ["vip"]}),
        agent.patch(f"/v2/customers/{customer_of(desk, here)}", rename),
        agent.post("/v2/organizations", {"name": "It lies in no inbox"}),
    ):  # fmt: skip
        assert answer.ok, answer.text


def test_a_stopped_inbox_does_not_tell_foreign_from_unknown(desk: Desk) -> None:
    mine, other, third = desk.add_inbox(), desk.add_inbox(), desk.add_inbox()
    agent = add_agent(desk, resources=full_in(mine))
    stop(desk, "inbox_writes", other)
    foreign = [begun(desk, other), begun(desk, third)]
    answers = [agent.delete(f"/v2/conversations/{id}") for id in (*foreign, 987654321)]
    assert {(answer.status_code, reason(answer)) for answer in answers} == {(403, "missing_grant")}


# -- While the database is away


def test_agents_hear_503_while_the_database_is_away(tmp_path: Path) -> None:
    with postgresql_with_outages() as outage:
        live = LiveServer(tmp_path, postgresql.create_database(outage.url, "agents"))
        agent = add_agent(open_desk(live), preset="closer")
        assert agent.get("/v2/conversations").status_code == 200
        outage.stop()
        for wait_s in (0, 0.6):  # the agent is remembered, then forgotten
            time.sleep(wait_s)
            for answer in (agent.get("/v2/tags"), agent.get("/v2/approvals/1"), agent.get("/v2/nothing")):
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert agent.post("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).status_code == 503
        live.stop()


# -- When the desk here is not well


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSandbox]:
    live = LiveSandbox(tmp_path_factory.mktemp("sandbox"))
    yield live
    live.stop()


@pytest.mark.parametrize(
    ("fault", "status", "why"),
    [({"status": 500}, 502, "upstream"), ({"status": 503}, 502, "upstream"), ({"status": 401}, 502, "upstream"),
     ({"cut": True}, 502, "upstream"), ({"status": 429, "times": 2}, 429, "budget"), ({"delay_ms": 5}, 200, None)],
)  # fmt: skip
def test_a_desk_here_that_is_not_well_is_the_gateways_affair(
    sandbox: LiveSandbox, fault: dict[str, Any], status: int, why: str | None
) -> None:
    reader = next(agent for agent in sandbox.description["agents"] if agent["name"] == "Reader")
    sandbox.control("faults", {"operation": "list_tags", **fault})
    headers = {"Authorization": f"Bearer {reader['key']}"}
    answer = requests.get(f"{sandbox.url}/v2/tags", headers=headers, timeout=30)
    assert (answer.status_code, answer.json().get("reason")) == (status, why)
    assert "WWW-Authenticate" not in answer.headers
    assert answer.headers["Deskhand-Decision"] == "allowed"
    assert answer.headers["Deskhand-Audit-Id"].isdigit()
    if status == 429:
        assert answer.headers["X-RateLimit-Retry-After"] == answer.headers["Retry-After"]


# -- Calls that waited


def test_a_workflow_that_waits_goes_back_when_one_of_its_customers_wrote(desk: Desk) -> None:
    inbox = desk.add_inbox()
    one, other = begun(desk, inbox), begun(desk, inbox)
    closing = desk.add_workflow(inbox, SetStatus("closed"))
    agent = add_agent(desk, resources=full_in(inbox), actions={"run_workflow": "hold"})
    held = agent.post(f"/v2/workflows/{closing}/run", {"conversationIds": [one, other]}).json()
    more = {"text": "Are you there?", "customer": {"email": "ann@a.example"}}
    assert desk.post(f"/v2/conversations/{other}/customer", more).status_code == 201
    with pytest.raises(NotReleased, match="changed"):
        approve(desk, held["approval_id"])
    assert agent.get(held["ask"]).json()["state"] == "returned"
    assert desk.get(f"/v2/conversations/{one}").json()["status"] == "active"


def test_what_a_person_let_go_is_not_said_twice(desk: Desk) -> None:
    conversation = begun(desk, desk.add_inbox())
    agent = add_agent(desk, resources={"conversations": {"level": "read"}, "threads": {"level": "write"}},
                      actions={"reply_to_conversation": "hold"})  # fmt: skip
    first = reply(agent, conversation).json()["approval_id"]
    assert approve(desk, first).state == "executed"
    second = reply(agent, conversation).json()["approval_id"]
    with pytest.raises(NotReleased, match="Just the same was written"):
        approve(desk, second)
    agent.grant(resources={"conversations": {"level": "read"}, "threads": {"level": "write"}})
    assert reason(reply(agent, conversation)) == "duplicate"
    threads = desk.get(f"/v2/conversations/{conversation}/threads").json()["_embedded"]["threads"]
    assert sum(thread["type"] == "message" for thread in threads) == 1


# -- In front of a remote desk


def connected(desk: Desk, base_url: str, client_id: str, client_secret: str) -> int:
    given = read_given({"name": "There", "base_url": base_url, "client_id": client_id, "client_secret": client_secret})
    connections = desk.server.app.gateway.remotes.connections
    return desk.server.run(connections.make(desk.account_id, given)).id


def test_what_waited_is_sent_to_a_remote_desk_though_it_need_not_wait_any_more(desk: Desk) -> None:
    there = open_desk(desk.server)
    conversation = begun(there, there.add_inbox())
    agent = add_agent(
        desk, connection_id=connected(desk, desk.server.url, there.client_id, there.client_secret),
        resources={"conversations": {"level": "write"}}, actions={"set_conversation_tags": "hold"},
    )  # fmt: skip
    held = agent.put(f"/v2/conversations/{conversation}/tags", {"tags": ["vip"]}).json()
    agent.grant(resources={"conversations": {"level": "write"}})
    assert approve(desk, held["approval_id"]).state == "executed"
    assert [tag["tag"] for tag in there.get(f"/v2/conversations/{conversation}").json()["tags"]] == ["vip"]


def test_stopping_one_inboxs_writes_leaves_the_others_of_a_remote_desk(desk: Desk) -> None:
    there = open_desk(desk.server)
    stopped = there.add_inbox()
    one, other = begun(there, stopped), begun(there, there.add_inbox())
    agent = add_agent(
        desk, connection_id=connected(desk, desk.server.url, there.client_id, there.client_secret),
        resources={"conversations": {"level": "write"}},
    )  # fmt: skip
    stop(desk, "inbox_writes", stopped)
    assert reason(agent.put(f"/v2/conversations/{one}/tags", {"tags": ["vip"]})) == "stopped"
    assert agent.put(f"/v2/conversations/{other}/tags", {"tags": ["vip"]}).status_code == 204


def test_a_paused_agent_does_not_reach_a_remote_desk_at_all(desk: Desk) -> None:
    with faking() as fake:
        agent = add_agent(
            desk, preset="closer", inboxes=[501], connection_id=connected(desk, fake.url, "client", "secret")
        )
        desk.server.run(desk.server.app.gateway.administration.agents.pause(somebody(desk), agent.id))
        fake.asked.clear()
        assert reason(agent.get("/v2/conversations/5")) == "paused"
        assert fake.asked == []


# -- Drafts


def test_it_is_known_who_sent_the_draft_in_a_conversation_that_an_agent_began(desk: Desk) -> None:
    inbox = desk.add_inbox("Orders")
    person = {"id": customer_of(desk, begun(desk, inbox))}
    agent = add_agent(
        desk, resources={"conversations": {"level": "write"}, "threads": {"level": "write"}},
        actions={"reply_to_conversation": "draft"},
    )  # fmt: skip
    made = agent.post("/v2/conversations", {
        "subject": "News", "type": "email", "mailboxId": inbox, "status": "active", "customer": person,
        "threads": [{"type": "reply", "text": "Your lamp is ready.", "customer": person}],
    })  # fmt: skip
    conversation = int(made.headers["Resource-ID"])
    (thread,) = desk.get(f"/v2/conversations/{conversation}/threads").json()["_embedded"]["threads"]
    place = f"/v2/conversations/{conversation}"
    edit = {"op": "replace", "path": "/text", "value": "Your chair is ready."}
    assert desk.patch(f"{place}/threads/{thread['id']}", edit).status_code == 204
    assert desk.patch(place, [{"op": "replace", "path": "/draft", "value": False}]).status_code == 204
    number = desk.get(place).json()["number"]
    sent = f"Ada Holm sent the draft of {agent.name} in conversation #{number} with 1 word changed"
    deadline = time.monotonic() + 60
    while sent not in agent.sentences():
        assert time.monotonic() < deadline, agent.sentences()
        time.sleep(0.05)


# -- What the log says


def test_an_entry_names_the_inbox_that_a_list_is_narrowed_to_and_that_a_customer_is_in(desk: Desk) -> None:
    orders, billing = desk.add_inbox("Orders"), desk.add_inbox("Billing")
    ann, bob = (customer_of(desk, begun(desk, inbox, f"{inbox}@a.example")) for inbox in (orders, billing))
    agent = add_agent(desk, resources=full_in(orders))
    for path, inbox, words in (
        ("/v2/conversations", orders, "was allowed to list conversations in Orders"),
        (f"/v2/customers/{ann}", orders, f"was allowed to read customer {ann} in Orders"),
        (f"/v2/customers/{bob}", billing, f"was refused to read customer {bob} in Billing: "
         "its access to customers is full, but not in this inbox"),
        ("/v2/mailboxes/987654", 987654, "was refused to read inbox 987654: "
         "its access to inboxes is full, but not in this inbox"),
    ):  # fmt: skip
        agent.get(path)
        entry = log_of(desk, agent=agent.id)[0]
        assert (entry.sentence, entry.inbox_id) == (f"{agent.name} {words}", inbox)


def test_a_webhook_of_all_inboxes_is_in_none_of_them(desk: Desk) -> None:
    made = desk.post("/v2/webhooks", {"url": "http://127.0.0.1:9/x", "events": ["convo.created"], "secret": "x"})
    agent = add_agent(desk, resources={"webhooks": {"level": "read"}})
    assert agent.get(f"/v2/webhooks/{made.headers['Resource-ID']}").status_code == 200
    entry = log_of(desk, agent=agent.id)[0]
    assert entry.inbox_id is None
    assert entry.sentence == f"{agent.name} was allowed to read webhook {made.headers['Resource-ID']}"


def test_a_call_that_can_not_be_read_is_logged_under_its_operation(desk: Desk) -> None:
    conversation = begun(desk, desk.add_inbox())
    agent = add_agent(desk)
    answer = agent.request("PUT", f"/v2/conversations/{conversation}/tags", data="{", headers={
        "Content-Type": "application/json",
    })  # fmt: skip
    assert answer.status_code == 400
    entry = log_of(desk, agent=agent.id)[0]
    assert (entry.operation, entry.resource, entry.action, entry.conversation_id) == (
        "set_conversation_tags", "conversations", "write", conversation,
    )  # fmt: skip
    assert entry.sentence.startswith(
        f"{agent.name} was refused to set the tags of conversation {conversation}: it could"
    )


def test_an_answer_that_was_given_again_is_no_second_reply_in_the_log(desk: Desk) -> None:
    conversation = begun(desk, desk.add_inbox())
    agent = add_agent(desk, preset="closer")
    body = {"text": "Once.", "customer": {"email": "ann@a.example"}}
    for _ in range(2):
        agent.request(
            "POST", f"/v2/conversations/{conversation}/reply", json=body, headers={"Idempotency-Key": "one"}
        )  # fmt: skip
    first, second = agent.sentences()[-2:]
    assert second == f"{first}: it came before, so the first answer was given again"


# -- Told before


def test_what_is_explained_is_what_happens_when_an_agent_asks_about_its_calls(desk: Desk) -> None:
    agent = add_agent(desk)
    explain = desk.server.app.gateway.explain
    told = desk.server.run(explain(desk.account_id, agent.id, "GET", "/v2/approvals/7", None, None))
    assert (told["decision"], told["operation"]) == ("allowed", "read_approval")
    answer = agent.get("/v2/approvals/7")
    assert (answer.status_code, answer.headers["Deskhand-Decision"]) == (404, told["decision"])


# -- Units


def test_an_agent_without_units_is_told_in_a_sentence_when_to_come_again(desk: Desk) -> None:
    tight = open_desk(desk.server, rate_limit=4)
    agent = add_agent(tight, preset="reader")
    while (answer := agent.get("/v2/tags")).status_code == 200:
        pass
    wait = answer.headers["Retry-After"]
    assert answer.status_code == 429
    assert answer.headers["X-RateLimit-Retry-After"] == wait
    assert answer.json()["message"][0].isupper()
    assert f"try again in {wait} second" in answer.json()["message"]
