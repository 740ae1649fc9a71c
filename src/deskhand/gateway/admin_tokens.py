"""Administrators' tokens for `/admin/v1`: made on the command line, shown once, kept as hashes."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows
from deskhand.gateway import names
from deskhand.gateway.credentials import ADMIN_CREDENTIAL, LENGTH_MOST, Memory, Uses, require_later, shown_part
from deskhand.gateway.tables import admin_token
from deskhand.lib.clock import Clock, to_wire
from deskhand.lib.secrets import Mint, digest, new_token

CHANGED = "admin_tokens"
"""The name under which changes are announced to memory caches."""


class AdminToken(msgspec.Struct, frozen=True):
    """A token as it is shown ever after."""

    id: int
    name: str
    prefix: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None


class MadeToken(msgspec.Struct, frozen=True):
    """A new token, this once with its secret."""

    id: int
    name: str
    token: str
    prefix: str
    expires_at: str | None


class Administrator(msgspec.Struct, frozen=True):
    """Whom a token stands for."""

    account_id: int
    id: int
    name: str
    expires_at: str | None
    last_used_at: str | None = None


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it is stored."""

    account_id: int
    name: str
    prefix: str
    token_hash: str
    created_at: str
    expires_at: str | None


_MINE = admin_token.c.account_id == P("account_id")
_ADD = Insert(admin_token, NewToken)
_LIST = rows(
    AdminToken,
    sa.select(*columns(admin_token, *AdminToken.__struct_fields__)).where(_MINE).order_by(admin_token.c.id),
)
_BY_HASH = rows(
    Administrator,
    sa.select(*columns(admin_token, *Administrator.__struct_fields__)).where(admin_token.c.token_hash == P("hash")),
)
_REMOVE = command(sa.delete(admin_token).where(_MINE, admin_token.c.id == P("id")))
_NOTE_USE = command(sa.update(admin_token).where(_MINE, admin_token.c.id == P("id")).values(last_used_at=P("now")))


def create(
    tx: Writer, account_id: int, name: str, now: datetime, expires_at: str | None = None, *, mint: Mint = new_token
) -> MadeToken:
    """Make a token; raises BadRequest for a name or an end that can't be."""
    name = names.usable(name)
    require_later(expires_at, now)
    secret = ADMIN_CREDENTIAL + mint(40)
    new = NewToken(
        account_id=account_id, name=name, prefix=shown_part(secret), token_hash=digest(secret),
        created_at=to_wire(now), expires_at=expires_at,
    )  # fmt: skip
    return MadeToken(tx.add(_ADD, new), name, secret, new.prefix, expires_at)


def listed(db: Reader, account_id: int) -> list[AdminToken]:
    """An account's tokens, the oldest first."""
    return db.all(_LIST, account_id=account_id)


def revoke(tx: Writer, account_id: int, id: int) -> AdminToken:
    """Remove a token, which stops working at once; gives what it was. Raises NotFound."""
    found = next((one for one in listed(tx, account_id) if one.id == id), None)
    if found is None or not tx.run(_REMOVE, account_id=account_id, id=id):
        raise NotFound
    tx.changed(CHANGED)
    return found


class AdminTokens:
    """Finds whom a token stands for, remembered for half a second; forgotten at once when this process revokes one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._memory: Memory[Administrator] = Memory()
        self._uses = Uses(database, clock)

    async def administrator(self, given: str) -> Administrator | None:
        """Whom a token stands for; None when it is unknown, revoked or expired."""
        if not given.startswith(ADMIN_CREDENTIAL) or len(given) > LENGTH_MOST:
            return None
        version, asked_at = self._database.versions[CHANGED], time.monotonic()
        known = self._memory.recall(given, version)
        if known is None:
            hashed = digest(given)
            known = await self._database.read(lambda db: db.one(_BY_HASH, hash=hashed))
            if known is None:
                return None
            self._memory.keep(given, known, version, asked_at)
            self._uses.note(known.last_used_at, partial(_note_use, account_id=known.account_id, id=known.id))
        now = to_wire(self._clock.now())
        return known if known.expires_at is None or known.expires_at > now else None


def _note_use(tx: Writer, now: str, *, account_id: int, id: int) -> None:
    tx.run(_NOTE_USE, account_id=account_id, id=id, now=now)
