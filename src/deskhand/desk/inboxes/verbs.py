"""Opening inboxes and giving them custom fields."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command, value
from deskhand.desk.inboxes.tables import custom_field, field_option, inbox

FieldType = Literal["dropdown", "singleline", "multiline", "number", "date"]


class NewInbox(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox as it begins; `slug` is 16 hexadecimal characters, made up when left empty."""

    account_id: int
    name: str
    email: str
    slug: str = ""
    default_assignee_id: int | None = None
    default_status: Literal["active", "pending", "closed"] = "active"
    created_at: str
    updated_at: str


class NewField(msgspec.Struct, frozen=True, kw_only=True):
    """A custom field to be added; without a `position` (from 1) it comes last."""

    account_id: int
    inbox_id: int
    name: str
    type: FieldType
    required: int = 0
    position: int = 0


class NewOption(msgspec.Struct, frozen=True):
    """One choice of a dropdown."""

    account_id: int
    field_id: int
    label: str
    position: int


_ADD_INBOX = Insert(inbox, NewInbox)
_ADD_FIELD = Insert(custom_field, NewField)
_ADD_OPTION = Insert(field_option, NewOption)
_LAST_POSITION = value(
    int,
    sa.select(sa.func.coalesce(sa.func.max(custom_field.c.position), sa.literal_column("0"))).where(
        custom_field.c.account_id == P("account_id"), custom_field.c.inbox_id == P("inbox_id")
    ),
)
_FORGET_ASSIGNEE = command(
    sa.update(inbox)
    .where(inbox.c.account_id == P("account_id"), inbox.c.default_assignee_id == P("user_id"))
    .values(default_assignee_id=sa.null())
)


def open_inbox(tx: Writer, new: NewInbox) -> int:
    """Open an inbox; gives its id. Owners and administrators see it at once, others when they are let in."""
    return tx.add(_ADD_INBOX, new if new.slug else msgspec.structs.replace(new, slug=secrets.token_hex(8)))


def add_field(tx: Writer, new: NewField, options: Iterable[str] = ()) -> int:
    """Add a custom field to an inbox; gives its id. `options` are the labels of a dropdown, in order."""
    if not new.position:
        last = tx.first(_LAST_POSITION, account_id=new.account_id, inbox_id=new.inbox_id)
        new = msgspec.structs.replace(new, position=last + 1)
    field_id = tx.add(_ADD_FIELD, new)
    choices = [NewOption(new.account_id, field_id, label, position) for position, label in enumerate(options, 1)]
    tx.add_many(_ADD_OPTION, choices)
    return field_id


def forget_assignee(tx: Writer, account_id: int, user_id: int) -> None:
    """Let no inbox give its new conversations to somebody by default any more."""
    tx.run(_FORGET_ASSIGNEE, account_id=account_id, user_id=user_id)
