"""What has expired is deleted by and by."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import P, command, value
from deskhand.oauth import codes, sessions, tokens
from deskhand.oauth.expiry import AT_ONCE
from deskhand.oauth.tables import code, token, web_session
from tests.world import Desk

COUNTS = {
    table.name: value(
        int, sa.select(sa.func.count()).select_from(table).where(table.c.account_id == P("account_id")), keep=False
    )
    for table in (code, token, web_session)
}
EXPIRED = {
    table.name: command(sa.delete(table).where(table.c.expires_at <= P("now")), keep=False)
    for table in (code, token, web_session)
}


def count(desk: Desk, table: sa.Table) -> int:
    return desk.server.app.database.read_now(lambda db: db.first(COUNTS[table.name], account_id=desk.account_id))


@pytest.fixture(autouse=True)
def nothing_else_has_expired(desk: Desk) -> None:
    """Only some rows go at a time, and those of other tests would go first."""
    now = desk.now

    def tidy(tx: Writer) -> None:
        for table in COUNTS:
            tx.run(EXPIRED[table], now=now)

    desk.write(tidy)


@pytest.fixture
def long_ago(desk: Desk) -> datetime:
    return desk.server.clock.now() - timedelta(days=400)


def test_expired_codes_are_deleted(desk: Desk, long_ago: datetime) -> None:
    def issue(tx: Writer, now: datetime) -> str:
        return codes.issue(
            tx, account_id=desk.account_id, application_id=desk.application_id, user_id=desk.user_id, now=now
        )  # fmt: skip

    for _ in range(3):
        desk.write(lambda tx: issue(tx, long_ago))
    assert count(desk, code) == 3
    desk.write(lambda tx: issue(tx, desk.server.clock.now()))
    assert count(desk, code) == 1


def test_expired_sessions_are_deleted(desk: Desk, long_ago: datetime) -> None:
    def start(tx: Writer, now: datetime) -> str:
        return sessions.start(tx, account_id=desk.account_id, user_id=desk.user_id, now=now, before=None)

    for _ in range(3):
        desk.write(lambda tx: start(tx, long_ago))
    desk.write(lambda tx: start(tx, desk.server.clock.now()))
    assert count(desk, web_session) == 1


def test_expired_tokens_are_deleted_a_few_at_a_time_and_refreshable_ones_kept(desk: Desk, long_ago: datetime) -> None:
    def issue(tx: Writer, now: datetime, refreshable: bool = False) -> None:
        tokens.issue(
            tx, account_id=desk.account_id, application_id=desk.application_id, user_id=desk.user_id, now=now,
            refreshable=refreshable,
        )  # fmt: skip

    def fill(tx: Writer) -> None:
        for _ in range(AT_ONCE + 5):
            issue(tx, long_ago)
        issue(tx, long_ago, refreshable=True)

    now = desk.server.clock.now()
    before = count(desk, token)
    desk.write(fill)
    for left in (5, 0, 0):
        desk.write(lambda tx: issue(tx, now))
        before += 1
        assert count(desk, token) == before + left + 1
