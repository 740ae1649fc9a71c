"""Customers: the people who ask, and the ways to reach them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from deskhand.catalogue import events
from deskhand.catalogue.links import Links
from deskhand.catalogue.needs import by_customer, distinct, every_inbox, letters, need, places
from deskhand.catalogue.operation import (
    HS,
    Action,
    Asked,
    Created,
    Extent,
    ListOf,
    Need,
    NoContent,
    Of,
    One,
    Operation,
    Place,
    Resource,
    WalkOf,
)
from deskhand.catalogue.values import Email, Id, PageNumber, Shape, WireTime

PAGE_SIZE = 50
LOCKED_AT = 5_000
"""A customer with this many conversations can't be changed. Source: customers/update, status 423."""
ERASED_AT_ONCE_MOST = 100
"""A customer with more conversations is erased in the background only. Source: customers/delete, status 403."""

NAME_MOST = 40
LINE_MOST = 60
TEXT_MOST = 200
ENTRY_MOST = 2_000
ENTRIES_MOST = 200
"""Entries of one kind that a customer can have; our choice, to keep one customer's page finite."""
SLUG_MOST = 100
PROPERTIES_MOST = 50
"""Properties that an account can define, and so the most that a customer has. Source: properties/create."""

Name = Annotated[str, Meta(min_length=1, max_length=NAME_MOST)]
Line = Annotated[str, Meta(max_length=LINE_MOST)]
Text = Annotated[str, Meta(max_length=TEXT_MOST)]
EntryText = Annotated[str, Meta(min_length=1, max_length=ENTRY_MOST)]

EmailType = Literal["home", "other", "work"]
PhoneType = Literal["fax", "home", "mobile", "other", "pager", "work"]
ChatType = Literal["aim", "gtalk", "icq", "msn", "other", "qq", "skype", "xmpp", "yahoo"]
SocialType = Literal[
    "aboutme", "facebook", "flickr", "forsquare", "foursquare", "google", "googleplus", "linkedin", "other", "quora",
    "tungleme", "twitter", "youtube",
]  # fmt: skip
GENDERS = ("male", "female", "unknown")
PHOTO_TYPES = ("unknown", "gravatar", "twitter", "facebook", "googleprofile", "googleplus", "linkedin", "instagram")


# -- As they are read


class Entry(Shape):
    """An e-mail address, phone, chat or social profile."""

    id: int
    value: str
    type: str


class Website(Shape):
    """A website; it has no type."""

    id: int
    value: str


class LinkedEntry(Entry, kw_only=True):
    """An entry in a list of its own."""

    links: Links = field(name="_links")


class LinkedWebsite(Website, kw_only=True):
    """A website in a list of its own."""

    links: Links = field(name="_links")


class Address(Shape, kw_only=True):
    """A postal address; what is not known is left out. `country` has two letters."""

    city: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    postal_code: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    lines: list[str]


class LinkedAddress(Address, kw_only=True):
    """An address by itself."""

    links: Links = field(name="_links")


class PropertySource(Shape):
    """By which way a property was set."""

    name: str


class Property(Shape, kw_only=True):
    """A property's value; `text` is what people read, for a dropdown the option's label."""

    type: str
    slug: str
    name: str
    value: str
    text: str
    source: PropertySource


class CustomerEmbedded(Shape, kw_only=True):
    """What is embedded in a customer."""

    emails: list[Entry]
    phones: list[Entry]
    chats: list[Entry]
    social_profiles: list[Entry] = field(name="social_profiles")
    websites: list[Website]
    properties: list[Property]
    address: Address | UnsetType = UNSET


class Customer(Shape, kw_only=True):
    """A customer as they are read. `organization` is free text, `organizationId` the organization they belong to."""

    id: int
    first_name: str | None
    last_name: str | None
    gender: str
    job_title: str | None
    location: str | None
    organization: str | None
    organization_id: int | UnsetType = UNSET
    photo_type: str
    photo_url: str
    age: str | None
    created_at: str
    updated_at: str
    background: str | None
    draft: bool
    embedded: CustomerEmbedded = field(name="_embedded")
    links: Links = field(name="_links")


class SocialProfilesEmbedded(Shape):
    """The same list twice: clients disagree about its name."""

    hyphened: list[LinkedEntry] = field(name="social-profiles")
    underscored: list[LinkedEntry] = field(name="social_profiles")


class SocialProfiles(Shape):
    """A customer's social profiles."""

    embedded: SocialProfilesEmbedded = field(name="_embedded")
    links: Links = field(name="_links")


# -- As they are given


class CustomerReference(Shape, kw_only=True):
    """The customer of something, by `id` or else `email`. An unknown address makes a customer of the other fields."""

    id: Id | None = None
    email: Email | None = None
    first_name: Annotated[str, Meta(max_length=NAME_MOST)] | None = None
    last_name: Annotated[str, Meta(max_length=NAME_MOST)] | None = None
    organization: Line | None = None
    job_title: Line | None = None
    phone: Annotated[str, Meta(max_length=ENTRY_MOST)] | None = None
    photo_url: Text | None = None
    photo_type: str | None = None
    background: Text | None = None
    location: Line | None = None
    gender: str | None = None
    age: Line | int | None = None


class CustomerFields(Shape, kw_only=True):
    """What a customer says of themselves. `gender` is male, female or unknown in any case."""

    first_name: Name | None = None
    last_name: Name | None = None
    gender: str | None = None
    job_title: Line | None = None
    location: Line | None = None
    organization: Line | None = None
    organization_id: Id | None = None
    photo_type: str | None = None
    photo_url: Text | None = None
    age: Line | None = None
    background: Text | None = None


class NewEmail(Shape, kw_only=True):
    """An e-mail address to add."""

    type: EmailType | None = None
    value: Email


class NewPhone(Shape, kw_only=True):
    """A phone number to add."""

    type: PhoneType | None = None
    value: EntryText


class NewChat(Shape, kw_only=True):
    """A chat handle to add."""

    type: ChatType | None = None
    value: EntryText


class NewSocialProfile(Shape, kw_only=True):
    """A social profile to add."""

    type: SocialType | None = None
    value: EntryText


class NewWebsite(Shape, kw_only=True):
    """A website to add."""

    value: EntryText


class NewAddress(Shape, kw_only=True):
    """A postal address to set; `country` has two letters."""

    city: Text | None = None
    state: Text | None = None
    postal_code: Text | None = None
    country: Annotated[str, Meta(max_length=2)] | None = None
    lines: Annotated[list[Text], Meta(max_length=10)] | None = None


class GivenProperty(Shape, kw_only=True):
    """A property's value; a dropdown takes an option's id or label."""

    slug: Annotated[str, Meta(min_length=1, max_length=SLUG_MOST)]
    value: str | int | None = None


class NewCustomer(CustomerFields, kw_only=True):
    """A customer to create; `phone` is a first phone beside `phones`."""

    phone: Annotated[str, Meta(max_length=ENTRY_MOST)] | None = None
    emails: Annotated[list[NewEmail], Meta(max_length=ENTRIES_MOST)] | None = None
    phones: Annotated[list[NewPhone], Meta(max_length=ENTRIES_MOST)] | None = None
    chats: Annotated[list[NewChat], Meta(max_length=ENTRIES_MOST)] | None = None
    social_profiles: Annotated[list[NewSocialProfile], Meta(max_length=ENTRIES_MOST)] | None = None
    websites: Annotated[list[NewWebsite], Meta(max_length=ENTRIES_MOST)] | None = None
    address: NewAddress | None = None
    properties: Annotated[list[GivenProperty], Meta(max_length=PROPERTIES_MOST)] | None = None


class OverwrittenCustomer(CustomerFields, kw_only=True):
    """All that a customer says of themselves: what is missing is removed. Entries stay; `phone` is added to them."""

    phone: Annotated[str, Meta(max_length=ENTRY_MOST)] | None = None


class CustomerChange(Shape, kw_only=True):
    """One step of a JSON Patch, such as replacing `/firstName` or adding to `/emails`."""

    op: Literal["add", "remove", "replace"]
    path: str
    value: Any = None


class ListCustomers(Shape, kw_only=True):
    """Which customers to list, and in which order."""

    page: PageNumber = 1
    mailbox: Id | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: Email | None = None
    modified_since: WireTime | None = None
    query: str | None = None
    sort_field: Literal["createdAt", "firstName", "lastName", "modifiedAt", "score"] = "createdAt"
    sort_order: Literal["asc", "desc"] = "desc"


class WalkCustomers(Shape, kw_only=True):
    """Which customers to walk through; `cursor` comes from the link to the next ones. Times are exclusive."""

    cursor: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: Email | None = None
    created_since: WireTime | None = None
    modified_since: WireTime | None = None
    query: str | None = None


class DeleteCustomer(Shape, kw_only=True):
    """How to erase a customer: at once, or in the background."""

    in_background: bool = field(name="async", default=False)


# -- What calls need

_ENTRIES = {
    "emails": "email",
    "phones": "phone",
    "chats": "chat",
    "socialprofiles": "social_profile",
    "websites": "website",
}
"""The kinds of entry by the letters of their part of a path."""


def _listed(asked: Asked) -> tuple[Need, ...]:
    query: ListCustomers = asked.query
    return tuple(need(asked, place) for place in places(None if query.mailbox is None else (query.mailbox,)))


def _created(asked: Asked) -> tuple[Need, ...]:
    """Who has no conversation yet is in no inbox; values of properties as if they were set afterwards."""
    new: NewCustomer = asked.body
    return every_inbox(asked) + ((_written("update_customer_properties", Extent.EVERY),) if new.properties else ())


def _overwritten(asked: Asked) -> tuple[Need, ...]:
    """A phone is added to those there are."""
    new: OverwrittenCustomer = asked.body
    (change,) = by_customer(asked)
    return (change, _written("add_customer_phone", change.place)) if new.phone else (change,)


def _changed(asked: Asked) -> tuple[Need, ...]:
    """Entries are added, changed and removed as by their own calls: a step that removes one deletes."""
    steps: list[CustomerChange] = asked.body
    (change,) = by_customer(asked)
    needs = [change]
    for step in steps:
        needs += _of_step(step, change.place)
    return distinct(needs)


def _of_step(step: CustomerChange, customer: Place) -> tuple[Need, ...]:
    head, _, rest = step.path.strip("/").partition("/")
    what = letters(head)
    if what == "properties":
        return (_written("update_customer_properties", customer),)
    if what == "address":
        if step.op == "remove" and not rest:
            return (_deleted("delete_customer_address", customer),)
        return (_written("update_customer_address", customer),)
    kind = _ENTRIES.get(what)
    if kind is None:
        return ()
    removed, added = _deleted(f"delete_customer_{kind}", customer), _written(f"add_customer_{kind}", customer)
    match step.op:
        case "add":
            return (added,)
        case "remove":
            return (removed,)
        case "replace" if rest:
            return (_written(f"update_customer_{kind}", customer),)
    return removed, added  # a list in place of all entries


def _written(operation: str, customer: Place) -> Need:
    return Need(Resource.CUSTOMERS, Action.WRITE, customer, operation)


def _deleted(operation: str, customer: Place) -> Need:
    return Need(Resource.CUSTOMERS, Action.DELETE, customer, operation)


def _erased(asked: Asked) -> tuple[Need, ...]:
    """All of their conversations go too, whichever inbox they lie in."""
    everywhere = Of("customer", asked.path[0], every=True)
    return (
        need(asked, everywhere),
        Need(Resource.CONVERSATIONS, Action.DELETE, everywhere, "delete_conversation"),
    )


# -- The operations

PATH = "/v2/customers/{customer_id}"
IN_USE = (409, "the e-mail address belongs to a customer already")
LOCKED = (423, f"the customer has {LOCKED_AT} conversations or more")

list_customers = Operation(
    name="list_customers", method="GET", path="/v2/customers",
    resource=Resource.CUSTOMERS, action=Action.READ, needs=_listed, query=ListCustomers,
    returns=ListOf("customers", Customer, PAGE_SIZE),
    phrase="list customers",
    summary="List customers by name, e-mail address, inbox or time of change, or by a search query.",
    source=HS + "customers/list",
)  # fmt: skip

list_customers_v3 = Operation(
    name="list_customers_v3", method="GET", path="/v3/customers",
    resource=Resource.CUSTOMERS, action=Action.READ, needs=every_inbox, query=WalkCustomers,
    returns=WalkOf("customers", Customer, PAGE_SIZE),
    phrase="list customers",
    summary="Walk through customers, newest first, by following the links to the next ones.",
    source=HS + "customers/list-v3", since="2025-10-27",
)  # fmt: skip

create_customer = Operation(
    name="create_customer", method="POST", path="/v2/customers",
    resource=Resource.CUSTOMERS, action=Action.WRITE, needs=_created, body=NewCustomer, returns=Created(),
    phrase="create a customer",
    summary="Create a customer with e-mail addresses, phones and other ways to reach them.",
    source=HS + "customers/create", errors=(IN_USE,), emits=(events.CUSTOMER_CREATED,),
)  # fmt: skip

get_customer = Operation(
    name="get_customer", method="GET", path=PATH,
    resource=Resource.CUSTOMERS, action=Action.READ, needs=by_customer, returns=One(Customer),
    phrase="read customer {customer_id}",
    summary="One customer with all ways to reach them.",
    source=HS + "customers/get",
)  # fmt: skip

overwrite_customer = Operation(
    name="overwrite_customer", method="PUT", path=PATH,
    resource=Resource.CUSTOMERS, action=Action.WRITE, needs=_overwritten, body=OverwrittenCustomer, returns=NoContent(),
    phrase="overwrite customer {customer_id}",
    summary="Replace what is known about a customer: fields left out are emptied, e-mail addresses and phones stay.",
    source=HS + "customers/overwrite", errors=(LOCKED,), emits=(events.CUSTOMER_UPDATED,),
)  # fmt: skip

update_customer = Operation(
    name="update_customer", method="PATCH", path=PATH,
    resource=Resource.CUSTOMERS, action=Action.WRITE, needs=_changed, body=list[CustomerChange], returns=NoContent(),
    phrase="change customer {customer_id}",
    summary="Change parts of a customer by JSON Patch; either all steps happen or none.",
    source=HS + "customers/update", errors=(IN_USE, LOCKED), emits=(events.CUSTOMER_UPDATED,),
)  # fmt: skip
delete_customer = Operation(
    name="delete_customer", method="DELETE", path=PATH,
    resource=Resource.CUSTOMERS, action=Action.DELETE, needs=_erased, query=DeleteCustomer, returns=NoContent(),
    phrase="delete customer {customer_id} with all their conversations",
    summary="Erase a customer with their ratings and conversations: at once, or with async=true in the background.",
    source=HS + "customers/delete",
    errors=(
        (202, "with async=true: the customer will be erased in the background"),
        (403, f"the customer has more than {ERASED_AT_ONCE_MOST} conversations, or one that the caller may not see"),
    ),
    emits=(events.CUSTOMER_DELETED, events.CONVERSATION_DELETED),
)  # fmt: skip

OPERATIONS = (
    list_customers, list_customers_v3, create_customer, get_customer, overwrite_customer, update_customer,
    delete_customer,
)  # fmt: skip
