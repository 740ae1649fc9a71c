"""Until when conversations are put aside: plain choices, each a moment on the visitor's own clock."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

import msgspec

from deskhand.catalogue.conversations import SnoozeConversation
from deskhand.catalogue.values import WireTime
from deskhand.desk.conversations.timing.later import LAST
from deskhand.lib.clock import from_wire, to_wire
from deskhand.web import words
from deskhand.web.inbox.moments import given_moment

MORNING = time(9)


class Choice(msgspec.Struct, frozen=True):
    """A moment that is offered: what it is called, and when that is; empty for no moment at all."""

    name: str
    label: str
    when: str


def choices(now: datetime, last: str = "") -> list[Choice]:
    """What is offered at a moment on the visitor's clock; what they chose last comes first."""
    found = [Choice(name, label, "" if at is None else words.short_time(at, now)) for name, label, at in _moments(now)]
    if last and "T" in last:
        at = from_wire(last).astimezone(now.tzinfo)
        if at > now:
            found.insert(0, Choice(last, "As last time", words.short_time(at, now)))
    return sorted(found, key=lambda one: one.name != last)


def chosen(name: str, now: datetime, zone: tzinfo, *, until: str = "", wakes: bool = True) -> SnoozeConversation:
    """What was chosen: one of the choices by its name, or `until`, a date and time on the visitor's clock."""
    moments = {one: at for one, _, at in _moments(now)}
    if name in moments:
        at = moments[name]
        return SnoozeConversation(
            snoozed_until=WireTime(LAST if at is None else to_wire(at)),
            unsnooze_on_customer_reply=True if at is None else wakes,
        )
    return SnoozeConversation(
        snoozed_until=WireTime(given_moment(name if "T" in name and name.endswith("Z") else until, zone, "until")),
        unsnooze_on_customer_reply=wakes,
    )


def kept(name: str, wanted: SnoozeConversation, now: datetime) -> str:
    """What was chosen, as it is remembered: the choice's name, or the moment where it was none of them."""
    known = {one for one, _, _ in _moments(now)}
    return name if name in known else str(wanted.snoozed_until)


def in_words(until: str, now: datetime) -> str:
    """When a snooze ends: `until Tue 09:00`, `until they answer`."""
    if until == LAST:
        return "until they answer"
    return f"until {words.short_time(from_wire(until).astimezone(now.tzinfo), now)}"


def _moments(now: datetime) -> list[tuple[str, str, datetime | None]]:
    tomorrow, monday = now + timedelta(days=1), now + timedelta(days=7 - now.weekday())
    return [
        ("later", "In 3 hours", _whole(now + timedelta(hours=3))),
        ("tomorrow", "Tomorrow", _morning(tomorrow)),
        ("monday", "Next Monday", _morning(monday)),
        ("month", "In a month", _morning(now + timedelta(days=30))),
        ("answer", "When they answer", None),
    ]


def _morning(day: datetime) -> datetime:
    return datetime.combine(day.date(), MORNING, day.tzinfo)


def _whole(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
