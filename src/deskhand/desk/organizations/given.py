"""From what clients give to what is stored of an organization: the checks that shapes can't express."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from deskhand.catalogue.organizations import DOMAINS_MOST, NewOrganization, OrganizationFields
from deskhand.catalogue.problems import BadRequest, empty, invalid
from deskhand.desk.organizations.kinds import is_host

_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an organization besides its domains; `phones` is JSON in its wire form."""

    name: str
    website: str | None
    description: str | None
    location: str | None
    note: str | None
    phones: str
    brand_color: str | None


def profile(given: OrganizationFields) -> Profile:
    """The fields of a create or overwrite; raises BadRequest."""
    if not given.name.strip():
        raise BadRequest(empty("name"))
    phones = [str(phone) for phone in given.phones or () if phone]
    return Profile(
        name=given.name,
        website=given.website or None,
        description=given.description or None,
        location=_location(given.location),
        note=given.note or None,
        phones=msgspec.json.encode(phones).decode(),
        brand_color=_brand_color(given.brand_color),
    )


def domains(given: OrganizationFields) -> list[str]:
    """The domains in lower case, repeated ones once; raises BadRequest."""
    first = given.domain if isinstance(given, NewOrganization) else None
    found = [_domain(first, "domain")] if first else []
    found += _listed(given.domains or ())
    unique = list(dict.fromkeys(found))
    if len(unique) > DOMAINS_MOST:
        raise invalid("domains", f"must have at most {DOMAINS_MOST} elements or characters", "Size")
    return unique


def _listed(given: Sequence[str]) -> list[str]:
    return [_domain(domain, f"domains[{position}]") for position, domain in enumerate(given)]


def _domain(given: str, path: str) -> str:
    domain = given.strip().removeprefix("@").lower()
    if not is_host(domain):
        raise invalid(path, "must be a domain such as northwind.example", "Domain", given)
    return domain


def _location(given: str | None) -> str | None:
    if not given:
        return None
    if len(given) != 2 or not (given.isascii() and given.isalpha()):
        raise invalid("location", "must be a country code of two letters", "Size", given)
    return given.upper()


def _brand_color(given: str | None) -> str | None:
    if not given:
        return None
    if not _COLOR.fullmatch(given):
        raise invalid("brandColor", "must be of the form #RRGGBB", "Pattern", given)
    return given
