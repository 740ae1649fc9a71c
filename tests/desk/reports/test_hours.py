"""Which days and hours are the busiest, by the account's clocks."""

from __future__ import annotations

from collections import Counter

from deskhand.catalogue.reports import BusiestDay
from deskhand.desk.reports.hours import Quarter, busiest_day, busy_time, by_week, zone


def test_hours_are_local_also_where_clocks_change() -> None:
    """25 October 2026 is a Sunday on which Berlin's clocks go back at 1:00 UTC."""
    quarters = [Quarter("2026-10-25T00", 3, 1), Quarter("2026-10-25T01", 0, 2), Quarter("2026-10-25T23", 0, 4)]
    assert by_week(quarters, zone("Europe/Berlin")) == {(7, 2): 3, (1, 0): 4}


def test_a_zone_that_is_off_by_quarters_of_an_hour() -> None:
    quarters = [Quarter("2026-10-01T09", 0, 1), Quarter("2026-10-01T09", 1, 2)]
    assert by_week(quarters, zone("Asia/Kathmandu")) == {(4, 14): 1, (4, 15): 2}


def test_only_office_hours_are_looked_at() -> None:
    office = [(9 * 60, 17 * 60), None, None, None, None, None, None]
    quarters = [
        Quarter("2026-10-05T08", 3, 1), Quarter("2026-10-05T09", 0, 2), Quarter("2026-10-05T17", 0, 4),
        Quarter("2026-10-06T09", 0, 8),
    ]  # fmt: skip
    assert by_week(quarters, zone("UTC"), office) == {(1, 9): 2}


def test_the_first_and_the_last_hour_that_there_are_do_no_harm() -> None:
    quarters = [Quarter("0001-01-01T00", 0, 1), Quarter("9999-12-31T23", 3, 1)]
    for name in ("America/New_York", "Asia/Kathmandu"):
        assert by_week(quarters, zone(name)).total() == 2


def test_the_busiest_day_is_the_one_with_most_in_all() -> None:
    week = Counter({(1, 9): 5, (3, 8): 3, (3, 10): 4})
    assert busiest_day(week) == BusiestDay(day=3, hour=10, count=4)
    assert busiest_day(Counter()) is None


def test_of_equals_the_earliest_is_the_busiest() -> None:
    assert busiest_day(Counter({(5, 9): 2, (2, 11): 1, (2, 10): 1})) == BusiestDay(day=2, hour=10, count=1)


def test_the_busy_time_is_two_hours_in_a_row_over_all_days_also_over_midnight() -> None:
    assert busy_time(Counter({(1, 9): 2, (2, 10): 2, (1, 15): 3})) == (9, 11)
    assert busy_time(Counter({(1, 23): 2, (2, 0): 2, (1, 15): 3})) == (23, 1)
    assert busy_time(Counter()) is None
