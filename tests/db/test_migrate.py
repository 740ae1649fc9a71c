"""Bringing a database up to date: once, whoever else does so too, and wholly or not at all."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command

from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.version import wanted_revision
from tests import postgresql
from tests.world import unique

UPGRADE = "import sys; from deskhand.db.migrate import upgrade; upgrade(sys.argv[1])"


def tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_of_several_processes_one_does_it_and_the_others_wait(tmp_path: Path) -> None:
    file = tmp_path / "desk.sqlite"
    started = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, sqlalchemy_url("", file)], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(wanted_revision(),)]


def test_what_is_cut_off_has_changed_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, whole = tmp_path / "desk.sqlite", command.upgrade

    def cut_off(*given: Any) -> None:
        whole(*given)
        raise RuntimeError("the power went")

    monkeypatch.setattr(command, "upgrade", cut_off)
    with pytest.raises(RuntimeError, match="the power went"):
        upgrade(sqlalchemy_url("", file))
    assert tables(file) == set()
    monkeypatch.undo()
    upgrade(sqlalchemy_url("", file))
    assert {"conversation", "thread"} <= tables(file)


def test_what_is_cut_off_on_postgresql_has_changed_nothing(
    postgresql_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, whole = postgresql.create_database(postgresql_server, unique("cut")), command.upgrade

    def cut_off(*given: Any) -> None:
        whole(*given)
        raise RuntimeError("the power went")

    def there() -> set[str]:
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            return {name for (name,) in found}

    monkeypatch.setattr(command, "upgrade", cut_off)
    with pytest.raises(RuntimeError, match="the power went"):
        upgrade(sqlalchemy_url(url, tmp_path))
    assert there() == set()
    monkeypatch.undo()
    upgrade(sqlalchemy_url(url, tmp_path))
    assert {"conversation", "thread"} <= there()
