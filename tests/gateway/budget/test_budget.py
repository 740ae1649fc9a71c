"""The account's units of a minute among agents: a reserve for people, fair shares, and what is shown of them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskhand.gateway.agents import Agent
from deskhand.gateway.budget import UNLIMITED, Budget, Left, OverBudget, Spent
from deskhand.gateway.policy import Grants
from deskhand.lib.clock import MovableClock
from tests.gateway.budget.builders import CLOSER, DRAFTER, TRIAGE, Desk, call, take, taken
from tests.gateway.builders import Watch, run

# -- The reserve


def test_without_a_limit_nothing_is_counted(budget: Budget, clock: Watch):
    desk = Desk(clock, limit=0)

    async def many() -> None:
        for _ in range(1000):
            budget.ended(await budget.admit(TRIAGE, desk, 2))

    run(many())
    assert budget.left(TRIAGE, desk) == Left(UNLIMITED, UNLIMITED)
    assert budget.shown(1) == []


def test_agents_never_take_the_last_quarter_of_the_minute(budget: Budget, desk: Desk):
    assert taken(budget, desk, TRIAGE) == 300
    assert taken(budget, desk, DRAFTER) == 0
    assert desk.left(1) == (400, 100)


def test_what_people_spend_is_the_agents_loss_only(budget: Budget, desk: Desk):
    desk.spend(250)
    assert taken(budget, desk, TRIAGE) == 50
    desk.spend(100)
    assert taken(budget, desk, TRIAGE) == 0


def test_a_write_does_not_reach_into_the_reserve_with_its_second_unit(budget: Budget, clock: Watch):
    desk = Desk(clock, limit=41)
    assert taken(budget, desk, TRIAGE, cost=2) == 30
    assert desk.left(1) == (41, 11)


def test_a_refusal_names_the_seconds_to_the_next_minute_and_costs_nothing(budget: Budget, desk: Desk, clock: Watch):
    taken(budget, desk, TRIAGE)
    clock.pass_s(17.5)
    with pytest.raises(OverBudget) as caught:
        run(budget.admit(TRIAGE, desk, 1))
    assert (caught.value.status, caught.value.retry_after_s) == (429, 43)
    assert "reserved for people" in caught.value.words
    assert desk.left(1) == (400, 100)
    clock.pass_s(42.5)
    assert taken(budget, desk, TRIAGE) == 300


def test_a_desk_that_is_behind_with_its_news_does_not_let_agents_into_the_reserve(budget: Budget, clock: Watch):
    class Remote(Desk):
        """What is left is only heard with an answer, and none has come yet."""

        def left(self, account_id: int) -> tuple[int, int]:
            return 40, 40

    async def send_all() -> list[Spent]:
        sent: list[Spent] = []
        with pytest.raises(OverBudget):
            while True:
                sent.append(await budget.admit(TRIAGE, Remote(clock), 1))
        return sent

    assert len(run(send_all())) == 30


def test_what_a_remote_desk_said_of_the_last_minute_does_not_count_in_the_next(budget: Budget, clock: Watch):
    class Remote(Desk):
        """It says what is left with its answers only."""

        def __init__(self) -> None:
            super().__init__(clock)
            self.said = (400, 400)

        def left(self, account_id: int) -> tuple[int, int]:
            return self.said

        def spend(self, cost: int) -> None:
            limit, remaining = super().left(1)
            assert remaining - cost >= 0
            self.spent += cost
            self.said = limit, remaining - cost

    desk = Remote()
    for _ in range(3):
        assert taken(budget, desk, TRIAGE) == 300
        clock.pass_s(60)
    desk.spend(50)
    assert taken(budget, desk, TRIAGE) == 250


def test_units_of_calls_under_way_are_not_given_out_twice(budget: Budget, desk: Desk):
    async def at_once() -> int:
        desk.spend(290)  # people
        sent: list[Spent] = []
        with pytest.raises(OverBudget):
            while len(sent) < 100:
                sent.append(await budget.admit(TRIAGE, desk, 1))
        for one in sent:
            desk.spend(1)
            budget.ended(one)
        return len(sent)

    assert run(at_once()) == 10
    assert desk.left(1) == (400, 100)


def test_units_that_were_not_needed_are_given_back(budget: Budget, desk: Desk):
    async def in_vain() -> None:
        for _ in range(1000):
            spent = await budget.admit(TRIAGE, desk, 2)
            budget.ended(spent, unused=True)
            budget.ended(spent, unused=True)  # once is enough

    run(in_vain())
    assert taken(budget, desk, TRIAGE) == 300


# -- Shares


def test_active_agents_have_equal_shares_and_none_takes_anothers_at_the_minutes_beginning(budget: Budget, desk: Desk):
    for agent in (TRIAGE, DRAFTER, CLOSER):
        taken(budget, desk, agent, most=1)
    assert taken(budget, desk, TRIAGE) == 99
    assert taken(budget, desk, DRAFTER) == 99
    assert taken(budget, desk, CLOSER) == 99


def test_an_agent_of_the_last_minute_still_has_its_share(budget: Budget, desk: Desk, clock: Watch):
    taken(budget, desk, DRAFTER, most=1)
    clock.pass_s(60)
    assert taken(budget, desk, TRIAGE) == 150
    clock.pass_s(60)
    assert taken(budget, desk, TRIAGE) == 300, "the other has not called for a whole minute"
    clock.pass_s(60)
    assert taken(budget, desk, DRAFTER) == 150
    assert taken(budget, desk, TRIAGE, most=1) == 1
    clock.pass_s(120)
    assert taken(budget, desk, DRAFTER) == 300


def test_what_others_leave_unused_goes_to_whoever_wants_it_as_the_minute_passes(
    budget: Budget, desk: Desk, clock: Watch
):
    for agent in (TRIAGE, DRAFTER, CLOSER):
        taken(budget, desk, agent, most=1)
    taken(budget, desk, TRIAGE)
    clock.pass_s(30)
    more = taken(budget, desk, TRIAGE)
    assert 95 <= more <= 100, "at half time half of each other's share is still theirs"
    assert taken(budget, desk, DRAFTER) >= 49


def test_nobody_takes_more_than_twice_its_share(budget: Budget, desk: Desk, clock: Watch):
    for agent in (TRIAGE, DRAFTER, CLOSER):
        taken(budget, desk, agent, most=1)
    clock.pass_s(59.9)
    assert taken(budget, desk, TRIAGE) == 199
    with pytest.raises(OverBudget, match="API rate limit") as caught:
        run(budget.admit(TRIAGE, desk, 1))
    assert caught.value.words == "the share of Triage in the account's units of this minute is used up"


def test_shares_may_be_weighted(clock: Watch, desk: Desk):
    budget = Budget(clock, weights={TRIAGE.id: 3}, wait_s=0.01)
    for agent in (TRIAGE, DRAFTER):
        taken(budget, desk, agent, most=1)
    assert taken(budget, desk, TRIAGE) == 224
    assert taken(budget, desk, DRAFTER) == 74


def test_every_agent_can_make_a_call_a_minute_however_small_its_share(budget: Budget, clock: Watch):
    desk = Desk(clock, limit=12)
    agents = [Agent(id, 1, f"Agent {id}", "active", None, None, Grants()) for id in range(1, 9)]
    for agent in agents:
        taken(budget, desk, agent, most=1)
    clock.pass_s(60)  # a share is 9 / 8 units now
    assert [taken(budget, desk, agent, most=2, cost=2) for agent in agents[:4]] == [2, 2, 2, 2]
    assert taken(budget, desk, agents[0], cost=2) == 0


def test_agents_on_different_desks_do_not_share(budget: Budget, clock: Watch):
    elsewhere = Agent(9, 1, "Afar", "active", None, 7, Grants())
    here, there = Desk(clock, 40), Desk(clock, 80)
    assert taken(budget, here, TRIAGE) == 30
    assert taken(budget, there, elsewhere) == 60
    assert [one.connection_id for one in budget.shown(1)] == [None, 7]


@settings(max_examples=60)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([TRIAGE, DRAFTER, CLOSER, None]), st.integers(1, 2), st.floats(0, 3)), max_size=300
    ),
    limit=st.integers(1, 60),
)
def test_whatever_happens_the_reserve_holds_and_nobody_gets_more_than_twice_a_share(
    steps: list[tuple[Agent | None, int, float]], limit: int
):
    clock = Watch()
    desk, budget = Desk(clock, limit), Budget(clock, wait_s=0)
    closed = -(-limit // 4)

    async def live() -> None:
        minute, used = 0, dict.fromkeys((1, 2, 3), 0)
        for agent, cost, pause in steps:
            clock.pass_s(pause)
            _, left = desk.left(1)
            if desk.minute != minute:
                minute, used = desk.minute, dict.fromkeys((1, 2, 3), 0)
            if agent is None:
                desk.spend(min(cost, left))
                continue
            try:
                await call(budget, desk, agent, cost)
            except OverBudget:
                continue
            assert left - cost >= closed
            used[agent.id] += cost
            active = len(budget.shown(1)[0].agents)
            most = 2 * (limit - closed) / active
            assert used[agent.id] <= max(most, cost) or active == 1 or used[agent.id] <= limit - closed

    run(live())


# -- What is shown


def test_the_headers_say_the_smaller_of_the_accounts_and_the_agents_rest(budget: Budget, desk: Desk):
    taken(budget, desk, TRIAGE, most=10)
    assert budget.left(TRIAGE, desk) == Left(400, 290)
    taken(budget, desk, DRAFTER, most=1)
    assert budget.left(TRIAGE, desk) == Left(400, 140)
    desk.spend(380)
    assert budget.left(DRAFTER, desk) == Left(400, 0)


def test_asking_what_is_left_takes_nothing_from_others(budget: Budget, desk: Desk):
    assert budget.left(DRAFTER, desk) == Left(400, 300)
    assert taken(budget, desk, TRIAGE) == 300


def test_administrators_see_who_uses_what(budget: Budget, desk: Desk, clock: Watch):
    taken(budget, desk, TRIAGE, most=4, cost=2)
    budget.ended(run(budget.admit(DRAFTER, desk, 1, look_up=True)))
    desk.spend(1)
    budget.looked_up(DRAFTER, desk, 2)
    desk.spend(2)
    clock.pass_s(10)
    desk.spend(290)
    assert taken(budget, desk, TRIAGE) == 1
    (shown,) = budget.shown(1)
    assert (shown.connection_id, shown.limit, shown.remaining, shown.reserve, shown.look_ups) == (
        None,
        400,
        102,
        100,
        3,
    )
    triage, drafter = shown.agents
    assert (triage.name, triage.used, triage.look_ups, triage.waiting, triage.refused) == ("Triage", 5, 0, 0, 1)
    assert (drafter.name, drafter.used, drafter.look_ups, drafter.refused) == ("Drafter", 3, 3, 0)
    assert triage.share == drafter.share == 5
    assert budget.shown(2) == []


def test_letting_a_call_through_takes_a_few_microseconds():
    clock = MovableClock()
    desk, budget = Desk(clock, limit=10**9), Budget(clock)

    async def measure() -> float:
        for agent in (TRIAGE, DRAFTER, CLOSER):
            await take(budget, desk, agent, most=1)
        fastest = 1.0
        for _ in range(100):
            began = time.process_time()
            for _ in range(200):
                budget.ended(await budget.admit(TRIAGE, desk, 1))
            fastest = min(fastest, (time.process_time() - began) / 200)
        return fastest

    assert run(measure()) < 30e-6  # an eighth of that on a machine at rest


def test_after_a_connection_changed_its_desk_is_asked_and_not_the_one_before(clock: Watch, desk: Desk) -> None:
    budget = Budget(clock)
    taken(budget, desk, TRIAGE, 10)
    anew = Desk(clock)
    taken(budget, anew, TRIAGE, 1)
    (shown,) = budget.shown(1)
    assert shown.remaining == 399
