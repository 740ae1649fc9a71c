"""The shared limit of this minute: who has used how much of it, what is kept for people, what is left."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from deskhand.gateway import budget
from deskhand.gateway.budget import AgentShown
from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")
WIDTH = 1_000
"""Units that a bar is wide, whatever the limit."""


class Part(msgspec.Struct, frozen=True):
    """A part of the bar: who took it or whose it is, and where it stands. `hue` is an agent's colour."""

    name: str
    units: int
    kind: str
    x: float
    width: float
    agent_id: int = 0


class Meter(msgspec.Struct, frozen=True):
    """How one desk's minute stands, ready to be drawn."""

    name: str
    limit: int
    agents: tuple[AgentShown, ...]
    by_agents: int
    by_people: int
    left: int
    reserve: int
    look_ups: int
    parts: list[Part]


@PAGES.get("/console/budget")
async def show(asked: Asked) -> Response:
    """The meter of each desk that agents used, as far as the answering process knows."""
    named = {one.id: one.name for one in await asked.web.connections.listed(asked.account_id)}
    found = [
        meter(one, "This desk" if one.connection_id is None else named.get(one.connection_id, "A removed connection"))
        for one in asked.web.budget.shown(asked.account_id)
    ]
    now = asked.web.clock.now()
    return await asked.page("oversight/budget.html", meters=found, seconds=60 - now.second, width=WIDTH)


def meter(shown: budget.Shown, name: str) -> Meter:
    """A desk's minute with its bar. What agents did not use of what is gone, people and applications did."""
    by_agents = sum(one.used for one in shown.agents)
    left = max(0, min(shown.remaining, shown.limit - by_agents))
    by_people = max(0, shown.limit - left - by_agents)
    reserve = min(shown.reserve, left)
    pieces = [(one.name, one.used, "agent", one.id) for one in shown.agents if one.used]
    pieces += [
        ("People and applications", by_people, "people", 0),
        ("Left for agents", left - reserve, "left", 0),
        ("Kept for people", reserve, "reserve", 0),
    ]
    return Meter(
        name,
        shown.limit,
        shown.agents,
        by_agents,
        by_people,
        left,
        reserve,
        shown.look_ups,
        _parts(pieces, shown.limit),
    )


def _parts(pieces: list[tuple[str, int, str, int]], limit: int) -> list[Part]:
    parts, x = list[Part](), 0.0
    for name, units, kind, agent_id in pieces:
        if limit and units > 0:
            width = round(WIDTH * units / limit, 1)
            parts.append(Part(name, units, kind, x, width, agent_id))
            x = round(x + width, 1)
    return parts
