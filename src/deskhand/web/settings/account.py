"""The account: its name, time zone, plan and limits. Its owners decide about it; administrators see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

import msgspec
from starlette.responses import Response

from deskhand.desk.users import accounts
from deskhand.desk.users.accounts import AccountChange
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import Wrong, tried

PAGES = Pages("administrator")
_HERE = "/settings/account"
PLANS = {
    "standard": ("Standard", "Without reports."),
    "plus": ("Plus", "With reports."),
    "pro": ("Pro", "With reports."),
}


@PAGES.get(_HERE)
async def show(asked: Asked) -> Response:
    """What the account is called and lives by."""
    return await _form(asked, {}, {})


@PAGES.post(_HERE)
async def change(asked: Asked) -> Response:
    """Change the account."""
    form = asked.form
    wanted = AccountChange(
        name=form.text("name"), plan=form.text("plan"), timezone=form.text("timezone"),
        rate_limit=_number(form.text("rate_limit")), lock_after_days=_number(form.text("lock_after_days")),
        thread_editing=form.has("thread_editing"),
    )  # fmt: skip
    _, wrong = await tried(asked, lambda tx: accounts.change(tx, asked.actor, wanted))
    if wrong:
        typed = {name: form.text(name) for name in ("rate_limit", "lock_after_days")}
        return await _form(asked, msgspec.structs.asdict(wanted) | typed, wrong)
    return asked.go(_HERE, "The account is saved.")


async def _form(asked: Asked, given: Mapping[str, Any], wrong: Wrong) -> Response:
    stored = await asked.read(lambda db: accounts.of(db, asked.account_id))
    return await asked.page(
        "settings/account.html", 400 if wrong else 200, given=msgspec.structs.asdict(stored) | dict(given), wrong=wrong,
        plans=PLANS, zones=zones(), may=asked.actor.role == "owner",
    )  # fmt: skip


def zones() -> list[str]:
    """The time zones that people choose from."""
    return sorted(one for one in available_timezones() if "/" in one and not one.startswith("Etc/")) + ["UTC"]


def _number(text: str) -> int:
    """A whole number; -1 for what is none, which no number of an account may be."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
