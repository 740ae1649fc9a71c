"""`deskhand migrate`."""

from __future__ import annotations

import msgspec
import typer

from deskhand.cli.databases import opened, require_folder
from deskhand.cli.refused import Refused
from deskhand.db.database import SQLITE_FILE
from deskhand.db.engine import Unavailable
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.version import schema_state
from deskhand.settings import Settings


def migrate(settings: Settings, *, json: bool) -> None:
    """Bring the schema up to date; says which number it had and has."""
    if not settings.database_url:
        require_folder(settings.data_dir)
    with opened(settings) as database:
        before = database.read_now(schema_state)
        if not before.current and not before.behind:
            raise Refused(before.words)
        try:
            upgrade(sqlalchemy_url(settings.database_url, settings.data_dir / SQLITE_FILE))
        except Unavailable as problem:
            raise Refused(problem) from problem
        after = database.read_now(schema_state)
    if json:
        typer.echo(msgspec.json.encode({"before": before.applied, "after": after.applied}).decode())
    elif before.current:
        typer.echo(f"Nothing to do: {after.words}.")
    else:
        typer.echo(f"Done: {after.words}.")
