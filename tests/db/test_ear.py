"""What one process announces on PostgreSQL, another one hears at once."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

import deskhand.db.postgresql
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.db.postgresql import Ear, open_postgresql
from deskhand.lib.clock import SystemClock
from deskhand.outbox import events, jobs
from tests import postgresql
from tests.world import unique

LISTENS = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"


def test_a_new_job_is_heard_of_in_another_process(postgresql_server: str, tmp_path):
    url = postgresql.create_database(postgresql_server, unique("ear"))
    upgrade(sqlalchemy_url(url, tmp_path))
    here, there = open_postgresql(url, frozenset({events.WAKE})), open_postgresql(url)
    heard = threading.Event()
    there.listen(events.WAKE, heard.set)

    def add_until_heard() -> bool:
        for _ in range(300):  # the first may be added before anybody listens
            here.write_now(
                lambda tx: jobs.add(tx, account_id=1, kind="x", target="x", payload=1, now=SystemClock().now())
            )
            if heard.wait(0.2):
                return True
        return False

    try:
        with Ear(url, there):
            assert add_until_heard()
    finally:
        here.close()
        there.close()


def test_it_stops_at_once_also_while_nothing_is_said(postgresql_server: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deskhand.db.postgresql, "_HEAR_FOR_S", 60.0)
    url = postgresql.create_database(postgresql_server, unique("ear"))
    there = open_postgresql(url)
    ear = Ear(url, there)
    with ear:
        connected_within(url, 60)
        began = time.monotonic()
    assert not ear._thread.is_alive()
    assert time.monotonic() - began < 30
    there.close()


def connected_within(url: str, seconds: float) -> None:
    """Wait until somebody listens."""
    until = time.monotonic() + seconds
    with psycopg.connect(url, autocommit=True) as connection:
        while not connection.execute(LISTENS).fetchone():
            assert time.monotonic() < until
            time.sleep(0.01)


def test_nothing_is_announced_unless_asked_for(postgresql_server: str, tmp_path):
    url = postgresql.create_database(postgresql_server, unique("ear"))
    upgrade(sqlalchemy_url(url, tmp_path))
    here, there = open_postgresql(url), open_postgresql(url)
    heard = threading.Event()
    there.listen(events.WAKE, heard.set)
    try:
        with Ear(url, there):
            connected_within(url, 60)
            here.write_now(lambda tx: tx.changed(events.WAKE))
            assert not heard.wait(0.5)
    finally:
        here.close()
        there.close()
