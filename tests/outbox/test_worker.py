"""The worker: every job is carried out, none twice at a time, and what fails is tried again or kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from deskhand.db.database import open_database
from deskhand.db.engine import Database, Duplicate, Writer
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.lib.clock import MovableClock, to_wire
from deskhand.outbox import events, jobs, targets, worker
from deskhand.outbox.events import Event, Fact
from deskhand.outbox.jobs import Chosen, Work
from deskhand.outbox.worker import Failed, Kind, Worker
from tests import postgresql
from tests.world import unique


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = ""
    if request.param == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("worker"))
    upgrade(sqlalchemy_url(url, tmp_path / "deskhand.sqlite"))
    opened = open_database(url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def add(database: Database, clock: MovableClock, count: int = 1, target: str = "here", kind: str = "work") -> None:
    def write(tx: Writer) -> None:
        for number in range(count):
            jobs.add(tx, account_id=1, kind=kind, target=target, payload=number, now=clock.now())

    database.write_now(write)


def record(database: Database, clock: MovableClock, *names: str) -> None:
    def write(tx: Writer) -> None:
        for name in names:
            fact = Event(account_id=1, name=name, subject_id=7, actor_id=2, at=to_wire(clock.now()))
            events.record(tx, fact)

    database.write_now(write)


def tally(database: Database) -> dict[tuple[str, str], int]:
    return {(row.kind, row.state): row.n for row in database.read_now(jobs.tally)}


def claim(tx: Writer, now: int, *, until: int, mark: int) -> list[Work]:
    """Claim as a worker does that then does nothing more."""
    return jobs.claim(tx, now=now, until=until, mark=mark, most=1, busy=[], room=lambda target: 1)


async def work(one: Worker, until: Callable[[], bool], seconds: float = 60) -> None:
    """Let a worker work until something is so."""
    running = asyncio.create_task(one.run())
    try:
        async with asyncio.timeout(seconds):
            while not until():  # noqa: ASYNC110 (what is waited for is a row, not an event)
                await asyncio.sleep(0.005)
    finally:
        one.stop()
        await running


def test_each_job_is_carried_out_once_and_is_then_gone(database: Database, clock: MovableClock) -> None:
    seen: Counter[str] = Counter()

    async def carry(work: Work) -> None:
        seen[work.payload] += 1

    add(database, clock, 300)
    asyncio.run(work(Worker(database, clock, {"work": Kind(carry)}), lambda: len(seen) == 300))

    assert set(seen.values()) == {1}
    assert tally(database) == {}


def test_four_workers_share_jobs_and_none_is_done_twice(database: Database, clock: MovableClock) -> None:
    seen: Counter[str] = Counter()

    async def carry(work: Work) -> None:
        seen[work.payload] += 1
        await asyncio.sleep(0.001)

    async def all_of_them() -> None:
        workers = [Worker(database, clock, {"work": Kind(carry)}) for _ in range(4)]
        await asyncio.gather(*(work(one, lambda: len(seen) == 400) for one in workers))

    add(database, clock, 400)
    asyncio.run(all_of_them())

    assert set(seen.values()) == {1}
    assert tally(database) == {}


def test_what_a_job_writes_at_its_end_is_written_with_its_removal(database: Database, clock: MovableClock) -> None:
    async def carry(work: Work) -> worker.Then:
        return lambda tx: jobs.add(tx, account_id=1, kind="next", target="x", payload=work.payload, now=clock.now())

    seen: list[str] = []

    async def carry_next(work: Work) -> None:
        seen.append(work.payload)

    add(database, clock, 3)
    kinds = {"work": Kind(carry), "next": Kind(carry_next)}
    asyncio.run(work(Worker(database, clock, kinds), lambda: len(seen) == 3))

    assert sorted(seen) == ['"0"', '"1"', '"2"']


def test_a_job_that_was_removed_with_what_it_wrote_is_not_looked_after_again(
    database: Database, clock: MovableClock
) -> None:
    seen: list[str] = []
    kept: list[int] = []

    async def carry(work: Work) -> worker.Then:
        await database.write(lambda tx: jobs.remove(tx, work))
        seen.append(work.payload)
        return worker.gone

    async def all_of_it() -> None:
        one = Worker(database, clock, {"work": Kind(carry)})
        await work(one, lambda: len(seen) == 30)
        kept.append(len(one._under_way))

    add(database, clock, 30)
    asyncio.run(all_of_it())

    assert (len(seen), len(set(seen))) == (30, 30)
    assert tally(database) == {}
    assert kept == [0]


def test_a_job_that_fails_is_tried_again_after_growing_pauses(database: Database, clock: MovableClock) -> None:
    tries: list[int] = []

    async def carry(work: Work) -> None:
        tries.append(work.attempts)
        if work.attempts < 4:
            raise Failed("not yet")

    add(database, clock)
    kind = Kind(carry, first_pause_s=0.02, longest_pause_s=0.05)
    asyncio.run(work(Worker(database, clock, {"work": kind}), lambda: len(tries) == 4))

    assert tries == [1, 2, 3, 4]
    assert tally(database) == {}


def test_pauses_double_up_to_the_longest_with_some_jitter() -> None:
    async def carry(work: Work) -> None: ...

    kind = Kind(carry, first_pause_s=60, longest_pause_s=3600)
    for attempts, expected in ((1, 60), (2, 120), (4, 480), (9, 3600), (1000, 3600)):
        pauses = [kind.pause_s(attempts) for _ in range(50)]
        assert 0.8 * expected <= min(pauses) < max(pauses) <= 1.2 * expected


def test_a_job_that_gave_up_stays_with_its_reason_and_can_be_run_again(database: Database, clock: MovableClock) -> None:
    able = False
    done: list[str] = []
    told: list[bool] = []

    async def carry(work: Work) -> None:
        if not able:
            raise Failed("the receiver is away", then=lambda tx, gave_up: told.append(gave_up))
        done.append(work.payload)

    add(database, clock)
    kinds = {"work": Kind(carry, attempts=3, first_pause_s=0.001)}
    asyncio.run(work(Worker(database, clock, kinds), lambda: tally(database) == {("work", "failed"): 1}))

    (kept,) = database.read_now(lambda db: jobs.failed(db, Chosen()))
    assert (kept.last_error, kept.attempts) == ("the receiver is away", 3)
    assert told == [False, False, True]

    able = True
    assert database.write_now(lambda tx: jobs.run_again(tx, Chosen(kind="other"), clock.now())) == 0
    assert database.write_now(lambda tx: jobs.run_again(tx, Chosen(until="2000-01-01T00:00:00Z"), clock.now())) == 0
    assert database.write_now(lambda tx: jobs.run_again(tx, Chosen(id=kept.id), clock.now())) == 1
    asyncio.run(work(Worker(database, clock, kinds), lambda: done == ["0"]))
    assert tally(database) == {}


def test_a_final_failure_and_an_unknown_kind_are_not_tried_again(database: Database, clock: MovableClock) -> None:
    async def carry(work: Work) -> None:
        raise Failed("no such place", final=True)

    add(database, clock)
    add(database, clock, kind="strange")
    both = {("work", "failed"): 1, ("strange", "failed"): 1}
    asyncio.run(work(Worker(database, clock, {"work": Kind(carry)}), lambda: tally(database) == both))


def test_a_slow_target_delays_no_other(database: Database, clock: MovableClock) -> None:
    release = asyncio.Event()
    quick: list[str] = []

    async def carry(work: Work) -> None:
        if work.target == "slow":
            await release.wait()
        else:
            quick.append(work.payload)

    async def both() -> None:
        one = Worker(database, clock, {"work": Kind(carry)})
        await work(one, lambda: len(quick) == 20 and not release.set())  # type: ignore[func-returns-value]

    add(database, clock, 1500, target="slow")
    add(database, clock, 20, target="quick")
    asyncio.run(both())

    assert tally(database)["work", "waiting"] >= 1500 - targets.FEW


def test_a_job_of_a_worker_that_died_is_done_by_another_once_its_claim_ends(
    database: Database, clock: MovableClock
) -> None:
    seen: list[int] = []

    async def carry(work: Work) -> None:
        seen.append(work.attempts)

    add(database, clock)
    now = jobs.milliseconds(clock.now())
    assert len(database.write_now(lambda tx: claim(tx, now, until=now + 400, mark=5))) == 1  # and then it is killed

    asyncio.run(work(Worker(database, clock, {"work": Kind(carry)}), lambda: bool(seen)))

    assert seen == [2]


def test_the_end_of_a_job_that_is_no_longer_ours_changes_nothing(database: Database, clock: MovableClock) -> None:
    add(database, clock)
    now = jobs.milliseconds(clock.now())
    (ours,) = database.write_now(lambda tx: claim(tx, now, until=now, mark=5))
    (theirs,) = database.write_now(lambda tx: claim(tx, now, until=now + 9, mark=6))

    assert not database.write_now(lambda tx: jobs.remove(tx, ours))
    assert not database.write_now(lambda tx: jobs.give_up(tx, ours, "late"))
    assert database.write_now(lambda tx: jobs.remove(tx, theirs))


def test_what_is_under_way_when_the_worker_stops_is_finished(database: Database, clock: MovableClock) -> None:
    started: list[str] = []
    done: list[str] = []

    async def carry(work: Work) -> None:
        started.append(work.payload)
        await asyncio.sleep(0.1)
        done.append(work.payload)

    add(database, clock, 5)
    asyncio.run(work(Worker(database, clock, {"work": Kind(carry)}), lambda: len(started) == 5))

    assert len(done) == 5
    assert tally(database) == {}


def test_what_takes_too_long_to_finish_is_put_back_untouched(
    database: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "STOP_WITHIN_S", 0.05)
    started: list[int] = []

    async def carry(work: Work) -> None:
        started.append(work.attempts)
        await asyncio.sleep(60)

    add(database, clock)
    for _ in range(2):
        before = len(started)
        one = Worker(database, clock, {"work": Kind(carry)})
        asyncio.run(work(one, lambda before=before: len(started) > before))  # type: ignore[misc]

    assert started == [1, 1]


def test_every_event_is_listened_to_once_and_in_order(database: Database, clock: MovableClock) -> None:
    heard: list[str] = []
    names = [f"convo.{number}" for number in range(50)]
    record(database, clock, *names)
    one = Worker(database, clock, {}, [lambda tx, facts: heard.extend(fact.name for fact in facts)])
    asyncio.run(work(one, lambda: len(heard) >= 50))

    assert heard == names
    assert not database.read_now(events.any_unhandled)


def test_an_event_that_cant_be_handled_is_put_aside_and_those_after_it_go_on(
    database: Database, clock: MovableClock
) -> None:
    heard: list[str] = []

    def listen(tx: Writer, facts: object) -> None:
        for fact in facts:  # type: ignore[attr-defined]
            if fact.name == "poison":
                raise ZeroDivisionError
            heard.append(fact.name)

    record(database, clock, "a", "poison", "b")
    one = Worker(database, clock, {}, [listen])
    asyncio.run(work(one, lambda: "b" in heard and tally(database) != {}))

    assert not database.read_now(events.any_unhandled)
    assert {kind for kind, _ in tally(database)} == {worker.LISTEN}


def test_a_job_under_way_is_not_begun_again_when_its_claim_ends(database: Database, clock: MovableClock) -> None:
    began: list[int] = []
    looked: list[int] = []
    done: list[int] = []

    async def carry(work: Work) -> None:
        began.append(work.id)
        for turn in range(3):
            clock.advance(timedelta(seconds=2 * worker.CLAIMED_FOR_S))
            add(database, clock, target="elsewhere", kind="look")
            while len(looked) <= turn:  # noqa: ASYNC110 (the worker has looked at what is due, which this job is as well)
                await asyncio.sleep(0.01)
        done.append(work.id)

    async def look(work: Work) -> None:
        looked.append(work.id)

    add(database, clock)
    kinds = {"work": Kind(carry), "look": Kind(look)}
    asyncio.run(work(Worker(database, clock, kinds), lambda: bool(done)))

    assert len(began) == 1
    assert tally(database) == {}


def test_an_end_that_cant_be_written_counts_as_a_failure_and_holds_nothing_up(
    database: Database, clock: MovableClock
) -> None:
    ended: list[str] = []

    def refuse(tx: Writer) -> None:
        raise Duplicate("it is there already, however often it is tried")

    async def carry(work: Work) -> worker.Then:
        return refuse if work.target == "twice" else lambda tx: ended.append(work.payload)

    add(database, clock, target="twice")
    add(database, clock, 3)
    kinds = {"work": Kind(carry, attempts=1)}
    asyncio.run(work(Worker(database, clock, kinds), lambda: tally(database) == {("work", "failed"): 1}))

    assert sorted(set(ended)) == ["0", "1", "2"]
    (kept,) = database.read_now(lambda db: jobs.failed(db, Chosen()))
    assert (kept.target, kept.last_error) == ("twice", "Duplicate: it is there already, however often it is tried")


def test_an_event_whose_consequences_are_there_already_holds_nothing_up(
    database: Database, clock: MovableClock
) -> None:
    heard: list[str] = []

    def listen(tx: Writer, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if fact.name == "poison":
                raise Duplicate("it is there already")
            heard.append(fact.name)

    record(database, clock, "a", "poison", "b")
    asyncio.run(work(Worker(database, clock, {}, [listen]), lambda: "b" in heard and tally(database) != {}))

    assert not database.read_now(events.any_unhandled)


def test_a_reason_is_kept_whatever_characters_it_has(database: Database, clock: MovableClock) -> None:
    async def carry(work: Work) -> None:
        raise Failed("the receiver said \0\udcff" + "x" * 10_000, final=True)

    add(database, clock)
    add(database, clock, kind="strange\n")
    both = {("work", "failed"): 1, ("strange\n", "failed"): 1}
    asyncio.run(work(Worker(database, clock, {"work": Kind(carry)}), lambda: tally(database) == both))

    kept = database.read_now(lambda db: jobs.failed(db, Chosen(kind="work")))
    assert [(one.last_error[:20], len(one.last_error)) for one in kept] == [("the receiver said ?x", 1_000)]


def test_a_worker_goes_on_after_what_nobody_thought_of(
    database: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK_EVERY_S", 0.01)
    seen: list[str] = []
    trouble = iter([ZeroDivisionError("once")])

    async def carry(work: Work) -> None:
        seen.append(work.payload)

    def next_due(*_: object) -> int | None:
        for one in trouble:
            raise one
        return ours(*_)  # type: ignore[arg-type]

    ours = jobs.next_due
    monkeypatch.setattr(jobs, "next_due", next_due)
    add(database, clock)
    asyncio.run(work(Worker(database, clock, {"work": Kind(carry)}), lambda: bool(seen)))

    assert tally(database) == {}
