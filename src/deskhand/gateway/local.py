"""The help desk in this process: calls go straight to its ASGI application, with no network and no bytes on the way.

Whose call it is and what it is narrowed to stands in the ASGI scope, where no request from outside can write. The desk
reads it inside its transaction, so its lists, counts and searches are right whatever moves meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Set
from typing import Any, Protocol

from deskhand.catalogue.operation import AnyOperation, Of
from deskhand.db.engine import Unavailable
from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Answer, Request
from deskhand.gateway.policy import Decision, Found
from deskhand.gateway.upstream import Outgoing, UpstreamDown

AS_AGENT = "deskhand.agent"
"""The key of the scope under which the desk expects to find whose call it is."""
ANSWER_MOST = 30 * 1024 * 1024
"""Bytes of an answer; the largest there can be is an attachment of 10 MB as base64."""
ANSWER_WAIT_S = 30.0
"""How long the desk may take for an answer, as a remote one may."""
NAMES_S = 10.0
"""How long names of inboxes are remembered."""
UNLIMITED = 1_000_000
"""What the desk says where an account has no limit of units."""

_Message = MutableMapping[str, Any]
_Scope = MutableMapping[str, Any]
_App = Callable[[_Scope, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]], Awaitable[None]]
_CLIENT = ("127.0.0.1", 0)
_PASSED_ON = ("accept", "content-type")
_LEFT_OUT = (b"content-", b"access-control-")


class Placed(Protocol):
    """Where something lies, as the desk tells it; the fields of `Found`."""

    @property
    def inboxes(self) -> frozenset[int]: ...
    @property
    def number(self) -> int | None: ...
    @property
    def mark(self) -> str: ...
    @property
    def does(self) -> tuple[str, ...]: ...
    @property
    def into(self) -> frozenset[int]: ...


class Remaining(Protocol):
    """What is left of a minute's units."""

    @property
    def remaining(self) -> int: ...


class Local:
    """The upstream of agents that work on the desk here."""

    looks_up_freely = True

    def __init__(
        self,
        app: _App,
        base_url: str,
        *,
        as_agent: Callable[[int, int, frozenset[int] | None, frozenset[str]], object],
        look_up: Callable[[int, Set[Of]], Awaitable[Mapping[Of, Placed | None]]],
        inbox_names: Callable[[int], Awaitable[Mapping[int, str]]],
        limit: Callable[[int], Awaitable[int]],
        left: Callable[[int, int], Remaining],
        wait_s: float = ANSWER_WAIT_S,
    ) -> None:
        """`as_agent` makes what the desk expects in the scope, of account, user, inboxes and what is to be hidden.

        `limit` tells an account's units a minute (0: there is no limit), `left` what is left of so many.
        """
        self.base_url = base_url
        self._app = app
        self._as_agent = as_agent
        self._look_up = look_up
        self._inbox_names = inbox_names
        self._limit = limit
        self._left = left
        self._wait_s = wait_s
        self._names: dict[int, tuple[float, Mapping[int, str]]] = {}
        self._limits: dict[int, int] = {}

    async def look_up(self, agent: Agent, wanted: Set[Of]) -> Mapping[Of, Found | None]:
        """What each object is; None for one that does not exist. Raises UpstreamDown."""
        try:
            if agent.account_id not in self._limits:
                self._limits[agent.account_id] = await self._limit(agent.account_id)
            placed = await self._look_up(agent.account_id, wanted) if wanted else {}
        except Unavailable as problem:
            raise UpstreamDown(str(problem)) from None
        return {of: None if place is None else _found(place) for of, place in placed.items()}

    async def is_outgoing(self, agent: Agent, conversation_id: int, thread_id: int) -> bool:
        """Whether a thread is scheduled, or its mail is still to be sent; raises UpstreamDown."""
        of = Of("outgoing", thread_id)
        return (await self.look_up(agent, {of}))[of] is not None

    async def send(self, agent: Agent, operation: AnyOperation, request: Request, decision: Decision) -> Answer:
        """Send a call that was allowed; raises UpstreamDown without an answer, or when the desk knows no such agent."""
        if agent.user_id is None:
            raise UpstreamDown("the agent is nobody on the desk here")
        scope = _scope(request)
        scope[AS_AGENT] = self._as_agent(agent.account_id, agent.user_id, decision.inboxes, decision.hide)
        collected = _Collected()
        try:
            async with asyncio.timeout(self._wait_s):
                await self._app(scope, _Body(request.body).receive, collected.send)
        except TimeoutError:
            raise UpstreamDown("the desk took too long", slow=True) from None
        if not collected.status:
            raise UpstreamDown("the desk gave no answer")
        if not collected.whole:
            raise UpstreamDown("the desk's answer was cut off")
        if collected.status == 401:
            raise UpstreamDown("the agent is nobody on the desk here any more")
        if collected.status == 403 and "outgoing" in decision.hide:
            raise Outgoing
        answer = collected.answer()
        self._hear(agent.account_id, answer)
        return answer

    def refusal(self, operation: AnyOperation, decision: Decision) -> str | None:
        """Nothing: the desk here narrows everything."""
        return None

    async def inbox_names(self, account_id: int) -> Mapping[int, str]:
        """The names of the account's inboxes, a few seconds old at most."""
        known = self._names.get(account_id)
        now = time.monotonic()
        if known is None or known[0] <= now:
            known = self._names[account_id] = (now + NAMES_S, await self._inbox_names(account_id))
        return known[1]

    def left(self, account_id: int) -> tuple[int, int]:
        """The account's units a minute and what is left of them; (0, 0) where there is no limit."""
        limit = self._limits.get(account_id, 0)
        return (limit, self._left(account_id, limit).remaining) if limit else (0, 0)

    def _hear(self, account_id: int, answer: Answer) -> None:
        """Whoever changes the account's limit, its answers tell."""
        for name, value in answer.headers:
            if name == "x-ratelimit-limit-minute":
                limit = int(value)
                self._limits[account_id] = 0 if limit >= UNLIMITED else limit


def _found(place: Placed) -> Found:
    return Found(place.inboxes, place.number, place.mark, place.does, place.into)


def _scope(request: Request) -> _Scope:
    headers = [
        (name.encode(), request.headers[name].encode("latin-1")) for name in _PASSED_ON if name in request.headers
    ]
    if request.body:
        headers.append((b"content-length", str(len(request.body)).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "root_path": "",
        "headers": headers,
        "client": _CLIENT,
        "server": None,
    }


class _Body:
    """A request's body as the application receives it: all at once, and after it the end of the connection."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body

    async def receive(self) -> _Message:
        body, self._body = self._body, None
        return {"type": "http.disconnect"} if body is None else {"type": "http.request", "body": body}


class _Collected:
    """An answer put together from what the application sends."""

    def __init__(self) -> None:
        self.status = 0
        self.whole = False
        self._headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._size = 0

    async def send(self, message: _Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self._headers = message["status"], list(message["headers"])
            return
        self.whole = not message.get("more_body", False)
        if piece := message.get("body", b""):
            self._size += len(piece)
            if self._size > ANSWER_MOST:
                raise UpstreamDown("the desk's answer is too large")
            self._pieces.append(piece)

    def answer(self) -> Answer:
        """The whole answer. Its headers are those that tell of the call, not of the way to whoever asked."""
        headers = tuple(
            (name.decode(), value.decode("latin-1")) for name, value in self._headers if not name.startswith(_LEFT_OUT)
        )
        media_type = next((value.decode("latin-1") for name, value in self._headers if name == b"content-type"), "")
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        return Answer(self.status, body, media_type, headers)
