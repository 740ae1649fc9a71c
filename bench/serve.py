"""One server in a process of its own under the same uvicorn: the product, its gateway alone, or the limit app."""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn

BASE_URL = "http://127.0.0.1:8080"
"""What links in answers begin with: the same for both, so that their answers can be compared byte by byte."""
GATEWAY_URL = "http://127.0.0.1:8081"
"""The same for the gateway alone, which has to lead them there."""
KEEP_ALIVE_S = 75
"""As the product's own command has it."""


class Server(uvicorn.Server):
    """Says on stdout when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write("ready\n")
        sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("which", choices=("product", "gateway", "limit"))
    options.add_argument("--folder", type=Path, required=True, help="the data folder")
    options.add_argument("--database-url", default="", help="PostgreSQL; without it SQLite in the folder")
    options.add_argument("--listener", type=int, required=True, help="an open socket to listen on")
    options.add_argument("--connection", type=int, default=0, help="the gateway's way to the desk behind it")
    given = options.parse_args()
    # Each imports only its own, so that their memory can be told apart.
    if given.which == "product":
        from deskhand.app import App  # noqa: PLC0415
        from deskhand.settings import Settings  # noqa: PLC0415

        class WithoutWorker(App):
            """What follows a call is not measured here but in bench/deliveries.py: jobs stay where they are."""

            @contextlib.asynccontextmanager
            async def _working(self) -> AsyncIterator[None]:
                yield

        settings = Settings(data_dir=given.folder, database_url=given.database_url, base_url=BASE_URL)
        app: Any = WithoutWorker(settings)
    elif given.which == "gateway":
        from deskhand.app.alone import GatewayAlone  # noqa: PLC0415
        from deskhand.settings import Settings  # noqa: PLC0415

        settings = Settings(data_dir=given.folder, database_url=given.database_url, base_url=GATEWAY_URL)
        app = GatewayAlone(settings, given.connection)
    else:
        from bench.limit_app import LimitApp  # noqa: PLC0415

        app = LimitApp(given.database_url, given.folder / "deskhand.sqlite", BASE_URL)
    listener = socket.socket(fileno=given.listener)
    config = uvicorn.Config(
        app, log_level="warning", loop="uvloop", http="httptools", access_log=False, timeout_keep_alive=KEEP_ALIVE_S
    )
    Server(config).run([listener])


if __name__ == "__main__":
    main()
