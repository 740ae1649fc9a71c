"""Customer properties: what an account wants to know of its customers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from deskhand.catalogue import events
from deskhand.catalogue.customers import LOCKED, PROPERTIES_MOST, SLUG_MOST
from deskhand.catalogue.needs import by_customer, every_inbox, no_inbox
from deskhand.catalogue.operation import HS, Action, Created, ListOf, NoContent, Operation, Resource
from deskhand.catalogue.values import Shape

OPTIONS_MOST = 100
LABEL_MOST = 255
NAME_MOST = 255
"""Characters of a property's name; our choice, the original names no limit."""
RESERVED = ("email", "name", "company", "jobTitle")
"""Slugs that mean something else. Source: properties/create."""

PropertyType = Literal["number", "text", "url", "date", "dropdown"]


class PropertyOption(Shape, kw_only=True):
    """One choice of a dropdown; `id` is a UUID."""

    id: str
    label: str


class CustomerProperty(Shape, kw_only=True):
    """What is asked of every customer; only a dropdown has `options`."""

    type: str
    slug: str
    name: str
    options: list[PropertyOption] | UnsetType = UNSET


class NewPropertyOption(Shape, kw_only=True):
    """A choice of a dropdown; without an `id` it gets one."""

    id: str | None = None
    label: Annotated[str, Meta(min_length=1, max_length=LABEL_MOST)]


class NewCustomerProperty(Shape, kw_only=True):
    """A property to define. The slug has letters, digits, - and _ and is unique in the account."""

    type: PropertyType
    slug: Annotated[str, Meta(min_length=1, max_length=SLUG_MOST)]
    name: Annotated[str, Meta(min_length=1, max_length=NAME_MOST)]
    options: Annotated[list[NewPropertyOption], Meta(max_length=OPTIONS_MOST)] | None = None


class PropertyChange(Shape, kw_only=True):
    """One step of a JSON Patch: a value for the property whose slug is the path, or none."""

    op: Literal["remove", "replace"]
    path: str
    value: Any = None


list_customer_properties = Operation(
    name="list_customer_properties", method="GET", path="/v2/customer-properties",
    resource=Resource.CUSTOMERS, action=Action.READ, needs=no_inbox,
    returns=ListOf("customer-properties", CustomerProperty, paged=False),
    phrase="list the properties that customers can have",
    summary="The properties that the account keeps of its customers.",
    source=HS + "properties/list",
)  # fmt: skip

create_customer_property = Operation(
    name="create_customer_property", method="POST", path="/v2/customer-properties",
    resource=Resource.CUSTOMERS, action=Action.WRITE, needs=every_inbox, body=NewCustomerProperty, returns=Created(),
    phrase="define a property of customers",
    summary=f"Define a property of customers; an account can have {PROPERTIES_MOST}.",
    source=HS + "properties/create", errors=((409, "there is a property with this slug"),),
)  # fmt: skip

delete_customer_property = Operation(
    name="delete_customer_property", method="DELETE", path="/v2/customer-properties/{slug}",
    resource=Resource.CUSTOMERS, action=Action.DELETE, needs=every_inbox, returns=NoContent(),
    phrase="delete the property {slug} of all customers",
    summary="Delete a property together with every customer's value of it.",
    source=HS + "properties/delete",
)  # fmt: skip

update_customer_properties = Operation(
    name="update_customer_properties", method="PATCH", path="/v2/customers/{customer_id}/properties",
    resource=Resource.CUSTOMERS, action=Action.WRITE, needs=by_customer, body=list[PropertyChange], returns=NoContent(),
    phrase="change the properties of customer {customer_id}",
    summary="Set or remove a customer's properties by JSON Patch; either all steps happen or none.",
    source=HS + "properties/update", errors=(LOCKED,), emits=(events.CUSTOMER_UPDATED,),
)  # fmt: skip

OPERATIONS = (
    list_customer_properties, create_customer_property, delete_customer_property, update_customer_properties,
)  # fmt: skip
