"""Customers and their properties, as the API's operations."""

from __future__ import annotations

from deskhand.catalogue import customers as operations
from deskhand.catalogue import properties as property_operations
from deskhand.catalogue.customers import (
    Customer,
    CustomerChange,
    ListCustomers,
    NewCustomer,
    OverwrittenCustomer,
    WalkCustomers,
)
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.properties import CustomerProperty, NewCustomerProperty, PropertyChange
from deskhand.desk import access
from deskhand.desk.call import Actor, All, Call, Created, Page, Walked, implements
from deskhand.desk.customers import changing, cursors, finding, properties, reading, represent, searching, verbs
from deskhand.lib.clock import from_wire

_DEEP = 20
"""Pages after this one take long enough to hold up others."""


def _slow(query: ListCustomers) -> bool:
    return query.query is not None or query.mailbox is not None or query.page > _DEEP


@implements(operations.list_customers, slow=_slow, slow_narrowed=True)
def list_customers(call: Call[ListCustomers, NoBody]) -> Page[Customer]:
    query = call.query
    if query.mailbox is not None and access.may_know(call.actor, query.mailbox):
        access.require_inbox(call.actor, query.mailbox)
    wanted = finding.Wanted(
        call.actor.account_id,
        first_name=query.first_name,
        last_name=query.last_name,
        modified_since=query.modified_since,
        email=query.email,
        inboxes=_inboxes(call.actor, query.mailbox),
        search=None if query.query is None else searching.condition(query.query, from_wire(call.now)),
        sort=query.sort_field,
        descending=query.sort_order == "desc",
        page=query.page,
    )
    found, total = finding.find(call.tx, wanted)
    shown = reading.whole(call.tx, call.actor.account_id, found, call.base)
    return Page(shown, query.page, operations.PAGE_SIZE, total)


def _inboxes(actor: Actor, asked: int | None) -> tuple[int, ...] | None:
    """The inboxes whose customers are listed; None: those of all, and those who never wrote."""
    if asked is None:
        return None if actor.only is None else actor.inboxes
    return (asked,) if access.may_know(actor, asked) else ()


@implements(operations.list_customers_v3, slow=lambda query: query.query is not None, slow_narrowed=True)
def list_customers_v3(call: Call[WalkCustomers, NoBody]) -> Walked[Customer]:
    query = call.query
    wanted = finding.Wanted(
        call.actor.account_id,
        first_name=query.first_name,
        last_name=query.last_name,
        created_since=query.created_since,
        modified_since=query.modified_since,
        email=query.email,
        inboxes=_inboxes(call.actor, None),
        search=None if query.query is None else searching.condition(query.query, from_wire(call.now)),
    )
    after = None if query.cursor is None else cursors.read(query.cursor)
    found, next = finding.walk(call.tx, wanted, after)
    shown = reading.whole(call.tx, call.actor.account_id, found, call.base)
    return Walked(shown, None if next is None else cursors.write(next))


@implements(operations.create_customer)
def create_customer(call: Call[NoQuery, NewCustomer]) -> Created:
    customer_id = verbs.create(call.tx, call.actor, call.body, call.now)
    return Created(customer_id, f"/v2/customers/{customer_id}")


@implements(operations.get_customer)
def get_customer(call: Call[NoQuery, NoBody]) -> Customer:
    found = reading.by_id(call.tx, call.actor, call.path[0], call.base)
    if found is None:
        raise NotFound
    return found


@implements(operations.overwrite_customer)
def overwrite_customer(call: Call[NoQuery, OverwrittenCustomer]) -> None:
    verbs.overwrite(call.tx, call.actor, call.path[0], call.body, call.now)


@implements(operations.update_customer)
def update_customer(call: Call[NoQuery, list[CustomerChange]]) -> None:
    changing.change(call.tx, call.actor, call.path[0], call.body, call.now)


@implements(property_operations.list_customer_properties)
def list_customer_properties(call: Call[NoQuery, NoBody]) -> All[CustomerProperty]:
    defined = properties.all_defined(call.tx, call.actor.account_id)
    return All([represent.property_definition(row) for row in defined])


@implements(property_operations.create_customer_property)
def create_customer_property(call: Call[NoQuery, NewCustomerProperty]) -> Created:
    properties.define(call.tx, call.actor, call.body)
    return Created(None, f"/v2/customer-properties/{call.body.slug}")


@implements(property_operations.delete_customer_property)
def delete_customer_property(call: Call[NoQuery, NoBody]) -> None:
    properties.delete(call.tx, call.actor, call.slug)


@implements(property_operations.update_customer_properties)
def update_customer_properties(call: Call[NoQuery, list[PropertyChange]]) -> None:
    changing.change_properties(call.tx, call.actor, call.path[0], call.body, call.now)
