"""The decision: what an agent's grants say to one call. Pure, and the one function for every door, `explain` and tests.

How grants combine: an absent resource is off and has no inboxes. An absent action follows its resource's level; a
present one replaces the level's answer for that operation, within that resource's inboxes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal

import msgspec

from deskhand.catalogue.conversations import Conversation, NewConversation
from deskhand.catalogue.needs import SENDS_MAIL, letters, need, setting, thread_written, threads_read
from deskhand.catalogue.operation import Action, AnyOperation, Asked, Extent, Need, Of, Resource
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.catalogue.reports_conversations import Drilldown
from deskhand.catalogue.threads import ThreadStep
from deskhand.gateway import limits
from deskhand.gateway.limits import AGENT, THREADS, Limits
from deskhand.lib.clock import from_wire

Setting = Literal["off", "allow", "draft", "hold"]
Outcome = Literal["allowed", "held", "refused"]
LEVELS = ("off", "read", "write", "full")
WITHOUT_INBOXES = frozenset(
    (Resource.USERS, Resource.TEAMS, Resource.TAGS, Resource.ORGANIZATIONS, Resource.RATINGS)
)  # fmt: skip
"""Resources that belong to the whole account. A rating is shown to whoever may read its thread."""


class Rule(msgspec.Struct, frozen=True):
    """What an action is set to, and the limits that hold for it alone."""

    setting: Setting
    limits: Limits | None = None


class Granted(msgspec.Struct, frozen=True):
    """A resource's level, 0 (off) to 3 (full), and its inboxes; None: all, now and later."""

    level: int
    inboxes: frozenset[int] | None = None


class Grants(msgspec.Struct, frozen=True):
    """What an agent holds, ready to decide with. The default is nothing at all."""

    version: int = 0
    resources: Mapping[Resource, Granted] = {}
    actions: Mapping[str, Rule] = {}
    limits: Limits = Limits()
    expires_at: str | None = None


EVERYWHERE = -1
"""Stands among inboxes for all there are, also those to come; no inbox has this id."""


class Found(msgspec.Struct, frozen=True):
    """What a look-up told of an object: its inboxes; of a conversation also how people call it and how it stands.

    `number` and `mark` are a conversation's; the mark changes when somebody writes or decides something in it. `does`
    are the operations that running a workflow amounts to, and `into` the inboxes it moves conversations to.
    """

    inboxes: frozenset[int]
    number: int | None = None
    mark: str = ""
    does: tuple[str, ...] = ()
    into: frozenset[int] = frozenset()


class Decision(msgspec.Struct, frozen=True):
    """What was decided and why.

    `reason` is a code (`granted`, `hold`, `missing_grant`, `limit`, `paused`, `stopped`, …), `rule` says in words which
    rule decided and what would change it. `missing` and `path` go to the agent, who is told too of what is granted, but
    `elsewhere`. `inboxes` are those the call is narrowed to (None: all), `draft` forces a reply to be a draft, `hide`
    names what the answer must leave out; with `outgoing` the call must not touch what is on its way to a customer.
    """

    outcome: Outcome
    reason: str
    rule: str
    needs: tuple[Need, ...] = ()
    missing: Mapping[str, str] | None = None
    path: str | None = None
    inboxes: frozenset[int] | None = None
    draft: bool = False
    hide: frozenset[Literal["preview", "tag_counts", "outgoing"]] = frozenset()
    elsewhere: bool = False


class Told(msgspec.Struct, frozen=True):
    """What grants say to one need, for people. `inbox` is `every` for all, None where there is none or several."""

    resource: str
    action: str
    inbox: int | str | None
    operation: str
    level: str
    needed: str
    setting: Setting | None
    outcome: Outcome
    rule: str


class Explained(msgspec.Struct, frozen=True):
    """A decision, what was said to each need, and what the call lacks to be allowed as it is."""

    decision: Decision
    needs: tuple[Told, ...]
    would_need: Mapping[str, str] | None


def wanted(asked: Asked) -> frozenset[Of]:
    """The objects whose inboxes a decision about a call depends on."""
    needs = asked.operation.needs(asked)
    return frozenset(of for one in needs for of in (one.place, one.unless) if isinstance(of, Of))


def decide(grants: Grants, asked: Asked, found: Mapping[Of, Found | None], now: datetime) -> Decision:
    """The decision about a call. `found` has what each `Of` of the call's needs turned out to be; None: unknown."""
    return _judge(grants, asked, found, now)[0]


def told(grants: Grants, asked: Asked, found: Mapping[Of, Found | None], now: datetime) -> Explained:
    """The decision about a call, and how it came about."""
    decision, verdicts = _judge(grants, asked, found, now)
    would_need = decision.missing
    if decision.path is not None:
        would_need = {"path": decision.path}
    elif (held := _first(verdicts, "held")) and decision.outcome == "held":
        would_need = {"action": held.need.operation}
    return Explained(decision, tuple(_told(one, found) for one in verdicts), would_need)


def refusal(
    reason: str,
    rule: str,
    *,
    needs: tuple[Need, ...] = (),
    missing: Mapping[str, str] | None = None,
    path: str | None = None,
    elsewhere: bool = False,
) -> Decision:
    """A call that must not be sent."""
    return Decision("refused", reason, rule, needs, missing, path, elsewhere=elsewhere)


def drafted(asked: Asked) -> Asked:
    """The call with every reply in it made a draft."""
    body = asked.body
    if isinstance(body, NewConversation):
        threads = [msgspec.structs.replace(one, draft=True) if one.type == "reply" else one for one in body.threads]
        return msgspec.structs.replace(asked, body=msgspec.structs.replace(body, threads=threads))
    return msgspec.structs.replace(asked, body=msgspec.structs.replace(body, draft=True))


def message(decision: Decision) -> str:
    """What an agent is told about a refusal: who could change it, and nothing about where or whether an object is."""
    match decision.reason, decision.missing:
        case _, {"action": action}:
            return f"This agent may not use {action} for this; {_ADMINISTRATOR} change that."
        case _, {"resource": key, "level": level}:
            resource, verb = Resource[key.upper()].value, _VERBS[LEVELS.index(level)]
            where = " outside its inboxes" if decision.elsewhere else ""
            return (
                f"This agent may not {verb} {resource}{where}; {_ADMINISTRATOR} grant it {level} access to {resource}."
            )
        case "limit", _ if decision.path == "hours":
            return f"This agent may not act at this time; {_ADMINISTRATOR} change that."
        case "limit", _:
            return f"This agent's limits do not allow this {decision.path}; {_ADMINISTRATOR} change that."
        case "paused", _:
            return f"This agent is paused; {_ADMINISTRATOR} let it go on."
        case "stopped", _:
            return f"Agents are stopped; {_ADMINISTRATOR} let them go on."
        case "unknown_operation", _:
            return "The gateway does not know this operation, so that no administrator can grant it."
        case "unanswerable", _:
            return f"The help desk can't answer this for some inboxes alone; {_ADMINISTRATOR} grant all of them."
        case _:
            return f"This call was not carried out; {_ADMINISTRATOR} see why in the audit log."


_ADMINISTRATOR = "an administrator of the account can"
_VERBS = ("", "read", "change", "delete")


# -- What is said to each need


class _Verdict(msgspec.Struct, frozen=True, gc=False):
    """What grants say to one need; `fault` is what refuses it: the level, the place or the action's setting."""

    need: Need
    outcome: Outcome
    granted: Granted
    setting: Setting | None
    fault: Literal["", "level", "place", "action"] = ""


_Looked = Mapping[Of, Found | None]

_NOTHING = Granted(0, frozenset())
_DRAFTABLE = (SENDS_MAIL, "create_conversation")
"""The operations that can leave a reply as a draft; all others that lead to one publish it."""
_OF_WORKFLOWS = ("run_workflow", "update_workflow")
NAMED_ONLY = THREADS["customer"]
"""What no level allows by itself, because it speaks for others."""


def _granted_with(operation: AnyOperation) -> Resource:
    return Resource.THREADS if operation.resource is Resource.ATTACHMENTS else operation.resource


OWN = {operation.name: _granted_with(operation) for operation in OPERATIONS}
"""The resource that each operation is about: its setting lifts the level of this one alone."""


def _judge(grants: Grants, asked: Asked, found: _Looked, now: datetime) -> tuple[Decision, Sequence[_Verdict]]:
    if grants.expires_at is not None and now >= _moment(grants.expires_at):
        decision, verdicts = _judge(Grants(grants.version), asked, found, now)
        return msgspec.structs.replace(decision, rule=f"its grants ended at {grants.expires_at}"), verdicts
    needs = asked.operation.needs(asked) or (need(asked, Extent.EVERY),)
    verdicts = [_verdict(grants, asked, one, found) for one in needs]
    if len(needs) > 1:
        verdicts = _standing(verdicts, found)
    if asked.operation.name in _OF_WORKFLOWS and _first(verdicts, "refused") is None:
        verdicts += [_verdict(grants, asked, one, found) for one in _of_workflow(asked, needs, found)]
    return _combined(grants, asked, verdicts, found, now), verdicts


@lru_cache(maxsize=1024)
def _moment(expires_at: str) -> datetime:
    return from_wire(expires_at)


def _verdict(grants: Grants, asked: Asked, need: Need, found: _Looked) -> _Verdict:
    granted = grants.resources.get(need.resource, _NOTHING)
    rule = grants.actions.get(need.operation)
    setting = None if rule is None else rule.setting
    if setting == "off" or (setting == "draft" and asked.operation.name not in _DRAFTABLE):
        return _Verdict(need, "refused", granted, setting, "action")
    if granted.level < need.action and (setting is None or OWN.get(need.operation) is not need.resource):
        return _Verdict(need, "refused", granted, setting, "level")
    if granted.inboxes is not None and not _within(granted.inboxes, need, found, asked.operation.action):
        return _Verdict(need, "refused", granted, setting, "place")
    if need.operation == NAMED_ONLY and setting is None and not _speaks(grants, asked):
        return _Verdict(need, "refused", granted, setting, "action")
    return _Verdict(need, "held" if setting == "hold" else "allowed", granted, setting)


def _within(inboxes: frozenset[int], need: Need, found: _Looked, action: Action) -> bool:
    """Whether a need's place lies in some inboxes, which are not all. What is unknown lies nowhere."""
    place = need.place
    if isinstance(place, int):
        return place in inboxes
    if isinstance(place, Of):
        there = found.get(place)
        if there is None:
            return False
        if place.every:
            return bool(there.inboxes) and there.inboxes <= inboxes
        return not there.inboxes.isdisjoint(inboxes)
    # A call that reads all inboxes is narrowed to these; one that writes can't be, whatever it needs to read.
    return bool(inboxes) and (place is Extent.NONE or action == Action.READ)


def _speaks(grants: Grants, asked: Asked) -> bool:
    rule = grants.actions.get(setting(asked.operation.name))
    return limits.speaks([grants.limits, *([rule.limits] if rule and rule.limits else [])])


def _standing(verdicts: list[_Verdict], found: _Looked) -> list[_Verdict]:
    """All verdicts but those on needs that fall away, because the agent may see the customer anyway.

    Somebody who is there, but not for this agent, is nobody new: to write to them would show who they are.
    """
    others = [one for one in verdicts if one.need.unless is None and one.need.place is not Extent.NONE]
    if not others or len(others) == len(verdicts):
        return verdicts
    inboxes = _common(others)
    standing = []
    for one in verdicts:
        named = one.need.unless
        customer = None if named is None else found.get(named)
        if _seen(customer, inboxes):
            continue
        taken = customer is not None and named is not None and named.kind == "email"
        if taken and one.granted.inboxes is not None and one.outcome != "refused":
            one = msgspec.structs.replace(one, outcome="refused", fault="place")
        standing.append(one)
    return standing


def _seen(customer: Found | None, inboxes: frozenset[int] | None) -> bool:
    return customer is not None and (inboxes is None or not inboxes.isdisjoint(customer.inboxes))


def _of_workflow(asked: Asked, needs: Sequence[Need], found: _Looked) -> Iterator[Need]:
    """What a workflow's actions need of each conversation that it is run on, and of where it moves them.

    Switched on, it may act on any conversation of its inbox.
    """
    run = found.get(Of("workflow", asked.path[0]))
    if run is None:
        return  # only somebody of all inboxes gets here: the desk says that there is none
    kind = "conversation" if asked.operation.name == "run_workflow" else "workflow"
    named = dict.fromkeys(one.place for one in needs if isinstance(one.place, Of) and one.place.kind == kind)
    for name in dict.fromkeys(run.does):
        operation = BY_NAME.get(name)
        for place in named:
            if operation is None:  # what is not known may be the worst
                yield Need(Resource.CONVERSATIONS, Action.DELETE, place, name)
            else:
                yield Need(OWN[name], operation.action, place, setting(name))
    for inbox in sorted(run.into):
        yield Need(Resource.CONVERSATIONS, Action.WRITE, inbox, "update_conversation")


def _does(asked: Asked, found: _Looked) -> tuple[str, ...]:
    """What running a workflow, or switching it on or off, amounts to."""
    run = found.get(Of("workflow", asked.path[0])) if asked.operation.name in _OF_WORKFLOWS else None
    return run.does if run is not None else ()


# -- What follows for the call


def _combined(grants: Grants, asked: Asked, verdicts: list[_Verdict], found: _Looked, now: datetime) -> Decision:
    """Refused beats held, held beats allowed."""
    needs = tuple([one.need for one in verdicts])
    refused = _first(verdicts, "refused")
    if refused is None and len(verdicts) > 1:
        refused = _apart(verdicts, found, asked.operation.action)
    draft = False
    for one in verdicts:
        draft = draft or (one.setting == "draft" and one.outcome == "allowed")
    if draft and refused is not verdicts[0] and (beyond := limits.beyond_a_draft(asked)):
        # Before a refusal of what else such an argument needs: granting that would not help.
        return refusal("limit", beyond.rule, needs=needs, path=beyond.path)
    if refused is not None:
        return refusal(
            "missing_grant", _rule(refused, found), needs=needs, missing=_missing(refused),
            elsewhere=refused.fault in ("", "place"),
        )  # fmt: skip
    held = _limits(grants, asked, needs)
    if beyond := limits.outside(held, asked, now) or limits.beyond_a_workflow(held, _does(asked, found)):
        return refusal("limit", beyond.rule, needs=needs, path=beyond.path)
    deciding = _first(verdicts, "held")
    outcome: Outcome = "allowed" if deciding is None else "held"
    if deciding is None:
        deciding = next((one for one in verdicts if one.setting == "draft"), verdicts[0]) if draft else verdicts[0]
    inboxes = _common(verdicts)
    return Decision(
        outcome,
        "hold" if outcome == "held" else "granted",
        _rule(deciding, found),
        needs,
        inboxes=inboxes,
        draft=draft,
        hide=_hidden(grants, asked, needs, inboxes, found),
    )


def _first(verdicts: Sequence[_Verdict], outcome: Outcome) -> _Verdict | None:
    for one in verdicts:
        if one.outcome == outcome:
            return one
    return None


def _apart(verdicts: Sequence[_Verdict], found: _Looked, action: Action) -> _Verdict | None:
    """The need that is granted, but not in an inbox where all else that is needed at the same place is granted too."""
    common: frozenset[int] | None = None
    there: dict[object, frozenset[int]] = {}
    for one in verdicts:
        inboxes, place = one.granted.inboxes, one.need.place
        if inboxes is None or place is Extent.NONE:
            continue
        common = inboxes if common is None else common & inboxes
        there[place] = there.get(place, inboxes) & inboxes
        if not common or not _within(there[place], one.need, found, action):
            return one
    return None


def _common(verdicts: Iterable[_Verdict]) -> frozenset[int] | None:
    """The inboxes in which all is granted that is needed of any inbox; None: all inboxes."""
    common: frozenset[int] | None = None
    for one in verdicts:
        inboxes = one.granted.inboxes
        if inboxes is not None and one.need.place is not Extent.NONE:
            common = inboxes if common is None else common & inboxes
    return common


def _limits(grants: Grants, asked: Asked, needs: Sequence[Need]) -> Mapping[str, Limits]:
    """The limits that hold for a call, by the operation that they are set for."""
    held = {AGENT: grants.limits}
    if grants.actions:
        for name in (setting(asked.operation.name), *[one.operation for one in needs]):
            rule = grants.actions.get(name)
            if rule is not None and rule.limits is not None:
                held[name] = rule.limits
    return held


_Hidden = Literal["preview", "tag_counts", "outgoing"]
_NOTHING_HIDDEN: frozenset[_Hidden] = frozenset()
_PREVIEW: frozenset[_Hidden] = frozenset(("preview",))
_TAG_COUNTS: frozenset[_Hidden] = frozenset(("tag_counts",))
_LEAVES_OUTGOING: frozenset[_Hidden] = frozenset(("outgoing",))
_WITH_PREVIEWS = {one.name for one in OPERATIONS if getattr(one.returns, "shape", None) in (Conversation, Drilldown)}
_WITH_TAG_COUNTS = {"list_tags", "get_tag"}
_LISTING = "list_threads"
_ON_THREADS = {"update_thread", "add_attachment"}
"""What changes a thread that is there, so perhaps a reply that will go out as it is then."""


def _hidden(
    grants: Grants, asked: Asked, needs: Sequence[Need], inboxes: frozenset[int] | None, found: _Looked
) -> frozenset[_Hidden]:
    name = asked.operation.name
    if name in _WITH_PREVIEWS:
        return _NOTHING_HIDDEN if _reads_threads(grants, asked, needs, inboxes, found) else _PREVIEW
    if name in _WITH_TAG_COUNTS:
        return _NOTHING_HIDDEN if _counts_all(grants) else _TAG_COUNTS
    if name in _ON_THREADS and not _sends(grants, asked, needs, found):
        return _LEAVES_OUTGOING
    return _NOTHING_HIDDEN


def _counts_all(grants: Grants) -> bool:
    """Whether the agent is scoped to no inboxes, and may know of conversations at all."""
    held = grants.resources
    known = max(held.get(one, _NOTHING).level for one in (Resource.CONVERSATIONS, Resource.REPORTS))
    return known > 0 and all(one.inboxes is None for one in held.values())


def _reads_threads(
    grants: Grants, asked: Asked, needs: Sequence[Need], inboxes: frozenset[int] | None, found: _Looked
) -> bool:
    """Whether the agent may read threads wherever the call reaches conversations."""
    threads = grants.resources.get(Resource.THREADS, _NOTHING)
    if threads.level and _LISTING not in grants.actions and _includes(threads.inboxes, inboxes):
        return True  # the usual case, told without asking for each place
    where = {one.place for one in needs if one.resource is Resource.CONVERSATIONS}
    for one in threads_read(*where):
        verdict = _verdict(grants, asked, one, found)
        if verdict.outcome != "allowed":
            return False
        if one.place is Extent.EVERY and not _includes(verdict.granted.inboxes, inboxes):
            return False
    return bool(where)


def _sends(grants: Grants, asked: Asked, needs: Sequence[Need], found: _Looked) -> bool:
    """Whether a call that changes a thread adds no words to it, or the agent may send mail there without asking."""
    if isinstance(asked.body, ThreadStep) and letters(asked.body.path or "") != "text":
        return True
    sending = [thread_written(one.place, SENDS_MAIL) for one in needs]
    return all(_verdict(grants, asked, one, found).outcome == "allowed" for one in sending)


def _includes(outer: frozenset[int] | None, inner: frozenset[int] | None) -> bool:
    return outer is None or (inner is not None and inner <= outer)


# -- In words


def _missing(refused: _Verdict) -> Mapping[str, str]:
    need = refused.need
    if refused.fault == "action":
        return {"action": need.operation}
    return {"resource": need.resource.key, "level": LEVELS[need.action]}


def _told(verdict: _Verdict, found: _Looked) -> Told:
    need = verdict.need
    inbox: int | str | None = None
    if isinstance(need.place, int):
        inbox = need.place
    elif need.place is Extent.EVERY:
        inbox = "every"
    elif isinstance(need.place, Of) and (there := found.get(need.place)) and len(there.inboxes) == 1:
        inbox = next(iter(there.inboxes))
    return Told(
        need.resource.key,
        need.action.name.lower(),
        inbox,
        need.operation,
        LEVELS[verdict.granted.level],
        LEVELS[need.action],
        verdict.setting,
        verdict.outcome,
        _rule(verdict, found),
    )


_DOING = ("", "reading", "writing", "deleting")
_PLURALS = {SENDS_MAIL: "replies", "set_conversation_tags": "tags", "add_note": "notes"}
_HELD = {one: tuple(f"its access to {one.value} is {level}" for level in LEVELS) for one in Resource}


def _rule(verdict: _Verdict, found: _Looked) -> str:
    """What decided, and of a refusal what would change it; for people, never for the agent."""
    need, setting = verdict.need, verdict.setting
    held = _HELD[need.resource][verdict.granted.level]
    match verdict.fault:
        case "level":
            return f"{held}, {_DOING[need.action]} needs {LEVELS[need.action]}"
        case "place" if isinstance(need.place, Of) and found.get(need.place) is None:
            return f"{held} in some inboxes, and there is no such {_KINDS.get(need.place.kind, need.place.kind)}"
        case "place" if need.place is Extent.EVERY:
            return f"{held} in some inboxes, and this concerns all"
        case "place":
            return f"{held}, but not in this inbox"
        case "action" if setting is None:
            return f"{need.operation} is not granted by name, and it speaks for others"
        case "action" if setting == "draft":
            return f"{_set(need.operation, setting)}, and this would send one"
    return held if setting is None else _set(need.operation, setting)


_KINDS = {"email": "customer"}


def _set(operation: str, setting: Setting) -> str:
    plural = _PLURALS.get(operation)
    return f"{plural} are set to {setting}" if plural else f"{operation} is set to {setting}"
