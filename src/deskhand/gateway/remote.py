"""A remote help desk behind the gateway: Help Scout itself, or another Deskhand.

It knows nothing of agents. So the gateway looks up where things lie, narrows requests and checks answers, all as
narrowing.py has it; what it asks on its own account takes units like any other call.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from contextlib import AsyncExitStack
from http import HTTPStatus
from types import TracebackType
from typing import Any

import msgspec

from deskhand.catalogue.operation import AnyOperation, ListOf, Of, One
from deskhand.db.engine import Database
from deskhand.gateway import narrowing, remote_http
from deskhand.gateway.agents import Agent
from deskhand.gateway.budget import Budget
from deskhand.gateway.calls import Answer, Request
from deskhand.gateway.connections import CHANGED, Connections
from deskhand.gateway.narrowing import How
from deskhand.gateway.policy import Decision, Found
from deskhand.gateway.remote_calls import retry_after
from deskhand.gateway.remote_line import CALLS_MOST, Line
from deskhand.gateway.remote_look_ups import LookUps, gather
from deskhand.gateway.upstream import Foreign, Unanswerable, UpstreamDown
from deskhand.lib.clock import Clock
from deskhand.lib.outbound import Whole
from deskhand.lib.sealing import Sealer

_TOO_MANY_CUSTOMERS = "These are too many customers to put together: name one inbox with mailbox"
_CUSTOMERS_A_PAGE = 50
_MERGED_FROM = ("get_conversation", "get_conversation_v3")
_OF_CONVERSATION = re.compile(r"/v[23]/conversations/(\d+)(?:/|$)")
_PATH = re.compile(r"/v[23](?:/(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~-]|%(?!2[EeFf]|5[Cc]|00)[0-9A-Fa-f]{2})+)+")
_LOCATION = re.compile(r"/v[23]/[A-Za-z0-9/_.~?=&%-]{1,500}")
_JSON = re.compile(r"application/(?:[\w.-]+\+)?json(?: *; *charset=\"?utf-8\"?)?", re.IGNORECASE)

Json = dict[str, Any]


class Remotes:
    """All remote desks, over one pool of connections; use it as `async with`.

    `default` is the connection of agents that name none, where no desk is in this process.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sealer: Sealer,
        budget: Budget | None = None,
        *,
        default: int | None = None,
        total_s: float = remote_http.TOTAL_S,
        connect_s: float = remote_http.CONNECT_S,
    ) -> None:
        self._pool = remote_http.pool(total_s, connect_s)
        self.connections = Connections(database, clock, sealer, self._pool)
        self._default = default
        self._known: dict[tuple[int, int], Remote] = {}
        self._opened: list[Remote] = []
        self._versions, self._version = database.versions, 0
        self._open = AsyncExitStack()

        def line(account_id: int, connection_id: int) -> Line:
            return Line(database, clock, sealer, self._pool, budget, total_s, account_id, connection_id)

        self._line = line

    async def __aenter__(self) -> Remotes:
        await self._open.enter_async_context(self._pool)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        for remote in self._opened:
            await remote.close()
        await self._open.aclose()

    def of(self, agent: Agent) -> Remote:
        """The desk that an agent works on."""
        id = agent.connection_id if agent.connection_id is not None else self._default
        assert id is not None, "the agent works on the desk here"
        if self._version != self._versions[CHANGED]:  # an id may mean another one now
            self._version = self._versions[CHANGED]
            self._known.clear()
        key = agent.account_id, id
        if key not in self._known:
            self._known[key] = Remote(self._line(*key))
            self._opened.append(self._known[key])
        return self._known[key]


class Remote:
    """The upstream of agents that work on one remote desk."""

    looks_up_freely = False
    """A look-up takes a unit, so what no decision depends on should not be looked up."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._look_ups = LookUps(line)

    @property
    def base_url(self) -> str:
        """What its links begin with; known once it has answered."""
        return self._line.base_url

    @property
    def look_ups(self) -> int:
        """How many requests the gateway made on its own account, since it was started."""
        return self._line.look_ups

    async def close(self) -> None:
        """End what goes on in the background."""
        await self._line.close()

    async def look_up(self, agent: Agent, wanted: Set[Of]) -> Mapping[Of, Found | None]:
        """What each object is; None for one that does not exist or is not shown. Raises UpstreamDown."""
        return await self._line.in_time(self._look_ups.find(agent, wanted))

    async def inbox_names(self, account_id: int) -> Mapping[int, str]:
        """The names of the desk's inboxes, a minute old at most."""
        return await self._look_ups.inbox_names()

    def left(self, account_id: int) -> tuple[int, int]:
        """The account's units a minute and what is left of them, as last heard; (0, 0) where there is no limit."""
        return self._line.left(account_id)

    def refusal(self, operation: AnyOperation, decision: Decision) -> str | None:
        """Why an allowed call can't be answered honestly here, so that it can be refused before it is sent."""
        return narrowing.refusal(operation, decision.inboxes)

    async def is_outgoing(self, agent: Agent, conversation_id: int, thread_id: int) -> bool:
        """Whether a thread may be on its way to a customer; raises UpstreamDown."""
        path = f"/v2/conversations/{conversation_id}/threads"
        threads = await self._line.in_time(self._line.all_items(agent, path, "threads"))
        return any(one.get("id") == thread_id and narrowing.may_be_outgoing(one) for one in threads)

    async def send(self, agent: Agent, operation: AnyOperation, request: Request, decision: Decision) -> Answer:
        """Send a call that was allowed, narrowed to `decision.inboxes`.

        Raises UpstreamDown, Foreign where something turned out to lie elsewhere, and Unanswerable.
        """
        if _PATH.fullmatch(request.path) is None:
            raise UpstreamDown("its path is not one that is sent")
        if words := self.refusal(operation, decision):
            raise Unanswerable(words)
        call = _Call(self._line, self._look_ups, agent, operation, request, decision)
        return await self._line.in_time(call.answer())


class _Call:
    """One call on its way to the desk and back."""

    def __init__(
        self,
        line: Line,
        look_ups: LookUps,
        agent: Agent,
        operation: AnyOperation,
        request: Request,
        decision: Decision,
    ) -> None:
        self._line = line
        self._look_ups = look_ups
        self._agent = agent
        self._operation = operation
        self._request = request
        self._decision = decision
        self._raw = operation.returns.raw if isinstance(operation.returns, One) else ""

    async def answer(self) -> Answer:
        inboxes = self._decision.inboxes
        match narrowing.how(self._operation, inboxes):
            case How.NARROWED if inboxes is not None:
                return await self._narrowed(inboxes)
            case How.COUNTED if inboxes is not None:
                return await self._counted(inboxes)
            case How.GATHERED if inboxes is not None:
                return await self._gathered(inboxes)
        answer = await self._sent(self._request.query)
        if inboxes is not None:
            await self._require_own(answer, inboxes)
        return self._passed_on(answer)

    async def _narrowed(self, inboxes: Set[int]) -> Answer:
        answer = await self._sent(narrowing.narrowed(self._operation, self._request.query, inboxes))
        if answer.status != 200 or self._operation.name != "list_conversations":
            return self._passed_on(answer)
        content = remote_http.decoded(answer, Json)
        return self._written(narrowing.checked_conversations(content, inboxes, self._url(), self._request.query))

    async def _counted(self, inboxes: Set[int]) -> Answer:
        assert isinstance(self._operation.returns, ListOf)
        key, asked = self._operation.returns.key, self._request
        query = narrowing.with_parameters(asked.query, {"page": "1"})
        first = await self._sent(query)
        if first.status != 200:
            return self._passed_on(first)
        items, size = await self._line.rest(self._agent, first, asked.path, query, key)
        kept = narrowing.kept_of(self._operation, items, inboxes)
        return self._written(narrowing.counted(kept, key, size, self._url(), asked.query))

    async def _gathered(self, inboxes: Set[int]) -> Answer:
        """Customers do not say in which inboxes they are, and can be asked for by one inbox at a time."""
        query = self._request.query
        named = narrowing.named_inbox(query, "mailbox")
        if named is not None and named not in inboxes:
            raise Foreign
        asked = sorted(inboxes) if named is None else [named]
        if len(asked) > 1:
            lists, size = await self._customers_of_each(asked)
            items = narrowing.gathered(lists, query)
            return self._written(narrowing.counted(items, "customers", size, self._url(), query))
        answer = await self._sent(narrowing.with_parameters(query, {"mailbox": str(asked[0])}))
        if answer.status != 200:
            return self._passed_on(answer)
        content = remote_http.decoded(answer, Json)
        items = narrowing.items_of(content, "customers")
        size, total, _ = narrowing.pages_of(content)
        return self._written(narrowing.listed(items, total, "customers", size, self._url(), query))

    async def _customers_of_each(self, inboxes: Sequence[int]) -> tuple[list[list[Json]], int]:
        """The customers of each inbox, and how many a page has; raises Unanswerable where that takes too many calls."""
        if len(inboxes) > CALLS_MOST:
            raise Unanswerable(_TOO_MANY_CUSTOMERS)
        agent, path = self._agent, self._request.path
        queries = [
            narrowing.with_parameters(self._request.query, {"mailbox": str(one), "page": "1"}) for one in inboxes
        ]

        def asking(query: str) -> Callable[[], Awaitable[Whole]]:
            return lambda: self._line.look(agent, path, query)

        # The call itself has been given the units of the first.
        answers = [await self._sent(queries[0]), *await gather([asking(one) for one in queries[1:]])]
        # An inbox that the desk does not show has nobody in it.
        shown = [(one, answer) for one, answer in zip(queries, answers, strict=True) if answer.status == 200]
        pages = [narrowing.pages_of(remote_http.decoded(answer, Json)) for _, answer in shown]
        if sum(one[2] for one in pages) > CALLS_MOST:
            raise Unanswerable(_TOO_MANY_CUSTOMERS)
        lists = [(await self._line.rest(agent, answer, path, one, "customers"))[0] for one, answer in shown]
        return lists, pages[0][0] if pages else _CUSTOMERS_A_PAGE

    async def _require_own(self, answer: Whole, inboxes: Set[int]) -> None:
        """Raises Foreign where what was answered does not lie in one of these inboxes, or no longer."""
        manner = narrowing.how(self._operation, inboxes)
        if manner is How.CHECKED and answer.status == 301:
            await self._require_conversation(self._line.moved_to(answer)[1], inboxes)
        elif manner is How.CHECKED and answer.status == 200:
            narrowing.require_own(self._operation, remote_http.decoded(answer, Any), inboxes)
        elif manner is How.CONFIRMED and answer.status == 200:
            named = _OF_CONVERSATION.match(self._request.path)
            await self._require_conversation(int(named[1]) if named else 0, inboxes)

    async def _require_conversation(self, id: int, inboxes: Set[int]) -> None:
        found = await self._look_ups.conversation(self._agent, id)
        if found is None or not found.inboxes <= inboxes:
            raise Foreign

    async def _sent(self, query: str) -> Whole:
        """The desk's answer to the call, whose units it has been given."""
        wants = self._request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip().lower()
        accept = self._raw if self._raw and wants == self._raw else "application/json"
        request = Request(self._request.method, self._request.path, query, body=self._request.body)
        may_move = self._operation.name in _MERGED_FROM
        return await self._line.ask(request, accept, may_move=may_move)

    # -- What the agent is answered

    def _url(self) -> str:
        return self._line.base_url + self._request.path

    def _written(self, content: Any) -> Answer:
        """JSON, without what the agent may not know."""
        decision = self._decision
        tidied = narrowing.tidied(self._operation, content, decision.hide, self._agent.grants, decision.inboxes)
        return Answer(200, msgspec.json.encode(tidied), self._operation.returns.media_type)

    def _passed_on(self, answer: Whole) -> Answer:
        """The desk's answer, with those headers alone that clients need; raises UpstreamDown where it is no JSON."""
        decision = self._decision
        if answer.status == 200 and narrowing.needs_tidying(
            self._operation, decision.hide, self._agent.grants, decision.inboxes
        ):
            return self._written(remote_http.decoded(answer, Any))
        if answer.status >= 400:
            return _refusal(answer)
        headers = self._headers(answer)
        if not answer.body or answer.status != 200:
            return Answer(answer.status, headers=headers)
        given = answer.headers.get("content-type", "")
        if self._raw and given.partition(";")[0].strip().lower() == self._raw:
            return Answer(200, answer.body, self._raw, headers)
        remote_http.decoded(answer, msgspec.Raw)
        media_type = given if _JSON.fullmatch(given) else self._operation.returns.media_type
        return Answer(200, answer.body, media_type, headers)

    def _headers(self, answer: Whole) -> tuple[tuple[str, str], ...]:
        headers = []
        id, url = answer.headers.get("resource-id", ""), answer.headers.get("location", "")
        if id.isascii() and id.isdigit():
            headers.append(("Resource-ID", id))
        if answer.status == 301:
            version, survivor = self._line.moved_to(answer)
            headers.append(("Location", f"{self._line.base_url}/{version}/conversations/{survivor}"))
        elif (rest := self._line.below(url)) is not None and _LOCATION.fullmatch(rest):
            headers.append(("Location", self._line.base_url + rest))
        return tuple(headers)


def _refusal(answer: Whole) -> Answer:
    """A refusal of the desk in its own words, unless these are no JSON: then something before it has spoken."""
    if answer.status == 429:
        wait = str(int(retry_after(answer)))
        body = msgspec.json.encode({"message": "API rate limit exceeded"})
        return Answer(429, body, "application/json", (("X-RateLimit-Retry-After", wait), ("Retry-After", wait)))
    given = answer.headers.get("content-type", "")
    try:
        remote_http.decoded(answer, msgspec.Raw)
        return Answer(answer.status, answer.body, given if _JSON.fullmatch(given) else "application/json")
    except UpstreamDown:
        known = [one for one in HTTPStatus if one == answer.status]
        words = known[0].phrase if known else f"Status {answer.status}"
        return Answer(answer.status, msgspec.json.encode({"message": words}), "application/json")
