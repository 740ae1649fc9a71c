"""Waiting until a change has had all its consequences: events looked at, jobs that are due carried out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from deskhand.db.engine import Database
from deskhand.lib.clock import Clock
from deskhand.outbox import events, quiet

_LOOK_EVERY_S = 0.003


@dataclass(frozen=True, slots=True)
class Settling:
    """Waits for the worker. `look` lets workflows look at the time, which they do by themselves only now and then."""

    database: Database
    clock: Clock
    look: Callable[[datetime], Awaitable[object]]

    async def wait(self, timeout_s: float = 10.0) -> bool:
        """Wait until nothing is under way that is due by the sandbox's clock; False when that took too long."""
        deadline = time.monotonic() + timeout_s
        while await self.database.read(lambda db: quiet.under_way(db, self.clock.now())):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_LOOK_EVERY_S)
        return True

    async def moved(self) -> None:
        """Have everything look now that depends on time: the clock was moved."""
        await self.look(self.clock.now())
        self.wake()

    def wake(self) -> None:
        """Have the worker look now: the data was replaced."""
        self.database.announce([events.WAKE])
