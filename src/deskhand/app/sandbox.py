"""The sandbox around a desk: what stands in front of its doors and its deliveries, and the sandbox's own paths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from deskhand.api.rate_limit import RateLimit
from deskhand.app.gateway import CACHED, Gateway
from deskhand.db.engine import Conflict, Database, Unavailable, Writer
from deskhand.db.sqlite import keep_copy, restore_copy
from deskhand.desk import access
from deskhand.desk.after_work import Tools
from deskhand.desk.conversations.mail import received_queries
from deskhand.desk.conversations.mail.receiving import receive_now
from deskhand.desk.conversations.threads import rating
from deskhand.desk.conversations.threads.rating import Opinion
from deskhand.desk.workflows.ticking import Ticking
from deskhand.entrance.http import AGENTS
from deskhand.gateway import connections
from deskhand.gateway.admin_tokens import AdminTokens
from deskhand.gateway.credentials import ADMIN_CREDENTIAL
from deskhand.lib.clock import from_wire, to_wire
from deskhand.mail.inbound import Delivery, Keeper, Place
from deskhand.oauth import applications, tokens
from deskhand.outbox import quiet
from deskhand.sandbox import (
    arrivals,
    bounces,
    customers_write,
    day,
    entering,
    index,
    journal,
    snapshots,
    start_page,
)
from deskhand.sandbox import mail as captured_mail
from deskhand.sandbox import routes as controls
from deskhand.sandbox import world as invention
from deskhand.sandbox.arrivals import Arrivals, Arrived
from deskhand.sandbox.bounces import Servers
from deskhand.sandbox.clock import SandboxClock
from deskhand.sandbox.customers_write import Customers
from deskhand.sandbox.day import Days, Town
from deskhand.sandbox.faults import Faults
from deskhand.sandbox.http import Refused
from deskhand.sandbox.journal import NOBODY, Journal, Who
from deskhand.sandbox.options import SEEDED_COPY, Sandbox
from deskhand.sandbox.records import World
from deskhand.sandbox.settling import Settling
from deskhand.sandbox.snapshots import Snapshots
from deskhand.sandbox.webhook_faults import WebhookFaults

_SAVE_WAITS_S = 5.0


class Around:
    """What a sandbox puts around a desk."""

    def __init__(self, sandbox: Sandbox, folder: Path, clock: SandboxClock, database: Database) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._clock = clock
        self._database = database
        self._account_id: int = sandbox.description["account"]["id"]
        self._settling = Settling(database, clock, Ticking(database, clock).look)
        self.welcome = start_page.welcome(sandbox.description, folder, clock)
        """What shows at the root to somebody who is not signed in."""
        self.webhook_faults = WebhookFaults()

    def routes(
        self,
        tools: Tools,
        keeper: Keeper,
        faults: Faults,
        journal_: Journal,
        rate_limit: RateLimit,
        gateway: Gateway,
    ) -> list[BaseRoute]:
        """The sandbox's start page and its own paths."""
        own = (self._database, self._clock, self._account_id)
        state = _State(self._sandbox, self._clock, self._database, self._settling, rate_limit, gateway, journal_)
        state.redirect_here_now()
        arriving = Arrivals(keeper.place_of, partial(self._take, tools, keeper))
        customers, servers = Customers(*own, arriving), Servers(*own, arriving)
        days = Days(Town(*own, self._world, customers, servers, self._rate, self._settling))
        state.days = days

        kept = Snapshots(self._folder, self._clock, state)

        async def reset(everything: bool) -> None:
            await state.restore(self._folder / SEEDED_COPY)
            if everything:
                kept.forget()
                journal_.forget()

        return [
            *start_page.routes(self.welcome),
            *entering.routes(*own),
            *index.routes(),
            *controls.routes(self._clock, faults, self.webhook_faults, self._settling, reset, self._rate),
            *arrivals.routes(arriving),
            *captured_mail.routes(self._database, self._account_id),
            *customers_write.routes(customers),
            *bounces.routes(servers),
            *day.routes(days),
            *journal.routes(journal_),
            *snapshots.routes(kept),
        ]

    def remembered(self, doors: ASGIApp, gateway: Gateway) -> Journal:
        """All doors, with a journal in front of them."""
        administrators = AdminTokens(self._database, self._clock)

        async def find(given: str) -> Who:
            try:
                if given.startswith(AGENTS):
                    agent = await gateway.agents.by_credential(given)
                    return NOBODY if agent is None else Who("agent", agent.name, agent.id)
                if given.startswith(ADMIN_CREDENTIAL):
                    found = await administrators.administrator(given)
                    return NOBODY if found is None else Who("administrator", found.name, found.id)
                holder = await self._database.read(lambda db: tokens.holder(db, given))
            except (Unavailable, Conflict):
                return NOBODY
            if holder is None:
                return NOBODY
            return Who("application", holder.application_name, holder.application_id, holder.user_id)

        return Journal(doors, self._clock, find)

    async def _rate(self, thread_id: int, opinion: Opinion, words: str) -> int:
        now = to_wire(self._clock.now())
        return await self._database.write(
            lambda tx: rating.rate(tx, self._account_id, thread_id, opinion, words, now)
        )  # fmt: skip

    async def _take(self, tools: Tools, keeper: Keeper, place: Place, delivery: Delivery) -> Arrived:
        """Keep a message as any way in does, and have it read."""
        kept = await keeper.keep(place, delivery)
        await receive_now(tools, kept.id)
        found = await self._database.read(lambda db: received_queries.one(db, place.account_id, kept.id))
        if found is None:
            raise Refused("body", "the data was replaced while the message was read", 409)
        reason = found.reason or ("it had come before" if kept.known else "")
        return Arrived(found.conversation_id, found.thread_id, place.inbox_id, found.state, reason)

    def _world(self) -> World:
        made = self._sandbox.description["sandbox"]
        return _world(made["seed"], made["now"])


@cache
def _world(seed: int, now: str) -> World:
    return invention.account(seed, from_wire(now))


@dataclass(slots=True)
class _State:
    """All that a sandbox knows: saved into a file, and put back from one."""

    sandbox: Sandbox
    clock: SandboxClock
    database: Database
    settling: Settling
    rate_limit: RateLimit
    gateway: Gateway
    journal: Journal
    days: Days | None = None

    async def save(self, file: Path) -> None:
        """Write it into a file, once nothing is under way, or after some seconds all the same."""
        await self.settling.wait(_SAVE_WAITS_S)
        await keep_copy(self.database, file)

    async def restore(self, file: Path) -> None:
        """Put it back, and forget what was remembered of the state before."""
        if self.days is not None:
            await self.days.stop()
        await restore_copy(self.database, file, going_on="job")
        await self.database.write(self._begin_again)
        self.database.versions.update((access.STALE, connections.CHANGED, *CACHED))
        self.database.memory.forget_all()
        self.rate_limit.forget()
        self.gateway.budget.forget()
        self.journal.forget_people()
        self.settling.wake()

    def redirect_here_now(self) -> None:
        """The folder may have been filled while the sandbox listened on another port."""
        self.database.write_now(self._redirect_here)

    def _begin_again(self, tx: Writer) -> None:
        quiet.release(tx, self.clock.now())
        self._redirect_here(tx)

    def _redirect_here(self, tx: Writer) -> None:
        account_id, app = self.sandbox.description["account"]["id"], self.sandbox.description["apps"][0]
        applications.redirect_to(tx, account_id, app["client_id"], app["redirect_url"])
