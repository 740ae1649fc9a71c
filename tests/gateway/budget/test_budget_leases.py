"""Several processes share an account's units of a minute by leases."""

from __future__ import annotations

import asyncio
import time

import pytest
import sqlalchemy as sa

from deskhand.db.engine import Database
from deskhand.db.statements import command, value
from deskhand.gateway.agents import Agent
from deskhand.gateway.budget import Budget
from deskhand.gateway.budget_leases import KEEP_MINUTES
from deskhand.gateway.tables import budget_lease
from tests.gateway.budget.builders import DRAFTER, TRIAGE, Desk, call, just_before, take, taken
from tests.gateway.builders import Watch, run


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
    # Half each, but for what processes hold of a lease; who asks first may get a unit of the other's.
    assert all(150 - 2 - 4 * 9 <= one <= 150 for one in units.values()) and sum(units.values()) <= 300 - 4, units
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
        while time.monotonic() < ended or calls <= 20:
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
