"""The account's units of a minute among agents: a reserve for people, fair shares, a short queue, several processes."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from deskhand.db.engine import Database
from deskhand.db.statements import command, value
from deskhand.gateway import budget as rules
from deskhand.gateway.agents import Agent
from deskhand.gateway.budget import UNLIMITED, Budget, Left, OverBudget, Spent
from deskhand.gateway.budget_leases import KEEP_MINUTES
from deskhand.gateway.policy import Grants
from deskhand.gateway.tables import budget_lease
from deskhand.lib.clock import MovableClock
from tests.gateway.builders import Watch, run

TRIAGE, DRAFTER, CLOSER = (
    Agent(id, 1, name, "active", None, None, Grants()) for id, name in ((1, "Triage"), (2, "Drafter"), (3, "Closer"))
)


class Desk:
    """A help desk that counts an account's units by the calendar minute, as ours and Help Scout's do."""

    def __init__(self, clock: Watch | MovableClock, limit: int = 400) -> None:
        self.clock = clock
        self.limit = limit
        self.minute = 0
        self.spent = 0

    def left(self, account_id: int) -> tuple[int, int]:
        minute = int(self.clock.now().timestamp()) // 60
        if minute != self.minute:
            self.minute, self.spent = minute, 0
        return self.limit, max(0, self.limit - self.spent)

    def spend(self, cost: int) -> None:
        assert self.left(1)[1] >= cost, "the desk would refuse this"
        self.spent += cost


async def call(budget: Budget, desk: Desk, agent: Agent, cost: int = 1) -> Spent:
    """A whole call: admitted, counted by the desk, answered."""
    spent = await budget.admit(agent, desk, cost)
    desk.spend(cost)
    budget.ended(spent)
    return spent


async def take(budget: Budget, desk: Desk, agent: Agent, most: int = 10_000, cost: int = 1) -> int:
    """How many units an agent gets that asks for as many."""
    units = 0
    while units < most:
        try:
            await call(budget, desk, agent, cost)
        except OverBudget:
            break
        units += cost
    return units


def taken(budget: Budget, desk: Desk, agent: Agent, most: int = 10_000, cost: int = 1) -> int:
    return run(take(budget, desk, agent, most, cost))


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
def desk(clock: Watch) -> Desk:
    return Desk(clock)


@pytest.fixture
def budget(clock: Watch) -> Budget:
    """On a clock that stands still waiting is of no use, so nobody waits long."""
    return Budget(clock, wait_s=0.01)


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


@settings(max_examples=60, deadline=None)
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


# -- The queue


def just_before(seconds: float) -> MovableClock:
    """A clock that runs and comes to the next minute so soon."""
    clock = MovableClock()
    clock.set(datetime(2026, 11, 23, 12, 1, tzinfo=UTC) - timedelta(seconds=seconds))
    return clock


def test_a_call_waits_for_the_next_minute_when_that_is_near():
    clock = just_before(0.3)
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


def test_a_call_that_no_wait_can_help_is_refused_at_once(budget: Budget, desk: Desk, clock: Watch):
    taken(budget, desk, TRIAGE)
    clock.pass_s(20)
    began = time.monotonic()
    assert taken(budget, desk, TRIAGE) == 0
    assert time.monotonic() - began < 1


def test_so_many_calls_of_an_agent_wait_and_no_more():
    clock = just_before(0.5)
    desk, budget = Desk(clock), Budget(clock, waiting_most=3)

    async def crowd() -> list[object]:
        await take(budget, desk, TRIAGE, most=300)
        return await asyncio.gather(*(call(budget, desk, TRIAGE) for _ in range(5)), return_exceptions=True)

    outcomes = run(crowd())
    assert [isinstance(one, Spent) for one in outcomes] == [True, True, True, False, False]


def test_agents_that_wait_are_served_in_turn_and_each_ones_calls_in_order():
    clock = just_before(0.4)
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
    clock = just_before(0.3)
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
    clock = just_before(0.3)
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
    clock = just_before(0.2)
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
    assert 0.8 < time.monotonic() - began < 6


def test_a_pause_of_a_year_is_not_believed(budget: Budget, desk: Desk):
    budget.told(TRIAGE, desk, 365 * 86_400)
    with pytest.raises(OverBudget) as caught:
        run(budget.admit(TRIAGE, desk, 1))
    assert caught.value.retry_after_s == rules.TOLD_MOST_S


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


def test_letting_a_call_through_takes_less_than_ten_microseconds():
    clock = MovableClock()
    desk, budget = Desk(clock, limit=10**9), Budget(clock)

    async def measure() -> float:
        for agent in (TRIAGE, DRAFTER, CLOSER):
            await take(budget, desk, agent, most=1)
        fastest = 1.0
        for _ in range(30):
            began = time.perf_counter()
            for _ in range(200):
                budget.ended(await budget.admit(TRIAGE, desk, 1))
            fastest = min(fastest, (time.perf_counter() - began) / 200)
        return fastest

    assert run(measure()) < 10e-6


# -- Several processes


@pytest.fixture
def leases(logs: Database) -> Database:
    """A database in which nothing is leased."""
    logs.write_now(lambda tx: tx.run(command(budget_lease.delete(), keep=False)))
    return logs


def test_shares_do_not_multiply_with_processes(leases: Database, clock: Watch, desk: Desk):
    processes = [Budget(clock, leases, 4, wait_s=0.01) for _ in range(4)]

    async def hammer() -> dict[str, int]:
        for budget in processes[:2]:
            for agent in (TRIAGE, DRAFTER):
                await call(budget, desk, agent)

        async def all_of(agent: Agent) -> int:
            return sum(await asyncio.gather(*(take(budget, desk, agent) for budget in processes)))

        found = await asyncio.gather(all_of(TRIAGE), all_of(DRAFTER))
        return dict(zip(("Triage", "Drafter"), found, strict=True))

    units = run(hammer())
    assert all(150 - 2 - 4 * 9 <= one <= 150 - 2 for one in units.values()), units
    assert desk.left(1)[1] >= 100


def test_an_agent_with_one_connection_is_not_cut_to_a_processs_part(leases: Database, clock: Watch, desk: Desk):
    processes = [Budget(clock, leases, 4, wait_s=0.01) for _ in range(4)]
    assert taken(processes[2], desk, TRIAGE) == 300


def test_calls_that_meet_the_minutes_turn_lose_nothing(leases: Database):
    clock = just_before(0.2)
    desk, budget = Desk(clock), Budget(clock, leases, 2)

    async def hammer() -> int:
        ended = time.monotonic() + 0.5
        calls = 0
        while time.monotonic() < ended:
            await asyncio.gather(*(call(budget, desk, agent) for agent in (TRIAGE, DRAFTER)))
            calls += 2
            await asyncio.sleep(0.01)
        return calls

    assert run(hammer()) > 20
    (shown,) = budget.shown(1)
    assert sum(one.used for one in shown.agents) + 2 >= desk.spent > 0


def test_few_transactions_share_a_minute_among_processes(leases: Database, clock: Watch, desk: Desk):
    budget, before = Budget(clock, leases, 2, wait_s=0.01), statements(leases)
    assert taken(budget, desk, TRIAGE, most=150) == 150
    assert statements(leases) - before < 8 * 8


def test_processes_begin_each_minute_anew_and_forget_old_ones(leases: Database, clock: Watch, desk: Desk):
    budget = Budget(clock, leases, 2, wait_s=0.01)
    for _ in range(9):
        assert taken(budget, desk, TRIAGE, most=300) == 300
        clock.pass_s(60)
    count = value(int, sa.select(sa.func.count()).select_from(budget_lease), keep=False)
    assert leases.write_now(lambda tx: tx.first(count)) <= KEEP_MINUTES + 1


def statements(database: Database) -> int:
    """How many the writers ran so far."""
    return sum(session.ran for session in database.lanes["write"].sessions)


def test_after_a_connection_changed_its_desk_is_asked_and_not_the_one_before(clock: Watch, desk: Desk) -> None:
    budget = Budget(clock)
    taken(budget, desk, TRIAGE, 10)
    anew = Desk(clock)
    taken(budget, anew, TRIAGE, 1)
    (shown,) = budget.shown(1)
    assert shown.remaining == 399
