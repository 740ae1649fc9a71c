"""Who gets the new conversations of an inbox by itself: by turns, or whoever has the fewest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from deskhand.catalogue.inboxes import LIMIT_MOST, NotEligible, SetRouting
from deskhand.catalogue.problems import BadRequest, NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.desk.inboxes import queries, routing
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.users import queries as users
from deskhand.outbox import events
from deskhand.web import words
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import Wrong, shaped, tried

PAGES = Pages("administrator")
PATH = "/settings/inboxes/{id}/assignment"
METHODS = {
    "round_robin": ("By turns", "One after the other, in the order below."),
    "balanced": ("Evenly", "Whoever has the fewest active conversations of this inbox."),
}
WHY: dict[NotEligible, str] = {"at_capacity": "Has as many as may be", "away": "Away", "not_in_rotation": ""}
"""Why somebody gets none at the moment."""


class Line(msgspec.Struct, frozen=True):
    """Somebody who sees the inbox, how many active conversations of it they have, and why they get none now."""

    id: int
    name: str
    photo: str
    conversations: int
    chosen: bool
    why: str


@PAGES.get(PATH)
async def show(asked: Asked) -> Response:
    """Who gets new conversations."""
    return await _form(asked, None, {})


@PAGES.post(PATH)
async def change(asked: Asked) -> Response:
    """Decide who gets new conversations from now on."""
    form, id = asked.form, asked.id()
    limit = form.text("assignment_limit")
    given: dict[str, Any] = {
        "state": "enabled" if form.has("enabled") else "disabled",
        "assignment_method": form.text("assignment_method") or "round_robin",
        "assignment_limit": limit,
        "users": form.ids("users"),
    }

    def work(tx: Writer) -> None:
        wanted = {
            "state": given["state"], "assignmentMethod": given["assignment_method"],
            "assignmentLimit": int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 10 else limit,
            "userIds": given["users"],
        }  # fmt: skip
        try:
            routing.set_routing(tx, asked.actor, id, shaped(SetRouting, wanted))
        except BadRequest as problem:
            raise BadRequest(*(_placed(error) for error in problem.errors)) from None
        tx.changed(events.PAGES)

    _, wrong = await tried(asked, work)
    if wrong:
        return await _form(asked, given, wrong)
    text = "New conversations are assigned from now on." if given["state"] == "enabled" else "Nothing is assigned."
    return asked.go(PATH.replace("{id}", str(id)), text)


def _placed(error: Any) -> Any:
    """An error at the field of the form that it is about."""
    if not error.path.startswith("userIds"):
        return error
    text = "must have somebody ticked" if error.path == "userIds" else error.message
    return msgspec.structs.replace(error, path="rotation", message=text)


async def _form(asked: Asked, given: Mapping[str, Any] | None, wrong: Wrong) -> Response:
    id, account_id = asked.id(), asked.account_id

    def read(db: Reader) -> tuple[InboxRow, routing.Rotation, list[Line]]:
        inbox = queries.by_id(db, account_id, id)
        if inbox is None:
            raise NotFound
        found = routing.of_inbox(db, account_id, id)
        people = users.people(db, account_id, [one.user_id for one in found.turns])
        chosen = None if given is None else set(given["users"])
        return inbox, found, [_line(one, people[one.user_id], chosen) for one in found.turns]

    inbox, found, lines = await asked.read(read)
    values: dict[str, Any] = {
        "state": found.setting.state,
        "assignment_method": found.setting.assignment_method,
        "assignment_limit": found.setting.assignment_limit,
    }
    return await asked.page(
        "settings/assignment.html", 400 if wrong else 200, inbox=inbox, lines=lines, given=values | dict(given or {}),
        wrong=wrong, methods=METHODS, most=LIMIT_MOST,
    )  # fmt: skip


def _line(turn: routing.Turn, person: users.Person, chosen: set[int] | None) -> Line:
    in_rotation = turn.reason != "not_in_rotation"
    return Line(
        turn.user_id,
        words.full_name(person.first, person.last, person.email or ""),
        person.photo_url or "",
        turn.conversations,
        in_rotation if chosen is None else turn.user_id in chosen,
        "" if turn.reason is None else WHY[turn.reason],
    )
