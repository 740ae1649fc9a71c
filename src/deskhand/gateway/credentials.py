"""What the gateway's credentials have in common: how they begin, what is shown of them, and a short memory of them.

Their beginnings decide the door: see `oauth/bearer.py`, which refuses them at the desk's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from deskhand.catalogue.problems import invalid
from deskhand.db.engine import Conflict, Database, Unavailable, Writer
from deskhand.lib.clock import Clock, to_wire

log = logging.getLogger("deskhand.gateway")

CREDENTIAL = "dh_agent_"
"""An agent's keys and access tokens."""
CLIENT_ID = "dh_client_"
ADMIN_CREDENTIAL = "dh_admin_"
LENGTH_MOST = 512
"""Characters of a credential that is worth a look."""
AGENTS_CHANGED = "agents"
"""The name under which changes of agents, their keys, tokens and grants are announced to memory caches."""
REMEMBER_S = 0.5
"""How long another process may go on accepting what this one has revoked, at the most."""
USE_NOTED_EVERY_S = 60
"""How exactly it is known when a credential was last used: each note is a write."""
_REMEMBER_MOST = 10_000
_SHOWN = 6

T = TypeVar("T")


def shown_part(secret: str) -> str:
    """What people may see of a credential to tell it from others: how it begins."""
    kind = next(kind for kind in (CREDENTIAL, ADMIN_CREDENTIAL) if secret.startswith(kind))
    return secret[: len(kind) + _SHOWN]


def require_later(expires_at: str | None, now: datetime, path: str = "expires_at") -> None:
    """Raises BadRequest about the field at `path` unless there is time left."""
    if expires_at is not None and expires_at <= to_wire(now):
        raise invalid(path, "must be in the future", "Min", expires_at)


class Memory(Generic[T]):
    """What was looked up a moment ago; all of it is forgotten when `version` is another than before."""

    def __init__(self) -> None:
        self._known: dict[object, tuple[float, T]] = {}
        self._version = 0

    def recall(self, name: object, version: int) -> T | None:
        """What is known under a name, unless that is too old."""
        if version != self._version:
            self._known.clear()
            self._version = version
        known = self._known.get(name)
        return known[1] if known is not None and known[0] > time.monotonic() else None

    def keep(self, name: object, found: T, version: int, asked_at: float) -> None:
        """Remember what was read; both `version` and the monotonic time are those before it was read."""
        if version != self._version:
            return  # it changed meanwhile: what was read may be stale already
        if len(self._known) >= _REMEMBER_MOST:
            self._known.clear()
        self._known[name] = (asked_at + REMEMBER_S, found)


class Uses:
    """Writes down when credentials are used, once a minute each and while the call that uses one goes on."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._writing: set[asyncio.Task[None]] = set()

    def note(self, last_used_at: str | None, keep: Callable[[Writer, str], None]) -> None:
        """Have `keep` write the present time, unless a use was noted just now."""
        now = self._clock.now()
        if last_used_at is None or last_used_at <= to_wire(now - timedelta(seconds=USE_NOTED_EVERY_S)):
            task = asyncio.create_task(self._write(keep, to_wire(now)), name="note the use of a credential")
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def settle(self) -> None:
        """Wait until what was noted so far has been written."""
        await asyncio.gather(*self._writing)

    async def _write(self, keep: Callable[[Writer, str], None], now: str) -> None:
        try:
            await self._database.write(lambda tx: keep(tx, now))
        except (Unavailable, Conflict) as problem:
            log.warning("when a credential was used could not be noted: %s", problem)
