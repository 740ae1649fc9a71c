"""Agents' keys: shown once and kept as hashes; two at most, so that one can take the other's place."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AlreadyThere, FieldError, NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.gateway.credentials import AGENTS_CHANGED, CREDENTIAL, require_later, shown_part
from deskhand.gateway.tables import agent, agent_key
from deskhand.lib.clock import to_wire
from deskhand.lib.secrets import Mint, digest, new_token

LIVE_MOST = 2


class Key(msgspec.Struct, frozen=True):
    """A key as it is shown ever after."""

    id: int
    prefix: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None


class MadeKey(msgspec.Struct, frozen=True):
    """A new key, this once with its secret."""

    id: int
    key: str
    prefix: str
    expires_at: str | None


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is stored."""

    account_id: int
    agent_id: int
    prefix: str
    key_hash: str
    created_at: str
    expires_at: str | None


class _KeyOf(msgspec.Struct, frozen=True):
    agent_id: int
    id: int
    prefix: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None


_OF_AGENT = (agent_key.c.account_id == P("account_id"), agent_key.c.agent_id == P("agent_id"))
_ADD = Insert(agent_key, NewKey)
_LIST = rows(Key, sa.select(*columns(agent_key, *Key.__struct_fields__)).where(*_OF_AGENT).order_by(agent_key.c.id))
_LIST_ALL = rows(
    _KeyOf,
    sa.select(*columns(agent_key, *_KeyOf.__struct_fields__))
    .where(agent_key.c.account_id == P("account_id"))
    .order_by(agent_key.c.agent_id, agent_key.c.id),
)
# Whoever adds a key holds the agent meanwhile, so that two at once are not both the second.
_HOLD_AGENT = value(
    int,
    sa.select(agent.c.id)
    .where(
        agent.c.account_id == P("account_id"), agent.c.id == P("id"), agent.c.state != sa.literal_column("'deleted'")
    )
    .with_for_update(),
)
_REMOVE_EXPIRED = command(sa.delete(agent_key).where(*_OF_AGENT, agent_key.c.expires_at <= P("now")))
_REMOVE = command(sa.delete(agent_key).where(*_OF_AGENT, agent_key.c.id == P("id")))
_REMOVE_ALL = command(sa.delete(agent_key).where(*_OF_AGENT))
_NOTE_USE = command(
    sa.update(agent_key)
    .where(agent_key.c.account_id == P("account_id"), agent_key.c.id == P("id"))
    .values(last_used_at=P("now"))
)


def add(
    tx: Writer, account_id: int, agent_id: int, now: datetime, expires_at: str | None = None, *, mint: Mint = new_token
) -> MadeKey:
    """Make a key; those that expired make room for it.

    Raises NotFound without such an agent, AlreadyThere when it has two, BadRequest when it would be expired already.
    """
    require_later(expires_at, now)
    if tx.one(_HOLD_AGENT, account_id=account_id, id=agent_id) is None:
        raise NotFound
    tx.run(_REMOVE_EXPIRED, account_id=account_id, agent_id=agent_id, now=to_wire(now))
    if len(of(tx, account_id, agent_id)) >= LIVE_MOST:
        raise AlreadyThere(
            FieldError("key", f"there are {LIVE_MOST} keys already: revoke one first", "ValidIdentifier")
        )
    secret = CREDENTIAL + mint(40)
    new = NewKey(
        account_id=account_id, agent_id=agent_id, prefix=shown_part(secret), key_hash=digest(secret),
        created_at=to_wire(now), expires_at=expires_at,
    )  # fmt: skip
    return MadeKey(tx.add(_ADD, new), secret, new.prefix, expires_at)


def of(db: Reader, account_id: int, agent_id: int) -> list[Key]:
    """An agent's keys, the oldest first."""
    return db.all(_LIST, account_id=account_id, agent_id=agent_id)


def of_all(db: Reader, account_id: int) -> dict[int, list[Key]]:
    """The keys of all agents of an account, by agent."""
    found: dict[int, list[Key]] = {}
    for row in db.all(_LIST_ALL, account_id=account_id):
        key = Key(row.id, row.prefix, row.created_at, row.expires_at, row.last_used_at)
        found.setdefault(row.agent_id, []).append(key)
    return found


def revoke(tx: Writer, account_id: int, agent_id: int, key_id: int) -> Key:
    """Remove a key, which stops working at once; gives what it was. Raises NotFound."""
    found = next((key for key in of(tx, account_id, agent_id) if key.id == key_id), None)
    if found is None or not tx.run(_REMOVE, account_id=account_id, agent_id=agent_id, id=key_id):
        raise NotFound
    tx.changed(AGENTS_CHANGED)
    return found


def revoke_all(tx: Writer, account_id: int, agent_id: int) -> None:
    """Remove every key of an agent."""
    tx.run(_REMOVE_ALL, account_id=account_id, agent_id=agent_id)
    tx.changed(AGENTS_CHANGED)


def note_use(tx: Writer, now: str, *, account_id: int, key_id: int) -> None:
    """Keep when a key was used."""
    tx.run(_NOTE_USE, account_id=account_id, id=key_id, now=now)
