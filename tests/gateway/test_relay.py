"""An agent's calls over the REST door, end to end: what the contract promises of each answer and each entry."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.db import statements
from deskhand.db.engine import Reader
from deskhand.gateway.tables import agent_draft, approval
from tests.agents import AgentOf, add_agent, log_of, somebody
from tests.world import Desk


def _conversation(desk: Desk, inbox_id: int, email: str = "ann@a.example", text: str = "Where is my lamp?") -> int:
    body = {
        "subject": "My order", "type": "email", "mailboxId": inbox_id, "status": "active", "customer": {"email": email},
        "threads": [{"type": "customer", "text": text, "customer": {"email": email}}],
    }  # fmt: skip
    return int(desk.post("/v2/conversations", body).headers["Resource-ID"])


def _reply(agent: AgentOf, conversation: int, **more: Any) -> Any:
    body = {"text": "It is on its way.", "customer": {"email": "ann@a.example"}, **more}
    return agent.post(f"/v2/conversations/{conversation}/reply", body)


def _same(one: Any, other: Any) -> None:
    """Two refusals that tell nothing apart."""
    assert one.status_code == other.status_code == 403
    left, right = one.json(), other.json()
    left.pop("logRef"), right.pop("logRef")
    assert left == right
    assert _names(one) == _names(other)


def _names(answer: Any) -> set[str]:
    return {name.lower() for name in answer.headers}


def test_an_agent_without_grants_may_do_nothing(desk: Desk) -> None:
    conversation = _conversation(desk, desk.add_inbox())
    agent = add_agent(desk)
    for path in ("/v2/conversations", f"/v2/conversations/{conversation}", "/v2/users/me", "/v2/tags", "/v2/mailboxes"):
        answer = agent.get(path)
        assert answer.status_code == 403, path
        assert answer.json()["reason"] == "missing_grant"
        assert answer.json()["missing"]["level"] == "read"
        assert answer.headers["Deskhand-Decision"] == "refused"


def test_a_foreign_conversation_and_an_unknown_one_are_refused_alike(desk: Desk) -> None:
    mine, other = desk.add_inbox("Orders"), desk.add_inbox("Billing")
    foreign, own = _conversation(desk, other), _conversation(desk, mine)
    agent = add_agent(desk, resources={
        "conversations": {"level": "write", "inboxes": [mine]}, "threads": {"level": "write", "inboxes": [mine]},
    })  # fmt: skip
    assert agent.get(f"/v2/conversations/{own}").status_code == 200
    _same(agent.get(f"/v2/conversations/{foreign}"), agent.get("/v2/conversations/987654321"))
    _same(agent.get(f"/v3/conversations/{foreign}/threads"), agent.get("/v3/conversations/987654321/threads"))
    _same(_reply(agent, foreign), _reply(agent, 987654321))
    _same(agent.get("/v2/conversations", mailbox=other), agent.get("/v2/conversations", mailbox=987654))


def test_lists_and_their_totals_end_at_the_granted_inboxes(desk: Desk) -> None:
    mine, other = desk.add_inbox("Orders"), desk.add_inbox("Billing")
    own = [_conversation(desk, mine), _conversation(desk, mine)]
    _conversation(desk, other)
    agent = add_agent(desk, resources={
        "conversations": {"level": "read", "inboxes": [mine]}, "threads": {"level": "read", "inboxes": [mine]},
        "inboxes": {"level": "read", "inboxes": [mine]},
    })  # fmt: skip
    found = agent.get("/v2/conversations", embed="threads").json()
    assert {one["id"] for one in found["_embedded"]["conversations"]} == set(own)
    assert found["page"]["totalElements"] == 2
    assert agent.get("/v2/conversations", query='body:"lamp"').json()["page"]["totalElements"] == 2
    assert [one["id"] for one in agent.get("/v2/mailboxes").json()["_embedded"]["mailboxes"]] == [mine]


def test_previews_are_left_out_without_access_to_threads(desk: Desk) -> None:
    conversation = _conversation(desk, desk.add_inbox())
    agent = add_agent(desk, resources={"conversations": {"level": "read"}})
    one = agent.get(f"/v2/conversations/{conversation}")
    assert "preview" not in one.json()
    assert "lamp" not in one.text + agent.get("/v2/conversations").text
    for params in ({"embed": "threads"}, {"query": "lamp"}, {"query": 'body:"lamp"'}):
        refused = agent.get("/v2/conversations", **params)
        assert refused.status_code == 403
        assert refused.json()["missing"] == {"resource": "threads", "level": "read"}


def test_a_drafting_agent_only_leaves_drafts(desk: Desk) -> None:
    inbox = desk.add_inbox()
    conversation = _conversation(desk, inbox)
    agent = add_agent(desk, preset="drafter", inboxes=[inbox])
    made = _reply(agent, conversation)
    assert made.status_code == 201
    newest = desk.get(f"/v3/conversations/{conversation}/threads").json()["_embedded"]["threads"][0]
    assert newest["id"] == int(made.headers["Resource-ID"])
    assert newest["state"] == "draft"
    assert newest["createdBy"]["type"] == "system_user"
    assert newest["createdBy"]["first"] == agent.name
    for field, value in (("status", "closed"), ("cc", ["x@x.example"]), ("user", desk.user_id), ("imported", True)):
        refused = _reply(agent, conversation, text=f"With {field}", **{field: value})
        assert refused.status_code == 403
        assert (refused.json()["reason"], refused.json()["path"]) == ("limit", field)
    publish = agent.put(
        f"/v2/conversations/{conversation}/threads/{newest['id']}/schedule",
        {"scheduledFor": "2030-01-01T00:00:00Z", "unscheduleOnCustomerReply": False},
    )
    assert publish.status_code == 403
    assert publish.json()["missing"] == {"action": "reply_to_conversation"}


def test_a_held_call_is_done_once_it_is_approved(desk: Desk) -> None:
    inbox = desk.add_inbox()
    conversation = _conversation(desk, inbox)
    agent = add_agent(desk, preset="drafter", inboxes=[inbox])
    held = agent.put(f"/v2/conversations/{conversation}/tags", {"tags": ["vip"]})
    assert held.status_code == 202
    assert held.headers["Deskhand-Decision"] == "held"
    assert held.json()["state"] == "held"
    assert desk.get(f"/v2/conversations/{conversation}").json()["tags"] == []
    assert agent.get(held.json()["ask"]).json()["state"] == "waiting"
    assert add_agent(desk, preset="drafter").get(held.json()["ask"]).status_code == 404
    outcome = _approve(desk, held.json()["approval_id"])
    assert (outcome.state, outcome.status) == ("executed", 204)
    assert [tag["tag"] for tag in desk.get(f"/v2/conversations/{conversation}").json()["tags"]] == ["vip"]
    assert agent.get(held.json()["ask"]).json()["state"] == "executed"


def _approve(desk: Desk, approval_id: int) -> Any:
    """A person's approval. It runs on the server's own loop, as every call does."""
    who = somebody(desk)
    return desk.server.run(desk.server.app.gateway.approvals.approve(desk.account_id, approval_id, who.by, who.words))


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v2", 403), ("/v2/", 403), ("/v2/nothing", 403), ("/v2//conversations", 403),
     ("/v2/conversations/../users", 403),
     ("/V2/conversations", 404), ("/v2/Conversations", 403), ("/v2/conversations/%31", 403)],
)  # fmt: skip
def test_what_is_not_in_the_catalogue_is_refused(desk: Desk, path: str, status: int) -> None:
    agent = add_agent(desk, preset="reader")
    answer = _raw(agent, f"GET {path} HTTP/1.1")
    if status == 403:
        assert answer.startswith("HTTP/1.1 403")
        assert '"reason":"unknown_operation"' in answer
        assert log_of(desk, agent=agent.id)[0].decision == "refused"
    else:
        assert answer.startswith(f"HTTP/1.1 {status}")


def _raw(agent: AgentOf, line: str, body: str = "") -> str:
    """An answer to a request that is sent just as it is written."""
    host, _, port = agent.desk.server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        request = (
            f"{line}\r\nHost: x\r\nAuthorization: Bearer {agent.key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
        )
        connection.sendall(request.encode())
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces).decode()


@pytest.mark.parametrize(
    "body", ['{"tags":["a"],"tags":["b"]}', "\ufeff" + '{"tags":[]}', '{"tags":', '{"tags":"a"}'],
)  # fmt: skip
def test_a_body_that_is_not_clean_is_refused_before_any_decision(desk: Desk, body: str) -> None:
    conversation = _conversation(desk, desk.add_inbox())
    agent = add_agent(desk)
    path, headers = f"/v2/conversations/{conversation}/tags", {"Content-Type": "application/json"}
    answer = agent.request("PUT", path, data=body.encode(), headers=headers)
    assert answer.status_code == 400
    assert answer.headers["Deskhand-Decision"] == "refused"
    assert log_of(desk, agent=agent.id)[0].reason == "unclean"


def test_every_call_is_an_entry_that_tells_what_happened(desk: Desk) -> None:
    inbox = desk.add_inbox("Orders")
    conversation = _conversation(desk, inbox)
    number = desk.get(f"/v2/conversations/{conversation}").json()["number"]
    agent = add_agent(desk, "Triage", preset="drafter", inboxes=[inbox])
    answer = agent.delete(f"/v2/conversations/{conversation}")
    [entry] = log_of(desk, agent=agent.id, type="decision")
    assert str(entry.id) == answer.headers["Deskhand-Audit-Id"]
    assert entry.sentence == (
        f"{agent.name} was refused to delete conversation #{number} in Orders: "
        "its access to conversations is read, deleting needs full"
    )
    assert (entry.status, entry.operation, entry.inbox_id, entry.conversation_id) == (
        403, "delete_conversation", inbox, conversation,
    )  # fmt: skip


def test_an_agents_client_credentials_give_a_token_for_the_same_door(desk: Desk) -> None:
    inbox = desk.add_inbox()
    agent = add_agent(desk, preset="reader", inboxes=[inbox])
    form = {"grant_type": "client_credentials", "client_id": agent.client_id, "client_secret": agent.client_secret}
    token = agent.http.post(desk.server.url + "/v2/oauth2/token", data=form, timeout=30).json()["access_token"]
    agent.key = token
    assert agent.get("/v2/mailboxes").headers["Deskhand-Decision"] == "allowed"
    assert agent.get("/v2/webhooks").status_code == 403


def test_an_agents_key_opens_nothing_else(desk: Desk) -> None:
    agent = add_agent(desk, preset="reader")
    assert agent.get("/admin/v1/agents").status_code == 401
    agent.key = "dh_agent_nobody"
    assert agent.get("/v2/users/me").status_code == 401


def test_the_same_key_of_idempotency_replies_once(desk: Desk) -> None:
    conversation = _conversation(desk, desk.add_inbox())
    agent = add_agent(desk, preset="closer")
    headers = {"Idempotency-Key": "one"}
    body = {"text": "Once.", "customer": {"email": "ann@a.example"}}
    first = agent.request("POST", f"/v2/conversations/{conversation}/reply", json=body, headers=headers)
    again = agent.request("POST", f"/v2/conversations/{conversation}/reply", json=body, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.headers["Resource-ID"] == again.headers["Resource-ID"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert _reply(agent, conversation, text="Once.").json()["reason"] == "duplicate"
    threads = desk.get(f"/v2/conversations/{conversation}/threads").json()["_embedded"]["threads"]
    assert sum(thread.get("body") == "Once." for thread in threads) == 1


def test_what_agents_wrote_in_a_deleted_conversation_is_not_kept(desk: Desk) -> None:
    inbox = desk.add_inbox()
    conversation = _conversation(desk, inbox)
    agent = add_agent(desk, resources={
        "conversations": {"level": "write"}, "threads": {"level": "write"},
    }, actions={"reply_to_conversation": "draft", "add_note": "hold"})  # fmt: skip
    assert _reply(agent, conversation, text="A drafted secret.").status_code == 201
    held = agent.post(f"/v2/conversations/{conversation}/notes", {"text": "A held secret."}).json()
    assert desk.delete(f"/v2/conversations/{conversation}").status_code == 204
    deadline = time.monotonic() + 60
    while agent.get(held["ask"]).json()["state"] == "waiting":
        assert time.monotonic() < deadline, "the worker was not told"
        time.sleep(0.05)
    assert agent.get(held["ask"]).json()["reason"] == "the conversation was deleted"
    while any("ed secret." in text for text in desk.server.app.database.read_now(_texts)):
        assert time.monotonic() < deadline, "it is kept"
        time.sleep(0.05)


def _texts(db: Reader) -> list[str]:
    """All that is kept of held calls and drafts, in every account."""
    return [*db.all(_CALLS), *db.all(_DRAFTS)]


_CALLS = statements.value(str, sa.select(approval.c.call), keep=False)
_DRAFTS = statements.value(str, sa.select(agent_draft.c.text), keep=False)


def test_who_may_write_customers_in_an_inbox_may_begin_with_somebody_new_there(desk: Desk) -> None:
    mine, other = desk.add_inbox("Orders"), desk.add_inbox("Billing")
    _conversation(desk, other, "bob@b.example")
    agent = add_agent(desk, resources={
        name: {"level": "write", "inboxes": [mine]} for name in ("conversations", "threads", "customers")
    })  # fmt: skip

    def begin(customer: dict[str, Any]) -> Any:
        body = {
            "subject": "Hello", "type": "email", "mailboxId": mine, "status": "active", "customer": customer,
            "threads": [{"type": "note", "text": "They called.", "customer": customer}],
        }  # fmt: skip
        return agent.post("/v2/conversations", body)

    made = begin({"email": "new@n.example"})
    assert made.status_code == 201
    assert agent.get(made.headers["Location"]).json()["primaryCustomer"]["email"] == "new@n.example"
    refused = begin({"email": "bob@b.example"})
    assert refused.status_code == 403
    assert refused.json()["missing"] == {"resource": "customers", "level": "write"}
    _same(begin({"id": 88_000_000}), begin({"id": 88_000_001}))
    agent.grant(resources={name: {"level": "write", "inboxes": [mine]} for name in ("conversations", "threads")})
    assert begin({"email": "another@n.example"}).json()["missing"] == {"resource": "customers", "level": "write"}
