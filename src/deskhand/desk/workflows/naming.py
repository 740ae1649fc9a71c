"""What actions name (owners, tags, inboxes, custom fields): whether it is all there, and what it is called."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import FieldError
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, columns, rows
from deskhand.desk.conversations import fields
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import Field
from deskhand.desk.tags.queries import TagRow
from deskhand.desk.tags.tables import tag
from deskhand.desk.users import queries as users
from deskhand.desk.workflows.actions import Action, AddNote, AddTags, Assign, Move, RemoveTags, SetField, SetStatus

_TAGS = rows(
    TagRow,
    sa.select(*columns(tag, *TagRow.__struct_fields__)).where(
        tag.c.account_id == P("account_id"), ids_in(tag.c.id, P("ids", sa.Text))
    ),
)


class Named(msgspec.Struct, frozen=True):
    """Whatever actions name and is there, by id: owners and inboxes by what they are called."""

    owners: dict[int, str]
    tags: dict[int, TagRow]
    inboxes: dict[int, str]
    fields: dict[int, Field]


def named_by(db: Reader, account_id: int, inbox_ids: Iterable[int], actions: Sequence[Action]) -> Named:
    """What the actions of workflows of some inboxes name, as far as it is there; at most four statements."""
    staff = users.by_ids(db, account_id, (one.value for one in actions if isinstance(one, Assign) and one.value))
    tag_ids = {id for one in actions if isinstance(one, AddTags | RemoveTags) for id in one.value}
    found = db.all(_TAGS, account_id=account_id, ids=json.dumps(sorted(tag_ids))) if tag_ids else []
    targets = inboxes.by_ids(db, account_id, (one.value for one in actions if isinstance(one, Move)))
    known: list[Field] = []
    if any(isinstance(one, SetField) for one in actions):
        known = inboxes.fields_of(db, account_id, (*inbox_ids, *targets))
    return Named(
        owners={
            id: f"{row.first_name} {row.last_name}".strip() for id, row in staff.items() if row.state != "inactive"
        },
        tags={row.id: row for row in found},
        inboxes={id: row.name for id, row in targets.items()},
        fields={field.id: field for field in known},
    )


def faults(inbox_id: int, actions: Sequence[Action], named: Named) -> list[FieldError]:
    """What is wrong with the actions of a workflow of this inbox, each named as `actions[i]`."""
    return list(_faults(inbox_id, actions, named))


def _faults(inbox_id: int, actions: Sequence[Action], named: Named) -> Iterator[FieldError]:
    for position, action in enumerate(actions):
        text = _fault(inbox_id, action, named)
        if text:
            yield FieldError(f"actions[{position}]", text, "ValidIdentifier")
        if isinstance(action, Move):
            inbox_id = action.value


def _fault(inbox_id: int, action: Action, named: Named) -> str:
    match action:
        case Assign(int(owner)) if owner not in named.owners:
            return f"there is no user or team {owner}"
        case AddTags(ids) | RemoveTags(ids):
            gone = [str(id) for id in ids if id not in named.tags]
            return f"there is no tag {', '.join(gone)}" if gone else ""
        case Move(target) if target not in named.inboxes:
            return f"there is no inbox {target}"
        case SetField(id, value):
            field = named.fields.get(id)
            if field is None or field.inbox_id != inbox_id:
                return f"there is no custom field {id} in inbox {inbox_id}"
            problem = fields.read(field, value)[1] if value else ""
            return f"the value of {field.name} {problem}" if problem else ""
    return ""


def in_words(action: Action, named: Named) -> str:
    """What an action did, for line items; all that it names must be there."""
    match action:
        case SetStatus(status):
            return f"marked as {status}"
        case Assign(None):
            return "unassigned the conversation"
        case Assign(int(owner)):
            return f"assigned to {named.owners[owner]}"
        case AddTags(ids):
            return f"added the tags {_listed(ids, named)}"
        case RemoveTags(ids):
            return f"removed the tags {_listed(ids, named)}"
        case Move(target):
            return f"moved the conversation to {named.inboxes[target]}"
        case AddNote():
            return "added a note"
        case SetField(id, value):
            field = named.fields[id]
            return f"set {field.name} to {fields.read(field, value)[0]}" if value else f"cleared {field.name}"
    raise TypeError(action)


def _listed(ids: Sequence[int], named: Named) -> str:
    return ", ".join(named.tags[id].name for id in ids)
