"""Programs that ask for an agent's access through OAuth: who they say they are, their codes and their tokens.

A program registers itself (RFC 7591), is let in by a person, exchanges its code once, and renews its access by refresh
tokens of which each counts once. A code or a refresh token that comes again was stolen from somebody: all ends then.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from enum import Enum

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.gateway.credentials import AGENTS_CHANGED, CREDENTIAL
from deskhand.gateway.tables import agent, agent_token, mcp_client, mcp_code
from deskhand.lib.clock import to_wire
from deskhand.lib.secrets import digest, new_token

CODE_LIFE_S = 60
ACCESS_LIFE_S = 3600
REFRESH_LIFE_S = 30 * 86_400
UNUSED_LIFE_S = 86_400
"""How long a program that has no access stays registered."""
CROWDED_LIFE_S = 3_600
"""The same once there are too many, so that whoever registers any number keeps nobody else out for long."""
CLIENTS_MOST = 5_000
_DELETED_AT_ONCE = 50
_REFRESH = "dh_refresh_"
_FAMILY_LENGTH = len(_REFRESH) + 24


class Client(msgspec.Struct, frozen=True):
    """A registered program; its name is what it calls itself."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]


class NewClient(msgspec.Struct, frozen=True, kw_only=True):
    """A program as it is stored."""

    client_id: str
    name: str
    redirect_uris: str
    created_at: str


class NewCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code as it is stored."""

    account_id: int
    agent_id: int
    client_id: str
    code_hash: str
    redirect_uri: str
    challenge: str
    expires_at: str


class NewAccess(msgspec.Struct, frozen=True, kw_only=True):
    """A program's tokens as they are stored."""

    account_id: int
    agent_id: int
    client_id: str
    access_hash: str
    refresh_hash: str
    expires_at: str
    refresh_until: str
    family: str


class Access(msgspec.Struct, frozen=True):
    """That a program acts for an agent; `until` is when that ends unless it is renewed."""

    id: int
    name: str
    until: str


class Given(msgspec.Struct, frozen=True):
    """What a program gets, once."""

    access: str
    refresh: str


class Stolen(msgspec.Struct, frozen=True):
    """A credential came twice, so the program's access to this agent was ended."""

    account_id: int
    agent_id: int
    agent_name: str
    client_name: str


class Refused(Enum):
    """Why there are no tokens."""

    UNKNOWN = "it is unknown, expired or another program's"
    MISMATCH = "it was given for another address or another verifier"


class _Client(msgspec.Struct, frozen=True):
    client_id: str
    name: str
    redirect_uris: str


class _Code(msgspec.Struct, frozen=True):
    id: int
    account_id: int
    agent_id: int
    redirect_uri: str
    challenge: str
    spent_at: str | None
    agent_name: str
    client_name: str


class _Family(msgspec.Struct, frozen=True):
    id: int
    account_id: int
    agent_id: int
    refresh_hash: str | None
    refresh_until: str | None
    agent_name: str
    client_name: str


_ADD_CLIENT = Insert(mcp_client, NewClient)
_CLIENT = rows(
    _Client,
    sa.select(*columns(mcp_client, "client_id", "name", "redirect_uris")).where(
        mcp_client.c.client_id == P("client_id")
    ),
)
_CLIENTS = value(int, sa.select(sa.func.count()).select_from(mcp_client))
_UNUSED = (
    sa.select(mcp_client.c.id)
    .where(
        mcp_client.c.created_at <= P("before"),
        ~sa.exists().where(agent_token.c.client_id == mcp_client.c.client_id),
        ~sa.exists().where(mcp_code.c.client_id == mcp_client.c.client_id),
    )
    .limit(_DELETED_AT_ONCE)
)
_REMOVE_UNUSED = command(sa.delete(mcp_client).where(mcp_client.c.id.in_(_UNUSED)))

_ADD_CODE = Insert(mcp_code, NewCode)
_LIVING_AGENT = agent.c.state != sa.literal_column("'deleted'")
_NAMES = (agent.c.name.label("agent_name"), mcp_client.c.name.label("client_name"))
_CODE = rows(
    _Code,
    sa.select(*columns(mcp_code, "id", "account_id", "agent_id", "redirect_uri", "challenge", "spent_at"), *_NAMES)
    .join(agent, sa.and_(agent.c.account_id == mcp_code.c.account_id, agent.c.id == mcp_code.c.agent_id))
    .join(mcp_client, mcp_client.c.client_id == mcp_code.c.client_id)
    .where(
        mcp_code.c.code_hash == P("hash"),
        mcp_code.c.client_id == P("client_id"),
        mcp_code.c.expires_at > P("now"),
        _LIVING_AGENT,
    ),
)
_SPEND_CODE = command(
    sa.update(mcp_code)
    .where(mcp_code.c.account_id == P("account_id"), mcp_code.c.id == P("id"), mcp_code.c.spent_at.is_(None))
    .values(spent_at=P("now"))
)
_EXPIRED_CODES = sa.select(mcp_code.c.id).where(mcp_code.c.expires_at <= P("now")).limit(_DELETED_AT_ONCE)
_REMOVE_EXPIRED_CODES = command(
    sa.delete(mcp_code).where(mcp_code.c.id.in_(_EXPIRED_CODES.with_for_update(skip_locked=True)))
)

_ADD_ACCESS = Insert(agent_token, NewAccess)
_FAMILY = rows(
    _Family,
    sa.select(*columns(agent_token, "id", "account_id", "agent_id", "refresh_hash", "refresh_until"), *_NAMES)
    .join(agent, sa.and_(agent.c.account_id == agent_token.c.account_id, agent.c.id == agent_token.c.agent_id))
    .join(mcp_client, mcp_client.c.client_id == agent_token.c.client_id)
    .where(agent_token.c.family == P("family"), agent_token.c.client_id == P("client_id"), _LIVING_AGENT),
)
_ONE = (agent_token.c.account_id == P("account_id"), agent_token.c.id == P("id"))
_RENEW = command(
    sa.update(agent_token)
    .where(*_ONE, agent_token.c.refresh_hash == P("spent"))
    .values(
        access_hash=P("access_hash"),
        refresh_hash=P("refresh_hash"),
        expires_at=P("expires_at"),
        refresh_until=P("refresh_until"),
    )
)
_END = command(sa.delete(agent_token).where(*_ONE, agent_token.c.client_id.is_not(None)))
_END_OF_CLIENT = command(
    sa.delete(agent_token).where(
        agent_token.c.account_id == P("account_id"),
        agent_token.c.agent_id == P("agent_id"),
        agent_token.c.client_id == P("client_id"),
    )
)
_END_BY_TOKEN = command(
    sa.delete(agent_token).where(
        agent_token.c.client_id == P("client_id"),
        sa.or_(agent_token.c.access_hash == P("access_hash"), agent_token.c.refresh_hash == P("refresh_hash")),
    )
)
_OF_AGENT = rows(
    Access,
    sa.select(agent_token.c.id, mcp_client.c.name, agent_token.c.refresh_until.label("until"))
    .join(mcp_client, mcp_client.c.client_id == agent_token.c.client_id)
    .where(
        agent_token.c.account_id == P("account_id"),
        agent_token.c.agent_id == P("agent_id"),
        agent_token.c.refresh_until > P("now"),
    )
    .order_by(agent_token.c.id),
)


# -- Programs


def register(tx: Writer, name: str, redirect_uris: tuple[str, ...], now: datetime) -> Client | None:
    """Take a program in; None while there are too many. Those that have no access are forgotten after a while."""
    crowded = (tx.one(_CLIENTS) or 0) >= CLIENTS_MOST
    life = CROWDED_LIFE_S if crowded else UNUSED_LIFE_S
    gone = tx.run(_REMOVE_UNUSED, before=to_wire(now - timedelta(seconds=life)))
    if crowded and not gone:
        return None
    made = Client("mcp_" + new_token(32), name, redirect_uris)
    uris = msgspec.json.encode(redirect_uris).decode()
    new = NewClient(client_id=made.client_id, name=name, redirect_uris=uris, created_at=to_wire(now))
    tx.add(_ADD_CLIENT, new)
    return made


def by_client_id(db: Reader, client_id: str) -> Client | None:
    """The program that a client id names."""
    found = db.one(_CLIENT, client_id=client_id)
    if found is None:
        return None
    return Client(found.client_id, found.name, msgspec.json.decode(found.redirect_uris, type=tuple[str, ...]))


def of_agent(db: Reader, account_id: int, agent_id: int, now: datetime) -> list[Access]:
    """The programs that act for an agent, in the order in which they were let in."""
    return db.all(_OF_AGENT, account_id=account_id, agent_id=agent_id, now=to_wire(now))


def end(tx: Writer, account_id: int, agent_id: int, id: int, now: datetime) -> Access:
    """End one program's access to an agent at once; gives what it was. Raises NotFound."""
    found = next((one for one in of_agent(tx, account_id, agent_id, now) if one.id == id), None)
    if found is None or not tx.run(_END, account_id=account_id, id=id):
        raise NotFound
    tx.changed(AGENTS_CHANGED)
    return found


# -- Codes and tokens


def issue_code(
    tx: Writer, account_id: int, agent_id: int, client_id: str, redirect_uri: str, challenge: str, now: datetime
) -> str:
    """Make a code by which a program gets an agent's access; `challenge` is its verifier's, by S256 (RFC 7636)."""
    tx.run(_REMOVE_EXPIRED_CODES, now=to_wire(now))
    made = new_token(43)
    new = NewCode(
        account_id=account_id, agent_id=agent_id, client_id=client_id, code_hash=digest(made),
        redirect_uri=redirect_uri, challenge=challenge, expires_at=to_wire(now + timedelta(seconds=CODE_LIFE_S)),
    )  # fmt: skip
    tx.add(_ADD_CODE, new)
    return made


def spend_code(
    tx: Writer, client_id: str, code: str, redirect_uri: str, verifier: str, now: datetime
) -> Given | Stolen | Refused:
    """Exchange a code for tokens. It is spent by the first attempt, also by one that does not fit it."""
    found = tx.one(_CODE, hash=digest(code), client_id=client_id, now=to_wire(now))
    if found is None:
        return Refused.UNKNOWN
    spent = tx.run(_SPEND_CODE, account_id=found.account_id, id=found.id, now=to_wire(now))
    if found.spent_at is not None or not spent:
        tx.run(_END_OF_CLIENT, account_id=found.account_id, agent_id=found.agent_id, client_id=client_id)
        tx.changed(AGENTS_CHANGED)
        return Stolen(found.account_id, found.agent_id, found.agent_name, found.client_name)
    fits = hmac.compare_digest(_challenge_of(verifier), found.challenge.encode())
    if not fits or found.redirect_uri != redirect_uri:
        return Refused.MISMATCH
    family = _REFRESH + new_token(_FAMILY_LENGTH - len(_REFRESH))
    made = _make(family)
    new = NewAccess(
        account_id=found.account_id, agent_id=found.agent_id, client_id=client_id, access_hash=digest(made.access),
        refresh_hash=digest(made.refresh), expires_at=to_wire(now + timedelta(seconds=ACCESS_LIFE_S)),
        refresh_until=to_wire(now + timedelta(seconds=REFRESH_LIFE_S)), family=digest(family),
    )  # fmt: skip
    tx.add(_ADD_ACCESS, new)
    return made


def refresh(tx: Writer, client_id: str, given: str, now: datetime) -> Given | Stolen | Refused:
    """Exchange a refresh token for new tokens; those before end with it."""
    family = given[:_FAMILY_LENGTH]
    found = tx.one(_FAMILY, family=digest(family), client_id=client_id)
    if found is None or found.refresh_until is None or found.refresh_until <= to_wire(now):
        return Refused.UNKNOWN
    made, spent = _make(family), digest(given)
    renewed = spent == found.refresh_hash and tx.run(
        _RENEW, account_id=found.account_id, id=found.id, spent=spent, access_hash=digest(made.access),
        refresh_hash=digest(made.refresh), expires_at=to_wire(now + timedelta(seconds=ACCESS_LIFE_S)),
        refresh_until=to_wire(now + timedelta(seconds=REFRESH_LIFE_S)),
    )  # fmt: skip
    tx.changed(AGENTS_CHANGED)
    if renewed:
        return made
    tx.run(_END, account_id=found.account_id, id=found.id)
    return Stolen(found.account_id, found.agent_id, found.agent_name, found.client_name)


def revoke(tx: Writer, client_id: str, given: str) -> None:
    """End the access that one of a program's tokens stands for, as the program itself asks (RFC 7009)."""
    hash = digest(given)
    tx.run(_END_BY_TOKEN, client_id=client_id, access_hash=hash, refresh_hash=hash)
    tx.changed(AGENTS_CHANGED)


def _make(family: str) -> Given:
    return Given(CREDENTIAL + new_token(40), family + new_token(40))


def _challenge_of(verifier: str) -> bytes:
    """Source: https://www.rfc-editor.org/rfc/rfc7636#section-4.2 (S256)"""
    hashed = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=")
