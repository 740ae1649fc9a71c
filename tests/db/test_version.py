"""Which schema a database has, and what is said about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

import deskhand.db
from deskhand.db.database import SQLITE_FILE, open_database
from deskhand.db.engine import Database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.statements import command
from deskhand.db.version import SchemaState, schema_state, server_seconds, server_version, wanted_revision
from tests import postgresql
from tests.world import unique


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Database]]:
    """A database without tables: its address for migrations, and the database."""
    url = ""
    if request.param == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("version"))
    database = open_database(url, tmp_path)
    yield sqlalchemy_url(url, tmp_path / SQLITE_FILE), database
    database.close()


def test_an_empty_database_wants_to_be_migrated_and_then_is_current(empty: tuple[str, Database]):
    url, database = empty
    before = database.read_now(schema_state)
    assert before.applied is None
    assert before.behind
    assert before.words == 'the database has no tables yet: run "deskhand migrate"'
    upgrade(url)
    after = database.read_now(schema_state)
    assert after.current
    assert not after.behind


def test_a_database_of_a_newer_version_is_neither_behind_nor_current(empty: tuple[str, Database]):
    url, database = empty
    upgrade(url)
    later = command(text("UPDATE alembic_version SET version_num = '9999'"), keep=False)
    database.write_now(lambda tx: tx.run(later))
    state = database.read_now(schema_state)
    assert (state.behind, state.current) == (False, False)
    assert state.words.startswith("the schema is 9999, from a newer version")


def test_a_schema_that_lacks_migrations_says_so():
    state = SchemaState("0002", "0003")
    assert state.words == 'the schema is 0002 and this version needs 0003: run "deskhand migrate"'


def test_the_wanted_revision_is_the_one_alembic_ends_with():
    folder = Path(next(iter(deskhand.db.__path__))) / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == wanted_revision()


def test_the_database_says_what_it_is_and_what_time_it_has(empty: tuple[str, Database]):
    _, database = empty
    name = "SQLite 3." if database.dialect == "sqlite" else "PostgreSQL 1"
    assert database.read_now(server_version).startswith(name)
    assert database.read_now(server_seconds) > 1_750_000_000
