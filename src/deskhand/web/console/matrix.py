"""The matrix: what every agent may do with every resource, at a glance."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from deskhand.catalogue.operation import Resource
from deskhand.gateway.administering.agents import ShownAgent
from deskhand.gateway.policy import LEVELS, OWN, Grants
from deskhand.web import words
from deskhand.web.console.editing import LEVEL_OF, MAIN
from deskhand.web.console.knowing import (
    ABOUT,
    RESOURCES,
    action_words,
    belongs_to_inboxes,
    held,
    inbox_names,
    known,
    stopped,
)
from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")


class Column(msgspec.Struct, frozen=True):
    """An agent as a column."""

    agent: ShownAgent
    grants: Grants
    inboxes: Mapping[int, str]
    stopped: str


class Cell(msgspec.Struct, frozen=True):
    """What an agent holds at a place. Of an action, `inherited` says that its resource's level decides."""

    agent: ShownAgent
    value: str
    where: str = ""
    inherited: bool = False
    limited: bool = False


class Row(msgspec.Struct, frozen=True):
    """A resource or an action with what each agent holds; `anchor` is its place in the editor."""

    anchor: str
    name: str
    about: str
    cells: list[Cell]


@PAGES.get("/console/matrix")
async def show(asked: Asked) -> Response:
    """Resources and actions by agents."""
    about = await asked.read(lambda db: known(db, asked.account_id))
    stops = await asked.web.administration.stops.listed(asked.account_id)
    columns = [
        Column(one, held(one), inbox_names(one, about) or {}, stopped(one, stops, about))
        for one in await asked.web.administration.agents.listed(asked.account_id)
    ]
    return await asked.page(
        "console/matrix.html", columns=columns, resources=resources(columns), actions=actions(columns)
    )


def resources(columns: list[Column]) -> list[Row]:
    """A row for each resource."""
    return [
        Row(f"resources.{one.key}", one.value, ABOUT[one], [_level(one, column) for column in columns])
        for one in RESOURCES
    ]


def actions(columns: list[Column]) -> list[Row]:
    """A row for each action that is usually set apart, and for each that some agent has set."""
    chosen = {name for column in columns for name in column.grants.actions}
    names = [*MAIN, *sorted(chosen.difference(MAIN))]
    return [
        Row(f"actions.{name}", action_words(name), OWN[name].value, [_action(name, column) for column in columns])
        for name in names
    ]


def _level(resource: Resource, column: Column) -> Cell:
    granted = column.grants.resources.get(resource)
    if granted is None or not granted.level:
        return Cell(column.agent, "off")
    where = _where(granted.inboxes, column.inboxes) if belongs_to_inboxes(resource) else ""
    return Cell(column.agent, LEVELS[granted.level], where)


def _action(name: str, column: Column) -> Cell:
    """What is set for an action, or what the level of its resource says."""
    rule, granted = column.grants.actions.get(name), column.grants.resources.get(OWN[name])
    where = "" if granted is None or not belongs_to_inboxes(OWN[name]) else _where(granted.inboxes, column.inboxes)
    if rule is None:
        level = 0 if granted is None else granted.level
        allowed = level >= LEVELS.index(LEVEL_OF[name])
        return Cell(column.agent, "allow" if allowed else "off", where if allowed else "", inherited=True)
    return Cell(column.agent, rule.setting, "" if rule.setting == "off" else where, limited=rule.limits is not None)


def _where(scope: frozenset[int] | None, names: Mapping[int, str]) -> str:
    if scope is None:
        return "every inbox"
    listed = [names.get(id) or f"inbox {id}" for id in sorted(scope)]
    return words.joined(listed) if len(listed) < 3 else f"{listed[0]} and {len(listed) - 1} more"
