"""Customer properties: what is asked of every customer, and each one's answers.

Source: https://developer.helpscout.com/mailbox-api/endpoints/properties/list
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.customers import PROPERTIES_MOST, GivenProperty
from deskhand.catalogue.problems import BadRequest, NotFound, empty, invalid, shown
from deskhand.catalogue.properties import NAME_MOST, RESERVED, NewCustomerProperty, NewPropertyOption, PropertyOption
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, texts_in, unindexed
from deskhand.db.statements import Insert, P, columns, command, rows
from deskhand.desk.call import Actor
from deskhand.desk.customers.tables import customer_property, customer_value
from deskhand.desk.organizations import definitions, kinds


class Definition(msgspec.Struct, frozen=True):
    """A property; `options` is the JSON of a dropdown's, with `id` and `label`."""

    id: int
    slug: str
    name: str
    type: str
    options: str

    @property
    def choices(self) -> list[PropertyOption]:
        """A dropdown's options."""
        return msgspec.json.decode(self.options, type=list[PropertyOption])


class ValueRow(msgspec.Struct, frozen=True):
    """A customer's value of a property; a dropdown's is the option's id."""

    customer_id: int
    slug: str
    name: str
    type: str
    options: str
    value: str
    source: str


class _NewDefinition(msgspec.Struct, frozen=True):
    account_id: int
    slug: str
    name: str
    type: str
    options: str


class _NewValue(msgspec.Struct, frozen=True):
    account_id: int
    customer_id: int
    property_id: int
    value: str
    source: str


Values = Mapping[int, str | None]
"""Values to be stored, by the property's id; None removes one."""

_ADD = Insert(customer_property, _NewDefinition)
_ADD_VALUE = Insert(customer_value, _NewValue)
_DEFINITIONS = rows(
    Definition,
    sa.select(*columns(customer_property, *Definition.__struct_fields__))
    .where(customer_property.c.account_id == P("account_id"))
    .order_by(customer_property.c.id),
)
_VALUES = rows(
    ValueRow,
    sa.select(
        customer_value.c.customer_id,
        *columns(customer_property, "slug", "name", "type", "options"),
        *columns(customer_value, "value", "source"),
    )
    .join(customer_property, customer_property.c.id == customer_value.c.property_id)
    .where(
        unindexed(customer_value.c.account_id) == P("account_id"),
        ids_in(customer_value.c.customer_id, P("ids", sa.Text)),
    )
    .order_by(customer_value.c.customer_id, customer_value.c.property_id),
)
_CHANGE = command(
    sa.update(customer_property)
    .where(customer_property.c.account_id == P("account_id"), customer_property.c.id == P("id"))
    .values(name=P("name"), options=P("options"))
)
_DELETE = command(
    sa.delete(customer_property).where(
        customer_property.c.account_id == P("account_id"), customer_property.c.id == P("id")
    )
)
_DELETE_VALUES = command(
    sa.delete(customer_value).where(
        customer_value.c.account_id == P("account_id"), customer_value.c.property_id == P("id")
    )
)
_DELETE_OTHERS = command(
    sa.delete(customer_value).where(
        customer_value.c.account_id == P("account_id"),
        customer_value.c.property_id == P("id"),
        sa.not_(texts_in(customer_value.c.value, P("kept", sa.Text))),
    )
)
_THEIRS = (customer_value.c.account_id == P("account_id"), customer_value.c.customer_id == P("customer_id"))
_REMOVE = command(sa.delete(customer_value).where(*_THEIRS, ids_in(customer_value.c.property_id, P("ids", sa.Text))))
_REMOVE_ALL = command(sa.delete(customer_value).where(*_THEIRS))


def all_defined(db: Reader, account_id: int) -> list[Definition]:
    """The account's properties, oldest first."""
    return db.all(_DEFINITIONS, account_id=account_id)


def known(db: Reader, account_id: int) -> list[Definition]:
    """As `all_defined`, as they are known."""
    return db.known(_DEFINITIONS, account_id=account_id)


def values(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, list[ValueRow]]:
    """The values that customers have, by customer; one statement for all."""
    found: dict[int, list[ValueRow]] = {id: [] for id in ids}
    if found:
        for row in db.all(_VALUES, account_id=account_id, ids=_json(list(found))):
            found[row.customer_id].append(row)
    return found


def define(tx: Writer, actor: Actor, new: NewCustomerProperty) -> None:
    """Define a property; raises AccessDenied, AlreadyThere and BadRequest."""
    definitions.require_may_define(actor)
    definitions.require_slug(new.slug, RESERVED)
    options = _options(new.options or ()) if new.type == "dropdown" else []
    definitions.lock(tx, actor)
    known = [one.slug for one in all_defined(tx, actor.account_id)]
    definitions.require_room(known, new.slug, PROPERTIES_MOST)
    tx.add(_ADD, _NewDefinition(actor.account_id, new.slug, new.name, new.type, _json(options)))


def redefine(
    tx: Writer, actor: Actor, slug: str, name: str, options: Sequence[NewPropertyOption] | None = None
) -> None:  # fmt: skip
    """Rename a property, and replace a dropdown's options if there are any given: those that stay keep their ids.

    Values that are no option any more are removed. Raises AccessDenied, NotFound and BadRequest.
    """
    definitions.require_may_define(actor)
    definitions.lock(tx, actor)
    found = next((one for one in all_defined(tx, actor.account_id) if one.slug == slug), None)
    if found is None:
        raise NotFound
    if not name.strip():
        raise BadRequest(empty("name"))
    if len(name.strip()) > NAME_MOST:
        raise invalid("name", f"must have at most {NAME_MOST} characters", "Size", name)
    kept = found.options
    if found.type == "dropdown" and options is not None:
        made = _options(options)
        kept = _json(made)
        tx.run(_DELETE_OTHERS, account_id=actor.account_id, id=found.id, kept=_json([one.id for one in made]))
    tx.run(_CHANGE, account_id=actor.account_id, id=found.id, name=name.strip(), options=kept)


def delete(tx: Writer, actor: Actor, slug: str) -> None:
    """Delete a property and everybody's value of it; raises AccessDenied and NotFound."""
    definitions.require_may_define(actor)
    found = next((one for one in all_defined(tx, actor.account_id) if one.slug == slug), None)
    if found is None:
        raise NotFound
    tx.run(_DELETE_VALUES, account_id=actor.account_id, id=found.id)
    tx.run(_DELETE, account_id=actor.account_id, id=found.id)


def checked(defined: Sequence[Definition], slug: str, given: Any, path: str, at: str) -> tuple[int, str | None]:
    """A property's id and the value to store, None for none.

    Raises BadRequest: for an unknown slug naming `at`, for a value that does not fit naming `path`.
    """
    found = next((one for one in defined if one.slug == slug), None)
    if found is None:
        raise invalid(at, "no such property", "ValidIdentifier")
    if given is None or given == "":
        return found.id, None
    if found.type != "dropdown":
        return found.id, kinds.checked(found.type, given, path)
    choices = found.choices
    # An id comes before a label that reads like it.
    for fits in (lambda one: one.id == given, lambda one: one.label == given):
        for choice in filter(fits, choices):
            return found.id, choice.id
    raise invalid(path, "must be the id or label of an option", "EnumValue", shown(given))


def given(db: Reader, account_id: int, properties: Sequence[GivenProperty]) -> dict[int, str | None]:
    """The values that a new customer is given; raises BadRequest."""
    if not properties:
        return {}
    defined = all_defined(db, account_id)
    places = [f"properties[{position}]" for position in range(len(properties))]
    return dict(
        checked(defined, one.slug, one.value, f"{place}.value", f"{place}.slug")
        for place, one in zip(places, properties, strict=True)
    )


def put(tx: Writer, account_id: int, customer_id: int, values: Values, source: str = "api") -> None:
    """Store a customer's values in place of those they had of the same properties."""
    if not values:
        return
    tx.run(_REMOVE, account_id=account_id, customer_id=customer_id, ids=_json(list(values)))
    new = (_NewValue(account_id, customer_id, id, value, source) for id, value in values.items() if value is not None)
    tx.add_many(_ADD_VALUE, new)


def remove_all(tx: Writer, account_id: int, customer_id: int) -> None:
    """Remove all values of a customer."""
    tx.run(_REMOVE_ALL, account_id=account_id, customer_id=customer_id)


def _options(given: Sequence[NewPropertyOption]) -> list[PropertyOption]:
    definitions.require_options([option.label for option in given])
    made: list[PropertyOption] = []
    for position, option in enumerate(given):
        id = _uuid(option.id, f"options[{position}].id")
        if any(id == other.id for other in made):
            raise invalid(f"options[{position}].id", "must be unique", "Unique", id)
        made.append(PropertyOption(id=id, label=option.label))
    return made


def _uuid(given: str | None, path: str) -> str:
    if not given:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise invalid(path, "must be a UUID", "ValidIdentifier", given) from None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
