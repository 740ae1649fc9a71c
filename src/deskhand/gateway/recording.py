"""Logs calls when they are decided and when they end, and marks answers with where that is logged."""

from __future__ import annotations

import time

from deskhand.catalogue.operation import Asked
from deskhand.gateway import answers, entries
from deskhand.gateway.agents import Agent
from deskhand.gateway.audit import Audit, Entry
from deskhand.gateway.budget import Budget
from deskhand.gateway.calls import Answer
from deskhand.gateway.judged import Judged
from deskhand.gateway.policy import Outcome
from deskhand.gateway.upstream import UpstreamDown, UpstreamOf


class Recording:
    """The log of calls, as the relay writes it."""

    def __init__(self, audit: Audit, budget: Budget, upstream_of: UpstreamOf) -> None:
        self._audit = audit
        self._budget = budget
        self._upstream_of = upstream_of

    async def entry(self, judged: Judged, asked: Asked, hashed: str, *, approval_id: int | None = None) -> Entry:
        """What is to be logged of a call of which `asked` is sent."""
        return entries.of_call(
            judged, asked, hashed, await self._places(judged),
            approval_id=approval_id, with_arguments=self._audit.keeps_arguments,
        )  # fmt: skip

    async def words(self, judged: Judged) -> str:
        """What a call does, as the log says it."""
        return entries.words(judged, await self._places(judged))

    async def decided(self, entry: Entry) -> int:
        """Log what was decided about a call; gives the entry's number. Raises AuditUnavailable."""
        return await self._audit.decided(entry)

    async def ended(
        self, agent: Agent, outcome: Outcome, number: int, answer: Answer, started: float, made: int | None = None
    ) -> Answer:
        """Log how a call ended, and mark its answer; `made` is the id of what it made."""
        milliseconds = (time.perf_counter() - started) * 1000
        await self._audit.completed(agent.account_id, number, answer.status, milliseconds, made)
        left = self._budget.left(agent, self._upstream_of(agent))
        rate = (
            ("X-RateLimit-Limit-Minute", str(left.limit)), ("X-RateLimit-Remaining-Minute", str(left.remaining)),
        )  # fmt: skip
        return answers.marked(answer, outcome, number, rate)

    async def answered(self, agent: Agent, entry: Entry, answer: Answer, started: float) -> Answer:
        """An answer of the gateway's own, once it is in the log. Raises AuditUnavailable."""
        number = await self.decided(entry)
        return await self.ended(agent, entry.decision, number, answer, started)

    async def _places(self, judged: Judged) -> list[str]:
        """The names of the inboxes that a call is about, or that it is narrowed to.

        They are asked for after each look-up, whatever it found: else it took longer where something lies elsewhere.
        """
        agent, shown = judged.agent, judged.shown_inboxes
        if not (judged.found or shown):
            return []
        try:
            names = await self._upstream_of(agent).inbox_names(agent.account_id)
        except UpstreamDown:
            names = {}
        return [names.get(id, f"inbox {id}") for id in shown]
