"""A server process that spends accounts' units as fast as it can: a script for test_rate_limit.py.

Argument: the database's URL. Each line of stdin is a job, each line of stdout what was spent on it.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from deskhand.api.rate_limit import LeasedRateLimit
from deskhand.catalogue.problems import TooManyRequests
from deskhand.db.database import open_database
from deskhand.db.engine import Database

AT_ONCE = 10


class Job(msgspec.Struct):
    """Spend up to `most` units of an account whose limit is shared by so many processes."""

    account: int
    limit: int
    processes: int
    most: int
    costs: list[int]


class Spent(msgspec.Struct):
    units: int
    calls: int
    transactions: int


class NoonClock:
    """All processes live in one and the same minute, however long they take."""

    def now(self) -> datetime:
        return datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)


async def hammer(database: Database, job: Job) -> Spent:
    rate_limit = LeasedRateLimit(NoonClock(), database, job.processes)
    costs = itertools.cycle(job.costs)
    units = calls = 0

    async def client() -> None:
        nonlocal units, calls
        while units < job.most:
            cost = next(costs)
            try:
                budget = await rate_limit.spend(job.account, job.limit, cost)
            except TooManyRequests as refused:
                assert refused.retry_after_s == 30
                return
            assert 0 <= budget.remaining <= job.limit - cost
            units += cost
            calls += 1
            await asyncio.sleep(0)

    before = begun(database)
    await asyncio.gather(*(client() for _ in range(min(AT_ONCE, job.most))))
    return Spent(units, calls, begun(database) - before)


def begun(database: Database) -> int:
    """Statements run by writers, in lots of four: begin, seek the row, lease, commit."""
    return sum(session.ran for session in database.lanes["write"].sessions) // 4


async def main(url: str) -> None:
    database = open_database(url, Path())
    while line := await asyncio.to_thread(sys.stdin.readline):
        spent = await hammer(database, msgspec.json.decode(line, type=Job))
        sys.stdout.write(msgspec.json.encode(spent).decode() + "\n")
        sys.stdout.flush()
    database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
