"""The one path that every call of an agent takes, by whatever door it came: understood, decided, logged, sent, logged.

Nothing is sent before its audit record is committed, and what is sent is written anew from the call as it was
understood, never the bytes that came in.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from deskhand.catalogue import problems
from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.needs import SENDS_MAIL
from deskhand.catalogue.operation import Action, AnyOperation, Asked, Extent, Need, Of
from deskhand.catalogue.problems import Problem
from deskhand.db.engine import Conflict, Duplicate, Unavailable
from deskhand.gateway import answers, policy, reading, sentences
from deskhand.gateway.agents import Agent, Agents
from deskhand.gateway.approvals import ASK_PATH, Approvals, Go, arguments_hash
from deskhand.gateway.audit import Audit, AuditUnavailable, Entry, Named
from deskhand.gateway.budget import Budget, OverBudget, Spent
from deskhand.gateway.calls import Answer, Door, Request
from deskhand.gateway.credentials import REMEMBER_S
from deskhand.gateway.drafts import Drafts
from deskhand.gateway.policy import EVERYWHERE, Decision, Found, Grants
from deskhand.gateway.remembering import Remembering, Repeated, Turn, read_key, resource_id
from deskhand.gateway.stops import Stop, Stops, stopped
from deskhand.gateway.upstream import Foreign, Outgoing, Unanswerable, Upstream, UpstreamDown
from deskhand.lib.canonical import canonical_hash
from deskhand.lib.clock import Clock

log = logging.getLogger("deskhand.gateway")

Worded = Callable[[Problem], Answer]
"""How the API words a problem."""
_LARGE = 256 * 1024
_UNREAD: dict[int, Problem] = {413: problems.TooLarge(), 414: problems.UriTooLong()}
_ACTIONS = {Action.READ: "read", Action.WRITE: "write", Action.DELETE: "delete"}
_LEVELS = {Action.READ: "read", Action.WRITE: "write", Action.DELETE: "full"}
_PASSED_BACK = frozenset({"resource-id", "location", "web-location", "correlation-id", "retry-after"})
"""Headers of the desk's answer that go on to the agent; those about units are the gateway's own."""
_OUTGOING = policy.refusal(
    "missing_grant",
    "it is on its way to a customer, and that takes the right to reply",
    missing={"action": SENDS_MAIL},
)
"""The refusal of a change to a thread that goes out as it is then."""


class Judged(msgspec.Struct, frozen=True):
    """A call with what was found out about it, and what was decided."""

    agent: Agent
    door: Door
    asked: Asked
    needs: tuple[Need, ...]
    found: Mapping[Of, Found | None]
    decision: Decision

    @property
    def conversation_id(self) -> int | None:
        """The conversation that the path names."""
        return _conversation_of(self.asked.operation, self.asked.path)

    @property
    def conversation(self) -> Found | None:
        """What was found of it."""
        id = self.conversation_id
        return None if id is None else self.found.get(Of("conversation", id))

    @property
    def mark(self) -> str:
        """How the conversations stand that the call is about; it changes when somebody writes or decides there."""
        ids = {need.place.id for need in self.needs if isinstance(need.place, Of) and need.place.kind == "conversation"}
        stand = {id: found.mark for id in ids if (found := self.found.get(Of("conversation", id))) is not None}
        return stand[next(iter(ids))] if len(ids) == len(stand) == 1 else _together(stand)

    @property
    def inboxes(self) -> list[int]:
        """The inboxes that the call is about, as far as that is known; of a customer's those that the agent sees."""
        named: set[int] = set()
        for need in self.needs:
            place = need.place
            if isinstance(place, int):
                named.add(place)
            elif isinstance(place, Of) and (there := self.found.get(place)) is not None:
                seen = self.decision.inboxes if place.kind == "customer" else None
                named |= there.inboxes if seen is None else there.inboxes & seen
        return sorted(named - {EVERYWHERE})

    @property
    def shown_inboxes(self) -> list[int]:
        """The inboxes that an entry tells of: those that the call is about, or else those that it is narrowed to."""
        return self.inboxes or sorted(self.decision.inboxes or ())

    @property
    def touched(self) -> frozenset[int] | None:
        """The inboxes in which the call would change something; None: it can't be told, so it may be any."""
        named: set[int] = set()
        for need in self.decision.needs or self.needs:
            place = need.place
            if isinstance(place, int):
                named.add(place)
            elif isinstance(place, Of):
                there = self.found.get(place)
                if there is None or not there.inboxes or EVERYWHERE in there.inboxes | there.into:
                    return None
                named |= there.inboxes | there.into
            elif place is Extent.EVERY and need.unless is None:
                return None
        return frozenset(named)


class _Thread(msgspec.Struct):
    id: int
    type: str
    state: str
    body: str = ""


class _Embedded(msgspec.Struct):
    threads: list[_Thread]


class _Threads(msgspec.Struct):
    """What matters here of a list of threads."""

    embedded: _Embedded = msgspec.field(name="_embedded")


class _Done(NamedTuple):
    """A call that was sent. `known`: whether it is known what came of it."""

    answer: Answer
    number: int
    known: bool


class _Halted(Exception):
    """What was allowed a moment ago must not be sent any more."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.rule)
        self.decision = decision


class Relay:
    """Takes agents' calls to the desk behind the gateway."""

    def __init__(
        self,
        operations: Sequence[AnyOperation],
        upstream_of: Callable[[Agent], Upstream],
        agents: Agents,
        stops: Stops,
        audit: Audit,
        budget: Budget,
        approvals: Approvals,
        remembering: Remembering,
        drafts: Drafts,
        clock: Clock,
        base_url: str,
        worded: Worded,
    ) -> None:
        self._matcher = Matcher(operations)
        self._upstream_of = upstream_of
        self._agents = agents
        self._stops = stops
        self._audit = audit
        self._budget = budget
        self._approvals = approvals
        self._remembering = remembering
        self._drafts = drafts
        self._clock = clock
        self._base_url = base_url
        self._worded = worded

    async def call(self, agent: Agent, request: Request, door: Door) -> Answer:
        """Carry out a call, or refuse it, or keep it for a person. Whatever becomes of it is logged."""
        started = time.perf_counter()
        try:
            try:
                asked = await self._read(request)
            except reading.Unknown:
                return await self._unknown(agent, request.method, request.path, door, started)
            except reading.Unclean as unclean:
                answer = self._worded(unclean.problem)
                return await self._unread(agent, request, door, _unclean(unclean.problem), answer, started, unclean)
            return await self._asked(agent, asked, request, door, started)
        except AuditUnavailable:
            return _audit_unavailable()
        except (Unavailable, Conflict, Duplicate) as problem:
            log.warning("%s", problem)
            return _audit_unavailable()
        except Exception:
            log.exception("an agent's call failed")
            return self._worded(Problem())

    async def unknown(self, agent: Agent, name: str, door: Door) -> Answer:
        """Refuse a tool that does not exist."""
        try:
            return await self._unknown(agent, "tool", name, door, time.perf_counter())
        except AuditUnavailable:
            return _audit_unavailable()

    async def unclean(self, agent: Agent, method: str, path: str, problem: Problem, door: Door) -> Answer:
        """Refuse a call that can't be made of what was given for it."""
        answer = self._worded(problem)
        try:
            return await self._unread(
                agent, Request(method, path), door, _unclean(problem), answer, time.perf_counter()
            )
        except AuditUnavailable:
            return _audit_unavailable()

    async def unread(self, agent: Agent, method: str, path: str, status: int, door: Door = "rest") -> Answer:
        """Refuse a request that was not read to its end: too large (413, 414) or too slow (408)."""
        problem = _UNREAD.get(status)
        answer = self._worded(problem) if problem else answers.error(408, "The request took too long", "too_slow")
        request = Request(method, path)
        try:
            why = "it took too long" if status == 408 else "it is too large"
            return await self._unread(agent, request, door, why, answer, time.perf_counter())
        except AuditUnavailable:
            return _audit_unavailable()

    async def approval(self, agent: Agent, id: int, door: Door = "rest") -> Answer:
        """How a held call of this agent stands; an unknown one and another agent's are answered alike."""
        started = time.perf_counter()
        try:
            halted = _halted(agent, await self._stops.of(agent.account_id))
            state = None if halted else await self._approvals.shown_to_agent(agent, id)
            decision = halted or Decision("allowed", "granted", "")
            entry = Entry(
                account_id=agent.account_id, agent=Named(agent.id, agent.name), door=door, decision=decision.outcome,
                reason=decision.reason, rule=decision.rule, operation="read_approval",
                sentence=sentences.sentence(
                    agent.name, f"read the state of approval {id}", decision.outcome, decision.rule
                ),
                grant_version=agent.grants.version,
            )  # fmt: skip
            if halted:
                answer = _refusal(halted)
            else:
                answer = answers.plain(200, msgspec.to_builtins(state)) if state else self._worded(problems.NotFound())
            return await self._logged(entry, agent, answer, started)
        except AuditUnavailable:
            return _audit_unavailable()
        except (Unavailable, Conflict) as problem:
            log.warning("%s", problem)
            return _audit_unavailable()

    async def explain(
        self, agent: Agent, method: str, path: str, query: Mapping[str, Any] | None, body: Any
    ) -> dict[str, Any]:
        """What would become of a call, which rule decides and what would change it. Nothing is sent or logged."""
        request = Request(
            method, path, urlencode(query or {}, doseq=True),
            {"content-type": "application/json"}, b"" if body is None else msgspec.json.encode(body),
        )  # fmt: skip
        try:
            asked = reading.read(self._matcher, request)
        except reading.Unknown:
            if method in ("GET", "HEAD") and ASK_PATH.fullmatch(path):
                asks = Decision("allowed", "granted", "an agent may ask about its own calls that wait")
                halted = _halted(agent, await self._stops.of(agent.account_id))
                return _explained(halted or asks) | {"operation": "read_approval"}
            return _explained(policy.refusal("unknown_operation", "it is no operation of the desk"))
        except reading.Unclean as unclean:
            return _explained(policy.refusal("unclean", _unclean(unclean.problem)))
        try:
            judged = await self.judge(agent, asked)
        except UpstreamDown as down:
            return _explained(policy.refusal("upstream", f"the help desk could not be asked: {down}"))
        told = policy.told(agent.grants, asked, judged.found, self._clock.now())
        return _explained(judged.decision, told) | {"operation": asked.operation.name}

    # -- From the call as it was understood to its answer

    async def _read(self, request: Request) -> Asked:
        if len(request.body) > _LARGE:  # enough to hold up other calls
            return await asyncio.to_thread(reading.read, self._matcher, request)
        return reading.read(self._matcher, request)

    async def judge(self, agent: Agent, asked: Asked, door: Door = "rest", *, looks: bool = False) -> Judged:
        """Decide about a call without carrying it out; raises UpstreamDown.

        `looks`: where things lie and how they stand is to be known, also where the decision does not depend on it.
        """
        needs = asked.operation.needs(asked)
        upstream, stops = self._upstream_of(agent), await self._stops.of(agent.account_id)
        writes = asked.operation.method != "GET"
        halted = _halted(agent, stops, writes)
        looks = looks or is_scoped(agent.grants, needs) or (writes and _by_inbox(stops))
        found: Mapping[Of, Found | None] = {}
        decision = halted or (None if looks else self._decide(agent, asked, found))
        if upstream.looks_up_freely or decision is None or (not halted and decision.outcome != "allowed"):
            found = await upstream.look_up(agent, policy.wanted(asked))
            decision = halted or self._decide(agent, asked, found)
        judged = Judged(agent, door, asked, needs, found, decision)
        if decision.outcome == "allowed" and (words := upstream.refusal(asked.operation, decision)):
            judged = _decided(judged, policy.refusal("unanswerable", words, needs=needs))
        if "outgoing" in decision.hide and await upstream.is_outgoing(agent, *asked.path[:2]):
            judged = _decided(judged, msgspec.structs.replace(_OUTGOING, needs=needs))
        if judged.decision.outcome == "refused":  # whatever lies elsewhere, stopped or not, is refused alike
            return judged
        stop = _halted(agent, stops, writes, judged.touched)
        return judged if stop is None else _decided(judged, stop)

    def _decide(self, agent: Agent, asked: Asked, found: Mapping[Of, Found | None]) -> Decision:
        return policy.decide(agent.grants, asked, found, self._clock.now())

    async def _asked(self, agent: Agent, asked: Asked, request: Request, door: Door, started: float) -> Answer:
        try:
            judged = await self.judge(agent, asked, door)
        except UpstreamDown as down:
            why = policy.refusal("upstream", f"the help desk could not be asked: {down}")
            return await self._refuse(Judged(agent, door, asked, (), {}, why), _down(down), started)
        match judged.decision.outcome:
            case "refused":
                return await self._refuse(judged, _refusal(judged.decision), started)
            case "held":
                return await self._hold(judged, request, started)
        return await self._send(judged, request, started)

    async def _send(self, judged: Judged, request: Request, started: float) -> Answer:
        """Carry out an allowed call, unless it came before."""
        asked = policy.drafted(judged.asked) if judged.decision.draft else judged.asked
        hashed = arguments_hash(asked)
        turn = await self._begin(judged, asked, hashed, request, started)
        if isinstance(turn, Answer):
            return turn
        try:
            done = await self._carry_out(
                judged, asked, request, await self._entry(judged, hashed, asked), since=started
            )
        except OverBudget as over:
            await self._remembering.dropped(turn)
            return await self._refuse(_decided(judged, policy.refusal("budget", over.words)), _over(over), started)
        except _Halted as halted:
            await self._remembering.dropped(turn)
            return await self._refuse(_decided(judged, halted.decision), _refusal(halted.decision), started)
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
            return await self._refuse(_decided(judged, why), answer, started)
        except Problem as problem:
            why = policy.refusal("unclean", _unclean(problem))
            return await self._refuse(_decided(judged, why), self._worded(problem), started)
        if isinstance(found, Answer):
            again = _decided(judged, msgspec.structs.replace(judged.decision, reason="replayed"))
            return await self._logged(await self._entry(again, hashed, asked), agent, found, started)
        return found

    async def release(self, agent: Agent, asked: Asked, approval_id: int, door: Door, go: Go) -> Answer:
        """Carry out a call that a person let go: see `approvals.Release`."""
        judged = await self.judge(agent, asked, door, looks=True)
        if judged.decision.draft:
            asked = policy.drafted(asked)
        hashed = arguments_hash(asked)
        turn = await self._remembering.released(agent, asked.operation, hashed)
        try:
            await go(judged.decision, judged.mark)
            released = _decided(judged, msgspec.structs.replace(judged.decision, outcome="allowed", reason="approved"))
            entry = await self._entry(released, hashed, asked, approval_id=approval_id)
            done = await self._carry_out(released, asked, Request(asked.operation.method, ""), entry)
        except (Problem, OverBudget, AuditUnavailable):  # it was not sent
            await self._remembering.dropped(turn)
            raise
        if done.known:
            await self._remembering.ended(turn, done.answer, done.number)
        return done.answer

    async def _carry_out(
        self, judged: Judged, asked: Asked, request: Request, entry: Entry, since: float | None = None
    ) -> _Done:
        """Log, send, log. Raises OverBudget, AuditUnavailable and _Halted, when nothing was sent.

        `since` is when the agent began the call; None: a person lets it go now.
        """
        started = time.perf_counter()
        agent, upstream = judged.agent, self._upstream_of(judged.agent)
        spent = await self._budget.admit(agent, upstream, asked.operation.cost)
        try:
            await self._look_again(judged, since)
            number = await self._audit.decided(entry)
        except BaseException:
            self._budget.ended(spent, unused=True)
            raise
        answer, known = await self._exchange(judged, asked, request, upstream, spent, since)
        await self._note_draft(judged, asked, answer)
        await self._audit.completed(
            agent.account_id, number, answer.status, _milliseconds(started), resource_id(answer)
        )
        return _Done(answers.marked(answer, "allowed", number, self._rate(agent)), number, known)

    async def _look_again(self, judged: Judged, since: float | None) -> None:
        """Whoever had to wait is looked at again, for what ends an agent's access counts within a second.

        Raises _Halted; OverBudget where something else is different, so that the agent asks again.
        """
        if since is None or time.perf_counter() - since < REMEMBER_S:
            return
        agent = await self._agents.still(judged.agent)
        if agent is None or agent.grants.version != judged.agent.grants.version:
            raise OverBudget(1, "What this agent may do was changed while the call waited; try again")
        writes, stops = judged.asked.operation.method != "GET", await self._stops.of(agent.account_id)
        if (decision := _halted(agent, stops, writes, judged.touched)) is not None:
            raise _Halted(decision)

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
                    return _over(OverBudget(math.ceil(_retry_after(answer)), words)), True
            if answer.status >= 500:  # it says so itself, so nothing was done
                return _down(UpstreamDown(f"it answered {answer.status}")), True
            if answer.status in (403, 404) and (foreign := await self._now_foreign(judged)):
                return foreign, True
        except Foreign:
            return _refusal(_foreign(judged)), True
        except Outgoing:
            return _refusal(_OUTGOING), True
        except Unanswerable as unanswerable:
            return _refusal(policy.refusal("unanswerable", str(unanswerable))), True
        except UpstreamDown as down:
            return _down(down), bool(down.retry_after_s)
        except OverBudget as over:
            return _over(over), True
        except _Halted as halted:
            return _refusal(halted.decision), True
        finally:
            self._budget.ended(spent)
        return self._ours(answer, upstream), True

    async def _now_foreign(self, judged: Judged) -> Answer | None:
        """The refusal of a call whose object left the granted inboxes while it was under way."""
        if not is_scoped(judged.agent.grants, judged.needs):
            return None
        again = await self.judge(judged.agent, judged.asked, judged.door)
        return _refusal(again.decision) if again.decision.outcome == "refused" else None

    def _ours(self, answer: Answer, upstream: Upstream) -> Answer:
        """The answer with links that lead here, and without what is between the gateway and the desk only."""
        headers = [(name, value) for name, value in answer.headers if name.lower() in _PASSED_BACK]
        body = answer.body
        if upstream.base_url != self._base_url:
            headers = [
                (name, value.replace(upstream.base_url, self._base_url, 1) if name.lower() == "location" else value)
                for name, value in headers
            ]
            body = relinked(body, upstream.base_url, self._base_url)
        return Answer(answer.status, body, answer.media_type, tuple(headers))

    async def _note_draft(self, judged: Judged, asked: Asked, answer: Answer) -> None:
        """Remember a reply that stayed a draft, to tell later who sent it and what they changed."""
        made, agent = resource_id(answer), judged.agent
        if answer.status != 201 or made is None:
            return
        if asked.operation.name == "reply_to_conversation" and asked.body.draft:
            await self._drafts.note(agent, asked.path[0], made, asked.body.text)
        elif asked.operation.name == "create_conversation" and any(one.draft for one in asked.body.threads):
            for thread_id, text in await self._drafts_in(judged, made):
                await self._drafts.note(agent, made, thread_id, text)

    async def _drafts_in(self, judged: Judged, conversation: int) -> list[tuple[int, str]]:
        """The replies in a new conversation that stayed drafts; only the desk here tells later what became of them."""
        upstream = self._upstream_of(judged.agent)
        if not upstream.looks_up_freely:
            return []
        listing = reading.read(self._matcher, Request("GET", f"/v2/conversations/{conversation}/threads"))
        try:
            answer = await upstream.send(judged.agent, listing.operation, reading.written(listing), judged.decision)
            threads = msgspec.json.decode(answer.body, type=_Threads).embedded.threads if answer.status == 200 else []
        except (UpstreamDown, msgspec.MsgspecError) as problem:
            log.warning("drafts in conversation %d could not be noted: %s", conversation, problem)
            return []
        return [(one.id, one.body) for one in threads if (one.type, one.state) == ("message", "draft")]

    # -- Calls that are not sent

    async def _hold(self, judged: Judged, request: Request, started: float) -> Answer:
        """Keep a call until a person decides."""
        agent, asked = judged.agent, judged.asked
        hashed = arguments_hash(asked)
        turn = await self._begin(judged, asked, hashed, request, started, waits=True)
        if isinstance(turn, Answer):
            return turn
        entry = await self._entry(judged, hashed, asked)
        try:
            number = await self._audit.decided(entry)
            held = await self._approvals.hold(
                agent, asked, hashed, audit_number=number, inbox_id=entry.inbox_id,
                conversation_id=entry.conversation_id, mark=judged.mark, words=await self._words(judged),
                door=judged.door,
            )  # fmt: skip
        except (AuditUnavailable, Unavailable, Conflict):
            await self._remembering.dropped(turn)
            raise
        await self._audit.completed(agent.account_id, number, 202, _milliseconds(started), held.id)
        answer = answers.held(held.id, held.until)
        await self._remembering.ended(turn, answer, number)
        return answers.marked(answer, "held", number, self._rate(agent))

    async def _refuse(self, judged: Judged, answer: Answer, started: float) -> Answer:
        entry = await self._entry(judged, arguments_hash(judged.asked), judged.asked)
        return await self._logged(entry, judged.agent, answer, started)

    async def _unknown(self, agent: Agent, method: str, path: str, door: Door, started: float) -> Answer:
        decision = policy.refusal("unknown_operation", "it is no operation of the desk")
        entry = Entry(
            account_id=agent.account_id, agent=Named(agent.id, agent.name), door=door, decision="refused",
            reason=decision.reason, rule=decision.rule, sentence=sentences.unknown(agent.name, method, path),
            method=method, path=path, grant_version=agent.grants.version,
        )  # fmt: skip
        return await self._logged(entry, agent, _refusal(decision), started)

    async def _unread(
        self, agent: Agent, request: Request, door: Door, why: str, answer: Answer, started: float,
        known: reading.Unclean | None = None,
    ) -> Answer:  # fmt: skip
        """Refuse what was not understood; of some it is `known` which operation it is."""
        operation, path = (None, ()) if known is None else (known.operation, known.path)
        does = sentences.one_line(f"call {request.method} {request.path}")
        if operation is not None:
            does = sentences.phrase(operation, path)
        entry = Entry(
            account_id=agent.account_id, agent=Named(agent.id, agent.name), door=door, decision="refused",
            reason="unclean", rule=why, sentence=sentences.sentence(agent.name, does, "refused", why),
            operation=operation.name if operation else None,
            resource=operation.resource.key if operation else None,
            action=_ACTIONS[operation.action] if operation else None,
            method=request.method, path=request.path, conversation_id=_conversation_of(operation, path),
            grant_version=agent.grants.version,
        )  # fmt: skip
        return await self._logged(entry, agent, answer, started)

    async def _logged(self, entry: Entry, agent: Agent, answer: Answer, started: float) -> Answer:
        """An answer of the gateway's own, once it is in the log."""
        number = await self._audit.decided(entry)
        await self._audit.completed(entry.account_id, number, answer.status, _milliseconds(started))
        return answers.marked(answer, entry.decision, number, self._rate(agent))

    async def _entry(self, judged: Judged, hashed: str, asked: Asked, *, approval_id: int | None = None) -> Entry:
        """What is logged of a call."""
        agent, decision, operation = judged.agent, judged.decision, asked.operation
        inboxes, conversation = judged.shown_inboxes, judged.conversation
        places = await self._places(judged)
        return Entry(
            account_id=agent.account_id,
            agent=Named(agent.id, agent.name),
            door=judged.door,
            decision=decision.outcome,
            reason=decision.reason,
            rule=decision.rule,
            sentence=sentences.sentence(
                agent.name,
                _does(judged, places),
                decision.outcome,
                decision.rule,
                inboxes=places,
                draft=decision.draft,
                again=decision.reason == "replayed",
            ),
            operation=operation.name,
            resource=operation.resource.key,
            action=_ACTIONS[operation.action],
            method=operation.method,
            path=reading.path_of(asked),
            inbox_id=inboxes[0] if len(inboxes) == 1 else None,
            conversation_id=judged.conversation_id,
            conversation_number=conversation.number if conversation else None,
            grant_version=agent.grants.version,
            arguments_hash=hashed,
            approval_id=approval_id,
            arguments=reading.readable(asked) if self._audit.keeps_arguments else None,
        )

    async def _words(self, judged: Judged) -> str:
        """What a call does, as the log says it."""
        return _does(judged, await self._places(judged))

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

    def _rate(self, agent: Agent) -> tuple[tuple[str, str], ...]:
        left = self._budget.left(agent, self._upstream_of(agent))
        return (("X-RateLimit-Limit-Minute", str(left.limit)), ("X-RateLimit-Remaining-Minute", str(left.remaining)))


def relinked(body: bytes, there: str, here: str) -> bytes:
    """A JSON body whose links lead here instead of there; texts that mention the other place stay as they are."""
    links = rb'("href"\s*:\s*")' + re.escape(there.encode()) + rb'(?=[/"?#{])'  # not of a host with a longer name
    return re.sub(links, lambda found: found[1] + here.encode(), body)


def _halted(
    agent: Agent, stops: Iterable[Stop], writes: bool = False, inboxes: frozenset[int] | None = frozenset()
) -> Decision | None:
    """What the kill switch or a pause say to a call that touches these inboxes, or (None) any."""
    stop = stopped(stops, agent.id, writes, inboxes)
    if stop is not None:
        return policy.refusal("stopped", f"the kill switch ({stop.scope.replace('_', ' ')}) is on")
    return policy.refusal("paused", "it is paused") if agent.state == "paused" else None


def _by_inbox(stops: Iterable[Stop]) -> bool:
    return any(one.scope == "inbox_writes" for one in stops)


def is_scoped(grants: Grants, needs: Sequence[Need]) -> bool:
    """Whether where things lie can matter to a decision: an inbox does, or what a workflow would do."""
    for need in needs:
        granted = grants.resources.get(need.resource)
        if need.place is not Extent.NONE and granted is not None and granted.inboxes is not None:
            return True
    return any(need.operation == "run_workflow" for need in needs)


def _conversation_of(operation: AnyOperation | None, path: Sequence[int]) -> int | None:
    return path[0] if operation is not None and path and "{conversation_id}" in operation.path else None


def _unclean(problem: Problem) -> str:
    return f"it could not be read: {problem}"


def _together(marks: Mapping[int | str, str]) -> str:
    """One mark of several conversations."""
    return canonical_hash({str(id): mark for id, mark in marks.items()})[:32] if marks else ""


def _decided(judged: Judged, decision: Decision) -> Judged:
    return msgspec.structs.replace(judged, decision=decision)


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


def _does(judged: Judged, places: Sequence[str]) -> str:
    asked, conversation = judged.asked, judged.conversation
    number = conversation.number if conversation else None
    return sentences.phrase(asked.operation, asked.path, asked.slug, number=number, inbox=places[0] if places else None)


def _foreign(judged: Judged) -> Decision:
    """The refusal of something that turned out to lie elsewhere: the same as if it had been known before."""
    first = judged.needs[0]
    missing = {"resource": first.resource.key, "level": _LEVELS[first.action]}
    return policy.refusal("missing_grant", "it lies in an inbox that is not granted", missing=missing, elsewhere=True)


def _refusal(decision: Decision) -> Answer:
    """What an agent hears of a refusal: what is missing, never whether something exists."""
    return answers.error(403, policy.message(decision), decision.reason, missing=decision.missing, path=decision.path)


def _audit_unavailable() -> Answer:
    text = "The call was not sent because it could not be logged; try again in a moment"
    return answers.error(503, text, "audit_unavailable", (("Retry-After", "2"), ("Deskhand-Decision", "refused")))


def _down(down: UpstreamDown) -> Answer:
    if down.retry_after_s:
        return _over(OverBudget(down.retry_after_s, str(down)))
    return answers.error(
        504 if down.slow else 502, f"The help desk behind the gateway gave no usable answer: {down}", "upstream"
    )


def _over(over: OverBudget) -> Answer:
    wait = str(over.retry_after_s)
    text = f"{over.words[:1].upper()}{over.words[1:]}; try again in {wait} second{'s' if wait != '1' else ''}"
    return answers.error(429, text, "budget", (("X-RateLimit-Retry-After", wait), ("Retry-After", wait)))


def _retry_after(answer: Answer) -> float:
    given = {name.lower(): value for name, value in answer.headers}
    found = given.get("x-ratelimit-retry-after") or given.get("retry-after") or ""
    return float(found) if found.isascii() and found.isdigit() else 1.0


def _milliseconds(started: float) -> float:
    return (time.perf_counter() - started) * 1000
