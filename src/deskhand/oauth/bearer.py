"""From an Authorization header, or from the gateway's word, to whoever acts."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Database, Reader
from deskhand.db.statements import P, rows
from deskhand.desk import access
from deskhand.desk.call import Actor, AsAgent
from deskhand.lib.clock import Clock, to_wire
from deskhand.lib.secrets import digest
from deskhand.oauth.tables import application, token

REMEMBER_S = 1.0
"""How long another process may go on accepting a token that this one has seen revoked, at the most."""
REMEMBER_MOST = 10_000
TOKEN_MOST = 512
"""Characters of a token that is worth a look; ours have 32."""
OF_OTHER_DOORS = ("dh_agent_", "dh_admin_")
"""How credentials begin that open other doors and must never open this one."""
_NEVER = "~"
"""Later than any moment."""


class _Token(msgspec.Struct, frozen=True):
    user_id: int
    expires_at: str
    application: str


_TOKEN = rows(
    _Token,
    sa.select(token.c.user_id, token.c.expires_at, application.c.name.label("application"))
    .join(application, application.c.id == token.c.application_id)
    .where(token.c.access_hash == P("hash")),
)


class Unauthorized(Exception):
    """No usable credential: `missing` when there was none, else the token is unknown, expired or revoked."""

    def __init__(self, *, missing: bool) -> None:
        super().__init__()
        self.missing = missing


class Bearers:
    """Looks tokens up, and remembers each for a second so that busy clients cost no query per call.

    What is remembered is forgotten at once when this process changes a user, an inbox grant or a token.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[str | AsAgent, tuple[float, str, Actor]] = {}
        self._version = 0

    async def actor(self, header: str | None) -> Actor:
        """The acting user; raises Unauthorized."""
        given = read_bearer(header)
        if given is None:
            raise Unauthorized(missing=True)
        if len(given) > TOKEN_MOST or given.startswith(OF_OTHER_DOORS):
            raise Unauthorized(missing=False)
        now = to_wire(self._clock.now())
        remembered = self._remembered(given)
        if remembered is None:
            remembered = await self._find(given, lambda db: self._look_up(db, given))
        _, expires_at, actor = remembered
        if expires_at <= now:
            raise Unauthorized(missing=False)
        return actor

    async def agent(self, given: AsAgent) -> Actor:
        """An agent as the gateway lets it act; raises Unauthorized when it is nobody on the desk."""
        remembered = self._remembered(given)
        if remembered is None:
            remembered = await self._find(given, lambda db: self._look_up_agent(db, given))
        return remembered[2]

    async def _find(
        self, given: str | AsAgent, look_up: Callable[[Reader], tuple[str, Actor] | None]
    ) -> tuple[float, str, Actor]:
        version = self._database.versions[access.STALE]
        found = await self._database.read(look_up)
        if found is None:
            raise Unauthorized(missing=False)
        remembered = (time.monotonic() + REMEMBER_S, *found)
        # Unless something changed while it was looked up: then what was read may be stale already.
        if self._database.versions[access.STALE] == version:
            self._known[given] = remembered
        return remembered

    def _remembered(self, given: str | AsAgent) -> tuple[float, str, Actor] | None:
        version = self._database.versions[access.STALE]
        if version != self._version or len(self._known) >= REMEMBER_MOST:
            self._known.clear()
            self._version = version
        known = self._known.get(given)
        return known if known is not None and known[0] > time.monotonic() else None

    @staticmethod
    def _look_up(db: Reader, given: str) -> tuple[str, Actor] | None:
        found = db.one(_TOKEN, hash=digest(given))
        if found is None:
            return None
        actor = access.actor(db, found.user_id)
        if actor is None:
            return None
        return found.expires_at, msgspec.structs.replace(actor, application=found.application)

    @staticmethod
    def _look_up_agent(db: Reader, given: AsAgent) -> tuple[str, Actor] | None:
        actor = access.agent(db, given)
        return None if actor is None else (_NEVER, actor)


def read_bearer(header: str | None) -> str | None:
    """The token of an Authorization header, or None when there is none to read.

    The scheme may be written in any case, with any white space around and between.
    """
    match (header or "").split():
        case [scheme, given] if scheme.lower() == "bearer":
            return given
    return None
