"""A gateway's own database, and agents of it that work on remote desks."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from deskhand.catalogue.operation import Resource
from deskhand.catalogue.operations import BY_NAME
from deskhand.db.database import open_database
from deskhand.db.engine import Database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Answer, Request
from deskhand.gateway.connections import Connection, read_given
from deskhand.gateway.policy import Decision, Granted, Grants
from deskhand.gateway.remote import Remote, Remotes
from deskhand.lib.clock import MovableClock
from deskhand.lib.sealing import Sealer

T = TypeVar("T")
ACCOUNT = itertools.count(1)
WITH_INBOXES = (
    Resource.CONVERSATIONS, Resource.THREADS, Resource.CUSTOMERS, Resource.INBOXES, Resource.WORKFLOWS,
    Resource.REPORTS, Resource.WEBHOOKS, Resource.SAVED_REPLIES,
)  # fmt: skip


@dataclass
class House:
    """Where the gateway keeps things; `account_id` is a new one for each test."""

    folder: Path
    database: Database
    clock: MovableClock
    account_id: int

    @property
    def sealer(self) -> Sealer:
        return Sealer("", self.folder / "gateway.key")

    def run(self, work: Callable[[Remotes], Awaitable[T]], **options: Any) -> T:
        """Let a gateway be started, do some work and stop."""

        async def within() -> T:
            async with Remotes(self.database, self.clock, self.sealer, **options) as remotes:
                return await work(remotes)

        return asyncio.run(within())

    def connect(
        self, base_url: str, client_id: str = "client", client_secret: str = "s3cret", **more: str
    ) -> Connection:
        """A connection to a desk."""
        given = {"name": "Desk", "base_url": base_url, "client_id": client_id, "client_secret": client_secret} | more
        return self.run(lambda remotes: remotes.connections.make(self.account_id, read_given(given)))

    def agent(self, connection: Connection, grants: Grants | None = None) -> Agent:
        """An agent that works there; it may do everything unless grants say otherwise."""
        return Agent(5, self.account_id, "Triage", "active", None, connection.id, grants or granted(None))

    def another(self) -> House:
        """The same place for another account."""
        return House(self.folder, self.database, self.clock, next(ACCOUNT))


def open_house(folder: Path, url: str = "") -> House:
    upgrade(sqlalchemy_url(url, folder / "deskhand.sqlite"))
    return House(folder, open_database(url, folder), MovableClock(), next(ACCOUNT))


def granted(inboxes: set[int] | None, **others: set[int] | None) -> Grants:
    """Full access to everything, in some inboxes or in all; others by the resource's key."""
    everything = {one: Granted(3) for one in Resource}
    limited = {one: Granted(3, None if inboxes is None else frozenset(inboxes)) for one in WITH_INBOXES}
    more = {Resource[key.upper()]: Granted(3, None if one is None else frozenset(one)) for key, one in others.items()}
    return Grants(1, {**everything, **limited, **more})


def allowed(inboxes: set[int] | None = None, *hide: str) -> Decision:
    """A decision that a call may be sent, narrowed to inboxes."""
    only = None if inboxes is None else frozenset(inboxes)
    return Decision("allowed", "granted", "", inboxes=only, hide=frozenset(hide))  # type: ignore[arg-type]


async def send(
    remote: Remote,
    agent: Agent,
    operation: str,
    *ids: int | str,
    query: str = "",
    body: bytes = b"",
    decision: Decision | None = None,
    accept: str = "",
) -> Answer:
    """Send a call by its operation's name."""
    found = BY_NAME[operation]
    path = found.path
    for name, id in zip(found.parameters, ids, strict=True):
        path = path.replace(f"{{{name}}}", str(id))
    headers = {"accept": accept} if accept else {}
    request = Request(found.method, path, query, headers, body)
    return await remote.send(agent, found, request, decision or allowed())
