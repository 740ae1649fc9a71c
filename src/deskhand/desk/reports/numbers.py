"""The arithmetic of reports: shares, changes and days.

Source: recomputed from the numbers of the public samples, see §10.1 of the wire contract's half B.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from deskhand.lib.clock import from_wire

D = TypeVar("D", bound=msgspec.Struct)


def percent(part: int, whole: int) -> float:
    """A share from 0 to 100, unrounded; 0 of nothing."""
    return 100 * part / whole if whole else 0.0


def change(now: float, before: float) -> float:
    """How much more there is than before, in percent; 0 when there was nothing."""
    return (now - before) / before * 100 if before else 0.0


def changes(deltas: type[D], now: msgspec.Struct, before: msgspec.Struct) -> D:
    """How much each number changed that `deltas` names, in percent; an average of nothing counts as 0."""
    names = deltas.__struct_fields__
    return deltas(**{name: change(getattr(now, name) or 0, getattr(before, name) or 0) for name in names})


def whole_days(start: str, end: str) -> int:
    """How many days lie in a span: January, from its first to its last second, has 30."""
    return (from_wire(end) - from_wire(start)).days


def per_day(count: int, start: str, end: str) -> int:
    """A count by day, rounded down; a span shorter than a day counts as one."""
    return count // max(1, whole_days(start, end))
