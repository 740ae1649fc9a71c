"""The access token of a connection: kept encrypted, shared by all processes, renewed before it ends or once refused."""

from __future__ import annotations

import asyncio
import logging
import time

from deskhand.db.engine import Conflict, Database, Unavailable
from deskhand.gateway import connections, remote_http
from deskhand.gateway.connections import Connection, Secrets
from deskhand.gateway.remote_http import Denied
from deskhand.gateway.upstream import UpstreamDown
from deskhand.lib.clock import Clock, to_wire
from deskhand.lib.outbound import Outbound
from deskhand.lib.sealing import Sealer, SealingError

log = logging.getLogger("deskhand.gateway")

PAUSE_S = 5.0
"""How long a desk that refused the credentials is not asked for a token again."""
STORE_EVERY_S = 5.0
"""How often it is tried to store what could not be stored."""
_LOOKS = 5
_LOOK_EVERY_S = 0.2  # another process stores what it got within milliseconds


class Access:
    """Gives a token that should be good. However many ask at once, it is renewed once.

    A desk forgets a refresh token as it gives the next: what it gave is stored before it is used, and also when nobody
    waits for it any more; while the database takes nothing, as soon as it does. Another process may have been quicker,
    so what is stored is read before and after.
    """

    def __init__(self, database: Database, clock: Clock, sealer: Sealer, outbound: Outbound, row: Connection) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._outbound = outbound
        self._account_id = row.account_id
        self._id = row.id
        self._known: Secrets | None = None
        self._renewing: asyncio.Task[Secrets] | None = None
        self._denied_until = 0.0
        self._unstored: tuple[Connection, Secrets] | None = None  # what could not be stored, and in place of what
        self._storing: asyncio.Task[None] | None = None

    async def token(self, refused: str | None = None) -> str:
        """A good access token, another one than the desk just `refused`; raises UpstreamDown."""
        if self._unstored is not None and self._storing is None:
            self._storing = asyncio.create_task(self._store_again(), name="store an access token")
        while True:
            if (known := self._usable(self._known, refused)) is not None:
                return known
            if self._renewing is None:
                self._renewing = asyncio.create_task(self._renew(refused), name="renew an access token")
                self._renewing.add_done_callback(self._renewed)
                return (await asyncio.shield(self._renewing)).access_token or ""
            await asyncio.shield(self._renewing)

    def distrust(self) -> None:
        """The desk refused a token that it gave a moment ago: let it be for a while."""
        self._denied_until = time.monotonic() + PAUSE_S

    def _usable(self, secrets: Secrets | None, refused: str | None) -> str | None:
        if secrets is None or secrets.access_token in (None, refused):
            return None
        return secrets.access_token if (secrets.good_until or "") > to_wire(self._clock.now()) else None

    def _renewed(self, task: asyncio.Task[Secrets]) -> None:
        self._renewing = None
        if not task.cancelled() and task.exception() is None:
            self._known = task.result()

    async def _renew(self, refused: str | None) -> Secrets:
        row, secrets = await self._stored()
        if self._unstored is not None and self._unstored[0].secrets == row.secrets:
            secrets = self._unstored[1]
        if self._usable(secrets, refused) is not None:
            return secrets  # another process has renewed it
        if time.monotonic() < self._denied_until:
            raise UpstreamDown("it refuses the gateway's credentials")
        try:
            tokens = await remote_http.sign_in(self._outbound, row.base_url, connections.form(row, secrets))
        except Denied as problem:
            return await self._renewed_elsewhere(row, refused, problem)
        renewed = connections.renewed(secrets, tokens, self._clock.now())
        try:
            stored = await self._store(row, renewed)
        except (Unavailable, Conflict) as unstored:
            log.error("connection %d: its new access token could not be stored: %s", self._id, unstored)
            self._unstored = row, renewed
            return renewed
        self._unstored = None
        if stored:
            return renewed
        _, now_stored = await self._stored()
        return now_stored if self._usable(now_stored, refused) is not None else renewed

    async def _store(self, row: Connection, renewed: Secrets) -> bool:
        sealed = connections.seal(self._sealer, row.account_id, row.base_url, row.client_id, renewed)
        return await self._database.write(lambda tx: connections.renew(tx, row, sealed))

    async def _store_again(self) -> None:
        try:
            left = self._unstored
            if left is not None:
                await self._store(*left)
                if self._unstored is left:
                    self._unstored = None
        except (Unavailable, Conflict):
            await asyncio.sleep(STORE_EVERY_S)
        finally:
            self._storing = None

    async def _renewed_elsewhere(self, before: Connection, refused: str | None, problem: Denied) -> Secrets:
        """What another process got with the refresh token that this one came too late with."""
        for _ in range(_LOOKS if before.grant_type == "authorization_code" else 1):
            row, secrets = await self._stored()
            if row.secrets != before.secrets and self._usable(secrets, refused) is not None:
                return secrets
            await asyncio.sleep(_LOOK_EVERY_S)
        self.distrust()
        log.warning("connection %d: the help desk refuses the gateway's credentials: %s", self._id, problem)
        raise UpstreamDown("it refuses the gateway's credentials") from problem

    async def _stored(self) -> tuple[Connection, Secrets]:
        row = await self._database.read(lambda db: connections.by_id(db, self._account_id, self._id))
        if row is None:
            raise UpstreamDown("its connection was removed")
        try:
            return row, connections.unseal(self._sealer, row)
        except SealingError as problem:
            log.error("connection %d: %s", self._id, problem)
            raise UpstreamDown("its credentials can't be decrypted") from problem
