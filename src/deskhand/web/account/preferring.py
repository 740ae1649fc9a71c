"""How the pages are for the visitor: colours, undo, what comes after sending."""

from __future__ import annotations

from typing import cast, get_args

from starlette.responses import Response

from deskhand.catalogue.problems import BadRequest
from deskhand.desk.users import preferences
from deskhand.desk.users.preferences import UNDO_MOST_S, AfterSend, Preferences, Theme
from deskhand.web.pages import Asked, Pages

PAGES = Pages()
PATH = "/account/preferences"

THEMES: dict[Theme, str] = {"system": "As the device", "light": "Light", "dark": "Dark"}
AFTER: dict[AfterSend, tuple[str, str]] = {
    "next": ("The next conversation", "Work through a folder without going back to the list."),
    "stay": ("The same conversation", "See what you have sent."),
    "list": ("The list", "Choose what comes next."),
}


@PAGES.get(PATH)
async def show(asked: Asked) -> Response:
    """What was chosen."""
    chosen = asked.visitor.preferences
    return await _form(asked, chosen, "" if chosen.undo_s is None else str(chosen.undo_s))


@PAGES.post(PATH)
async def change(asked: Asked) -> Response:
    """Choose something else."""
    theme, after, undo = asked.form.text("theme"), asked.form.text("after_send"), asked.form.text("undo_s")
    known = theme in get_args(Theme) and after in get_args(AfterSend)
    before = asked.visitor.preferences
    if not known or (undo and not (undo.isdecimal() and undo.isascii() and len(undo) <= 4)):
        return await _form(asked, before, undo, f"Give a number of seconds from 0 to {UNDO_MOST_S}.")
    wanted = Preferences(cast(Theme, theme), int(undo) if undo else None, cast(AfterSend, after))
    try:
        await asked.write(lambda tx: preferences.prefer(tx, asked.account_id, asked.visitor.id, wanted))
    except BadRequest:
        return await _form(asked, wanted, undo, f"Give a number of seconds from 0 to {UNDO_MOST_S}.")
    return asked.go(PATH, "Your preferences are saved.")


async def _form(asked: Asked, chosen: Preferences, undo: str, wrong: str = "") -> Response:
    return await asked.page(
        "account/preferences.html",
        400 if wrong else 200,
        chosen=chosen,
        undo=undo,
        wrong=wrong,
        most=UNDO_MOST_S,
        themes=THEMES,
        after=AFTER,
    )
