"""The gateway without a desk of its own, as one application: agents' doors and administration, nothing else."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from deskhand.api.health import Health
from deskhand.api.metrics import Metrics
from deskhand.app.gateway import Gateway
from deskhand.catalogue.operations import OPERATIONS
from deskhand.db.database import open_database
from deskhand.entrance import mcp
from deskhand.lib.clock import Clock, SystemClock
from deskhand.oauth.endpoint import TOKEN_PATH, TokenEndpoint
from deskhand.settings import Settings


class GatewayAlone:
    """In front of a remote desk: agents that name no connection work over the default one."""

    def __init__(self, settings: Settings, default_connection: int, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.database = open_database(settings.database_url, settings.data_dir)
        self.metrics = Metrics((operation.name for operation in OPERATIONS), self.database.lanes)
        self.gateway = Gateway(settings, self.database, self.clock, None, default_connection)
        self._tokens: ASGIApp = TokenEndpoint(self.database, self.clock, self.gateway.sign_ins)
        routes = [*self.gateway.routes, *Health(self.database, self.metrics).routes]
        self._pages: ASGIApp = Starlette(routes=routes, lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._door(scope)(scope, receive, send)

    def _door(self, scope: Scope) -> ASGIApp:
        if scope["type"] != "http":
            return self._pages
        path: str = scope["path"]
        if path.rstrip("/") == TOKEN_PATH:
            return self._tokens
        if path.startswith(("/v2", "/v3")):
            return self.gateway.rest
        return self.gateway.mcp if path in mcp.PATHS else self._pages

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        gc.freeze()  # what is there now stays
        async with self.gateway.running():
            yield
        self.database.close()
