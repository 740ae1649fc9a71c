"""A real server on loopback for tests: the application under uvicorn in a thread, with a clock that tests can move."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
import uvloop

from deskhand.app import App
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.lib.clock import MovableClock
from deskhand.settings import Settings

T = TypeVar("T")


class LiveServer:
    """The application on a free port of 127.0.0.1; `app` gives access to its database and clock."""

    def __init__(self, data_dir: Path, database_url: str = "", **settings: Any) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        upgrade(sqlalchemy_url(database_url, data_dir / "deskhand.sqlite"))
        self.clock = MovableClock()
        settings.setdefault("webhook_private_addresses", True)  # receivers of tests listen on loopback
        given = Settings(data_dir=data_dir, database_url=database_url, base_url=self.url, **settings)
        self.app = App(given, self.clock)
        config = uvicorn.Config(
            self.app, log_level="warning", loop="uvloop", http="httptools", access_log=False, log_config=None
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out something on the server's own event loop, as its calls are."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def _serve(self, listener: socket.socket) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve([listener])

        uvloop.run(serve())

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
