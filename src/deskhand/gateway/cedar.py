"""Grants as Cedar policies, so that they can be read and asked by tools that know nothing of Deskhand.

A request asks whether an agent may call an operation in an inbox, `resource == Inbox::"501"`, or on what belongs to no
inbox or to all of them, `resource == Account::"all"`; and with which outcome, `context.outcome`: `allowed`, `held` (a
person decides) or `draft` (replies stay drafts). A call that needs several things is asked once for each. Limits of
arguments are not told; an end of the grants needs `context.now`, a datetime.
Source of the language: https://docs.cedarpolicy.com/policies/syntax-policy.html
"""

from __future__ import annotations

from collections.abc import Iterator

from deskhand.catalogue.needs import setting
from deskhand.catalogue.operation import Action, Resource
from deskhand.catalogue.operations import OPERATIONS
from deskhand.gateway import limits
from deskhand.gateway.policy import LEVELS, NAMED_ONLY, OWN, Granted, Grants

_OUTCOMES = {"allow": "allowed", "hold": "held", "draft": "draft"}
_ACTIONS = {setting(one.name): one.action for one in OPERATIONS}


def policies(agent_id: int, grants: Grants) -> str:
    """An agent's grants as Cedar policies; what none of them permits is denied."""
    said = [
        _permit(agent_id, resource, granted, names, outcome)
        for resource, granted in grants.resources.items()
        for outcome, names in _by_outcome(grants, resource, granted.level).items()
        if names
    ]
    if grants.expires_at is not None:
        said.append(_end(agent_id, grants.expires_at))
    return "\n".join(said)


def _by_outcome(grants: Grants, resource: Resource, level: int) -> dict[str, list[str]]:
    """The operations of a resource by what becomes of a call."""
    found: dict[str, list[str]] = {outcome: [] for outcome in _OUTCOMES.values()}
    for name, action in _ACTIONS.items():
        if OWN[name] is not resource:
            continue
        rule = grants.actions.get(name)
        if rule is None:
            if level >= action and (name != NAMED_ONLY or limits.speaks([grants.limits])):
                found["allowed"].append(name)
        elif rule.setting != "off":
            found[_OUTCOMES[rule.setting]].append(name)
    return found


def _permit(agent_id: int, resource: Resource, granted: Granted, names: list[str], outcome: str) -> str:
    listed = ", ".join(f'Action::"{name}"' for name in names)
    return f"""// {resource.value}: {LEVELS[granted.level]}
permit (
  principal == Agent::"{agent_id}",
  action in [{listed}],
  resource
)
when {{ context.outcome == "{outcome}" && ({" || ".join(_places(resource, granted, names))}) }};
"""


def _places(resource: Resource, granted: Granted, names: list[str]) -> Iterator[str]:
    if granted.inboxes is None:
        yield "resource is Inbox"
        yield 'resource == Account::"all"'
    else:
        listed = ", ".join(f'Inbox::"{id}"' for id in sorted(granted.inboxes))
        yield f"resource in [{listed}]"
        reading = ", ".join(f'Action::"{name}"' for name in names if _ACTIONS[name] == Action.READ)
        if reading:  # answers are narrowed to the inboxes above
            yield f'(resource == Account::"all" && action in [{reading}])'


def _end(agent_id: int, expires_at: str) -> str:
    return f"""// These grants end.
forbid (principal == Agent::"{agent_id}", action, resource)
unless {{ context has now && context.now < datetime("{expires_at}") }};
"""
