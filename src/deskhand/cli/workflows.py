"""`deskhand workflows`: an account's workflows, as `/admin/v1/workflows` has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import typer

from deskhand.catalogue.problems import NotFound
from deskhand.cli import accounts
from deskhand.cli.administering import as_shown, read_file, refusing, show, table
from deskhand.cli.clocks import clock_for
from deskhand.cli.databases import opened, require_current
from deskhand.db.engine import Database, Reader, Writer
from deskhand.desk.call import Change
from deskhand.desk.workflows import conditions, given, naming, queries, telling, verbs
from deskhand.desk.workflows import dry_run as trying
from deskhand.desk.workflows.actions import as_json
from deskhand.desk.workflows.dry_run import DryRun, Tried
from deskhand.desk.workflows.given import Shown
from deskhand.desk.workflows.naming import Named
from deskhand.gateway.administering import desk_changes
from deskhand.gateway.administering.who import command_line
from deskhand.gateway.audit import KEY_FILE, Audit
from deskhand.lib.clock import to_wire
from deskhand.lib.signing_keys import SigningKey
from deskhand.settings import Settings


@dataclass(frozen=True, slots=True)
class Bench:
    """An account's workflows, without a server."""

    database: Database
    account_id: int
    moment: datetime
    audit: Audit

    @property
    def now(self) -> str:
        """The time as it is written."""
        return to_wire(self.moment)

    def tell(self, tx: Writer, change: Change) -> None:
        """Log what was changed, as the last act of the transaction that changes it."""
        desk_changes.log(self.audit, tx, command_line(self.account_id), change)

    def one(self, id: int) -> Shown:
        """A workflow; raises NotFound."""

        def read(db: Reader) -> list[Shown]:
            row = queries.by_id(db, self.account_id, id)
            return [] if row is None else given.shown(db, self.account_id, [row])

        found = self.database.read_now(read)
        if not found:
            raise NotFound
        return found[0]


@contextmanager
def bench(settings: Settings, account_id: int | None) -> Iterator[Bench]:
    """The workflows of the account that is meant; raises Refused for whatever is refused."""
    with opened(settings) as database, refusing():
        require_current(database)
        meant = database.read_now(lambda db: accounts.meant(db, account_id))
        clock = clock_for(settings)
        audit = Audit(database, clock, SigningKey(settings.data_dir / KEY_FILE))
        yield Bench(database, meant, clock.now(), audit)


def listed(settings: Settings, account_id: int | None, inbox_id: int | None, *, json: bool) -> None:
    """Show all workflows."""
    with bench(settings, account_id) as here:
        found = here.database.read_now(
            lambda db: given.shown(db, here.account_id, queries.every(db, here.account_id, inbox_id))
        )
    rows = [(one.id, one.inbox_id, one.position, one.type, one.status, one.name) for one in found]
    heads = ("ID", "INBOX", "ORDER", "TYPE", "STATUS", "NAME")
    show({"workflows": found}, lambda: table(heads, rows, "There are no workflows."), json=json)


def show_one(settings: Settings, account_id: int | None, id: int, *, json: bool) -> None:
    """Show a workflow in words."""
    with bench(settings, account_id) as here:
        _show(here, id, json=json)


def add(settings: Settings, account_id: int | None, file: Path, *, json: bool) -> None:
    """Add the workflow that a file has."""
    with bench(settings, account_id) as here:
        new = given.read(here.account_id, read_file(file, "the workflow"), here.now)

        def write(tx: Writer) -> int:
            id = verbs.add(tx, new)
            here.tell(tx, telling.done("made", queries.existing(tx, here.account_id, id), "added"))
            return id

        _show(here, here.database.write_now(write), json=json)


def change(settings: Settings, account_id: int | None, id: int, file: Path, *, json: bool) -> None:
    """Put the workflow that a file has in the place of one."""
    with bench(settings, account_id) as here:
        new = given.read(here.account_id, read_file(file, "the workflow"), here.now)

        def write(tx: Writer) -> None:
            verbs.replace(tx, id, new)
            here.tell(tx, telling.done("changed", queries.existing(tx, here.account_id, id), "changed"))

        here.database.write_now(write)
        _show(here, id, json=json)


def switch(
    settings: Settings, account_id: int | None, id: int, status: Literal["active", "inactive"], *, json: bool
) -> None:
    """Switch a workflow on or off."""
    with bench(settings, account_id) as here:

        def write(tx: Writer) -> None:
            before = queries.by_id(tx, here.account_id, id)
            verbs.switch(tx, here.account_id, id, status, here.now)
            after = queries.existing(tx, here.account_id, id)
            if before is not None and before.status != after.status:
                here.tell(tx, telling.switched(after))

        here.database.write_now(write)
        _show(here, id, json=json)


def delete(settings: Settings, account_id: int | None, id: int, *, json: bool) -> None:
    """Delete a workflow."""
    with bench(settings, account_id) as here:

        def write(tx: Writer) -> None:
            row = queries.by_id(tx, here.account_id, id)
            verbs.delete(tx, here.account_id, id, here.now)
            if row is not None:
                here.tell(tx, telling.done("deleted", row, "deleted"))

        here.database.write_now(write)
    typer.echo(f'{{"deleted":{id}}}' if json else f"Workflow {id} is deleted; what it did stays.")


def dry_run(
    settings: Settings, account_id: int | None, id: int | None, file: Path | None, most: int, *, json: bool
) -> None:
    """Show what a workflow would have done."""
    with bench(settings, account_id) as here:

        def run(db: Reader) -> DryRun:
            if file is None:
                return trying.of_existing(db, here.account_id, id or 0, most, here.moment)
            new = given.read(here.account_id, read_file(file, "the workflow"), here.now)
            return trying.of(db, new, most, here.moment)

        found = here.database.read_now(run, "slow")
    show(found, lambda: "\n".join(_tried(found)), json=json)


def _show(here: Bench, id: int, *, json: bool) -> None:
    found = here.one(id)
    every = list(conditions.every(found.conditions))
    inboxes = (found.inbox_id,)
    named = here.database.read_now(lambda db: naming.named_by(db, here.account_id, inboxes, found.actions, every))
    show(found, lambda: "\n".join(_in_words(found, named)), json=json)


def _in_words(one: Shown, named: Named) -> Iterator[str]:
    because = f" because {one.invalid_because}" if one.invalid_because else ""
    yield as_shown(f"Workflow {one.id}, {one.name}: {one.type}, {one.status}{because}, {one.position} in its inbox.")
    for number, group in enumerate(one.conditions):
        words = " or ".join(conditions.in_words(condition, named.name) for condition in group.any)
        yield as_shown(f"{'and' if number else 'if'} {words}")
    if one.invalid_because:
        yield as_shown(f"then {as_json(one.actions)}")
    else:
        yield as_shown(f"then {', '.join(naming.in_words(action, named) for action in one.actions)}")


def _tried(run: DryRun) -> Iterator[str]:
    yield f"Of {run.looked_at} conversations {run.matches} match; it would run on {run.would_run}."
    yield from (as_shown(f"{one.number:>8}  {_came_of(one)}") for one in run.conversations)


def _came_of(one: Tried) -> str:
    reasons: Sequence[str] = [f"{saw.condition} ({saw.saw})" for saw in one.because]
    if not one.matches:
        return f"no match: not {' or '.join(reasons)}"
    because = f" because {' and '.join(reasons)}" if reasons else ""
    return f"{', '.join(one.actions) if one.would_run else 'ran before'}{because}"
