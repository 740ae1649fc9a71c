"""Opening the database that the settings name."""

from __future__ import annotations

from pathlib import Path

from deskhand.db.engine import Database
from deskhand.db.postgresql import open_postgresql
from deskhand.db.sqlite import open_sqlite

SQLITE_FILE = "deskhand.sqlite"


def open_database(url: str, data_dir: Path) -> Database:
    """PostgreSQL where a URL is given, else a SQLite file in the data folder."""
    return open_postgresql(url) if url else open_sqlite(data_dir / SQLITE_FILE)
