"""Office hours of an account and who decides about it."""

from __future__ import annotations

import pytest

from deskhand.catalogue.problems import AccessDenied, BadRequest
from deskhand.db.engine import Writer
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.users import accounts
from deskhand.desk.users.accounts import AccountChange, Hours
from tests.world import Desk

NINE_TO_FIVE = (540, 1020)
WANTED = AccountChange(
    name="Southwind", plan="pro", timezone="UTC", rate_limit=0, lock_after_days=30, thread_editing=True
)  # fmt: skip


def acting(tx: Writer, desk: Desk, user_id: int | None = None) -> Actor:
    actor = access.actor(tx, user_id or desk.user_id)
    assert actor is not None
    return actor


def set_hours(desk: Desk, hours: Hours | None, by: int | None = None) -> None:
    desk.write(lambda tx: accounts.set_hours(tx, acting(tx, desk, by), hours))


def kept(desk: Desk) -> list[tuple[int, int] | None] | None:
    return desk.server.app.database.read_now(lambda db: accounts.of(db, desk.account_id)).hours


def test_reports_count_within_the_hours_that_are_set(desk: Desk) -> None:
    hours = [NINE_TO_FIVE] * 5 + [None, (0, accounts.DAY_MINUTES)]
    set_hours(desk, hours)
    assert kept(desk) == hours
    set_hours(desk, [None] * 7)
    assert kept(desk) is None


@pytest.mark.parametrize("day", [(10, 10), (20, 10), (-1, 10), (0, 1441)])
def test_a_day_that_can_t_be_is_named(desk: Desk, day: tuple[int, int]) -> None:
    with pytest.raises(BadRequest) as refused:
        set_hours(desk, [NINE_TO_FIVE, day, None, None, None, None, None])
    assert [error.path for error in refused.value.errors] == ["day[1]"]
    with pytest.raises(BadRequest):
        set_hours(desk, [NINE_TO_FIVE])
    assert kept(desk) is None


def test_owners_decide_about_the_account_and_administrators_about_its_hours(desk: Desk) -> None:
    admin, ines = desk.add_user(role="admin"), desk.add_user()
    set_hours(desk, [NINE_TO_FIVE] * 7, by=admin)
    with pytest.raises(AccessDenied):
        set_hours(desk, None, by=ines)
    with pytest.raises(AccessDenied):
        desk.write(lambda tx: accounts.change(tx, acting(tx, desk, admin), WANTED))
    desk.write(lambda tx: accounts.change(tx, acting(tx, desk), WANTED))
    row = desk.server.app.database.read_now(lambda db: accounts.of(db, desk.account_id))
    assert (row.name, row.plan, row.lock_after_days, row.thread_editing) == ("Southwind", "pro", 30, 1)
    assert row.hours == [NINE_TO_FIVE] * 7
