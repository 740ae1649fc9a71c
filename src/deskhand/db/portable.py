"""The only file that may ask which database it is talking to: what the two say differently."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

from deskhand.db.engine import Writer
from deskhand.db.statements import Dialect, P, Statement, command, value


class ids_in(ColumnElement[bool]):
    """`column IN (a list of ids)`, the list bound as one JSON text so that the statement's text stays the same."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, column: ColumnElement[Any], ids: ColumnElement[Any]) -> None:
        self.column = column
        self.ids = ids

    def self_group(self, against: Any = None) -> ids_in:
        # Without this SQLAlchemy writes "… = 1" around it on SQLite, and no index is used.
        return self


@compiles(ids_in, "sqlite")
def _ids_in_sqlite(element: ids_in, compiler: SQLCompiler, **kw: Any) -> str:
    column, ids = compiler.process(element.column, **kw), compiler.process(element.ids, **kw)
    return f"{column} IN (SELECT value FROM json_each({ids}))"


@compiles(ids_in, "postgresql")
def _ids_in_postgresql(element: ids_in, compiler: SQLCompiler, **kw: Any) -> str:
    column, ids = compiler.process(element.column, **kw), compiler.process(element.ids, **kw)
    return f"{column} = ANY (ARRAY(SELECT CAST(v AS BIGINT) FROM json_array_elements_text(CAST({ids} AS JSON)) AS v))"


class ids_from(ids_in):
    """`column IN (a query that gives ids)`, looked up by index however many there are: planners guess too high."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], ids: sa.Select[Any] | sa.CompoundSelect[Any]) -> None:
        super().__init__(column, ids.scalar_subquery())


@compiles(ids_from, "sqlite")
def _ids_from_sqlite(element: ids_from, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} IN {compiler.process(element.ids, **kw)}"


@compiles(ids_from, "postgresql")
def _ids_from_postgresql(element: ids_from, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} = ANY (ARRAY{compiler.process(element.ids, **kw)})"


class text_of(ColumnElement[str]):
    """A text that a JSON object in a column has by a name, without the rest of it being read."""

    inherit_cache = False
    type = sa.Text()

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        assert name.isidentifier()
        self.column = column
        self.name = name


@compiles(text_of, "sqlite")
def _text_of_sqlite(element: text_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_extract({compiler.process(element.column, **kw)}, '$.{element.name}')"


@compiles(text_of, "postgresql")
def _text_of_postgresql(element: text_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(CAST({compiler.process(element.column, **kw)} AS JSON) ->> '{element.name}')"


class unindexed(ColumnElement[Any]):
    """A column that SQLite shall not look up by an index: it would take `account_id` before a short list of ids."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type


@compiles(unindexed)
def _unindexed(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.column, **kw)


@compiles(unindexed, "sqlite")
def _unindexed_sqlite(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return "+" + compiler.process(element.column, **kw)


class in_order(sa.Join):
    """A join that SQLite makes from left to right; without statistics it would often begin with the larger table."""

    inherit_cache = False


@compiles(in_order)
def _in_order(element: in_order, compiler: SQLCompiler, **kw: Any) -> str:
    return str(compiler.visit_join(element, **kw))  # type: ignore[no-untyped-call]


@compiles(in_order, "sqlite")
def _in_order_sqlite(element: in_order, compiler: SQLCompiler, **kw: Any) -> str:
    kw |= {"asfrom": True}
    left, right = compiler.process(element.left, **kw), compiler.process(element.right, **kw)
    assert element.onclause is not None
    return f"{left} CROSS JOIN {right} ON {compiler.process(element.onclause)}"


class for_each(in_order):
    """A join that looks up the rows of a table for each row on the left by an index, in both databases.

    PostgreSQL knows nothing of the rows that come out of a parameter, and would compare each with the whole table.
    """

    inherit_cache = False


@compiles(for_each, "postgresql")
def _for_each_postgresql(element: for_each, compiler: SQLCompiler, **kw: Any) -> str:
    kw |= {"asfrom": True}
    left, right = compiler.process(element.left, **kw), compiler.process(element.right, **kw)
    assert element.onclause is not None
    # OFFSET 0 keeps it from being taken for a join like others.
    found = f"SELECT * FROM {right} WHERE {compiler.process(element.onclause)} OFFSET 0"
    return f"{left} CROSS JOIN LATERAL ({found}) AS {right}"


class texts_in(ids_in):
    """As ids_in, for texts."""

    inherit_cache = False


@compiles(texts_in, "postgresql")
def _texts_in_postgresql(element: texts_in, compiler: SQLCompiler, **kw: Any) -> str:
    column, texts = compiler.process(element.column, **kw), compiler.process(element.ids, **kw)
    return f"{column} = ANY (ARRAY(SELECT v FROM json_array_elements_text(CAST({texts} AS JSON)) AS v))"


class pairs_of(sa.sql.functions.FunctionElement[Any]):
    """A JSON list of pairs of texts as a table of two columns, `since` and `until`."""

    name = "pairs_of"
    inherit_cache = False


@compiles(pairs_of, "sqlite")
def _pairs_of_sqlite(element: pairs_of, compiler: SQLCompiler, **kw: Any) -> str:
    pairs = compiler.process(element.clauses, **kw)
    columns = "json_extract(value, '$[0]') AS since, json_extract(value, '$[1]') AS until"
    return f"(SELECT {columns} FROM json_each({pairs}))"


@compiles(pairs_of, "postgresql")
def _pairs_of_postgresql(element: pairs_of, compiler: SQLCompiler, **kw: Any) -> str:
    pairs = compiler.process(element.clauses, **kw)
    return f"(SELECT v ->> 0 AS since, v ->> 1 AS until FROM json_array_elements(CAST({pairs} AS JSON)) AS v)"


class seconds_between(ColumnElement[int]):
    """How many seconds lie between two moments, less than 0 when the later one is given first."""

    inherit_cache = False
    type = sa.BigInteger()

    def __init__(self, earlier: ColumnElement[Any], later: ColumnElement[Any]) -> None:
        self.earlier = earlier
        self.later = later


@compiles(seconds_between, "sqlite")
def _seconds_between_sqlite(element: seconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    later, earlier = compiler.process(element.later, **kw), compiler.process(element.earlier, **kw)
    return f"(unixepoch({later}) - unixepoch({earlier}))"


@compiles(seconds_between, "postgresql")
def _seconds_between_postgresql(element: seconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    later, earlier = compiler.process(element.later, **kw), compiler.process(element.earlier, **kw)
    passed = f"CAST({later} AS TIMESTAMPTZ) - CAST({earlier} AS TIMESTAMPTZ)"
    return f"CAST(EXTRACT(EPOCH FROM {passed}) AS BIGINT)"


class _Condition(ColumnElement[bool]):
    """A condition of ours as it stands: with the `= 1` that SQLAlchemy would add, SQLite uses no index for it."""

    inherit_cache = False
    type = sa.Boolean()

    def self_group(self, against: Any = None) -> Any:
        return self


class by_database(_Condition):
    """A condition that each database has its own words for."""

    inherit_cache = False

    def __init__(self, *, sqlite: ColumnElement[bool], postgresql: ColumnElement[bool]) -> None:
        self.sqlite = sqlite
        self.postgresql = postgresql


@compiles(by_database, "sqlite")
def _by_sqlite(element: by_database, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({compiler.process(element.sqlite, **kw)})"


@compiles(by_database, "postgresql")
def _by_postgresql(element: by_database, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({compiler.process(element.postgresql, **kw)})"


class tsquery(sa.types.UserDefinedType[str]):
    """PostgreSQL's type of what is looked for in texts; SQLAlchemy's own brings all it knows of PostgreSQL."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        """How SQL names it."""
        return "TSQUERY"


class contains(_Condition):
    """Whether a text has another in it, character by character."""

    inherit_cache = False

    def __init__(self, text: ColumnElement[str], piece: ColumnElement[str]) -> None:
        self.text = text
        self.piece = piece


@compiles(contains, "sqlite")
def _contains_sqlite(element: contains, compiler: SQLCompiler, **kw: Any) -> str:
    return f"instr({compiler.process(element.text, **kw)}, {compiler.process(element.piece, **kw)}) > 0"


@compiles(contains, "postgresql")
def _contains_postgresql(element: contains, compiler: SQLCompiler, **kw: Any) -> str:
    return f"strpos({compiler.process(element.text, **kw)}, {compiler.process(element.piece, **kw)}) > 0"


def upsert(table: sa.Table, keys: tuple[str, ...], add: tuple[str, ...]) -> Statement[None]:
    """Insert a row, or where its `keys` exist add to the numbers in its columns `add`."""

    def build(dialect: Dialect) -> sa.Executable:
        statement = _insert(dialect, table).values({name: P(name) for name in (*keys, *add)})
        added = {name: table.c[name] + statement.excluded[name] for name in add}
        return statement.on_conflict_do_update(index_elements=list(keys), set_=added)  # type: ignore[no-any-return]

    return command(build)


def add_missing(table: sa.Table, *names: str) -> Statement[None]:
    """Insert a row, or do nothing where a unique rule says that it is there."""

    def build(dialect: Dialect) -> sa.Executable:
        statement = _insert(dialect, table).values({name: P(name) for name in names})
        return statement.on_conflict_do_nothing()  # type: ignore[no-any-return]

    return command(build)


def _insert(dialect: Dialect, table: sa.Table) -> Any:
    """An INSERT that may meet a row that is there already."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - a process needs one of the two, and each is large

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - as above

    return postgresql.insert(table)


def continue_ids(tx: Writer, table: str) -> None:
    """Let a table's generated ids go on behind the largest there is; SQLite does so by itself."""
    if tx.dialect == "postgresql":
        largest = (
            f"SELECT setval('{table}_id_seq', GREATEST(max(id), (SELECT last_value FROM {table}_id_seq))) FROM {table}"
        )
        tx.one(value(int, sa.text(largest).columns(sa.column("id", sa.BigInteger)), keep=False))
