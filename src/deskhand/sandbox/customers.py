"""Three hundred invented customers: names, entries and addresses that fit together."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from random import Random
from typing import NamedTuple

from deskhand.sandbox import people
from deskhand.sandbox.hours import DAY, HOUR, WINDOW_DAYS, utc
from deskhand.sandbox.people import COUNTRIES, DOMAINS, JOBS, ORGANIZATIONS, REMARKS, Country, Organization
from deskhand.sandbox.phrasing import pick
from deskhand.sandbox.records import Address, Customer, Entry

COUNT = 300
FIRST_ID, FIRST_ENTRY_ID = 88001, 90001
BUSY, CLAIMS = 6, 11
"""Indexes of the customer with many conversations and of the carrier's claims desk."""

_EARLY = ("en", "de", "fr", "es", "pt", "ja")
_KNOWN_BEFORE = 230
_HARBOUR_HOUSE = ORGANIZATIONS["en"][0]


class _Person(NamedTuple):
    first: str
    last: str
    gender: str
    mail_name: str


def customers(seed: int, now: int) -> tuple[Customer, ...]:
    """All of them, oldest first; most were customers before the ninety days began."""
    entry_ids = count(FIRST_ENTRY_ID)
    taken: set[str] = set()
    return tuple(_customer(Random(f"{seed}:customer:{n}"), n, now, entry_ids, taken) for n in range(COUNT))


def is_spammer(index: int) -> bool:
    """Whether the customer at this index only ever sends what nobody asked for."""
    return index % 25 == 23


def _customer(rng: Random, n: int, now: int, entry_ids: Iterator[int], taken: set[str]) -> Customer:
    created = utc(_created(rng, n, now))
    if n == CLAIMS:
        return _only_mail(n, people.CARRIER_CLAIMS, created, entry_ids)
    if is_spammer(n):
        return _only_mail(n, people.SPAM_SENDERS[n // 25], created, entry_ids)
    if n % 17 == 9:
        return _only_mail(n, f"{pick(rng, _NICKNAMES)}{n}@{pick(rng, DOMAINS['en'])}", created, entry_ids)
    country = _country(rng, n)
    language = country.language
    person = _person(rng, country)
    while person.mail_name in taken:
        person = _person(rng, country)
    taken.add(person.mail_name)
    organization = _organization(rng, n, country)
    city, state, postal_code = pick(rng, country.places)
    address = None
    if n <= BUSY or rng.random() < 0.6:
        street = pick(rng, country.streets).format(n=int(rng.random() * 98) + 1)
        lines = (organization.name, street) if organization and rng.random() < 0.4 else (street,)
        address = Address(city, state, postal_code, country.code, lines)
    return Customer(
        id=FIRST_ID + n,
        first_name=person.first,
        last_name=person.last,
        gender=person.gender if rng.random() < 0.7 else "Unknown",
        job_title=pick(rng, JOBS[language]) if organization else None,
        location=city,
        organization=organization.name if organization else None,
        photo_type="gravatar" if rng.random() < 0.15 else "unknown",
        photo_url="",
        age=f"{(age := 20 + int(rng.random() * 11) * 5)}-{age + 5}" if rng.random() < 0.2 else None,
        background=pick(rng, REMARKS) if rng.random() < 0.25 else None,
        language=language,
        emails=_emails(rng, n, person, organization, language, entry_ids),
        phones=_phones(rng, country, entry_ids),
        chats=_chats(rng, person, entry_ids),
        social_profiles=_profiles(rng, person, entry_ids),
        websites=_websites(rng, organization, entry_ids),
        address=address,
        created_at=created,
        updated_at=created,
    )


_NICKNAMES = ("lampfan", "nightowl", "bluedoor", "attic", "third.floor", "halfmoon", "gardenshed")


def _created(rng: Random, n: int, now: int) -> int:
    if n < _KNOWN_BEFORE:
        first, days, share = -900, 900 - WINDOW_DAYS - 1, n / _KNOWN_BEFORE
    else:
        first, days, share = -WINDOW_DAYS, WINDOW_DAYS - 2, (n - _KNOWN_BEFORE) / (COUNT - _KNOWN_BEFORE)
    return now + first * DAY + int(days * share * DAY) + int(rng.random() * 20 * HOUR)


def _only_mail(n: int, email: str, created: datetime, entry_ids: Iterator[int]) -> Customer:
    return Customer(
        id=FIRST_ID + n,
        first_name=None,
        last_name=None,
        gender="Unknown",
        job_title=None,
        location=None,
        organization=None,
        photo_type="unknown",
        photo_url="",
        age=None,
        background=None,
        language="en",
        emails=(Entry(next(entry_ids), email, "other"),),
        phones=(),
        chats=(),
        social_profiles=(),
        websites=(),
        address=None,
        created_at=created,
        updated_at=created,
    )


def _country(rng: Random, n: int) -> Country:
    if n in (0, BUSY):
        return COUNTRIES[0]
    language = _EARLY[n] if n < len(_EARLY) else pick(rng, people.LANGUAGES)
    return pick(rng, [country for country in COUNTRIES if country.language == language])


def _person(rng: Random, country: Country) -> _Person:
    woman = rng.random() < 0.53
    first, _, first_sound = pick(rng, country.women if woman else country.men).partition("/")
    last, _, last_sound = pick(rng, country.last_names).partition("/")
    mail_name = f"{_plain(first_sound or first)}.{_plain(last_sound or last)}"
    return _Person(first, last, "Female" if woman else "Male", mail_name)


def _plain(name: str) -> str:
    spelled = name.lower().replace("ß", "ss").replace("ö", "oe").replace("ü", "ue").replace("ä", "ae")
    folded = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", folded)


def _organization(rng: Random, n: int, country: Country) -> Organization | None:
    if n == BUSY:
        return _HARBOUR_HOUSE
    if n < len(_EARLY) or (rng.random() < 0.27 and country.code not in ("AU", "SE", "IN", "MX")):
        return pick(rng, [one for one in ORGANIZATIONS[country.language] if one is not _HARBOUR_HOUSE])
    return None


def _emails(
    rng: Random,
    n: int,
    person: _Person,
    organization: Organization | None,
    language: str,
    entry_ids: Iterator[int],
) -> tuple[Entry, ...]:
    private = ("home", pick(rng, DOMAINS[language]))
    places = [("work", organization.domain), private] if organization else [private, ("other", "oldpost.example")]
    chosen = places[: 2 if n == BUSY or rng.random() < 0.25 else 1]
    return tuple(Entry(next(entry_ids), f"{person.mail_name}@{domain}", kind) for kind, domain in chosen)


def _phones(rng: Random, country: Country, entry_ids: Iterator[int]) -> tuple[Entry, ...]:
    draw = rng.random()
    kinds = ("mobile", "work") if draw < 0.1 else ("mobile",) if draw < 0.4 else ("home",) if draw < 0.55 else ()
    return tuple(Entry(next(entry_ids), _number(rng, country), kind) for kind in kinds)


def _number(rng: Random, country: Country) -> str:
    return re.sub("#", lambda _: str(int(rng.random() * 10)), pick(rng, country.phones))


def _chats(rng: Random, person: _Person, entry_ids: Iterator[int]) -> tuple[Entry, ...]:
    if rng.random() > 0.08:
        return ()
    return (Entry(next(entry_ids), person.mail_name, pick(rng, people.CHAT_TYPES)),)


def _profiles(rng: Random, person: _Person, entry_ids: Iterator[int]) -> tuple[Entry, ...]:
    if rng.random() > 0.1:
        return ()
    value = f"https://profiles.example/{person.mail_name}"
    return (Entry(next(entry_ids), value, pick(rng, people.PROFILE_TYPES)),)


def _websites(rng: Random, organization: Organization | None, entry_ids: Iterator[int]) -> tuple[Entry, ...]:
    if organization is None or rng.random() < 0.3:
        return ()
    return (Entry(next(entry_ids), f"https://{organization.domain}", ""),)
