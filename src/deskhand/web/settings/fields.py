"""Custom fields: what is written down about each conversation of an inbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from deskhand.db.engine import Reader, Writer
from deskhand.desk.conversations import relabelling
from deskhand.desk.inboxes import custom_fields
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.custom_fields import KINDS, Choice, FieldChange
from deskhand.desk.inboxes.queries import Field, InboxRow
from deskhand.desk.workflows.mentioning import mentioning
from deskhand.web import words
from deskhand.web.forms import Form
from deskhand.web.pages import Asked, Pages
from deskhand.web.settings.forms import Wrong, ask_first, tried

PAGES = Pages("administrator")
_HERE = "/settings/fields"
_EMPTY_CHOICES = 3
"""How many empty places a form offers for new choices; a script adds more."""


@PAGES.get(_HERE)
async def show_all(asked: Asked) -> Response:
    """The fields of all inboxes, or of the one that `inbox` names."""
    wanted = asked.query("inbox")

    def read(db: Reader) -> tuple[list[InboxRow], list[Field]]:
        found = inboxes.all_of(db, asked.account_id)
        return found, inboxes.fields_of(db, asked.account_id, [one.id for one in found])

    found, fields = await asked.read(read)
    shown = [one for one in found if str(one.id) == wanted] or found
    return await asked.page(
        "settings/fields/list.html", inboxes=found, shown=shown, fields=fields, kinds=KINDS,
        wanted=wanted if len(shown) < len(found) or len(found) == 1 else "",
    )  # fmt: skip


@PAGES.get(f"{_HERE}/new")
async def ask_new(asked: Asked) -> Response:
    """The form that adds a field to an inbox."""
    return await _new(asked, asked.query("inbox"), {}, {})


@PAGES.post(f"{_HERE}/new")
async def create(asked: Asked) -> Response:
    """Add a field to an inbox."""
    form = asked.form
    wanted, inbox_id = _wanted(form), form.id("inbox") or 0
    _, wrong = await tried(asked, lambda tx: custom_fields.add(tx, asked.actor, inbox_id, wanted))
    if wrong:
        return await _new(asked, str(inbox_id), _given(wanted), wrong)
    return asked.go(f"{_HERE}?inbox={inbox_id}", f"The field {wanted.name} is added.")


async def _new(asked: Asked, inbox: str, given: Mapping[str, Any], wrong: Wrong) -> Response:
    found = await asked.read(lambda db: inboxes.all_of(db, asked.account_id))
    empty = {"name": "", "type": "singleline", "required": False, "choices": []}
    return await asked.page(
        "settings/fields/new.html", 400 if wrong else 200, inboxes=found, inbox=inbox, wrong=wrong, kinds=KINDS,
        given=_roomy(empty | dict(given)),
    )  # fmt: skip


@PAGES.get(_HERE + "/{id}")
async def show(asked: Asked) -> Response:
    """A field, to be changed."""
    return await _form(asked, {}, {})


@PAGES.post(_HERE + "/{id}")
async def change(asked: Asked) -> Response:
    """Change a field's name, its choices and whether it is required."""
    id, wanted = asked.id(), _wanted(asked.form)

    def work(tx: Writer) -> int:
        relabelling.change_field(tx, asked.actor, id, wanted, asked.now)
        return custom_fields.one(tx, asked.account_id, id).inbox_id

    inbox_id, wrong = await tried(asked, work)
    if wrong:
        return await _form(asked, _given(wanted), wrong)
    return asked.go(f"{_HERE}?inbox={inbox_id}", f"The field {wanted.name} is saved.")


@PAGES.post(_HERE + "/{id}/move")
async def move(asked: Asked) -> Response:
    """Let a field come earlier or later."""
    id, by = asked.id(), -1 if asked.form.text("to") == "up" else 1
    await asked.write(lambda tx: custom_fields.move(tx, asked.actor, id, by))
    return asked.back(_HERE)


@PAGES.get(_HERE + "/{id}/delete")
async def ask_delete(asked: Asked) -> Response:
    """What deleting a field would do."""
    id, account_id = asked.id(), asked.account_id

    def read(db: Reader) -> tuple[Field, int, list[str]]:
        named = [one.name for one in mentioning(db, account_id, "field", id)]
        return custom_fields.one(db, account_id, id), relabelling.with_value(db, account_id, id), named

    field, used, workflows = await asked.read(read)
    does = [f"{words.counted(used, 'conversation')} will lose what was written down in it. None is deleted."]
    if not used:
        does = ["No conversation has a value of it, so nothing is lost."]
    if workflows:
        does.append(f"These workflows name it and stop until they are changed: {words.joined(workflows)}.")
    return await ask_first(
        asked, f"Delete the field {field.name}?", does, up=f"{_HERE}/{id}", above=field.name, button="Delete field"
    )  # fmt: skip


@PAGES.post(_HERE + "/{id}/delete")
async def delete(asked: Asked) -> Response:
    """Delete a field."""
    id = asked.id()
    before = await asked.write(lambda tx: relabelling.delete_field(tx, asked.actor, id, asked.now))
    return asked.go(f"{_HERE}?inbox={before.inbox_id}", f"The field {before.name} is deleted.")


async def _form(asked: Asked, given: Mapping[str, Any], wrong: Wrong) -> Response:
    id, account_id = asked.id(), asked.account_id

    def read(db: Reader) -> tuple[Field, InboxRow | None, int]:
        field = custom_fields.one(db, account_id, id)
        return field, inboxes.by_id(db, account_id, field.inbox_id), relabelling.with_value(db, account_id, id)

    field, inbox, used = await asked.read(read)
    stored = {
        "name": field.name, "type": field.type, "required": field.required,
        "choices": [Choice(one.label, one.id) for one in field.options],
    }  # fmt: skip
    return await asked.page(
        "settings/fields/form.html", 400 if wrong else 200, field=field, inbox=inbox, used=used, wrong=wrong,
        given=_roomy(stored | dict(given)), kinds=KINDS,
    )  # fmt: skip


def _wanted(form: Form) -> FieldChange:
    """What a form says about a field. Each choice has a label, and the id of the one that it was before, if any."""
    choices = []
    for name in form.names():
        place = name.removeprefix("choice-")
        if name != place and place.isascii() and place.isdigit() and form.text(name):
            choices.append(Choice(form.text(name), form.id(f"option-{place}")))
    return FieldChange(
        name=form.text("name"), type=form.text("type"), required=form.has("required"), choices=choices
    )  # fmt: skip


def _given(wanted: FieldChange) -> dict[str, Any]:
    return {
        "name": wanted.name, "type": wanted.type, "required": wanted.required, "choices": list(wanted.choices)
    }  # fmt: skip


def _roomy(given: dict[str, Any]) -> dict[str, Any]:
    """With some empty places for choices below those that are there."""
    return given | {"choices": [*given["choices"], *(Choice("") for _ in range(_EMPTY_CHOICES))]}
