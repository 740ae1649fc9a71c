"""Plain choices of a later time, as `Tomorrow 9:00`, in somebody's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import msgspec

from deskhand.catalogue.problems import invalid
from deskhand.lib.clock import to_wire

_MORNING, _AFTERNOON, _EVENING = 9, 14, 17


class Choice(msgspec.Struct, frozen=True):
    """A time to choose: its name, and the moment as forms carry it."""

    name: str
    at: str
    day: str


def choices(now: datetime) -> list[Choice]:
    """What can be chosen; `now` is in the visitor's time zone."""
    found: list[tuple[str, datetime]] = [("In one hour", now + timedelta(hours=1))]
    for name, hour in (("This afternoon", _AFTERNOON), ("This evening", _EVENING)):
        if now.hour + 1 < hour:
            found.append((name, _at(now, 0, hour)))
    found.append(("Tomorrow morning", _at(now, 1, _MORNING)))
    found.append(("Tomorrow afternoon", _at(now, 1, _AFTERNOON)))
    to_monday = (7 - now.weekday()) % 7 or 7
    if to_monday > 1:
        found.append(("Monday morning", _at(now, to_monday, _MORNING)))
    return [Choice(name, to_wire(at.astimezone(UTC)), f"{_DAYS[at.weekday()]} {at:%H:%M}") for name, at in found]


def given_moment(text: str, zone: tzinfo, field: str = "at") -> str:
    """The moment of a field for date and time, which knows no zone; raises BadRequest."""
    try:
        local = datetime.fromisoformat(text)
        if local.tzinfo is None:
            local = local.replace(tzinfo=zone)
        return to_wire(local.astimezone(UTC).replace(microsecond=0))
    except (ValueError, OverflowError):  # the latter: it lies before the year 1 or after 9999, seen from Greenwich
        raise invalid(field, "must be a date and a time", "DateFormat", text) from None


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _at(now: datetime, days: int, hour: int) -> datetime:
    day = (now + timedelta(days=days)).date()
    return datetime(day.year, day.month, day.day, hour, tzinfo=now.tzinfo)
