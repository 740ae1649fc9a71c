"""The kill switch, as administrators throw it and take it back."""

from __future__ import annotations

from typing import Any

from deskhand.db.engine import Reader, Writer
from deskhand.gateway import agents, stops
from deskhand.gateway.administering.who import Ground, Who
from deskhand.gateway.agents import AgentRow
from deskhand.gateway.stops import Scope, Stop


class StopVerbs:
    """What is stopped, and no longer."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def listed(self, account_id: int) -> list[Stop]:
        """What is stopped."""
        return await self._ground.database.read(lambda db: stops.listed(db, account_id))

    async def add(self, who: Who, scope: Scope, target_id: int | None = None) -> Stop:
        """Stop one agent, an inbox's writes, all writes or everything."""
        ground = self._ground

        def write(tx: Writer) -> Stop:
            inboxes = ground.all_inboxes(tx, who.account_id)
            made = stops.add(tx, who.account_id, scope, target_id, who.by, ground.clock.now(), inboxes)
            about, words = self._stopped(tx, who.account_id, made)
            ground.log(tx, who, f"stopped {words}", _particulars("stopped", made), about)
            return made

        return await ground.database.write(write)

    async def lift(self, who: Who, id: int) -> None:
        """Take one stop back."""

        def write(tx: Writer) -> None:
            before = stops.lift(tx, who.account_id, id)
            about, words = self._stopped(tx, who.account_id, before)
            self._ground.log(tx, who, f"no longer stops {words}", _particulars("stop_lifted", before), about)

        await self._ground.database.write(write)

    async def lift_all(self, who: Who) -> int:
        """Take every stop back; gives how many there were."""

        def write(tx: Writer) -> int:
            count = stops.lift_all(tx, who.account_id)
            if count:
                self._ground.log(tx, who, "lifted every stop", {"change": "stops_lifted", "stops": count})
            return count

        return await self._ground.database.write(write)

    def _stopped(self, db: Reader, account_id: int, stop: Stop) -> tuple[AgentRow | None, str]:
        """The agent that a stop is about, if it is about one, and what it stops in words."""
        match stop.scope:
            case "agent":
                about = agents.by_id(db, account_id, stop.target_id or 0)
                return about, f"agent {about.name if about else stop.target_id}"
            case "inbox_writes":
                names = self._ground.inbox_names(db, account_id) if self._ground.inbox_names is not None else {}
                return None, f"agents' writes in {names.get(stop.target_id or 0) or f'inbox {stop.target_id}'}"
            case "writes":
                return None, "all writes of agents"
            case "all":
                return None, "all agents"


def _particulars(change: str, stop: Stop) -> dict[str, Any]:
    return {"change": change, "stop_id": stop.id, "scope": stop.scope, "target_id": stop.target_id}
