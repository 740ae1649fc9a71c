"""What operators and load balancers ask a server: does it live, can it work, what does it count.

`/healthz` answers while the process lives. `/readyz` answers 503 while the database is away or its schema too old. A
schema that is newer than this process is no reason: it was right at the start, and a rolling upgrade migrates first.
"""

from __future__ import annotations

import asyncio
import logging

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deskhand.api.metrics import Metrics
from deskhand.db.engine import Conflict, Database, Unavailable
from deskhand.db.version import schema_state
from deskhand.desk.checking.mail import Figures, figures
from deskhand.outbox import jobs
from deskhand.outbox.jobs import Tally

log = logging.getLogger("deskhand.health")

ANSWER_WITHIN_S = 2.0
"""How long the database may take to answer before it counts as away."""
OK = "ok"
_NOT_KEPT = {"Cache-Control": "no-store"}


class Health:
    """The pages `/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._metrics = metrics
        self._was_ready = True
        self.routes = [
            Route("/healthz", self._live),
            Route("/readyz", self._ready),
            Route("/metrics", self._figures),
        ]

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"status": OK}, headers=_NOT_KEPT)

    async def _ready(self, _: Request) -> Response:
        checks = await self._checks()
        ready = all(found == OK for found in checks.values())
        if ready != self._was_ready:  # said once, however often it is asked
            self._was_ready = ready
            log.log(logging.INFO if ready else logging.WARNING, "ready" if ready else f"not ready: {checks}")
        return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503, _NOT_KEPT)

    async def _checks(self) -> dict[str, str]:
        """What was looked at and how it is. In words that may be public: the particulars are for the log."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                schema = await self._database.read(schema_state)
        except TimeoutError:
            return {"database": f"has not answered within {ANSWER_WITHIN_S:g} seconds", "schema": "not known"}
        except (Unavailable, Conflict) as problem:
            log.debug("%s", problem)
            return {"database": "can't be reached", "schema": "not known"}
        return {"database": OK, "schema": schema.words if schema.behind else OK}

    async def _counted(self) -> tuple[list[Tally], Figures | None]:
        """Jobs and mail; nothing while the database is away, because other figures are then wanted most."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await self._database.read(lambda db: (jobs.tally(db), figures(db)), "slow")
        except (TimeoutError, Unavailable, Conflict):
            return [], None

    async def _figures(self, _: Request) -> Response:
        text = await asyncio.to_thread(self._metrics.text, *await self._counted())
        return Response(text, headers=_NOT_KEPT, media_type=CONTENT_TYPE_LATEST)
