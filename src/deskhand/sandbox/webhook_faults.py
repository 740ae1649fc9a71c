"""Faults of webhooks on demand: a delivery comes twice, late, after the next one, or not at all at first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from deskhand.catalogue.values import Id
from deskhand.db.engine import Database, Writer
from deskhand.desk.webhooks import delivering
from deskhand.lib.clock import Clock
from deskhand.lib.outbound import Allowed, Answer, NoAnswer, Outbound
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier, Then

LATE_MS, HELD_MOST_MS = 2_000, 5_000
"""How late a late delivery is, and how long one is held back for the next, where the fault does not say."""

Kind = Literal["duplicate", "late", "reordered", "refused"]


class WebhookFault(msgspec.Struct, forbid_unknown_fields=True):
    """What goes wrong with the next `times` deliveries, of one webhook or of any.

    `duplicate`: the same delivery comes twice. `late`: it comes after `delay_ms`. `reordered`: it comes after the one
    that follows it, at the latest after `delay_ms`. `refused`: it does not arrive, as if nobody listened, and is tried
    again later.
    """

    kind: Kind
    webhook_id: Id | None = None
    times: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] | None = None


class WebhookFaults:
    """Stands in front of what carries deliveries out, and plays the faults asked for, first come first."""

    def __init__(self) -> None:
        self.waiting: list[WebhookFault] = []
        self._held: dict[str, asyncio.Event] = {}  # by the webhook: what lets go the delivery that is held back

    def forget(self) -> None:
        """Nothing goes wrong any more; what is held back leaves."""
        self.waiting.clear()
        for held in self._held.values():
            held.set()

    def carrier(self, database: Database, clock: Clock, outbound: Outbound) -> Carrier:
        """Sends deliveries, well or badly."""
        well = delivering.carrier(database, clock, outbound)
        refused = delivering.carrier(database, clock, _NobodyThere())

        async def carry(work: Work) -> Then | None:
            held = self._held.get(work.target)
            if held is not None and not held.is_set():
                return await _before(held, well, work)
            fault = self._next(work)
            match fault.kind if fault is not None else None:
                case "duplicate":
                    return await _twice(well, work)
                case "late":
                    await asyncio.sleep(_seconds(fault, LATE_MS))
                case "reordered":
                    await self._hold(work.target, _seconds(fault, HELD_MOST_MS))
                case "refused":
                    return await refused(work)
            return await well(work)

        return carry

    def _next(self, work: Work) -> WebhookFault | None:
        for fault in self.waiting:
            if fault.webhook_id is None or work.target == f"webhook:{fault.webhook_id}":
                fault.times -= 1
                if not fault.times:
                    self.waiting.remove(fault)
                return fault
        return None

    async def _hold(self, target: str, seconds: float) -> None:
        held = self._held[target] = asyncio.Event()
        try:
            async with asyncio.timeout(seconds):
                await held.wait()
        except TimeoutError:
            pass
        finally:
            if self._held.get(target) is held:
                del self._held[target]


class _NobodyThere(Outbound):
    """A network in which nobody answers."""

    def __init__(self) -> None:
        super().__init__(delivering.USER_AGENT, Allowed())

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        raise NoAnswer("the connection was refused (a fault that was asked for)")


async def _before(held: asyncio.Event, well: Carrier, work: Work) -> Then | None:
    """Overtake the delivery that is held back, and let it go."""
    try:
        return await well(work)
    finally:
        held.set()


async def _twice(well: Carrier, work: Work) -> Then | None:
    """Send it, and once more as after a crash between the answer and the note of it; the log has both."""
    first, second = await well(work), await well(work)

    def then(tx: Writer) -> None:
        for one in (first, second):
            if one is not None:
                one(tx)

    return then


def _seconds(fault: WebhookFault | None, otherwise: int) -> float:
    given = fault.delay_ms if fault is not None else None
    return (otherwise if given is None else given) / 1000
