"""What goes on by itself at a set time: when that may be, and in whose name."""

from __future__ import annotations

from deskhand.catalogue.problems import invalid
from deskhand.desk.call import Actor, Policy

LAST = "2100-12-31T23:59:59Z"
"""The last moment for which anything can be planned. Source: conversations/snooze/update, threads/schedule/update."""


def require_future(path: str, given: str, now: str) -> str:
    """A time that lies in the future, but not after the year 2100; raises BadRequest naming `path`."""
    if not now < given <= LAST:
        raise invalid(path, "must be in the future, and not after the year 2100", "DateFormat", given)
    return given


def on_behalf_of(account_id: int, user_id: int) -> Actor:
    """The user who planned it, as the one who acts now; what they were allowed to do was decided then."""
    return Actor(account_id, user_id, "user", None, Policy(0, 0, 0, "UTC", ""))
