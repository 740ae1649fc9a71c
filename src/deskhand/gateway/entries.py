"""What the log says of calls: one entry for each, made of who called, what for, and what was decided. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deskhand.catalogue.operation import Action, Asked
from deskhand.gateway import reading, sentences
from deskhand.gateway.agents import Agent
from deskhand.gateway.audit import Entry, Named
from deskhand.gateway.calls import Door, Request
from deskhand.gateway.judged import Judged, conversation_of
from deskhand.gateway.policy import Decision

_ACTIONS = {Action.READ: "read", Action.WRITE: "write", Action.DELETE: "delete"}


def of_call(
    judged: Judged,
    asked: Asked,
    hashed: str,
    places: Sequence[str],
    *,
    approval_id: int | None = None,
    with_arguments: bool = False,
) -> Entry:
    """A call that was understood; `asked` is what of it is sent, `places` are the names of its inboxes."""
    decision, operation, inboxes, conversation = (
        judged.decision, asked.operation, judged.shown_inboxes, judged.conversation,
    )  # fmt: skip
    return _entry(
        judged.agent,
        judged.door,
        decision,
        sentence=sentences.sentence(
            judged.agent.name,
            words(judged, places),
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
        arguments_hash=hashed,
        approval_id=approval_id,
        arguments=reading.readable(asked) if with_arguments else None,
    )


def words(judged: Judged, places: Sequence[str]) -> str:
    """What a call does, in the names that people know."""
    asked, conversation = judged.asked, judged.conversation
    number = conversation.number if conversation else None
    return sentences.phrase(asked.operation, asked.path, asked.slug, number=number, inbox=places[0] if places else None)


def of_unknown(agent: Agent, method: str, path: str, door: Door, decision: Decision) -> Entry:
    """A call that is no operation of the desk."""
    return _entry(agent, door, decision, sentence=sentences.unknown(agent.name, method, path), method=method, path=path)


def of_unread(
    agent: Agent, request: Request, door: Door, decision: Decision, known: reading.Unclean | None = None
) -> Entry:
    """A call that was not understood; of some it is `known` which operation it is."""
    operation, path = (None, ()) if known is None else (known.operation, known.path)
    does = sentences.one_line(f"call {request.method} {request.path}")
    if operation is not None:
        does = sentences.phrase(operation, path)
    return _entry(
        agent, door, decision, sentence=sentences.sentence(agent.name, does, "refused", decision.rule),
        operation=operation.name if operation else None,
        resource=operation.resource.key if operation else None,
        action=_ACTIONS[operation.action] if operation else None,
        method=request.method, path=request.path, conversation_id=conversation_of(operation, path),
    )  # fmt: skip


def of_question(agent: Agent, approval_id: int, door: Door, decision: Decision) -> Entry:
    """A look at how a held call stands."""
    does = f"read the state of approval {approval_id}"
    sentence = sentences.sentence(agent.name, does, decision.outcome, decision.rule)
    return _entry(agent, door, decision, sentence=sentence, operation="read_approval")


def _entry(agent: Agent, door: Door, decision: Decision, **more: Any) -> Entry:
    return Entry(
        account_id=agent.account_id, agent=Named(agent.id, agent.name), door=door, decision=decision.outcome,
        reason=decision.reason, rule=decision.rule, grant_version=agent.grants.version, **more,
    )  # fmt: skip
