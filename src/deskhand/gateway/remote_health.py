"""How the connection to a remote desk is: when it last worked and what last went wrong, noted for people to see."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from deskhand.db.engine import Conflict, Database, Unavailable
from deskhand.gateway import connections
from deskhand.lib.clock import Clock, to_wire

log = logging.getLogger("deskhand.gateway")

NOTED_EVERY_S = 60.0
_WORDS_MOST = 300


class Health:
    """Notes how calls end: at once when that is another way than before, else once a minute, and never in their way."""

    def __init__(self, database: Database, clock: Clock, account_id: int, id: int) -> None:
        self._database = database
        self._clock = clock
        self._account_id = account_id
        self._id = id
        self._wrong: str | None = None
        self._noted_at: datetime | None = None
        self._writing: set[asyncio.Task[None]] = set()

    def ended(self, wrong: str | None) -> None:
        """A call got an answer, or in words what went wrong."""
        now = self._clock.now()
        same = (wrong is None) == (self._wrong is None)
        if same and self._noted_at is not None and now - self._noted_at < timedelta(seconds=NOTED_EVERY_S):
            return
        self._wrong, self._noted_at = wrong, now
        task = asyncio.create_task(self._write(wrong, to_wire(now)), name="note how a connection is")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def close(self) -> None:
        """Let what is being noted be noted."""
        await asyncio.gather(*self._writing)

    async def _write(self, wrong: str | None, now: str) -> None:
        words = None if wrong is None else wrong[:_WORDS_MOST]
        try:
            await self._database.write(lambda tx: connections.note(tx, self._account_id, self._id, now, words))
        except (Unavailable, Conflict) as problem:
            log.warning("how connection %d is could not be noted: %s", self._id, problem)
