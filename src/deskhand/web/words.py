"""Times, numbers and names as people read them on pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from deskhand.lib.clock import from_wire

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_BREAKS = re.compile(r"(?<=[./])")
_SHORT = ((86_400 * 365, "y"), (86_400, "d"), (3_600, "h"), (60, "min"))


def zone(name: str) -> tzinfo:
    """A time zone by its name; UTC for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def short_time(at: datetime, now: datetime) -> str:
    """As short as it is clear: `14:02` today, `Tue 14:02` within a week, `3 Nov`, `3 Nov 2024`. Both in one zone."""
    if at.date() == now.date():
        return f"{at:%H:%M}"
    if abs(now - at) < timedelta(days=6):
        return f"{_DAYS[at.weekday()]} {at:%H:%M}"
    day = f"{at.day} {_MONTHS[at.month - 1]}"
    return day if at.year == now.year else f"{day} {at.year}"


def full_time(at: datetime) -> str:
    """The whole of it: `Tue 3 Nov 2026, 14:02`."""
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M}"


def lasting(seconds: float) -> str:
    """How long something takes or has taken, to one unit: `3 h`, `12 min`, `under a minute`."""
    for length, unit in _SHORT:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return "under a minute"


def since(at: str, now: datetime) -> str:
    """How long ago a moment of the wire was, see `lasting`."""
    return lasting(max(0.0, (now - from_wire(at)).total_seconds()))


def counted(n: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 reply`, `1,204 replies`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def size(octets: int) -> str:
    """How large a file is: `812 B`, `14 KB`, `2.3 MB`."""
    if octets < 1024:
        return f"{octets} B"
    if octets < 1024 * 1024:
        return f"{round(octets / 1024)} KB"
    return f"{octets / 1024 / 1024:.1f} MB"


def joined(items: Sequence[str], last: str = "and") -> str:
    """A list in words: `a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def full_name(first: str | None, last: str | None, otherwise: str = "") -> str:
    """A name from its parts, or something else where there is none."""
    return f"{first or ''} {last or ''}".strip() or otherwise


def breakable(text: str) -> Markup:
    """An address that breaks where people would break it when its line is full: behind the `@`, else at a dot."""
    name, at, host = text.rpartition("@")
    if not at:
        return _broken(text)
    return Markup('{}@<wbr><span class="together">{}</span>').format(_broken(name), _broken(host))


def _broken(text: str) -> Markup:
    return Markup("<wbr>").join(part for part in _BREAKS.split(text) if part)


def initials(name: str) -> str:
    """One or two letters that stand for a name."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"


def hue(id: int) -> int:
    """A colour of the wheel (0 to 11) that somebody always has."""
    return id * 7 % 12
