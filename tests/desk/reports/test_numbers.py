"""The arithmetic of reports, against the numbers of the public samples."""

from __future__ import annotations

import pytest

from deskhand.desk.reports.numbers import change, per_day, percent, whole_days

JANUARY = ("2026-01-01T00:00:00Z", "2026-01-31T23:59:59Z")


def test_a_share_is_not_rounded() -> None:
    assert percent(41, 110) == 37.27272727272727
    assert percent(1465, 1816) == pytest.approx(80.671806167401)
    assert percent(0, 0) == 0.0


def test_a_change_is_relative_and_nothing_against_nothing() -> None:
    assert change(28, 27) == pytest.approx(3.7037037037037)
    assert change(1816, 2080) == pytest.approx(-12.692307692308)
    assert change(5, 0) == 0.0


def test_a_month_without_its_last_second_is_a_day_short() -> None:
    assert whole_days(*JANUARY) == 30
    assert per_day(1816, *JANUARY) == 60


def test_less_than_a_day_counts_as_one() -> None:
    assert per_day(7, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z") == 7
