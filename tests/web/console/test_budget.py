"""The budget in the console: whose the minute's units are, as numbers and as a bar that adds up."""

from __future__ import annotations

import pytest

from deskhand.gateway.budget import AgentShown, Shown
from deskhand.web.console.budget import WIDTH, meter
from tests.agents import add_agent
from tests.live import LiveServer
from tests.web.console.overseen import ASKING, first, words
from tests.web.people import signed_in
from tests.world import open_desk


def shown(limit: int, remaining: int, *agents: AgentShown, reserve: int = 100) -> Shown:
    return Shown(None, limit, remaining, reserve, 0, agents)


def agent(id: int, used: int) -> AgentShown:
    return AgentShown(id, f"Agent {id}", 100, used, 0, 0, 0)


def test_what_agents_did_not_use_people_did() -> None:
    found = meter(shown(400, 250, agent(1, 60), agent(2, 30)), "This desk")
    assert (found.by_agents, found.by_people, found.left, found.reserve) == (90, 60, 250, 100)
    assert [(one.name, one.units) for one in found.parts] == [
        ("Agent 1", 60), ("Agent 2", 30), ("People and applications", 60), ("Left for agents", 150),
        ("Kept for people", 100),
    ]  # fmt: skip
    assert found.parts[-1].x + found.parts[-1].width == pytest.approx(WIDTH)


@pytest.mark.parametrize("remaining", [0, 3, 99, 100, 400, 500])
def test_the_bar_adds_up_whatever_a_desk_says(remaining: int) -> None:
    found = meter(shown(400, remaining, agent(1, 7)), "A desk")
    assert sum(one.units for one in found.parts) == 400
    assert found.by_people >= 0


def test_no_limit_draws_nothing() -> None:
    assert meter(shown(0, 0, agent(1, 0), reserve=0), "A desk").parts == []


def test_the_page_shows_who_used_what(server: LiveServer) -> None:
    desk = open_desk(server, rate_limit=400)
    person = signed_in(desk)
    assert "No agent has called yet" in words(person.page("/console/budget"))
    caller = add_agent(desk, "Caller", **ASKING)
    desk.get("/v2/users/me")
    for _ in range(3):
        assert caller.get("/v2/conversations").ok
    page = person.page("/console/budget")
    row = first(page, "tbody tr")
    assert caller.name in row.text_content()
    used = int(row.cssselect("td")[0].text)
    assert used in range(4)  # a new minute may have begun
    told = first(page, "svg.units").get("aria-label")
    assert "Kept for people: 100" in told
    assert not used or f"{caller.name}: {used}" in told
    stranger = signed_in(open_desk(server))
    assert "No agent has called yet" in words(stranger.page("/console/budget"))
