"""Erasing customers in the background, some conversations at a time."""

from __future__ import annotations

from functools import partial

import msgspec

from deskhand.db.engine import Database, Writer
from deskhand.desk.conversations.erasure.erasing import Erasure, erase_some, finish_or_go_on
from deskhand.lib.clock import Clock, to_wire
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier, Then

BATCHES_MOST = 40
"""Transactions in one go; after that the job is added again, long before its claim could end."""


def erasing(database: Database, clock: Clock) -> Carrier:
    """Carries out the jobs; what is erased already is not there a second time, so doing it again is harmless."""

    def some(erasure: Erasure, account_id: int, tx: Writer) -> bool:
        return erase_some(tx, account_id, erasure, to_wire(clock.now()))

    async def carry(work: Work) -> Then:
        erasure = msgspec.json.decode(work.payload, type=Erasure)
        for _ in range(BATCHES_MOST):
            if not await database.write(partial(some, erasure, work.account_id)):
                break
        return lambda tx: finish_or_go_on(tx, work.account_id, erasure, to_wire(clock.now()))

    return carry
