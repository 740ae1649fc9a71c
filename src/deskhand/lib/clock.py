"""Time: where it comes from, and how it is written on the wire and in the database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Protocol

WIRE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


class Clock(Protocol):
    """Tells the time; the sandbox's can be moved, the real one can't."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class StoppedClock:
    """Always the same time."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


class MovableClock:
    """The machine's clock plus an offset that can be changed while running."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def advance(self, by: timedelta) -> None:
        self.offset += by

    def set(self, to: datetime) -> None:
        self.offset = to - datetime.now(UTC)


def to_wire(moment: datetime) -> str:
    """Write a moment as the API and the database do: `2026-11-23T09:30:00Z`."""
    # Not strftime, which does not pad years below 1000 on Linux: that would break the order of texts.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def from_wire(text: str) -> datetime:
    """Read `2026-11-23T09:30:00Z`; fractions and offsets are refused with ValueError.

    Source: https://developer.helpscout.com/mailbox-api/overview/errors (date format)
    """
    if not WIRE_TIME.fullmatch(text):
        raise ValueError("not of the form yyyy-MM-dd'T'HH:mm:ss'Z'")
    return datetime.fromisoformat(text)


_UNITS = ((365 * 86400, "year"), (30 * 86400, "month"), (86400, "day"), (3600, "hour"), (60, "minute"))


def friendly(since: datetime, now: datetime) -> str:
    """How long ago something was, in words: `20 hours ago`."""
    passed = now - since
    seconds = passed.days * 86_400 + passed.seconds
    for length, unit in _UNITS:
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
