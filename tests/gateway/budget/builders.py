"""Three agents of an account, a help desk that counts its units, and calls that take them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from deskhand.gateway.agents import Agent
from deskhand.gateway.budget import Budget, OverBudget, Spent
from deskhand.gateway.policy import Grants
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
    """The same for a test that has nothing else to wait for."""
    return run(take(budget, desk, agent, most, cost))


def just_before(seconds: float) -> MovableClock:
    """A clock that runs and comes to the next minute so soon."""
    clock = MovableClock()
    clock.set(datetime(2026, 11, 23, 12, 1, tzinfo=UTC) - timedelta(seconds=seconds))
    return clock
