"""Grants in plain English: what an agent may do, and how two versions differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deskhand.catalogue.needs import SENDS_MAIL
from deskhand.catalogue.operation import Resource
from deskhand.catalogue.operations import BY_NAME
from deskhand.gateway import limits
from deskhand.gateway.limits import Limits, listed
from deskhand.gateway.policy import LEVELS, WITHOUT_INBOXES, Granted, Grants, Rule, Setting
from deskhand.gateway.sentences import phrase

_TAGGING = "set_conversation_tags"
_EVERYTHING = frozenset(Resource) - {Resource.ATTACHMENTS, Resource.WEBHOOKS}
"""What reading everything means; webhooks send texts elsewhere and count apart."""
_SETTINGS: dict[str, dict[Setting, str]] = {
    SENDS_MAIL: {
        "off": "may not reply",
        "allow": "may reply",
        "draft": "its replies become drafts",
        "hold": "its replies wait for a person",
    },
    _TAGGING: {"off": "may not change tags", "allow": "may change tags", "hold": "tag changes wait for a person"},
    "update_conversation": {
        "off": "may not change conversations",
        "allow": "may change conversations",
        "hold": "changes of conversations wait for a person",
    },
    "update_thread": {
        "off": "may not rewrite texts",
        "allow": "may rewrite texts",
        "hold": "rewriting texts waits for a person",
    },
}


def in_words(
    grants: Grants, inbox_names: Mapping[int, str] | None = None, people: Mapping[int, str] | None = None
) -> str:
    """What an agent may do: "reads everything in Orders; its replies become drafts"."""
    names = inbox_names or {}
    said = [
        *_levels(grants, names),
        *(_action(name, rule, people) for name, rule in grants.actions.items()),
        *(f"may {words}" for words in limits.in_words(grants.limits, people)),
    ]
    if not said:
        return "may do nothing"
    return "; ".join([*said, *([f"until {grants.expires_at}"] if grants.expires_at else [])])


def diff(old: Grants, new: Grants, inbox_names: Mapping[int, str] | None = None) -> list[str]:
    """What changed, line by line: "conversations: read in Orders → write in every inbox"."""
    return [f"{what}: {before} → {after}" for what, before, after in changes(old, new, inbox_names)]


def changes(
    old: Grants,
    new: Grants,
    inbox_names: Mapping[int, str] | None = None,
    people: Mapping[int, str] | None = None,
) -> list[tuple[str, str, str]]:
    """What changed: the resource, the action, `limits` or `end`, how it was before and how it is after, in words."""
    names = inbox_names or {}
    pairs = [
        *(
            (one.value, _held(one, old.resources.get(one), names), _held(one, new.resources.get(one), names))
            for one in Resource
        ),
        *(
            (name, _rule(old.actions.get(name), people), _rule(new.actions.get(name), people))
            for name in sorted({*old.actions, *new.actions})
        ),
        ("limits", _limits(old.limits, people), _limits(new.limits, people)),
        ("end", old.expires_at or "never", new.expires_at or "never"),
    ]
    return [(what, before, after) for what, before, after in pairs if before != after]


# -- Levels


def _levels(grants: Grants, names: Mapping[int, str]) -> list[str]:
    """A sentence per verb and scope: what is read, then what is written and deleted beside that."""
    said: list[str] = []
    for least, verb in ((1, "reads"), (2, "writes"), (3, "deletes")):
        held = {one: granted for one, granted in grants.resources.items() if granted.level >= least}
        scopes: dict[frozenset[int] | None, list[Resource]] = {}
        for one in (one for one in Resource if one in held and one not in WITHOUT_INBOXES):
            scopes.setdefault(held[one].inboxes, []).append(one)
        everywhere = [one for one in Resource if one in held and one in WITHOUT_INBOXES]
        if len(scopes) == 1 and held.keys() >= _EVERYTHING:
            scope = next(iter(scopes))
            more = " and webhooks" if Resource.WEBHOOKS in held else ""
            said.append(f"{verb} everything{more}{_where(scope, names) if scope is not None else ''}")
            continue
        said += [f"{verb} {_named(ones)}{_where(scope, names)}" for scope, ones in scopes.items()]
        if everywhere:
            said.append(f"{verb} {_named(everywhere)}")
    return said


def _named(resources: Iterable[Resource]) -> str:
    return listed([one.value for one in resources])


def _where(inboxes: frozenset[int] | None, names: Mapping[int, str]) -> str:
    if inboxes is None:
        return " in every inbox"
    return f" in {listed([names.get(id) or f'inbox {id}' for id in sorted(inboxes)])}"


def _held(resource: Resource, granted: Granted | None, names: Mapping[int, str]) -> str:
    if granted is None:
        return "off"
    return LEVELS[granted.level] + ("" if resource in WITHOUT_INBOXES else _where(granted.inboxes, names))


# -- Actions and limits


def _action(name: str, rule: Rule, people: Mapping[int, str] | None) -> str:
    known = _SETTINGS.get(name, {}).get(rule.setting)
    if known is None:
        does = phrase(BY_NAME[name])
        said = {"off": f"may not {does}", "hold": f"may {does} once a person agrees"}
        known = said.get(rule.setting, f"may {does}")
    return known if rule.limits is None else f"{known} ({_limits(rule.limits, people)})"


def _rule(rule: Rule | None, people: Mapping[int, str] | None) -> str:
    if rule is None:
        return "by its level"
    return rule.setting if rule.limits is None else f"{rule.setting} ({_limits(rule.limits, people)})"


def _limits(held: Limits, people: Mapping[int, str] | None) -> str:
    return ", ".join(f"may {words}" for words in limits.in_words(held, people)) or "none"
