"""The account's units of each calendar minute, shared by everybody in the account.

Source: https://developer.helpscout.com/mailbox-api/overview/rate-limiting

One process counts in memory. Several processes lease units from a row in the database, in blocks of a twentieth of the
limit divided by their number, so:

- the account's limit is never exceeded, because the row is locked while a lease is taken;
- a call that finds a unit in its process's block costs no query; a full minute costs about 20 short transactions per
  process and account;
- less than a twentieth of the limit can lie unspent in processes that got no more calls, while another process
  refuses. A process that dies loses its block. Nothing is carried into the next minute.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import msgspec

from deskhand.catalogue.problems import TooManyRequests
from deskhand.db.engine import Database, Writer
from deskhand.desk import rate_leases
from deskhand.desk.rate_leases import Lease
from deskhand.lib.clock import Clock

UNLIMITED = 1_000_000
"""What the headers say where there is no limit."""
BLOCKS = 20
"""Into how many blocks per process a limit is divided; all but one process may be left with a block unspent."""


class Budget(msgspec.Struct, frozen=True):
    """What the rate headers say: the account's limit and what is left of it in this minute."""

    limit: int
    remaining: int


@dataclass(slots=True)
class _Minute:
    minute: int
    used: int


class RateLimit:
    """Counts in memory; right for one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accounts: dict[int, _Minute] = {}

    async def spend(self, account_id: int, limit: int, cost: int) -> Budget:
        """Take `cost` units; raises TooManyRequests, which costs nothing. A limit of 0 means none."""
        if not limit:
            return Budget(UNLIMITED, UNLIMITED)
        seconds = int(self._clock.now().timestamp())
        minute = seconds // 60
        state = self._accounts.get(account_id)
        if state is None or state.minute != minute:
            state = self._accounts[account_id] = _Minute(minute, 0)
        if state.used + cost > limit:
            raise TooManyRequests(60 - seconds % 60)
        state.used += cost
        return Budget(limit, max(0, limit - state.used))

    def left(self, account_id: int, limit: int) -> Budget:
        """What is left, without spending."""
        if not limit:
            return Budget(UNLIMITED, UNLIMITED)
        state = self._accounts.get(account_id)
        minute = int(self._clock.now().timestamp()) // 60
        used = state.used if state is not None and state.minute == minute else 0
        return Budget(limit, max(0, limit - used))

    def forget(self) -> None:
        """Begin anew, as when all data was replaced."""
        self._accounts.clear()


@dataclass(slots=True)
class _Share:
    """What this process has of an account's minute."""

    minute: int
    unleased: int  # nobody's, as of the last lease
    own: int = 0  # leased by this process and not spent
    waited_for: int = 0  # by calls that stand in line for the lock
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class LeasedRateLimit(RateLimit):
    """Counts together with other processes, by leases from the database."""

    def __init__(self, clock: Clock, database: Database, processes: int) -> None:
        super().__init__(clock)
        self._database = database
        self._processes = processes
        self._shares: dict[int, _Share] = {}

    async def spend(self, account_id: int, limit: int, cost: int) -> Budget:
        """Take `cost` units; raises TooManyRequests, which costs nothing, and Unavailable."""
        if not limit:
            return Budget(UNLIMITED, UNLIMITED)
        seconds = int(self._clock.now().timestamp())
        share = self._share(account_id, seconds // 60, limit)
        share.waited_for += cost
        try:
            async with share.lock:
                if share.own < cost <= share.own + share.unleased:
                    await self._lease(account_id, share, limit, cost)
                if share.own < cost:
                    raise TooManyRequests(60 - seconds % 60)
                share.own -= cost
        finally:
            share.waited_for -= cost
        return Budget(limit, min(limit, share.own + share.unleased))

    def left(self, account_id: int, limit: int) -> Budget:
        """What nobody has leased, as of this process's last lease, and what it has itself."""
        if not limit:
            return Budget(UNLIMITED, UNLIMITED)
        share = self._share(account_id, int(self._clock.now().timestamp()) // 60, limit)
        return Budget(limit, min(limit, share.own + share.unleased))

    def forget(self) -> None:
        self._shares.clear()

    def _share(self, account_id: int, minute: int, limit: int) -> _Share:
        share = self._shares.get(account_id)
        if share is None or share.minute != minute:
            share = self._shares[account_id] = _Share(minute, limit)
        return share

    async def _lease(self, account_id: int, share: _Share, limit: int, cost: int) -> None:
        least, waited_for = cost - share.own, share.waited_for - share.own
        block = max(1, limit // (BLOCKS * self._processes))

        def take(tx: Writer) -> Lease:
            return rate_leases.take(
                tx, account_id, share.minute, limit,
                least=least, waited_for=waited_for, block=block, among=self._processes,
            )  # fmt: skip

        lease = await self._database.write(take)
        share.own += lease.granted
        share.unleased = lease.unleased


def rate_limit_for(processes: int, clock: Clock, database: Database) -> RateLimit:
    """The rate limit of a server with so many worker processes."""
    return RateLimit(clock) if processes == 1 else LeasedRateLimit(clock, database, processes)
