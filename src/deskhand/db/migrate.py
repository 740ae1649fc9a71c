"""Bringing a database's tables up to date, one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from deskhand.db.engine import Unavailable
from deskhand.db.migrations.search_tables import OWN_NAMES
from deskhand.db.tables import with_conditions

_WAIT_S = 60
"""How long a second process waits on SQLite."""
_LOCK = 0x6465736B  # any number; the same for all of Deskhand's processes


def upgrade(url: str) -> None:
    """Apply the migrations that are missing; a second process waits until the first is done."""
    with _connected(url) as connection:
        command.upgrade(_config(connection), "head")


def pending(url: str) -> bool:
    """Whether migrations are missing."""
    with _connected(url) as connection:
        heads = ScriptDirectory.from_config(_config(connection)).get_heads()
        return set(MigrationContext.configure(connection).get_current_heads()) != set(heads)


def differences(url: str, metadata: sa.MetaData) -> list[str]:
    """How the tables in a database differ from those in the code; empty when the migrations are complete."""
    with _connected(url) as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_described})
        return [str(found) for found in compare_metadata(context, with_conditions(metadata))]


def write_migration(url: str, metadata: sa.MetaData, message: str) -> None:
    """For developers: write a new migration from what the code's tables have and the database's lack."""
    with _connected(url) as connection:
        config = _config(connection)
        config.attributes["metadata"] = with_conditions(metadata)
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


def is_described(name: str | None, kind: str, parents: object) -> bool:
    """Whether a thing found in a database is one that the code's tables describe: Alembic's `include_name`."""
    return not (name or "").startswith(OWN_NAMES)


def start_ids(connection: sa.Connection, table: str, first_id: int) -> None:
    """Let a table's generated ids begin at `first_id`."""
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text("INSERT INTO sqlite_sequence VALUES (:t, :n)"), {"t": table, "n": first_id - 1})
    else:
        connection.execute(sa.text(f"ALTER SEQUENCE {table}_id_seq RESTART WITH {first_id:d}"))


def sqlalchemy_url(url: str, sqlite_file: Path) -> str:
    """The address of the database as SQLAlchemy wants it."""
    if not url:
        return f"sqlite:///{sqlite_file}"
    return "postgresql+psycopg://" + url.split("://", 1)[1]


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    if engine.dialect.name == "sqlite":
        _begin_at_once(engine)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.text(f"SELECT pg_advisory_lock({_LOCK})"))
                connection.commit()
            connection.begin()  # all of it is one transaction: nobody else comes in between two migrations
            yield connection
            connection.commit()
    except sa.exc.OperationalError as problem:
        raise Unavailable(f"the database can't be reached: {problem.orig}") from problem
    finally:
        engine.dispose()


def _begin_at_once(engine: sa.Engine) -> None:
    """Have SQLite take its lock where a transaction begins: its driver would write each new table by itself.

    What is cut off has then changed nothing, a second process waits, and the disk is waited for once, not 300 times.
    """

    @sa.event.listens_for(engine, "connect")
    def leave_it_to_us(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {_WAIT_S * 1000}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
