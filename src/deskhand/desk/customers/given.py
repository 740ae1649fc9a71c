"""From what clients give to what is stored: the checks that shapes can't express."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from deskhand.catalogue.customers import (
    GENDERS,
    PHOTO_TYPES,
    TEXT_MOST,
    CustomerFields,
    CustomerReference,
    NewAddress,
    NewCustomer,
)
from deskhand.catalogue.problems import invalid


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a customer besides the ways to reach them; `address` is JSON in its wire form."""

    first_name: str | None = None
    last_name: str | None = None
    gender: str | None = None
    job_title: str | None = None
    location: str | None = None
    organization: str | None = None
    organization_id: int | None = None
    photo_type: str | None = None
    photo_url: str | None = None
    age: str | None = None
    background: str | None = None
    address: str | None = None


class GivenEntry(NamedTuple):
    """A way to reach a customer that is to be added."""

    kind: str
    type: str | None
    value: str


COLLECTIONS = {
    "emails": "email",
    "phones": "phone",
    "chats": "chat",
    "social-profiles": "social_profile",
    "websites": "website",
}
"""The kinds of entry by the part of the path under which the API has them."""

USUAL_TYPES = {"email": "work", "phone": "work", "chat": "other", "social_profile": "other", "website": None}
"""The type of an entry that is given without one."""


def profile(given: CustomerFields, address: str | None = None) -> Profile:
    """The flat fields of a create or overwrite; raises BadRequest for a gender or photo type that there is not."""
    return Profile(
        first_name=given.first_name,
        last_name=given.last_name,
        gender=gender(given.gender),
        job_title=given.job_title,
        location=given.location,
        organization=given.organization,
        organization_id=given.organization_id,
        photo_type=photo_type(given.photo_type),
        photo_url=given.photo_url,
        age=given.age,
        background=given.background,
        address=address,
    )


def entries(given: NewCustomer) -> list[GivenEntry]:
    """The ways to reach a new customer, in the order given; repeated ones once."""
    return list(dict.fromkeys(_entries(given)))


def _entries(given: NewCustomer) -> Iterator[GivenEntry]:
    seen = set()
    for email in given.emails or ():
        if email.value.lower() not in seen:
            seen.add(email.value.lower())
            yield entry("email", email.type, email.value)
    if given.phone:
        yield entry("phone", None, given.phone)
    for phone in given.phones or ():
        yield entry("phone", phone.type, phone.value)
    for chat in given.chats or ():
        yield entry("chat", chat.type, chat.value)
    for social in given.social_profiles or ():
        yield entry("social_profile", social.type, social.value)
    for website in given.websites or ():
        yield entry("website", None, website.value)


def entry(kind: str, type: str | None, value: str) -> GivenEntry:
    """An entry, of the usual type of its kind when none is given."""
    # Of an Email a plain str is made, which is what JSON encoders take.
    return GivenEntry(kind, type or USUAL_TYPES[kind], str(value))


def address(given: NewAddress | None, path: str = "address.") -> str | None:
    """An address in its stored form, or None when nothing is in it; raises BadRequest for a country that is no code.

    `path` is what comes before the names of its parts.
    """
    if given is None:
        return None
    parts: dict[str, Any] = {
        "city": given.city,
        "state": given.state,
        "postalCode": given.postal_code,
        "country": country(given.country, f"{path}country"),
        "lines": given.lines or [],
    }
    return stored_address(parts)


def stored_address(parts: dict[str, Any]) -> str | None:
    """The JSON of an address without its empty parts; None when all are empty."""
    lines = [line for line in parts.get("lines") or [] if line]
    known = {name: parts[name] for name in ("city", "state", "postalCode", "country") if parts.get(name)}
    return msgspec.json.encode({**known, "lines": lines}).decode() if known or lines else None


def country(given: str | None, path: str = "address.country") -> str | None:
    """A country's code in capitals."""
    if not given:
        return None
    if len(given) != 2 or not (given.isascii() and given.isalpha()):
        raise invalid(path, "must be a country code of two letters", "Size", given)
    return given.upper()


def gender(given: str | None, path: str = "gender") -> str | None:
    """A gender as it is read back, `Female`; any case will do."""
    found = _one_of(GENDERS, given, path)
    return found and found.capitalize()


def photo_type(given: str | None, path: str = "photoType") -> str | None:
    """Where a photo comes from, in lower case."""
    return _one_of(PHOTO_TYPES, given, path)


def _one_of(choices: tuple[str, ...], given: str | None, path: str) -> str | None:
    if not given:
        return None
    if given.lower() not in choices:
        listed = ", ".join(f"'{choice}'" for choice in choices)
        raise invalid(path, f"Expected one of these: {listed}", "EnumValue", given[:TEXT_MOST])
    return given.lower()


def referred(given: CustomerReference) -> Profile:
    """The fields beside a reference. Clients fill them with whatever they have, so what means nothing is left out."""
    return Profile(
        first_name=given.first_name or None,
        last_name=given.last_name or None,
        gender=given.gender.capitalize() if given.gender and given.gender.lower() in GENDERS else None,
        job_title=given.job_title or None,
        location=given.location or None,
        organization=given.organization or None,
        photo_type=given.photo_type.lower() if given.photo_type and given.photo_type.lower() in PHOTO_TYPES else None,
        photo_url=given.photo_url or None,
        age=str(given.age) if given.age is not None else None,
        background=given.background or None,
    )
