"""Opening the database that the settings name."""

from __future__ import annotations

from pathlib import Path

from deskhand.db.engine import Database
from deskhand.db.postgresql import open_postgresql
from deskhand.db.sqlite import open_sqlite

SQLITE_FILE = "deskhand.sqlite"


def open_database(url: str, data_dir: Path, announced: frozenset[str] = frozenset()) -> Database:
    """PostgreSQL where a URL is given, else a SQLite file in the data folder.

    Changes under the `announced` names are told to other processes; SQLite has none.
    """
    return open_postgresql(url, announced) if url else open_sqlite(data_dir / SQLITE_FILE)
