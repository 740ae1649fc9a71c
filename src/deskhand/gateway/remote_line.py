"""The line to one remote desk: its requests and look-ups with the units they take, and where its links lead."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import Any, TypeVar

from deskhand.db.engine import Database
from deskhand.gateway import connections, narrowing, remote_http
from deskhand.gateway.agents import Agent
from deskhand.gateway.budget import Budget, OverBudget
from deskhand.gateway.calls import Request
from deskhand.gateway.connections import Connection
from deskhand.gateway.remote_access import Access
from deskhand.gateway.remote_calls import Calls, retry_after
from deskhand.gateway.remote_health import Health
from deskhand.gateway.upstream import Unanswerable, UpstreamDown
from deskhand.lib.clock import Clock
from deskhand.lib.outbound import Outbound, Whole
from deskhand.lib.sealing import Sealer

CALLS_MOST = 20
"""Requests that one call of an agent may become."""

T = TypeVar("T")

_CONVERSATION = re.compile(r"/(v[23])/conversations/(\d{1,19})(?:\?.*)?")


class Line:
    """Opened by its first request; `base_url` is what the desk's links begin with, `look_ups` how many it took."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sealer: Sealer,
        outbound: Outbound,
        budget: Budget | None,
        total_s: float,
        account_id: int,
        connection_id: int,
    ) -> None:
        self.base_url = ""
        self.look_ups = 0
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._outbound = outbound
        self._budget = budget
        self._total_s = total_s
        self._account_id = account_id
        self._id = connection_id
        self._calls: Calls | None = None
        self._bases: tuple[str, ...] = ()
        self._health = Health(database, clock, account_id, connection_id)

    async def close(self) -> None:
        """Let what is being noted be noted."""
        await self._health.close()

    def left(self, account_id: int) -> tuple[int, int]:
        """The account's units a minute and what is left of them, as last heard; (0, 0) where there is no limit."""
        return (self._calls.limit, self._calls.remaining) if self._calls is not None else (0, 0)

    async def in_time(self, work: Awaitable[T]) -> T:
        """All that one call becomes, in the time that a single request may take; raises UpstreamDown."""
        try:
            async with asyncio.timeout(self._total_s):
                return await work
        except TimeoutError as problem:
            words = f"it did not answer all that had to be asked within {self._total_s:g} s"
            self._health.ended(words)
            raise UpstreamDown(words, slow=True) from problem

    async def ask(self, request: Request, accept: str = "application/json", *, may_move: bool = False) -> Whole:
        """The answer to a request whose units were given; raises UpstreamDown."""
        calls = self._calls or self._opened(await self._stored())
        try:
            answer = await calls.ask(
                request.method, request.path, request.query, request.body, accept, may_move=may_move
            )
        except UpstreamDown as problem:
            self._health.ended(str(problem))
            raise
        self._health.ended(None)
        return answer

    async def look(self, agent: Agent | None, path: str, query: str = "") -> Whole:
        """The answer to a request of the gateway's own, whose unit comes out of the agent's share.

        When the desk asks for a pause it is made once more, as soon as the budget lets it. Raises UpstreamDown, also
        where there is no unit left.
        """
        request = Request("GET", path, query)
        answer = await self._look(agent, request)
        if answer.status == 429 and agent is not None and self._budget is not None:
            self._budget.told(agent, self, retry_after(answer))
            answer = await self._look(agent, request)
        if answer.status == 429:
            wait = int(retry_after(answer))
            raise UpstreamDown("the account's units of this minute are used up", retry_after_s=wait)
        return answer

    async def _look(self, agent: Agent | None, request: Request) -> Whole:
        self.look_ups += 1
        if self._budget is None or agent is None:
            return await self.ask(request, may_move=True)
        try:
            spent = await self._budget.admit(agent, self, 1, look_up=True)
        except OverBudget as problem:
            raise UpstreamDown(problem.words, retry_after_s=problem.retry_after_s) from problem
        unused = False
        try:
            answer = await self.ask(request, may_move=True)
            unused = answer.status == 429
            return answer
        finally:
            self._budget.ended(spent, unused=unused)

    async def all_items(self, agent: Agent | None, path: str, key: str) -> list[dict[str, Any]]:
        """All items of a list; none where the desk does not show it. Raises UpstreamDown."""
        answer = await self.look(agent, path)
        if answer.status != 200:
            return []
        try:
            return (await self.rest(agent, answer, path, "", key))[0]
        except Unanswerable as problem:
            raise UpstreamDown(str(problem)) from problem

    async def rest(
        self, agent: Agent | None, first: Whole, path: str, query: str, key: str
    ) -> tuple[list[dict[str, Any]], int]:
        """All items of a list whose first page is there, each once, and how many a page has; raises Unanswerable."""
        content = remote_http.decoded(first, dict[str, Any])
        items = narrowing.items_of(content, key)
        size, _, pages = narrowing.pages_of(content)
        if pages > CALLS_MOST:
            raise Unanswerable(f"There are more than {CALLS_MOST * size} {key}, too many to tell your own apart")
        for number in range(2, pages + 1):
            answer = await self.look(agent, path, narrowing.with_parameters(query, {"page": str(number)}))
            if answer.status != 200:
                raise UpstreamDown(f"it answered {answer.status} to page {number} of its {key}")
            items = items + narrowing.items_of(remote_http.decoded(answer, dict[str, Any]), key)
        return list({one.get("id"): one for one in items}.values()), size

    def below(self, url: str) -> str | None:
        """The part of a URL of this desk after its base; None for one of another."""
        for base in self._bases:
            if url.startswith(base + "/"):
                return url[len(base) :]
        return url if url.startswith("/") and not url.startswith("//") else None

    def moved_to(self, answer: Whole) -> tuple[str, int]:
        """The version and the id of the conversation that a merged one leads to; raises UpstreamDown for all else."""
        rest = self.below(answer.headers.get("location", ""))
        found = _CONVERSATION.fullmatch(rest) if rest is not None else None
        if found is None:
            raise UpstreamDown("it redirects to somewhere else, which is not followed")
        return found[1], int(found[2])

    async def _stored(self) -> Connection:
        row = await self._database.read(lambda db: connections.by_id(db, self._account_id, self._id))
        if row is None:
            raise UpstreamDown("its connection was removed")
        return row

    def _opened(self, row: Connection) -> Calls:
        if self._calls is None:
            access = Access(self._database, self._clock, self._sealer, self._outbound, row)
            self.base_url = row.link_base
            self._bases = (row.link_base, row.base_url)
            self._calls = Calls(self._outbound, row.base_url, access, self._total_s)
        return self._calls
