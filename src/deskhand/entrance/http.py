"""The REST door: an unmodified Help Scout client that acts as an agent, with the agent's key or access token."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable

from starlette.types import Receive, Scope, Send

from deskhand.api.errors import answer_problem, answer_unauthorized
from deskhand.catalogue import problems
from deskhand.db.engine import Conflict, Unavailable
from deskhand.gateway.agents import Agents
from deskhand.gateway.answers import ASK_PATH
from deskhand.gateway.calls import Answer, Request
from deskhand.gateway.relay import Relay
from deskhand.oauth.bearer import Unauthorized, read_bearer

log = logging.getLogger("deskhand.entrance")

AGENTS = "dh_agent_"
"""How an agent's credentials begin."""
BODY_MOST = 25 * 1024 * 1024
BODY_WAIT_S = 60
URI_MOST = 16 * 1024
_EXPOSED = (
    "Deskhand-Decision, Deskhand-Audit-Id, X-RateLimit-Limit-Minute, X-RateLimit-Remaining-Minute, "
    "X-RateLimit-Retry-After, Retry-After, Resource-ID, Location, Correlation-Id, Idempotent-Replayed"
)
_ALWAYS = ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _EXPOSED.encode()))
_HEADERS = (b"content-type", b"accept", b"idempotency-key", b"content-encoding")


class Gone(Exception):
    """The client closed the connection before its request was whole."""


class RestDoor:
    """`/v2` and `/v3` for agents, as an ASGI application."""

    def __init__(self, relay: Relay, agents: Agents) -> None:
        self._relay = relay
        self._agents = agents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except Gone:
            return
        except (Unavailable, Conflict) as problem:
            log.warning("%s", problem)
            answer = away()
        await send_answer(send, scope["method"], answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers = dict(scope["headers"])
        given = read_bearer(headers.get(b"authorization", b"").decode("latin-1"))
        agent = None if given is None else await self._agents.by_credential(given)
        if agent is None:
            refused = answer_unauthorized(Unauthorized(missing=given is None))
            return Answer(refused.status, refused.body, refused.media_type, refused.headers)
        # As it stands in the request line: what is percent-encoded there is not what it would be decoded to.
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        method, query = scope["method"], scope["query_string"].decode("latin-1")
        if len(path) + len(query) > URI_MOST:
            return await self._relay.unread(agent, method, path, 414)
        approval = ASK_PATH.fullmatch(path)
        if approval is not None and method in ("GET", "HEAD"):
            return await self._relay.approval(agent, int(approval[1]))
        try:
            async with asyncio.timeout(BODY_WAIT_S):
                body = await read_body(receive, headers.get(b"content-length", b""))
        except TimeoutError:
            return await self._relay.unread(agent, method, path, 408)
        if body is None:
            return await self._relay.unread(agent, method, path, 413)
        kept = {name.decode(): headers[name].decode("latin-1") for name in _HEADERS if name in headers}
        return await self._relay.call(agent, Request(method, path, query, kept, body), "rest")


def away() -> Answer:
    """The answer while the gateway's own database is away, so that nobody knows whose call it is."""
    answer = answer_problem(problems.Unavailable(), os.urandom(16).hex())
    return Answer(answer.status, answer.body, answer.media_type, answer.headers)


def is_agents(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request comes with a credential of an agent."""
    for name, value in headers:
        if name == b"authorization":
            given = read_bearer(value.decode("latin-1"))
            return given is not None and given.startswith(AGENTS)
    return False


async def read_body(receive: Receive, declared: bytes) -> bytes | None:
    """A request's body, or None where it is too large; raises Gone."""
    if declared.isdigit() and int(declared) > BODY_MOST:
        return None
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        piece = message.get("body", b"")
        size += len(piece)
        if size > BODY_MOST:
            return None
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


async def send_answer(send: Send, method: str, answer: Answer) -> None:
    """Send an answer; to HEAD without its body."""
    headers = list(_ALWAYS)
    if answer.media_type:
        headers.append((b"content-type", answer.media_type.encode()))
    if answer.status != 204:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    headers += [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})
