"""`deskhand jobs`: what waits to be done, what gave up and why; runs it again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from deskhand.cli.databases import opened, require_current
from deskhand.desk.checking.finding import counted
from deskhand.outbox import jobs as outbox
from deskhand.outbox.jobs import Chosen, Shown, Tally
from deskhand.settings import Settings

SHOWN_MOST = 100


def jobs(settings: Settings, chosen: dict[str, Any], *, again: bool, json: bool) -> None:
    """Show jobs, or run those again that gave up."""
    those = Chosen(**chosen)
    with opened(settings) as database:
        require_current(database)
        if again:
            count = database.write_now(lambda tx: outbox.run_again(tx, those, datetime.now(UTC)))
            typer.echo(f'{{"again":{count}}}' if json else f"{counted(count, 'job')} will be run again.")
            return
        tally = database.read_now(outbox.tally, "slow")
        failed = database.read_now(lambda db: outbox.failed(db, those, SHOWN_MOST), "slow")
    if json:
        typer.echo(msgspec.json.encode({"jobs": tally, "failed": failed}).decode())
    else:
        _show(tally, failed)


def _show(tally: list[Tally], failed: list[Shown]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if not tally:
        console.print("Nothing waits, and nothing gave up.")
    for row in sorted(tally, key=lambda row: (row.state, row.kind)):
        console.print(Text(f"{row.n:>8,}  {row.kind} {row.state}"))
    for job in failed:
        attempts = counted(job.attempts, "attempt")
        console.print(Text(f"{job.id:>8}  {job.kind} for {job.target}, made {job.created_at}, {attempts}:"))
        console.print(Text(f"{'':10}{job.last_error}"))
    if failed:
        console.print('"deskhand jobs --again" runs them again; --id, --kind, --since and --until choose.')
