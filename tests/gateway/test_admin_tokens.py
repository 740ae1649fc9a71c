"""Administrators' tokens: whom they stand for, and when they end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deskhand.catalogue.problems import BadRequest, NotFound
from deskhand.gateway import admin_tokens
from deskhand.gateway.admin_tokens import Administrator, AdminTokens, MadeToken
from deskhand.lib.clock import MovableClock, to_wire
from tests.gateway.builders import run
from tests.gateway.made import another_process, seconds_until
from tests.world import Desk, open_desk


def make(desk: Desk, name: str = "ops", expires_at: str | None = None) -> MadeToken:
    now = desk.server.clock.now()
    return desk.write(lambda tx: admin_tokens.create(tx, desk.account_id, name, now, expires_at))


def who(desk: Desk, token: str, clock: MovableClock | None = None) -> Administrator | None:
    return run(AdminTokens(desk.server.app.database, clock or desk.server.clock).administrator(token))


def test_a_token_stands_for_the_administration_of_its_account(desk: Desk) -> None:
    made, other = make(desk, " ops "), make(open_desk(desk.server))
    found = who(desk, made.token)
    assert found is not None and (found.account_id, found.id, found.name) == (desk.account_id, made.id, "ops")
    assert made.token.startswith(made.prefix) and made.prefix.startswith("dh_admin_")
    assert len(made.token) == len("dh_admin_") + 40
    listed = desk.server.app.database.read_now(lambda db: admin_tokens.listed(db, desk.account_id))
    assert [one.id for one in listed] == [made.id]
    assert other.id not in [one.id for one in listed]


@pytest.mark.parametrize("given", ["", "dh_admin_", "dh_admin_x", "dh_admin_" + "x" * 600, "dh_agent_x"])
def test_an_unknown_token_is_nobody_s(desk: Desk, given: str) -> None:
    assert who(desk, given) is None


def test_a_revoked_token_ends_at_once_here_and_within_a_second_elsewhere(desk: Desk) -> None:
    made, other = make(desk), open_desk(desk.server)
    with pytest.raises(NotFound):
        other.write(lambda tx: admin_tokens.revoke(tx, other.account_id, made.id))
    elsewhere = another_process(desk)
    here, there = (AdminTokens(one, desk.server.clock) for one in (desk.server.app.database, elsewhere))

    async def refused_after() -> tuple[Administrator | None, float]:
        assert await here.administrator(made.token) is not None
        assert await there.administrator(made.token) is not None
        await desk.server.app.database.write(lambda tx: admin_tokens.revoke(tx, desk.account_id, made.id))
        at_once = await here.administrator(made.token)
        return at_once, await seconds_until(there.administrator, made.token, None)

    try:
        at_once, seconds = run(refused_after())
    finally:
        elsewhere.close()
    assert at_once is None
    assert seconds < 20  # one second, and the machine may be busy


def test_a_token_ends_by_itself(desk: Desk) -> None:
    clock = MovableClock(desk.server.clock.offset)
    made = make(desk, expires_at=to_wire(clock.now() + timedelta(days=1)))
    assert who(desk, made.token, clock) is not None
    clock.advance(timedelta(days=1))
    assert who(desk, made.token, clock) is None


@pytest.mark.parametrize("name", ["", "x" * 81, "a\nb"])
def test_a_name_that_can_not_be_is_refused(desk: Desk, name: str) -> None:
    with pytest.raises(BadRequest):
        make(desk, name)


def test_it_is_noted_that_a_token_is_used(desk: Desk) -> None:
    made = make(desk)
    here = AdminTokens(desk.server.app.database, desk.server.clock)

    async def use() -> None:
        await here.administrator(made.token)
        await here._uses.settle()

    run(use())
    (shown,) = desk.server.app.database.read_now(lambda db: admin_tokens.listed(db, desk.account_id))
    assert shown.last_used_at is not None
