"""A call that waits for a person: as it is kept, as it is read again, and as its agent and people see it. Pure."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operation import Asked, Of
from deskhand.catalogue.problems import BadRequest, FieldError, Problem, invalid
from deskhand.gateway import reading, sentences
from deskhand.gateway.audit import By
from deskhand.gateway.calls import Door, Request
from deskhand.gateway.judged import conversations
from deskhand.gateway.policy import Decision

State = Literal["waiting", "executing", "executed", "failed", "denied", "expired", "returned"]


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


class Changed(msgspec.Struct, frozen=True):
    """How the conversations of a call stood when it was held, and stand now: their marks, which differ."""

    stood: str
    stands: str


class Bound(msgspec.Struct, frozen=True):
    """What a call is bound to: its conversation, or else the call itself (`Kept`), and how that stood."""

    id: int
    conversation_id: int | None
    call: str
    mark: str


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


class Kept(msgspec.Struct, frozen=True):
    """A held call as it is stored: the request as it would be sent, what it does in words, and how it came."""

    words: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    door: Door = "rest"

    @property
    def request(self) -> Request:
        return Request(self.method, self.path, self.query, self.headers, self.body.encode())


class HeldCall(msgspec.Struct, frozen=True):
    """A held call with what became of it, as it is stored."""

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

    @property
    def kept(self) -> Kept:
        return msgspec.json.decode(self.call, type=Kept)


def keep(asked: Asked, words: str, door: Door) -> Kept:
    """A call as it is stored."""
    request = reading.written(asked)
    return Kept(
        words or sentences.phrase(asked.operation, asked.path, asked.slug),
        request.method, request.path, request.query, dict(request.headers), request.body.decode(),
        door,
    )  # fmt: skip


def read_again(matcher: Matcher, held: HeldCall) -> Asked:
    """The call as it was held; whoever changes it in the database gets it nowhere. Raises NotReleased."""
    try:
        asked = reading.read(matcher, held.kept.request)
    except (reading.Unclean, reading.Unknown):
        asked = None
    if asked is None or reading.arguments_hash(asked) != held.arguments_hash:
        raise NotReleased(409, "What is stored is not the call that was held, so it can't be sent", held.state)
    return asked


def edited(matcher: Matcher, held: HeldCall, asked: Asked, text: str) -> Asked:
    """The call with another text, read anew as if the agent had made it so. Raises BadRequest."""
    request = held.kept.request
    if not isinstance(getattr(asked.body, "text", None), str):
        raise invalid("edited_text", f"{held.operation} has no text that could be changed", "EnumValue", text)
    body = msgspec.json.encode(msgspec.json.decode(request.body) | {"text": text})
    try:
        return reading.read(matcher, msgspec.structs.replace(request, body=body))
    except reading.Unclean as unclean:
        errors = (FieldError("edited_text", one.message, one.anchor, one.rejected) for one in unclean.problem.errors)
        raise BadRequest(*errors) from None


def about(matcher: Matcher, bound: Bound) -> frozenset[Of]:
    """The conversations to which a call is bound; those it names in its path are all there are then."""
    if bound.conversation_id is not None:
        return frozenset((Of("conversation", bound.conversation_id),))
    try:
        asked = reading.read(matcher, msgspec.json.decode(bound.call, type=Kept).request)
    except (reading.Unclean, reading.Unknown):  # the catalogue has changed since
        return frozenset()
    return conversations(asked.operation.needs(asked))


def changed(stood: str, stands: str) -> Changed | None:
    """Whether what a call is about has changed, so that it goes back to its agent; a call may be bound to nothing."""
    return Changed(stood, stands) if stood and stands != stood else None


def require_waiting(held: HeldCall) -> HeldCall:
    """Raises NotReleased for a call that was decided about already."""
    if held.state != "waiting":
        raise decided_already(held, "")
    return held


def decided_already(held: HeldCall, now: str) -> NotReleased:
    """Why nobody can decide about it any more."""
    if held.state == "waiting" and held.expires_at <= now:
        return NotReleased(409, f"This call waited until {held.expires_at} and has expired", "expired")
    words = {
        "executing": "This call was approved and is being sent",
        "executed": "This call was approved already, and sent",
        "failed": "This call was approved already, and failed",
        "denied": "This call was denied already",
        "expired": f"This call waited until {held.expires_at} and has expired",
        "returned": "This call went back to the agent because the conversation changed since",
    }
    return NotReleased(409, words.get(held.state, "This call is being decided by somebody else"), held.state)


def require_the_same(held: HeldCall, asked: Asked, decision: Decision) -> None:
    """The agent's grants of now must still let it do just this, at once or after asking. Raises NotReleased."""
    if decision.outcome == "refused":
        text = f"{held.agent_name} may not do this now: {decision.rule}"
        raise NotReleased(409, text, "waiting")
    if decision.draft and not getattr(asked.body, "draft", None):
        text = f"{held.agent_name} may only write drafts now, so this can't be sent as it was held"
        raise NotReleased(409, text, "waiting")


def shown(matcher: Matcher, held: HeldCall) -> Shown:
    """A held call as people see it."""
    kept = held.kept
    try:
        asked = reading.read(matcher, kept.request)
        arguments, text = reading.readable(asked), getattr(asked.body, "text", None)
    except (reading.Unclean, reading.Unknown):  # the catalogue has changed since
        arguments, text = {}, None
    return Shown(
        id=held.id, state=held.state, agent=NamedAgent(held.agent_id, held.agent_name), operation=held.operation,
        call=kept.words, arguments=arguments, text=text if isinstance(text, str) else None,
        arguments_hash=held.arguments_hash, grant_version=held.grant_version, audit_id=held.audit_number,
        inbox_id=held.inbox_id, conversation_id=held.conversation_id, created_at=held.created_at,
        until=held.expires_at, decided_at=held.decided_at,
        decided_by=msgspec.json.decode(held.decided_by, type=By) if held.decided_by else None,
        reason=held.reason, edited_text=held.edited_text, status=held.status, resource_id=held.resource_id,
    )  # fmt: skip
