"""Odd messages and odd arguments: always an answer of the protocol, never a failure of the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskhand.catalogue.operations import OPERATIONS
from deskhand.entrance import composed, tools
from tests.agents import add_agent
from tests.entrance.rpc import CURRENT, Rpc, add_conversation
from tests.live import LiveServer
from tests.world import open_desk

TAKEN = {tool.name: sorted(tool.arguments) for tool in tools.derived(OPERATIONS)}
TAKEN |= {name: sorted(tool.takes) for name, tool in composed.BY_NAME.items()}

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
    | st.sampled_from([0, 1, 3100000001, 2**63, 10**40, "1", "", "\0", "../..", "{slug}", "%2e", "all", "published"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
METHODS = ["initialize", "ping", "tools/list", "tools/call", "server/discover", "notifications/x", "", "\n"]
KEYS = ["jsonrpc", "id", "method", "params", "result", "error", "_meta"]
SOME = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def rpc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rpc]:
    """An agent that may do everything but a few destructive things, so that calls get as far as they can."""
    live = LiveServer(tmp_path_factory.mktemp("hostile"))
    desk = open_desk(live)
    inbox_id = desk.add_inbox()
    for _ in range(3):
        add_conversation(desk, inbox_id)
    everything = {
        name: {"level": "full"}
        for name in ("conversations", "threads", "customers", "inboxes", "users", "tags", "organizations", "reports")
    }
    yield Rpc(add_agent(desk, resources=everything, actions={"delete_user": "off"}))
    live.stop()


@SOME
@given(st.dictionaries(st.sampled_from(KEYS), ODD | st.sampled_from(["2.0", *METHODS]), max_size=6) | ODD)
def test_any_json_is_answered(rpc: Rpc, message: Any):
    answer = rpc.post(message)
    assert answer.status_code in (200, 202, 400)
    assert bool(answer.content) == (answer.status_code != 202)


@SOME
@given(st.sampled_from(METHODS), ODD, st.dictionaries(st.sampled_from(["name", "arguments", "cursor"]), ODD))
def test_any_request_of_the_current_revision_is_answered(rpc: Rpc, method: str, meta: Any, params: dict[str, Any]):
    pair = {"io.modelcontextprotocol/protocolVersion": CURRENT, "io.modelcontextprotocol/clientCapabilities": meta}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": pair}}
    answer = rpc.post(message, MCP_Protocol_Version=CURRENT, Mcp_Method=method.strip())
    assert answer.status_code in (200, 400, 404)
    assert answer.json()["jsonrpc"] == "2.0"


@SOME
@given(st.data())
def test_any_arguments_give_a_result(rpc: Rpc, data: st.DataObject):
    name = data.draw(st.sampled_from(sorted(TAKEN)))
    names = st.sampled_from(TAKEN[name] or ["x"]) | st.text(max_size=4)
    arguments = data.draw(st.dictionaries(names, ODD, max_size=6))
    found = rpc.result("tools/call", name=name, arguments=arguments, _meta=data.draw(ODD))
    status = found["structuredContent"].get("status")
    assert not (found["isError"] and isinstance(status, int) and status >= 500), found
