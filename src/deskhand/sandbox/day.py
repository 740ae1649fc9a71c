"""A scripted day: customers write, answer, rate, some mails bounce, and the clock runs through it in fast motion.

The same seed, date and state give the same day. Whoever tests may answer meanwhile: customers react to every reply.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import count
from random import Random
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.problems import NotFound, Problem
from deskhand.catalogue.threads import NewReply
from deskhand.catalogue.values import LARGEST_ID, Email
from deskhand.db.engine import Database, Writer
from deskhand.desk import access
from deskhand.desk.conversations import replying
from deskhand.desk.conversations.mail import sent_queries
from deskhand.desk.conversations.mail.sent_queries import SentMail
from deskhand.desk.conversations.threads.rating import Opinion
from deskhand.lib.clock import to_wire
from deskhand.sandbox.arrivals import Arrived
from deskhand.sandbox.bounces import Bounces, Servers
from deskhand.sandbox.cast import TONGUES, Cast
from deskhand.sandbox.clock import LATEST_YEAR, SandboxClock
from deskhand.sandbox.customers_write import Customers, Writes
from deskhand.sandbox.day_people import Correspondent, opinion, thanks
from deskhand.sandbox.http import Refused, read_json, route
from deskhand.sandbox.phrasing import pick
from deskhand.sandbox.records import World
from deskhand.sandbox.settling import Settling
from deskhand.sandbox.texts_en import ENGLISH

CONVERSATIONS, MOST = 40, 500
STARTS, ENDS = timedelta(hours=6), timedelta(hours=20)
TICK = timedelta(minutes=30)
"""How far the clock goes at a time where nothing happens."""
_SETTLE_S = 5.0
_PAST_PER_CONVERSATION = 0.5
"""Replies of earlier days that customers may react to, for each conversation of the day."""
_LOOKED_AT = 200
_STATUSES: tuple[Literal["active", "pending", "closed"], ...] = ("active", "pending", "closed", "closed")
"""What a conversation is after the staff's answer, so often."""


class Day(msgspec.Struct, forbid_unknown_fields=True):
    """Which day, and how much happens; without a date the next working day that has not begun.

    With `staff` the invented staff answers too.
    """

    date: str | None = None
    conversations: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = CONVERSATIONS
    seed: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_ID)] | None = None
    staff: bool = False


Rate = Callable[[int, Opinion, str], Awaitable[int]]
Happened = dict[str, Any] | None
Step = Callable[[], Awaitable[Happened]]


@dataclass(frozen=True, slots=True)
class Town:
    """Everybody and everything that a day is played with."""

    database: Database
    clock: SandboxClock
    account_id: int
    world: Callable[[], World]
    customers: Customers
    servers: Servers
    rate: Rate
    settling: Settling


class Days:
    """Plays days, one at a time."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._playing: _Playing | None = None
        self._over = asyncio.Event()

    async def play(self, wanted: Day) -> dict[str, Any]:
        """Play a day and tell what happened; raises Refused."""
        if self._playing is not None:
            raise Refused("date", "a day is being played already", 409)
        midnight = _midnight(wanted.date, self._town.clock.now())
        self._playing = _Playing(self._town, wanted, midnight)
        self._over.clear()
        try:
            return await self._playing.play()
        finally:
            self._playing = None
            self._over.set()

    async def stop(self) -> None:
        """End the day that is being played, for its data is about to be replaced; what happens just now still does."""
        if self._playing is not None:
            self._playing.stopped = True
            await self._over.wait()


def _midnight(given: str | None, now: datetime) -> datetime:
    """When the day begins; raises Refused."""
    if given is None:
        day = (now - STARTS + timedelta(days=1)).date()
        while day.weekday() >= 5:
            day += timedelta(days=1)
    else:
        try:
            day = date.fromisoformat(given)
        except ValueError:
            raise Refused("date", "must be a date such as 2026-11-30") from None
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if midnight + STARTS < now:
        raise Refused("date", f"must be a day that begins after the sandbox's clock, which is at {to_wire(now)}")
    if day.year > LATEST_YEAR:
        raise Refused("date", f"must not be after the year {LATEST_YEAR}")
    return midnight


@dataclass(slots=True)
class _Playing:
    """One day being played: what is still to come, and what happened."""

    town: Town
    wanted: Day
    midnight: datetime
    stopped: bool = False
    _coming: list[tuple[int, int, Step]] = field(default_factory=list)
    _told: list[dict[str, Any]] = field(default_factory=list)
    _people: dict[int, Correspondent] = field(default_factory=dict)
    _languages: dict[str, str] = field(default_factory=dict)
    _order: Any = field(default_factory=count)
    _seen: int = 0
    _unsettled: int = 0

    async def play(self) -> dict[str, Any]:
        world = self.town.world()
        seed = f"{world.seed if self.wanted.seed is None else self.wanted.seed}:day:{self.midnight:%Y-%m-%d}"
        cast = Cast(world)
        self._languages = {mail.value: one.language for one in world.customers for mail in one.emails}
        begins, ends = self.midnight + STARTS, self.midnight + ENDS
        await self._settle()
        for n in range(self.wanted.conversations):
            one = Correspondent(cast, seed, n, self.midnight)
            self._plan(one.at, self._opening(one, f"{seed}:{n}"))
        await self._look_back(seed, begins)
        moment = begins
        while moment <= ends:
            self._plan(int(moment.timestamp()), self._tick)
            moment += TICK
        await self._run(seed)
        return self._summary(begins)

    async def _run(self, seed: str) -> None:
        while self._coming and not self.stopped:
            at, _, step = heapq.heappop(self._coming)
            await self._move_to(at)
            await self._settle()
            try:
                happened = await step()
            except (Refused, Problem) as problem:
                happened = {"what": "nothing", "reason": str(getattr(problem, "message", problem))}
            if happened is not None:
                self._told.append({"at": to_wire(datetime.fromtimestamp(at, UTC)), **happened})
            await self._settle()
            await self._look_for_replies(seed)

    async def _move_to(self, at: int) -> None:
        wanted = datetime.fromtimestamp(at, UTC)
        if wanted > self.town.clock.now():
            self.town.clock.set(wanted)
            self.town.clock.keep()
            await self.town.settling.moved()

    async def _settle(self) -> None:
        if not self.stopped:
            self._unsettled += not await self.town.settling.wait(_SETTLE_S)

    def _plan(self, at: int, step: Step) -> None:
        heapq.heappush(self._coming, (at, next(self._order), step))

    def _summary(self, begins: datetime) -> dict[str, Any]:
        return {
            "state": "stopped" if self.stopped else "played",
            "date": f"{self.midnight:%Y-%m-%d}",
            "from": to_wire(begins),
            "now": to_wire(self.town.clock.now()),
            "counts": dict(sorted(Counter(one["what"] for one in self._told).items())),
            "waited_in_vain": self._unsettled,
            "happened": self._told,
        }

    # -- What happens

    async def _tick(self) -> Happened:
        """Time passes, nothing else: what was to happen by now has happened."""
        return None

    def _opening(self, one: Correspondent, mark: str) -> Step:
        async def step() -> Happened:
            writes = Writes(
                text=one.opens(), email=one.email, name=one.name, subject=one.subject(), inbox_id=one.inbox_id
            )
            arrived, _ = await self.town.customers.write(writes, _message_id(mark, one.email))
            told = _told("customer wrote", one.email, arrived)
            if arrived[0].conversation_id is not None:
                self._people[arrived[0].conversation_id] = one
                if self.wanted.staff and one.rng.random() < 0.85:
                    self._plan(one.at + int(60 * (8 + 150 * one.rng.random())), self._staff_answers(one, arrived[0]))
            return told

        return step

    def _staff_answers(self, one: Correspondent, arrived: Arrived) -> Step:
        async def step() -> Happened:
            now, conversation_id = self.town.clock.now(), arrived.conversation_id or 0
            text, status = one.staff_answers(now), pick(one.rng, _STATUSES)
            reply = NewReply(text=text, customer=CustomerReference(email=Email(one.email)), status=status)

            def write(tx: Writer) -> int:
                actor = access.actor(tx, one.staff.id)
                if actor is None:
                    raise NotFound
                return replying.reply(tx, actor, conversation_id, reply, (), to_wire(now))

            thread_id = await self.town.database.write(write)
            told = {"what": "staff answered", "user_id": one.staff.id}
            return told | {"conversation_id": conversation_id, "thread_id": thread_id}

        return step

    async def _look_back(self, seed: str, begins: datetime) -> None:
        """Some react to replies of earlier days, each at some time of this one."""
        most = int(self.wanted.conversations * _PAST_PER_CONVERSATION)
        found = await self._replies(max(most, 1))
        if found:
            self._seen = found[0].thread_id
        for mail in found[:most]:
            rng = Random(f"{seed}:past:{mail.thread_id}")
            at = int((begins + timedelta(hours=0.5 + 12 * rng.random())).timestamp())
            self._react(rng, mail, at, seed)

    async def _look_for_replies(self, seed: str) -> None:
        """Some react to what was answered just now, whoever answered."""
        for mail in reversed(await self._replies(_LOOKED_AT)):
            self._seen = max(self._seen, mail.thread_id)
            rng = Random(f"{seed}:reply:{mail.thread_id}")
            now = int(self.town.clock.now().timestamp())
            self._react(rng, mail, now + int(60 * (5 + 120 * rng.random())), seed)

    async def _replies(self, most: int) -> list[SentMail]:
        after = self._seen
        return await self.town.database.read(lambda db: sent_queries.replies(db, self.town.account_id, after, most))

    def _react(self, rng: Random, mail: SentMail, at: int, seed: str) -> None:
        draw, tonight = rng.random(), int((self.midnight + ENDS).timestamp())
        at = min(at, tonight)
        if draw < 0.06:
            self._plan(at, self._bounce(mail, f"{seed}:{mail.thread_id}:bounce"))
        elif draw < 0.5:
            self._plan(at, self._answer(rng, mail, f"{seed}:{mail.thread_id}:answer"))
        if 0.35 < draw < 0.75:
            self._plan(min(at + 60, tonight), self._rate(rng, mail))

    def _answer(self, rng: Random, mail: SentMail, mark: str) -> Step:
        async def step() -> Happened:
            email = _recipient(mail)
            one = self._people.get(mail.conversation_id)
            tongue = TONGUES[self._languages[email]] if email in self._languages else ENGLISH
            text = one.answers() if one is not None else thanks(rng, tongue)
            writes = Writes(text=text, email=email, conversation_id=mail.conversation_id)
            arrived, _ = await self.town.customers.write(writes, _message_id(mark, email))
            return _told("customer answered", email, arrived)

        return step

    def _bounce(self, mail: SentMail, mark: str) -> Step:
        async def step() -> Happened:
            email = _recipient(mail)
            arrived, _ = await self.town.servers.bounce(Bounces(mail.thread_id), _message_id(mark, email))
            return _told("mail bounced", email, arrived) | {"bounced_thread_id": mail.thread_id}

        return step

    def _rate(self, rng: Random, mail: SentMail) -> Step:
        async def step() -> Happened:
            email = _recipient(mail)
            rating, words = opinion(rng, TONGUES[self._languages.get(email, "en")])
            id = await self.town.rate(mail.thread_id, rating, words)
            told = {"what": "customer rated", "who": email, "rating": rating, "rating_id": id}
            return told | {"conversation_id": mail.conversation_id, "thread_id": mail.thread_id}

        return step


def _told(what: str, who: str, arrived: list[Arrived]) -> dict[str, Any]:
    first = arrived[0]
    told = {"what": what, "who": who, "conversation_id": first.conversation_id, "thread_id": first.thread_id}
    return told if first.state == "taken" else told | {"state": first.state, "reason": first.reason}


def _recipient(mail: SentMail) -> str:
    found = msgspec.json.decode(mail.recipients, type=list[str])
    return found[0] if found else ""


def _message_id(mark: str, email: str) -> str:
    return f"<{sha256(mark.encode()).hexdigest()[:32]}@{email.rpartition('@')[2] or 'nowhere.example'}>"


def routes(days: Days) -> list[Route]:
    """The path /sandbox/day."""

    async def post_day(request: Request) -> Response:
        return JSONResponse(await days.play(await read_json(request, Day, optional=True)))

    return [route("POST", "/sandbox/day", post_day)]
