"""`deskhand check` looks at everything, one line each, and ends with 1 if anything is wrong."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from deskhand.cli import checking
from deskhand.settings import Settings
from tests import postgresql
from tests.commands import run
from tests.world import unique

CHECKS = [
    "settings", "disk", "database", "schema", "clock",
    "counters: status", "counters: folder", "counters: folder_active", "counters: owner", "counters: owner_active",
    "counters: tag", "tags", "replies", "files", "audit", "connections", "jobs", "mail in", "mail",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_migrated_database_is_in_order(request: pytest.FixtureRequest, tmp_path: Path, kind: str):
    url = ""
    if kind == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("check"))
    (tmp_path / "data").mkdir()
    assert run(tmp_path, "migrate", database_url=url).returncode == 0
    checked = run(tmp_path, "check", "--json", database_url=url)
    assert checked.returncode == 0, checked.stderr
    content = json.loads(checked.stdout)
    assert content["ok"] is True
    assert [each["name"] for each in content["checks"]] == CHECKS
    assert all(each["ok"] for each in content["checks"])


def test_people_read_a_line_each(migrated: Path):
    lines = run(migrated, "check").stdout.splitlines()
    assert [line.partition(": ")[0] for line in lines[:3]] == ["ok     settings", "ok     disk", "ok     database"]
    assert len(lines) == len(CHECKS)


def test_counters_that_are_wrong_are_told_and_repaired(migrated: Path):
    with sqlite3.connect(migrated / "data" / "deskhand.sqlite") as connection:
        for key in range(30):
            connection.execute("INSERT INTO counter VALUES (1, 'owner', ?, 501, 7)", [key])
    connection.close()
    wrong = run(migrated, "check")
    assert wrong.returncode == 1
    assert wrong.stderr == "deskhand: not in order: counters: owner\n"
    assert "WRONG  counters: owner: 30 counters wrong\n" in wrong.stdout
    assert "conversations of user or team 3 in inbox 501 of account 1: the counter says 7, there are 0" in wrong.stdout
    assert "and 10 more (--json lists all)" in wrong.stdout
    repaired = run(migrated, "check", "--repair")
    assert repaired.returncode == 0, repaired.stdout
    assert "ok     repair: 30 counters, 0 tagged conversations and 0 answered ones set right\n" in repaired.stdout
    assert run(migrated, "check").returncode == 0


def test_settings_that_are_wrong_are_a_finding(tmp_path: Path):
    wrong = run(tmp_path, "check", "--json", port="x")
    assert wrong.returncode == 1
    (check,) = json.loads(wrong.stdout)["checks"]
    assert check["ok"] is False
    assert "DESKHAND_PORT" in check["text"]


def test_before_the_first_migration_it_says_what_to_do_and_makes_nothing(tmp_path: Path):
    wrong = run(tmp_path, "check")
    assert wrong.returncode == 1
    assert 'WRONG  database: there is none in data yet: run "deskhand migrate"' in wrong.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_away_is_a_finding(tmp_path: Path):
    wrong = run(tmp_path, "check", database_url="postgresql://127.0.0.1:9/desk")
    assert wrong.returncode == 1
    assert "WRONG  database: PostgreSQL " in wrong.stdout


def test_a_clock_that_was_set_back_is_a_finding(migrated: Path):
    with sqlite3.connect(migrated / "data" / "deskhand.sqlite") as connection:
        connection.execute(
            "INSERT INTO event (account_id, name, subject_id, actor_type, actor_id, at, particulars)"
            " VALUES (1, 'convo.created', 1, 'user', 2, '2999-01-01T00:00:00Z', '{}')"
        )
    connection.close()
    assert "seconds behind the newest event: it was set back" in run(migrated, "check").stdout


def test_a_disk_that_is_nearly_full_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checking, "FREE_LEAST", 1 << 60)
    found = checking._disk(Settings(data_dir=tmp_path))
    assert not found.ok
    assert found.text.startswith("only ")
