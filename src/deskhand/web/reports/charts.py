"""Charts as numbers that templates draw: bars over time, shares of a whole, hours of a week.

What a chart says can be read without colour: what is now is filled, what was before is an outline; and each chart has a
table beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import msgspec

WIDTH, HEIGHT = 720, 200
"""Of the drawing in its own units; it is stretched to whatever room there is, so that it holds no text."""
_GAP = 0.25


class Bar(msgspec.Struct, frozen=True):
    """A bar, and the outline of what was there before; `said` is both in words."""

    x: float
    y: float
    width: float
    height: float
    before_y: float | None
    said: str


class Row(msgspec.Struct, frozen=True):
    """A line of the table beside a chart."""

    label: str
    value: str
    before: str


class Bars(msgspec.Struct, frozen=True):
    """Bars over time; `scale` are the numbers at the side, from top to bottom, `labels` some of those below."""

    bars: list[Bar]
    rows: list[Row]
    scale: list[str]
    lines: list[float]
    labels: list[str]
    compared: bool
    empty: bool


class Share(msgspec.Struct, frozen=True):
    """A part of a whole, with its place in the drawing."""

    name: str
    label: str
    count: int
    percent: float
    x: float
    width: float


class Cell(msgspec.Struct, frozen=True):
    """An hour of a weekday; `strength` is 0 to 5."""

    count: int
    strength: int


class Point(msgspec.Struct, frozen=True):
    """One number over time; None where there is nothing to tell, as an average of nothing."""

    label: str
    value: float | None
    before: float | None = None


def bars(points: Sequence[Point], said: Callable[[float], str], *, compared: bool) -> Bars:
    """Bars of numbers over time; `said` tells a number in words."""
    values = [value for point in points for value in (point.value, point.before) if value is not None]
    top, steps = _top(max(values, default=0))
    slot = WIDTH / max(1, len(points))

    def height(value: float | None) -> float:
        return round((value or 0) / top * HEIGHT, 2)

    def words(value: float | None) -> str:
        return "–" if value is None else said(value)

    drawn = [
        Bar(
            x=round(index * slot + slot * _GAP / 2, 2),
            y=round(HEIGHT - height(point.value), 2),
            width=round(slot * (1 - _GAP), 2),
            height=height(point.value),
            before_y=round(HEIGHT - height(point.before), 2) if compared and point.before is not None else None,
            said=f"{point.label}: {words(point.value)}" + (f", before: {words(point.before)}" if compared else ""),
        )
        for index, point in enumerate(points)
    ]
    return Bars(
        drawn,
        [Row(point.label, words(point.value), words(point.before) if compared else "") for point in points],
        [said(top * (steps - step) / steps) for step in range(steps + 1)],
        [round(HEIGHT * step / steps, 2) for step in range(steps + 1)],
        _some([point.label for point in points]),
        compared,
        not any(values),
    )


def shares(parts: Iterable[tuple[str, str, int]]) -> list[Share]:
    """Parts of a whole, each with a name, a label and its number."""
    given = list(parts)
    whole = sum(count for _, _, count in given)
    found, x = [], 0.0
    for name, label, count in given:
        part = count / whole if whole else 0.0
        found.append(Share(name, label, count, round(part * 100, 1), round(x, 2), round(part * WIDTH, 2)))
        x += part * WIDTH
    return found


def week(counts: Iterable[tuple[int, int, int]]) -> list[list[Cell]]:
    """The hours of each weekday, Monday first, from (day, hour, number); the busiest are strongest."""
    found = {(day, hour): count for day, hour, count in counts}
    most = max(found.values(), default=0)
    return [[_cell(found.get((day, hour), 0), most) for hour in range(24)] for day in range(1, 8)]


def _cell(count: int, most: int) -> Cell:
    return Cell(count, math.ceil(count / most * 5) if most else 0)


def _top(most: float) -> tuple[float, int]:
    """Where the scale ends, and in how many steps: a round number that is not much more than the largest."""
    if most <= 0:
        return 1, 1
    if most <= 4:
        return math.ceil(most), math.ceil(most)
    size = 10 ** math.floor(math.log10(most))
    for factor, steps in ((1, 4), (1.2, 4), (1.6, 4), (2, 4), (3, 3), (4, 4), (5, 5), (6, 3), (8, 4), (10, 5)):
        if factor * size >= most:
            return factor * size, steps
    raise AssertionError(most)


def _some(labels: Sequence[str]) -> list[str]:
    """First, middle and last: more would not fit on a phone."""
    if len(labels) <= 3:
        return list(labels)
    return [labels[0], labels[len(labels) // 2], labels[-1]]
