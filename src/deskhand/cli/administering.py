"""What the gateway's commands share: its verbs on the settings' database, and how their outcome is shown."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import typer

from deskhand.catalogue.problems import FieldError, NotFound, Problem
from deskhand.cli import accounts
from deskhand.cli.clocks import clock_for
from deskhand.cli.databases import TOO_LARGE, opened, require_current
from deskhand.cli.refused import Refused
from deskhand.db.engine import Database, Reader
from deskhand.desk.for_agents import Authors, inbox_names
from deskhand.gateway import agents
from deskhand.gateway.administering.administration import Administration
from deskhand.gateway.administering.who import Who, command_line
from deskhand.gateway.audit import KEY_FILE, Audit
from deskhand.gateway.clean import require_clean_json
from deskhand.gateway.sentences import one_line
from deskhand.lib.signing_keys import KeyUnusable, SigningKey
from deskhand.lib.text import fold
from deskhand.settings import Settings

T = TypeVar("T")
NEVER = "never"


@dataclass(frozen=True, slots=True)
class Bench:
    """An account's administration, without a server."""

    database: Database
    administration: Administration
    who: Who

    @property
    def account_id(self) -> int:
        """The account that is administered."""
        return self.who.account_id

    def agent(self, given: str) -> int:
        """The id of the agent that was named, by id or by name; raises Refused."""
        return self.database.read_now(lambda db: named(db, self.account_id, given))

    def inbox_names(self) -> dict[int, str]:
        """What the account's inboxes are called, as far as that is known here."""
        return self.database.read_now(lambda db: inbox_names(db, self.account_id))


def named(db: Reader, account_id: int, given: str) -> int:
    """The id of the agent that was named, by id or by name; raises Refused."""
    living = agents.living(db, account_id)
    for row in [*(row for row in living if str(row.id) == given), *living]:
        if str(row.id) == given or fold(row.name) == fold(given.strip()):
            return row.id
    raise Refused(f"there is no agent {given}")


@contextmanager
def bench(settings: Settings, account_id: int | None) -> Iterator[Bench]:
    """The administration of the account that is meant; raises Refused for whatever it refuses."""
    with opened(settings) as database:
        require_current(database)
        who = command_line(database.read_now(lambda db: accounts.meant(db, account_id)))
        desk = database.read_now(lambda db: accounts.has_desk(db, who.account_id))
        clock = clock_for(settings)
        administration = Administration(
            database,
            clock,
            Audit(database, clock, SigningKey(settings.data_dir / KEY_FILE)),
            Authors() if desk else None,
            inbox_names if desk else None,
        )
        with refusing():
            yield Bench(database, administration, who)


@contextmanager
def refusing() -> Iterator[None]:
    """Let a refusal be one line of words."""
    try:
        yield
    except NotFound as problem:
        raise Refused("there is none with this id") from problem
    except Problem as problem:
        raise Refused(in_words(problem)) from problem
    except KeyUnusable as problem:
        raise Refused(problem) from problem
    except OverflowError as problem:
        raise Refused(TOO_LARGE) from problem


def in_words(problem: Problem) -> str:
    """A problem as people read it: which field is wrong how, or what the matter is."""
    return "; ".join(map(_field_in_words, problem.errors)) or problem.message


def _field_in_words(error: FieldError) -> str:
    """Which field is wrong how; an id that is unknown is named, for it may be one of several."""
    named = f" ({error.rejected})" if error.message.startswith("no such") and type(error.rejected) is int else ""
    return f"{error.path}: {error.message}{named}" if error.path else error.message


def run(work: Coroutine[Any, Any, T]) -> T:
    """Carry out a verb."""
    return asyncio.run(work)


def show(result: Any, words: Callable[[], str], *, json: bool) -> None:
    """Print an outcome: as the HTTP call answers it, or in words."""
    typer.echo(msgspec.json.encode(result).decode() if json else words())


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]], nothing: str) -> str:
    """Columns that stand beneath their heads; `nothing` where there are no rows."""
    if not rows:
        return nothing
    cells = [list(heads), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(heads))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: Any) -> str:
    return "-" if value is None else one_line(str(value))


def as_shown(text: str) -> str:
    """A text of others as a terminal may have it: whole, on one line, and nothing in it that the terminal obeys."""
    return one_line(text, len(text))


def given_text(text: str) -> str:
    """What an option gives, or where it is `-`, what comes from stdin."""
    return sys.stdin.read() if text == "-" else text


def read_json(text: str, what: str) -> Any:
    """A JSON value that somebody wrote, in which no name stands twice; raises Refused."""
    try:
        found = msgspec.json.decode(text)
        require_clean_json(text.encode())
    except Problem as problem:
        raise Refused(f"{what} is not as it must be: {in_words(problem)}") from problem
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as problem:
        raise Refused(f"{what} is not JSON: {problem}") from problem
    return found


def read_file(file: Path, what: str) -> dict[str, Any]:
    """The JSON object in a file, or in what comes from stdin where it is `-`; raises Refused."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as problem:
        raise Refused(f"{what} can't be read: {file}: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise Refused(f"{what} is not UTF-8") from problem
    found = read_json(text, what)
    if not isinstance(found, dict):
        raise Refused(f"{what} must be a JSON object")
    return found
