"""Reading inboxes and their custom fields."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, columns, rows, value
from deskhand.desk import access, counters
from deskhand.desk.call import Actor
from deskhand.desk.inboxes.folders import TYPES, Folder, folder_id
from deskhand.desk.inboxes.tables import custom_field, field_option, inbox

PAGE_SIZE = 50


class InboxRow(msgspec.Struct, frozen=True):
    """An inbox as stored."""

    id: int
    account_id: int
    name: str
    email: str
    slug: str
    default_assignee_id: int | None
    default_status: str
    created_at: str
    updated_at: str


class Option(msgspec.Struct, frozen=True):
    """One choice of a dropdown."""

    id: int
    label: str
    position: int


class Field(msgspec.Struct, frozen=True):
    """A custom field with its choices, in order; only dropdowns have any."""

    id: int
    inbox_id: int
    name: str
    type: str
    required: bool
    position: int
    options: tuple[Option, ...]


class FolderCount(msgspec.Struct, frozen=True):
    """How many conversations lie in a folder, and how many of them are active."""

    kind: Folder
    total: int
    active: int


class _Line(msgspec.Struct, frozen=True):
    """A field and one of its options, if it has any."""

    id: int
    inbox_id: int
    name: str
    type: str
    required: int
    position: int
    option_id: int | None
    option_label: str | None
    option_position: int | None


_INBOX = sa.select(*columns(inbox, *InboxRow.__struct_fields__)).where(inbox.c.account_id == P("account_id"))
_SEEN = _INBOX.where(ids_in(inbox.c.id, P("inboxes", sa.Text)))
_BY_ID = rows(InboxRow, _INBOX.where(inbox.c.id == P("id")))
_BY_IDS = rows(InboxRow, _INBOX.where(ids_in(inbox.c.id, P("ids", sa.Text))))


def _page(select: sa.Select[Any]) -> sa.Select[Any]:
    return select.order_by(inbox.c.id).limit(P("size", sa.Integer)).offset(P("start", sa.BigInteger))


_ALL_OF = rows(InboxRow, _INBOX.order_by(inbox.c.id))
_LIST_ALL = rows(InboxRow, _page(_INBOX))
_LIST_SEEN = rows(InboxRow, _page(_SEEN))
_COUNT_ALL = value(int, sa.select(sa.func.count()).select_from(_INBOX.subquery()))
_COUNT_SEEN = value(int, sa.select(sa.func.count()).select_from(_SEEN.subquery()))
_FIELDS = rows(
    _Line,
    sa.select(
        *columns(custom_field, "id", "inbox_id", "name", "type", "required", "position"),
        field_option.c.id.label("option_id"),
        field_option.c.label.label("option_label"),
        field_option.c.position.label("option_position"),
    )
    .select_from(
        custom_field.outerjoin(
            field_option,
            sa.and_(
                field_option.c.field_id == custom_field.c.id, field_option.c.account_id == custom_field.c.account_id
            ),
        )
    )
    .where(custom_field.c.account_id == P("account_id"), ids_in(custom_field.c.inbox_id, P("inboxes", sa.Text)))
    .order_by(
        custom_field.c.inbox_id, custom_field.c.position, custom_field.c.id, field_option.c.position, field_option.c.id
    ),
)


def find(db: Reader, account_id: int, inboxes: tuple[int, ...] | None, page: int) -> tuple[list[InboxRow], int]:
    """A page of the account's inboxes, and how many there are; of some inboxes, or of all (None)."""
    start = (page - 1) * PAGE_SIZE
    if inboxes is None:
        found = db.all(_LIST_ALL, account_id=account_id, size=PAGE_SIZE, start=start)
        return found, db.first(_COUNT_ALL, account_id=account_id)
    seen = msgspec.json.encode(inboxes).decode()
    found = db.all(_LIST_SEEN, account_id=account_id, inboxes=seen, size=PAGE_SIZE, start=start)
    return found, db.first(_COUNT_SEEN, account_id=account_id, inboxes=seen)


def all_of(db: Reader, account_id: int) -> list[InboxRow]:
    """All inboxes of the account, in order, as they are known."""
    return db.known(_ALL_OF, account_id=account_id)


def by_id(db: Reader, account_id: int, id: int) -> InboxRow | None:
    """An inbox of the account, whoever may see it."""
    return db.one(_BY_ID, account_id=account_id, id=id)


def by_ids(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, InboxRow]:
    """Inboxes of the account by id, whoever may see them; one statement for all. Unknown ids are left out."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found = db.all(_BY_IDS, account_id=account_id, ids=msgspec.json.encode(wanted).decode())
    return {row.id: row for row in found}


def seen_by(db: Reader, actor: Actor, id: int) -> InboxRow:
    """An inbox that the caller may see; raises NotFound where the account has no such, AccessDenied where hidden."""
    row = by_id(db, actor.account_id, id)
    if row is None:
        raise NotFound
    access.require_inbox(actor, id)
    return row


def fields_of(db: Reader, account_id: int, inbox_ids: Iterable[int]) -> list[Field]:
    """The custom fields of some inboxes, by inbox and in order, with their options; one statement for all."""
    wanted = sorted(set(inbox_ids))
    if not wanted:
        return []
    return _fields(db.all(_FIELDS, account_id=account_id, inboxes=msgspec.json.encode(wanted).decode()))


def known_fields(db: Reader, account_id: int, inbox_id: int) -> list[Field]:
    """The custom fields of an inbox as they are known, in order."""
    return _fields(db.known(_FIELDS, account_id=account_id, inboxes=f"[{inbox_id}]"))


def _fields(found: list[_Line]) -> list[Field]:
    return [_field(list(lines)) for _, lines in groupby(found, lambda line: line.id)]


def _field(lines: list[_Line]) -> Field:
    """A field out of its lines, which differ in the option alone."""
    first = lines[0]
    options = tuple(
        Option(line.option_id, line.option_label or "", line.option_position or 0)
        for line in lines
        if line.option_id is not None
    )
    return Field(first.id, first.inbox_id, first.name, first.type, bool(first.required), first.position, options)


def folders_of(db: Reader, actor: Actor, inbox_id: int) -> list[FolderCount]:
    """An inbox's folders with their numbers; Mine holds the caller's own conversations."""
    total, active = (counters.of_inbox(db, actor.account_id, kind, inbox_id) for kind in ("folder", "folder_active"))
    mine = folder_id(inbox_id, Folder.MINE)
    for numbers, kind in ((total, "owner"), (active, "owner_active")):
        numbers[mine] = counters.of_inbox(db, actor.account_id, kind, inbox_id).get(actor.user_id, 0)
    ids = {kind: folder_id(inbox_id, kind) for kind in TYPES}
    return [FolderCount(kind, total.get(id, 0), active.get(id, 0)) for kind, id in ids.items()]
