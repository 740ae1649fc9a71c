"""Time that passes only while the office is open, by the account's clocks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, value
from deskhand.desk.call import Actor
from deskhand.desk.reports import hours
from deskhand.desk.reports.hours import OfficeHours
from deskhand.desk.users.tables import account

_OFFICE_HOURS = value(str | None, sa.select(account.c.office_hours).where(account.c.id == P("account_id")))  # type: ignore[arg-type]
_EARLIEST, _LATEST = date(1, 1, 3), date(9999, 12, 29)
_DAY = timedelta(days=1)


class Office:
    """Opening hours in a zone. Clocks that change make a day longer or shorter, also for an office."""

    def __init__(self, opening: OfficeHours, where: tzinfo) -> None:
        self._opening = opening
        self._where = where
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._before: list[int] = []  # seconds open before each start

    def cover(self, first: int, last: int) -> None:
        """Make ready for moments from `first` to `last`, in seconds since 1970."""
        day, until = max(_day(first), _EARLIEST) - _DAY, min(_day(last), _LATEST) + _DAY
        self._starts, self._ends, self._before = [], [], []
        total = 0
        for start, end in self._spells(day, until):
            self._starts.append(start)
            self._ends.append(end)
            self._before.append(total)
            total += end - start

    def between(self, since: int, at: int) -> int:
        """For how many seconds the office was open between two moments that are covered."""
        return max(0, self._open_until(at) - self._open_until(since))

    def _open_until(self, moment: int) -> int:
        last = bisect_right(self._starts, moment) - 1
        if last < 0:
            return 0
        return self._before[last] + min(moment, self._ends[last]) - self._starts[last]

    def _spells(self, day: date, until: date) -> Iterator[tuple[int, int]]:
        while day <= until:
            hours_of_day = self._opening[day.weekday()]
            if hours_of_day is not None:
                start, end = (self._moment(day, minutes) for minutes in hours_of_day)
                if start < end:
                    yield start, end
            day += _DAY

    def _moment(self, day: date, minutes: int) -> int:
        """When clocks show so many minutes of a day, in seconds since 1970; 1440 is the next midnight."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._where)
        return int((midnight + timedelta(minutes=minutes)).timestamp())  # by the clocks: both are in one zone


def _day(moment: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment)).date()


def kept(db: Reader, actor: Actor) -> OfficeHours | None:
    """The account's office hours; None when it has none."""
    found = db.one(_OFFICE_HOURS, account_id=actor.account_id)
    return msgspec.json.decode(found, type=list[tuple[int, int] | None]) if found else None


def office(db: Reader, actor: Actor, asked: bool) -> Office | None:
    """The account's office where times are to be told by its hours and it has some; else None."""
    opening = kept(db, actor) if asked else None
    return None if opening is None else Office(opening, hours.zone(actor.policy.timezone))
