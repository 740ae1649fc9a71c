"""Organizations and their properties in their wire form."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import UNSET

from deskhand.catalogue.links import Link
from deskhand.catalogue.organizations import Organization, OrganizationOption, OrganizationProperty, OrganizationValue
from deskhand.catalogue.values import stored
from deskhand.desk.organizations.properties import Definition, ValueRow
from deskhand.desk.organizations.queries import OrganizationRow

# Named here because writing `list[str]` in a call makes a new object each time.
_TEXTS, _OPTIONS = list[str], list[OrganizationOption]


def organization(
    row: OrganizationRow,
    domains: list[str],
    base: str,
    *,
    counts: tuple[int, int] | None = None,
    values: Iterable[ValueRow] | None = None,
) -> Organization:
    """An organization as the API shows it; with how many customers and conversations, and with its properties."""
    customers, conversations = (UNSET, UNSET) if counts is None else counts
    return Organization(
        id=row.id,
        name=row.name,
        website=row.website,
        description=row.description,
        location=row.location,
        logo_url=row.logo_url,
        note=row.note,
        domains=domains,
        phones=stored(_TEXTS, row.phones),
        brand_color=row.brand_color,
        customer_count=customers,
        conversation_count=conversations,
        properties=UNSET if values is None else [_value(value) for value in values],
        created_at=row.created_at,
        updated_at=row.updated_at,
        links={"self": Link(f"{base}/v2/organizations/{row.id}")},
    )


def definition(row: Definition, base: str) -> OrganizationProperty:
    """A property as the account defined it."""
    return OrganizationProperty(
        id=row.id,
        type=row.type,
        slug=row.slug,
        name=row.name,
        options=_options(row.type, row.options),
        links={"self": Link(f"{base}/v2/organizations/properties/{row.slug}")},
    )


def _value(row: ValueRow) -> OrganizationValue:
    return OrganizationValue(
        definition_id=row.property_id,
        slug=row.slug,
        name=row.name,
        type=row.type,
        value=row.value,
        options=_options(row.type, row.options),
    )


def _options(type: str, json: str) -> list[OrganizationOption] | msgspec.UnsetType:
    return stored(_OPTIONS, json) if type == "dropdown" else UNSET
