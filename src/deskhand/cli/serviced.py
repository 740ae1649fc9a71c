"""The gateway as the server has it, for commands that reach a desk: `explain`, `approvals`, `connections`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from deskhand.app import App
from deskhand.app.alone import GatewayAlone
from deskhand.app.gateway import Gateway
from deskhand.cli import accounts
from deskhand.cli.administering import refusing
from deskhand.cli.clocks import clock_for
from deskhand.cli.databases import opened, require_current
from deskhand.gateway import connections
from deskhand.gateway.administering.who import Who, command_line
from deskhand.settings import Settings


class Served(NamedTuple):
    """The gateway of the settings' account, with all that it needs to make calls."""

    gateway: Gateway
    who: Who


@asynccontextmanager
async def served(settings: Settings, account_id: int | None) -> AsyncIterator[Served]:
    """Put the gateway together without serving it; raises Refused for whatever it refuses."""
    with opened(settings) as database:
        require_current(database)
        who = command_line(database.read_now(lambda db: accounts.meant(db, account_id)))
        has_desk = database.read_now(lambda db: accounts.has_desk(db, who.account_id))
        default = database.read_now(lambda db: connections.first(db, who.account_id))
    clock = clock_for(settings)
    app = App(settings, clock) if has_desk or default is None else GatewayAlone(settings, default, clock)
    try:
        with refusing():
            async with app.gateway.running():
                yield Served(app.gateway, who)
    finally:
        app.database.close()
