"""Operations on customers and organizations that reach into conversations."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from deskhand.catalogue import customers as customer_operations
from deskhand.catalogue import organizations as organization_operations
from deskhand.catalogue.conversations import Conversation, ConversationEmbedded
from deskhand.catalogue.customers import DeleteCustomer
from deskhand.catalogue.operation import NoBody
from deskhand.catalogue.organizations import (
    PAGE_SIZE,
    GetOrganization,
    ListOfOrganization,
    ListOrganizations,
    Organization,
)
from deskhand.catalogue.problems import NotFound
from deskhand.desk.call import Accepted, Call, Page, implements
from deskhand.desk.conversations import represent
from deskhand.desk.conversations.erasure import erasing
from deskhand.desk.conversations.listing import of_organizations
from deskhand.desk.organizations import properties, queries
from deskhand.desk.organizations import represent as organizations
from deskhand.lib.clock import from_wire

_NO_THREADS = ConversationEmbedded(UNSET)


@implements(customer_operations.delete_customer)
def delete_customer(call: Call[DeleteCustomer, NoBody]) -> Accepted | None:
    if call.query.in_background:
        erasing.erase_later(call.tx, call.actor, call.path[0], call.now)
        return Accepted()
    erasing.erase_customer(call.tx, call.actor, call.path[0], call.now)
    return None


@implements(organization_operations.list_organizations, slow=lambda query: True)
def list_organizations(call: Call[ListOrganizations, NoBody]) -> Page[Organization]:
    sort, page = of_organizations.read_sort(call.query.sort), call.query.page
    found, total = of_organizations.find(call.tx, call.actor, sort, page)
    domains = queries.domains_of(call.tx, call.actor.account_id, [row.id for row in found])
    shown = [organizations.organization(row, domains[row.id], call.base) for row in found]
    return Page(shown, page, PAGE_SIZE, total)


@implements(organization_operations.get_organization, slow=lambda query: query.include_counts)
def get_organization(call: Call[GetOrganization, NoBody]) -> Organization:
    account_id, id = call.actor.account_id, call.path[0]
    row = queries.by_id(call.tx, account_id, id)
    if row is None:
        raise NotFound
    return organizations.organization(
        row,
        queries.domains_of(call.tx, account_id, [id])[id],
        call.base,
        counts=of_organizations.counts(call.tx, call.actor, id) if call.query.include_counts else None,
        values=properties.values(call.tx, account_id, [id])[id] if call.query.include_properties else None,
    )


@implements(organization_operations.list_organization_conversations, slow=lambda query: True)
def list_organization_conversations(call: Call[ListOfOrganization, NoBody]) -> Page[Conversation]:
    page = call.query.page
    if queries.by_id(call.tx, call.actor.account_id, call.path[0]) is None:
        raise NotFound
    found, total = of_organizations.conversations(call.tx, call.actor, call.path[0], page)
    now = from_wire(call.now)
    shown = (represent.conversation(row, call.base, now, hide=call.actor.hide) for row in found)
    return Page([msgspec.structs.replace(one, embedded=_NO_THREADS) for one in shown], page, PAGE_SIZE, total)
