"""Agents, as administrators make, name, pause and delete them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from deskhand.catalogue.problems import invalid, unknown_id
from deskhand.db.engine import Reader, Writer
from deskhand.gateway import agents, connections, grant_words, grants, keys, presets
from deskhand.gateway.administering.grants import preset_in
from deskhand.gateway.administering.who import Ground, Who
from deskhand.gateway.agents import AgentRow, Made
from deskhand.gateway.keys import Key


class ShownAgent(msgspec.Struct, frozen=True, omit_defaults=True):
    """An agent as administrators see it; `connection_id` only of one that acts on a remote desk."""

    id: int
    name: str
    state: Literal["active", "paused"]
    keys: list[Key]
    client_id: str
    grants: dict[str, Any]
    grant_version: int
    connection_id: int | None = None


class AgentVerbs:
    """What is done to agents."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def listed(self, account_id: int) -> list[ShownAgent]:
        """All agents but deleted ones."""

        def read(db: Reader) -> list[ShownAgent]:
            of_all = keys.of_all(db, account_id)
            return [_shown(db, row, of_all.get(row.id, [])) for row in agents.living(db, account_id)]

        return await self._ground.database.read(read)

    async def one(self, account_id: int, id: int) -> ShownAgent:
        """One agent."""
        return await self._ground.database.read(lambda db: _shown_by_id(db, account_id, id))

    async def require(self, account_id: int, id: int) -> None:
        """Raises BadRequest about `agent_id` unless there is such an agent."""
        found = await self._ground.database.read(lambda db: agents.by_id(db, account_id, id))
        if found is None or found.state == "deleted":
            raise unknown_id("agent_id", id, "agent")

    async def create(
        self,
        who: Who,
        name: str,
        *,
        given: Mapping[str, Any] | None = None,
        preset: str | None = None,
        inboxes: presets.Inboxes | None = None,
        connection_id: int | None = None,
        key_expires_at: str | None = None,
    ) -> Made:
        """Make an agent; what it may do is `given` as grants, or by a preset that holds in some inboxes or all."""
        if given is not None and preset is not None:
            raise invalid("preset", "give either a preset or grants", "ValidIdentifier", preset)
        if inboxes is not None and preset is None:
            raise invalid("inboxes", "goes with a preset", "ValidIdentifier")
        ground = self._ground

        def write(tx: Writer) -> Made:
            now = ground.clock.now()
            # Where no desk is in this process, the first connection is the way to it.
            first = connections.first(tx, who.account_id) if ground.authors is None else None
            made = agents.create(
                tx, who.account_id, name, ground.authors, now,
                connection_id=connection_id or first, key_expires_at=key_expires_at, mint=ground.mint,
            )  # fmt: skip
            row = agents.require(tx, who.account_id, made.id)
            text = f"made agent {made.name}"
            particulars: dict[str, Any] = {"change": "agent_created"}
            known = ground.inboxes_of(tx, row)
            asked = given if preset is None else preset_in(preset, "all" if inboxes is None else inboxes, known)
            if asked is not None:
                held = grants.read_grants(asked, known)
                grants.put(tx, who.account_id, made.id, held, who.by, now)
                text += f", which {grant_words.in_words(held, known)}"
                particulars |= {"grants": grants.as_json(held)} | ({} if preset is None else {"preset": preset})
            ground.log(tx, who, text, particulars, row)
            return made

        return await ground.database.write(write)

    async def rename(self, who: Who, id: int, name: str) -> ShownAgent:
        """Give an agent another name."""

        def write(tx: Writer) -> ShownAgent:
            before = agents.rename(tx, who.account_id, id, name, self._ground.authors, self._ground.clock.now())
            after = _shown_by_id(tx, who.account_id, id)
            if after.name != before.name:
                text = f"renamed agent {before.name} to {after.name}"
                self._ground.log(tx, who, text, {"change": "agent_renamed", "before": before.name}, after)
            return after

        return await self._ground.database.write(write)

    async def pause(self, who: Who, id: int) -> ShownAgent:
        """Let an agent do nothing until it is resumed."""
        return await self._set_state(who, id, "paused", "paused agent {name}", "agent_paused")

    async def resume(self, who: Who, id: int) -> ShownAgent:
        """Let a paused agent go on."""
        return await self._set_state(who, id, "active", "let agent {name} go on", "agent_resumed")

    async def _set_state(
        self, who: Who, id: int, state: Literal["active", "paused"], text: str, change: str
    ) -> ShownAgent:
        def write(tx: Writer) -> ShownAgent:
            before = agents.set_state(tx, who.account_id, id, state)
            if before.state != state:
                self._ground.log(tx, who, text.format(name=before.name), {"change": change}, before)
            return _shown_by_id(tx, who.account_id, id)

        return await self._ground.database.write(write)

    async def delete(self, who: Who, id: int) -> None:
        """End an agent with its keys and tokens."""

        def write(tx: Writer) -> None:
            before = agents.delete(tx, who.account_id, id, self._ground.authors, self._ground.clock.now())
            self._ground.log(tx, who, f"deleted agent {before.name}", {"change": "agent_deleted"}, before)

        await self._ground.database.write(write)


def _shown_by_id(db: Reader, account_id: int, id: int) -> ShownAgent:
    row = agents.require(db, account_id, id)
    return _shown(db, row, keys.of(db, account_id, id))


def _shown(db: Reader, row: AgentRow, its_keys: list[Key]) -> ShownAgent:
    assert row.state != "deleted"
    held = grants.as_json(grants.current(db, row.account_id, row.id))
    return ShownAgent(
        row.id, row.name, row.state, its_keys, row.client_id, held, row.grant_version, row.connection_id
    )  # fmt: skip
