"""Who belongs to organizations: what their operations do to customers, and the link by e-mail address.

A customer without an organization comes to the one that has the domain of an address of theirs: when they are new or
get an address (verbs.py), and when an organization gets a domain (the job here).
"""

from __future__ import annotations

from functools import partial

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import organizations as operations
from deskhand.catalogue.customers import Customer
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.organizations import ListOfOrganization, NewOrganization, OverwrittenOrganization
from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import P, command, value
from deskhand.desk.call import Call, Created, Page, implements
from deskhand.desk.customers import finding, reading
from deskhand.desk.customers.tables import customer, customer_entry
from deskhand.desk.organizations import queries, verbs
from deskhand.desk.organizations.tables import organization_domain
from deskhand.lib.clock import Clock, to_wire
from deskhand.outbox import jobs
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier

LINK_CUSTOMERS = "link_customers"
"""The kind of jobs that link customers to an organization which got a domain."""
BATCH = 500
"""Customers linked in one transaction; on SQLite others wait meanwhile."""

_SLOW_PAGE = 20
_ANY: sa.ColumnElement[str] = sa.literal_column("'%@'")
_ADDRESS_FITS = (
    sa.exists()
    .where(
        organization_domain.c.account_id == P("account_id"),
        organization_domain.c.organization_id == P("organization_id"),
        # No domain has a character that LIKE would take for another: see organizations/given.py.
        customer_entry.c.folded.like(_ANY.concat(organization_domain.c.domain)),
    )
    .correlate(customer_entry)
)
_TO_LINK = value(
    int,
    sa.select(customer.c.id)
    .join(customer_entry, customer_entry.c.customer_id == customer.c.id)
    .where(
        customer_entry.c.account_id == P("account_id"),
        customer_entry.c.kind == sa.literal_column("'email'"),
        customer.c.account_id == P("account_id"),
        customer.c.organization_id.is_(None),
        _ADDRESS_FITS,
    )
    .distinct()
    .order_by(customer.c.id),
)
_LINK = command(
    sa.update(customer)
    .where(
        unindexed(customer.c.account_id) == P("account_id"),
        ids_in(customer.c.id, P("ids", sa.Text)),
        customer.c.organization_id.is_(None),
    )
    .values(organization_id=P("organization_id"), updated_at=P("now"))
)
_UNLINK = command(
    sa.update(customer)
    .where(customer.c.account_id == P("account_id"), customer.c.organization_id == P("organization_id"))
    .values(organization_id=sa.null(), updated_at=P("now"))
)


@implements(operations.create_organization)
def create_organization(call: Call[NoQuery, NewOrganization]) -> Created:
    id = verbs.create(call.tx, call.actor, call.body, call.now)
    if call.body.domain or call.body.domains:
        _link_later(call.tx, call.actor.account_id, id, call.now)
    return Created(id, f"/v2/organizations/{id}?includeCounts=false&includeProperties=false")


@implements(operations.update_organization)
def update_organization(call: Call[NoQuery, OverwrittenOrganization]) -> None:
    if verbs.overwrite(call.tx, call.actor, call.path[0], call.body, call.now):
        _link_later(call.tx, call.actor.account_id, call.path[0], call.now)


@implements(operations.delete_organization)
def delete_organization(call: Call[NoQuery, NoBody]) -> None:
    account_id, id = call.actor.account_id, call.path[0]
    verbs.delete(call.tx, call.actor, id, call.now)
    call.tx.run(_UNLINK, account_id=account_id, organization_id=id, now=call.now)


@implements(operations.list_organization_customers, slow=lambda query: query.page > _SLOW_PAGE, slow_narrowed=True)
def list_organization_customers(call: Call[ListOfOrganization, NoBody]) -> Page[Customer]:
    account_id, page = call.actor.account_id, call.query.page
    if queries.by_id(call.tx, account_id, call.path[0]) is None:
        raise NotFound
    inboxes = None if call.actor.only is None else call.actor.inboxes
    wanted = finding.Wanted(account_id, organization_id=call.path[0], inboxes=inboxes, page=page)
    found, total = finding.find(call.tx, wanted)
    return Page(reading.whole(call.tx, account_id, found, call.base), page, operations.PAGE_SIZE, total)


def linking(database: Database, clock: Clock) -> Carrier:
    """Carries out the jobs; who is linked already is not linked again, so a second time is harmless."""

    async def carry(work: Work) -> None:
        organization_id = msgspec.json.decode(work.payload, type=int)
        found = await database.read(partial(_to_link, work.account_id, organization_id), "slow")
        for start in range(0, len(found), BATCH):
            ids = msgspec.json.encode(found[start : start + BATCH]).decode()
            await database.write(partial(_link, work.account_id, organization_id, ids, to_wire(clock.now())))

    return carry


def _link_later(tx: Writer, account_id: int, id: int, now: str) -> None:
    jobs.add(tx, account_id=account_id, kind=LINK_CUSTOMERS, target=f"organization:{id}", payload=id, now=now)


def _to_link(account_id: int, organization_id: int, db: Reader) -> list[int]:
    return db.all(_TO_LINK, account_id=account_id, organization_id=organization_id)


def _link(account_id: int, organization_id: int, ids: str, now: str, tx: Writer) -> None:
    if queries.stays(tx, account_id, organization_id):
        tx.run(_LINK, account_id=account_id, organization_id=organization_id, ids=ids, now=now)
