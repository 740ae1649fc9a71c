"""Agents' client ids and secrets, and the access tokens got by them; those of MCP clients are mcp_clients.py's."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, command, rows
from deskhand.gateway.credentials import AGENTS_CHANGED, CLIENT_ID, CREDENTIAL
from deskhand.gateway.tables import agent, agent_token
from deskhand.lib.clock import to_wire
from deskhand.lib.secrets import Mint, digest, new_token

LIFE_S = 172_800
"""How long an access token lives: as long as the desk's own, so that clients need not know the difference."""
_DELETED_AT_ONCE = 20
_NO_SECRET = "0" * 64


@dataclass(frozen=True, slots=True)
class Client:
    """A client id with its secret, this once."""

    client_id: str
    client_secret: str


class ClientOf(msgspec.Struct, frozen=True):
    """The agent that a client id names."""

    account_id: int
    agent_id: int
    name: str
    secret_hash: str


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it is stored."""

    account_id: int
    agent_id: int
    access_hash: str
    expires_at: str


_LIVES = agent.c.state != sa.literal_column("'deleted'")
_BY_CLIENT_ID = rows(
    ClientOf,
    sa.select(agent.c.account_id, agent.c.id.label("agent_id"), agent.c.name, agent.c.secret_hash).where(
        agent.c.client_id == P("client_id"), _LIVES
    ),
)
_NEW_SECRET = command(
    sa.update(agent)
    .where(agent.c.account_id == P("account_id"), agent.c.id == P("id"))
    .values(secret_hash=P("secret_hash"))
)
_ADD = Insert(agent_token, NewToken)
_OF_AGENT = (agent_token.c.account_id == P("account_id"), agent_token.c.agent_id == P("agent_id"))
_REMOVE_ALL = command(sa.delete(agent_token).where(*_OF_AGENT))
_REMOVE_OWN = command(sa.delete(agent_token).where(*_OF_AGENT, agent_token.c.client_id.is_(None)))
_EXPIRED = (
    sa.select(agent_token.c.id)
    .where(
        agent_token.c.expires_at <= P("now"),
        sa.or_(agent_token.c.refresh_until.is_(None), agent_token.c.refresh_until <= P("now")),
    )
    .limit(_DELETED_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_REMOVE_EXPIRED = command(sa.delete(agent_token).where(agent_token.c.id.in_(_EXPIRED)))


def new_client(mint: Mint = new_token) -> Client:
    """A client id and a secret for a new agent."""
    return Client(CLIENT_ID + mint(24), mint(40))


def new_secret(tx: Writer, account_id: int, agent_id: int) -> str:
    """Give an agent's client id another secret; the tokens it got by the old one end at once."""
    made = new_client().client_secret
    tx.run(_NEW_SECRET, account_id=account_id, id=agent_id, secret_hash=digest(made))
    tx.run(_REMOVE_OWN, account_id=account_id, agent_id=agent_id)
    tx.changed(AGENTS_CHANGED)
    return made


def by_client_id(db: Reader, client_id: str) -> ClientOf | None:
    """The agent that a client id names, unless it was deleted."""
    return db.one(_BY_CLIENT_ID, client_id=client_id)


def is_secret_of(found: ClientOf | None, client_secret: str) -> bool:
    """Whether a secret is the agent's own; takes the same time when there is no agent."""
    return hmac.compare_digest(found.secret_hash if found else _NO_SECRET, digest(client_secret))


def issue(tx: Writer, account_id: int, agent_id: int, now: datetime) -> str:
    """Make an access token that the agent itself asked for; only its hash is kept."""
    made = CREDENTIAL + new_token(40)
    tx.run(_REMOVE_EXPIRED, now=to_wire(now))
    new = NewToken(
        account_id=account_id,
        agent_id=agent_id,
        access_hash=digest(made),
        expires_at=to_wire(now + timedelta(seconds=LIFE_S)),
    )
    tx.add(_ADD, new)
    return made


def revoke_all(tx: Writer, account_id: int, agent_id: int) -> None:
    """End every token of an agent."""
    tx.run(_REMOVE_ALL, account_id=account_id, agent_id=agent_id)
    tx.changed(AGENTS_CHANGED)
