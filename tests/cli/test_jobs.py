"""`deskhand jobs` and `deskhand worker`."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from deskhand.db.database import open_database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.lib.clock import SystemClock
from deskhand.outbox import jobs
from tests import postgresql
from tests.commands import run, start
from tests.world import unique


def leave(url: str, data_dir: Path, *kinds: str) -> None:
    """Jobs of kinds that no worker knows."""
    database = open_database(url, data_dir)
    now = SystemClock().now()
    for kind in kinds:
        database.write_now(
            lambda tx, kind=kind: jobs.add(tx, account_id=1, kind=kind, target="x", payload=1, now=now)  # type: ignore[misc]
        )
    database.close()


@pytest.fixture
def url(postgresql_server: str, tmp_path: Path) -> str:
    made = postgresql.create_database(postgresql_server, unique("jobs"))
    upgrade(sqlalchemy_url(made, tmp_path))
    return made


def test_a_worker_does_what_it_can_and_says_why_it_could_not(tmp_path: Path, url: str):
    leave(url, tmp_path, "strange", "odd")
    worker = start(tmp_path, "worker", DATABASE_URL=url)
    try:
        shown = wait_for_failed(tmp_path, url, 2)
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0

    assert {job["kind"]: job["last_error"] for job in shown["failed"]} == {
        kind: f"this version of Deskhand does not know jobs of kind {kind}" for kind in ("strange", "odd")
    }
    words = run(tmp_path, "jobs", DATABASE_URL=url).stdout
    assert "does not know jobs of kind strange" in words


def wait_for_failed(folder: Path, url: str, count: int) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        shown: dict[str, Any] = json.loads(run(folder, "jobs", "--json", DATABASE_URL=url).stdout)
        if len(shown["failed"]) == count:
            return shown
        assert time.monotonic() < deadline, shown
        time.sleep(0.2)


def test_jobs_that_gave_up_are_run_again_one_or_a_kind_or_all(tmp_path: Path, url: str):
    leave(url, tmp_path, "strange", "odd", "odd")
    worker = start(tmp_path, "worker", DATABASE_URL=url)
    try:
        shown = wait_for_failed(tmp_path, url, 3)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
    one = next(job["id"] for job in shown["failed"] if job["kind"] == "odd")

    def again(*options: str) -> int:
        shown = run(tmp_path, "jobs", "--again", "--json", *options, DATABASE_URL=url).stdout
        return int(json.loads(shown)["again"])

    assert again("--until", "2000-01-01T00:00:00Z") == 0
    assert again("--id", str(one)) == 1
    assert again("--kind", "odd") == 1
    assert again() == 1
    waiting = json.loads(run(tmp_path, "jobs", "--json", DATABASE_URL=url).stdout)
    assert waiting["failed"] == []
    assert sum(row["n"] for row in waiting["jobs"]) == 3


def test_check_tells_of_jobs_that_gave_up(migrated: Path):
    leave("", migrated / "data", "strange")
    database = open_database("", migrated / "data")
    (work,) = database.write_now(
        lambda tx: jobs.claim(tx, now=2**50, until=2**50, mark=1, most=1, busy=[], room=lambda target: 1)
    )
    database.write_now(lambda tx: jobs.give_up(tx, work, "no"))
    database.close()
    checked = run(migrated, "check", "--json")
    assert checked.returncode == 1
    (found,) = (each for each in json.loads(checked.stdout)["checks"] if each["name"] == "jobs")
    assert (found["ok"], found["differences"]) == (False, ["1 strange"])


def test_a_worker_of_its_own_needs_postgresql(migrated: Path):
    refused = run(migrated, "worker")
    assert refused.returncode == 1
    assert "PostgreSQL" in refused.stderr
    assert run(migrated, "serve", WORKER="separate").returncode == 1


def test_a_time_that_is_none_is_wrong_usage(migrated: Path):
    assert run(migrated, "jobs", "--since", "yesterday").returncode == 2
