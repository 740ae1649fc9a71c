"""Decides about agents' calls: looks up what has to be known of them, asks the policy, and heeds the kill switch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from deskhand.catalogue.operation import Asked, Extent, Need, Of
from deskhand.gateway import policy, refusals
from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Door
from deskhand.gateway.judged import Judged, writes
from deskhand.gateway.policy import Decision, Found, Grants
from deskhand.gateway.stops import Stop, Stops, stopped
from deskhand.gateway.upstream import UpstreamOf
from deskhand.lib.clock import Clock


class Judging:
    """Decides about calls, of this moment's grants and stops."""

    def __init__(self, upstream_of: UpstreamOf, stops: Stops, clock: Clock) -> None:
        self._upstream_of = upstream_of
        self._stops = stops
        self._clock = clock

    async def judge(self, agent: Agent, asked: Asked, door: Door = "rest", *, looks: bool = False) -> Judged:
        """Decide about a call without carrying it out; raises UpstreamDown.

        `looks`: where things lie and how they stand is to be known, also where the decision does not depend on it.
        """
        needs = asked.operation.needs(asked)
        upstream, stops = self._upstream_of(agent), await self._stops.of(agent.account_id)
        writing = writes(asked.operation)
        halted = _halted(stops, agent, writing)
        looks = looks or is_scoped(agent.grants, needs) or (writing and _by_inbox(stops))
        found: Mapping[Of, Found | None] = {}
        decision = halted or (None if looks else self._decide(agent, asked, found))
        if upstream.looks_up_freely or decision is None or (not halted and decision.outcome != "allowed"):
            found = await upstream.look_up(agent, policy.wanted(asked))
            decision = halted or self._decide(agent, asked, found)
        judged = Judged(agent, door, asked, needs, found, decision)
        if decision.outcome == "allowed" and (words := upstream.refusal(asked.operation, decision)):
            judged = judged.decided(policy.refusal("unanswerable", words, needs=needs))
        if "outgoing" in decision.hide and await upstream.is_outgoing(agent, *asked.path[:2]):
            judged = judged.decided(msgspec.structs.replace(refusals.OUTGOING, needs=needs))
        if judged.decision.outcome == "refused":  # whatever lies elsewhere, stopped or not, is refused alike
            return judged
        stop = _halted(stops, agent, writing, judged.touched)
        return judged if stop is None else judged.decided(stop)

    async def halted(
        self, agent: Agent, writes: bool = False, inboxes: frozenset[int] | None = frozenset()
    ) -> Decision | None:
        """What the kill switch or a pause say to a call that touches these inboxes, or (None) any."""
        return _halted(await self._stops.of(agent.account_id), agent, writes, inboxes)

    def _decide(self, agent: Agent, asked: Asked, found: Mapping[Of, Found | None]) -> Decision:
        return policy.decide(agent.grants, asked, found, self._clock.now())


def is_scoped(grants: Grants, needs: Sequence[Need]) -> bool:
    """Whether where things lie can matter to a decision: an inbox does, or what a workflow would do."""
    for need in needs:
        granted = grants.resources.get(need.resource)
        if need.place is not Extent.NONE and granted is not None and granted.inboxes is not None:
            return True
    return any(need.operation == "run_workflow" for need in needs)


def _halted(
    stops: Iterable[Stop], agent: Agent, writes: bool, inboxes: frozenset[int] | None = frozenset()
) -> Decision | None:
    stop = stopped(stops, agent.id, writes, inboxes)
    if stop is not None:
        return policy.refusal("stopped", f"the kill switch ({stop.scope.replace('_', ' ')}) is on")
    return policy.refusal("paused", "it is paused") if agent.state == "paused" else None


def _by_inbox(stops: Iterable[Stop]) -> bool:
    return any(one.scope == "inbox_writes" for one in stops)
