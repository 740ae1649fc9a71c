"""Calls that wait for a person: approved, approved with another text, denied, expired, or given back to the agent.

A held call is kept as it would be sent and is bound to the hash of its arguments. It is released once: whoever
approves first moves it from waiting to executing, and only from there it is sent. Before that it is decided again by
the agent's grants of that moment, and it goes back to the agent when the conversation has changed since it was held.

| from | to | when |
|---|---|---|
| waiting | executing → executed, failed | a person approves; the desk's answer tells which |
| waiting | denied | a person denies it and says why |
| waiting | returned | a person approves, but somebody wrote or decided something in the conversation |
| waiting | expired | nobody decided within its life |
| executing | waiting | nothing was done: no units of the minute were left, or the log could not be written |
| executing | failed | the gateway was killed meanwhile: the outcome is unknown, and it is never sent again |
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Set
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operation import Asked, Of
from deskhand.catalogue.problems import invalid
from deskhand.db.engine import Database, Reader, Writer
from deskhand.gateway import approval_rows, held_calls, sentences
from deskhand.gateway.agents import Agent
from deskhand.gateway.approval_rows import NewCall
from deskhand.gateway.audit import Audit, AuditUnavailable, By, Named
from deskhand.gateway.budget import OverBudget
from deskhand.gateway.calls import Answer, Door
from deskhand.gateway.held_calls import Changed, Held, HeldCall, NotReleased, Outcome, Progress, Shown, State
from deskhand.gateway.judged import Stands, standing
from deskhand.gateway.policy import Decision
from deskhand.gateway.reading import arguments_hash
from deskhand.gateway.remembering import Repeated, resource_id
from deskhand.gateway.upstream import UpstreamDown
from deskhand.lib.clock import Clock, to_wire

LIFE = timedelta(hours=24)
REASON_MOST = 1_000
PAGE_SIZE = 100
CHANGED = "the conversation changed since"

Go = Callable[[Decision, str], Awaitable[None]]
"""To be told what was decided about the call now and the conversation's mark; raises Problem if it must not be sent."""


Look = Callable[[Reader, int, Set[Of]], Mapping[Of, Stands | None]]
"""What conversations of the desk here are, by account."""


class Release(Protocol):
    """What the relay does about a call that a person lets go."""

    async def __call__(self, agent: Agent, asked: Asked, approval_id: int, door: Door, go: Go) -> Answer:
        """Decide about a call of the agent's as for any other, await `go`, then log it as allowed and send it.

        Once `go` has returned, OverBudget and AuditUnavailable mean that nothing was sent; troubles of the desk are
        answers. Before, UpstreamDown may be raised by look-ups.
        """
        ...


class Callers(Protocol):
    """Who knows the agents."""

    async def by_id(self, account_id: int, id: int) -> Agent | None:
        """An agent that was not deleted, with its grants of this moment."""
        ...


class Approvals:
    """Keeps calls until people decide. The relay puts what sends them into `release`."""

    release: Release

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: Audit,
        callers: Callers,
        matcher: Matcher,
        life: timedelta = LIFE,
        *,
        look: Look | None = None,
    ) -> None:
        """`look` is for the desk here, where there is one."""
        self._database = database
        self._clock = clock
        self._audit = audit
        self._callers = callers
        self._matcher = matcher
        self._life = life
        self._look = look

    # -- The agent's side

    async def hold(
        self,
        agent: Agent,
        asked: Asked,
        hashed: str,
        *,
        audit_number: int,
        inbox_id: int | None = None,
        conversation_id: int | None = None,
        mark: str = "",
        words: str = "",
        door: Door = "rest",
    ) -> Held:
        """Keep a call until a person decides; `words` say what it does, as the log does.

        While just the same call of the agent's waits already, and nothing changed in the conversation, it is that one.
        """
        now = self._clock.now()
        call = msgspec.json.encode(held_calls.keep(asked, words, door)).decode()
        new = NewCall(
            account_id=agent.account_id, agent_id=agent.id, operation=asked.operation.name, call=call,
            arguments_hash=hashed, grant_version=agent.grants.version, audit_number=audit_number, inbox_id=inbox_id,
            conversation_id=conversation_id, mark=mark, created_at=to_wire(now), expires_at=to_wire(now + self._life),
        )  # fmt: skip
        return await self._database.write(lambda tx: approval_rows.hold(tx, new))

    async def shown_to_agent(self, agent: Agent, id: int) -> Progress | None:
        """How a call of this agent's stands; None for an unknown one and for another agent's alike.

        While it is being sent it still counts as waiting.
        """
        await self._sweep(agent.account_id)
        found = await self._database.read(lambda db: approval_rows.progress(db, agent.account_id, agent.id, id))
        if found is None or found.state != "executing":
            return found
        return msgspec.structs.replace(found, state="waiting")

    # -- The people's side

    async def listed(
        self, account_id: int, state: State | None = None, before_id: int | None = None, most: int = PAGE_SIZE
    ) -> list[Shown]:
        """The newest approvals of an account, or of those in a state; `before_id` goes on behind the last one shown."""
        await self._sweep(account_id)
        found = await self._database.read(lambda db: approval_rows.newest(db, account_id, state, before_id, most))
        return [held_calls.shown(self._matcher, held) for held in found]

    async def one(self, account_id: int, id: int) -> Shown:
        """One approval; raises NotFound."""
        return held_calls.shown(self._matcher, await self._find(account_id, id))

    async def waiting(self, account_id: int) -> int:
        """How many calls wait for a decision."""
        await self._sweep(account_id)
        return await self._database.read(lambda db: approval_rows.count_waiting(db, account_id))

    async def changed(self, account_id: int, ids: Collection[int]) -> dict[int, Changed]:
        """Which of some calls would go back to their agents if somebody approved them now.

        Conversations of remote desks are not looked at: each look would take of the account's units there.
        """

        def compare(db: Reader) -> dict[int, Changed]:
            bound = [(one, held_calls.about(self._matcher, one)) for one in approval_rows.bound(db, account_id, ids)]
            wanted = frozenset(of for _, about in bound for of in about)
            found = self._look(db, account_id, wanted) if self._look and wanted else {}
            compared = ((one.id, held_calls.changed(one.mark, standing(about, found))) for one, about in bound if about)
            return {id: changed for id, changed in compared if changed}

        return await self._database.read(compare) if ids and self._look else {}

    async def approve(self, account_id: int, id: int, by: By, who: str, edited_text: str | None = None) -> Outcome:
        """Let a call go, once, perhaps with another text; `who` begins the sentence in the log.

        Raises NotFound, BadRequest for a text that can't be, and NotReleased when it was not sent: it is decided
        already, the conversation changed, the agent may not do it any more or said the same a moment ago, or the desk
        can't be asked.
        """
        held = held_calls.require_waiting(await self._find(account_id, id))
        asked = held_calls.read_again(self._matcher, held)
        if edited_text is not None:
            asked = held_calls.edited(self._matcher, held, asked, edited_text)
        caller = await self._callers.by_id(account_id, held.agent_id)
        if caller is None:
            raise NotReleased(409, f"{held.agent_name} was deleted, so this can't be sent for it any more", "waiting")
        claimed = False

        async def go(decision: Decision, mark: str) -> None:
            nonlocal claimed
            if held_calls.changed(held.mark, mark):
                await self._give_back(account_id, held, by, who)
            held_calls.require_the_same(held, asked, decision)
            await self._claim(account_id, held, by, who, asked, edited_text)
            claimed = True

        try:
            answer = await self.release(caller, asked, id, held.kept.door, go)
        except (OverBudget, AuditUnavailable) as problem:
            if claimed:
                await self._put_back(account_id, id)
            if isinstance(problem, OverBudget):
                raise
            raise NotReleased(503, "This was not sent because it could not be logged; try again", "waiting") from None
        except Repeated as repeated:
            held_calls.require_waiting(await self._find(account_id, id))  # somebody else may have let it go meanwhile
            raise NotReleased(409, repeated.message, "waiting") from None
        except UpstreamDown as down:
            status = 504 if down.slow else 502
            if not claimed:
                raise NotReleased(status, f"The help desk can't be asked at the moment: {down}", "waiting") from None
            return await self._end(account_id, id, status, f"the help desk gave no answer: {down}", None)
        return await self._answered(account_id, id, answer)

    async def deny(self, account_id: int, id: int, by: By, who: str, reason: str) -> None:
        """Refuse a call, with a reason that the agent is told; raises NotFound, BadRequest and NotReleased."""
        if not 1 <= len(reason.strip()) <= REASON_MOST or "\0" in reason:
            raise invalid("reason", f"must have 1 to {REASON_MOST} characters", "Size", reason)
        why, held = reason.strip(), held_calls.require_waiting(await self._find(account_id, id))

        def deny(tx: Writer) -> None:
            approval_rows.decide(tx, account_id, id, "denied", by, self._clock.now(), reason=why)
            what = f"{who} denied the request of {held.agent_name} to {held.kept.words}: {why}"
            self._log(tx, account_id, held, by, "denied", what, reason=why)

        await self._database.write(deny)

    # -- Parts of an approval

    async def _claim(
        self, account_id: int, held: HeldCall, by: By, who: str, asked: Asked, edited_text: str | None
    ) -> None:
        """Make this the one approval that counts, and log it."""
        hashed = arguments_hash(asked)

        def claim(tx: Writer) -> None:
            approval_rows.decide(tx, account_id, held.id, "executing", by, self._clock.now(), edited=edited_text)
            how = "" if edited_text is None else ", with another text"
            what = f"{who} approved the request of {held.agent_name} to {held.kept.words}{how}"
            self._log(tx, account_id, held, by, "approved", what, sent_hash=hashed, edited=edited_text is not None)

        await self._database.write(claim)

    async def _give_back(self, account_id: int, held: HeldCall, by: By, who: str) -> None:
        def give_back(tx: Writer) -> None:
            approval_rows.decide(tx, account_id, held.id, "returned", by, self._clock.now(), reason=CHANGED)
            what = (
                f"{who} approved the request of {held.agent_name} to {held.kept.words}, "
                "but it went back because the conversation had changed since"
            )
            self._log(tx, account_id, held, by, "returned", what)

        await self._database.write(give_back)
        text = "The conversation changed since this call was held, so it was not sent and went back to the agent"
        raise NotReleased(409, text, "returned")

    def _log(
        self, tx: Writer, account_id: int, held: HeldCall, by: By, event: str, what: str, **particulars: Any
    ) -> None:
        about = {
            "event": f"approval_{event}", "approval_id": held.id, "audit_id": held.audit_number,
            "operation": held.operation, "conversation_id": held.conversation_id,
            "arguments_hash": held.arguments_hash,
        }  # fmt: skip
        self._audit.admin(tx, account_id, by, what, about | particulars, Named(held.agent_id, held.agent_name))

    async def _answered(self, account_id: int, id: int, answer: Answer) -> Outcome:
        if answer.status == 429:  # the desk did nothing
            await self._put_back(account_id, id)
            raise NotReleased(429, "The help desk takes no more calls in this minute; try again in the next", "waiting")
        why = None if answer.status < 400 else f"the help desk answered {answer.status}{_message(answer)}"
        return await self._end(account_id, id, answer.status, why, resource_id(answer))

    async def _end(self, account_id: int, id: int, status: int, why: str | None, made: int | None) -> Outcome:
        outcome = Outcome("executed" if why is None else "failed", status, made)
        await self._database.write(lambda tx: approval_rows.end(tx, account_id, id, outcome, why))
        return outcome

    async def _put_back(self, account_id: int, id: int) -> None:
        await self._database.write(lambda tx: approval_rows.put_back(tx, account_id, id))

    # -- Reading

    async def _find(self, account_id: int, id: int) -> HeldCall:
        await self._sweep(account_id)
        return await self._database.read(lambda db: approval_rows.find(db, account_id, id))

    async def _sweep(self, account_id: int) -> None:
        """Let what is too old be expired, and what a killed gateway left behind be failed, before anybody looks."""
        now = self._clock.now()
        if await self._database.read(lambda db: approval_rows.is_due(db, account_id, now)):
            await self._database.write(lambda tx: approval_rows.sweep(tx, account_id, now))


def _message(answer: Answer) -> str:
    """What an error of the desk says in words."""
    try:
        message = msgspec.json.decode(answer.body, type=dict[str, Any]).get("message")
    except msgspec.MsgspecError:
        return ""
    return f": {sentences.one_line(message, 300)}" if isinstance(message, str) and message else ""
