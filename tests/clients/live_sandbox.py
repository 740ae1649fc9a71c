"""A sandbox on loopback for client libraries: the application in a thread, on a folder that was filled for it."""

from __future__ import annotations

import socket
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
import uvicorn

from deskhand.app import App
from deskhand.sandbox.options import Options
from deskhand.sandbox.setup import prepare
from deskhand.settings import Settings

CONVERSATIONS = 200


class LiveSandbox:
    """A sandbox, by default of 200 conversations; `description` is what its sandbox.json says."""

    def __init__(
        self,
        folder: Path,
        rate_limit: int = 400,
        *,
        seed: int = 7,
        conversations: int = CONVERSATIONS,
        now: datetime | None = None,
    ) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        options = Options(folder, seed=seed, conversations=conversations, rate_limit=rate_limit, now=now)
        ready = prepare(options, self.url)
        self.description: dict[str, Any] = ready.description
        app = App(Settings(data_dir=folder, base_url=self.url), sandbox=ready)
        config = uvicorn.Config(
            app,
            log_level="critical",
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_config=None,
            timeout_keep_alive=75,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._server.started:
            assert time.monotonic() < deadline
            assert self._thread.is_alive()
            time.sleep(0.01)

    @property
    def credentials(self) -> tuple[str, str]:
        app = self.description["apps"][0]
        return app["client_id"], app["client_secret"]

    def control(self, what: str, body: Any = None) -> Any:
        """POST to one of the sandbox's own paths."""
        answer = requests.post(f"{self.url}/sandbox/{what}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
