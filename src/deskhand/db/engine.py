"""Where statements run: sessions on the raw drivers, and the three lanes of threads that own them.

A lane is a few threads, each with a session of its own. Quick reads, slow reads (search, reports, deep pages) and
writes have separate lanes, so that none waits behind another kind; SQLite has one writer, as the database itself does.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Literal, Protocol, TypeVar

import msgspec

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


class Conflict(Exception):
    """The database gave this transaction up in favour of another; trying it again is safe."""


class Reader(Protocol):
    """Runs queries."""

    @property
    def dialect(self) -> Dialect: ...
    def all(self, query: Statement[R], /, **given: Any) -> list[R]:
        """Every row."""
        ...

    def one(self, query: Statement[R], /, **given: Any) -> R | None:
        """The first row, or None."""
        ...

    def first(self, query: Statement[R], /, **given: Any) -> R:
        """The first row of a query that always has one, such as a count."""
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

    def __init__(self) -> None:
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

    def run(self, statement: Statement[Any], /, **given: Any) -> int:
        compiled = statement.on(self.dialect)
        return self._execute(compiled.text, compiled.values(given))

    def add(self, insert: Insert[S], row: S) -> int:
        assert insert.one is not None, "the table has no id"
        # Rows are tuples in the order of the statement's values: see Insert.
        return int(self._fetch_text(insert.one.on(self.dialect).text, msgspec.structs.astuple(row))[0][0])

    def add_many(self, insert: Insert[S], rows: Iterable[S]) -> None:
        tuples = [msgspec.structs.astuple(row) for row in rows]
        if tuples:
            self._execute_many(insert.many.on(self.dialect).text, tuples)

    def changed(self, name: str) -> None:
        self._changed.append(name)

    def count(self, statement: Statement[None], key: tuple[Any, ...], by: int) -> None:
        self._counts[statement, key] += by

    def flush_counts(self) -> None:
        """Write the counters gathered by `count`, those that came to zero left out."""
        for (statement, key), by in sorted(self._counts.items(), key=lambda item: item[0][1]):
            if by:
                compiled = statement.on(self.dialect)
                self._execute(compiled.text, (*key, by))
        self._counts.clear()

    def forget(self) -> None:
        self._changed.clear()
        self._counts.clear()

    def take_changed(self) -> list[str]:
        names, self._changed = self._changed, []
        return names

    def begin(self) -> None:
        raise NotImplementedError

    def commit(self) -> None:
        raise NotImplementedError

    def rollback(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def _fetch(self, compiled: Compiled, given: dict[str, Any]) -> list[Any]:
        return self._fetch_text(compiled.text, compiled.values(given))

    def _fetch_text(self, text: str, values: Any) -> list[Any]:
        raise NotImplementedError

    def _execute(self, text: str, values: Any) -> int:
        raise NotImplementedError

    def _execute_many(self, text: str, rows: list[tuple[Any, ...]]) -> None:
        raise NotImplementedError


class Lane:
    """A few threads, each with its own session."""

    def __init__(self, name: str, threads: int, open_session: Callable[[], Session]) -> None:
        self._open = open_session
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"deskhand-{name}")
        self._local = threading.local()
        self._sessions: list[Session] = []

    async def run(self, work: Callable[[Session], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._work, work)

    def run_now(self, work: Callable[[Session], T]) -> T:
        """As `run`, for callers without an event loop (the command line)."""
        return self._pool.submit(self._work, work).result()

    def _work(self, work: Callable[[Session], T]) -> T:
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._open()
            self._sessions.append(session)
        return work(session)

    def close(self) -> None:
        self._pool.shutdown()
        for session in self._sessions:
            session.close()


class Database:
    """A database and its lanes. Close it when done."""

    def __init__(self, dialect: Dialect, lanes: dict[LaneName, Lane]) -> None:
        self.dialect = dialect
        self.lanes = lanes
        self.versions: Counter[str] = Counter()
        """How often the facts under a name were changed by this process; memory caches compare it."""

    async def read(self, work: Callable[[Reader], T], lane: LaneName = "fast") -> T:
        """Run queries on a reading lane."""
        return await self.lanes[lane].run(work)

    async def write(self, work: Callable[[Writer], T]) -> T:
        """Run one transaction: all of `work` happens, or, when it raises, nothing."""
        return await self.lanes["write"].run(lambda session: self._transact(session, work))

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
                session.commit()
            except (Conflict, Duplicate):
                self._give_up(session)
                if not left:
                    raise
            except BaseException:
                self._give_up(session)
                raise
            else:
                self.versions.update(session.take_changed())
                return result
        raise AssertionError("unreachable")

    @staticmethod
    def _give_up(session: Session) -> None:
        session.forget()
        session.rollback()

    def close(self) -> None:
        for lane in self.lanes.values():
            lane.close()
