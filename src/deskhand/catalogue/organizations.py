"""Organizations: whom customers belong to, and what an account wants to know of them."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from deskhand.catalogue import events
from deskhand.catalogue.conversations import Conversation
from deskhand.catalogue.customers import Customer
from deskhand.catalogue.links import Links
from deskhand.catalogue.needs import letters, no_inbox
from deskhand.catalogue.operation import (
    HS,
    Action,
    Asked,
    Created,
    Extent,
    ListOf,
    Need,
    NoContent,
    One,
    Operation,
    Resource,
)
from deskhand.catalogue.properties import PropertyType
from deskhand.catalogue.values import PageNumber, Shape

PAGE_SIZE = 50
DEFINITIONS_MOST = 50
SLUG_MOST = 120
LABEL_MOST = 100
OPTIONS_MOST = 100
DOMAINS_MOST = 100
"""Domains and phones of one organization; our choice."""
LINE_MOST = 255
TEXT_MOST = 10_000
"""Characters of a name or website, and of a description or note; our choice, the original names no limits."""

Name = Annotated[str, Meta(min_length=1, max_length=LINE_MOST)]
Line = Annotated[str, Meta(max_length=LINE_MOST)]
Text = Annotated[str, Meta(max_length=TEXT_MOST)]
Label = Annotated[str, Meta(min_length=1, max_length=LABEL_MOST)]


class OrganizationOption(Shape, kw_only=True):
    """One choice of a dropdown; unlike those of customer properties it has no id."""

    label: str


class OrganizationValue(Shape, kw_only=True):
    """An organization's value of a property, always as a text."""

    definition_id: int
    slug: str
    name: str
    type: str
    value: str
    options: list[OrganizationOption] | UnsetType = UNSET


class Organization(Shape, kw_only=True):
    """An organization; counts and properties are there when they were asked for."""

    id: int
    name: str
    website: str | None
    description: str | None
    location: str | None
    logo_url: str | None
    note: str | None
    domains: list[str]
    phones: list[str]
    brand_color: str | None
    customer_count: int | UnsetType = UNSET
    conversation_count: int | UnsetType = UNSET
    properties: list[OrganizationValue] | UnsetType = UNSET
    created_at: str
    updated_at: str
    links: Links = field(name="_links")


class OrganizationProperty(Shape, kw_only=True):
    """What is asked of every organization; only a dropdown has `options`."""

    id: int
    type: str
    slug: str
    name: str
    options: list[OrganizationOption] | UnsetType = UNSET
    links: Links = field(name="_links")


class ListOrganizations(Shape, kw_only=True):
    """Which page, and by what it is sorted: `name`, `customerCount`, `conversationCount` or `lastInteractionAt`.

    `,asc` or `,desc` may follow; without it the order is descending.
    """

    page: PageNumber = 1
    sort: str = "lastInteractionAt,desc"


class GetOrganization(Shape, kw_only=True):
    """What to give beside the organization itself."""

    include_counts: bool = False
    include_properties: bool = False


class ListOfOrganization(Shape, kw_only=True):
    """Which page."""

    page: PageNumber = 1


class OrganizationFields(Shape, kw_only=True):
    """What is known of an organization. `location` is a country's two letters, `brandColor` like #0A7F5A."""

    name: Name
    domains: Annotated[list[str], Meta(max_length=DOMAINS_MOST)] | None = None
    website: Line | None = None
    description: Text | None = None
    location: str | None = None
    note: Text | None = None
    phones: Annotated[list[Line], Meta(max_length=DOMAINS_MOST)] | None = None
    brand_color: str | None = None


class NewOrganization(OrganizationFields, kw_only=True):
    """An organization to create; `domain` comes before `domains`."""

    domain: str | None = None


class OverwrittenOrganization(OrganizationFields, kw_only=True):
    """All that is known of an organization: what is missing is removed."""


class GivenOption(Shape, kw_only=True):
    """A choice of a dropdown."""

    label: Label


class NewOrganizationProperty(Shape, kw_only=True):
    """A property to define. The slug has letters, digits, - and _ and is unique in the account."""

    type: PropertyType
    slug: Annotated[str, Meta(min_length=1, max_length=SLUG_MOST)]
    name: Label
    options: Annotated[list[GivenOption], Meta(max_length=OPTIONS_MOST)] | None = None


class OverwrittenOrganizationProperty(Shape, kw_only=True):
    """A property's name and a dropdown's options; type and slug stay as they are."""

    name: Label
    options: Annotated[list[GivenOption], Meta(max_length=OPTIONS_MOST)] | None = None


class NewOrganizationValue(Shape, kw_only=True):
    """A property's value as a text: a number, a date yyyy-MM-dd, a dropdown's label."""

    value: str | int


_CUSTOMERS = Need(Resource.CUSTOMERS, Action.READ, Extent.EVERY, "list_customers")
_CONVERSATIONS = Need(Resource.CONVERSATIONS, Action.READ, Extent.EVERY, "list_conversations")


def _listed(asked: Asked) -> tuple[Need, ...]:
    """An order by a number tells the number."""
    query: ListOrganizations = asked.query
    by = letters(query.sort)
    more = ("customer" in by and _CUSTOMERS, "conversation" in by and _CONVERSATIONS)
    return no_inbox(asked) + tuple(one for one in more if one)


def _read(asked: Asked) -> tuple[Need, ...]:
    query: GetOrganization = asked.query
    return no_inbox(asked) + ((_CUSTOMERS, _CONVERSATIONS) if query.include_counts else ())


def _their_customers(asked: Asked) -> tuple[Need, ...]:
    return (*no_inbox(asked), _CUSTOMERS)


def _their_conversations(asked: Asked) -> tuple[Need, ...]:
    return (*no_inbox(asked), _CONVERSATIONS)


_PATH = "/v2/organizations/{organization_id}"
_DEFINITIONS = "/v2/organizations/properties"
_TAKEN = (409, "a domain belongs to another organization")
_PAGES = HS + "organizations/"

list_organizations = Operation(
    name="list_organizations", method="GET", path="/v2/organizations",
    resource=Resource.ORGANIZATIONS, action=Action.READ, needs=_listed, query=ListOrganizations,
    returns=ListOf("organizations", Organization, PAGE_SIZE),
    phrase="list organizations",
    summary="List organizations, those first with whom something happened last.",
    source=_PAGES + "list", since="2025-11-10",
)  # fmt: skip

create_organization = Operation(
    name="create_organization", method="POST", path="/v2/organizations",
    resource=Resource.ORGANIZATIONS, action=Action.WRITE, needs=no_inbox, body=NewOrganization, returns=Created(),
    phrase="create an organization",
    summary="Create an organization; customers with an e-mail address of its domains come to belong to it.",
    source=_PAGES + "create", since="2025-09-09", errors=(_TAKEN,), emits=(events.ORGANIZATION_CREATED,),
)  # fmt: skip

get_organization = Operation(
    name="get_organization", method="GET", path=_PATH,
    resource=Resource.ORGANIZATIONS, action=Action.READ, needs=_read,
    query=GetOrganization, returns=One(Organization),
    phrase="read organization {organization_id}",
    summary="One organization, with its counts and properties if asked for.",
    source=_PAGES + "get", since="2025-09-09",
)  # fmt: skip

update_organization = Operation(
    name="update_organization", method="PUT", path=_PATH,
    resource=Resource.ORGANIZATIONS, action=Action.WRITE, needs=no_inbox,
    body=OverwrittenOrganization, returns=NoContent(),
    phrase="change organization {organization_id}",
    summary="Replace what is known of an organization: fields left out are emptied, its logo stays.",
    source=_PAGES + "update", since="2025-09-09", errors=(_TAKEN,), emits=(events.ORGANIZATION_UPDATED,),
)  # fmt: skip

delete_organization = Operation(
    name="delete_organization", method="DELETE", path=_PATH,
    resource=Resource.ORGANIZATIONS, action=Action.DELETE, needs=no_inbox, returns=NoContent(),
    phrase="delete organization {organization_id}",
    summary="Delete an organization; its customers stay and belong to none.",
    source=_PAGES + "delete", since="2025-09-09", emits=(events.ORGANIZATION_DELETED,),
)  # fmt: skip

list_organization_customers = Operation(
    name="list_organization_customers", method="GET", path=_PATH + "/customers",
    resource=Resource.ORGANIZATIONS, action=Action.READ, needs=_their_customers, query=ListOfOrganization,
    returns=ListOf("customers", Customer, PAGE_SIZE),
    phrase="list the customers of organization {organization_id}",
    summary="The customers that belong to an organization, newest first.",
    source=_PAGES + "get-customers", since="2025-09-09",
)  # fmt: skip

list_organization_conversations = Operation(
    name="list_organization_conversations", method="GET", path=_PATH + "/conversations",
    resource=Resource.ORGANIZATIONS, action=Action.READ, needs=_their_conversations, query=ListOfOrganization,
    returns=ListOf("conversations", Conversation, PAGE_SIZE),
    phrase="list the conversations of organization {organization_id}",
    summary="The conversations of an organization's customers, newest first.",
    source=_PAGES + "get-conversations", since="2025-09-09",
)  # fmt: skip

list_organization_properties = Operation(
    name="list_organization_properties", method="GET", path=_DEFINITIONS,
    resource=Resource.ORGANIZATIONS, action=Action.READ, needs=no_inbox,
    returns=ListOf("organization-properties", OrganizationProperty, paged=False),
    phrase="list the properties that organizations can have",
    summary="The properties that the account keeps of organizations.",
    source=_PAGES + "properties/list", since="2025-12-08",
)  # fmt: skip

create_organization_property = Operation(
    name="create_organization_property", method="POST", path=_DEFINITIONS,
    resource=Resource.ORGANIZATIONS, action=Action.WRITE, needs=no_inbox,
    body=NewOrganizationProperty, returns=Created(),
    phrase="define a property of organizations",
    summary=f"Define a property of organizations; an account can have {DEFINITIONS_MOST}.",
    source=_PAGES + "properties/create", since="2025-12-08", errors=((409, "there is a property with this slug"),),
)  # fmt: skip

get_organization_property = Operation(
    name="get_organization_property", method="GET", path=_DEFINITIONS + "/{slug}",
    resource=Resource.ORGANIZATIONS, action=Action.READ, needs=no_inbox, returns=One(OrganizationProperty),
    phrase="read the property {slug} of organizations",
    summary="One property that the account keeps of organizations.",
    source=_PAGES + "properties/get", since="2025-12-08",
)  # fmt: skip

update_organization_property = Operation(
    name="update_organization_property", method="PUT", path=_DEFINITIONS + "/{slug}",
    resource=Resource.ORGANIZATIONS, action=Action.WRITE, needs=no_inbox,
    body=OverwrittenOrganizationProperty, returns=NoContent(),
    phrase="change the property {slug} of organizations",
    summary="Rename a property or replace a dropdown's options; values that are no option any more are removed.",
    source=_PAGES + "properties/update", since="2025-12-08",
)  # fmt: skip

delete_organization_property = Operation(
    name="delete_organization_property", method="DELETE", path=_DEFINITIONS + "/{slug}",
    resource=Resource.ORGANIZATIONS, action=Action.DELETE, needs=no_inbox, returns=NoContent(),
    phrase="delete the property {slug} of all organizations",
    summary="Delete a property together with every organization's value of it.",
    source=_PAGES + "properties/delete", since="2025-12-08",
)  # fmt: skip

set_organization_value = Operation(
    name="set_organization_value", method="PUT", path=_PATH + "/properties/{slug}",
    resource=Resource.ORGANIZATIONS, action=Action.WRITE, needs=no_inbox,
    body=NewOrganizationValue, returns=NoContent(),
    phrase="set the property {slug} of organization {organization_id}",
    summary="Give an organization a value of a property.",
    source=_PAGES + "properties/set-value", since="2025-12-08", emits=(events.ORGANIZATION_UPDATED,),
)  # fmt: skip

delete_organization_value = Operation(
    name="delete_organization_value", method="DELETE", path=_PATH + "/properties/{slug}",
    resource=Resource.ORGANIZATIONS, action=Action.DELETE, needs=no_inbox, returns=NoContent(),
    phrase="clear the property {slug} of organization {organization_id}",
    summary="Remove an organization's value of a property.",
    source=_PAGES + "properties/remove-value", since="2025-12-08", emits=(events.ORGANIZATION_UPDATED,),
)  # fmt: skip

OPERATIONS = (
    list_organizations, create_organization, get_organization, update_organization, delete_organization,
    list_organization_customers, list_organization_conversations, list_organization_properties,
    create_organization_property, get_organization_property, update_organization_property,
    delete_organization_property, set_organization_value, delete_organization_value,
)  # fmt: skip
