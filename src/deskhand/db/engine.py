"""Where statements run: sessions on the raw drivers, and the three lanes of threads that own them.

A lane is a few threads, each with a session of its own; SQLite's quick reads need none (HereLane). Quick reads, slow
reads (search, reports, deep pages) and writes have separate lanes, so that none waits behind another kind; SQLite has
one writer, as the database itself does.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread, local
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from deskhand.db.remembered import Remembered
from deskhand.db.statements import Compiled, Dialect, Insert, Statement

R = TypeVar("R")
S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")

LaneName = Literal["fast", "slow", "write"]
ATTEMPTS = 5
"""How often a write is tried when another transaction won: a deadlock, or a row that had to be unique."""


class Unavailable(Exception):
    """The database can't be reached or can't do the work now; the text says why in words."""


class Duplicate(Exception):
    """A row that must be unique was there already."""


class NoSuchTable(Exception):
    """A table is not there: the database has no schema yet, or one of another version."""


class Conflict(Exception):
    """The database gave this transaction up in favour of another; trying it again is safe."""


class Load(NamedTuple):
    """Calls that wait for a thread of a lane, threads at work, and how many threads there are."""

    waiting: int
    busy: int
    threads: int


class Reader(Protocol):
    """Runs queries."""

    @property
    def dialect(self) -> Dialect: ...
    @property
    def place(self) -> str:
        """Where the database is, for memory that must not mix what it knows of several."""
        ...

    def all(self, query: Statement[R], /, **given: Any) -> list[R]:
        """Every row."""
        ...

    def one(self, query: Statement[R], /, **given: Any) -> R | None:
        """The first row, or None."""
        ...

    def first(self, query: Statement[R], /, **given: Any) -> R:
        """The first row of a query that always has one, such as a count."""
        ...

    def known(self, query: Statement[R], /, **given: Any) -> list[R]:
        """As `all`, of tables that are remembered: for pages, which may be a moment behind other processes.

        Inside a transaction nothing is taken from memory.
        """
        ...


class Writer(Reader, Protocol):
    """Runs queries and changes inside one transaction."""

    def run(self, statement: Statement[Any], /, **given: Any) -> int:
        """Carry out a change; gives the number of rows it touched."""
        ...

    def add(self, insert: Insert[S], row: S) -> int:
        """Insert a row; gives its new id."""
        ...

    def add_many(self, insert: Insert[S], rows: Iterable[S]) -> None:
        """Insert rows without asking for their ids."""
        ...

    def changed(self, name: str) -> None:
        """Note that facts cached in memory under `name` are stale once this transaction has committed."""
        ...

    def count(self, statement: Statement[None], key: tuple[Any, ...], by: int) -> None:
        """Add to a counter row at the very end of the transaction, in key order, so that writers never deadlock."""
        ...


class Session:
    """One connection of one thread; a Reader always and a Writer between `begin` and `commit`."""

    dialect: ClassVar[Dialect]

    def __init__(self, place: str, memory: Remembered | None = None) -> None:
        """`memory`: what a session that only reads may give for what it read before."""
        self.place = place
        self._memory = memory
        self.ran = 0  # statements so far; tests assert how many a request takes
        self._changed: list[str] = []
        self._counts: Counter[tuple[Statement[None], tuple[Any, ...]]] = Counter()

    def all(self, query: Statement[R], /, **given: Any) -> list[R]:
        make = query.make
        return [make(*row) for row in self._fetch(query.on(self.dialect), given)]

    def one(self, query: Statement[R], /, **given: Any) -> R | None:
        found = self._fetch(query.on(self.dialect), given)
        return query.make(*found[0]) if found else None

    def first(self, query: Statement[R], /, **given: Any) -> R:
        return query.make(*self._fetch(query.on(self.dialect), given)[0])

    def known(self, query: Statement[R], /, **given: Any) -> list[R]:
        compiled = query.on(self.dialect)
        values = tuple(compiled.values(given))

        def ask() -> list[R]:
            return [query.make(*row) for row in self._fetch_text(compiled.text, values)]

        return self._memory.rows(compiled, values, ask) if self._memory is not None else ask()

    def run(self, statement: Statement[Any], /, **given: Any) -> int:
        compiled = statement.on(self.dialect)
        touched = self._execute(compiled.text, compiled.values(given))
        if touched:
            self._wrote(compiled)
        return touched

    def add(self, insert: Insert[S], row: S) -> int:
        assert insert.one is not None, "the table has no id"
        compiled = insert.one.on(self.dialect)
        self._wrote(compiled)
        # Rows are tuples in the order of the statement's values: see Insert.
        return int(self._fetch_text(compiled.text, msgspec.structs.astuple(row))[0][0])

    def add_many(self, insert: Insert[S], rows: Iterable[S]) -> None:
        tuples = [msgspec.structs.astuple(row) for row in rows]
        compiled = insert.many.on(self.dialect)
        if tuples:
            self._wrote(compiled)
        if len(tuples) == 1:  # drivers prepare for many at a cost
            self._execute(compiled.text, tuples[0])
        elif tuples:
            self._execute_many(compiled.text, tuples)

    def changed(self, name: str) -> None:
        self._changed.append(name)

    def count(self, statement: Statement[None], key: tuple[Any, ...], by: int) -> None:
        self._counts[statement, key] += by

    def flush_counts(self) -> None:
        """Write the counters gathered by `count`, those that came to zero left out."""
        rows: dict[Statement[None], list[tuple[Any, ...]]] = defaultdict(list)
        for (statement, key), by in sorted(self._counts.items(), key=lambda item: item[0][1]):
            if by:
                rows[statement].append((*key, by))
        for statement, written in rows.items():
            self._execute_many(statement.on(self.dialect).text, written)
        self._counts.clear()

    def forget(self) -> None:
        self._changed.clear()
        self._counts.clear()

    def take_changed(self) -> list[str]:
        names, self._changed = self._changed, []
        return names

    def notify(self) -> None:
        """Let other processes know, once this transaction has committed, what it changed."""

    def begin(self) -> None:
        raise NotImplementedError

    def commit(self) -> None:
        raise NotImplementedError

    def rollback(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def _wrote(self, compiled: Compiled) -> None:
        if compiled.writes and compiled.writes not in self._changed:
            self._changed.append(compiled.writes)

    def _fetch(self, compiled: Compiled, given: dict[str, Any]) -> list[Any]:
        return self._fetch_text(compiled.text, compiled.values(given))

    def _fetch_text(self, text: str, values: Any) -> list[Any]:
        raise NotImplementedError

    def _execute(self, text: str, values: Any) -> int:
        raise NotImplementedError

    def _execute_many(self, text: str, rows: list[tuple[Any, ...]]) -> None:
        raise NotImplementedError


_Task = tuple[Callable[[Session], Any], Callable[[Any, BaseException | None], Any]]
"""Work, and what is to be told how it ended."""


class Lane:
    """A few threads, each with its own session.

    Work goes through a plain queue: what `run_in_executor` adds to each call costs more than most of our queries.
    """

    def __init__(self, name: str, threads: int, open_session: Callable[[], Session]) -> None:
        self._open = open_session
        self._queue: SimpleQueue[_Task | None] = SimpleQueue()
        self._busy = [False] * threads
        self.sessions: list[Session] = []
        self._threads = [
            Thread(target=self._serve, args=(place,), name=f"deskhand-{name}-{place}", daemon=True)
            for place in range(threads)
        ]
        self._started = Lock()

    @property
    def load(self) -> Load:
        """How busy the lane is at this moment."""
        return Load(self._queue.qsize(), sum(self._busy), len(self._threads))

    async def run(self, work: Callable[[Session], T]) -> T:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self.put(work, lambda *ended: loop.call_soon_threadsafe(_settle, done, *ended))
        return await done

    def run_now(self, work: Callable[[Session], T]) -> T:
        """As `run`, for callers without an event loop (the command line)."""
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        self.put(work, partial(_settle, done))
        return done.result()

    def close(self) -> None:
        """Finish what is waiting, then end the threads and their sessions."""
        if self._started.locked():
            for _ in self._threads:
                self._queue.put(None)
            for thread in self._threads:
                thread.join()

    def put(self, work: Callable[[Session], Any], settle: Callable[[Any, BaseException | None], Any]) -> None:
        """As `run`, for callers who don't wait: `settle` is told in the lane's thread how it ended."""
        if self._started.acquire(blocking=False):
            for thread in self._threads:
                thread.start()
        self._queue.put((work, settle))

    def _serve(self, place: int) -> None:
        session: Session | None = None
        while (task := self._queue.get()) is not None:
            self._busy[place] = True
            work, settle = task
            result, problem = None, None
            try:
                if session is None:
                    session = self._open()
                    self.sessions.append(session)
                result = work(session)
            except BaseException as caught:  # noqa: BLE001 (it is raised where the caller waits)
                problem = caught
            self._busy[place] = False
            with contextlib.suppress(RuntimeError):  # the event loop was closed: nobody waits any more
                settle(result, problem)
            del task, work, settle, result, problem  # or they would live until the next call
        if session is not None:
            session.close()


def _settle(done: Any, result: Any, problem: BaseException | None) -> None:
    if done.done():
        return  # whoever waited was cancelled
    if problem is None:
        done.set_result(result)
    else:
        done.set_exception(problem)


class HereLane(Lane):
    """A lane whose work is done at once on the event loop, for queries that take less time than the way to a thread.

    Nothing else happens meanwhile, so it is only for a database in this process that has its pages in memory.
    """

    def __init__(self, name: str, threads: int, open_session: Callable[[], Session]) -> None:
        super().__init__(name, threads, open_session)
        self._here = local()

    async def run(self, work: Callable[[Session], T]) -> T:
        session: Session | None = getattr(self._here, "session", None)
        if session is None:
            session = self._here.session = self._open()
            self.sessions.append(session)
        return work(session)

    def close(self) -> None:
        """Also end the sessions that were opened here."""
        super().close()
        for session in self.sessions:
            session.close()


class Database:
    """A database and its lanes. Close it when done."""

    def __init__(self, dialect: Dialect, lanes: dict[LaneName, Lane], memory: Remembered) -> None:
        self.dialect = dialect
        self.lanes = lanes
        self.memory = memory
        self.versions: Counter[str] = Counter()
        """How often the facts under a name were changed by this process; memory caches compare it."""
        self._listeners: dict[str, list[Callable[[], None]]] = defaultdict(list)

    async def read(self, work: Callable[[Reader], T], lane: LaneName = "fast") -> T:
        """Run queries on a reading lane."""
        return await self.lanes[lane].run(work)

    async def write(self, work: Callable[[Writer], T]) -> T:
        """Run one transaction: all of `work` happens, or, when it raises, nothing."""
        return await self.lanes["write"].run(lambda session: self._transact(session, work))

    def write_then(self, work: Callable[[Writer], T], told: Callable[[T | None, BaseException | None], Any]) -> None:
        """As `write`, for callers who don't wait: `told` hears in the writer's thread how it ended."""
        self.lanes["write"].put(lambda session: self._transact(session, work), told)

    def listen(self, name: str, told: Callable[[], None]) -> None:
        """Call `told` after each transaction that said `tx.changed(name)`; it runs in the writer's thread."""
        self._listeners[name].append(told)

    def read_now(self, work: Callable[[Reader], T], lane: LaneName = "fast") -> T:
        """As `read`, for callers without an event loop."""
        return self.lanes[lane].run_now(work)

    def write_now(self, work: Callable[[Writer], T]) -> T:
        """As `write`, for callers without an event loop."""
        return self.lanes["write"].run_now(lambda session: self._transact(session, work))

    def _transact(self, session: Session, work: Callable[[Writer], T]) -> T:
        for left in range(ATTEMPTS - 1, -1, -1):
            session.begin()
            try:
                result = work(session)
                session.flush_counts()
                session.notify()
                session.commit()
            except (Conflict, Duplicate):
                self._give_up(session)
                if not left:
                    raise
            except BaseException:
                self._give_up(session)
                raise
            else:
                self.announce(session.take_changed())
                return result
        raise AssertionError("unreachable")

    def announce(self, names: list[str]) -> None:
        """Tell this process's caches and listeners that facts under these names were changed."""
        self.memory.forget(names)
        self.versions.update(names)
        for name in set(names):
            for told in self._listeners[name]:
                told()

    @staticmethod
    def _give_up(session: Session) -> None:
        session.forget()
        session.rollback()

    def close(self) -> None:
        for lane in self.lanes.values():
            lane.close()
