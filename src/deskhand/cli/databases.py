"""Opening the database for a command."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deskhand.cli.refused import Refused
from deskhand.db.database import open_database
from deskhand.db.engine import Database, Unavailable
from deskhand.db.version import schema_state
from deskhand.outbox.events import FOR_PAGES
from deskhand.settings import Settings

TOO_LARGE = "a number is too large to be an id"


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The settings' database; raises Refused where it can't be reached, or has no room for a number that was given."""
    if not settings.database_url and not settings.data_dir.is_dir():
        raise Refused(f'there is no database in {settings.data_dir} yet: run "deskhand migrate"')
    database = open_database(settings.database_url, settings.data_dir, announced=FOR_PAGES)
    try:
        yield database
    except Unavailable as problem:
        raise Refused(problem) from problem
    except OverflowError as problem:
        raise Refused(TOO_LARGE) from problem
    finally:
        database.close()


def require_current(database: Database) -> None:
    """Raises Refused unless the schema is the one this version needs."""
    state = database.read_now(schema_state)
    if not state.current:
        raise Refused(state.words)


def require_folder(folder: Path) -> None:
    """Make a folder if it is not there; raises Refused unless files can be written in it."""
    if folder.exists() and not folder.is_dir():
        raise Refused(f"the data folder {folder} is not a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise Refused(f"the data folder {folder} can't be written to: {problem.strerror}") from problem
