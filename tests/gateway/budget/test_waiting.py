"""A short queue for calls that come when the units of a minute are used up, and pauses that the desk asks for."""

from __future__ import annotations

import asyncio
import time

import pytest

from deskhand.gateway import budget as rules
from deskhand.gateway.agents import Agent
from deskhand.gateway.budget import Budget, OverBudget, Spent
from tests.gateway.budget.builders import DRAFTER, TRIAGE, Desk, call, just_before, take, taken
from tests.gateway.builders import Watch, run


def test_a_call_waits_for_the_next_minute_when_that_is_near():
    clock = just_before(1)
    desk, budget = Desk(clock), Budget(clock)

    async def wait() -> float:
        await take(budget, desk, TRIAGE, most=300)
        began = time.monotonic()
        await call(budget, desk, TRIAGE)
        return time.monotonic() - began

    assert 0.1 < run(wait()) < 20
    assert desk.spent == 1, "it counts in the minute in which it was sent"


def test_waiting_in_vain_ends_after_the_longest_wait(clock: Watch, desk: Desk):
    budget = Budget(clock, wait_s=0.2)

    async def wait() -> float:
        await take(budget, desk, TRIAGE)
        clock.pass_s(59.9)  # and there it stands still
        began = time.monotonic()
        with pytest.raises(OverBudget) as caught:
            await budget.admit(TRIAGE, desk, 1)
        assert caught.value.retry_after_s == 1
        return time.monotonic() - began

    assert 0.15 < run(wait()) < 20
    assert budget.shown(1)[0].agents[0].waiting == 0


def test_a_call_that_no_wait_can_help_is_refused_at_once(desk: Desk, clock: Watch):
    budget = Budget(clock, wait_s=30)
    taken(budget, desk, TRIAGE)
    clock.pass_s(20)
    began = time.monotonic()
    assert taken(budget, desk, TRIAGE) == 0
    assert time.monotonic() - began < 20


def test_so_many_calls_of_an_agent_wait_and_no_more():
    clock = just_before(1)
    desk, budget = Desk(clock), Budget(clock, waiting_most=3)

    async def crowd() -> list[object]:
        await take(budget, desk, TRIAGE, most=300)
        return await asyncio.gather(*(call(budget, desk, TRIAGE) for _ in range(5)), return_exceptions=True)

    outcomes = run(crowd())
    assert [isinstance(one, Spent) for one in outcomes] == [True, True, True, False, False]


def test_agents_that_wait_are_served_in_turn_and_each_ones_calls_in_order():
    clock = just_before(1)
    desk, budget = Desk(clock), Budget(clock)
    served: list[str] = []

    async def one(agent: Agent, number: int) -> None:
        await call(budget, desk, agent)
        served.append(f"{agent.name} {number}")

    async def crowd() -> None:
        await take(budget, desk, TRIAGE, most=300)
        calls = [asyncio.create_task(one(TRIAGE, number)) for number in (1, 2, 3)]
        await asyncio.sleep(0.05)
        calls += [asyncio.create_task(one(DRAFTER, number)) for number in (1, 2)]
        await asyncio.gather(*calls)

    run(crowd())
    assert served == ["Triage 1", "Drafter 1", "Triage 2", "Drafter 2", "Triage 3"]


def test_a_small_call_does_not_overtake_a_larger_one_of_the_same_agent():
    clock = just_before(1)
    desk, budget = Desk(clock), Budget(clock)
    served: list[str] = []

    async def one(name: str, cost: int) -> None:
        await call(budget, desk, TRIAGE, cost)
        served.append(name)

    async def crowd() -> None:
        await take(budget, desk, TRIAGE, most=299)
        write = asyncio.create_task(one("write", 2))
        await asyncio.sleep(0)
        await asyncio.gather(write, one("read", 1))

    run(crowd())
    assert served == ["write", "read"]


def test_a_caller_that_goes_away_leaves_the_queue():
    clock = just_before(1)
    desk, budget = Desk(clock), Budget(clock)

    async def go_away() -> None:
        await take(budget, desk, TRIAGE, most=300)
        gone = asyncio.create_task(budget.admit(TRIAGE, desk, 1))
        stays = asyncio.create_task(budget.admit(TRIAGE, desk, 1))
        await asyncio.sleep(0.01)
        assert budget.shown(1)[0].agents[0].waiting == 2
        gone.cancel()
        await stays
        assert gone.cancelled()

    run(go_away())
    assert [(one.used, one.waiting) for one in budget.shown(1)[0].agents] == [(1, 0)]


def test_a_caller_that_goes_away_as_it_is_let_through_gives_its_units_back():
    clock = just_before(1)
    desk, budget = Desk(clock), Budget(clock)

    async def go_away() -> None:
        await take(budget, desk, TRIAGE, most=300)
        gone = asyncio.create_task(budget.admit(TRIAGE, desk, 2))
        while budget.shown(1)[0].agents[0].used != 2:  # noqa: ASYNC110 (just then, not a moment later)
            await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone

    run(go_away())
    assert [one.used for one in budget.shown(1)[0].agents] == [0]


def test_a_pause_that_the_desk_asks_for_is_kept(budget: Budget, desk: Desk, clock: Watch):
    budget.told(TRIAGE, desk, 42)
    with pytest.raises(OverBudget) as caught:
        run(budget.admit(DRAFTER, desk, 1))
    assert caught.value.retry_after_s == 42
    assert "asked for a pause" in caught.value.words
    clock.pass_s(42)
    assert taken(budget, desk, DRAFTER, most=5) == 5


def test_a_short_pause_that_the_desk_asks_for_is_waited_for():
    clock = just_before(30)
    desk, budget = Desk(clock), Budget(clock)
    budget.told(TRIAGE, desk, 1)
    began = time.monotonic()
    run(call(budget, desk, TRIAGE))
    assert 0.8 < time.monotonic() - began < 20


def test_a_pause_of_a_year_is_not_believed(budget: Budget, desk: Desk):
    budget.told(TRIAGE, desk, 365 * 86_400)
    with pytest.raises(OverBudget) as caught:
        run(budget.admit(TRIAGE, desk, 1))
    assert caught.value.retry_after_s == rules.TOLD_MOST_S
