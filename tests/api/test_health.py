"""Whether a server lives and can work, as load balancers ask it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from deskhand.api import health
from deskhand.api.health import Health
from deskhand.api.metrics import Metrics
from deskhand.db.database import SQLITE_FILE, open_database
from deskhand.db.engine import Database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.statements import command


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database("", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def current(database: Database, tmp_path: Path) -> Database:
    """A database whose schema is current."""
    upgrade(sqlalchemy_url("", tmp_path / SQLITE_FILE))
    return database


def ask(database: Database, path: str) -> tuple[int, dict[str, Any]]:
    """Status and content of an answer."""
    app = Starlette(routes=Health(database, Metrics(["get_me"], database.lanes)).routes)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "root_path": ""}
    asyncio.run(app(scope, receive, send))
    assert (b"cache-control", b"no-store") in sent[0]["headers"]
    return sent[0]["status"], json.loads(sent[1]["body"])


def test_a_server_lives_whatever_its_database_does(database: Database):
    assert ask(database, "/healthz") == (200, {"status": "ok"})


def test_a_server_with_a_current_schema_is_ready(current: Database):
    assert ask(current, "/readyz") == (200, {"ready": True, "checks": {"database": "ok", "schema": "ok"}})


def test_a_server_without_tables_is_not_ready_and_says_what_to_do(database: Database):
    status, content = ask(database, "/readyz")
    assert (status, content["ready"]) == (503, False)
    words = 'the database has no tables yet: run "deskhand migrate"'
    assert content["checks"] == {"database": "ok", "schema": words}


def test_a_schema_that_a_newer_version_made_does_not_stop_an_upgrade(current: Database):
    later = command(text("UPDATE alembic_version SET version_num = '9999'"), keep=False)
    current.write_now(lambda tx: tx.run(later))
    assert ask(current, "/readyz")[0] == 200


def test_a_database_that_is_away_is_told_without_particulars():
    away = open_database("postgresql://desk:hunter2@127.0.0.1:9/desk", Path())
    status, content = ask(away, "/readyz")
    away.close()
    assert status == 503
    assert content["checks"] == {"database": "can't be reached", "schema": "not known"}


def test_a_database_that_is_too_slow_counts_as_away(current: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health, "ANSWER_WITHIN_S", 0.05)

    async def never(*_: object) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(current, "read", never)
    status, content = ask(current, "/readyz")
    assert status == 503
    assert content["checks"]["database"] == "has not answered within 0.05 seconds"
