"""The worker: turns events into jobs and carries jobs out, many at a time, none of them lost.

It runs inside the server or in processes of its own; any number of them share one database.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from deskhand.db.engine import Conflict, Database, Reader, Unavailable, Writer
from deskhand.lib.clock import Clock
from deskhand.outbox import events, jobs
from deskhand.outbox.events import Fact
from deskhand.outbox.jobs import Work
from deskhand.outbox.targets import Targets

log = logging.getLogger("deskhand.worker")

Then = Callable[[Writer], None]
"""What is to be written in the transaction that removes the job."""


def gone(_: Writer) -> None:
    """What a carrier gives that removed its job itself, with what it wrote: no transaction is needed for its end."""


Carrier = Callable[[Work], Awaitable[Then | None]]
"""Carries out a job; raises Failed when it could not."""
Listener = Callable[[Writer, Sequence[Fact]], None]
"""Does what follows from events, mostly adding jobs; the events count as handled once its transaction commits."""

SLOTS = 256
"""Jobs under way at a time; they wait for the network nearly all of their time."""
EVENTS_AT_ONCE = 16
FINISHED_AT_ONCE = 64
"""Events looked at, and ends of jobs written, in one transaction; on SQLite others wait while it is written."""
CLAIMED_FOR_S = 120
"""How long a job stays claimed; a worker that died is taken to be gone after this time."""
LOOK_EVERY_S = 1.0
STOP_WITHIN_S = 10.0
REASON_MOST = 1_000
"""Characters of a reason that are kept."""
LISTEN = "listen"
"""The kind of jobs that look again at an event which could not be handled."""


class Failed(Exception):
    """A job could not be carried out. `final`: trying again makes no sense.

    `then` is written in the transaction that notes the failure; it is told whether the job was given up.
    """

    def __init__(self, reason: str, *, final: bool = False, then: Callable[[Writer, bool], None] | None = None) -> None:
        super().__init__(reason)
        # It may repeat what a receiver said, and not every character of that can be stored.
        self.reason = reason.replace("\0", "").encode(errors="replace").decode()[:REASON_MOST]
        self.final = final
        self.then = then


@dataclass(frozen=True, slots=True)
class Kind:
    """How jobs of a kind are carried out, how often they are tried, and the pauses between: doubling, with jitter."""

    carry: Carrier
    attempts: int = 11
    first_pause_s: float = 60.0
    longest_pause_s: float = 3600.0

    def pause_s(self, attempts: int) -> float:
        """The pause after so many attempts have failed."""
        pause = min(self.longest_pause_s, self.first_pause_s * 2 ** min(attempts - 1, 30))
        return float(pause * random.uniform(0.8, 1.2))


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a job ended: by `then`, by a failure, or (neither, released) by the worker's stop."""

    work: Work
    then: Then | None = None
    failure: Failed | None = None
    released: bool = False


class Worker:
    """Carries out jobs until it is stopped."""

    def __init__(
        self, database: Database, clock: Clock, kinds: Mapping[str, Kind], listeners: Sequence[Listener] = ()
    ) -> None:
        self._database = database
        self._clock = clock
        self._kinds = {**kinds, LISTEN: Kind(self._listen_again)}
        self._listeners = listeners
        self._targets = Targets()
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: set[int] = set()
        self._ended: list[_Ended] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._mark = random.getrandbits(62) + 1

    async def run(self) -> None:
        """Work until `stop` is called; what is under way then is finished, or put back after a while."""
        loop = asyncio.get_running_loop()

        def woken() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._wake.set)

        self._database.listen(events.WAKE, woken)
        while not self._stopping:
            self._wake.clear()
            try:
                if not await self._turn() and not self._ended:
                    await self._wait(await self._pause_s())
            except (Unavailable, Conflict) as problem:
                log.warning("the worker waits for the database: %s", problem)
                await self._wait(LOOK_EVERY_S)
            except Exception:
                log.exception("the worker could not go on, and tries again")
                await self._wait(LOOK_EVERY_S)
        await self._finish()

    def stop(self) -> None:
        """Take no more jobs; `run` ends when those under way have ended."""
        self._stopping = True
        self._wake.set()

    # -- One turn: write down what ended, turn events into jobs, claim what is due; all in one transaction

    async def _turn(self) -> bool:
        """Whether there may be more events to look at; whether more is due than was claimed is seen from `_pause_s`."""
        ended = self._ended[:FINISHED_AT_ONCE]
        free = SLOTS - len(self._tasks)
        if not ended and not await self._database.read(lambda db: self._anything(db, free)):
            return False
        claimed, looked_at = await self._write(ended, free)
        self._forget(ended)
        for work in claimed:
            if work.id not in self._under_way:  # or it has only been claimed for longer
                self._start(work)
        return looked_at >= EVENTS_AT_ONCE

    def _forget(self, ended: list[_Ended]) -> None:
        """Their ends are written."""
        del self._ended[: len(ended)]
        self._under_way.difference_update(one.work.id for one in ended)

    def _anything(self, db: Reader, free: int) -> bool:
        if events.any_unhandled(db):
            return True
        due = jobs.next_due(db, self._targets.busy()) if free else None
        return due is not None and due <= self._now()

    async def _write(self, ended: list[_Ended], free: int) -> tuple[list[Work], int]:
        def turn(tx: Writer) -> tuple[list[Work], int]:
            for one in ended:
                self._settle(tx, one)
            return self._claim(tx, free), self._listen(tx, EVENTS_AT_ONCE)

        try:
            written = await self._database.write(turn)
        except (Unavailable, Conflict):
            raise
        except Exception:
            log.exception("events, or the ends of jobs, could not be written together")
            await self._settle_one_by_one(ended)
            await self._listen_one_by_one()
            return [], EVENTS_AT_ONCE
        return written

    def _listen(self, tx: Writer, most: int) -> int:
        facts = events.take(tx, most)
        if facts:
            for listener in self._listeners:
                listener(tx, facts)
        return len(facts)

    async def _listen_one_by_one(self) -> None:
        """One of the next events can't be handled: let it wait as a job, so that those after it go on."""
        for _ in range(EVENTS_AT_ONCE):
            try:
                await self._database.write(lambda tx: self._listen(tx, 1))
            except (Unavailable, Conflict):
                raise
            except Exception as problem:
                log.exception("an event could not be handled: %s", _in_words(problem))
                await self._database.write(self._put_aside)

    def _put_aside(self, tx: Writer) -> None:
        for fact in events.take(tx, 1):
            jobs.add(tx, account_id=fact.account_id, kind=LISTEN, target=LISTEN, payload=fact, now=self._clock.now())

    async def _listen_again(self, work: Work) -> Then:
        fact = msgspec.json.decode(work.payload, type=Fact)

        def listen(tx: Writer) -> None:
            for listener in self._listeners:
                listener(tx, [fact])

        return listen

    async def _settle_one_by_one(self, ended: list[_Ended]) -> None:
        """One of them can't be written: find it, and let it count as failed."""
        for one in ended:
            try:
                await self._database.write(lambda tx, one=one: self._settle(tx, one))  # type: ignore[misc]
            except (Unavailable, Conflict):
                raise
            except Exception as problem:
                log.exception("job %d (%s) could not be ended", one.work.id, one.work.kind)
                failed = _Ended(one.work, failure=Failed(_in_words(problem)))
                await self._database.write(lambda tx, failed=failed: self._settle(tx, failed))  # type: ignore[misc]

    def _claim(self, tx: Writer, free: int) -> list[Work]:
        if not free or self._stopping:
            return []
        now = self._now()
        return jobs.claim(
            tx,
            now=now,
            until=now + CLAIMED_FOR_S * 1000,
            mark=self._mark,
            most=free,
            busy=self._targets.busy(),
            room=self._targets.room,
        )

    def _settle(self, tx: Writer, ended: _Ended) -> None:
        work, failure = ended.work, ended.failure
        if ended.released:
            jobs.release(tx, work, self._now())
        elif failure is None:
            if jobs.remove(tx, work) and ended.then:
                ended.then(tx)
        else:
            kind = self._kinds.get(work.kind)
            gave_up = failure.final or kind is None or work.attempts >= kind.attempts
            if gave_up:
                mine = jobs.give_up(tx, work, failure.reason)
            else:
                assert kind is not None
                due = self._now() + round(kind.pause_s(work.attempts) * 1000)
                mine = jobs.try_again(tx, work, due, failure.reason)
            if mine and failure.then:
                failure.then(tx, gave_up)

    # -- Carrying out

    def _start(self, work: Work) -> None:
        self._targets.began(work.target)
        self._under_way.add(work.id)
        task = asyncio.create_task(self._carry(work), name=f"{work.kind} {work.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, work: Work) -> None:
        ended: _Ended | None
        ended, began = _Ended(work, released=True), time.monotonic()
        try:
            kind = self._kinds.get(work.kind)
            if kind is None:
                raise Failed(f"this version of Deskhand does not know jobs of kind {work.kind}", final=True)
            then = await kind.carry(work)
            ended = None if then is gone else _Ended(work, then=then)
        except Failed as failure:
            ended = _Ended(work, failure=failure)
        except Exception as problem:
            log.exception("job %d (%s) failed", work.id, work.kind)
            ended = _Ended(work, failure=Failed(_in_words(problem)))
        finally:
            well = ended is None or (ended.failure is None and not ended.released)
            waited_for = ended is not None or self._targets.room(work.target) <= 0
            self._targets.ended(work.target, well=well, seconds=time.monotonic() - began)
            if ended is None:
                self._under_way.discard(work.id)
            else:
                self._ended.append(ended)
            if waited_for:  # else nothing is to be written, and nothing could not begin because of it
                self._wake.set()

    # -- Waiting and stopping

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _pause_s(self) -> float:
        """How long until something may be due; never long, because clocks can be moved and other processes add jobs."""
        due = await self._database.read(lambda db: jobs.next_due(db, self._targets.busy()))
        if due is None:
            return LOOK_EVERY_S
        return min(LOOK_EVERY_S, max(0.0, (due - self._now()) / 1000))

    async def _finish(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_WITHIN_S)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        try:
            while self._ended:
                ended = self._ended[:FINISHED_AT_ONCE]
                await self._write(ended, 0)
                self._forget(ended)
        except (Unavailable, Conflict) as problem:
            log.warning(
                "the ends of %d jobs could not be written, they will be repeated: %s", len(self._ended), problem
            )

    def _now(self) -> int:
        return jobs.milliseconds(self._clock.now())


def _in_words(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"
