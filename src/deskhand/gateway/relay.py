"""The one path that every call of an agent takes, by whatever door it came: understood, decided, logged, sent, logged.

Nothing is sent before its audit record is committed. Judging decides, recording logs, sending sends; here is in which
order, and what becomes of calls that are not sent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import msgspec

from deskhand.catalogue import problems
from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operation import Asked
from deskhand.catalogue.problems import Problem
from deskhand.db.engine import Conflict, Duplicate, Unavailable
from deskhand.gateway import answers, entries, policy, reading, refusals
from deskhand.gateway.agents import Agent
from deskhand.gateway.approvals import Approvals, Go
from deskhand.gateway.audit import AuditUnavailable
from deskhand.gateway.budget import OverBudget
from deskhand.gateway.calls import Answer, Door, Request
from deskhand.gateway.judged import Judged
from deskhand.gateway.judging import Judging
from deskhand.gateway.policy import Decision
from deskhand.gateway.reading import arguments_hash
from deskhand.gateway.recording import Recording
from deskhand.gateway.remembering import Remembering, Repeated, Turn, read_key
from deskhand.gateway.sending import Halted, Sending
from deskhand.gateway.upstream import UpstreamDown

log = logging.getLogger("deskhand.gateway")

Worded = Callable[[Problem], Answer]
"""How the API words a problem."""
_LARGE = 256 * 1024
_UNREAD: dict[int, Problem] = {413: problems.TooLarge(), 414: problems.UriTooLong()}


class Relay:
    """Takes agents' calls to the desk behind the gateway."""

    def __init__(
        self,
        matcher: Matcher,
        judging: Judging,
        recording: Recording,
        sending: Sending,
        approvals: Approvals,
        remembering: Remembering,
        worded: Worded,
    ) -> None:
        self._matcher = matcher
        self._judging = judging
        self._recording = recording
        self._sending = sending
        self._approvals = approvals
        self._remembering = remembering
        self._worded = worded

    async def call(self, agent: Agent, request: Request, door: Door) -> Answer:
        """Carry out a call, or refuse it, or keep it for a person. Whatever becomes of it is logged."""
        try:
            return await _if_logged(self._call(agent, request, door, time.perf_counter()))
        except Exception:
            log.exception("an agent's call failed")
            return self._worded(Problem())

    async def unknown(self, agent: Agent, name: str, door: Door) -> Answer:
        """Refuse a tool that does not exist."""
        return await _if_logged(self._unknown(agent, "tool", name, door, time.perf_counter()))

    async def unclean(self, agent: Agent, method: str, path: str, problem: Problem, door: Door) -> Answer:
        """Refuse a call that can't be made of what was given for it."""
        request, why, answer = Request(method, path), refusals.unclean(problem), self._worded(problem)
        return await _if_logged(self._unread(agent, request, door, why, answer, time.perf_counter()))

    async def unread(self, agent: Agent, method: str, path: str, status: int, door: Door = "rest") -> Answer:
        """Refuse a request that was not read to its end: too large (413, 414) or too slow (408)."""
        problem = _UNREAD.get(status)
        answer = self._worded(problem) if problem else answers.error(408, "The request took too long", "too_slow")
        why = policy.refusal("unclean", "it took too long" if status == 408 else "it is too large")
        return await _if_logged(self._unread(agent, Request(method, path), door, why, answer, time.perf_counter()))

    async def approval(self, agent: Agent, id: int, door: Door = "rest") -> Answer:
        """How a held call of this agent stands; an unknown one and another agent's are answered alike."""
        return await _if_logged(self._approval(agent, id, door, time.perf_counter()))

    async def release(self, agent: Agent, asked: Asked, approval_id: int, door: Door, go: Go) -> Answer:
        """Carry out a call that a person let go: see `approvals.Release`."""
        judged = await self._judging.judge(agent, asked, door, looks=True)
        if judged.decision.draft:
            asked = policy.drafted(asked)
        hashed = arguments_hash(asked)
        turn = await self._remembering.released(agent, asked.operation, hashed)
        try:
            await go(judged.decision, judged.mark)
            released = judged.decided(msgspec.structs.replace(judged.decision, outcome="allowed", reason="approved"))
            entry = await self._recording.entry(released, asked, hashed, approval_id=approval_id)
            done = await self._sending.send(released, asked, Request(asked.operation.method, ""), entry)
        except (Problem, OverBudget, AuditUnavailable):  # it was not sent
            await self._remembering.dropped(turn)
            raise
        if done.known:
            await self._remembering.ended(turn, done.answer, done.number)
        return done.answer

    # -- From a request to its answer

    async def _call(self, agent: Agent, request: Request, door: Door, started: float) -> Answer:
        try:
            asked = await self._read(request)
        except reading.Unknown:
            return await self._unknown(agent, request.method, request.path, door, started)
        except reading.Unclean as unclean:
            why, answer = refusals.unclean(unclean.problem), self._worded(unclean.problem)
            return await self._unread(agent, request, door, why, answer, started, unclean)
        try:
            judged = await self._judging.judge(agent, asked, door)
        except UpstreamDown as down:
            unasked = Judged(agent, door, asked, (), {}, refusals.unasked(down))
            return await self._refuse(unasked, answers.down(down), started)
        match judged.decision.outcome:
            case "refused":
                return await self._refuse(judged, answers.refusal(judged.decision), started)
            case "held":
                return await self._hold(judged, request, started)
        return await self._send(judged, request, started)

    async def _read(self, request: Request) -> Asked:
        if len(request.body) > _LARGE:  # enough to hold up other calls
            return await asyncio.to_thread(reading.read, self._matcher, request)
        return reading.read(self._matcher, request)

    async def _send(self, judged: Judged, request: Request, started: float) -> Answer:
        """Carry out an allowed call, unless it came before."""
        asked = policy.drafted(judged.asked) if judged.decision.draft else judged.asked
        hashed = arguments_hash(asked)
        turn = await self._begin(judged, asked, hashed, request, started)
        if isinstance(turn, Answer):
            return turn
        try:
            entry = await self._recording.entry(judged, asked, hashed)
            done = await self._sending.send(judged, asked, request, entry, since=started)
        except OverBudget as over:
            await self._remembering.dropped(turn)
            refused = judged.decided(policy.refusal("budget", over.words))
            return await self._refuse(refused, answers.over_budget(over), started)
        except Halted as halted:
            await self._remembering.dropped(turn)
            return await self._refuse(judged.decided(halted.decision), answers.refusal(halted.decision), started)
        except AuditUnavailable:
            await self._remembering.dropped(turn)
            raise
        if done.known:  # else it counts as under way, then as unknown: it must not be sent twice
            await self._remembering.ended(turn, done.answer, done.number)
        return done.answer

    async def _begin(
        self, judged: Judged, asked: Asked, hashed: str, request: Request, started: float, *, waits: bool = False
    ) -> Turn | Answer:
        """A turn for a call, or the answer to one that came before or has no usable key."""
        agent = judged.agent
        try:
            key = read_key(request.headers)
            found = await self._remembering.begin(agent, asked.operation, hashed, key, waits=waits)
        except Repeated as repeated:
            why = policy.refusal(repeated.reason, repeated.message[:1].lower() + repeated.message[1:])
            answer = answers.error(
                repeated.status, repeated.message, repeated.reason,
                audit_id=repeated.audit_id, resource_id=repeated.resource_id,
            )  # fmt: skip
            return await self._refuse(judged.decided(why), answer, started)
        except Problem as problem:
            return await self._refuse(judged.decided(refusals.unclean(problem)), self._worded(problem), started)
        if isinstance(found, Answer):
            again = judged.decided(msgspec.structs.replace(judged.decision, reason="replayed"))
            entry = await self._recording.entry(again, asked, hashed)
            return await self._recording.answered(agent, entry, found, started)
        return found

    # -- Calls that are not sent

    async def _hold(self, judged: Judged, request: Request, started: float) -> Answer:
        """Keep a call until a person decides."""
        agent, asked = judged.agent, judged.asked
        hashed = arguments_hash(asked)
        turn = await self._begin(judged, asked, hashed, request, started, waits=True)
        if isinstance(turn, Answer):
            return turn
        entry = await self._recording.entry(judged, asked, hashed)
        try:
            number = await self._recording.decided(entry)
            held = await self._approvals.hold(
                agent, asked, hashed, audit_number=number, inbox_id=entry.inbox_id,
                conversation_id=entry.conversation_id, mark=judged.mark, words=await self._recording.words(judged),
                door=judged.door,
            )  # fmt: skip
        except (AuditUnavailable, Unavailable, Conflict):
            await self._remembering.dropped(turn)
            raise
        answer = answers.held(held.id, held.until)
        marked = await self._recording.ended(agent, "held", number, answer, started, held.id)
        await self._remembering.ended(turn, answer, number)
        return marked

    async def _refuse(self, judged: Judged, answer: Answer, started: float) -> Answer:
        entry = await self._recording.entry(judged, judged.asked, arguments_hash(judged.asked))
        return await self._recording.answered(judged.agent, entry, answer, started)

    async def _unknown(self, agent: Agent, method: str, path: str, door: Door, started: float) -> Answer:
        entry = entries.of_unknown(agent, method, path, door, refusals.UNKNOWN)
        return await self._recording.answered(agent, entry, answers.refusal(refusals.UNKNOWN), started)

    async def _unread(
        self, agent: Agent, request: Request, door: Door, why: Decision, answer: Answer, started: float,
        known: reading.Unclean | None = None,
    ) -> Answer:  # fmt: skip
        entry = entries.of_unread(agent, request, door, why, known)
        return await self._recording.answered(agent, entry, answer, started)

    async def _approval(self, agent: Agent, id: int, door: Door, started: float) -> Answer:
        if halted := await self._judging.halted(agent):
            decision, answer = halted, answers.refusal(halted)
        else:
            state = await self._approvals.shown_to_agent(agent, id)
            decision = Decision("allowed", "granted", "")
            answer = answers.plain(200, msgspec.to_builtins(state)) if state else self._worded(problems.NotFound())
        entry = entries.of_question(agent, id, door, decision)
        return await self._recording.answered(agent, entry, answer, started)


async def _if_logged(work: Awaitable[Answer]) -> Answer:
    """The answer that comes of it, or that nothing was sent because it could not be logged."""
    try:
        return await work
    except AuditUnavailable:
        return answers.not_logged()
    except (Unavailable, Conflict, Duplicate) as problem:
        log.warning("%s", problem)
        return answers.not_logged()
