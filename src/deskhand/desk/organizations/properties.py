"""What is asked of every organization, and each one's answers.

Source: https://developer.helpscout.com/mailbox-api/endpoints/organizations/properties/list
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.organizations import (
    DEFINITIONS_MOST,
    GivenOption,
    NewOrganizationProperty,
    OrganizationOption,
    OverwrittenOrganizationProperty,
)
from deskhand.catalogue.problems import BadRequest, NotFound, empty, invalid, shown
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, texts_in, unindexed
from deskhand.db.statements import Insert, P, Statement, columns, command, rows
from deskhand.desk.call import Actor
from deskhand.desk.organizations import definitions, kinds, verbs
from deskhand.desk.organizations.tables import organization_property, organization_value


class Definition(msgspec.Struct, frozen=True):
    """A property; `options` is the JSON of a dropdown's, with `label`."""

    id: int
    slug: str
    name: str
    type: str
    options: str

    @property
    def labels(self) -> list[str]:
        """A dropdown's options."""
        return [option.label for option in msgspec.json.decode(self.options, type=list[OrganizationOption])]


class ValueRow(msgspec.Struct, frozen=True):
    """An organization's value of a property."""

    organization_id: int
    property_id: int
    slug: str
    name: str
    type: str
    options: str
    value: str


class _NewDefinition(msgspec.Struct, frozen=True):
    account_id: int
    slug: str
    name: str
    type: str
    options: str


class _NewValue(msgspec.Struct, frozen=True):
    account_id: int
    organization_id: int
    property_id: int
    value: str


_ADD = Insert(organization_property, _NewDefinition)
_ADD_VALUE = Insert(organization_value, _NewValue)
_DEFINITION = sa.select(*columns(organization_property, *Definition.__struct_fields__)).where(
    organization_property.c.account_id == P("account_id")
)
_DEFINITIONS = rows(Definition, _DEFINITION.order_by(organization_property.c.id))
_BY_SLUG = _DEFINITION.where(organization_property.c.slug == P("slug"))
_FOUND = rows(Definition, _BY_SLUG)
_KEPT = rows(Definition, _BY_SLUG.with_for_update(read=True))
_LOCKED = rows(Definition, _BY_SLUG.with_for_update())
_VALUES = rows(
    ValueRow,
    sa.select(
        *columns(organization_value, "organization_id", "property_id"),
        *columns(organization_property, "slug", "name", "type", "options"),
        organization_value.c.value,
    )
    .join(organization_property, organization_property.c.id == organization_value.c.property_id)
    .where(
        unindexed(organization_value.c.account_id) == P("account_id"),
        ids_in(organization_value.c.organization_id, P("ids", sa.Text)),
    )
    .order_by(organization_value.c.organization_id, organization_value.c.property_id),
)
_ONE = (organization_property.c.account_id == P("account_id"), organization_property.c.id == P("id"))
_CHANGE = command(sa.update(organization_property).where(*_ONE).values(name=P("name"), options=P("options")))
_DELETE = command(sa.delete(organization_property).where(*_ONE))
_OF_PROPERTY = (organization_value.c.account_id == P("account_id"), organization_value.c.property_id == P("id"))
_DELETE_VALUES = command(sa.delete(organization_value).where(*_OF_PROPERTY))
_DELETE_OTHERS = command(
    sa.delete(organization_value).where(
        *_OF_PROPERTY, sa.not_(texts_in(organization_value.c.value, P("labels", sa.Text)))
    )
)
_DELETE_VALUE = command(
    sa.delete(organization_value).where(*_OF_PROPERTY, organization_value.c.organization_id == P("organization_id"))
)


def all_defined(db: Reader, account_id: int) -> list[Definition]:
    """The account's properties, oldest first."""
    return db.all(_DEFINITIONS, account_id=account_id)


def by_slug(db: Reader, account_id: int, slug: str) -> Definition:
    """A property; raises NotFound."""
    return _find(db, _FOUND, account_id, slug)


def values(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, list[ValueRow]]:
    """The values that organizations have, by organization; one statement for all."""
    found: dict[int, list[ValueRow]] = {id: [] for id in ids}
    if found:
        for row in db.all(_VALUES, account_id=account_id, ids=_json(list(found))):
            found[row.organization_id].append(row)
    return found


def define(tx: Writer, actor: Actor, new: NewOrganizationProperty) -> int:
    """Define a property; gives its id. Raises AccessDenied, AlreadyThere and BadRequest."""
    definitions.require_may_define(actor)
    definitions.require_slug(new.slug)
    options = _options(new.options or ()) if new.type == "dropdown" else "[]"
    definitions.lock(tx, actor)
    known = [one.slug for one in all_defined(tx, actor.account_id)]
    definitions.require_room(known, new.slug, DEFINITIONS_MOST)
    return tx.add(_ADD, _NewDefinition(actor.account_id, new.slug, new.name, new.type, options))


def redefine(tx: Writer, actor: Actor, slug: str, given: OverwrittenOrganizationProperty) -> None:
    """Rename a property, and replace a dropdown's options if there are any given.

    Values that are no option any more are removed. Raises AccessDenied, NotFound and BadRequest.
    """
    definitions.require_may_define(actor)
    found = _find(tx, _LOCKED, actor.account_id, slug)
    options = found.options
    if found.type == "dropdown" and given.options is not None:
        options = _options(given.options)
        labels = _json([option.label for option in given.options])
        tx.run(_DELETE_OTHERS, account_id=actor.account_id, id=found.id, labels=labels)
    tx.run(_CHANGE, account_id=actor.account_id, id=found.id, name=given.name, options=options)


def delete(tx: Writer, actor: Actor, slug: str) -> None:
    """Delete a property and every organization's value of it; raises AccessDenied and NotFound."""
    definitions.require_may_define(actor)
    found = _find(tx, _LOCKED, actor.account_id, slug)
    tx.run(_DELETE_VALUES, account_id=actor.account_id, id=found.id)
    tx.run(_DELETE, account_id=actor.account_id, id=found.id)


def set_value(tx: Writer, actor: Actor, organization_id: int, slug: str, given: Any, now: str) -> None:
    """Give an organization a value of a property; raises NotFound and BadRequest."""
    verbs.to_change(tx, actor.account_id, organization_id)
    found = _find(tx, _KEPT, actor.account_id, slug)
    value = _checked(found, given)
    known = values(tx, actor.account_id, [organization_id])[organization_id]
    if any((row.property_id, row.value) == (found.id, value) for row in known):
        return
    tx.run(_DELETE_VALUE, account_id=actor.account_id, organization_id=organization_id, id=found.id)
    tx.add_many(_ADD_VALUE, [_NewValue(actor.account_id, organization_id, found.id, value)])
    verbs.touch(tx, actor, organization_id, now)


def remove_value(tx: Writer, actor: Actor, organization_id: int, slug: str, now: str) -> None:
    """Remove an organization's value of a property, if it has one; raises NotFound."""
    verbs.to_change(tx, actor.account_id, organization_id)
    found = by_slug(tx, actor.account_id, slug)
    if tx.run(_DELETE_VALUE, account_id=actor.account_id, organization_id=organization_id, id=found.id):
        verbs.touch(tx, actor, organization_id, now)


def _checked(found: Definition, given: Any) -> str:
    if found.type != "dropdown":
        return kinds.checked(found.type, given, "value")
    if given == "":
        raise BadRequest(empty("value"))
    if given not in found.labels:
        raise invalid("value", "must be the label of an option", "EnumValue", shown(given))
    return str(given)


def _options(given: Sequence[GivenOption]) -> str:
    labels = [option.label for option in given]
    definitions.require_options(labels)
    return _json([{"label": label} for label in labels])


def _find(db: Reader, statement: Statement[Definition], account_id: int, slug: str) -> Definition:
    # What is no slug may be a text that PostgreSQL doesn't take.
    found = db.one(statement, account_id=account_id, slug=slug) if definitions.is_slug(slug) else None
    if found is None:
        raise NotFound
    return found


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
