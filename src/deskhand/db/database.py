"""Opening the database that the settings name.

PostgreSQL's driver takes long to load and much memory, so that it is loaded where there is PostgreSQL only.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from deskhand.db.engine import Database
from deskhand.db.sqlite import open_sqlite

SQLITE_FILE = "deskhand.sqlite"


def open_database(url: str, data_dir: Path, announced: frozenset[str] = frozenset()) -> Database:
    """PostgreSQL where a URL is given, else a SQLite file in the data folder.

    Changes under the `announced` names are told to other processes; SQLite has none.
    """
    if not url:
        return open_sqlite(data_dir / SQLITE_FILE)
    from deskhand.db.postgresql import open_postgresql  # noqa: PLC0415 - as said above

    return open_postgresql(url, announced)


def hearing(url: str, database: Database) -> AbstractContextManager[None]:
    """Around serving from PostgreSQL: listeners hear of what other processes announce."""
    from deskhand.db.postgresql import Ear  # noqa: PLC0415 - as said above

    return Ear(url, database)
