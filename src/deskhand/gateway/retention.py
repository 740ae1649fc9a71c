"""Removing old audit records, and signing new ones in time.

A signed checkpoint stands in place of what was removed, so that the rest can still be verified.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import msgspec

from deskhand.db.engine import Database, Duplicate, Writer
from deskhand.db.statements import Insert, P, command
from deskhand.gateway import chain
from deskhand.gateway.audit import Audit, By
from deskhand.gateway.chain import Record
from deskhand.gateway.tables import audit_record
from deskhand.gateway.verifying import Checking, Fault, read_page
from deskhand.lib.clock import Clock, to_wire
from deskhand.lib.signing_keys import SigningKey

log = logging.getLogger("deskhand.gateway")

STEP = 2_000
"""Records looked at in one transaction; each leaves a chain that is whole."""
EVERY_S = 60.0


class Broken(Exception):
    """The records to be removed are not as they were written; removing them would hide it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f'record {fault.record}: {fault.problem}; "deskhand audit verify" tells more')


class Removed(msgspec.Struct, frozen=True):
    """What was removed: how many records, and up to which number."""

    records: int
    through: int | None


_REMOVE = command(
    audit_record.delete().where(audit_record.c.account_id == P("account_id"), audit_record.c.number <= P("through"))
)
_ADD = Insert(audit_record, Record)


class Retention:
    """Removes records of before a moment, step by step, and logs who wanted it. `by` is None for the settings."""

    def __init__(self, audit: Audit, key: SigningKey, clock: Clock, account_id: int, days: int, by: By | None) -> None:
        self._audit = audit
        self._key = key
        self._clock = clock
        self._account_id = account_id
        self._days = days
        self._before = to_wire(clock.now() - timedelta(days=days))
        self._by = by
        self.removed = Removed(0, None)

    def step(self, tx: Writer) -> bool:
        """Remove some; False when there is nothing more to remove. Raises Broken or KeyUnusable."""
        account_id, at = self._account_id, to_wire(self._clock.now())
        chain.hold(tx, account_id, at)
        found = read_page(tx, account_id, 0, STEP + 1)
        base = 1 if found and chain.is_base(found[0]) else 0
        seen = found[base : base + STEP]
        old = next((place for place, one in enumerate(seen) if one.at >= self._before), len(seen))
        if old == 0:
            return False
        gone = found[: base + old]
        _require_whole(account_id, gone)
        last = gone[-1]
        particulars = {
            "why": "retention", "removed_through": last.number, "removed_hash": last.hash, "removed_until": last.at,
        }  # fmt: skip
        checkpoint = chain.signed(account_id, particulars, last.number, at, chain.START, self._key)
        tx.run(_REMOVE, account_id=account_id, through=last.number)
        tx.add_many(_ADD, [checkpoint])
        if not self.removed.records:
            self._log(tx)
        self.removed = Removed(self.removed.records + old, last.number)
        return True

    def _log(self, tx: Writer) -> None:
        what = f"Audit records older than {self._days:,} days were removed"
        self._audit.admin(tx, self._account_id, self._by, what, {"before": self._before, "days": self._days})


def _require_whole(account_id: int, records: list[Record]) -> None:
    checking = Checking(account_id=account_id)
    for record in records:
        checking.stored(record)
    if problems := checking.end(closed=False).problems:
        raise Broken(problems[0])


def retain_now(database: Database, retention: Retention) -> Removed:
    """Remove all that is too old."""
    while database.write_now(retention.step):
        pass
    return retention.removed


class Upkeep:
    """Beside a server: signs checkpoints that are due, and removes records after `days`; 0 keeps all."""

    def __init__(self, database: Database, audit: Audit, key: SigningKey, clock: Clock, days: int = 0) -> None:
        self._database = database
        self._audit = audit
        self._key = key
        self._clock = clock
        self._days = days

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                await self.once()
            except Exception as problem:  # noqa: BLE001 (the next time it may go well)
                log.error("the audit log can't be looked after: %s", problem)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> None:
        """What is due now, for all accounts; a chain that was tampered with holds up no others."""
        for account_id in await self._database.read(chain.accounts):
            try:
                await self._look_after(account_id)
            except (Broken, Duplicate) as problem:
                log.error("the audit log of account %s can't be looked after: %s", account_id, problem)

    async def _look_after(self, account_id: int) -> None:
        now = self._clock.now()
        head = await self._database.read(lambda db: chain.end(db, account_id))
        if head is not None and head.is_due(now):
            await self._database.write(lambda tx: chain.append(tx, account_id, [], now, self._key))
        if self._days:
            retention = Retention(self._audit, self._key, self._clock, account_id, self._days, None)
            while await self._database.write(retention.step):
                pass
