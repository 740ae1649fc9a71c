"""`deskhand mcp` as a process: one message a line on stdout and nothing else, clear words on stderr."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deskhand.cli.mcp import mcp
from deskhand.cli.refused import Refused
from deskhand.settings import read
from tests.agents import add_agent
from tests.entrance.rpc import CURRENT
from tests.live import LiveServer
from tests.world import open_desk

KEY = "dh_agent_nobody"
META = {"io.modelcontextprotocol/protocolVersion": CURRENT, "io.modelcontextprotocol/clientCapabilities": {}}


@pytest.fixture(scope="module")
def key_and_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    live = LiveServer(tmp_path_factory.mktemp("stdio"))
    yield add_agent(open_desk(live), preset="reader", inboxes="all").key, live.url
    live.stop()


def start(url: str, key: str = KEY) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "deskhand", "mcp", "--url", url], env={"DESKHAND_MCP_KEY": key},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(url: str, key: str, *lines: bytes) -> tuple[int, list[dict[str, Any]], str]:
    """What a client that sends these lines and then ends its input gets: exit status, messages, words."""
    out, words = (process := start(url, key)).communicate(b"".join(line + b"\n" for line in lines), timeout=60)
    assert out == b"" or out.endswith(b"\n")
    return process.returncode, [json.loads(line) for line in out.splitlines()], words.decode()


def ask(method: str, id: Any = 1, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode()


def test_what_was_asked_is_answered_before_the_end(key_and_url: tuple[str, str]):
    key, url = key_and_url
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    status, messages, words = run(
        f"{url}/mcp/", key, ask("initialize", "a", **about), b"",
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
        ask("tools/call", 2, name="get_me"), ask("tools/list", 3), ask("ping", 4),
    )  # fmt: skip
    assert (status, words) == (0, "")
    assert {message["id"] for message in messages} == {"a", 2, 3, 4}
    assert all("result" in message for message in messages)


def test_the_current_revision_needs_headers_that_the_command_adds(key_and_url: tuple[str, str]):
    key, url = key_and_url
    status, messages, _ = run(
        url, key, ask("server/discover", 1, _meta=META), ask("tools/call", 2, name="größe", _meta=META)
    )
    found = {message["id"]: message for message in messages}
    assert status == 0
    assert found[1]["result"]["resultType"] == "complete"
    assert found[2]["result"]["structuredContent"]["reason"] == "unknown_operation"


def test_lines_that_are_no_messages_are_answered_too(key_and_url: tuple[str, str]):
    key, url = key_and_url
    status, messages, _ = run(url, key, b"{", b"[]", b"\xff", b'{"jsonrpc":"2.0","id":7}')
    assert status == 0
    assert sorted(message["error"]["code"] for message in messages) == [-32700, -32700, -32600, -32600]
    assert sorted(str(message["id"]) for message in messages) == ["7", "None", "None", "None"]


def test_a_cancelled_request_is_not_answered_any_more():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = start(f"http://127.0.0.1:{silent.getsockname()[1]}")
        cancel = b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}\n'
        assert process.stdin is not None
        process.stdin.write(ask("ping") + b"\n")
        process.stdin.flush()
        with silent.accept()[0]:
            out, words = process.communicate(cancel, timeout=60)
    assert (process.returncode, out, words) == (0, b"", b"")


def test_a_refused_key_ends_the_command_with_one_line(key_and_url: tuple[str, str]):
    _, url = key_and_url
    status, messages, words = run(url, KEY, ask("ping"))
    assert status == 1
    assert [message["error"]["message"] for message in messages] == ["The key was refused"]
    assert words.count("\n") == 1
    assert "refused the key" in words
    assert KEY not in words


def test_it_ends_as_well_where_the_client_goes_on_listening(key_and_url: tuple[str, str]):
    """As every host does that keeps both pipes open until the program has ended."""
    _, url = key_and_url
    process = start(url)
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write(ask("ping") + b"\n")
    process.stdin.flush()
    assert process.wait(timeout=60) == 1
    assert process.stderr.read().count(b"\n") == 1
    process.communicate()


@pytest.mark.parametrize("key", ["größe", "a b", "a\nb"])
def test_what_can_be_no_key_is_said_at_once(key: str):
    with pytest.raises(Refused, match="no key of an agent"):
        mcp(key, "http://127.0.0.1:9")


def test_a_missing_key_is_wrong_usage():
    done = subprocess.run([sys.executable, "-m", "deskhand", "mcp"], env={}, capture_output=True, timeout=60)
    assert done.returncode == 2
    assert b"--key" in done.stderr


def test_without_a_server_the_command_ends_with_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    status, messages, words = run(f"http://127.0.0.1:{port}", KEY, ask("ping"))
    assert status == 1
    assert messages[0]["error"]["code"] == 503
    assert "does not answer" in words
    assert words.count("\n") == 1


def test_an_outage_is_told_and_outlived(tmp_path_factory: pytest.TempPathFactory):
    live = LiveServer(tmp_path_factory.mktemp("outage"))
    process = start(live.url, add_agent(open_desk(live), preset="reader", inboxes="all").key)
    assert process.stdin is not None
    assert process.stdout is not None
    for wanted in ("result", "error", "error"):
        process.stdin.write(ask("ping") + b"\n")
        process.stdin.flush()
        assert wanted in json.loads(process.stdout.readline())
        live.stop()
    began = time.monotonic()
    _, words = process.communicate(timeout=60)
    assert process.returncode == 0
    assert time.monotonic() - began < 20
    assert words.count(b"\n") == 1  # not once for each message


def test_the_command_s_own_variables_are_no_settings(tmp_path: Path):
    read({"DESKHAND_MCP_KEY": KEY, "DESKHAND_MCP_URL": "http://127.0.0.1:9"}, tmp_path / "deskhand.toml")
