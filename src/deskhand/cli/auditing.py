"""`deskhand audit`: reading the log, exporting it, verifying that nobody changed it, and removing what is old."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import msgspec
import typer
from rich.console import Console

from deskhand.catalogue.problems import BadRequest
from deskhand.cli import accounts
from deskhand.cli.administering import named
from deskhand.cli.clocks import clock_for
from deskhand.cli.databases import opened, require_current, require_folder
from deskhand.cli.refused import Refused
from deskhand.db.engine import Database, Reader
from deskhand.desk.checking.finding import Finding, counted
from deskhand.gateway import audit_listing, chain
from deskhand.gateway.audit import KEY_FILE, Audit, By
from deskhand.gateway.audit_export import Csv, JsonLines
from deskhand.gateway.audit_listing import Entry, Filters
from deskhand.gateway.retention import Broken, Retention, retain_now
from deskhand.gateway.sentences import one_line
from deskhand.gateway.verifying import Checking, Point, Result, Verification
from deskhand.lib.signing_keys import KeyUnusable, SigningKey
from deskhand.settings import Settings

FOLLOW_EVERY_S = 0.5
_SETTLED_AFTER_S = 1.0
"""How long following waits for a call's end, to show it with the call."""
_SHOWN_MOST = 20
_STEP = 20_000


# -- Reading


def show(settings: Settings, query: Mapping[str, str], account_id: int | None, *, json: bool) -> None:
    """Show a page of entries, the newest first."""
    with _ready(settings, account_id) as (database, its), _naming_options():
        filters, cursor, limit = _read_filters(database, its, query)
        page = database.read_now(lambda db: audit_listing.entries(db, its, filters, cursor, limit), "slow")
    if json:
        typer.echo(msgspec.json.encode(page).decode())
        return
    for entry in page.entries:
        _show(entry)
    if page.next is not None:
        typer.echo(f"Older ones: --cursor {page.next}")


def follow(settings: Settings, query: Mapping[str, str], account_id: int | None, *, last: int, json: bool) -> None:
    """Show the last entries and then each new one, until interrupted."""
    with _ready(settings, account_id) as (database, its):
        filters, _, _ = _read_filters(database, its, query)
        if last:
            page = database.read_now(lambda db: audit_listing.entries(db, its, filters, None, last), "slow")
            for entry in reversed(page.entries):
                _show(entry, json=json)
        for entry in _new(database, its, filters):
            _show(entry, json=json)


def _new(database: Database, account_id: int, filters: Filters) -> Iterator[Entry]:
    seen = database.read_now(lambda db: audit_listing.newest(db, account_id))
    first_seen: dict[int, float] = {}
    while True:
        found, reached = database.read_now(partial(_since, account_id, filters, seen), "slow")
        for entry in found:
            if not _is_settled(entry, first_seen.setdefault(entry.id, time.monotonic())):
                reached = entry.id - 1
                break
            yield entry
        seen = reached
        first_seen = {id: when for id, when in first_seen.items() if id > seen}
        time.sleep(FOLLOW_EVERY_S)


def _since(account_id: int, filters: Filters, number: int, db: Reader) -> tuple[list[Entry], int]:
    return audit_listing.entries_since(db, account_id, filters, number)


def _is_settled(entry: Entry, first_seen: float) -> bool:
    """Whether an entry has its end, or nobody should wait longer for it."""
    return entry.type != "decision" or entry.status is not None or time.monotonic() - first_seen > _SETTLED_AFTER_S


def _show(entry: Entry, *, json: bool = False) -> None:
    if json:
        typer.echo(msgspec.json.encode(entry).decode())
        return
    ended = "" if entry.status is None else f" ({entry.status}, {entry.milliseconds or 0} ms)"
    typer.echo(f"{entry.id:>8}  {one_line(entry.at)}  {one_line(entry.sentence)}{ended}")


# -- Exporting


def export(
    settings: Settings,
    format: str,
    query: Mapping[str, str],
    account_id: int | None,
    output: Path | None,
    *,
    json: bool,
) -> None:
    """Write the whole chain as JSON lines, or entries as CSV, to a file or to stdout."""
    if format == "jsonl" and query:
        raise Refused("a chain can only be exported whole: filters are for --format csv")
    with _ready(settings, account_id) as (database, its):
        filters, _, _ = _read_filters(database, its, query)
        source: JsonLines | Csv = Csv(its, filters)
        if format == "jsonl":
            key = _key(settings)
            key.sign(b"")  # the export ends with a signature: better nothing than an export without its end
            source = JsonLines(its, key, clock_for(settings).now())
        size = 0
        with _written(output) as file, _progress("bytes written") as told:
            while piece := database.read_now(source.piece, "slow"):
                file.write(piece)
                size += len(piece)
                told(size)
    if output is not None:
        result = msgspec.json.encode({"file": str(output), "bytes": size}).decode()
        typer.echo(result if json else f"{size:,} bytes are in {output}.")


@contextmanager
def _written(output: Path | None) -> Iterator[IO[bytes]]:
    """Stdout, or a file that is there only once it is whole."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with tempfile.NamedTemporaryFile(dir=output.parent, prefix=output.name, delete=False) as file:
            try:
                yield file
                file.close()
                os.replace(file.name, output)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as problem:
        raise Refused(f"{output} can't be written: {problem.strerror}") from problem


# -- Verifying


def verify(
    settings: Settings,
    file: Path | None,
    keys: Sequence[str],
    head: str | None,
    account_id: int | None,
    *,
    json: bool,
) -> None:
    """Verify an export, or the chain in the database; ends with status 1 when something is wrong."""
    point = None if head is None else _point(head)
    if file is not None:
        result = _verify_file(file, keys or None, point)
    else:
        with _ready(settings, account_id) as (database, its):
            result = verified(database, its, _trusted(settings, keys), point)
    if json:
        typer.echo(msgspec.json.encode(result).decode())
    else:
        _show_result(result)
    if not result.ok:
        raise Refused(f"the audit log is not as it was written: {counted(len(result.problems), 'problem')}")


def verified(
    database: Database, account_id: int, keys: Collection[str] | None = None, head: Point | None = None
) -> Result:
    """What verifying an account's chain in the database finds."""
    verification = Verification(account_id, keys, head)
    with _progress("records verified") as told:
        while (result := database.read_now(verification.page, "slow")) is None:
            told(verification.number)
    return result


def check(database: Database, settings: Settings) -> Finding:
    """Whether the chains of all accounts are whole, for `deskhand check`."""
    records, wrong = 0, list[str]()
    try:
        trusted = _trusted(settings, ())
    except Refused as problem:
        return Finding("audit", False, str(problem))
    for account_id in database.read_now(chain.accounts, "slow"):
        result = verified(database, account_id, trusted)
        records += result.records
        wrong += [f"record {each.record} of account {account_id}: {one_line(each.problem)}" for each in result.problems]
    if wrong:
        return Finding("audit", False, "the audit log is not as it was written", tuple(wrong))
    return Finding("audit", True, f"{counted(records, 'record')} of the audit log verified")


def _verify_file(file: Path, keys: Sequence[str] | None, head: Point | None) -> Result:
    checking = Checking(keys, head)
    try:
        with file.open("rb") as lines, _progress("records verified") as told:
            for line in lines:
                checking.line(line.rstrip(b"\r\n"))
                if checking.number % _STEP == 0:
                    told(checking.number)
    except OSError as problem:
        raise Refused(f"{file} can't be read: {problem.strerror}") from problem
    return checking.end(closed=True)


def _point(text: str) -> Point:
    number, _, hash = text.partition(":")
    if not (number.isascii() and number.isdigit() and re.fullmatch(r"[0-9a-f]{64}", hash)):
        raise typer.BadParameter("must be NUMBER:HASH, as verifying shows it", param_hint="--head")
    return Point(int(number), hash)


def _trusted(settings: Settings, keys: Sequence[str]) -> frozenset[str] | None:
    """The keys that may have signed: the one here, if there is one, and those that were named."""
    own = _key(settings)
    try:
        here = [own.public] if own.file.exists() else []
    except KeyUnusable as problem:
        raise Refused(problem) from problem
    return frozenset([*here, *keys]) or None


def _show_result(result: Result) -> None:
    for fault in result.problems[:_SHOWN_MOST]:
        typer.echo(f"record {fault.record}: {one_line(fault.problem)}")  # it may repeat what a stranger wrote
    if len(result.problems) > _SHOWN_MOST:
        typer.echo(f"and {len(result.problems) - _SHOWN_MOST:,} more (--json lists them)")
    if result.head is None:
        typer.echo("There are no records.")
    elif result.ok:
        typer.echo(f"{counted(result.records, 'record')}, {result.first} to {result.last}, nothing was changed.")
    for key in result.keys:
        typer.echo(f"Signed with the key {one_line(key)}")
    if result.ok and result.head is not None:
        typer.echo(f"The end, to be noted elsewhere: --head {result.head.number}:{result.head.hash}")


# -- Keeping


def retain(settings: Settings, days: int, account_id: int | None, *, json: bool) -> None:
    """Remove records that are older."""
    clock, key = clock_for(settings), _key(settings)
    with _ready(settings, account_id) as (database, its):
        audit = Audit(database, clock, key)
        try:
            removed = retain_now(database, Retention(audit, key, clock, its, days, By("command_line")))
        except (Broken, KeyUnusable) as problem:
            raise Refused(problem) from problem
    if json:
        typer.echo(msgspec.json.encode(removed).decode())
    else:
        typer.echo(f"{counted(removed.records, 'record')} removed that were older than {counted(days, 'day')}.")


def key(settings: Settings, *, json: bool) -> None:
    """Show the public key, which is made with the private one when there is none."""
    require_folder(settings.data_dir)
    try:
        public = _key(settings).public
    except KeyUnusable as problem:
        raise Refused(problem) from problem
    typer.echo(msgspec.json.encode({"public_key": public}).decode() if json else public)


# -- What all of them need


def _key(settings: Settings) -> SigningKey:
    return SigningKey(settings.data_dir / KEY_FILE)


def _read_filters(database: Database, account_id: int, query: Mapping[str, str]) -> tuple[Filters, str | None, int]:
    """What the options choose; an agent may be named, or be of the past and given by its id."""
    agent = query.get("agent", "")
    if agent and not agent.isdigit():
        try:
            query = {**query, "agent": str(database.read_now(lambda db: named(db, account_id, agent)))}
        except Refused as problem:
            raise Refused(f"{problem}; one that was deleted is found by its id") from problem
    with _naming_options():
        return audit_listing.read_filters(query)


@contextmanager
def _naming_options() -> Iterator[None]:
    """Let what is wrong with a filter be said of the option that gave it."""
    try:
        yield
    except BadRequest as problem:
        (error,) = problem.errors
        raise typer.BadParameter(error.message, param_hint=f"--{error.path}") from problem


@contextmanager
def _ready(settings: Settings, account_id: int | None) -> Iterator[tuple[Database, int]]:
    """The database and the account that is meant."""
    with opened(settings) as database:
        require_current(database)
        its = database.read_now(lambda db: accounts.meant(db, account_id))
        try:
            yield database, its
        except KeyUnusable as problem:
            raise Refused(problem) from problem


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    """Tells people on a terminal how far long work has come."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield lambda count: status.update(f"{count:,} {what}")
