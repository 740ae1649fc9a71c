"""Agents made as people make them, found as calls find them, in this process and in another one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from deskhand.db.database import open_database
from deskhand.db.engine import Database
from deskhand.desk.for_agents import Authors
from deskhand.gateway import agents
from deskhand.gateway.agents import Agent, Agents, Made
from tests.gateway.builders import run
from tests.world import Desk

AUTHORS = Authors()


def make(desk: Desk, name: str = "Triage", **more: Any) -> Made:
    """An agent with a key, that holds nothing."""
    return desk.write(lambda tx: agents.create(tx, desk.account_id, name, AUTHORS, desk.server.clock.now(), **more))


def who(desk: Desk, credential: str) -> Agent | None:
    """Whom a credential stands for, as a process that just began finds out."""
    return run(Agents(desk.server.app.database, desk.server.clock).by_credential(credential))


def another_process(desk: Desk) -> Database:
    """The server's database as another process has it open."""
    settings = desk.server.app.settings
    return open_database(settings.database_url, settings.data_dir)


async def seconds_until(ask: Callable[[Any], Awaitable[Any]], asked: Any, wanted: Any) -> float:
    """How long it takes until asking gives what is wanted."""
    began = time.monotonic()
    while await ask(asked) != wanted:
        assert time.monotonic() < began + 60, "it never was"
        await asyncio.sleep(0.01)
    return time.monotonic() - began
