"""Agents for tests of one module of the gateway: their rows, and what runs without a door."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from deskhand.db.statements import value
from deskhand.gateway import tables
from deskhand.gateway.agents import Agent
from deskhand.gateway.policy import Grants
from tests.world import Desk, unique

T = TypeVar("T")


class Watch:
    """A clock that stands still until a test moves it."""

    def __init__(self, second: float = 0) -> None:
        self.at = datetime(2026, 11, 23, 12, 0, tzinfo=UTC) + timedelta(seconds=second)

    def now(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Wait for what has to be awaited."""
    return asyncio.run(work)


def add_agent(
    desk: Desk, name: str = "Drafter", *, user_id: int | None = None, connection_id: int | None = None
) -> Agent:
    """An agent of the account that holds nothing."""
    row = {
        "account_id": desk.account_id, "name": name, "folded": unique(name), "state": "active", "user_id": user_id,
        "connection_id": connection_id, "client_id": unique("agent"), "secret_hash": "", "grant_version": 0,
        "created_at": desk.now,
    }  # fmt: skip
    add = value(int, tables.agent.insert().values(row).returning(tables.agent.c.id), keep=False)
    id = desk.write(lambda tx: tx.first(add, **{name: given for name, given in row.items()}))
    return Agent(id, desk.account_id, name, "active", user_id, connection_id, Grants())
