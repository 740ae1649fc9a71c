"""Customers in their wire form."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import UNSET

from deskhand.catalogue.customers import (
    Address,
    Customer,
    CustomerEmbedded,
    Entry,
    LinkedAddress,
    LinkedEntry,
    LinkedWebsite,
    Property,
    PropertySource,
    SocialProfiles,
    SocialProfilesEmbedded,
    Website,
)
from deskhand.catalogue.links import Link, Links
from deskhand.catalogue.properties import CustomerProperty, PropertyOption
from deskhand.catalogue.values import stored
from deskhand.desk.customers.given import COLLECTIONS
from deskhand.desk.customers.properties import Definition, ValueRow
from deskhand.desk.customers.queries import CustomerRow, EntryRow


def customer(row: CustomerRow, entries: Iterable[EntryRow], base: str, values: Iterable[ValueRow] = ()) -> Customer:
    """A customer as the API shows them, with all ways to reach them and the `values` of their properties."""
    return Customer(
        id=row.id,
        first_name=row.first_name,
        last_name=row.last_name,
        gender=row.gender or "Unknown",
        job_title=row.job_title,
        location=row.location,
        organization=row.organization,
        organization_id=UNSET if row.organization_id is None else row.organization_id,
        photo_type=row.photo_type or "unknown",
        photo_url=row.photo_url or "",
        age=row.age,
        created_at=row.created_at,
        updated_at=row.updated_at,
        background=row.background,
        draft=False,
        embedded=_embedded(row, entries, values),
        links=_links(row, base),
    )


def linked_entry(row: EntryRow, collection: str, base: str) -> LinkedEntry:
    """An entry in a list of its own; `collection` is the part of the path it lies under."""
    return LinkedEntry(id=row.id, value=row.value, type=row.type or "other", links=_entry_links(row, collection, base))


def linked_website(row: EntryRow, base: str) -> LinkedWebsite:
    """A website in a list of its own."""
    return LinkedWebsite(id=row.id, value=row.value, links=_entry_links(row, "websites", base))


def social_profiles(customer_id: int, rows: Iterable[EntryRow], base: str) -> SocialProfiles:
    """A customer's social profiles, under both names that clients look for."""
    found = [linked_entry(row, "social-profiles", base) for row in rows]
    links = {"self": Link(f"{base}/v2/customers/{customer_id}/social-profiles")}
    return SocialProfiles(SocialProfilesEmbedded(found, found), links)


def address(customer_id: int, json: str, base: str) -> LinkedAddress:
    """A customer's address by itself."""
    parts = msgspec.structs.asdict(msgspec.json.decode(json, type=Address))
    return LinkedAddress(**parts, links={"self": Link(f"{base}/v2/customers/{customer_id}/address")})


def property_definition(row: Definition) -> CustomerProperty:
    """A property as the account defined it."""
    options = row.choices if row.type == "dropdown" else UNSET
    return CustomerProperty(type=row.type, slug=row.slug, name=row.name, options=options)


def _embedded(row: CustomerRow, entries: Iterable[EntryRow], values: Iterable[ValueRow]) -> CustomerEmbedded:
    properties = [_property(value) for value in values]
    embedded = CustomerEmbedded(emails=[], phones=[], chats=[], social_profiles=[], websites=[], properties=properties)
    lists = {
        "email": embedded.emails,
        "phone": embedded.phones,
        "chat": embedded.chats,
        "social_profile": embedded.social_profiles,
    }
    for entry in entries:
        if entry.kind == "website":
            embedded.websites.append(Website(entry.id, entry.value))
        else:
            lists[entry.kind].append(Entry(entry.id, entry.value, entry.type or "other"))
    if row.address is not None:
        embedded.address = stored(Address, row.address)
    return embedded


def _property(row: ValueRow) -> Property:
    text = row.value
    if row.type == "dropdown":
        options = msgspec.json.decode(row.options, type=list[PropertyOption])
        text = next((option.label for option in options if option.id == row.value), row.value)
    source = PropertySource(row.source)
    return Property(type=row.type, slug=row.slug, name=row.name, value=row.value, text=text, source=source)


def _links(row: CustomerRow, base: str) -> Links:
    place = f"{base}/v2/customers/{row.id}"
    links = {"address": Link(f"{place}/address")} if row.address is not None else {}
    for collection in ("chats", "emails", "phones", "social-profiles", "websites"):
        links[collection] = Link(f"{place}/{collection}")
    if row.organization_id is not None:
        links["organization"] = Link(f"{base}/v2/organizations/{row.organization_id}")
    links["self"] = Link(place)
    return links


def _entry_links(row: EntryRow, collection: str, base: str) -> Links:
    assert collection in COLLECTIONS
    return {"self": Link(f"{base}/v2/customers/{row.customer_id}/{collection}/{row.id}")}
