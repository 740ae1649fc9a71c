"""SQL written with SQLAlchemy Core, compiled once per database and kept.

A statement is a module-level constant. Readers and writers (engine.py) run its text on the raw driver.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Generic, Literal, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler

from deskhand.db.tables import metadata, rows_of

Dialect = Literal["sqlite", "postgresql"]
R = TypeVar("R")
S = TypeVar("S", bound=msgspec.Struct)

_WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_PREFIX = "p_"  # SQLAlchemy refuses binds that are named like a column of the written table
REGISTERED: list[Statement[Any]] = []
"""Every kept statement, so that a test can run each on both databases and compare."""


def P(name: str, type_: Any = None) -> sa.BindParameter[Any]:
    """A parameter that the caller gives by `name`."""
    return sa.bindparam(_PREFIX + name, type_=type_)


@dataclass(frozen=True)
class Compiled:
    """A statement's text for one database and the order in which its values go.

    `writes` is the remembered table that it changes, if any, as `rows_of` names it.
    """

    text: str
    names: tuple[str, ...]
    constants: dict[str, Any]
    writes: str

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The tables that a query for what is remembered reads; raises TypeError where one is not to be remembered."""
        tables = sorted(metadata.tables.keys() & re.findall(r"\w+", self.text))
        if not all(map(rows_of, tables)):
            raise TypeError(f"of {tables} not all are remembered: {self.text}")
        return tuple(map(rows_of, tables))

    def values(self, given: dict[str, Any]) -> list[Any]:
        if self.constants:
            given = self.constants | given
        return [given[name] for name in self.names]


class Statement(Generic[R]):
    """One SQL statement and the function that makes a result out of a row's columns."""

    __slots__ = ("_build", "_compiled", "make")

    def __init__(self, build: Callable[[Dialect], sa.ClauseElement], make: Callable[..., R]) -> None:
        self._build = build
        self._compiled: dict[str, Compiled] = {}
        self.make = make

    def on(self, dialect: Dialect) -> Compiled:
        """The text for one database."""
        return self._compiled.get(dialect) or self._compile(dialect)

    def _compile(self, dialect: Dialect) -> Compiled:
        done = self._build(dialect).compile(dialect=_written_for(dialect))
        assert isinstance(done, SQLCompiler)
        names = tuple(name.removeprefix(_PREFIX) for name in done.positiontup or ())
        constants = {k: v for k, v in done.params.items() if not k.startswith(_PREFIX)}
        text = str(done)
        changes = _WRITES.match(text)
        self._compiled[dialect] = Compiled(text, names, constants, rows_of(changes[1]) if changes else "")
        return self._compiled[dialect]


@cache
def _written_for(dialect: Dialect) -> sa.Dialect:
    """SQLAlchemy's words for a database; each brings a lot of code, and a process needs one of them."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite  # noqa: PLC0415 - as said above

        return SQLiteDialect_pysqlite(paramstyle="qmark")
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg  # noqa: PLC0415 - as said above

    return PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]


def rows(
    shape: type[S], select: sa.Select[Any] | sa.CompoundSelect[Any] | sa.UpdateBase, *, keep: bool = True
) -> Statement[S]:
    """A query, or a change with RETURNING, whose columns are, in order, the fields of `shape`.

    `keep=False` is for queries built for one request: they are not put into the register.
    """
    names = [column.name for column in select.exported_columns]
    if names != list(shape.__struct_fields__):
        raise TypeError(f"{shape.__name__} has fields {shape.__struct_fields__}, the query gives {names}")
    return _statement(lambda _: select, shape, keep)


def value(kind: type[R], select: sa.Executable, *, keep: bool = True) -> Statement[R]:
    """A query of one column."""
    return _statement(lambda _: select, _only, keep)


def command(statement: sa.Executable | Callable[[Dialect], sa.Executable], *, keep: bool = True) -> Statement[None]:
    """An INSERT, UPDATE or DELETE that gives no rows back; a function may build it differently per database."""
    build = statement if callable(statement) else lambda _: statement
    return _statement(build, _nothing, keep)


class Insert(Generic[S]):
    """Adding rows of one shape to a table; `shape`'s fields are the columns written."""

    __slots__ = ("many", "one", "shape")

    def __init__(self, table: sa.Table, shape: type[S]) -> None:
        self.shape = shape
        fields = shape.__struct_fields__
        written = table.insert().values({name: P(name) for name in fields})
        self.many = command(written)
        self.one = value(int, written.returning(table.c.id)) if "id" in table.c else None
        # Rows go to the driver as tuples, so the order of the fields must be that of the columns, as SQLAlchemy has it.
        if tuple(column.name for column in table.c if column.name in fields) != fields:
            raise TypeError(f"{shape.__name__} must name its fields in the order of {table.name}'s columns")


def _statement(build: Any, make: Callable[..., R], keep: bool) -> Statement[R]:
    statement = Statement(build, make)
    if keep:
        REGISTERED.append(statement)
    return statement


def _only(first: Any, *_: Any) -> Any:
    return first


def _nothing(*_: Any) -> None:
    return None


def columns(table: sa.FromClause, *names: str) -> Sequence[sa.ColumnElement[Any]]:
    """The named columns of a table, in that order."""
    return [table.c[name] for name in names]
