"""Office hours: when somebody is there, by the account's clocks."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from deskhand.desk.users import accounts
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import Wrong, tried

PAGES = Pages("administrator")
_HERE = "/settings/hours"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_USUAL = ("09:00", "17:00")
Typed = tuple[bool, str, str]
"""Whether a day is open, from when and until when, as it was typed."""


@PAGES.get(_HERE)
async def show(asked: Asked) -> Response:
    """The office hours."""
    hours = (await asked.read(lambda db: accounts.of(db, asked.account_id))).hours
    typed: list[Typed] = [
        (True, _clock(day[0]), _clock(day[1])) if day else (False, *_USUAL) for day in hours or [None] * len(DAYS)
    ]
    return await _form(asked, typed, {})


@PAGES.post(_HERE)
async def change(asked: Asked) -> Response:
    """Decide when the office is open; no day at all: that it isn't decided."""
    form = asked.form
    typed: list[Typed] = [
        (form.has(f"open-{number}"), form.text(f"from-{number}"), form.text(f"until-{number}"))
        for number in range(len(DAYS))
    ]
    hours = [
        (_minutes(since), _minutes(until) or accounts.DAY_MINUTES) if open else None for open, since, until in typed
    ]
    wrong: Wrong = {
        f"day-{number}": f"{DAYS[number]} must end after it begins."
        for number, day in enumerate(hours)
        if day is not None and not 0 <= day[0] < day[1] <= accounts.DAY_MINUTES
    }
    if not wrong:
        _, wrong = await tried(asked, lambda tx: accounts.set_hours(tx, asked.actor, hours))
    if wrong:
        return await _form(asked, typed, wrong)
    return asked.go(_HERE, "The office hours are saved." if any(hours) else "There are no office hours now.")


async def _form(asked: Asked, typed: Sequence[Typed], wrong: Wrong) -> Response:
    account = await asked.read(lambda db: accounts.of(db, asked.account_id))
    return await asked.page(
        "settings/hours.html", 400 if wrong else 200, typed=list(zip(DAYS, typed, strict=True)), wrong=wrong,
        account=account,
    )  # fmt: skip


def _clock(minutes: int) -> str:
    """Minutes of a day as a clock shows them; its end is the midnight after it."""
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def _minutes(clock: str) -> int:
    """The minute of a day; -1 for what is no time."""
    hours, _, minutes = clock.partition(":")
    if not (hours.isascii() and hours.isdigit() and minutes[:2].isascii() and minutes[:2].isdigit()):
        return -1
    if len(hours) > 2 or int(hours) > 23 or int(minutes[:2]) > 59:
        return -1
    return int(hours) * 60 + int(minutes[:2])
