"""Which schema a database has and which one this code wants; what the database says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from deskhand.db.engine import NoSuchTable, Reader
from deskhand.db.statements import value


class _server_version(FunctionElement[str]):
    """The version of the database's software."""

    inherit_cache = True
    name = "server_version"
    type = sa.Text()


@compiles(_server_version, "sqlite")
def _version_sqlite(element: _server_version, compiler: SQLCompiler, **kw: Any) -> str:
    return "sqlite_version()"


@compiles(_server_version, "postgresql")
def _version_postgresql(element: _server_version, compiler: SQLCompiler, **kw: Any) -> str:
    return "current_setting('server_version')"


# Not registered: their answers differ between databases.
_VERSION = value(str, sa.select(_server_version().label("version")), keep=False)
_NOW = value(int, sa.select(sa.cast(sa.extract("epoch", sa.func.now()), sa.BigInteger).label("now")), keep=False)
_REVISION = value(
    str, sa.select(sa.column("version_num", sa.Text)).select_from(sa.table("alembic_version")), keep=False
)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The number of the last migration that was applied (None: the database is empty) and of the last there is."""

    applied: str | None
    wanted: str

    @property
    def behind(self) -> bool:
        """Whether migrations are missing."""
        return self.applied is None or self.applied < self.wanted

    @property
    def current(self) -> bool:
        return self.applied == self.wanted

    @property
    def words(self) -> str:
        """What there is and, where it is not right, what to do."""
        if self.applied is None:
            return 'the database has no tables yet: run "deskhand migrate"'
        if self.behind:
            return f'the schema is {self.applied} and this version needs {self.wanted}: run "deskhand migrate"'
        if not self.current:
            return f"the schema is {self.applied}, from a newer version, this one knows {self.wanted}: install it"
        return f"the schema is {self.applied}, the newest"


def schema_state(db: Reader) -> SchemaState:
    """How the database's schema stands; raises Unavailable."""
    try:
        applied = db.one(_REVISION)
    except NoSuchTable:
        applied = None
    return SchemaState(applied, wanted_revision())


def wanted_revision() -> str:
    """The number of the newest migration. Read from the files' names, because loading Alembic takes a while."""
    folder = Path(__file__).parent / "migrations" / "versions"
    return max(file.name.partition("_")[0] for file in folder.glob("[0-9]*.py"))


def server_version(db: Reader) -> str:
    """The name and version of the database's software."""
    return f"{'SQLite' if db.dialect == 'sqlite' else 'PostgreSQL'} {db.first(_VERSION)}"


def server_seconds(db: Reader) -> int:
    """The database's clock in seconds since 1970."""
    return db.first(_NOW)
