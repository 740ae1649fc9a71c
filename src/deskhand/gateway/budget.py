"""The account's units of each minute, shared among agents: a reserve for people, fair shares, a short queue.

How many units there are and what is left of them is the desk's to say (`Upstream.left`): people and agents spend from
the same minute. Within that:

- agents never take the last quarter of the minute; it stays for people;
- the agents active in this or the last minute have equal shares (or by weight) of what agents may take;
- an agent may go up to twice its share as far as the others leave theirs unused. What another is still expected to
  take is its unused share, shrinking evenly until the minute's end: in its first second nobody can take what is
  somebody else's, later nothing lies idle;
- one call a minute is always within an agent's share;
- a call that can't go at once waits up to two seconds, where waiting can help; each agent's calls in their order,
  agents in turn.

With several processes shares do not multiply: an agent's units are leased from one row per account, desk and minute,
a few at a time. Units left unspent in a process are lost to the others for that minute: less than a quarter of a share,
divided by the number of processes, in each.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from deskhand.catalogue.problems import TooManyRequests
from deskhand.db.engine import Conflict, Database, Unavailable, Writer
from deskhand.gateway import budget_leases
from deskhand.gateway.agents import Agent
from deskhand.lib.clock import Clock

log = logging.getLogger("deskhand.gateway")

UNLIMITED = 1_000_000
"""What is said of a limit where there is none; the desk says the same."""
RESERVE = 0.25
"""The part of a minute's units that is for people only."""
BURST = 2.0
"""How many times its share an agent may take while others leave theirs unused."""
WAIT_S = 2.0
WAITING_MOST = 32
"""Calls of one agent that may wait at a time."""
BLOCKS = 4
"""Into how many leases, times the number of processes, a share is divided."""
TOLD_MOST_S = 120
"""The longest pause that a desk can ask for."""
_LOOK_EVERY_S = 0.05  # how often those who wait are looked at


class Desk(Protocol):
    """What is asked of an upstream here."""

    def left(self, account_id: int) -> tuple[int, int]:
        """The account's units a minute and what is left of them, as last heard; (0, 0) where there is no limit."""
        ...


class OverBudget(TooManyRequests):
    """An agent's units are used up beyond the queue; `words` say which and why."""

    def __init__(self, retry_after_s: int, words: str) -> None:
        super().__init__(retry_after_s)
        self.words = words


@dataclass(slots=True, eq=False)
class Spent:
    """Units that a call was given. Say `Budget.ended` when the desk has answered it, or when it was never sent."""

    cost: int
    pool: _Pool | None = None
    agent: _Share | None = None
    minute: int = 0


class Left(msgspec.Struct, frozen=True):
    """What the rate headers say: the account's limit, and what is left to this agent of the minute."""

    limit: int
    remaining: int


class AgentShown(msgspec.Struct, frozen=True):
    """How an agent stands in this minute; `used` has its look-ups in it."""

    id: int
    name: str
    share: int
    used: int
    look_ups: int
    waiting: int
    refused: int


class Shown(msgspec.Struct, frozen=True):
    """How one desk's minute stands; `connection_id` is None for the desk here. Limit 0: there is none."""

    connection_id: int | None
    limit: int
    remaining: int
    reserve: int
    look_ups: int
    agents: tuple[AgentShown, ...]


class Budget:
    """Lets agents' calls through as far as units go."""

    def __init__(
        self,
        clock: Clock,
        database: Database | None = None,
        processes: int = 1,
        *,
        reserve: float = RESERVE,
        weights: Mapping[int, float] | None = None,
        wait_s: float = WAIT_S,
        waiting_most: int = WAITING_MOST,
    ) -> None:
        """`weights` of agents by id, 1 where nothing is said. Several processes need a `database` to share by."""
        assert processes == 1 or database is not None
        self._clock = clock
        self._database = database
        self._processes = processes
        self._reserve = reserve
        self._weights = weights or {}
        self._wait_s = wait_s
        self._waiting_most = waiting_most
        self._pools: dict[tuple[int, int], _Pool] = {}

    async def admit(self, agent: Agent, desk: Desk, cost: int, *, look_up: bool = False) -> Spent:
        """Give a call its units, perhaps after a short wait; raises OverBudget, which costs nothing.

        A `look_up` is a request of the gateway's own on the agent's behalf: it counts alike, and is shown apart.
        """
        limit, remaining = desk.left(agent.account_id)
        if not limit:
            return Spent(0)
        now = self._clock.now()
        pool = self._pool(agent, desk, now)
        pool.hear(limit, remaining)
        mine = pool.agents.get(agent.id) or pool.join(agent.id, self._weights)
        mine.name = agent.name
        if mine.waiting or not await self._take(pool, mine, cost, now):
            await self._stand_in_line(pool, mine, cost, now)
        if look_up:
            mine.look_ups += cost
        return Spent(cost, pool, mine, pool.minute)

    def ended(self, spent: Spent, *, unused: bool = False) -> None:
        """A call's units are counted by the desk now; or they are given back: it was not sent, or got a 429."""
        pool, mine = spent.pool, spent.agent
        if pool is None or mine is None or spent.minute != pool.minute:
            return
        pool.in_flight -= spent.cost
        if unused and self._processes == 1:
            mine.used -= spent.cost
            pool.used -= spent.cost
        elif unused:
            mine.unspent += spent.cost
            pool.unspent += spent.cost
        spent.pool = None

    def looked_up(self, agent: Agent, desk: Desk, units: int) -> None:
        """Count what a look-up took beyond what it was admitted with."""
        limit, _ = desk.left(agent.account_id)
        if limit:
            pool = self._pool(agent, desk, self._clock.now())
            mine = pool.agents.get(agent.id) or pool.join(agent.id, self._weights)
            mine.look_ups += units
            mine.used += units
            pool.used += units

    def told(self, agent: Agent, desk: Desk, retry_after_s: float) -> None:
        """The desk refused a call for want of units and said how long to wait: until then nothing is sent there."""
        now = self._clock.now()
        pool = self._pool(agent, desk, now)
        pool.closed_until = now.timestamp() + min(max(1.0, retry_after_s), TOLD_MOST_S)

    def left(self, agent: Agent, desk: Desk) -> Left:
        """What the headers towards an agent say: the smaller of what the account and the agent's share have left."""
        limit, remaining = desk.left(agent.account_id)
        if not limit:
            return Left(UNLIMITED, UNLIMITED)
        pool = self._pool(agent, desk, self._clock.now())
        pool.hear(limit, remaining)
        mine, weights = pool.agents.get(agent.id), pool.weight
        if mine is None:  # it is only asked what there would be: that takes nothing from the others' shares
            mine = _Share(agent.id, self._weights.get(agent.id, 1.0))
            weights += mine.weight
        share = int(_share(mine.weight, weights, pool.used + pool.free(self._reserve)))
        return Left(limit, max(0, min(remaining, share - mine.used + mine.unspent)))

    def shown(self, account_id: int) -> list[Shown]:
        """How this minute stands at each desk of an account that agents used, as far as this process knows."""
        now = self._clock.now()
        found = sorted((key[1], pool) for key, pool in self._pools.items() if key[0] == account_id)
        return [self._shown(connection_id, pool, now) for connection_id, pool in found]

    def forget(self) -> None:
        """Begin anew, as when all data was replaced."""
        self._pools.clear()

    def _shown(self, connection_id: int, pool: _Pool, now: datetime) -> Shown:
        pool.turn(_minute(now), self._weights)
        pool.hear(*pool.desk.left(pool.account_id))
        free = pool.free(self._reserve)
        agents = (
            AgentShown(
                one.id, one.name, int(pool.share(one, free)), one.used, one.look_ups, len(one.waiting), one.refused
            )
            for _, one in sorted(pool.agents.items())
        )
        look_ups = sum(one.look_ups for one in pool.agents.values())
        reserve = math.ceil(pool.limit * self._reserve)
        return Shown(connection_id or None, pool.limit, pool.remaining, reserve, look_ups, tuple(agents))

    def _pool(self, agent: Agent, desk: Desk, now: datetime) -> _Pool:
        key = (agent.account_id, agent.connection_id or 0)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = _Pool(*key, desk, _minute(now))
        elif pool.minute != _minute(now):
            pool.turn(_minute(now), self._weights)
        pool.desk = desk  # another one after its connection was changed
        return pool

    # -- Taking units

    async def _take(self, pool: _Pool, mine: _Share, cost: int, now: datetime) -> bool:
        """Take units, if the rules let it be now."""
        if pool.closed_until and pool.closed_until > now.timestamp():
            return False
        if self._processes == 1:
            if pool.room(mine, cost, now, self._reserve) < cost:
                return False
            mine.used += cost
            pool.used += cost
        elif not await self._take_leased(pool, mine, cost, now):
            return False
        pool.in_flight += cost
        return True

    async def _take_leased(self, pool: _Pool, mine: _Share, cost: int, now: datetime) -> bool:
        mine.asking += 1
        try:
            async with pool.lock:
                needed = cost - mine.unspent
                # What others leased since can only leave less room.
                if needed > 0 and pool.room(mine, needed, now, self._reserve) >= needed:
                    await self._lease(pool, mine, cost, now)
        finally:
            mine.asking -= 1
        if mine.unspent < cost:
            return False
        mine.unspent -= cost
        pool.unspent -= cost
        return True

    async def _lease(self, pool: _Pool, mine: _Share, cost: int, now: datetime) -> None:
        assert self._database is not None
        minute, needed, known = pool.minute, cost - mine.unspent, frozenset(pool.agents)
        limit, closed = pool.limit, math.ceil(pool.limit * self._reserve)
        remaining = pool.remaining - pool.in_flight - pool.unspent

        def room(leased: Mapping[int, int], active: Iterable[int]) -> int:
            """How many units to lease, by what all processes have leased; runs in the writer's thread."""
            weights = {id: self._weights.get(id, 1.0) for id in known | set(active)}
            total = sum(leased.values())
            free = min(remaining, limit - total) - closed
            weight, used = weights[mine.id], leased.get(mine.id, 0)
            share = _share(weight, sum(weights.values()), total + free)
            others = ((one, leased.get(id, 0)) for id, one in weights.items() if id != mine.id)
            claims = _claims(others, share / weight, _rest(now))
            most = _room(needed, used, share, free, claims)
            block = int(share / (BLOCKS * self._processes))
            return 0 if most < needed else max(needed, min(block, most // self._processes))

        key = (pool.account_id, pool.connection_id, minute)

        def take(tx: Writer) -> budget_leases.Lease:
            return budget_leases.take(tx, *key, mine.id, room)

        lease = await self._database.write(take)
        if pool.minute == minute:
            pool.learn(lease.leased, lease.active, self._weights)
            mine.unspent += lease.granted
            pool.unspent += lease.granted

    # -- Waiting

    async def _stand_in_line(self, pool: _Pool, mine: _Share, cost: int, now: datetime) -> None:
        if len(mine.waiting) >= self._waiting_most or not self._may_help(pool, mine, cost, now):
            raise self._refusal(pool, mine, cost, now)
        waiter = _Waiter(cost, asyncio.get_running_loop().create_future())
        mine.waiting.append(waiter)
        if mine.id not in pool.turns:
            pool.turns.append(mine.id)
        if pool.server is None or pool.server.done():
            pool.server = asyncio.create_task(self._serve(pool), name="budget")
        try:
            async with asyncio.timeout(self._wait_s):
                await waiter.told
        except TimeoutError:
            if not waiter.admitted:
                raise self._refusal(pool, mine, cost, self._clock.now()) from None
        except asyncio.CancelledError:
            if waiter.admitted:
                self.ended(Spent(cost, pool, mine, pool.minute), unused=True)
            raise
        finally:
            if not waiter.admitted:
                mine.waiting.remove(waiter)

    def _may_help(self, pool: _Pool, mine: _Share, cost: int, now: datetime) -> bool:
        """Whether a call may get its units by waiting: for the next minute, for others, or behind its own."""
        if _opens_in(pool, now) <= self._wait_s or mine.waiting:
            return True
        free = pool.free(self._reserve)
        burst = max(BURST * pool.share(mine, free), cost)
        return pool.closed_until <= now.timestamp() and free + pool.in_flight >= cost and mine.used + cost <= burst

    def _refusal(self, pool: _Pool, mine: _Share, cost: int, now: datetime) -> OverBudget:
        mine.refused += 1
        if pool.closed_until > now.timestamp():
            words = "the help desk asked for a pause: its units of this minute are used up"
        elif pool.free(self._reserve) < cost:
            words = "the account's units of this minute are used up, but for those reserved for people"
        else:
            words = f"the share of {mine.name} in the account's units of this minute is used up"
        return OverBudget(max(1, math.ceil(_opens_in(pool, now))), words)

    async def _serve(self, pool: _Pool) -> None:
        """Look after those who wait, as long as there are any."""
        while pool.turns:
            await asyncio.sleep(_LOOK_EVERY_S)
            now = self._clock.now()
            if pool.minute != _minute(now):
                pool.turn(_minute(now), self._weights)
            pool.hear(*pool.desk.left(pool.account_id))
            try:
                in_vain = 0  # turns one after the other
                while in_vain < len(pool.turns):
                    in_vain = 0 if await self._serve_next(pool, now) else in_vain + 1
            except (Unavailable, Conflict) as problem:
                log.warning("calls wait for their units: %s", problem)

    async def _serve_next(self, pool: _Pool, now: datetime) -> bool:
        """Give the next agent its turn; False when it goes on waiting."""
        mine = pool.agents.get(pool.turns.popleft())
        if mine is None or not mine.waiting:
            return True
        pool.turns.append(mine.id)
        waiter = mine.waiting[0]
        if not await self._take(pool, mine, waiter.cost, now):
            return False
        if mine.waiting and mine.waiting[0] is waiter:
            mine.waiting.popleft()
            waiter.admitted = True
            if not waiter.told.done():
                waiter.told.set_result(None)
        else:  # it gave up meanwhile
            self.ended(Spent(waiter.cost, pool, mine, pool.minute), unused=True)
        return True


@dataclass(slots=True, eq=False)
class _Waiter:
    cost: int
    told: asyncio.Future[None]
    admitted: bool = False


@dataclass(slots=True, eq=False)
class _Share:
    """One agent in a pool. With several processes `used` is what all have leased, `unspent` what is left of ours."""

    id: int
    weight: float
    name: str = ""
    used: int = 0
    unspent: int = 0
    look_ups: int = 0
    refused: int = 0
    asking: int = 0  # calls that are about to lease
    waiting: deque[_Waiter] = field(default_factory=deque)


@dataclass(slots=True, eq=False)
class _Pool:
    """One desk's minute. `agents` are those active in this minute or the last one."""

    account_id: int
    connection_id: int
    desk: Desk
    minute: int
    limit: int = 0
    remaining: int = 0
    heard: int = 0  # what was said last to remain
    stale: int = -1  # the same in the minute before; a desk that is remote says it until it is asked again
    used: int = 0  # by all agents
    unspent: int = 0
    weight: float = 0.0  # of all agents
    in_flight: int = 0  # units of calls that the desk may not have counted yet
    closed_until: float = 0.0
    agents: dict[int, _Share] = field(default_factory=dict)
    turns: deque[int] = field(default_factory=deque)  # the agents that wait
    server: asyncio.Task[None] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def turn(self, minute: int, weights: Mapping[int, float]) -> None:
        """Begin another minute."""
        if minute == self.minute:
            return
        follows = minute == self.minute + 1
        kept = {id: one for id, one in self.agents.items() if one.waiting or one.asking or (follows and one.used)}
        for one in kept.values():
            one.used = one.unspent = one.look_ups = one.refused = 0
            one.weight = weights.get(one.id, 1.0)
        self.minute, self.agents, self.stale = minute, kept, self.heard
        self.used = self.unspent = self.in_flight = 0
        self.weight = sum(one.weight for one in kept.values())

    def hear(self, limit: int, remaining: int) -> None:
        """Take note of what the desk says, unless that is of the minute before: then nothing was used up yet."""
        self.limit, self.heard = limit, remaining
        if remaining != self.stale:
            self.stale = -1
        self.remaining = limit if remaining == self.stale else remaining

    def join(self, id: int, weights: Mapping[int, float]) -> _Share:
        """Count an agent among the active ones."""
        one = self.agents[id] = _Share(id, weights.get(id, 1.0))
        self.weight += one.weight
        return one

    def learn(self, leased: Mapping[int, int], active: Iterable[int], weights: Mapping[int, float]) -> None:
        """Take over what all processes together have leased."""
        for id in (*leased, *active):
            one = self.agents.get(id) or self.join(id, weights)
            one.used = leased.get(id, 0)
        self.used = sum(leased.values())

    def free(self, reserve: float) -> int:
        """Units that agents may still take in this minute."""
        left = min(self.remaining - self.in_flight - self.unspent, self.limit - self.used)
        return left - math.ceil(self.limit * reserve)

    def share(self, mine: _Share, free: int) -> float:
        """An agent's part of what agents took and may take."""
        return _share(mine.weight, self.weight, self.used + free)

    def room(self, mine: _Share, cost: int, now: datetime, reserve: float) -> int:
        """How many units an agent may take now."""
        free = self.free(reserve)
        share = self.share(mine, free)
        if mine.used + cost <= share:
            return min(int(share) - mine.used, free)
        others = ((one.weight, one.used) for one in self.agents.values() if one is not mine)
        return _room(cost, mine.used, share, free, _claims(others, share / mine.weight, _rest(now)))


# -- The rules


def _share(weight: float, weights: float, units: int) -> float:
    """A part, by weight, of the units that agents took and may take."""
    return max(0, units) * weight / weights


def _claims(others: Iterable[tuple[float, int]], per_weight: float, rest: float) -> float:
    """What others, given as (weight, used), are expected to take in the rest of the minute."""
    expected = 0.0
    for weight, used in others:
        share = weight * per_weight
        expected += max(0.0, min(share - used, share * rest))
    return expected


def _room(cost: int, used: int, share: float, free: int, claims: float) -> int:
    """How many units an agent may take: its share, or more of what others leave, or one call."""
    own = share - used
    if own < cost:
        own = min(BURST * share - used, free - claims)
    if not used:
        own = max(own, cost)
    return math.floor(min(own, free))


def _rest(now: datetime) -> float:
    """How much of the minute is left, 1 at its beginning."""
    return 1.0 - (now.second + now.microsecond / 1e6) / 60


def _minute(now: datetime) -> int:
    return int(now.timestamp()) // 60


def _opens_in(pool: _Pool, now: datetime) -> float:
    """Seconds until the next minute's units, or until the desk takes calls again."""
    at = now.timestamp()
    return pool.closed_until - at if pool.closed_until > at else 60 - at % 60
