"""Sessions on PostgreSQL, by psycopg 3: binary, prepared, in the lanes' threads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any, TypeVar

import psycopg
from psycopg import errors

from deskhand.db.engine import Conflict, Database, Duplicate, Lane, LaneName, NoSuchTable, Session, Unavailable
from deskhand.db.remembered import Remembered
from deskhand.db.tables import ROWS

T = TypeVar("T")

CONNECT_TIMEOUT_S = 5
CHANNEL = "deskhand"
_HEAR_FOR_S = 1.0
_CONNECTION: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": CONNECT_TIMEOUT_S,
    "application_name": "deskhand",
    # Our statements are short: compiling them, or starting processes for them, takes longer than running them.
    "options": "-c jit=off -c max_parallel_workers_per_gather=0",
    # A network that fails without a word would hang a call for hours; so it is noticed within a minute.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


class PostgresSession(Session):
    """A connection that is opened when first needed and again after it was lost."""

    dialect = "postgresql"

    def __init__(self, url: str, announced: frozenset[str] = frozenset(), memory: Remembered | None = None) -> None:
        super().__init__(url, memory)
        self._url = url
        self._announced = announced
        self._connection: psycopg.Connection[Any] | None = None
        self._cursor: psycopg.Cursor[Any] | None = None
        self._in_transaction = False

    def notify(self) -> None:
        if names := {name for name in self._changed if name in self._announced or self._tells_rows(name)}:
            self._fetch_text("SELECT pg_notify(%s, %s)", (CHANNEL, ",".join(sorted(names))))

    def _tells_rows(self, name: str) -> bool:
        """Whether it names remembered rows, which concerns other processes wherever there are any."""
        return bool(self._announced) and name.startswith(ROWS)

    def begin(self) -> None:
        self._execute("BEGIN", ())
        self._in_transaction = True

    def commit(self) -> None:
        self._execute("COMMIT", ())
        self._in_transaction = False

    def rollback(self) -> None:
        self._in_transaction = False
        if self._connection is not None and not self._connection.closed:
            try:
                self._connection.execute("ROLLBACK")
            except psycopg.Error:
                self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._cursor = None

    def _fetch_text(self, text: str, values: Any) -> list[Any]:
        def fetch(cursor: psycopg.Cursor[Any]) -> list[Any]:
            return cursor.execute(text, values, prepare=True).fetchall()

        return self._do(fetch)

    def _execute(self, text: str, values: Any) -> int:
        return self._do(lambda cursor: cursor.execute(text, values, prepare=True).rowcount)

    def _execute_many(self, text: str, rows: list[tuple[Any, ...]]) -> None:
        self._do(lambda cursor: cursor.executemany(text, rows))

    def _do(self, call: Callable[[psycopg.Cursor[Any]], T]) -> T:
        self.ran += 1
        try:
            return call(self._cursor or self._open())
        except errors.UniqueViolation as problem:
            raise Duplicate(str(problem)) from problem
        except (errors.DeadlockDetected, errors.SerializationFailure) as problem:
            raise Conflict(str(problem)) from problem
        except errors.UndefinedTable as problem:
            raise NoSuchTable(str(problem)) from problem
        except (psycopg.OperationalError, psycopg.InterfaceError) as problem:
            return self._once_more(call, problem)

    def _once_more(self, call: Callable[[psycopg.Cursor[Any]], T], problem: Exception) -> T:
        """After a lost connection: outside a transaction nothing is lost by asking again on a new one."""
        lost = self._connection is not None and self._connection.closed
        self.close()
        if self._in_transaction or not lost:
            raise Unavailable(f"PostgreSQL can't do it now: {problem}") from problem
        try:
            return call(self._open())
        except (psycopg.OperationalError, psycopg.InterfaceError) as again:
            self.close()
            raise Unavailable(f"PostgreSQL is away: {again}") from again

    def _open(self) -> psycopg.Cursor[Any]:
        self._connection = psycopg.connect(self._url, **_CONNECTION)
        self._connection.prepared_max = 1000
        self._cursor = self._connection.cursor(binary=True)
        return self._cursor


def open_postgresql(url: str, announced: frozenset[str] = frozenset()) -> Database:
    """Open a PostgreSQL database: four quick readers, two slow ones, eight writers, connected as needed.

    Changes under the `announced` names, and of remembered tables if there are any such names, are told to other
    processes, which hear of them by `Ear`.
    """
    memory = Remembered()
    lanes: dict[LaneName, Lane] = {
        "fast": Lane("read", 4, lambda: PostgresSession(url, memory=memory)),
        "slow": Lane("slow", 2, lambda: PostgresSession(url, memory=memory)),
        "write": Lane("write", 8, lambda: PostgresSession(url, announced)),
    }
    return Database("postgresql", lanes, memory)


class Ear:
    """Hears, in a thread of its own, what other processes announce, and passes it on to the listeners here."""

    def __init__(self, url: str, database: Database) -> None:
        self._url = url
        self._database = database
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="deskhand-ear", daemon=True)

    def __enter__(self) -> None:
        self._woken, self._wake = socket.socketpair()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._wake.close()
        self._thread.join(2 * _HEAR_FOR_S)
        self._woken.close()

    def _listen(self) -> None:
        # Whoever only listens looks at the database now and then as well, so nothing is lost while this is away.
        while not self._stopped.is_set():
            try:
                with psycopg.connect(self._url, **_CONNECTION) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    while not self._stopped.is_set():
                        wait([connection.fileno(), self._woken], _HEAR_FOR_S)
                        for heard in connection.notifies(timeout=0):
                            self._database.announce(heard.payload.split(","))
            except psycopg.Error:
                self._stopped.wait(_HEAR_FOR_S)
