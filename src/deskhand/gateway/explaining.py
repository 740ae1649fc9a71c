"""Tells beforehand what would become of a call, which rule decides, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from deskhand.catalogue.matching import Matcher
from deskhand.gateway import policy, reading, refusals
from deskhand.gateway.agents import Agent
from deskhand.gateway.answers import ASK_PATH
from deskhand.gateway.calls import Request
from deskhand.gateway.judging import Judging
from deskhand.gateway.policy import Decision
from deskhand.gateway.upstream import UpstreamDown
from deskhand.lib.clock import Clock


class Explaining:
    """Explains decisions. Nothing is sent or logged."""

    def __init__(self, matcher: Matcher, judging: Judging, clock: Clock) -> None:
        self._matcher = matcher
        self._judging = judging
        self._clock = clock

    async def explain(
        self, agent: Agent, method: str, path: str, query: Mapping[str, Any] | None, body: Any
    ) -> dict[str, Any]:
        """What would become of a call, which rule decides and what would change it."""
        request = Request(
            method, path, urlencode(query or {}, doseq=True),
            {"content-type": "application/json"}, b"" if body is None else msgspec.json.encode(body),
        )  # fmt: skip
        try:
            asked = reading.read(self._matcher, request)
        except reading.Unknown:
            if method in ("GET", "HEAD") and ASK_PATH.fullmatch(path):
                asks = Decision("allowed", "granted", "an agent may ask about its own calls that wait")
                return _explained(await self._judging.halted(agent) or asks) | {"operation": "read_approval"}
            return _explained(refusals.UNKNOWN)
        except reading.Unclean as unclean:
            return _explained(refusals.unclean(unclean.problem))
        try:
            judged = await self._judging.judge(agent, asked)
        except UpstreamDown as down:
            return _explained(refusals.unasked(down))
        told = policy.told(agent.grants, asked, judged.found, self._clock.now())
        return _explained(judged.decision, told) | {"operation": asked.operation.name}


def _explained(decision: Decision, told: policy.Explained | None = None) -> dict[str, Any]:
    return {
        "decision": decision.outcome,
        "reason": decision.reason,
        "rule": decision.rule,
        "message": policy.message(decision) if decision.outcome == "refused" else None,
        "path": decision.path,
        "needs": [] if told is None else msgspec.to_builtins(told.needs),
        "would_need": decision.missing or (None if told is None else told.would_need),
        "operation": None,
    }
