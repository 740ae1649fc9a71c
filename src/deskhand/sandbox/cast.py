"""Who can appear in a conversation, looked up fast: customers by language, staff by inbox and language, ids by name."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from deskhand.sandbox import customers, shop
from deskhand.sandbox.hours import DAY, Hours, utc, weekday
from deskhand.sandbox.phrasing import Scenario, Tongue, pick
from deskhand.sandbox.records import Customer, Field, World
from deskhand.sandbox.shop import CARRIER, PRODUCTS_SOLD, STAFF, Person
from deskhand.sandbox.texts_de import GERMAN
from deskhand.sandbox.texts_en import ENGLISH
from deskhand.sandbox.texts_es import SPANISH
from deskhand.sandbox.texts_fr import FRENCH
from deskhand.sandbox.texts_ja import JAPANESE
from deskhand.sandbox.texts_pt import PORTUGUESE

TONGUES = {tongue.code: tongue for tongue in (ENGLISH, GERMAN, FRENCH, SPANISH, PORTUGUESE, JAPANESE)}

_LANGUAGES = ("en",) * 70 + ("de",) * 9 + ("fr",) * 7 + ("es",) * 6 + ("pt",) * 4 + ("ja",) * 4
_INBOXES = (0,) * 50 + (1,) * 34 + (2,) * 16
_BLOCK = 1_000
_GOLDEN = 0.6180339887498949


class _Known(NamedTuple):
    """Customers, and since when each is one."""

    since: tuple[float, ...]
    customers: tuple[Customer, ...]

    @classmethod
    def of(cls, found: Iterable[Customer]) -> _Known:
        customers = tuple(found)
        return cls(tuple(one.created_at.timestamp() for one in customers), customers)


class Cast:
    """Everything about a world that telling its conversations needs."""

    def __init__(self, world: World) -> None:
        self.seed = world.seed
        self.now = int(world.now.timestamp())
        self.hours = Hours(self.now)
        self.busy = world.customers[customers.BUSY]
        self.claims = world.customers[customers.CLAIMS]
        self.spammers = tuple(one for n, one in enumerate(world.customers) if customers.is_spammer(n))
        self.tag_ids = {tag.name: tag.id for tag in world.tags}
        self.fields = {inbox.id: inbox.fields for inbox in world.inboxes}
        self.inbox_mail = {inbox.id: inbox.email for inbox in world.inboxes}
        self.people = {person.id: person for person in STAFF}
        self.names = {person.id: person.first_name for person in STAFF}
        self.names |= {team.id: team.name for team in shop.TEAMS}
        self.names |= {helper.id: helper.first_name for helper in world.system_users}
        self.answering = {
            (inbox, code): tuple(one for one in STAFF if inbox in one.inboxes and code in one.languages)
            for inbox in shop.INBOX_IDS
            for code in TONGUES
        }
        self.noting = {
            inbox: tuple(one for one in STAFF if one.accepted and inbox in one.inboxes) for inbox in shop.INBOX_IDS
        }
        self.scenarios = {
            (code, inbox): tuple(one for one in tongue.scenarios if one.inbox == inbox)
            for code, tongue in TONGUES.items()
            for inbox in range(3)
        }
        ordinary = sorted((one for one in world.customers if self._is_ordinary(one)), key=lambda one: one.created_at)
        self._writers = {code: _Known.of(one for one in ordinary if one.language == code) for code in TONGUES}
        self._buyers = {
            code: _Known.of(one for one in known.customers if one.organization) for code, known in self._writers.items()
        }

    def created(self, n: int) -> int:
        """When conversation `n` began: a thousand cover the ninety days in order, each further thousand once more."""
        return self.hours.moment((n % _BLOCK + 0.1 + 0.8 * (n * _GOLDEN % 1.0)) / _BLOCK)

    def language(self, rng: Random) -> str:
        """The language of a conversation."""
        return pick(rng, _LANGUAGES)

    def inbox(self, rng: Random) -> int:
        """The place of an inbox in `shop.INBOX_IDS`."""
        return pick(rng, _INBOXES)

    def writer(self, rng: Random, code: str, inbox: int, at: int) -> Customer:
        """A customer of that language known at that time; wholesale is for organizations, some write a lot."""
        if code == "en" and rng.random() < 0.085:
            return self.busy
        since, pool = (self._buyers if inbox == 2 else self._writers)[code]
        known = bisect_right(since, at)
        return pool[int(known * rng.random() ** 1.4)]

    def colleague(self, rng: Random, person_id: int, inbox_id: int) -> str:
        """The first name of somebody else who sees that inbox."""
        others = [one.first_name for one in self.noting[inbox_id] if one.id != person_id]
        return pick(rng, others)

    def answerer(self, rng: Random, inbox_id: int, code: str) -> Person:
        """Somebody who sees the inbox and writes the language; the owner answers only now and then."""
        pool = self.answering[inbox_id, code]
        found = pick(rng, pool)
        return pick(rng, pool) if found.id == shop.OWNER else found

    def slots(self, rng: Random, customer: Customer, tongue: Tongue, inbox_id: int, at: int) -> dict[str, str]:
        """What the texts of one conversation may mention."""
        draw = rng.random
        product = int(draw() * len(PRODUCTS_SOLD))
        name, kind, price = PRODUCTS_SOLD[product]
        other = PRODUCTS_SOLD[(product + 1 + int(draw() * 10)) % len(PRODUCTS_SOLD)]
        number = int(draw() * 900_000) + 100_000
        qty = 6 + int(draw() * 37)
        total = int(price * qty * 0.7) if inbox_id == shop.WHOLESALE else price
        first, last = customer.first_name, customer.last_name
        mail = customer.emails[0].value
        full = f"{last} {first}" if tongue.code == "ja" else f"{first} {last}"
        home = customer.address
        return {
            "first": first or "",
            "last": last or "nothing legible",
            "full": full if first else mail,
            "payer": customer.organization or (full if first else mail),
            "organization": customer.organization or (full if first else mail),
            "staff": "",
            "other": "",
            "product": name,
            "product2": other[0],
            "lamp": f"{name} {kind}",
            "lamp2": f"{other[0]} {other[1]}",
            "order": f"BW-{number // 7 + 20_000}",
            "tracking": f"KP{number}{number % 89 + 10}",
            "invoice": f"R{utc(at).year % 100}-{number % 9_000 + 1_000}",
            "serial": f"BW-{number % 9 + 1}{number % 4_999 + 10_000}",
            "carrier": CARRIER,
            "date": say_date(tongue, at - (3 + int(draw() * 9)) * DAY),
            "asked": say_date(tongue, at),
            "weekday": tongue.weekdays[_delivery_day(at, int(draw() * 4) + 2)],
            "later": say_date(tongue, at + (8 + int(draw() * 12)) * DAY),
            "amount": money(tongue, total),
            "credit": money(tongue, 5 + int(draw() * 4) * 5),
            "qty": str(qty),
            "days": str(2 + int(draw() * 5)),
            "part": pick(rng, tongue.parts),
            "city": home.city if home else customer.location or "Port Merrow",
            "street": home.lines[-1] if home else f"{int(draw() * 80) + 2} Lantern Lane",
            "room": "1",
            "price": str(price),
        }

    def field_values(
        self, rng: Random, inbox_id: int, scenario: Scenario, slots: dict[str, str], at: int, tried: str
    ) -> tuple[tuple[int, str], ...]:
        """Values of the inbox's custom fields, as the wire has them: text, a dropdown's option id as digits."""
        values: dict[str, str | None] = {
            "Order number": slots["order"],
            "Parcel state": "?" if rng.random() < 0.6 else None,
            "Promised for": utc(at + 6 * DAY).date().isoformat() if scenario.key == "late parcel" else None,
            "Refund in euros": slots["price"] if scenario.key == "refund" else None,
            "Lamp": slots["product"],
            "Series number": slots["serial"] if rng.random() < 0.5 else None,
            "What was tried": tried if rng.random() < 0.25 else None,
            "Organization": slots["organization"],
            "Tier": "?" if rng.random() < 0.7 else None,
            "Lamps a month": slots["qty"] if rng.random() < 0.6 else None,
            "Agreed until": utc(at + 60 * DAY).date().isoformat() if rng.random() < 0.4 else None,
        }
        known = ((field, values[field.name]) for field in self.fields[inbox_id])
        return tuple((field.id, _stored(rng, field, value)) for field, value in known if value is not None)

    def _is_ordinary(self, customer: Customer) -> bool:
        return customer not in (self.busy, self.claims) and customer not in self.spammers


def say_date(tongue: Tongue, at: int) -> str:
    """Day and month as people write them in that language."""
    day = utc(at)
    return tongue.date.format(day=day.day, month=tongue.months[day.month - 1])


def money(tongue: Tongue, euros: int) -> str:
    """An amount as people write it in that language."""
    return tongue.money.format(whole=euros, cents="00")


def _delivery_day(at: int, days: int) -> int:
    return (0, 1, 2, 3, 4, 3, 1)[weekday(at + days * DAY)]


def _stored(rng: Random, field: Field, value: str) -> str:
    if field.type != "dropdown":
        return value
    matching = [option for option in field.options if option.label == value]
    if matching:
        return str(matching[0].id)
    return str((field.options[-1] if field.name == "Lamp" else pick(rng, field.options)).id)
