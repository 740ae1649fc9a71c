"""A folder whose data folder holds a migrated SQLite database, copied because migrating takes a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskhand.db.database import SQLITE_FILE
from tests.live import migrate


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    migrate("", tmp_path / "data" / SQLITE_FILE)
    return tmp_path
