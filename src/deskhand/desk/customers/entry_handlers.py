"""The ways to reach a customer, as the API's operations."""

from __future__ import annotations

from typing import Any

from deskhand.catalogue import customer_entries as operations
from deskhand.catalogue.customers import (
    LinkedAddress,
    LinkedEntry,
    LinkedWebsite,
    NewAddress,
    NewChat,
    NewEmail,
    NewPhone,
    NewSocialProfile,
    NewWebsite,
    SocialProfiles,
)
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import NotFound
from deskhand.desk.call import All, Call, Created, implements
from deskhand.desk.customers import queries, reaching, represent
from deskhand.desk.customers.given import COLLECTIONS
from deskhand.desk.customers.queries import CustomerRow, EntryRow


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


@implements(operations.add_customer_email)
def add_customer_email(call: Call[NoQuery, NewEmail]) -> Created:
    return _add(call, "emails")


@implements(operations.add_customer_phone)
def add_customer_phone(call: Call[NoQuery, NewPhone]) -> Created:
    return _add(call, "phones")


@implements(operations.add_customer_chat)
def add_customer_chat(call: Call[NoQuery, NewChat]) -> Created:
    return _add(call, "chats")


@implements(operations.add_customer_social_profile)
def add_customer_social_profile(call: Call[NoQuery, NewSocialProfile]) -> Created:
    return _add(call, "social-profiles")


@implements(operations.add_customer_website)
def add_customer_website(call: Call[NoQuery, NewWebsite]) -> Created:
    return _add(call, "websites")


@implements(operations.update_customer_email)
def update_customer_email(call: Call[NoQuery, NewEmail]) -> None:
    _update(call, "emails")


@implements(operations.update_customer_phone)
def update_customer_phone(call: Call[NoQuery, NewPhone]) -> None:
    _update(call, "phones")


@implements(operations.update_customer_chat)
def update_customer_chat(call: Call[NoQuery, NewChat]) -> None:
    _update(call, "chats")


@implements(operations.update_customer_social_profile)
def update_customer_social_profile(call: Call[NoQuery, NewSocialProfile]) -> None:
    _update(call, "social-profiles")


@implements(operations.update_customer_website)
def update_customer_website(call: Call[NoQuery, NewWebsite]) -> None:
    _update(call, "websites")


@implements(operations.delete_customer_email)
def delete_customer_email(call: Call[NoQuery, NoBody]) -> None:
    _delete(call, "emails")


@implements(operations.delete_customer_phone)
def delete_customer_phone(call: Call[NoQuery, NoBody]) -> None:
    _delete(call, "phones")


@implements(operations.delete_customer_chat)
def delete_customer_chat(call: Call[NoQuery, NoBody]) -> None:
    _delete(call, "chats")


@implements(operations.delete_customer_social_profile)
def delete_customer_social_profile(call: Call[NoQuery, NoBody]) -> None:
    _delete(call, "social-profiles")


@implements(operations.delete_customer_website)
def delete_customer_website(call: Call[NoQuery, NoBody]) -> None:
    _delete(call, "websites")


@implements(operations.get_customer_address)
def get_customer_address(call: Call[NoQuery, NoBody]) -> LinkedAddress:
    row = _row(call)
    if row.address is None:
        raise NotFound
    return represent.address(row.id, row.address, call.base)


@implements(operations.create_customer_address)
def create_customer_address(call: Call[NoQuery, NewAddress]) -> Created:
    reaching.set_address(call.tx, call.actor, call.path[0], call.body, call.now)
    return Created(None, f"/v2/customers/{call.path[0]}/address")


@implements(operations.update_customer_address)
def update_customer_address(call: Call[NoQuery, NewAddress]) -> None:
    reaching.set_address(call.tx, call.actor, call.path[0], call.body, call.now)


@implements(operations.delete_customer_address)
def delete_customer_address(call: Call[NoQuery, NoBody]) -> None:
    reaching.remove_address(call.tx, call.actor, call.path[0], call.now)


def _add(call: Call[NoQuery, Any], collection: str) -> Created:
    customer_id, new = call.path[0], call.body
    kind, type = COLLECTIONS[collection], getattr(new, "type", None)
    id = reaching.add(call.tx, call.actor, customer_id, kind, type, new.value, call.now)
    return Created(id, f"/v2/customers/{customer_id}/{collection}/{id}")


def _update(call: Call[NoQuery, Any], collection: str) -> None:
    (customer_id, id), new = call.path, call.body
    kind, type = COLLECTIONS[collection], getattr(new, "type", None)
    reaching.change(call.tx, call.actor, customer_id, id, kind, type, new.value, call.now)


def _delete(call: Call[NoQuery, NoBody], collection: str) -> None:
    customer_id, id = call.path
    reaching.remove(call.tx, call.actor, customer_id, id, COLLECTIONS[collection], call.now)


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
    row = queries.by_id(call.tx, call.actor.account_id, call.path[0], call.actor.only)
    if row is None:
        raise NotFound
    return row
