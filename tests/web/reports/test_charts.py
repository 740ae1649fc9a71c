"""Charts say what their numbers say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskhand.web.reports import charts
from deskhand.web.reports.charts import HEIGHT, WIDTH, Point


def said(value: float) -> str:
    return f"{value:g}"


def test_the_largest_number_is_the_highest_bar_and_within_the_scale() -> None:
    drawn = charts.bars([Point("a", 3), Point("b", 12), Point("c", 0)], said, compared=False)
    heights = [bar.height for bar in drawn.bars]
    assert heights[1] == max(heights) <= HEIGHT and heights[2] == 0
    assert drawn.scale == ["12", "9", "6", "3", "0"]
    assert heights[1] == HEIGHT


def test_what_was_before_is_a_line_at_its_height() -> None:
    drawn = charts.bars([Point("a", 5, 10)], said, compared=True)
    assert drawn.bars[0].before_y == 0 and drawn.bars[0].height == HEIGHT / 2
    assert (drawn.bars[0].said, drawn.rows[0].before) == ("a: 5, before: 10", "10")


def test_nothing_is_nothing_and_no_number_is_a_dash() -> None:
    assert charts.bars([Point("a", 0), Point("b", None)], said, compared=False).empty
    drawn = charts.bars([Point("a", 1), Point("b", None)], said, compared=False)
    assert not drawn.empty and [row.value for row in drawn.rows] == ["1", "–"]


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=60))
def test_every_bar_lies_within_the_drawing(values: list[float]) -> None:
    drawn = charts.bars([Point("x", value) for value in values], said, compared=False)
    for bar in drawn.bars:
        assert bar.x >= 0 and bar.x + bar.width <= WIDTH + 0.01 and bar.y >= -0.01 and 0 <= bar.height <= HEIGHT + 0.01


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 9, 10, 11, 99, 101, 850, 1000, 123_456])
def test_the_scale_ends_at_a_round_number_near_the_largest(most: int) -> None:
    drawn = charts.bars([Point("x", most)], said, compared=False)
    top = float(drawn.scale[0].replace("e+", "e"))
    assert most <= top <= max(most * 1.7, 4)


def test_shares_make_up_the_whole() -> None:
    found = charts.shares([("a", "A", 1), ("b", "B", 2), ("c", "C", 1)])
    assert [part.percent for part in found] == [25.0, 50.0, 25.0]
    assert found[-1].x + found[-1].width == WIDTH
    assert [part.width for part in charts.shares([("a", "A", 0)])] == [0.0]


def test_the_busiest_hour_of_the_week_is_the_strongest() -> None:
    week = charts.week([(1, 9, 10), (7, 23, 1), (3, 0, 5)])
    assert (week[0][9].strength, week[6][23].strength, week[2][0].strength, week[1][1].strength) == (5, 1, 3, 0)
