"""An older release of the official MCP client, from PyPI, as it is: over HTTP and stdio, in the revision it knows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.clients.installed import older_mcp
from tests.clients.mcp_world import World, live_world

DRIVE = """
import asyncio, json, os, sys
from contextlib import asynccontextmanager
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

given = json.loads(sys.argv[1])

@asynccontextmanager
async def streams():
    if given["over"] == "http":
        headers = {"Authorization": "Bearer " + given["key"]}
        async with streamablehttp_client(given["url"] + "/mcp", headers=headers) as (read, write, _):
            yield read, write
    else:
        arguments = ["-m", "deskhand", "mcp", "--url", given["url"]]
        command = StdioServerParameters(
            command=given["python"], args=arguments, env={"DESKHAND_MCP_KEY": given["key"]}
        )
        async with stdio_client(command) as (read, write):
            yield read, write

async def main():
    async with streams() as (read, write), ClientSession(read, write) as session:
        started = await session.initialize()
        listed = await session.list_tools()
        found = {"version": started.protocolVersion, "tools": [tool.name for tool in listed.tools], "calls": []}
        for name, arguments in given["calls"]:
            result = await session.call_tool(name, arguments)
            told = {"failed": result.isError, "content": result.structuredContent, "text": result.content[0].text}
            found["calls"].append(told)
        await session.send_ping()
        many = await asyncio.gather(*[session.call_tool("get_me", {}) for _ in range(8)])
        found["many"] = [one.isError for one in many]
        print(json.dumps(found))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with live_world(tmp_path_factory.mktemp("mcp")) as world:
        yield world


def drive(world: World, over: str, *calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    given = {"url": world.url, "key": world.agent.key, "over": over, "python": sys.executable, "calls": calls}
    done = subprocess.run(
        [older_mcp(), "-c", DRIVE, json.dumps(given)], capture_output=True, text=True, timeout=60, env=os.environ
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("over", ["http", "stdio"])
def test_an_agent_works_with_an_older_client(world: World, over: str):
    here = {"conversation_id": world.conversation_id}
    found = drive(
        world, over,
        ("list_conversations", {"status": "all"}), ("read_conversation", here),
        ("reply_to_conversation", {**here, "text": over, "customer": {"email": "paul@buyer.example"}}),
        ("delete_conversation", here), ("set_conversation_tags", {**here, "tags": ["vip"]}),
        ("read_conversation", {"conversation_id": world.foreign_id}),
    )  # fmt: skip
    assert found["version"] == "2025-06-18"
    assert "next_conversations" in found["tools"]
    assert "delete_conversation" not in found["tools"]
    assert found["many"] == [False] * 8

    listed, read, drafted, deleted, held, foreign = found["calls"]
    assert [one["id"] for one in listed["content"]["conversations"]] == [world.conversation_id]
    assert json.loads(read["text"]) == read["content"]
    assert read["content"]["threads"][0]["body"] == "Where is it?"
    assert drafted["content"]["draft"] is True
    assert world.drafts()[0] == over
    assert (deleted["failed"], deleted["content"]["reason"]) == (True, "missing_grant")
    assert (held["failed"], held["content"]["state"]) == (False, "held")
    assert foreign["failed"]
    assert world.doors() == {"mcp"}
