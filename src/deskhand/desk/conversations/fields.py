"""Custom field values of a conversation: checking them and storing them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.conversations import GivenField
from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, command
from deskhand.desk.conversations.tables import conversation_field
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import Field

SINGLE_LINE_MOST = 255
MULTI_LINE_MOST = 15_000
_INTEGER = re.compile(r"-?\d{1,255}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Value(msgspec.Struct, frozen=True):
    """A value as conversations show it; `text` is what people read."""

    id: int
    name: str
    value: str
    text: str


class FieldRow(msgspec.Struct, frozen=True):
    """A value as filters look it up."""

    account_id: int
    conversation_id: int
    field_id: int
    value: str


_ADD = Insert(conversation_field, FieldRow)
_CLEAR = command(
    sa.delete(conversation_field).where(
        conversation_field.c.account_id == P("account_id"), conversation_field.c.conversation_id == P("conversation_id")
    )
)


def checked(db: Reader, account_id: int, inbox_id: int, given: Sequence[GivenField]) -> list[Value]:
    """The values in their stored form, in the inbox's order; raises BadRequest naming each one at fault."""
    if not given:
        return []
    known = {field.id: field for field in inboxes.fields_of(db, account_id, (inbox_id,))}
    values: dict[int, Value] = {}
    faults: list[FieldError] = []
    for position, one in enumerate(given):
        field, path = known.get(one.id), f"fields[{position}]"
        text = "" if one.value is None else str(one.value)
        if field is None:
            faults.append(FieldError(f"{path}.id", "no such field in this inbox", "ValidIdentifier", one.id))
        elif text:
            shown, fault = read(field, text)
            if fault:
                faults.append(FieldError(f"{path}.value", fault, "Size", text[:200]))
            else:
                values[field.id] = Value(field.id, field.name, text, shown)
    if faults:
        raise BadRequest(*faults)
    return [values[id] for id in known if id in values]


def read(field: Field, text: str) -> tuple[str, str]:
    """What people read, or what is wrong. Source: conversations/custom_fields/update (formats)."""
    match field.type:
        case "number":
            return (text, "") if _INTEGER.fullmatch(text) else ("", "must be an integer of at most 255 digits")
        case "date":
            return (text, "") if _is_date(text) else ("", "must be a date YYYY-MM-DD")
        case "dropdown":
            label = next((option.label for option in field.options if str(option.id) == text), None)
            return ("", "must be the id of one of the field's options") if label is None else (label, "")
        case "multiline":
            return (
                (text, "") if len(text) <= MULTI_LINE_MOST else ("", f"must have at most {MULTI_LINE_MOST} characters")
            )
        case _:
            return (
                (text, "")
                if len(text) <= SINGLE_LINE_MOST
                else ("", f"must have at most {SINGLE_LINE_MOST} characters")
            )


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def write(tx: Writer, account_id: int, conversation_id: int, values: Sequence[Value]) -> str:
    """Put a conversation's values in place of those before; gives them as the JSON that the conversation keeps."""
    tx.run(_CLEAR, account_id=account_id, conversation_id=conversation_id)
    tx.add_many(_ADD, (FieldRow(account_id, conversation_id, one.id, one.value) for one in values))
    return as_json(values)


def as_json(values: Sequence[Value]) -> str:
    """Values as conversations show them."""
    return msgspec.json.encode(list(values)).decode()


def from_json(text: str) -> list[Value]:
    """The values that a conversation keeps."""
    return msgspec.json.decode(text, type=list[Value])
