"""Who writes on a scripted day, about what, and what is answered: drawn from the seed, in the invented shop's words."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from random import Random

import msgspec

from deskhand.desk.conversations.threads.rating import Opinion
from deskhand.lib.html_text import readable
from deskhand.sandbox import people, shop
from deskhand.sandbox.cast import TONGUES, Cast, say_date
from deskhand.sandbox.letters import Letters
from deskhand.sandbox.phrasing import PLAIN, Tongue, matching, pick, say
from deskhand.sandbox.records import Customer, Entry

_OPENS, _SHUTS, _BUSIEST = 6.5, 19.0, 10.5
"""Hours of the day between which customers write, and when most do."""
_NEW_EVERY = 3
"""One customer in so many has never written before."""
_NO_LETTERS = re.compile("[^a-z]+")


class Correspondent:
    """A customer of the day with a reason to write; `n` and the seed decide all of it."""

    def __init__(self, cast: Cast, seed: str, n: int, midnight: datetime) -> None:
        self.rng = rng = Random(f"{seed}:{n}")
        self.at = int(midnight.timestamp() + 3600 * rng.triangular(_OPENS, _SHUTS, _BUSIEST))
        self._cast = cast
        self.place = cast.inbox(rng)
        self.inbox_id = shop.INBOX_IDS[self.place]
        code = cast.language(rng)
        known = cast.writer(rng, code, self.place, cast.now)
        self.customer = _newcomer(rng, known, f"{midnight:%m%d}{n}") if rng.random() * _NEW_EVERY < 1 else known
        self.tongue = TONGUES[self.customer.language]
        self._scenario = pick(rng, cast.scenarios[self.tongue.code, self.place])
        self._slots = cast.slots(rng, self.customer, self.tongue, self.inbox_id, self.at)
        self.staff = cast.answerer(rng, self.inbox_id, self.tongue.code)
        self._slots["staff"] = self.staff.first_name
        self._slots["other"] = cast.colleague(rng, self.staff.id, self.inbox_id)
        self._letters = Letters(rng, self.tongue, self._slots, self.customer, self.staff)
        self._opened_with = int(rng.random() * len(self._scenario.opening))
        self.asked = False

    @property
    def email(self) -> str:
        """Where the customer writes from."""
        return self.customer.emails[0].value

    @property
    def name(self) -> str:
        """What the customer's mail program calls them."""
        return f"{self.customer.first_name or ''} {self.customer.last_name or ''}".strip()

    def subject(self) -> str:
        """What the first mail is about."""
        return say(self.rng, self._scenario.subjects, self._slots, PLAIN)

    def opens(self) -> str:
        """The first mail."""
        return readable(self._letters.from_customer(self._fitting(self._scenario.opening)))

    def staff_answers(self, at: datetime) -> str:
        """What the staff answers, as HTML: a question back now and then, once; else what helps."""
        self.asked = not self.asked and bool(self._scenario.ask) and self.rng.random() < 0.35
        pool = self._scenario.ask if self.asked else self._scenario.fix
        return self._letters.from_staff(self._fitting(pool), say_date(self.tongue, int(at.timestamp())))

    def answers(self) -> str:
        """What the customer says to that."""
        informs = self.asked and self._scenario.info
        return readable(
            self._letters.from_customer(self._fitting(self._scenario.info) if informs else self.tongue.thanks)
        )

    def _fitting(self, pool: tuple[str, ...]) -> tuple[str, ...]:
        return matching(pool, self._opened_with, len(self._scenario.opening)) or pool


def thanks(rng: Random, tongue: Tongue) -> str:
    """What somebody answers of whom no more is known than the language."""
    return say(rng, tongue.thanks, _Anything(), PLAIN)


def opinion(rng: Random, tongue: Tongue) -> tuple[Opinion, str]:
    """What a customer thinks of a reply."""
    share = rng.random()
    if share < 0.72:
        return "great", say(rng, tongue.great, _Anything(), PLAIN)
    if share < 0.9:
        return "okay", say(rng, tongue.okay, _Anything(), PLAIN)
    return "not_good", say(rng, tongue.not_good, _Anything(), PLAIN)


class _Anything(dict[str, str]):
    """Slots of which nothing is known."""

    def __missing__(self, name: str) -> str:
        return "it"


def _newcomer(rng: Random, like: Customer, mark: str) -> Customer:
    """Somebody with the language of a known customer who was never heard of before."""
    country = pick(rng, [one for one in people.COUNTRIES if one.language == like.language])
    first, last = pick(rng, country.women if rng.random() < 0.5 else country.men), pick(rng, country.last_names)
    email = f"{_letters(first) or 'someone'}.{_letters(last) or 'new'}{mark}@letterbox.example"
    return msgspec.structs.replace(
        like, first_name=first, last_name=last, emails=(Entry(0, email, "home"),), organization=None, job_title=None
    )


def _letters(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NO_LETTERS.sub("", plain)
