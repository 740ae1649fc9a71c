"""What an account is called and lives by: its name, time zone, plan, limits and office hours."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, BadRequest, FieldError, empty
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, columns, command, rows
from deskhand.desk.access import STALE, require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.users.tables import account
from deskhand.outbox import events

PLANS = ("standard", "plus", "pro")
NAME_MOST = 100
RATE_MOST = 1_000_000
DAYS_MOST = 3_650
DAY_MINUTES = 1_440
"""Our choices: characters of a name, units a minute, days after which conversations are locked."""

Hours = Sequence[tuple[int, int] | None]
"""From Monday to Sunday: from which minute of the day until before which; None: closed."""


class AccountRow(msgspec.Struct, frozen=True):
    """An account as stored; `office_hours` is JSON, None where there are none."""

    id: int
    name: str
    plan: str
    timezone: str
    rate_limit: int
    lock_after_days: int
    thread_editing: int
    created_at: str
    office_hours: str | None

    @property
    def hours(self) -> list[tuple[int, int] | None] | None:
        """The office hours, see `Hours`."""
        if self.office_hours is None:
            return None
        return msgspec.json.decode(self.office_hours, type=list[tuple[int, int] | None])


class AccountChange(msgspec.Struct, frozen=True, kw_only=True):
    """All that owners decide about their account."""

    name: str
    plan: str
    timezone: str
    rate_limit: int
    lock_after_days: int
    thread_editing: bool


_READ = rows(AccountRow, sa.select(*columns(account, *AccountRow.__struct_fields__)).where(account.c.id == P("id")))
_CHANGE = command(
    sa.update(account)
    .where(account.c.id == P("id"))
    .values({name: P(name) for name in AccountChange.__struct_fields__})
)
_SET_HOURS = command(sa.update(account).where(account.c.id == P("id")).values(office_hours=P("hours")))


def of(db: Reader, account_id: int) -> AccountRow:
    """An account."""
    return db.first(_READ, id=account_id)


def change(tx: Writer, actor: Actor, wanted: AccountChange) -> None:
    """Change an account; raises AccessDenied for who is not its owner, and BadRequest."""
    if actor.role != "owner":
        raise AccessDenied
    faults = _faults(wanted)
    if faults:
        raise BadRequest(*faults)
    values = msgspec.structs.asdict(wanted)
    values |= {"name": wanted.name.strip(), "thread_editing": int(wanted.thread_editing)}
    tx.run(_CHANGE, id=actor.account_id, **values)
    tx.changed(STALE)
    tx.changed(events.PAGES)


def set_hours(tx: Writer, actor: Actor, hours: Hours | None) -> None:
    """Decide when the office is open, None: not at all decided. Raises AccessDenied and BadRequest (`day[n]`)."""
    require_administrator(actor)
    if hours is not None:
        faults = [
            FieldError(f"day[{number}]", "must end after it begins, within the day", "Range")
            for number, day in enumerate(hours)
            if day is not None and not 0 <= day[0] < day[1] <= DAY_MINUTES
        ]
        if faults or len(hours) != 7:
            raise BadRequest(*faults)
    kept = None if hours is None or not any(hours) else msgspec.json.encode(hours).decode()
    tx.run(_SET_HOURS, id=actor.account_id, hours=kept)
    tx.changed(events.PAGES)


def is_zone(name: str) -> bool:
    """Whether a text names a time zone."""
    try:
        return name == "UTC" or ZoneInfo(name) is not None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _faults(wanted: AccountChange) -> list[FieldError]:
    faults = []
    if not wanted.name.strip():
        faults.append(empty("name"))
    elif len(wanted.name.strip()) > NAME_MOST:
        faults.append(FieldError("name", f"must have at most {NAME_MOST} characters", "Size"))
    if wanted.plan not in PLANS:
        faults.append(FieldError("plan", "is not one of the plans", "EnumValue"))
    if not is_zone(wanted.timezone):
        faults.append(FieldError("timezone", "must name a time zone, such as Europe/Lisbon", "EnumValue"))
    for path, number, most in (
        ("rate_limit", wanted.rate_limit, RATE_MOST), ("lock_after_days", wanted.lock_after_days, DAYS_MOST),
    ):  # fmt: skip
        if not 0 <= number <= most:
            faults.append(FieldError(path, f"must be a whole number from 0 to {most:,}", "Range"))
    return faults
