"""An account's units of a minute: shared by all its calls, never exceeded, by one process or by several."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
from collections.abc import Awaitable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from sqlalchemy import select

from deskhand.api.rate_limit import UNLIMITED, Budget, LeasedRateLimit, RateLimit, rate_limit_for
from deskhand.catalogue.problems import TooManyRequests
from deskhand.db.database import SQLITE_FILE, open_database
from deskhand.db.engine import Database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.statements import value
from deskhand.desk.rate_leases import KEEP_MINUTES, rate_lease
from tests import postgresql
from tests.api.hammer import Job, Spent
from tests.commands import ROOT

T = TypeVar("T")
ACCOUNT = itertools.count(1)


class Watch:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 12, 0, 18, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture(scope="module")
def url(postgresql_server: str) -> str:
    made = postgresql.create_database(postgresql_server, "rate_limit")
    upgrade(sqlalchemy_url(made, Path()))
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    database_url = request.getfixturevalue("url") if request.param == "postgresql" else ""
    if not database_url:
        upgrade(sqlalchemy_url("", tmp_path / SQLITE_FILE))
    opened = open_database(database_url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture(params=["memory", "leases"])
def rate_limit(request: pytest.FixtureRequest, clock: Watch) -> Iterator[RateLimit]:
    """Both kinds keep the same rules for a single process."""
    if request.param == "memory":
        yield RateLimit(clock)
        return
    database = open_database(request.getfixturevalue("url"), Path())
    yield LeasedRateLimit(clock, database, 3)
    database.close()


def run(awaitable: Awaitable[T]) -> T:
    async def wait() -> T:
        return await awaitable

    return asyncio.run(wait())


async def spend_all(rate_limit: RateLimit, account: int, limit: int, cost: int = 1) -> int:
    """How many calls are let through."""
    calls = 0
    while True:
        try:
            await rate_limit.spend(account, limit, cost)
        except TooManyRequests:
            return calls
        calls += 1


def test_units_are_spent_until_none_are_left(rate_limit: RateLimit):
    account = next(ACCOUNT)
    assert rate_limit.left(account, 10) == Budget(10, 10)
    assert run(rate_limit.spend(account, 10, 2)) == Budget(10, 8)
    assert rate_limit.left(account, 10) == Budget(10, 8)
    assert run(spend_all(rate_limit, account, 10)) == 8
    assert rate_limit.left(account, 10) == Budget(10, 0)


def test_a_refusal_names_the_seconds_to_the_next_minute_and_costs_nothing(rate_limit: RateLimit):
    account = next(ACCOUNT)
    run(rate_limit.spend(account, 3, 2))
    with pytest.raises(TooManyRequests) as caught:
        run(rate_limit.spend(account, 3, 2))
    assert caught.value.retry_after_s == 42
    assert run(rate_limit.spend(account, 3, 1)) == Budget(3, 0)


def test_the_next_minute_begins_anew(rate_limit: RateLimit, clock: Watch):
    account = next(ACCOUNT)
    run(spend_all(rate_limit, account, 5))
    clock.at += timedelta(seconds=42)
    assert rate_limit.left(account, 5) == Budget(5, 5)
    assert run(rate_limit.spend(account, 5, 1)) == Budget(5, 4)


def test_accounts_have_units_of_their_own(rate_limit: RateLimit):
    one, other = next(ACCOUNT), next(ACCOUNT)
    run(spend_all(rate_limit, one, 5))
    assert run(rate_limit.spend(other, 5, 1)) == Budget(5, 4)


def test_a_limit_of_zero_is_none(rate_limit: RateLimit):
    assert run(rate_limit.spend(next(ACCOUNT), 0, 2)) == Budget(UNLIMITED, UNLIMITED)


def test_a_limit_that_is_lowered_holds_at_once_for_what_is_not_leased_yet(rate_limit: RateLimit):
    account = next(ACCOUNT)
    for _ in range(6):
        run(rate_limit.spend(account, 100, 1))
    assert run(spend_all(rate_limit, account, 4)) <= 1  # a unit of a block that was leased before


def test_all_of_a_process_can_be_forgotten(clock: Watch):
    rate_limit = RateLimit(clock)
    run(spend_all(rate_limit, 1, 5))
    rate_limit.forget()
    assert run(rate_limit.spend(1, 5, 1)) == Budget(5, 4)


def test_one_process_counts_in_memory_and_several_by_leases(clock: Watch, tmp_path: Path):
    database = open_database("", tmp_path)
    assert type(rate_limit_for(1, clock, database)) is RateLimit
    assert type(rate_limit_for(2, clock, database)) is LeasedRateLimit
    database.close()


def test_the_remaining_units_are_those_that_nobody_else_leased(database: Database, clock: Watch):
    here, there = (LeasedRateLimit(clock, database, 2) for _ in range(2))
    account = next(ACCOUNT)
    assert run(here.spend(account, 400, 1)) == Budget(400, 399)  # a block of 10, 9 of them unspent
    assert run(there.spend(account, 400, 1)) == Budget(400, 389)
    assert here.left(account, 400) == Budget(400, 399)  # as of its last lease
    for _ in range(10):
        run(here.spend(account, 400, 1))
    assert here.left(account, 400) == Budget(400, 379)


def test_many_calls_at_once_take_two_leases_at_most(database: Database, clock: Watch):
    rate_limit = LeasedRateLimit(clock, database, 4)
    account = next(ACCOUNT)

    async def burst() -> None:
        await asyncio.gather(*(rate_limit.spend(account, 400, 1) for _ in range(100)))

    before = statements(database)
    run(burst())
    # Begin, seek the row, make it, delete old ones, seek it again, lease, commit; and begin, seek, lease, commit.
    assert statements(database) - before <= 7 + 4
    assert rate_limit.left(account, 400) == Budget(400, 300)


def test_refusals_ask_the_database_once(database: Database, clock: Watch):
    rate_limit = LeasedRateLimit(clock, database, 2)
    account = next(ACCOUNT)
    run(spend_all(rate_limit, account, 20))
    before = statements(database)
    for _ in range(5):
        assert run(spend_all(rate_limit, account, 20)) == 0
    assert statements(database) == before


def test_rows_of_past_minutes_go_away(database: Database, clock: Watch):
    rate_limit = LeasedRateLimit(clock, database, 2)
    account = next(ACCOUNT)
    for _ in range(10):
        run(rate_limit.spend(account, 20, 1))
        clock.at += timedelta(minutes=1)
    minutes = value(int, select(rate_lease.c.minute).where(rate_lease.c.account_id == account), keep=False)
    assert len(database.read_now(lambda db: db.all(minutes))) == KEEP_MINUTES + 1


@pytest.fixture(scope="module")
def processes(url: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Four real processes that spend what they are told to."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    command = [sys.executable, str(Path(__file__).with_name("hammer.py")), url]
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(4)
        ]


@pytest.mark.parametrize(
    ("limit", "costs"), [(400, [1]), (400, [2]), (400, [1, 2, 2]), (25, [1]), (2000, [1, 1, 2]), (7, [2])]
)
def test_processes_together_spend_nearly_all_and_never_more(
    processes: list[subprocess.Popen[str]], limit: int, costs: list[int]
):
    job = Job(next(ACCOUNT), limit, 4, limit, costs)
    spent = hammered(processes, [job] * 4)
    assert limit * 0.95 - max(costs) < sum(each.units for each in spent) <= limit
    if limit >= 400:  # most calls are answered from memory
        assert sum(each.transactions for each in spent) < sum(each.calls for each in spent) / 2


def test_what_idle_processes_hold_is_less_than_a_twentieth(processes: list[subprocess.Popen[str]]):
    job = Job(next(ACCOUNT), 400, 4, 400, [1])
    idle = hammered(processes[:3], [msgspec.structs.replace(job, most=1)] * 3)
    busy = hammered(processes[3:], [job])
    assert 380 <= sum(each.units for each in idle + busy) <= 400


def hammered(processes: list[subprocess.Popen[str]], jobs: list[Job]) -> list[Spent]:
    """What each process spent, all of them at the same time."""
    for process, job in zip(processes, jobs, strict=True):
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(job).decode() + "\n")
        process.stdin.flush()
    spent = []
    for process in processes:
        assert process.stdout is not None
        spent.append(msgspec.json.decode(process.stdout.readline(), type=Spent))
    return spent


def statements(database: Database) -> int:
    """How many were run so far by the writers."""
    return sum(session.ran for session in database.lanes["write"].sessions)
