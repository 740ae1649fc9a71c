"""Agents: making, renaming, pausing and deleting them, and finding the one that a credential stands for."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime
from functools import partial
from typing import Literal, Protocol

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AlreadyThere, BadRequest, FieldError, NotFound, empty, unknown_id
from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.db.tables import Id, Text
from deskhand.gateway import grants, keys, names, tokens
from deskhand.gateway.audit import Audit, AuditUnavailable, Named
from deskhand.gateway.credentials import (
    AGENTS_CHANGED,
    CREDENTIAL,
    LENGTH_MOST,
    Memory,
    Uses,
    require_later,
    shown_part,
)
from deskhand.gateway.policy import Grants
from deskhand.gateway.tables import agent, agent_key, agent_token, connection
from deskhand.lib.clock import Clock, to_wire
from deskhand.lib.secrets import Mint, digest, new_token
from deskhand.lib.text import fold

State = Literal["active", "paused", "deleted"]
_FOLDED_MOST = 600  # a few characters fold to up to 18; PostgreSQL indexes no text over 2,700 bytes


class Agent(msgspec.Struct, frozen=True):
    """An agent as a caller: who it is on the desk, and what it was granted."""

    id: int
    account_id: int
    name: str
    state: State
    user_id: int | None
    connection_id: int | None
    grants: Grants
    key_id: int | None = None
    token_id: int | None = None


class AgentRow(msgspec.Struct, frozen=True):
    """An agent as stored."""

    id: int
    account_id: int
    name: str
    state: State
    user_id: int | None
    connection_id: int | None
    client_id: str
    grant_version: int
    created_at: str


class NewAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent as it begins."""

    account_id: int
    name: str
    folded: str
    state: State = "active"
    user_id: int | None
    connection_id: int | None
    client_id: str
    secret_hash: str
    grant_version: int = 0
    created_at: str


class Made(msgspec.Struct, frozen=True):
    """A new agent, this once with its secrets."""

    id: int
    name: str
    key: str
    client_id: str
    client_secret: str


class Authors(Protocol):
    """Who agents are on the desk in this process: system users, whose name stands beside what they write."""

    def add(self, tx: Writer, account_id: int, name: str, now: datetime) -> int:
        """Make a system user; gives their id."""
        ...

    def rename(self, tx: Writer, account_id: int, user_id: int, name: str, now: datetime) -> None: ...

    def retire(self, tx: Writer, account_id: int, user_id: int, now: datetime) -> None:
        """Keep them for what they wrote, but as nobody who could write."""
        ...


class _Caller(msgspec.Struct, frozen=True):
    id: int
    account_id: int
    name: str
    state: State
    user_id: int | None
    connection_id: int | None
    key_id: int | None
    token_id: int | None
    expires_at: str | None
    last_used_at: str | None


_DELETED: sa.ColumnElement[str] = sa.literal_column("'deleted'")
_ONE = (agent.c.account_id == P("account_id"), agent.c.id == P("id"))
_ROW = sa.select(*columns(agent, *AgentRow.__struct_fields__))
_ADD = Insert(agent, NewAgent)
_BY_ID = rows(AgentRow, _ROW.where(*_ONE))
_HELD = rows(AgentRow, _ROW.where(*_ONE).with_for_update())
_LIST = rows(
    AgentRow, _ROW.where(agent.c.account_id == P("account_id"), agent.c.state != _DELETED).order_by(agent.c.id)
)
_NAMED = value(int, sa.select(agent.c.id).where(agent.c.account_id == P("account_id"), agent.c.folded == P("folded")))
_CONNECTION = value(
    int,
    sa.select(connection.c.id)
    .where(connection.c.account_id == P("account_id"), connection.c.id == P("id"))
    .with_for_update(read=True, key_share=True),  # it stays there until the agent that uses it is
)
_RENAME = command(sa.update(agent).where(*_ONE).values(name=P("name"), folded=P("folded")))
_SET_STATE = command(sa.update(agent).where(*_ONE).values(state=P("state")))
_DELETE = command(sa.update(agent).where(*_ONE).values(state=_DELETED, folded=sa.null()))
_CALLER = columns(agent, "id", "account_id", "name", "state", "user_id", "connection_id")
_BY_CREDENTIAL = rows(
    _Caller,
    sa.union_all(
        sa.select(
            *_CALLER,
            agent_key.c.id.label("key_id"),
            sa.cast(sa.null(), Id).label("token_id"),
            agent_key.c.expires_at,
            agent_key.c.last_used_at,
        )
        .join(agent_key, sa.and_(agent_key.c.account_id == agent.c.account_id, agent_key.c.agent_id == agent.c.id))
        .where(agent_key.c.key_hash == P("key_hash"), agent.c.state != _DELETED),
        sa.select(
            *_CALLER,
            sa.cast(sa.null(), Id).label("key_id"),
            agent_token.c.id.label("token_id"),
            agent_token.c.expires_at,
            sa.cast(sa.null(), Text).label("last_used_at"),
        )
        .join(
            agent_token, sa.and_(agent_token.c.account_id == agent.c.account_id, agent_token.c.agent_id == agent.c.id)
        )
        .where(agent_token.c.access_hash == P("access_hash"), agent.c.state != _DELETED),
    ),
)
_KEY = value(int, sa.select(agent_key.c.id).where(agent_key.c.account_id == P("account_id"), agent_key.c.id == P("id")))
_TOKEN = value(
    int, sa.select(agent_token.c.id).where(agent_token.c.account_id == P("account_id"), agent_token.c.id == P("id"))
)


def create(
    tx: Writer,
    account_id: int,
    name: str,
    authors: Authors | None,
    now: datetime,
    *,
    connection_id: int | None = None,
    key_expires_at: str | None = None,
    mint: Mint = new_token,
) -> Made:
    """Make an agent with its first key; it may do nothing yet.

    Without a connection it acts on the desk here, as a system user of its own; `authors` is None where there is no
    desk. Raises BadRequest for a name or a connection that can't be, AlreadyThere for a name that another agent has.
    """
    name, folded = _usable(tx, account_id, name)
    require_later(key_expires_at, now, "key_expires_at")
    user_id = None
    if connection_id is None:
        if authors is None:
            raise BadRequest(empty("connection_id"))
        user_id = authors.add(tx, account_id, name, now)
    elif tx.one(_CONNECTION, account_id=account_id, id=connection_id) is None:
        raise unknown_id("connection_id", connection_id, "connection")
    client = tokens.new_client(mint)
    new = NewAgent(
        account_id=account_id, name=name, folded=folded, user_id=user_id, connection_id=connection_id,
        client_id=client.client_id, secret_hash=digest(client.client_secret), created_at=to_wire(now),
    )  # fmt: skip
    id = tx.add(_ADD, new)
    key = keys.add(tx, account_id, id, now, key_expires_at, mint=mint)
    tx.changed(AGENTS_CHANGED)
    return Made(id, name, key.key, client.client_id, client.client_secret)


def by_id(db: Reader, account_id: int, id: int) -> AgentRow | None:
    """An agent, also one that was deleted: the log goes on naming it."""
    return db.one(_BY_ID, account_id=account_id, id=id)


def living(db: Reader, account_id: int) -> list[AgentRow]:
    """An account's agents but for deleted ones, in the order they were made."""
    return db.all(_LIST, account_id=account_id)


def require(db: Reader, account_id: int, id: int) -> AgentRow:
    """An agent that was not deleted; raises NotFound."""
    return _alive(by_id(db, account_id, id))


def hold(tx: Writer, account_id: int, id: int) -> AgentRow:
    """As `require`, and nobody else changes the agent until this transaction ends."""
    return _alive(tx.one(_HELD, account_id=account_id, id=id))


def rename(tx: Writer, account_id: int, id: int, name: str, authors: Authors | None, now: datetime) -> AgentRow:
    """Give an agent another name, which its system user takes as well; gives what it was before."""
    before = hold(tx, account_id, id)
    name, folded = _usable(tx, account_id, name, id)
    if name != before.name:
        tx.run(_RENAME, account_id=account_id, id=id, name=name, folded=folded)
        if before.user_id is not None and authors is not None:
            authors.rename(tx, account_id, before.user_id, name, now)
        tx.changed(AGENTS_CHANGED)
    return before


def set_state(tx: Writer, account_id: int, id: int, state: Literal["active", "paused"]) -> AgentRow:
    """Pause an agent or let it go on; gives what it was before."""
    before = hold(tx, account_id, id)
    if before.state != state:
        tx.run(_SET_STATE, account_id=account_id, id=id, state=state)
        tx.changed(AGENTS_CHANGED)
    return before


def delete(tx: Writer, account_id: int, id: int, authors: Authors | None, now: datetime) -> AgentRow:
    """End an agent with its keys and tokens, at once; it stays known by name. Gives what it was before."""
    before = hold(tx, account_id, id)
    keys.revoke_all(tx, account_id, id)
    tokens.revoke_all(tx, account_id, id)
    tx.run(_DELETE, account_id=account_id, id=id)
    if before.user_id is not None and authors is not None:
        authors.retire(tx, account_id, before.user_id, now)
    tx.changed(AGENTS_CHANGED)
    return before


def _alive(found: AgentRow | None) -> AgentRow:
    if found is None or found.state == "deleted":
        raise NotFound
    return found


def _usable(db: Reader, account_id: int, given: str, own_id: int = 0) -> tuple[str, str]:
    """A name without spaces around it, and its folded form by which names are compared."""
    name = names.usable(given)
    folded = fold(name)
    if len(folded) > _FOLDED_MOST:
        raise names.too_long(given)
    if db.one(_NAMED, account_id=account_id, folded=folded) not in (None, own_id):
        raise AlreadyThere(FieldError("name", "another agent has this name", "ValidIdentifier", name))
    return name, folded


class Agents:
    """Finds the agent that a credential stands for, and remembers it for half a second.

    What is remembered is forgotten at once when this process changes an agent, a key, a token or a grant.
    """

    def __init__(self, database: Database, clock: Clock, audit: Audit | None = None) -> None:
        """`audit` is told of credentials that expired; of those unknown nobody can tell whose they are."""
        self._database = database
        self._clock = clock
        self._audit = audit
        self._memory: Memory[tuple[str | None, Agent]] = Memory()
        self._uses = Uses(database, clock)

    async def by_credential(self, given: str) -> Agent | None:
        """The agent of a key or an access token; None when it is unknown, revoked, expired or of a deleted agent."""
        if not given.startswith(CREDENTIAL) or len(given) > LENGTH_MOST:
            return None
        version, asked_at = self._database.versions[AGENTS_CHANGED], time.monotonic()
        known = self._memory.recall(given, version)
        if known is None:
            hashed = digest(given)
            found = await self._database.read(lambda db: _look_up(db, hashed))
            if found is None:
                return None
            caller, agent = found
            known = caller.expires_at, agent
            self._memory.keep(given, known, version, asked_at)
            await self._note(caller, given)
        expires_at, agent = known
        return agent if expires_at is None or expires_at > to_wire(self._clock.now()) else None

    async def by_id(self, account_id: int, id: int) -> Agent | None:
        """An agent that was not deleted, as a caller."""
        return await self._database.read(lambda db: as_caller(db, account_id, id))

    async def still(self, agent: Agent) -> Agent | None:
        """A caller as it is now, straight from the database; None when it or its credential ended meanwhile."""
        return await self._database.read(lambda db: _still(db, agent))

    async def _note(self, caller: _Caller, given: str) -> None:
        """Note that a key was used, or that a credential came too late."""
        if caller.expires_at is not None and caller.expires_at <= to_wire(self._clock.now()):
            if self._audit is not None:
                kind = "access token" if caller.key_id is None else "key"
                agent = Named(caller.id, caller.name)
                with contextlib.suppress(AuditUnavailable):  # it is refused in any case
                    await self._audit.failed_sign_in(
                        caller.account_id, f"its {kind} has expired", agent=agent, prefix=shown_part(given)
                    )
        elif caller.key_id is not None:
            note = partial(keys.note_use, account_id=caller.account_id, key_id=caller.key_id)
            self._uses.note(caller.last_used_at, note)


def as_caller(db: Reader, account_id: int, id: int) -> Agent | None:
    """An agent that was not deleted, with what it is granted now."""
    found = by_id(db, account_id, id)
    if found is None or found.state == "deleted":
        return None
    held = grants.current(db, account_id, id)
    return Agent(found.id, account_id, found.name, found.state, found.user_id, found.connection_id, held)


def _look_up(db: Reader, hashed: str) -> tuple[_Caller, Agent] | None:
    found = db.one(_BY_CREDENTIAL, key_hash=hashed, access_hash=hashed)
    if found is None:
        return None
    held = grants.current(db, found.account_id, found.id)
    agent = Agent(
        found.id, found.account_id, found.name, found.state, found.user_id, found.connection_id, held, found.key_id,
        found.token_id,
    )  # fmt: skip
    return found, agent


def _still(db: Reader, agent: Agent) -> Agent | None:
    for statement, id in ((_KEY, agent.key_id), (_TOKEN, agent.token_id)):
        if id is not None and db.one(statement, account_id=agent.account_id, id=id) is None:
            return None
    return as_caller(db, agent.account_id, agent.id)
