"""Days and hours as the account's clocks show them, and which of them were the busiest.

Counts come in quarters of an hour in UTC, because every zone of today is off by some number of those.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from deskhand.catalogue.reports import BusiestDay

Week = Counter[tuple[int, int]]
"""How many there were by weekday (Monday is 1) and hour."""
OfficeHours = Sequence[tuple[int, int] | None]
"""From Monday to Sunday: from which minute of the day until before which; None: closed."""

_BUSY_HOURS = 2
"""The length of the busiest time. Source: 11 to 13 in the public sample."""


class Quarter(msgspec.Struct, frozen=True):
    """How many began in a quarter of an hour: `hour` is such as `2026-10-01T09`, `quarter` is from 0 to 3."""

    hour: str
    quarter: int
    n: int


def zone(name: str) -> tzinfo:
    """A time zone by its name; UTC when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def by_week(quarters: Iterable[Quarter], where: tzinfo, office: OfficeHours | None = None) -> Week:
    """Counts by weekday and hour; with office hours only the quarters that begin in them."""
    week: Week = Counter()
    for one in quarters:
        local = _local(one, where)
        if office is None or _is_open(local, office):
            week[local.isoweekday(), local.hour] += one.n
    return week


def _local(one: Quarter, where: tzinfo) -> datetime:
    began = datetime.fromisoformat(f"{one.hour}:00:00+00:00") + timedelta(minutes=15 * one.quarter)
    try:
        return began.astimezone(where)
    except OverflowError:  # in the first and the last hours that there are
        return began


def _is_open(local: datetime, office: OfficeHours) -> bool:
    hours = office[local.weekday()]
    return hours is not None and hours[0] <= local.hour * 60 + local.minute < hours[1]


def busiest_day(week: Week) -> BusiestDay | None:
    """The weekday with most, and its busiest hour; of equals the earliest. None when there was nothing."""
    if not week:
        return None
    days: Counter[int] = Counter()
    for (day, _), n in week.items():
        days[day] += n
    day = min(days, key=lambda one: (-days[one], one))
    hour = min((hour for of, hour in week if of == day), key=lambda one: (-week[day, one], one))
    return BusiestDay(day=day, hour=hour, count=week[day, hour])


def busy_time(week: Week) -> tuple[int, int] | None:
    """The two hours in a row with most, over all days: from which until before which hour; of equals the earliest."""
    if not week:
        return None
    hours: Counter[int] = Counter()
    for (_, hour), n in week.items():
        hours[hour] += n
    start = min(range(24), key=lambda one: (-sum(hours[(one + i) % 24] for i in range(_BUSY_HOURS)), one))
    return start, (start + _BUSY_HOURS) % 24
