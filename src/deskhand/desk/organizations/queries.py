"""Reading organizations and their domains."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, texts_in, unindexed
from deskhand.db.statements import P, columns, rows, value
from deskhand.desk.organizations.tables import organization, organization_domain


class OrganizationRow(msgspec.Struct, frozen=True):
    """An organization as stored; `phones` is JSON in its wire form."""

    id: int
    name: str
    website: str | None
    description: str | None
    location: str | None
    logo_url: str | None
    note: str | None
    phones: str
    brand_color: str | None
    created_at: str
    updated_at: str


class DomainRow(msgspec.Struct, frozen=True):
    """A domain and whose it is."""

    organization_id: int
    domain: str


ROW = columns(organization, *OrganizationRow.__struct_fields__)
_BY_ID = sa.select(*ROW).where(organization.c.account_id == P("account_id"), organization.c.id == P("id"))
_FOUND = rows(OrganizationRow, _BY_ID)
_LOCKED = rows(OrganizationRow, _BY_ID.with_for_update())
_KEPT = value(
    int,
    sa.select(organization.c.id)
    .where(organization.c.account_id == P("account_id"), organization.c.id == P("id"))
    .with_for_update(read=True, key_share=True),
)
_DOMAIN = columns(organization_domain, *DomainRow.__struct_fields__)
_DOMAINS_OF = rows(
    DomainRow,
    sa.select(*_DOMAIN)
    .where(
        unindexed(organization_domain.c.account_id) == P("account_id"),
        ids_in(organization_domain.c.organization_id, P("ids", sa.Text)),
    )
    .order_by(organization_domain.c.organization_id, organization_domain.c.position),
)
_WITH_DOMAINS = rows(
    DomainRow,
    sa.select(*_DOMAIN).where(
        organization_domain.c.account_id == P("account_id"),
        texts_in(organization_domain.c.domain, P("domains", sa.Text)),
    ),
)


def by_id(db: Reader, account_id: int, id: int) -> OrganizationRow | None:
    """An organization, or None."""
    return db.one(_FOUND, account_id=account_id, id=id)


def by_id_to_change(db: Reader, account_id: int, id: int) -> OrganizationRow | None:
    """An organization that no other transaction changes until this one ends."""
    return db.one(_LOCKED, account_id=account_id, id=id)


def stays(db: Reader, account_id: int, id: int) -> bool:
    """Whether there is such an organization; if so, it is not deleted before this transaction ends."""
    return db.one(_KEPT, account_id=account_id, id=id) is not None


def domains_of(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, list[str]]:
    """The domains of organizations in the order given; one statement for all."""
    found: dict[int, list[str]] = {id: [] for id in ids}
    if found:
        for row in db.all(_DOMAINS_OF, account_id=account_id, ids=_json(list(found))):
            found[row.organization_id].append(row.domain)
    return found


def with_domains(db: Reader, account_id: int, domains: Iterable[str]) -> dict[str, int]:
    """Whose each of these domains is; those that are nobody's are left out."""
    wanted = sorted(set(domains))
    if not wanted:
        return {}
    return {
        row.domain: row.organization_id for row in db.all(_WITH_DOMAINS, account_id=account_id, domains=_json(wanted))
    }


def of_addresses(tx: Writer, account_id: int, addresses: Iterable[str]) -> int | None:
    """The organization that somebody with these e-mail addresses comes to: the first whose domain is known.

    It is not deleted before this transaction ends.
    """
    domains = [address.rpartition("@")[2].lower() for address in addresses]
    owners = with_domains(tx, account_id, domains)
    found = next((owners[domain] for domain in domains if domain in owners), None)
    return found if found is not None and stays(tx, account_id, found) else None


def _json(wanted: list[int] | list[str]) -> str:
    return msgspec.json.encode(wanted).decode()
