"""Time that passes only while the office is open, also where clocks change."""

from __future__ import annotations

from datetime import datetime

import pytest

from deskhand.desk.reports.hours import OfficeHours, zone
from deskhand.desk.reports.office import Office

NINE_TO_FIVE: OfficeHours = [(540, 1020)] * 5 + [None, None]
ALWAYS: OfficeHours = [(0, 1440)] * 7
HOUR = 3600


def hours(opening: OfficeHours, where: str, since: str, at: str) -> float:
    office, moments = (
        Office(opening, zone(where)),
        [int(datetime.fromisoformat(one).timestamp()) for one in (since, at)],
    )
    office.cover(*moments)
    return office.between(*moments) / HOUR


@pytest.mark.parametrize(
    ("since", "at", "passed"),
    [
        ("2026-10-05T09:00:00Z", "2026-10-05T11:30:00Z", 2.5),
        ("2026-10-05T05:00:00Z", "2026-10-05T10:00:00Z", 1),  # from before the office opens
        ("2026-10-05T16:00:00Z", "2026-10-05T22:00:00Z", 1),  # until after it closes
        ("2026-10-05T18:00:00Z", "2026-10-06T02:00:00Z", 0),  # at night
        ("2026-10-02T16:00:00Z", "2026-10-05T10:00:00Z", 2),  # over a weekend
        ("2026-10-05T00:00:00Z", "2026-10-26T00:00:00Z", 3 * 40),
    ],
)
def test_only_hours_in_which_the_office_is_open_count(since: str, at: str, passed: float) -> None:
    assert hours(NINE_TO_FIVE, "UTC", since, at) == passed


def test_hours_are_those_of_the_accounts_zone_before_and_after_clocks_change() -> None:
    """On 25 October 2026 Berlin's clocks go back: 9 o'clock is 7:00 UTC on Friday and 8:00 UTC on Monday."""
    assert hours(NINE_TO_FIVE, "Europe/Berlin", "2026-10-23T06:00:00Z", "2026-10-23T08:00:00Z") == 1
    assert hours(NINE_TO_FIVE, "Europe/Berlin", "2026-10-26T06:00:00Z", "2026-10-26T08:00:00Z") == 0
    assert hours(NINE_TO_FIVE, "Europe/Berlin", "2026-10-26T06:00:00Z", "2026-10-26T09:00:00Z") == 1


def test_a_day_on_which_clocks_change_is_longer_or_shorter() -> None:
    assert hours(ALWAYS, "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z") == 25
    assert hours(ALWAYS, "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z") == 23
    assert hours(ALWAYS, "Asia/Kathmandu", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z") == 31 * 24


def test_an_office_that_never_opens() -> None:
    assert hours([None] * 7, "UTC", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z") == 0


def test_the_first_and_the_last_moments_that_there_are_do_no_harm() -> None:
    for where in ("America/New_York", "Asia/Kathmandu"):
        assert hours(ALWAYS, where, "0001-01-01T00:00:00Z", "0001-02-01T00:00:00Z") > 28 * 24
        assert hours(ALWAYS, where, "9999-12-01T00:00:00Z", "9999-12-31T23:59:59Z") > 28 * 24
        assert hours(ALWAYS, where, "2026-12-01T00:00:00Z", "2026-11-01T00:00:00Z") == 0
