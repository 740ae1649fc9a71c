"""The protocol's messages, by hand: what is read, what is refused with which code, what headers have to say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deskhand.entrance import protocol
from deskhand.entrance.protocol import CURRENT, Message, ProtocolError

META = {"io.modelcontextprotocol/protocolVersion": CURRENT, "io.modelcontextprotocol/clientCapabilities": {}}
CALL = {"name": "get_me", "arguments": {}}
Pairs = list[tuple[str, str]]


def current(method: str = "tools/list", meta: Any = META, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta, **params}}


def headers(method: str = "tools/list", version: str = CURRENT, name: str | None = None) -> Pairs:
    found = [("mcp-protocol-version", version), ("mcp-method", method)]
    return found if name is None else [*found, ("mcp-name", name)]


def read(content: Any, pairs: Pairs | None = None) -> Message | None:
    return protocol.read(pairs or [], content if isinstance(content, bytes) else json.dumps(content).encode())


def refused(content: Any, pairs: Pairs | None = None) -> ProtocolError:
    with pytest.raises(ProtocolError) as error:
        read(content, pairs)
    return error.value


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700), (b"{", -32700), (b"\xff{}", -32700), (b"\xef\xbb\xbf{}", -32700), (b"[" * 5000, -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', -32700),  # whichever is meant
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}', -32700),
        (b"[]", -32600), (b"7", -32600), (b"{}", -32600), (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),  # batches are gone since 2025-06-18
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600), (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600), (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', -32602),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_with_the_protocol_s_code(body: bytes, code: int):
    error = refused(body)
    assert (error.code, error.status) == (code, 400)


def test_before_the_current_revision_a_message_needs_no_headers():
    message = read({"jsonrpc": "2.0", "id": "a", "method": "tools/list"})
    assert message == Message("tools/list", {}, "a", current=False)
    for version in protocol.WITH_HANDSHAKE:
        assert read({"jsonrpc": "2.0", "id": 1, "method": "ping"}, [("mcp-protocol-version", version)])


def test_an_unknown_revision_is_refused_with_those_there_are():
    for version in ("2099-01-01", "2024-11-05", "x"):
        error = refused({"jsonrpc": "2.0", "id": 1, "method": "ping"}, [("mcp-protocol-version", version)])
        assert (error.code, error.status) == (-32022, 400)
        assert error.data == {"supported": list(protocol.SUPPORTED), "requested": version}
    newer = META | {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}
    error = refused(current(meta=newer), headers(version="2099-01-01"))
    assert (error.code, error.status) == (-32022, 400)


def test_notifications_and_answers_are_accepted_and_mean_nothing():
    assert read({"jsonrpc": "2.0", "method": "notifications/initialized"}) is None
    assert read({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}) is None
    assert read({"jsonrpc": "2.0", "id": 1, "result": {}}) is None
    assert refused({"jsonrpc": "2.0", "id": 1, "result": {}}, headers()).code == -32600  # no longer sent at all


def test_a_request_of_the_current_revision_is_read():
    assert read(current(), headers()) == Message("tools/list", {"_meta": META}, 1, current=True)
    named = read(current("tools/call", **CALL), headers("tools/call", name="get_me"))
    assert named and named.params["name"] == "get_me"
    assert read(current("tools/call", **CALL), headers("tools/call", name="=?base64?Z2V0X21l?="))


@pytest.mark.parametrize(
    ("meta", "code"),
    [
        (None, -32602), ([], -32602), ({}, -32602),
        ({"io.modelcontextprotocol/protocolVersion": CURRENT}, -32602),
        ({"io.modelcontextprotocol/clientCapabilities": {}}, -32602),
        ({**META, "io.modelcontextprotocol/protocolVersion": None}, -32020),
        ({**META, "io.modelcontextprotocol/protocolVersion": "2025-11-25"}, -32020),
    ],
)  # fmt: skip
def test_each_request_of_the_current_revision_says_what_it_is(meta: Any, code: int):
    error = refused(current(meta=meta), headers())
    assert (error.code, error.status, error.id) == (code, 400, 1)


@pytest.mark.parametrize(
    "pairs",
    [
        [], [("mcp-protocol-version", CURRENT)], headers("tools/call"), headers("tools/call", name="get_user"),
        headers("tools/list", name="get_me"), headers("tools/call", version="2025-11-25", name="get_me"),
        headers("tools/call", name="=?base64?!!?="), headers("tools/call", name="=?base64?Z2V0X3VzZXI=?="),
        [*headers("tools/call", name="get_me"), ("mcp-name", "get_me")],
        [*headers("tools/call", name="get_me"), ("mcp-method", "tools/list")],
    ],
)  # fmt: skip
def test_headers_that_say_something_else_than_the_message_are_refused(pairs: Pairs):
    error = refused(current("tools/call", **CALL), pairs)
    assert (error.code, error.status) == (-32020, 400)


def test_a_handshake_settles_on_the_client_s_revision_or_the_newest():
    def settled(wanted: Any) -> str:
        message = read({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": wanted}})
        assert message is not None
        return protocol.negotiated(message)

    assert settled("2025-06-18") == "2025-06-18"
    assert settled("2025-11-25") == "2025-11-25"
    assert settled("2024-11-05") == settled("2026-07-28") == settled("9") == "2025-11-25"
    with pytest.raises(ProtocolError):
        settled(7)


@pytest.mark.parametrize("name", ["get_me", "größe", " x", "=?base64?x?=", "a\nb", ""])
def test_what_a_client_writes_into_headers_is_what_the_server_reads(name: str):
    message = current("tools/call", name=name, arguments={})
    pairs = list(protocol.headers_of(message, "").items())
    assert all(value.isascii() and value.isprintable() for _, value in pairs)
    assert read(message, pairs) is not None


def test_a_client_with_a_handshake_repeats_its_revision_only():
    assert protocol.headers_of({"method": "tools/list", "id": 1}, "2025-06-18") == {
        "mcp-protocol-version": "2025-06-18"
    }
    assert protocol.headers_of({"method": "initialize", "id": 1}, "") == {}
