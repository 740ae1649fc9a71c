"""Renaming, colouring and deleting tags. What conversations show of them is the conversations' slice's to change."""

from __future__ import annotations

import re

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, empty
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, command, rows
from deskhand.desk.access import require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.tags import queries
from deskhand.desk.tags.queries import CountedTag, TagRow
from deskhand.desk.tags.tables import tag
from deskhand.desk.tags.verbs import NAME_MOST, slug
from deskhand.lib.text import fold
from deskhand.outbox import events

COLOURS: dict[str, str] = {
    "#929499": "Grey",
    "#c0392b": "Red",
    "#c7641a": "Orange",
    "#b08a12": "Yellow",
    "#4f8a2f": "Green",
    "#1f8a7a": "Teal",
    "#2f72b8": "Blue",
    "#6a58b8": "Violet",
    "#b04a8c": "Pink",
}
"""The colours that people choose from, by what they are called; the API shows them as they stand."""
_COLOUR = re.compile(r"#[0-9a-f]{6}")

_ONE = (tag.c.account_id == P("account_id"), tag.c.id == P("id"))
_BY_ID = rows(TagRow, sa.select(*(tag.c[name] for name in TagRow.__struct_fields__)).where(*_ONE))
_CHANGE = command(
    sa.update(tag)
    .where(*_ONE)
    .values(name=P("name"), folded=P("folded"), slug=P("slug"), color=P("color"), updated_at=P("now"))
)
_DELETE = command(sa.delete(tag).where(*_ONE))
_ALL = rows(CountedTag, queries.COUNTED.order_by(tag.c.folded))


def all_of(db: Reader, account_id: int) -> list[CountedTag]:
    """All tags of an account by name, with the numbers of their conversations."""
    return db.all(_ALL, account_id=account_id)


def one(db: Reader, account_id: int, id: int) -> TagRow:
    """A tag; raises NotFound."""
    found = db.one(_BY_ID, account_id=account_id, id=id)
    if found is None:
        raise NotFound
    return found


def change(tx: Writer, actor: Actor, id: int, name: str, color: str, now: str) -> TagRow:
    """Give a tag another name and colour; gives it as it is now. Raises NotFound, AccessDenied and BadRequest."""
    require_administrator(actor)
    before = one(tx, actor.account_id, id)
    name, folded = name.strip(), fold(name.strip())
    faults = []
    if not name:
        faults.append(empty("name"))
    elif len(name) > NAME_MOST:
        faults.append(FieldError("name", f"must have at most {NAME_MOST} characters", "Size"))
    elif folded != before.folded and queries.by_folded(tx, actor.account_id, [folded]):
        faults.append(FieldError("name", "belongs to another tag, into which this one can be merged", "Unique"))
    if not _COLOUR.fullmatch(color.lower()):
        faults.append(FieldError("color", "must be one of the colours", "EnumValue"))
    if faults:
        raise BadRequest(*faults)
    values = {"name": name, "folded": folded, "slug": slug(name), "color": color.lower()}
    tx.run(_CHANGE, account_id=actor.account_id, id=id, now=now, **values)
    tx.changed(events.PAGES)
    return msgspec.structs.replace(before, updated_at=now, **values)


def delete(tx: Writer, actor: Actor, id: int) -> TagRow:
    """Delete a tag; gives what it was. Raises NotFound and AccessDenied."""
    require_administrator(actor)
    before = one(tx, actor.account_id, id)
    tx.run(_DELETE, account_id=actor.account_id, id=id)
    tx.changed(events.PAGES)
    return before
