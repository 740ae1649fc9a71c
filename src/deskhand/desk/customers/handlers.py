"""Customers: list, get, create, overwrite, change, and lists of the ways to reach them."""

from __future__ import annotations

from deskhand.catalogue import customers as operations
from deskhand.catalogue.customers import (
    Customer,
    CustomerChange,
    LinkedAddress,
    LinkedEntry,
    LinkedWebsite,
    ListCustomers,
    NewCustomer,
    OverwrittenCustomer,
    SocialProfiles,
)
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import NotFound
from deskhand.desk import access
from deskhand.desk.call import All, Call, Created, Page, implements
from deskhand.desk.customers import changing, finding, queries, represent, searching, verbs
from deskhand.desk.customers.given import COLLECTIONS
from deskhand.desk.customers.queries import CustomerRow, EntryRow
from deskhand.lib.clock import from_wire

_DEEP = 20
"""Pages after this one take long enough to hold up others."""


def _slow(query: ListCustomers) -> bool:
    return query.query is not None or query.mailbox is not None or query.page > _DEEP


@implements(operations.list_customers, slow=_slow)
def list_customers(call: Call[ListCustomers, NoBody]) -> Page[Customer]:
    query = call.query
    if query.mailbox is not None:
        access.require_inbox(call.actor, query.mailbox)
    wanted = finding.Wanted(
        call.actor.account_id,
        first_name=query.first_name,
        last_name=query.last_name,
        modified_since=query.modified_since,
        email=query.email,
        inbox_id=query.mailbox,
        search=None if query.query is None else searching.condition(query.query, from_wire(call.now)),
        sort=query.sort_field,
        descending=query.sort_order == "desc",
        page=query.page,
    )
    found, total = finding.find(call.tx, wanted)
    entries = queries.entries(call.tx, call.actor.account_id, [row.id for row in found])
    shown = [represent.customer(row, entries[row.id], call.base) for row in found]
    return Page(shown, query.page, operations.PAGE_SIZE, total)


@implements(operations.create_customer)
def create_customer(call: Call[NoQuery, NewCustomer]) -> Created:
    customer_id = verbs.create(call.tx, call.actor, call.body, call.now)
    return Created(customer_id, f"/v2/customers/{customer_id}")


@implements(operations.get_customer)
def get_customer(call: Call[NoQuery, NoBody]) -> Customer:
    row = _row(call)
    entries = queries.entries(call.tx, call.actor.account_id, [row.id])
    return represent.customer(row, entries[row.id], call.base)


@implements(operations.overwrite_customer)
def overwrite_customer(call: Call[NoQuery, OverwrittenCustomer]) -> None:
    verbs.overwrite(call.tx, call.actor, call.path[0], call.body, call.now)


@implements(operations.update_customer)
def update_customer(call: Call[NoQuery, list[CustomerChange]]) -> None:
    changing.change(call.tx, call.actor, call.path[0], call.body, call.now)


@implements(operations.list_customer_emails)
def list_customer_emails(call: Call[NoQuery, NoBody]) -> All[LinkedEntry]:
    return _linked_entries(call, "emails")


@implements(operations.list_customer_phones)
def list_customer_phones(call: Call[NoQuery, NoBody]) -> All[LinkedEntry]:
    return _linked_entries(call, "phones")


@implements(operations.list_customer_chats)
def list_customer_chats(call: Call[NoQuery, NoBody]) -> All[LinkedEntry]:
    return _linked_entries(call, "chats")


@implements(operations.list_customer_social_profiles)
def list_customer_social_profiles(call: Call[NoQuery, NoBody]) -> SocialProfiles:
    return represent.social_profiles(call.path[0], _entries(call, "social-profiles"), call.base)


@implements(operations.list_customer_websites)
def list_customer_websites(call: Call[NoQuery, NoBody]) -> All[LinkedWebsite]:
    return All([represent.linked_website(row, call.base) for row in _entries(call, "websites")])


@implements(operations.get_customer_email)
def get_customer_email(call: Call[NoQuery, NoBody]) -> LinkedEntry:
    return represent.linked_entry(_entry(call, "emails"), "emails", call.base)


@implements(operations.get_customer_phone)
def get_customer_phone(call: Call[NoQuery, NoBody]) -> LinkedEntry:
    return represent.linked_entry(_entry(call, "phones"), "phones", call.base)


@implements(operations.get_customer_chat)
def get_customer_chat(call: Call[NoQuery, NoBody]) -> LinkedEntry:
    return represent.linked_entry(_entry(call, "chats"), "chats", call.base)


@implements(operations.get_customer_social_profile)
def get_customer_social_profile(call: Call[NoQuery, NoBody]) -> LinkedEntry:
    return represent.linked_entry(_entry(call, "social-profiles"), "social-profiles", call.base)


@implements(operations.get_customer_website)
def get_customer_website(call: Call[NoQuery, NoBody]) -> LinkedWebsite:
    return represent.linked_website(_entry(call, "websites"), call.base)


@implements(operations.get_customer_address)
def get_customer_address(call: Call[NoQuery, NoBody]) -> LinkedAddress:
    row = _row(call)
    if row.address is None:
        raise NotFound
    return represent.address(row.id, row.address, call.base)


def _linked_entries(call: Call[NoQuery, NoBody], collection: str) -> All[LinkedEntry]:
    return All([represent.linked_entry(row, collection, call.base) for row in _entries(call, collection)])


def _entry(call: Call[NoQuery, NoBody], collection: str) -> EntryRow:
    found = next((entry for entry in _entries(call, collection) if entry.id == call.path[1]), None)
    if found is None:
        raise NotFound
    return found


def _entries(call: Call[NoQuery, NoBody], collection: str) -> list[EntryRow]:
    row = _row(call)
    found = queries.entries(call.tx, call.actor.account_id, [row.id])[row.id]
    return [entry for entry in found if entry.kind == COLLECTIONS[collection]]


def _row(call: Call[NoQuery, NoBody]) -> CustomerRow:
    row = queries.by_id(call.tx, call.actor.account_id, call.path[0])
    if row is None:
        raise NotFound
    return row
