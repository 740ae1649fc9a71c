"""When things happen: ninety days before `now`, heavy in working hours, quiet at night, busier as the evenings draw in.

Moments are epoch seconds.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from itertools import accumulate
from random import Random

MINUTE, HOUR, DAY = 60, 3_600, 86_400
WINDOW_DAYS = 90

_BY_HOUR = (2, 1, 1, 1, 1, 2, 5, 12, 24, 30, 31, 28, 24, 25, 28, 27, 24, 20, 16, 15, 15, 13, 8, 4)
_BY_WEEKDAY = (1.15, 1.1, 1.0, 1.0, 0.9, 0.35, 0.3)
_OPENS, _SHUTS = 8 * HOUR, 17 * HOUR


class Hours:
    """The window of one account: its shares of time, from 0.0 (ninety days ago) to 1.0 (some minutes ago)."""

    def __init__(self, now: int) -> None:
        self.now = now
        self._start = now - WINDOW_DAYS * DAY
        hours = range(self._start, now, HOUR)
        self._sums = list(accumulate(self._weight(at) for at in hours))

    def moment(self, share: float) -> int:
        """The moment at which that share of the window's mail has arrived; grows with `share`."""
        wanted = share * self._sums[-1]
        index = min(bisect_right(self._sums, wanted), len(self._sums) - 1)
        before = self._sums[index - 1] if index else 0.0
        within = (wanted - before) / (self._sums[index] - before)
        return min(self._start + int((index + within) * HOUR), self.now - 4 * MINUTE)

    def recent(self, rng: Random, days: float) -> int:
        """A moment of the last `days`, at a likely hour."""
        index = len(self._sums) - 1 - int(days * 24)
        low = self._sums[index] / self._sums[-1]
        return self.moment(low + (1.0 - low) * rng.random())

    def _weight(self, at: int) -> float:
        season = 0.4 + 1.2 * (at - self._start) / (self.now - self._start)
        return season * _BY_HOUR[at // HOUR % 24] * _BY_WEEKDAY[weekday(at)]


def working(at: int) -> int:
    """The first moment from `at` on when somebody is at their desk (Monday to Friday)."""
    day, time = divmod(at, DAY)
    late = at * 7 % (100 * MINUTE)
    if weekday(at) < 5 and _OPENS <= time < _SHUTS:
        return at
    if time >= _SHUTS or weekday(at) >= 5:
        day += 1
    while weekday(day * DAY) >= 5:
        day += 1
    return day * DAY + _OPENS + late


def awake(at: int) -> int:
    """The first moment from `at` on when a customer is likely to be up."""
    time = at % DAY
    if 6 * HOUR <= time < 22 * HOUR:
        return at
    day = at // DAY + (time >= 22 * HOUR)
    return day * DAY + 6 * HOUR + at * 11 % (3 * HOUR)


def weekday(at: int) -> int:
    """Monday is 0."""
    return (at // DAY + 3) % 7


def utc(at: int) -> datetime:
    """The moment as a zone-aware datetime."""
    return datetime.fromtimestamp(at, UTC)
