"""Changing an inbox's custom fields. What conversations show of them is the conversations' slice's to change."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, empty
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in
from deskhand.db.statements import Insert, P, command, value
from deskhand.desk.access import require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.inboxes import queries, verbs
from deskhand.desk.inboxes.queries import Field
from deskhand.desk.inboxes.tables import custom_field, field_option
from deskhand.desk.inboxes.verbs import NewOption
from deskhand.lib.text import fold
from deskhand.outbox import events

KINDS: dict[str, str] = {
    "singleline": "Text",
    "multiline": "Longer text",
    "dropdown": "Choice from a list",
    "number": "Number",
    "date": "Date",
}
"""The kinds of field by what people call them."""
NAME_MOST = 255
OPTIONS_MOST = 200
FIELDS_MOST = 100
"""Our choices: characters of a name and of an option, options of a field, fields of an inbox."""


class Choice(msgspec.Struct, frozen=True):
    """One choice of a dropdown as it is wanted; without an `id` it is a new one."""

    label: str
    id: int | None = None


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """All that can be decided about a field; its kind can't be changed later."""

    name: str
    type: str
    required: bool = False
    choices: Sequence[Choice] = ()


_ONE = (custom_field.c.account_id == P("account_id"), custom_field.c.id == P("id"))
_CHANGE = command(sa.update(custom_field).where(*_ONE).values(name=P("name"), required=P("required")))
_PLACE = command(sa.update(custom_field).where(*_ONE).values(position=P("position")))
_DELETE = command(sa.delete(custom_field).where(*_ONE))
_OPTIONS = (field_option.c.account_id == P("account_id"), field_option.c.field_id == P("field_id"))
_DELETE_OPTIONS = command(sa.delete(field_option).where(*_OPTIONS))
_DELETE_OTHERS = command(
    sa.delete(field_option).where(*_OPTIONS, sa.not_(ids_in(field_option.c.id, P("ids", sa.Text))))
)
_CHANGE_OPTION = command(
    sa.update(field_option).where(*_OPTIONS, field_option.c.id == P("id")).values(label=P("label"), position=P("place"))
)
_ADD_OPTION = Insert(field_option, NewOption)
_INBOX_OF = value(int, sa.select(custom_field.c.inbox_id).where(*_ONE))


def one(db: Reader, account_id: int, id: int) -> Field:
    """A custom field with its choices; raises NotFound."""
    inbox_id = db.one(_INBOX_OF, account_id=account_id, id=id)
    if inbox_id is None:
        raise NotFound
    return next(field for field in queries.fields_of(db, account_id, (inbox_id,)) if field.id == id)


def add(tx: Writer, actor: Actor, inbox_id: int, wanted: FieldChange) -> int:
    """Add a field as an inbox's last; gives its id. Raises NotFound, AccessDenied and BadRequest."""
    require_administrator(actor)
    queries.seen_by(tx, actor, inbox_id)
    there = queries.fields_of(tx, actor.account_id, (inbox_id,))
    if wanted.type not in KINDS:
        raise BadRequest(FieldError("type", "is not one of the kinds of field", "EnumValue"))
    if len(there) >= FIELDS_MOST:
        raise BadRequest(FieldError("name", f"is one too many: an inbox has at most {FIELDS_MOST} fields", "Size"))
    name, choices = _checked(wanted, there)
    new = verbs.NewField(
        account_id=actor.account_id, inbox_id=inbox_id, name=name, required=int(wanted.required),
        type=wanted.type,  # type: ignore[arg-type] # checked above
    )  # fmt: skip
    tx.changed(events.PAGES)
    return verbs.add_field(tx, new, [choice.label for choice in choices])


def change(tx: Writer, actor: Actor, id: int, wanted: FieldChange) -> Field:
    """Change a field's name, its choices and whether it is required; gives what it was. Raises as `add` does."""
    require_administrator(actor)
    before = one(tx, actor.account_id, id)
    others = [one for one in queries.fields_of(tx, actor.account_id, (before.inbox_id,)) if one.id != id]
    name, choices = _checked(msgspec.structs.replace(wanted, type=before.type), others)
    tx.run(_CHANGE, account_id=actor.account_id, id=id, name=name, required=int(wanted.required))
    if before.type == "dropdown":
        _put(tx, actor.account_id, before, choices)
    tx.changed(events.PAGES)
    return before


def move(tx: Writer, actor: Actor, id: int, by: int) -> None:
    """Let a field come so many places later (or earlier) among its inbox's; raises NotFound and AccessDenied."""
    require_administrator(actor)
    field = one(tx, actor.account_id, id)
    order = [each.id for each in queries.fields_of(tx, actor.account_id, (field.inbox_id,))]
    at = order.index(id)
    order.insert(max(0, min(len(order) - 1, at + by)), order.pop(at))
    for position, each in enumerate(order, 1):
        tx.run(_PLACE, account_id=actor.account_id, id=each, position=position)
    tx.changed(events.PAGES)


def delete(tx: Writer, actor: Actor, id: int) -> Field:
    """Delete a field with its choices; gives what it was. Raises NotFound and AccessDenied."""
    require_administrator(actor)
    before = one(tx, actor.account_id, id)
    tx.run(_DELETE_OPTIONS, account_id=actor.account_id, field_id=id)
    tx.run(_DELETE, account_id=actor.account_id, id=id)
    tx.changed(events.PAGES)
    return before


def _put(tx: Writer, account_id: int, field: Field, choices: Sequence[Choice]) -> None:
    """Put a dropdown's choices in place of those before; those that stay keep their ids, which conversations hold."""
    known = {option.id for option in field.options}
    kept = [choice.id for choice in choices if choice.id in known]
    tx.run(_DELETE_OTHERS, account_id=account_id, field_id=field.id, ids=msgspec.json.encode(kept).decode())
    for place, choice in enumerate(choices, 1):
        if choice.id in known:
            tx.run(
                _CHANGE_OPTION, account_id=account_id, field_id=field.id, id=choice.id, label=choice.label, place=place
            )  # fmt: skip
        else:
            tx.add_many(_ADD_OPTION, (NewOption(account_id, field.id, choice.label, place),))


def _checked(wanted: FieldChange, others: Sequence[Field]) -> tuple[str, list[Choice]]:
    faults: list[FieldError] = []
    name = wanted.name.strip()
    if not name:
        faults.append(empty("name"))
    elif len(name) > NAME_MOST:
        faults.append(FieldError("name", f"must have at most {NAME_MOST} characters", "Size"))
    elif any(fold(other.name) == fold(name) for other in others):
        faults.append(FieldError("name", "belongs to another field of this inbox", "Unique"))
    choices = [msgspec.structs.replace(one, label=one.label.strip()) for one in wanted.choices if one.label.strip()]
    if wanted.type == "dropdown":
        labels = [fold(choice.label) for choice in choices]
        if not choices:
            faults.append(FieldError("choices", "must be at least one", "NotEmpty"))
        elif len(choices) > OPTIONS_MOST:
            faults.append(FieldError("choices", f"must be at most {OPTIONS_MOST}", "Size"))
        elif len(set(labels)) < len(labels):
            faults.append(FieldError("choices", "must be different from each other", "Unique"))
        elif any(len(choice.label) > NAME_MOST for choice in choices):
            faults.append(FieldError("choices", f"must have at most {NAME_MOST} characters each", "Size"))
    if faults:
        raise BadRequest(*faults)
    return name, choices
