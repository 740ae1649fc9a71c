"""A real server on loopback for tests: the application under uvicorn in a thread, with a clock that tests can move."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Coroutine
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
import uvloop

from deskhand.app import App
from deskhand.db.database import SQLITE_FILE
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.lib.clock import MovableClock
from deskhand.settings import Settings

T = TypeVar("T")


def migrate(database_url: str, file: Path) -> None:
    """Make the tables; a new file of SQLite is a copy of one that was made before, because that takes a second."""
    if database_url or file.exists():
        upgrade(sqlalchemy_url(database_url, file))
    else:
        shutil.copy(Path(_migrated().name, SQLITE_FILE), file)


@cache
def _migrated() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="deskhand-migrated-")
    upgrade(sqlalchemy_url("", Path(folder.name, SQLITE_FILE)))
    return folder


class LiveServer:
    """The application on a free port of 127.0.0.1; `app` gives access to its database and clock."""

    def __init__(self, data_dir: Path, database_url: str = "", **settings: Any) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        migrate(database_url, data_dir / SQLITE_FILE)
        self.clock = MovableClock()
        settings.setdefault("webhook_private_addresses", True)  # receivers of tests listen on loopback
        given = Settings(data_dir=data_dir, database_url=database_url, base_url=self.url, **settings)
        self.app = App(given, self.clock)
        config = uvicorn.Config(
            self.app,
            log_level="warning",
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_config=None,
            timeout_keep_alive=75,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 60
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
