"""What the gateway's MCP door is measured beside, run by the Python of a venv that has fastmcp.

`server`: tools in front of the desk's API, as one writes them in an afternoon: no rights, no log. `proxy`: fastmcp's
own proxy in front of that server.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
import uvloop
from fastmcp import Client, FastMCP
from fastmcp.client.transports import StreamableHttpTransport
from fastmcp.server import create_proxy


def server(url: str, token: str) -> FastMCP:
    """Three tools, each one call of the API."""
    api = httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60)
    tools = FastMCP("desk")

    @tools.tool
    async def get_conversation(conversation_id: int, embed: str = "") -> dict[str, Any]:
        """A conversation by its id."""
        answer = await api.get(f"/v2/conversations/{conversation_id}", params={"embed": embed})
        return dict(answer.raise_for_status().json())

    @tools.tool
    async def list_conversations(mailbox: int) -> dict[str, Any]:
        """A page of an inbox's conversations."""
        answer = await api.get("/v2/conversations", params={"mailbox": mailbox})
        return dict(answer.raise_for_status().json())

    @tools.tool
    async def add_note(conversation_id: int, text: str) -> dict[str, Any]:
        """Add a note to a conversation."""
        answer = await api.post(f"/v2/conversations/{conversation_id}/notes", json={"text": text})
        return {"id": int(answer.raise_for_status().headers["resource-id"])}

    return tools


@asynccontextmanager
async def proxy(url: str, token: str) -> AsyncIterator[FastMCP]:
    """With one connected client for all calls: one for each, as usual, takes six times as long, for want of TLS."""
    transport = StreamableHttpTransport(f"{url}/mcp", headers={"authorization": f"Bearer {token}"})
    async with Client(transport) as client:
        await client.list_tools()
        yield create_proxy(client)


async def serve(tools: FastMCP, listener: socket.socket) -> None:
    """Without sessions, and JSON instead of streams: what is quickest."""
    app = tools.http_app(json_response=True, stateless_http=True)
    config = uvicorn.Config(app, log_level="warning", http="httptools", access_log=False, timeout_keep_alive=75)
    await uvicorn.Server(config).serve([listener])


async def run(what: str, listener: socket.socket, url: str, token: str) -> None:
    if what == "server":
        await serve(server(url, token), listener)
        return
    async with proxy(url, token) as tools:
        await serve(tools, listener)


def main() -> None:
    what, listener, url, token = sys.argv[1:]
    uvloop.run(run(what, socket.socket(fileno=int(listener)), url, token))


if __name__ == "__main__":
    main()
