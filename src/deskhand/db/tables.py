"""The one MetaData all slices put their tables into, and the column types they share."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives row ids out only to columns of exactly the type INTEGER.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Both databases sort texts by code point, whatever the server's locale.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

Moment = Text
"""A time as on the wire, `2026-11-23T09:30:00Z`: sorts as text, needs no conversion."""

Json = Text
"""JSON as text; what is already in its wire form passes through to answers unparsed."""

Flag = sa.SmallInteger
"""0 or 1, because drivers disagree about booleans."""


ROWS = "rows of "
"""How the names begin under which changes of remembered tables are announced."""
_WHERE, _REMEMBERED = "where", "remembered"


def table(name: str, *columns: sa.schema.SchemaItem, first_id: int = 1, remembered: bool = False) -> sa.Table:
    """A table whose generated ids begin at `first_id`; its rows change rarely where they may be `remembered`."""
    generated = any(isinstance(one, sa.Column) and one.name == "id" and one.autoincrement == "auto" for one in columns)
    info = {"first_id": first_id, _REMEMBERED: remembered}
    return sa.Table(name, metadata, *columns, sqlite_autoincrement=generated, info=info)


def rows_of(name: str) -> str:
    """The name under which changes of a remembered table are announced; empty for other tables and for none."""
    there = metadata.tables.get(name)
    return f"{ROWS}{name}" if there is not None and there.info.get(_REMEMBERED) else ""


def partial_index(
    name: str, *columns: str, where: sa.ColumnElement[bool] | sa.TextClause, unique: bool = False
) -> sa.Index:
    """An index of some rows only.

    SQLAlchemy asks for the condition by database, and then loads all it knows of both, which only migrations need; so
    it is told by `with_conditions`.
    """
    return sa.Index(name, *columns, unique=unique, info={_WHERE: where})


def with_conditions(tables: sa.MetaData) -> sa.MetaData:
    """The same tables, after SQLAlchemy was told the conditions of partial indexes."""
    for index in (index for one in tables.tables.values() for index in one.indexes):
        if (where := index.info.get(_WHERE)) is not None:
            index.dialect_kwargs.update(sqlite_where=where, postgresql_where=where)
    return tables


def id_column() -> sa.Column[int]:
    """The primary key: generated, never used again after a delete."""
    return sa.Column("id", Id, primary_key=True)


def account_column() -> sa.Column[int]:
    """The account a row belongs to; every query filters on it."""
    return sa.Column("account_id", Id, nullable=False)
