"""A folder whose data folder holds a migrated SQLite database, copied because migrating takes a second."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deskhand.db.database import SQLITE_FILE
from deskhand.db.migrate import sqlalchemy_url, upgrade


@pytest.fixture(scope="session")
def migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("migrated") / SQLITE_FILE
    upgrade(sqlalchemy_url("", file))
    return file


@pytest.fixture
def migrated(migrated_once: Path, tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_once, tmp_path / "data")
    return tmp_path
