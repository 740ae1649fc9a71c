"""The official client of the Model Context Protocol, as it is: over HTTP and stdio, in each revision, with OAuth."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Literal, cast
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from tests.clients.mcp_world import World, live_world
from tests.entrance.flow import CALLBACK, add_person, entered
from tests.oauth.doors import Door

Mode = Literal["auto", "legacy"]
Connect = Callable[[World, Mode], AbstractAsyncContextManager[Client]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with live_world(tmp_path_factory.mktemp("mcp")) as world:
        yield world


@asynccontextmanager
async def over_http(world: World, mode: Mode) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {world.agent.key}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(f"{world.url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@asynccontextmanager
async def over_stdio(world: World, mode: Mode) -> AsyncIterator[Client]:
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "deskhand", "mcp", "--url", world.url],
        env={"DESKHAND_MCP_KEY": world.agent.key},
    )  # fmt: skip
    async with Client(stdio_client(command), mode=mode) as client:
        yield client


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("connect", [over_http, over_stdio])
def test_an_agent_works_with_the_official_client(world: World, connect: Connect, mode: Mode):
    async def work() -> None:
        async with connect(world, mode) as client:
            assert client.protocol_version == ("2026-07-28" if mode == "auto" else "2025-11-25")
            await drafts_and_asks(client, world, f"{connect.__name__} {mode}")

    asyncio.run(work())
    assert world.doors() == {"mcp"}


async def drafts_and_asks(client: Client, world: World, name: str) -> None:
    """What a drafter does: it reads its inbox, sees no other, drafts, may not delete, and waits for a person."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert "read_conversation" in tools
    assert "delete_conversation" not in tools
    assert tools["list_conversations"].annotations
    assert tools["list_conversations"].annotations.read_only_hint

    listed = await client.call_tool("list_conversations", {"status": "all"})
    assert [one["id"] for one in content(listed)["conversations"]] == [world.conversation_id]
    read = await client.call_tool("read_conversation", {"conversation_id": world.conversation_id})
    assert content(read)["threads"][0]["body"] == "Where is it?"
    foreign = await client.call_tool("read_conversation", {"conversation_id": world.foreign_id})
    assert foreign.is_error
    assert foreign.structured_content["reason"] == "missing_grant"

    reply = {"conversation_id": world.conversation_id, "text": name, "customer": {"email": "paul@buyer.example"}}
    assert content(await client.call_tool("reply_to_conversation", reply))["draft"] is True
    assert world.drafts()[0] == name
    deleted = await client.call_tool("delete_conversation", {"conversation_id": world.conversation_id})
    assert deleted.is_error
    assert deleted.structured_content["missing"] == {"resource": "conversations", "level": "full"}

    tagged = {"conversation_id": world.conversation_id, "tags": [name]}
    held = content(await client.call_tool("set_conversation_tags", tagged))
    assert held["state"] == "held"
    await asyncio.to_thread(world.approve, held["approval_id"])
    assert world.tags() == [name]
    asked = await client.call_tool("read_approval", {"approval_id": held["approval_id"]})
    assert content(asked)["state"] == "executed"

    many = await asyncio.gather(*[client.call_tool("get_me", {}) for _ in range(8)])
    assert not any(one.is_error for one in many)


def content(result: Any) -> dict[str, Any]:
    assert not result.is_error, result
    return cast(dict[str, Any], result.structured_content)


class Kept:
    """Where the client keeps what it was given."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def test_a_client_without_a_key_asks_a_person_for_access(world: World):
    door = cast(Door, SimpleNamespace(url=world.url, server=world.desk.server))
    browser = entered(world.desk, door, add_person(world.desk))
    sent: dict[str, list[str]] = {}

    async def send_person(url: str) -> None:
        """What the person does in the browser."""
        parts = urlsplit(url)
        page = await asyncio.to_thread(browser.get, f"{parts.path}?{parts.query}")
        answer = await asyncio.to_thread(
            browser.send, page, parts.path, decision="approve", agent=str(world.agent.id)
        )  # fmt: skip
        sent.update(parse_qs(urlsplit(answer.headers["location"]).query))

    async def came_back() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=sent["code"][0], state=sent["state"][0], iss=sent["iss"][0])

    kept = Kept()
    about = OAuthClientMetadata(redirect_uris=[AnyUrl(CALLBACK)], client_name="Ledger")
    provider = OAuthClientProvider(f"{world.url}/mcp", about, kept, send_person, came_back)

    async def work() -> None:
        async with (
            httpx2.AsyncClient(auth=provider) as http,
            Client(streamable_http_client(f"{world.url}/mcp", http_client=http)) as client,
        ):
            assert content(await client.call_tool("get_me", {}))["id"]
            before = kept.tokens
            world.desk.server.clock.advance(timedelta(hours=2))
            provider.context.token_expiry_time = 1
            assert content(await client.call_tool("get_me", {}))["id"]
            assert kept.tokens != before  # renewed on the way

    asyncio.run(work())
