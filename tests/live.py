"""A real server on loopback for tests: the application under uvicorn in a thread, with a clock that tests can move."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn

from deskhand.app import App
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.lib.clock import MovableClock
from deskhand.settings import Settings


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
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
