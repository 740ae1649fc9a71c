"""The MCP door on a live server, message by message: who may come in, what is answered, what is logged."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import requests

from deskhand.entrance.composed import RECENT
from tests.agents import add_agent, log_of, somebody
from tests.desk.conversations.builders import merge
from tests.entrance.rpc import Rpc, add_conversation
from tests.world import Desk, open_desk


@pytest.fixture
def inbox_id(desk: Desk) -> int:
    return desk.add_inbox()


@pytest.fixture
def rpc(desk: Desk, inbox_id: int) -> Rpc:
    """The drafter of one inbox."""
    return Rpc(add_agent(desk, preset="drafter", inboxes=[inbox_id]))


# -- The door


@pytest.mark.parametrize("credential", [None, "dh_agent_nobody", "dh_admin_x", "some desk token"])
def test_who_is_no_agent_is_told_where_to_ask_for_access(desk: Desk, credential: str | None):
    given = desk.token if credential == "some desk token" else credential
    headers = {} if given is None else {"Authorization": f"Bearer {given}"}
    answer = requests.post(f"{desk.server.url}/mcp", json={}, headers=headers, timeout=30)
    assert answer.status_code == 401
    assert answer.json()["error"] == ("invalid_request" if credential is None else "invalid_token")
    challenge = answer.headers["WWW-Authenticate"]
    assert f'resource_metadata="{desk.server.url}/.well-known/oauth-protected-resource/mcp"' in challenge
    assert ('error="invalid_token"' in challenge) == (credential is not None)


def test_an_agent_s_access_token_opens_the_door_too(desk: Desk, rpc: Rpc):
    agent = rpc.agent
    form = {
        "grant_type": "client_credentials", "client_id": agent.client_id, "client_secret": agent.client_secret,
    }  # fmt: skip
    token = requests.post(f"{desk.server.url}/v2/oauth2/token", data=form, timeout=30).json()["access_token"]
    assert (
        rpc.post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, Authorization=f"Bearer {token}").json()["result"] == {}
    )


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS", "HEAD"])
def test_there_is_no_stream_and_no_session(rpc: Rpc, method: str):
    answer = rpc.agent.request(method, "/mcp", headers={"Accept": "text/event-stream", "Mcp-Session-Id": "x"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_pages_of_other_sites_may_not_call(desk: Desk, rpc: Rpc):
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", "http://127.0.0.1:1", "//", ""):
        answer = rpc.post(ping, Origin=origin)
        assert (answer.status_code, answer.json()["id"]) == (403, None)
    assert rpc.post(ping, Origin=desk.server.url.upper()).status_code == 200


def test_bodies_are_json_and_bounded(rpc: Rpc):
    ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    assert rpc.post(ping, Content_Type="text/plain").status_code == 415
    assert rpc.post(ping, Accept="text/html").status_code == 406
    assert rpc.post(ping, Accept="application/json, text/event-stream").status_code == 200
    large = rpc.post(b'{"x":"' + b"y" * (25 * 1024 * 1024) + b'"}')
    assert (large.status_code, large.json()["error"]["code"]) == (413, -32600)
    assert rpc.logged() == [(None, "refused", "unclean")]


def test_a_message_that_could_mean_two_things_is_refused_and_logged(rpc: Rpc):
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_me","name":"list_users"}}'
    answer = rpc.post(body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32700)
    assert rpc.logged() == [(None, "refused", "unclean")]


def test_what_is_logged_says_so_in_headers_too(desk: Desk, inbox_id: int, rpc: Rpc):
    conversation_id = add_conversation(desk, inbox_id)

    def marks(answer: requests.Response) -> tuple[str | None, bool]:
        return answer.headers.get("Deskhand-Decision"), answer.headers.get("Deskhand-Audit-Id", "").isdigit()

    assert marks(rpc.ask("tools/call", name="get_me", arguments={})) == ("allowed", True)
    assert marks(rpc.ask("tools/call", name="delete_user", arguments={"user_id": 1})) == ("refused", True)
    assert marks(rpc.ask("tools/call", name="get_me", arguments={"x": 1})) == ("refused", True)
    both = rpc.ask("tools/call", name="read_conversation", arguments={"conversation_id": conversation_id})
    assert marks(both) == ("allowed", True)
    assert marks(rpc.post(b'{"a":1,"a":2}')) == ("refused", True)
    assert marks(rpc.post(b" " * (25 * 1024 * 1024 + 1))) == ("refused", True)
    assert marks(rpc.ask("tools/list")) == (None, False)  # is not logged


def test_a_slash_at_the_end_makes_no_difference(rpc: Rpc):
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert rpc.agent.request("POST", "/mcp/", json=body).json()["result"] == {}
    assert rpc.agent.request("POST", "/mcp//", json=body).status_code == 404


# -- The protocol


def test_the_two_revisions_before_begin_with_a_handshake(rpc: Rpc):
    about = {"capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    for wanted, settled in (("2025-06-18", "2025-06-18"), ("2025-11-25", "2025-11-25"), ("1999-01-01", "2025-11-25")):
        found = rpc.result("initialize", protocolVersion=wanted, **about)
        assert found["protocolVersion"] == settled
        assert found["capabilities"] == {"tools": {}}
        assert found["serverInfo"]["name"] == "deskhand"
        assert "untrusted" in found["instructions"]
        accepted = rpc.post({"jsonrpc": "2.0", "method": "notifications/initialized"}, MCP_Protocol_Version=settled)
        assert (accepted.status_code, accepted.content) == (202, b"")
        assert "Mcp-Session-Id" not in accepted.headers
    unknown = rpc.ask("resources/list")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (200, -32601)
    assert rpc.ask("tools/call", name=7).json()["error"]["code"] == -32602
    assert rpc.ask("tools/call", name="get_me", arguments=[]).json()["error"]["code"] == -32602
    assert rpc.ask("tools/list", cursor="x").json()["error"]["code"] == -32602


def test_the_current_revision_is_stateless(rpc: Rpc):
    found = rpc.ask_current("server/discover").json()["result"]
    assert found["supportedVersions"] == ["2026-07-28", "2025-11-25", "2025-06-18"]
    assert (found["resultType"], found["cacheScope"]) == ("complete", "private")
    assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "deskhand"
    listed = rpc.ask_current("tools/list").json()["result"]
    assert listed["ttlMs"] > 0
    assert [tool["name"] for tool in listed["tools"]] == rpc.tools()
    called = rpc.ask_current("tools/call", name="get_me", arguments={}).json()["result"]
    assert called["resultType"] == "complete"
    assert not called["isError"]
    for gone in ("ping", "initialize", "logging/setLevel", "subscriptions/listen"):
        answer = rpc.ask_current(gone)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32601)
    assert rpc.ask_current("tools/call", name="get_me", arguments=7).status_code == 400


def test_a_paused_agent_is_told_so(desk: Desk, rpc: Rpc):
    desk.server.run(desk.server.app.gateway.administration.agents.pause(somebody(desk), rpc.agent.id))
    for answer in (rpc.ask("tools/list"), rpc.ask_current("server/discover")):
        assert (answer.status_code, answer.json()["error"]["data"]) == (403, {"reason": "paused"})
    assert rpc.refusal("get_me")["reason"] == "paused"
    assert rpc.logged() == [("get_me", "refused", "paused")]


# -- Calls


def test_a_result_says_the_same_as_data_and_as_text(desk: Desk, inbox_id: int, rpc: Rpc):
    add_conversation(desk, inbox_id)
    found = rpc.result("tools/call", name="list_conversations", arguments={})
    assert json.loads(found["content"][0]["text"]) == found["structuredContent"]
    assert found["structuredContent"]["total"] == 1
    assert found["_meta"]["deskhand/decision"] == "allowed"
    assert len(found["_meta"]["deskhand/audit-ids"]) == 1


def test_other_inboxes_are_not_there(desk: Desk, inbox_id: int, rpc: Rpc):
    own, foreign = add_conversation(desk, inbox_id), add_conversation(desk, desk.add_inbox("Other"))
    assert [one["id"] for one in rpc.call("list_conversations", status="all")["conversations"]] == [own]
    assert rpc.refusal("get_conversation", conversation_id=foreign) == rpc.refusal(
        "get_conversation", conversation_id=1
    )
    assert rpc.refusal("read_conversation", conversation_id=foreign)["reason"] == "missing_grant"


def test_writing_creates_and_changes(desk: Desk, inbox_id: int):
    conversation_id = add_conversation(desk, inbox_id)
    rpc = Rpc(add_agent(desk, preset="closer", inboxes="all"))
    note = rpc.call("add_note", conversation_id=conversation_id, text="Call back")
    assert note["status"] == "created"
    body = [{"op": "replace", "path": "/status", "value": "closed"}]
    assert rpc.call("update_conversation", conversation_id=conversation_id, body=body) == {"status": "done"}
    customer = desk.get(f"/v2/conversations/{conversation_id}").json()["primaryCustomer"]
    sent = rpc.call(
        "reply_to_conversation", conversation_id=conversation_id, text="Here", customer={"id": customer["id"]},
        attachments=[{"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}],
    )  # fmt: skip
    assert "draft" not in sent
    threads = rpc.call("list_threads", conversation_id=conversation_id)["threads"]
    attached = next(one for one in threads if one["id"] == sent["id"])["attachments"][0]
    found = rpc.call("get_attachment_data", conversation_id=conversation_id, attachment_id=attached["id"])
    assert found == {"data": "YQ==", "untrusted": True}


def test_a_draft_says_that_it_was_not_sent(desk: Desk, inbox_id: int, rpc: Rpc):
    conversation_id = add_conversation(desk, inbox_id)
    reply = {"conversation_id": conversation_id, "text": "Soon", "customer": {"email": "paul@buyer.example"}}
    assert rpc.call("reply_to_conversation", **reply)["draft"] is True
    thread = rpc.call("read_conversation", conversation_id=conversation_id)["threads"][-1]
    assert (thread["body"], thread["state"]) == ("Soon", "draft")


def test_a_held_call_is_a_result_and_can_be_asked_for(desk: Desk, inbox_id: int, rpc: Rpc):
    conversation_id = add_conversation(desk, inbox_id)
    held = rpc.call("set_conversation_tags", conversation_id=conversation_id, tags=["vip"])
    assert held["state"] == "held"
    assert held.keys() >= {"approval_id", "until"}
    assert "read_approval" in held["message"]  # many hosts show a model no instructions
    assert "read_approval" in rpc.tools()
    assert rpc.call("read_approval", approval_id=held["approval_id"])["state"] == "waiting"
    assert rpc.refusal("read_approval", approval_id=10**6)["status"] == 404
    assert [one[:2] for one in rpc.logged()] == [
        ("set_conversation_tags", "held"), ("read_approval", "allowed"), ("read_approval", "allowed"),
    ]  # fmt: skip


def test_what_a_person_lets_go_is_logged_as_having_come_by_this_door(desk: Desk, inbox_id: int, rpc: Rpc):
    conversation_id = add_conversation(desk, inbox_id)
    held = rpc.call("set_conversation_tags", conversation_id=conversation_id, tags=["vip"])
    who = somebody(desk)
    desk.server.run(desk.server.app.gateway.approvals.approve(desk.account_id, held["approval_id"], who.by, who.words))
    done = next(one for one in log_of(desk, agent=rpc.agent.id) if one.reason == "approved")
    assert (done.operation, done.door, done.status) == ("set_conversation_tags", "mcp", 204)


def test_what_is_not_granted_is_not_listed_and_its_call_is_a_refusal_with_one_entry(
    desk: Desk, inbox_id: int, rpc: Rpc
):
    conversation_id = add_conversation(desk, inbox_id)
    assert "delete_conversation" not in rpc.tools()
    refused = rpc.refusal("delete_conversation", conversation_id=conversation_id)
    by_rest = rpc.agent.delete(f"/v2/conversations/{conversation_id}").json()
    assert (refused["reason"], refused["missing"]) == (by_rest["reason"], by_rest["missing"])
    assert refused["status"] == 403
    assert rpc.refusal("destroy_everything")["reason"] == "unknown_operation"
    assert rpc.logged() == [
        ("delete_conversation", "refused", "missing_grant"), ("delete_conversation", "refused", "missing_grant"),
        (None, "refused", "unknown_operation"),
    ]  # fmt: skip


def test_the_list_follows_the_grants(desk: Desk, rpc: Rpc):
    rpc.agent.grant(resources={"tags": {"level": "read"}})
    assert rpc.tools() == ["list_tags", "get_tag"]
    rpc.agent.grant(resources={})
    assert rpc.tools() == []
    assert rpc.refusal("read_customer", customer_id=7)["reason"] == "missing_grant"
    assert rpc.logged() == [("get_customer", "refused", "missing_grant")]


def test_arguments_at_fault_are_named_and_logged(desk: Desk, inbox_id: int, rpc: Rpc):
    conversation_id = add_conversation(desk, inbox_id)
    missing = rpc.refusal("get_conversation")
    assert (missing["status"], missing["errors"]) == (400, [{"path": "conversation_id", "message": "may not be empty"}])
    assert rpc.refusal("list_conversations", mailbx=7)["errors"][0]["path"] == "mailbx"
    assert rpc.refusal("list_conversations", status="lost")["errors"][0]["path"] == "status"
    assert rpc.refusal("add_note", conversation_id=conversation_id)["errors"][0]["path"] == "text"
    assert rpc.refusal("next_conversations", most=0)["errors"][0]["path"] == "most"
    assert rpc.refusal("read_conversation", conversation_id="x", more=1)["status"] == 400
    assert {one[1:] for one in rpc.logged()} == {("refused", "unclean")}
    assert len(rpc.logged()) == 6


def test_the_same_idempotency_key_writes_once(desk: Desk, inbox_id: int, rpc: Rpc):
    conversation_id = add_conversation(desk, inbox_id)
    params = {
        "name": "add_note", "arguments": {"conversation_id": conversation_id, "text": "Once"},
        "_meta": {"idempotencyKey": "k-1"},
    }  # fmt: skip
    first, second = (rpc.result("tools/call", **params)["structuredContent"] for _ in range(2))
    assert first == second
    assert len(rpc.call("list_threads", conversation_id=conversation_id)["threads"]) == 2
    assert rpc.ask("tools/call", **params | {"_meta": {"idempotencyKey": 7}}).json()["result"]["isError"]


# -- Composed tools


def test_a_conversation_is_read_with_its_threads_the_oldest_first(desk: Desk, inbox_id: int, rpc: Rpc):
    conversation_id = add_conversation(desk, inbox_id, "<p>One</p>", "<p>Two</p>", "<p>Three</p>")
    found = rpc.call("read_conversation", conversation_id=conversation_id)
    assert [thread["body"] for thread in found["threads"]] == ["One", "Two", "Three"]
    assert found["subject"] == "Order"
    assert all(thread["untrusted"] for thread in found["threads"])
    assert [one[:2] for one in rpc.logged()] == [("get_conversation", "allowed")]


def test_a_merged_conversation_leads_to_the_one_it_went_into(desk: Desk, inbox_id: int, rpc: Rpc):
    gone, survivor = add_conversation(desk, inbox_id), add_conversation(desk, inbox_id, "Both")
    merge(desk, gone, survivor)
    assert rpc.call("get_conversation", conversation_id=gone) == {"status": "moved", "moved_to": survivor}
    found = rpc.call("read_conversation", conversation_id=gone)
    assert (found["id"], found["threads"][0]["body"]) == (survivor, "Both")
    assert [one[0] for one in rpc.logged()] == ["get_conversation"] * 3


def test_a_customer_is_read_with_the_conversations_that_changed_last(desk: Desk, inbox_id: int, rpc: Rpc):
    made = [add_conversation(desk, inbox_id, email="much@buyer.example") for _ in range(RECENT + 2)]
    foreign = add_conversation(desk, desk.add_inbox("Other"), email="much@buyer.example")
    customer_id = desk.get(f"/v2/conversations/{made[0]}").json()["primaryCustomer"]["id"]
    found = rpc.call("read_customer", customer_id=customer_id)
    assert found["emails"][0]["value"] == "much@buyer.example"
    assert len(found["conversations"]) == RECENT
    assert found["conversations_total"] == RECENT + 2
    assert foreign not in {one["id"] for one in found["conversations"]}
    assert [one[:2] for one in rpc.logged()] == [("get_customer", "allowed"), ("list_conversations", "allowed")]


def test_who_waited_longest_comes_next(desk: Desk, inbox_id: int, rpc: Rpc):
    before = desk.server.clock.offset
    try:
        waiting = []
        for _ in range(3):
            waiting.append(add_conversation(desk, inbox_id))
            desk.server.clock.advance(timedelta(minutes=1))
        add_conversation(desk, inbox_id, status="closed")
        other = add_conversation(desk, desk.add_inbox("Other"))
        desk.post(
            f"/v2/conversations/{waiting[0]}/reply",
            {"text": "Done", "customer": {"email": "paul@buyer.example"}, "status": "active"},
        )
        found = rpc.call("next_conversations", most=5)
        assert [one["id"] for one in found["conversations"]] == waiting[1:]
        assert [one["id"] for one in rpc.call("next_conversations", most=1)["conversations"]] == waiting[1:2]
        assert rpc.call("next_conversations", inbox_id=inbox_id)["conversations"][0]["id"] == waiting[1]
        assert other not in {one["id"] for one in found["conversations"]}
        until = {"snoozedUntil": "2030-01-07T08:00:00Z", "unsnoozeOnCustomerReply": True}
        assert desk.put(f"/v2/conversations/{waiting[1]}/snooze", until).status_code == 204
        assert [one["id"] for one in rpc.call("next_conversations")["conversations"]] == waiting[2:]
    finally:
        desk.server.clock.offset = before


def test_a_composed_tool_is_listed_only_if_all_its_parts_are(desk: Desk, rpc: Rpc):
    def listed(**levels: str) -> set[str]:
        rpc.agent.grant(resources={name: {"level": level} for name, level in levels.items()})
        return {"read_conversation", "read_customer", "next_conversations", "read_approval"}.intersection(rpc.tools())

    assert listed(conversations="read") == {"next_conversations"}
    assert listed(conversations="read", threads="read") == {"next_conversations", "read_conversation"}
    assert listed(conversations="read", customers="read") == {"next_conversations", "read_customer"}
    assert listed(customers="read") == set()


def test_tools_are_described_in_a_stable_order(rpc: Rpc):
    first, second = (rpc.ask("tools/list").content for _ in range(2))
    assert first == second
    assert all(len(msgspec.json.encode(tool)) < 4000 for tool in json.loads(first)["result"]["tools"])


def test_an_agent_of_another_account_sees_nothing_of_this_one(desk: Desk, inbox_id: int, rpc: Rpc):
    conversation_id = add_conversation(desk, inbox_id)
    stranger: Any = Rpc(add_agent(open_desk(desk.server), preset="closer", inboxes="all"))
    assert stranger.refusal("read_conversation", conversation_id=conversation_id)["status"] in (403, 404)
    assert stranger.call("list_conversations", status="all")["total"] == 0
