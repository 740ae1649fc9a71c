"""The properties of organizations, as the API's operations.

Organizations themselves are handled in the customers' and conversations' slices, which they reach into.
"""

from __future__ import annotations

from deskhand.catalogue import organizations as operations
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.organizations import (
    NewOrganizationProperty,
    NewOrganizationValue,
    OrganizationProperty,
    OverwrittenOrganizationProperty,
)
from deskhand.desk.call import All, Call, Created, implements
from deskhand.desk.organizations import properties, represent


@implements(operations.list_organization_properties)
def list_organization_properties(call: Call[NoQuery, NoBody]) -> All[OrganizationProperty]:
    defined = properties.all_defined(call.tx, call.actor.account_id)
    return All([represent.definition(row, call.base) for row in defined])


@implements(operations.create_organization_property)
def create_organization_property(call: Call[NoQuery, NewOrganizationProperty]) -> Created:
    id = properties.define(call.tx, call.actor, call.body)
    return Created(id, f"/v2/organizations/properties/{call.body.slug}")


@implements(operations.get_organization_property)
def get_organization_property(call: Call[NoQuery, NoBody]) -> OrganizationProperty:
    return represent.definition(properties.by_slug(call.tx, call.actor.account_id, call.slug), call.base)


@implements(operations.update_organization_property)
def update_organization_property(call: Call[NoQuery, OverwrittenOrganizationProperty]) -> None:
    properties.redefine(call.tx, call.actor, call.slug, call.body)


@implements(operations.delete_organization_property)
def delete_organization_property(call: Call[NoQuery, NoBody]) -> None:
    properties.delete(call.tx, call.actor, call.slug)


@implements(operations.set_organization_value)
def set_organization_value(call: Call[NoQuery, NewOrganizationValue]) -> None:
    properties.set_value(call.tx, call.actor, call.path[0], call.slug, call.body.value, call.now)


@implements(operations.delete_organization_value)
def delete_organization_value(call: Call[NoQuery, NoBody]) -> None:
    properties.remove_value(call.tx, call.actor, call.path[0], call.slug, call.now)
