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

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operation import Asked
from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, Problem, invalid
from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.statements import Insert, P, Statement, columns, command, rows, value
from deskhand.gateway import reading, sentences
from deskhand.gateway.agents import Agent
from deskhand.gateway.audit import Audit, AuditUnavailable, By, Named
from deskhand.gateway.budget import OverBudget
from deskhand.gateway.calls import Answer, Door, Request
from deskhand.gateway.policy import Decision
from deskhand.gateway.remembering import Repeated, resource_id
from deskhand.gateway.tables import agent, approval
from deskhand.gateway.upstream import UpstreamDown
from deskhand.lib.canonical import canonical_hash
from deskhand.lib.clock import Clock, to_wire
from deskhand.outbox import events

State = Literal["waiting", "executing", "executed", "failed", "denied", "expired", "returned"]
LIFE = timedelta(hours=24)
UNKNOWN_AFTER = timedelta(minutes=10)
"""No call takes longer; one that is executing after that time was left behind by a gateway that was killed."""
REASON_MOST = 1_000
PAGE_SIZE = 100
ASK_PATH = re.compile(r"/v2/approvals/([0-9]{1,18})")
"""Where an agent asks how one of its calls stands."""
UNKNOWN = "the outcome is unknown: the gateway stopped while it was sent; look whether it was done"
CHANGED = "the conversation changed since"
DELETED = "the conversation was deleted"


class NotReleased(Problem):
    """A held call was not sent; `state` is the approval's now."""

    def __init__(self, status: int, message: str, state: State) -> None:
        self.status, self.message = status, message
        super().__init__()
        self.state = state


class Held(msgspec.Struct, frozen=True):
    """A call that waits."""

    id: int
    until: str


class Progress(msgspec.Struct, frozen=True):
    """An approval as its agent sees it."""

    approval_id: int
    state: State
    reason: str | None
    status: int | None
    resource_id: int | None
    until: str


class Outcome(msgspec.Struct, frozen=True):
    """What came of an approved call; `status` is what the desk answered."""

    state: State
    status: int | None
    resource_id: int | None


class NamedAgent(msgspec.Struct, frozen=True):
    """Whose call it is."""

    id: int
    name: str


class Shown(msgspec.Struct, frozen=True):
    """An approval as people see it: `call` says in words what would be done, `text` is what would be written."""

    id: int
    state: State
    agent: NamedAgent
    operation: str
    call: str
    arguments: Any
    text: str | None
    arguments_hash: str
    grant_version: int
    audit_id: int
    inbox_id: int | None
    conversation_id: int | None
    created_at: str
    until: str
    decided_at: str | None
    decided_by: By | None
    reason: str | None
    edited_text: str | None
    status: int | None
    resource_id: int | None


Go = Callable[[Decision, str], Awaitable[None]]
"""To be told what was decided about the call now and the conversation's mark; raises Problem if it must not be sent."""


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


class _Kept(msgspec.Struct, frozen=True):
    """A held call as it is stored: the request as it would be sent, what it does in words, and how it came."""

    words: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    door: Door = "rest"


class _New(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    agent_id: int
    state: State = "waiting"
    operation: str
    call: str
    arguments_hash: str
    grant_version: int
    audit_number: int
    inbox_id: int | None
    conversation_id: int | None
    mark: str
    created_at: str
    expires_at: str


class _Row(msgspec.Struct, frozen=True):
    id: int
    agent_id: int
    agent_name: str
    state: State
    operation: str
    call: str
    arguments_hash: str
    grant_version: int
    audit_number: int
    inbox_id: int | None
    conversation_id: int | None
    mark: str
    created_at: str
    expires_at: str
    decided_at: str | None
    decided_by: str | None
    reason: str | None
    edited_text: str | None
    status: int | None
    resource_id: int | None


_MINE = approval.c.account_id == P("account_id")
_ONE = (_MINE, approval.c.id == P("id"))
_WAS = approval.c.state == P("was")
_ROWS = (
    sa.select(
        approval.c.id,
        approval.c.agent_id,
        agent.c.name.label("agent_name"),
        *columns(approval, *_Row.__struct_fields__[3:]),
    )
    .join(agent, sa.and_(agent.c.account_id == approval.c.account_id, agent.c.id == approval.c.agent_id))
    .where(_MINE)
)
_ADD = Insert(approval, _New)
_BY_ID = rows(_Row, _ROWS.where(approval.c.id == P("id")))
_NEWEST = _ROWS.where(approval.c.id < P("before_id")).order_by(approval.c.id.desc()).limit(P("most", sa.Integer))
_LIST = rows(_Row, _NEWEST)
_LIST_IN_STATE = rows(_Row, _NEWEST.where(approval.c.state == P("state")))
_COUNT = value(int, sa.select(sa.func.count()).select_from(approval).where(_MINE, _WAS))
_OF_AGENT = rows(
    Progress,
    sa.select(
        approval.c.id.label("approval_id"),
        *columns(approval, "state", "reason", "status", "resource_id"),
        approval.c.expires_at.label("until"),
    ).where(*_ONE, approval.c.agent_id == P("agent_id")),
)
_SAME = rows(
    Held,
    sa.select(approval.c.id, approval.c.expires_at.label("until"))
    .where(
        _MINE,
        _WAS,
        approval.c.agent_id == P("agent_id"),
        approval.c.arguments_hash == P("arguments_hash"),
        approval.c.mark == P("mark"),
        approval.c.expires_at > P("now"),
    )
    .order_by(approval.c.id)
    .limit(sa.literal_column("1")),
)
_DECIDE = command(
    sa.update(approval)
    .where(*_ONE, _WAS, approval.c.expires_at > P("now"))
    .values(state=P("becomes"), decided_at=P("now"), decided_by=P("by"), reason=P("why"), edited_text=P("edited"))
)
_END = command(
    sa.update(approval)
    .where(*_ONE)
    .values(state=P("becomes"), reason=P("why"), status=P("http_status"), resource_id=P("made"))
)
_PUT_BACK = command(
    sa.update(approval)
    .where(*_ONE, _WAS)
    .values(state=P("becomes"), decided_at=sa.null(), decided_by=sa.null(), edited_text=sa.null())
)
_EXPIRED = (_MINE, _WAS, approval.c.expires_at <= P("now"))
_LEFT = (_MINE, approval.c.state == P("was_left"), approval.c.decided_at <= P("left_at"))
_DUE = value(
    int,
    sa.select(approval.c.id)
    .where(_MINE, sa.or_(sa.and_(*_EXPIRED[1:]), sa.and_(*_LEFT[1:])))
    .limit(sa.literal_column("1")),
)
_EXPIRE = command(sa.update(approval).where(*_EXPIRED).values(state=P("becomes")))
_GIVE_UP = command(sa.update(approval).where(*_LEFT).values(state=P("becomes"), reason=P("why")))


_HERE = _ROWS.where(approval.c.conversation_id == P("conversation_id"), agent.c.connection_id.is_(None))
_OF_CONVERSATION = rows(_Row, _HERE)
_EMPTY = command(sa.update(approval).where(*_ONE).values(call=P("emptied"), edited_text=sa.null()))
_GO_BACK = command(sa.update(approval).where(*_ONE, _WAS).values(state=P("becomes"), reason=P("why")))


def arguments_hash(asked: Asked) -> str:
    """What a call is known by: the SHA-256 of its operation and arguments as canonical JSON (RFC 8785)."""
    return canonical_hash({"operation": asked.operation.name, **reading.arguments(asked)})


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
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._callers = callers
        self._matcher = matcher
        self._life = life

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
        request = reading.written(asked)
        kept = _Kept(
            words or sentences.phrase(asked.operation, asked.path, asked.slug),
            request.method, request.path, request.query, dict(request.headers), request.body.decode(),
            door,
        )  # fmt: skip
        new = _New(
            account_id=agent.account_id, agent_id=agent.id, operation=asked.operation.name, call=_json(kept),
            arguments_hash=hashed, grant_version=agent.grants.version, audit_number=audit_number, inbox_id=inbox_id,
            conversation_id=conversation_id, mark=mark, created_at=to_wire(now), expires_at=to_wire(now + self._life),
        )  # fmt: skip

        def keep(tx: Writer) -> Held:
            same = tx.one(
                _SAME, account_id=agent.account_id, agent_id=agent.id, arguments_hash=hashed, mark=mark,
                was="waiting", now=new.created_at,
            )  # fmt: skip
            if same is not None:
                return same
            tx.changed(events.PAGES)
            return Held(tx.add(_ADD, new), new.expires_at)

        return await self._database.write(keep)

    async def shown_to_agent(self, agent: Agent, id: int) -> Progress | None:
        """How a call of this agent's stands; None for an unknown one and for another agent's alike.

        While it is being sent it still counts as waiting.
        """
        await self._sweep(agent.account_id)
        found = await self._database.read(
            lambda db: db.one(_OF_AGENT, account_id=agent.account_id, agent_id=agent.id, id=id)
        )
        if found is None or found.state != "executing":
            return found
        return msgspec.structs.replace(found, state="waiting")

    # -- The people's side

    async def listed(
        self, account_id: int, state: State | None = None, before_id: int | None = None, most: int = PAGE_SIZE
    ) -> list[Shown]:
        """The newest approvals of an account, or of those in a state; `before_id` goes on behind the last one shown."""
        await self._sweep(account_id)
        given = {"account_id": account_id, "before_id": before_id or 2**63 - 1, "most": most}
        if state is None:
            found = await self._database.read(lambda db: db.all(_LIST, **given))
        else:
            found = await self._database.read(lambda db: db.all(_LIST_IN_STATE, **given, state=state))
        return [self._shown(row) for row in found]

    async def one(self, account_id: int, id: int) -> Shown:
        """One approval; raises NotFound."""
        return self._shown(await self._row(account_id, id))

    async def waiting(self, account_id: int) -> int:
        """How many calls wait for a decision."""
        await self._sweep(account_id)
        return await self._database.read(lambda db: count_waiting(db, account_id))

    async def approve(self, account_id: int, id: int, by: By, who: str, edited_text: str | None = None) -> Outcome:
        """Let a call go, once, perhaps with another text; `who` begins the sentence in the log.

        Raises NotFound, BadRequest for a text that can't be, and NotReleased when it was not sent: it is decided
        already, the conversation changed, the agent may not do it any more or said the same a moment ago, or the desk
        can't be asked.
        """
        row = _waiting(await self._row(account_id, id))
        asked = self._stored(row)
        if edited_text is not None:
            asked = self._edited(row, asked, edited_text)
        caller = await self._callers.by_id(account_id, row.agent_id)
        if caller is None:
            raise NotReleased(409, f"{row.agent_name} was deleted, so this can't be sent for it any more", "waiting")
        claimed = False

        async def go(decision: Decision, mark: str) -> None:
            nonlocal claimed
            if row.mark and mark != row.mark:
                await self._return(account_id, row, by, who)
            _require_the_same(row, asked, decision)
            await self._claim(account_id, row, by, who, asked, edited_text)
            claimed = True

        try:
            answer = await self.release(caller, asked, id, _kept(row).door, go)
        except (OverBudget, AuditUnavailable) as problem:
            if claimed:
                await self._put_back(account_id, id)
            if isinstance(problem, OverBudget):
                raise
            raise NotReleased(503, "This was not sent because it could not be logged; try again", "waiting") from None
        except Repeated as repeated:
            _waiting(await self._row(account_id, id))  # somebody else may have let it go meanwhile
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
        row = _waiting(await self._row(account_id, id))

        def deny(tx: Writer) -> None:
            self._decide(tx, account_id, row, "denied", by, reason=reason.strip())
            what = f"{who} denied the request of {row.agent_name} to {_kept(row).words}: {reason.strip()}"
            self._log(tx, account_id, row, by, "denied", what, reason=reason.strip())

        await self._database.write(deny)

    # -- Parts of an approval

    def _stored(self, row: _Row) -> Asked:
        """The call as it was held; whoever changes it in the database gets it nowhere."""
        try:
            asked = reading.read(self._matcher, _request(row))
        except (reading.Unclean, reading.Unknown):
            asked = None
        if asked is None or arguments_hash(asked) != row.arguments_hash:
            raise NotReleased(409, "What is stored is not the call that was held, so it can't be sent", row.state)
        return asked

    def _edited(self, row: _Row, asked: Asked, text: str) -> Asked:
        """The call with another text, read anew as if the agent had made it so."""
        request = _request(row)
        if not isinstance(getattr(asked.body, "text", None), str):
            raise invalid("edited_text", f"{row.operation} has no text that could be changed", "EnumValue", text)
        body = msgspec.json.encode(msgspec.json.decode(request.body) | {"text": text})
        try:
            return reading.read(self._matcher, msgspec.structs.replace(request, body=body))
        except reading.Unclean as unclean:
            errors = (
                FieldError("edited_text", one.message, one.anchor, one.rejected) for one in unclean.problem.errors
            )
            raise BadRequest(*errors) from None

    async def _claim(self, account_id: int, row: _Row, by: By, who: str, asked: Asked, edited_text: str | None) -> None:
        """Make this the one approval that counts, and log it."""
        hashed = arguments_hash(asked)

        def claim(tx: Writer) -> None:
            self._decide(tx, account_id, row, "executing", by, edited=edited_text)
            how = "" if edited_text is None else ", with another text"
            what = f"{who} approved the request of {row.agent_name} to {_kept(row).words}{how}"
            self._log(tx, account_id, row, by, "approved", what, sent_hash=hashed, edited=edited_text is not None)

        await self._database.write(claim)

    async def _return(self, account_id: int, row: _Row, by: By, who: str) -> None:
        def give_back(tx: Writer) -> None:
            self._decide(tx, account_id, row, "returned", by, reason=CHANGED)
            what = (
                f"{who} approved the request of {row.agent_name} to {_kept(row).words}, "
                "but it went back because the conversation had changed since"
            )
            self._log(tx, account_id, row, by, "returned", what)

        await self._database.write(give_back)
        text = "The conversation changed since this call was held, so it was not sent and went back to the agent"
        raise NotReleased(409, text, "returned")

    def _decide(
        self, tx: Writer, account_id: int, row: _Row, becomes: State, by: By,
        *, reason: str | None = None, edited: str | None = None,
    ) -> None:  # fmt: skip
        """Move an approval on from waiting; of several at a time one can."""
        now = to_wire(self._clock.now())
        if not tx.run(
            _DECIDE, account_id=account_id, id=row.id, was="waiting", becomes=becomes, now=now, by=_json(by),
            why=reason, edited=edited,
        ):  # fmt: skip
            raise _decided(_find(tx, account_id, row.id), now)
        tx.changed(events.PAGES)

    def _log(self, tx: Writer, account_id: int, row: _Row, by: By, event: str, what: str, **particulars: Any) -> None:
        about = {
            "event": f"approval_{event}", "approval_id": row.id, "audit_id": row.audit_number,
            "operation": row.operation, "conversation_id": row.conversation_id, "arguments_hash": row.arguments_hash,
        }  # fmt: skip
        self._audit.admin(tx, account_id, by, what, about | particulars, Named(row.agent_id, row.agent_name))

    async def _answered(self, account_id: int, id: int, answer: Answer) -> Outcome:
        if answer.status == 429:  # the desk did nothing
            await self._put_back(account_id, id)
            raise NotReleased(429, "The help desk takes no more calls in this minute; try again in the next", "waiting")
        why = None if answer.status < 400 else f"the help desk answered {answer.status}{_message(answer)}"
        return await self._end(account_id, id, answer.status, why, resource_id(answer))

    async def _end(self, account_id: int, id: int, status: int, why: str | None, made: int | None) -> Outcome:
        outcome = Outcome("executed" if why is None else "failed", status, made)
        given = {"becomes": outcome.state, "why": why, "http_status": status, "made": made}
        await self._change(_END, account_id, id, given)
        return outcome

    async def _put_back(self, account_id: int, id: int) -> None:
        await self._change(_PUT_BACK, account_id, id, {"was": "executing", "becomes": "waiting"})

    async def _change(self, change: Statement[None], account_id: int, id: int, given: dict[str, Any]) -> None:
        def write(tx: Writer) -> None:
            tx.run(change, account_id=account_id, id=id, **given)
            tx.changed(events.PAGES)

        await self._database.write(write)

    # -- Reading

    async def _row(self, account_id: int, id: int) -> _Row:
        await self._sweep(account_id)
        return await self._database.read(lambda db: _find(db, account_id, id))

    async def _sweep(self, account_id: int) -> None:
        """Let what is too old be expired, and what a killed gateway left behind be failed, before anybody looks."""
        now = self._clock.now()
        if await self._database.read(lambda db: db.one(_DUE, account_id=account_id, **_ages(now))) is not None:
            await self._database.write(lambda tx: sweep(tx, account_id, now))

    def _shown(self, row: _Row) -> Shown:
        kept = _kept(row)
        try:
            asked = reading.read(self._matcher, _request(row))
            arguments, text = reading.readable(asked), getattr(asked.body, "text", None)
        except (reading.Unclean, reading.Unknown):  # the catalogue has changed since
            arguments, text = {}, None
        return Shown(
            id=row.id, state=row.state, agent=NamedAgent(row.agent_id, row.agent_name), operation=row.operation,
            call=kept.words, arguments=arguments, text=text if isinstance(text, str) else None,
            arguments_hash=row.arguments_hash, grant_version=row.grant_version, audit_id=row.audit_number,
            inbox_id=row.inbox_id, conversation_id=row.conversation_id, created_at=row.created_at,
            until=row.expires_at, decided_at=row.decided_at,
            decided_by=msgspec.json.decode(row.decided_by, type=By) if row.decided_by else None,
            reason=row.reason, edited_text=row.edited_text, status=row.status, resource_id=row.resource_id,
        )  # fmt: skip


def count_waiting(db: Reader, account_id: int) -> int:
    """How many calls wait for a decision."""
    return db.first(_COUNT, account_id=account_id, was="waiting")


def sweep(tx: Writer, account_id: int, now: datetime) -> None:
    """End what waited too long, and what was being sent when a gateway was killed."""
    ages = _ages(now)
    tx.run(_EXPIRE, account_id=account_id, was=ages["was"], now=ages["now"], becomes="expired")
    tx.run(
        _GIVE_UP, account_id=account_id, was_left=ages["was_left"], left_at=ages["left_at"], becomes="failed",
        why=UNKNOWN,
    )  # fmt: skip


def forget(tx: Writer, account_id: int, conversation_id: int) -> None:
    """A conversation of the desk here was deleted: what was to be written in it goes too, and what waits goes back."""
    for row in tx.all(_OF_CONVERSATION, account_id=account_id, conversation_id=conversation_id):
        emptied = msgspec.structs.replace(_kept(row), query="", body="")
        tx.run(_EMPTY, account_id=account_id, id=row.id, emptied=_json(emptied))
        tx.run(_GO_BACK, account_id=account_id, id=row.id, was="waiting", becomes="returned", why=DELETED)


def _ages(now: datetime) -> dict[str, str]:
    return {
        "was": "waiting", "now": to_wire(now), "was_left": "executing", "left_at": to_wire(now - UNKNOWN_AFTER),
    }  # fmt: skip


def _find(db: Reader, account_id: int, id: int) -> _Row:
    found = db.one(_BY_ID, account_id=account_id, id=id)
    if found is None:
        raise NotFound
    return found


def _waiting(row: _Row) -> _Row:
    if row.state != "waiting":
        raise _decided(row, "")
    return row


def _decided(row: _Row, now: str) -> NotReleased:
    """Why nobody can decide about it any more."""
    if row.state == "waiting" and row.expires_at <= now:
        return NotReleased(409, f"This call waited until {row.expires_at} and has expired", "expired")
    words = {
        "executing": "This call was approved and is being sent",
        "executed": "This call was approved already, and sent",
        "failed": "This call was approved already, and failed",
        "denied": "This call was denied already",
        "expired": f"This call waited until {row.expires_at} and has expired",
        "returned": "This call went back to the agent because the conversation changed since",
    }
    return NotReleased(409, words.get(row.state, "This call is being decided by somebody else"), row.state)


def _require_the_same(row: _Row, asked: Asked, decision: Decision) -> None:
    """The agent's grants of now must still let it do just this, at once or after asking."""
    if decision.outcome == "refused":
        text = f"{row.agent_name} may not do this now: {decision.rule}"
        raise NotReleased(409, text, "waiting")
    if decision.draft and not getattr(asked.body, "draft", None):
        text = f"{row.agent_name} may only write drafts now, so this can't be sent as it was held"
        raise NotReleased(409, text, "waiting")


def _kept(row: _Row) -> _Kept:
    return msgspec.json.decode(row.call, type=_Kept)


def _request(row: _Row) -> Request:
    kept = _kept(row)
    return Request(kept.method, kept.path, kept.query, kept.headers, kept.body.encode())


def _message(answer: Answer) -> str:
    """What an error of the desk says in words."""
    try:
        message = msgspec.json.decode(answer.body, type=dict[str, Any]).get("message")
    except msgspec.MsgspecError:
        return ""
    return f": {sentences.one_line(message, 300)}" if isinstance(message, str) and message else ""


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
