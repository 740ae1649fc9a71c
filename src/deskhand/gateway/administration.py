"""What people do to agents: each verb with its entry in the log, in one transaction. They may come by any door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from deskhand.catalogue.problems import AlreadyThere, BadRequest, FieldError, empty, invalid, shown, unknown_id
from deskhand.db.engine import Database, Reader, Writer
from deskhand.gateway import admin_tokens, agents, cedar, connections, grants, keys, mcp_clients, presets, stops, tokens
from deskhand.gateway.admin_tokens import AdminToken, MadeToken
from deskhand.gateway.agents import AgentRow, Authors, Made
from deskhand.gateway.audit import Audit, By, Named
from deskhand.gateway.connections import Also, Connection
from deskhand.gateway.keys import Key, MadeKey
from deskhand.gateway.mcp_clients import Access
from deskhand.gateway.policy import Grants
from deskhand.gateway.stops import Scope, Stop
from deskhand.gateway.tokens import Client
from deskhand.lib.clock import Clock
from deskhand.lib.secrets import Mint, new_token
from deskhand.outbox.events import PAGES

InboxNames = Callable[[Reader, int], Mapping[int, str]]
"""What the inboxes of an account are called on the desk here."""
PresetInboxes = Literal["all"] | Sequence[int]


class Who(msgspec.Struct, frozen=True):
    """Who administers an account; `words` begin the sentences about what they do."""

    account_id: int
    by: By
    words: str


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


class Administration:
    """An administrator's verbs. They raise the API's problems: BadRequest, NotFound, AlreadyThere."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: Audit,
        authors: Authors | None,
        inbox_names: InboxNames | None,
        mint: Mint = new_token,
        default_connection: int | None = None,
    ) -> None:
        """Without `authors` and `inbox_names` there is no desk here: agents act on remote ones, or on the default."""
        self._database = database
        self._clock = clock
        self._audit = audit
        self._authors = authors
        self._inbox_names = inbox_names
        self._mint = mint
        self._default_connection = default_connection

    # -- Agents

    async def agents(self, account_id: int) -> list[ShownAgent]:
        """All agents but deleted ones."""

        def read(db: Reader) -> list[ShownAgent]:
            of_all = keys.of_all(db, account_id)
            return [_shown(db, row, of_all.get(row.id, [])) for row in agents.living(db, account_id)]

        return await self._database.read(read)

    async def agent(self, account_id: int, id: int) -> ShownAgent:
        """One agent."""
        return await self._database.read(lambda db: _shown_by_id(db, account_id, id))

    async def require(self, account_id: int, id: int) -> None:
        """Raises BadRequest about `agent_id` unless there is such an agent."""
        found = await self._database.read(lambda db: agents.by_id(db, account_id, id))
        if found is None or found.state == "deleted":
            raise unknown_id("agent_id", id, "agent")

    async def create(
        self,
        who: Who,
        name: str,
        *,
        given: Mapping[str, Any] | None = None,
        preset: str | None = None,
        inboxes: PresetInboxes | None = None,
        connection_id: int | None = None,
        key_expires_at: str | None = None,
    ) -> Made:
        """Make an agent; what it may do is `given` as grants, or by a preset that holds in some inboxes or all."""
        if given is not None and preset is not None:
            raise invalid("preset", "give either a preset or grants", "ValidIdentifier", preset)
        if inboxes is not None and preset is None:
            raise invalid("inboxes", "goes with a preset", "ValidIdentifier")

        def write(tx: Writer) -> Made:
            # Where no desk is in this process, the first connection is the way to it.
            first = connections.first(tx, who.account_id) if self._authors is None else None
            made = agents.create(
                tx, who.account_id, name, self._authors, self._clock.now(),
                connection_id=connection_id or first, key_expires_at=key_expires_at, mint=self._mint,
            )  # fmt: skip
            row = agents.require(tx, who.account_id, made.id)
            text = f"made agent {made.name}"
            particulars: dict[str, Any] = {"change": "agent_created"}
            known = self._inboxes_of(tx, row)
            asked = given if preset is None else _preset(preset, "all" if inboxes is None else inboxes, known)
            if asked is not None:
                held = grants.read_grants(asked, known)
                grants.put(tx, who.account_id, made.id, held, who.by, self._clock.now())
                text += f", which {grants.in_words(held, known)}"
                particulars |= {"grants": grants.as_json(held)} | ({} if preset is None else {"preset": preset})
            self._log(tx, who, text, particulars, row)
            return made

        return await self._database.write(write)

    async def rename(self, who: Who, id: int, name: str) -> ShownAgent:
        """Give an agent another name."""

        def write(tx: Writer) -> ShownAgent:
            before = agents.rename(tx, who.account_id, id, name, self._authors, self._clock.now())
            after = _shown_by_id(tx, who.account_id, id)
            if after.name != before.name:
                text = f"renamed agent {before.name} to {after.name}"
                self._log(tx, who, text, {"change": "agent_renamed", "before": before.name}, after)
            return after

        return await self._database.write(write)

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
                self._log(tx, who, text.format(name=before.name), {"change": change}, before)
            return _shown_by_id(tx, who.account_id, id)

        return await self._database.write(write)

    async def delete(self, who: Who, id: int) -> None:
        """End an agent with its keys and tokens."""

        def write(tx: Writer) -> None:
            before = agents.delete(tx, who.account_id, id, self._authors, self._clock.now())
            self._log(tx, who, f"deleted agent {before.name}", {"change": "agent_deleted"}, before)

        await self._database.write(write)

    # -- Credentials

    async def add_key(self, who: Who, id: int, expires_at: str | None = None) -> MadeKey:
        """Give an agent another key."""

        def write(tx: Writer) -> MadeKey:
            row = agents.hold(tx, who.account_id, id)
            made = keys.add(tx, who.account_id, id, self._clock.now(), expires_at, mint=self._mint)
            end = f" until {expires_at}" if expires_at else ""
            particulars = {"change": "key_created", "key_id": made.id, "prefix": made.prefix, "expires_at": expires_at}
            self._log(tx, who, f"gave agent {row.name} a key, {made.prefix}…{end}", particulars, row)
            return made

        return await self._database.write(write)

    async def revoke_key(self, who: Who, id: int, key_id: int) -> None:
        """Take a key away from an agent."""

        def write(tx: Writer) -> None:
            row = agents.hold(tx, who.account_id, id)
            key = keys.revoke(tx, who.account_id, id, key_id)
            particulars = {"change": "key_revoked", "key_id": key.id, "prefix": key.prefix}
            self._log(tx, who, f"revoked a key of agent {row.name}, {key.prefix}…", particulars, row)

        await self._database.write(write)

    async def renew_secret(self, who: Who, id: int) -> Client:
        """Give an agent another client secret."""

        def write(tx: Writer) -> Client:
            row = agents.hold(tx, who.account_id, id)
            made = Client(row.client_id, tokens.new_secret(tx, who.account_id, id))
            self._log(tx, who, f"gave agent {row.name} a new client secret", {"change": "secret_renewed"}, row)
            return made

        return await self._database.write(write)

    async def programs(self, account_id: int, id: int) -> list[Access]:
        """The programs that act for an agent because a person let them in."""

        def read(db: Reader) -> list[Access]:
            agents.require(db, account_id, id)
            return mcp_clients.of_agent(db, account_id, id, self._clock.now())

        return await self._database.read(read)

    async def end_program(self, who: Who, id: int, program_id: int) -> None:
        """Let a program act for an agent no longer."""

        def write(tx: Writer) -> None:
            row = agents.hold(tx, who.account_id, id)
            ended = mcp_clients.end(tx, who.account_id, id, program_id, self._clock.now())
            particulars = {"change": "program_ended", "program_id": ended.id, "program": ended.name}
            self._log(tx, who, f"ended the access of the program {ended.name} as agent {row.name}", particulars, row)

        await self._database.write(write)

    # -- Grants

    async def grants(self, account_id: int, id: int) -> ShownGrants:
        """What an agent may do."""

        def read(db: Reader) -> ShownGrants:
            agents.require(db, account_id, id)
            return _shown_grants(grants.current(db, account_id, id))

        return await self._database.read(read)

    async def set_grants(self, who: Who, id: int, given: Mapping[str, Any]) -> ShownGrants:
        """Let an agent do this and nothing else; a `version` given along must be the present one."""
        return await self._change_grants(
            who, id, lambda tx, row, known: grants.read_grants(given, known), expected=given.get("version")
        )

    async def set_preset(self, who: Who, id: int, preset: str, inboxes: PresetInboxes = "all") -> ShownGrants:
        """Let an agent do what a preset says, in some inboxes or in all."""
        return await self._change_grants(
            who, id, lambda tx, row, known: grants.read_grants(_preset(preset, inboxes, known), known)
        )

    async def revert(self, who: Who, id: int, version: int) -> ShownGrants:
        """Bring back what an agent might do in an earlier version."""

        def held(tx: Writer, row: AgentRow, known: Mapping[int, str] | None) -> Grants:
            old = grants.at_version(tx, who.account_id, id, version)
            if old is None:
                raise unknown_id("version", version, "version")
            return old.grants

        return await self._change_grants(who, id, held, back_to=version)

    async def _change_grants(
        self,
        who: Who,
        id: int,
        held: Callable[[Writer, AgentRow, Mapping[int, str] | None], Grants],
        *,
        expected: Any = None,
        back_to: int | None = None,
    ) -> ShownGrants:
        def write(tx: Writer) -> ShownGrants:
            row = agents.hold(tx, who.account_id, id)
            _require_version(expected, row.grant_version)
            known = self._inboxes_of(tx, row)
            before, after = grants.current(tx, who.account_id, id), held(tx, row, known)
            version = grants.put(tx, who.account_id, id, after, who.by, self._clock.now())
            how = f"went back to version {back_to} of" if back_to else "changed"
            text = f"{how} the grants of agent {row.name}: it {grants.in_words(after, known)} (version {version})"
            particulars = {"change": "grants_changed", "version": version, "grants": grants.as_json(after)}
            self._log(tx, who, text, particulars | {"changes": grants.diff(before, after, known)}, row)
            return _shown_grants(grants.current(tx, who.account_id, id))

        return await self._database.write(write)

    async def history(self, account_id: int, id: int) -> list[ShownVersion]:
        """The versions of an agent's grants, the latest first."""

        def read(db: Reader) -> list[ShownVersion]:
            agents.require(db, account_id, id)
            return [
                ShownVersion(one.version, one.made_at, one.made_by, grants.as_json(one.grants))
                for one in grants.history(db, account_id, id)
            ]

        return await self._database.read(read)

    async def diff(self, account_id: int, id: int, since: int | None = None, until: int | None = None) -> list[str]:
        """What is different between two versions, in words; by default between the last one and the one before."""

        def read(db: Reader) -> list[str]:
            row = agents.require(db, account_id, id)
            last = row.grant_version if until is None else until
            first = max(0, last - 1) if since is None else since
            old, new = (_at(db, row, name, version) for name, version in (("from", first), ("to", last)))
            return grants.diff(old, new, self._inboxes_of(db, row))

        return await self._database.read(read)

    async def cedar(self, account_id: int, id: int) -> str:
        """An agent's grants as Cedar policies."""

        def read(db: Reader) -> str:
            agents.require(db, account_id, id)
            return cedar.policies(id, grants.current(db, account_id, id))

        return await self._database.read(read)

    @staticmethod
    def presets() -> dict[str, dict[str, Any]]:
        """All presets as grants, by their names."""
        return {name: presets.preset(name) for name in presets.PRESETS}

    # -- The kill switch

    async def stops(self, account_id: int) -> list[Stop]:
        """What is stopped."""
        return await self._database.read(lambda db: stops.listed(db, account_id))

    async def stop(self, who: Who, scope: Scope, target_id: int | None = None) -> Stop:
        """Stop one agent, an inbox's writes, all writes or everything."""

        def write(tx: Writer) -> Stop:
            inboxes = self._all_inboxes(tx, who.account_id)
            made = stops.add(tx, who.account_id, scope, target_id, who.by, self._clock.now(), inboxes)
            about, words = self._stopped(tx, who.account_id, made)
            self._log(tx, who, f"stopped {words}", _particulars("stopped", made), about)
            return made

        return await self._database.write(write)

    async def lift(self, who: Who, id: int) -> None:
        """Take one stop back."""

        def write(tx: Writer) -> None:
            before = stops.lift(tx, who.account_id, id)
            about, words = self._stopped(tx, who.account_id, before)
            self._log(tx, who, f"no longer stops {words}", _particulars("stop_lifted", before), about)

        await self._database.write(write)

    async def lift_all(self, who: Who) -> int:
        """Take every stop back; gives how many there were."""

        def write(tx: Writer) -> int:
            count = stops.lift_all(tx, who.account_id)
            if count:
                self._log(tx, who, "lifted every stop", {"change": "stops_lifted", "stops": count})
            return count

        return await self._database.write(write)

    def _stopped(self, db: Reader, account_id: int, stop: Stop) -> tuple[AgentRow | None, str]:
        """The agent that a stop is about, if it is about one, and what it stops in words."""
        match stop.scope:
            case "agent":
                about = agents.by_id(db, account_id, stop.target_id or 0)
                return about, f"agent {about.name if about else stop.target_id}"
            case "inbox_writes":
                names = self._inbox_names(db, account_id) if self._inbox_names is not None else {}
                return None, f"agents' writes in {names.get(stop.target_id or 0) or f'inbox {stop.target_id}'}"
            case "writes":
                return None, "all writes of agents"
            case "all":
                return None, "all agents"

    # -- Administrators' tokens and connections

    async def admin_tokens(self, account_id: int) -> list[AdminToken]:
        """The tokens for this administration."""
        return await self._database.read(lambda db: admin_tokens.listed(db, account_id))

    async def make_admin_token(self, who: Who, name: str, expires_at: str | None = None) -> MadeToken:
        """Make a token for this administration."""

        def write(tx: Writer) -> MadeToken:
            made = admin_tokens.create(tx, who.account_id, name, self._clock.now(), expires_at, mint=self._mint)
            particulars = {"change": "admin_token_created", "admin_token_id": made.id, "expires_at": expires_at}
            self._log(tx, who, f"made admin token {made.name}, {made.prefix}…", particulars)
            return made

        return await self._database.write(write)

    async def revoke_admin_token(self, who: Who, id: int) -> None:
        """Take an administrator's token away."""

        def write(tx: Writer) -> None:
            before = admin_tokens.revoke(tx, who.account_id, id)
            particulars = {"change": "admin_token_revoked", "admin_token_id": id}
            self._log(tx, who, f"revoked admin token {before.name}, {before.prefix}…", particulars)

        await self._database.write(write)

    def logs_connection(self, who: Who, change: Literal["added", "removed", "renewed"]) -> Also:
        """What logs a change of a connection, in the transaction that makes it."""
        words = {"added": "added", "removed": "removed", "renewed": "gave new credentials to"}[change]

        def log(tx: Writer, row: Connection) -> None:
            particulars = {"change": f"connection_{change}", "connection_id": row.id, "base_url": row.base_url}
            self._log(tx, who, f"{words} connection {row.name} to {row.base_url}", particulars)

        return log

    # --

    def _log(
        self,
        tx: Writer,
        who: Who,
        text: str,
        particulars: Mapping[str, Any],
        about: AgentRow | ShownAgent | None = None,
    ) -> None:
        named = None if about is None else Named(about.id, about.name)
        self._audit.admin(tx, who.account_id, who.by, f"{who.words} {text}", particulars, named)
        tx.changed(PAGES)

    def _all_inboxes(self, db: Reader, account_id: int) -> Mapping[int, str] | None:
        """The inboxes in which any agent can act; None where some may be a remote desk's."""
        if self._inbox_names is None or connections.first(db, account_id) is not None:
            return None
        return self._inbox_names(db, account_id)

    def _inboxes_of(self, db: Reader, row: AgentRow) -> Mapping[int, str] | None:
        """The inboxes of the desk that an agent acts on; None where only that desk knows them."""
        if row.connection_id is not None or self._inbox_names is None:
            return None
        return self._inbox_names(db, row.account_id)


def command_line(account_id: int) -> Who:
    """Whoever types a command on the machine."""
    return Who(account_id, By("command_line"), "Somebody at the command line")


def _shown_by_id(db: Reader, account_id: int, id: int) -> ShownAgent:
    row = agents.require(db, account_id, id)
    return _shown(db, row, keys.of(db, account_id, id))


def _shown(db: Reader, row: AgentRow, its_keys: list[Key]) -> ShownAgent:
    assert row.state != "deleted"
    held = grants.as_json(grants.current(db, row.account_id, row.id))
    return ShownAgent(
        row.id, row.name, row.state, its_keys, row.client_id, held, row.grant_version, row.connection_id
    )  # fmt: skip


def _shown_grants(held: Grants) -> ShownGrants:
    return ShownGrants(**grants.as_json(held), version=held.version)


def _preset(name: str, inboxes: PresetInboxes, known: Mapping[int, str] | None) -> dict[str, Any]:
    """A preset as grants; raises BadRequest that names the inbox that there is not."""
    if not inboxes:
        raise BadRequest(empty("inboxes"))
    if inboxes != "all" and known is not None:
        for position, id in enumerate(inboxes):
            if id not in known:
                raise unknown_id(f"inboxes[{position}]", int(id), "inbox")
    return presets.preset(name, inboxes)


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


def _particulars(change: str, stop: Stop) -> dict[str, Any]:
    return {"change": change, "stop_id": stop.id, "scope": stop.scope, "target_id": stop.target_id}
