"""Sends calls that were allowed: within the budget, once they are in the log, and with an answer whatever goes wrong.

What is sent is written anew from the call as it was understood, never the bytes that came in.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from deskhand.catalogue.operation import Asked
from deskhand.gateway import answers, policy, reading, refusals
from deskhand.gateway.agents import Agents
from deskhand.gateway.audit import Entry
from deskhand.gateway.budget import Budget, OverBudget, Spent
from deskhand.gateway.calls import Answer, Request
from deskhand.gateway.credentials import REMEMBER_S
from deskhand.gateway.judged import Judged
from deskhand.gateway.judging import Judging, is_scoped
from deskhand.gateway.noting import Noting
from deskhand.gateway.passing_back import passed_back
from deskhand.gateway.policy import Decision
from deskhand.gateway.recording import Recording
from deskhand.gateway.remembering import resource_id
from deskhand.gateway.upstream import Foreign, Outgoing, Unanswerable, Upstream, UpstreamDown, UpstreamOf


class Done(NamedTuple):
    """A call that was sent, by its entry's number. `known`: whether it is known what came of it."""

    answer: Answer
    number: int
    known: bool


class Halted(Exception):
    """What was allowed a moment ago must not be sent any more."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.rule)
        self.decision = decision


class Sending:
    """Sends calls; `base_url` is the gateway's own, where links in answers lead."""

    def __init__(
        self,
        upstream_of: UpstreamOf,
        agents: Agents,
        judging: Judging,
        budget: Budget,
        recording: Recording,
        noting: Noting,
        base_url: str,
    ) -> None:
        self._upstream_of = upstream_of
        self._agents = agents
        self._judging = judging
        self._budget = budget
        self._recording = recording
        self._noting = noting
        self._base_url = base_url

    async def send(
        self, judged: Judged, asked: Asked, request: Request, entry: Entry, since: float | None = None
    ) -> Done:
        """Log, send, log. Raises OverBudget, AuditUnavailable and Halted, when nothing was sent.

        `since` is when the agent began the call; None: a person lets it go now.
        """
        started = time.perf_counter()
        agent, upstream = judged.agent, self._upstream_of(judged.agent)
        spent = await self._budget.admit(agent, upstream, asked.operation.cost)
        try:
            await self._look_again(judged, since)
            number = await self._recording.decided(entry)
        except BaseException:
            self._budget.ended(spent, unused=True)
            raise
        answer, known = await self._exchange(judged, asked, request, upstream, spent, since)
        await self._noting.note(judged, asked, answer)
        answer = await self._recording.ended(agent, "allowed", number, answer, started, resource_id(answer))
        return Done(answer, number, known)

    async def _look_again(self, judged: Judged, since: float | None) -> None:
        """Whoever had to wait is looked at again, for what ends an agent's access counts within a second.

        Raises Halted; OverBudget where something else is different, so that the agent asks again.
        """
        if since is None or time.perf_counter() - since < REMEMBER_S:
            return
        agent = await self._agents.still(judged.agent)
        if agent is None or agent.grants.version != judged.agent.grants.version:
            raise OverBudget(1, "What this agent may do was changed while the call waited; try again")
        if (decision := await self._judging.halted(agent, judged.writes, judged.touched)) is not None:
            raise Halted(decision)

    async def _exchange(
        self, judged: Judged, asked: Asked, request: Request, upstream: Upstream, spent: Spent, since: float | None
    ) -> tuple[Answer, bool]:
        """Send a call and take the answer; whatever goes wrong on the way is an answer too, of unknown outcome."""
        agent, written = judged.agent, reading.written(asked, request.headers.get("accept"))
        try:
            answer = await upstream.send(agent, asked.operation, written, judged.decision)
            if answer.status == 429:
                # Others used up the minute. Nothing was done, so the call may stand in line once more.
                self._budget.ended(spent, unused=True)
                self._budget.told(agent, upstream, _retry_after(answer))
                spent = await self._budget.admit(agent, upstream, asked.operation.cost)
                await self._look_again(judged, since)
                answer = await upstream.send(agent, asked.operation, written, judged.decision)
                if answer.status == 429:
                    words = "the help desk takes no more calls in this minute"
                    return answers.over_budget(OverBudget(math.ceil(_retry_after(answer)), words)), True
            if answer.status >= 500:  # it says so itself, so nothing was done
                return answers.down(UpstreamDown(f"it answered {answer.status}")), True
            if answer.status in (403, 404) and (foreign := await self._now_foreign(judged)):
                return foreign, True
        except Foreign:
            return answers.refusal(refusals.foreign(judged.needs)), True
        except Outgoing:
            return answers.refusal(refusals.OUTGOING), True
        except Unanswerable as unanswerable:
            return answers.refusal(policy.refusal("unanswerable", str(unanswerable))), True
        except UpstreamDown as down:
            return answers.down(down), bool(down.retry_after_s)
        except OverBudget as over:
            return answers.over_budget(over), True
        except Halted as halted:
            return answers.refusal(halted.decision), True
        finally:
            self._budget.ended(spent)
        return passed_back(answer, upstream.base_url, self._base_url), True

    async def _now_foreign(self, judged: Judged) -> Answer | None:
        """The refusal of a call whose object left the granted inboxes while it was under way."""
        if not is_scoped(judged.agent.grants, judged.needs):
            return None
        again = await self._judging.judge(judged.agent, judged.asked, judged.door)
        return answers.refusal(again.decision) if again.decision.outcome == "refused" else None


def _retry_after(answer: Answer) -> float:
    given = {name.lower(): value for name, value in answer.headers}
    found = given.get("x-ratelimit-retry-after") or given.get("retry-after") or ""
    return float(found) if found.isascii() and found.isdigit() else 1.0
