"""What a remote desk says of its limit, and the units that look-ups take."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from deskhand.catalogue.operation import Of
from deskhand.gateway.agents import Agent
from deskhand.gateway.budget import Budget
from deskhand.gateway.remote import Remote
from deskhand.gateway.upstream import UpstreamDown
from tests.gateway.fake_desk import FakeDesk, Says, error, in_turn
from tests.gateway.remote.builders import READ, TAG, call, use
from tests.gateway.remote_world import House, send


def limited(remaining: int) -> Says:
    return Says(
        content=TAG,
        headers=(("X-RateLimit-Limit-Minute", "400"), ("X-RateLimit-Remaining-Minute", str(remaining))),
    )


def test_what_the_desk_says_of_its_limit_is_remembered(house: House, desk: FakeDesk) -> None:
    desk.answer = lambda _: limited(321)

    async def work(remote: Remote, agent: Agent) -> Any:
        before = remote.left(agent.account_id)
        await send(remote, agent, *READ)
        return before, remote.left(agent.account_id)

    assert use(house, desk, work) == ((0, 0), (400, 321))


@pytest.mark.parametrize("name", ["X_RateLimit_Retry_After", "Retry_After"])
def test_of_a_pause_the_agent_is_told_and_whoever_shares_units_out(house: House, desk: FakeDesk, name: str) -> None:
    desk.answer = lambda _: error(429, **{name: "37"})
    answer = call(house, desk, *READ)
    assert answer.status == 429
    assert dict(answer.headers) == {"X-RateLimit-Retry-After": "37", "Retry-After": "37"}
    assert json.loads(answer.body) == {"message": "API rate limit exceeded"}
    assert len(desk.calls()) == 1


CONVERSATION = Of("conversation", 5)


def test_look_ups_take_units_out_of_the_agents_share(house: House, desk: FakeDesk) -> None:
    budget = Budget(house.clock, wait_s=0)

    async def work(remote: Remote, agent: Agent) -> Any:
        desk.answer = lambda _: limited(400)
        await send(remote, agent, *READ)
        desk.answer = lambda _: error(404)
        for _ in range(3):
            assert await remote.look_up(agent, {CONVERSATION}) == {CONVERSATION: None}
        return budget.shown(agent.account_id), remote.look_ups

    (shown,), look_ups = use(house, desk, work, budget=budget)
    assert (shown.connection_id is not None, shown.look_ups, look_ups) == (True, 3, 3)


def test_a_look_up_waits_for_a_short_pause_and_not_for_a_long_one(house: House, desk: FakeDesk) -> None:
    budget = Budget(house.clock, wait_s=15)

    async def work(remote: Remote, agent: Agent) -> Any:
        desk.answer = lambda _: limited(400)
        await send(remote, agent, *READ)
        desk.asked.clear()
        desk.answer = in_turn(error(429, Retry_After="1"), error(404))
        before = time.monotonic()
        assert await remote.look_up(agent, {CONVERSATION}) == {CONVERSATION: None}
        assert time.monotonic() - before > 0.9
        desk.answer = lambda _: error(429, Retry_After="30")
        waits = []
        for _ in range(2):
            with pytest.raises(UpstreamDown) as caught:
                await remote.look_up(agent, {CONVERSATION})
            waits.append(caught.value.retry_after_s)
        return waits

    assert all(25 <= wait <= 30 for wait in use(house, desk, work, budget=budget))
    assert len(desk.calls()) == 3
