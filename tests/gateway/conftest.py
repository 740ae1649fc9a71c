"""An empty audit log, in a migrated database of each kind that all tests share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from deskhand.db.database import SQLITE_FILE, open_database
from deskhand.db.engine import Database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.lib.signing_keys import SigningKey
from tests import postgresql
from tests.gateway.audited import Audited, first_account
from tests.world import unique


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, to be copied because migrating takes a second."""
    file = tmp_path_factory.mktemp("migrated") / SQLITE_FILE
    upgrade(sqlalchemy_url("", file))
    return file


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def open_logs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> partial[Database]:
    """How to open the database of the logs; each call is one more process's view of it."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        shutil.copy(migrated, folder)
        return partial(open_database, "", folder)
    url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("logs"))
    upgrade(sqlalchemy_url(url, folder))
    return partial(open_database, url, folder)


@pytest.fixture(scope="session")
def logs(open_logs: partial[Database]) -> Iterator[Database]:
    database = open_logs()
    yield database
    database.close()


@pytest.fixture
def log(logs: Database, open_logs: partial[Database], tmp_path: Path) -> Audited:
    """The audit log of an account that no other test has."""
    return first_account(open_logs, logs, SigningKey(tmp_path / "audit.key"))
