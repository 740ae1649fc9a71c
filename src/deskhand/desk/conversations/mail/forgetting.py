"""Forgetting mail that was skipped: after a month its bytes go, and who wrote it to whom.

That it came, when, where a mail server has it and why it was skipped stays, so that it is known when it comes again and
`deskhand mail check` counts it. Mail that is in a conversation goes with that, and mail that failed waits for people.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from datetime import timedelta

from deskhand.db.engine import Conflict, Database, Unavailable, Writer
from deskhand.desk.conversations.erasure import files
from deskhand.desk.conversations.mail import received_queries
from deskhand.lib.clock import Clock, to_wire

log = logging.getLogger("deskhand.mail")

KEPT_FOR = timedelta(days=30)
EVERY_S = 3600.0
AT_ONCE = 100
"""Messages forgotten in one transaction."""


class Forgetting:
    """Beside a worker: forgets what was skipped long ago."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                await self.once()
            except (Unavailable, Conflict) as problem:
                log.debug("forgetting old mail waits for the database: %s", problem)
            except Exception:
                log.exception("old mail could not be forgotten, and is tried again")
            await asyncio.sleep(EVERY_S)

    async def once(self) -> None:
        """Forget all that is due now."""
        now = self._clock.now()
        before = to_wire(now - KEPT_FOR)
        # Looked for outside of the transaction: nearly always there is nothing to be written.
        while await self._database.read(lambda db: received_queries.skipped_before(db, before, 1)):
            await self._database.write(lambda tx: forget(tx, before, to_wire(now)))


def forget(tx: Writer, before: str, now: str) -> None:
    """Forget some of the messages that came before a moment and were skipped."""
    of_account: defaultdict[int, set[str]] = defaultdict(set)
    for one in received_queries.skipped_before(tx, before, AT_ONCE):
        received_queries.forget(tx, one.account_id, one.id)
        of_account[one.account_id].add(one.sha256)
    for account_id, names in of_account.items():
        files.remove_unnamed(tx, account_id, sorted(names), now)
