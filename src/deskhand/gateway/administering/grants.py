"""What agents may do: as administrators decide it, and its versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from deskhand.catalogue.problems import AlreadyThere, BadRequest, FieldError, empty, invalid, shown, unknown_id
from deskhand.db.engine import Reader, Writer
from deskhand.gateway import agents, cedar, grant_words, grants, presets
from deskhand.gateway.administering.who import Ground, Who
from deskhand.gateway.agents import AgentRow
from deskhand.gateway.audit import By
from deskhand.gateway.policy import Grants


class ShownGrants(msgspec.Struct, frozen=True):
    """What an agent may do, and as the how-manieth version that was decided; 0: it never was."""

    resources: dict[str, Any]
    actions: dict[str, Any]
    limits: dict[str, Any]
    expires_at: str | None
    version: int


class ShownVersion(msgspec.Struct, frozen=True):
    """A version of an agent's grants, and who decided so when."""

    version: int
    made_at: str
    made_by: By
    grants: dict[str, Any]


class GrantVerbs:
    """What is decided about agents' grants."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def current(self, account_id: int, id: int) -> ShownGrants:
        """What an agent may do."""

        def read(db: Reader) -> ShownGrants:
            agents.require(db, account_id, id)
            return _shown(grants.current(db, account_id, id))

        return await self._ground.database.read(read)

    async def put(self, who: Who, id: int, given: Mapping[str, Any]) -> ShownGrants:
        """Let an agent do this and nothing else; a `version` given along must be the present one."""
        return await self._change(
            who, id, lambda tx, row, known: grants.read_grants(given, known), expected=given.get("version")
        )

    async def put_preset(self, who: Who, id: int, preset: str, inboxes: presets.Inboxes = "all") -> ShownGrants:
        """Let an agent do what a preset says, in some inboxes or in all."""
        return await self._change(
            who, id, lambda tx, row, known: grants.read_grants(preset_in(preset, inboxes, known), known)
        )

    async def revert(self, who: Who, id: int, version: int) -> ShownGrants:
        """Bring back what an agent might do in an earlier version."""

        def held(tx: Writer, row: AgentRow, known: Mapping[int, str] | None) -> Grants:
            old = grants.at_version(tx, who.account_id, id, version)
            if old is None:
                raise unknown_id("version", version, "version")
            return old.grants

        return await self._change(who, id, held, back_to=version)

    async def _change(
        self,
        who: Who,
        id: int,
        held: Callable[[Writer, AgentRow, Mapping[int, str] | None], Grants],
        *,
        expected: Any = None,
        back_to: int | None = None,
    ) -> ShownGrants:
        ground = self._ground

        def write(tx: Writer) -> ShownGrants:
            row = agents.hold(tx, who.account_id, id)
            _require_version(expected, row.grant_version)
            known = ground.inboxes_of(tx, row)
            before, after = grants.current(tx, who.account_id, id), held(tx, row, known)
            version = grants.put(tx, who.account_id, id, after, who.by, ground.clock.now())
            how = f"went back to version {back_to} of" if back_to else "changed"
            text = f"{how} the grants of agent {row.name}: it {grant_words.in_words(after, known)} (version {version})"
            particulars = {"change": "grants_changed", "version": version, "grants": grants.as_json(after)}
            ground.log(tx, who, text, particulars | {"changes": grant_words.diff(before, after, known)}, row)
            return _shown(grants.current(tx, who.account_id, id))

        return await ground.database.write(write)

    async def history(self, account_id: int, id: int) -> list[ShownVersion]:
        """The versions of an agent's grants, the latest first."""

        def read(db: Reader) -> list[ShownVersion]:
            agents.require(db, account_id, id)
            return [
                ShownVersion(one.version, one.made_at, one.made_by, grants.as_json(one.grants))
                for one in grants.history(db, account_id, id)
            ]

        return await self._ground.database.read(read)

    async def diff(self, account_id: int, id: int, since: int | None = None, until: int | None = None) -> list[str]:
        """What is different between two versions, in words; by default between the last one and the one before."""

        def read(db: Reader) -> list[str]:
            row = agents.require(db, account_id, id)
            last = row.grant_version if until is None else until
            first = max(0, last - 1) if since is None else since
            old, new = (_at(db, row, name, version) for name, version in (("from", first), ("to", last)))
            return grant_words.diff(old, new, self._ground.inboxes_of(db, row))

        return await self._ground.database.read(read)

    async def cedar(self, account_id: int, id: int) -> str:
        """An agent's grants as Cedar policies."""

        def read(db: Reader) -> str:
            agents.require(db, account_id, id)
            return cedar.policies(id, grants.current(db, account_id, id))

        return await self._ground.database.read(read)


def preset_in(name: str, inboxes: presets.Inboxes, known: Mapping[int, str] | None) -> dict[str, Any]:
    """A preset as grants; raises BadRequest that names the inbox that there is not."""
    if not inboxes:
        raise BadRequest(empty("inboxes"))
    if inboxes != "all" and known is not None:
        for position, id in enumerate(inboxes):
            if id not in known:
                raise unknown_id(f"inboxes[{position}]", int(id), "inbox")
    return presets.preset(name, inboxes)


def _shown(held: Grants) -> ShownGrants:
    return ShownGrants(**grants.as_json(held), version=held.version)


def _require_version(expected: Any, present: int) -> None:
    """Raises AlreadyThere when grants were changed since they were read, if it was said as which version they were."""
    if expected is None:
        return
    if isinstance(expected, bool) or not isinstance(expected, int):
        raise invalid("version", "must be an integer", "ValidIdentifier", expected)
    if expected != present:
        raise AlreadyThere(
            FieldError("version", f"is not the present one, which is {present}", "ValidIdentifier", shown(expected))
        )


def _at(db: Reader, row: AgentRow, name: str, version: int) -> Grants:
    """What an agent held in a version; nothing before the first."""
    if version == 0:
        return Grants()
    found = grants.at_version(db, row.account_id, row.id, version)
    if found is None:
        raise BadRequest(FieldError(name, "no such version", "ValidIdentifier", shown(version), "QUERY"))
    return found.grants
