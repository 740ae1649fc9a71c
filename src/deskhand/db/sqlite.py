"""Sessions on SQLite, by the standard library's driver."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from deskhand.db.engine import Database, Duplicate, HereLane, Lane, LaneName, NoSuchTable, Session, Unavailable
from deskhand.db.remembered import Remembered

T = TypeVar("T")

WRITER_WAIT_S = 5
_SETTINGS = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA mmap_size = 2147418112;
    PRAGMA cache_size = -16000;
    PRAGMA temp_store = MEMORY;
"""


class SqliteSession(Session):
    """A connection to a SQLite file; transactions take the write lock at once."""

    dialect = "sqlite"

    def __init__(self, path: Path, *, writes: bool, memory: Remembered | None = None) -> None:
        super().__init__(str(path), memory)
        try:
            self.connection = sqlite3.connect(
                path, timeout=WRITER_WAIT_S, isolation_level=None, check_same_thread=False, cached_statements=512
            )
            self.connection.executescript(_SETTINGS + ("" if writes else "PRAGMA query_only = ON;"))
        except sqlite3.OperationalError as problem:
            raise Unavailable(f"the database file {path} can't be opened: {problem}") from problem

    def begin(self) -> None:
        self._execute("BEGIN IMMEDIATE", ())

    def commit(self) -> None:
        self._execute("COMMIT", ())

    def rollback(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def close(self) -> None:
        self.connection.close()

    def _fetch_text(self, text: str, values: Any) -> list[Any]:
        return self._do(lambda: self.connection.execute(text, values).fetchall())

    def _execute(self, text: str, values: Any) -> int:
        return self._do(lambda: self.connection.execute(text, values).rowcount)

    def _execute_many(self, text: str, rows: list[tuple[Any, ...]]) -> None:
        self._do(lambda: self.connection.executemany(text, rows))

    def _do(self, call: Callable[[], T]) -> T:
        self.ran += 1
        try:
            return call()
        except sqlite3.IntegrityError as problem:
            if problem.sqlite_errorcode in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
                raise Duplicate(str(problem)) from problem
            raise
        except sqlite3.OperationalError as problem:
            if "no such table" in str(problem):
                raise NoSuchTable(str(problem)) from problem
            if "syntax error" in str(problem) or "no such" in str(problem):
                raise
            raise Unavailable(f"SQLite can't do it now: {problem}") from problem


def open_sqlite(path: Path) -> Database:
    """Open a SQLite file: a quick reader on the event loop, two slow ones and one writer in threads."""
    memory = Remembered()
    lanes: dict[LaneName, Lane] = {
        "fast": HereLane("read", 1, lambda: SqliteSession(path, writes=False, memory=memory)),
        "slow": Lane("slow", 2, lambda: SqliteSession(path, writes=False, memory=memory)),
        "write": Lane("write", 1, lambda: SqliteSession(path, writes=True)),
    }
    return Database("sqlite", lanes, memory)


def save_copy(database: Database, path: Path) -> None:
    """Write the whole database into another file, in one consistent state."""
    database.lanes["write"].run_now(lambda session: _save(session, path))


async def keep_copy(database: Database, path: Path) -> None:
    """As `save_copy`, for callers with an event loop; the file is there whole or not at all."""

    def save(session: Session) -> None:
        unfinished = path.with_name(f".{path.name}.new")
        unfinished.unlink(missing_ok=True)
        _save(session, unfinished)
        os.replace(unfinished, path)

    await database.lanes["write"].run(save)


def _save(session: Session, path: Path) -> None:
    assert isinstance(session, SqliteSession)
    with contextlib.closing(sqlite3.connect(path)) as copy:
        session.connection.backup(copy)


async def restore_copy(database: Database, path: Path, going_on: str) -> None:
    """Put the state of `save_copy` back, as one change that readers see at once.

    Ids of the table `going_on` are not given out a second time, for somebody may still work on what had them.
    """

    def restore(session: Session) -> None:
        assert isinstance(session, SqliteSession)
        run = session.connection.execute
        (last,) = run("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?", (going_on,)).fetchone()
        with contextlib.closing(sqlite3.connect(path)) as copy:
            copy.backup(session.connection)
        run("DELETE FROM sqlite_sequence WHERE name = ?", (going_on,))
        run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (going_on, last))

    await database.lanes["write"].run(restore)
