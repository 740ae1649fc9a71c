"""`deskhand migrate` brings any database up to date and says what it did."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from deskhand.db.version import wanted_revision
from tests import postgresql
from tests.commands import run
from tests.world import unique


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_it_migrates_once_and_then_has_nothing_to_do(request: pytest.FixtureRequest, tmp_path: Path, kind: str):
    url = ""
    if kind == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("migrating"))
    newest = wanted_revision()
    done = run(tmp_path, "migrate", "--json", database_url=url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"before": None, "after": newest}
    again = run(tmp_path, "migrate", database_url=url)
    assert again.stdout == f"Nothing to do: the schema is {newest}, the newest.\n"


def test_it_leaves_a_newer_versions_database_alone(migrated: Path):
    with sqlite3.connect(migrated / "data" / "deskhand.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    refused = run(migrated, "migrate")
    assert refused.returncode == 1
    assert refused.stderr.startswith("deskhand: the schema is 9999, from a newer version")


def test_a_database_that_is_away_is_refused_in_one_line(tmp_path: Path):
    refused = run(tmp_path, "migrate", database_url="postgresql://desk:hunter2@127.0.0.1:9/desk")
    assert refused.returncode == 1
    assert refused.stderr.startswith("deskhand: PostgreSQL ")
    assert refused.stderr.count("\n") == 1
    assert "hunter2" not in refused.stderr
