"""The servers behind sandboxes of tests: in threads of this process, on loopback, used again and again.

The first one takes a second or more, because an account has to be invented; whoever comes later gets a server that
nobody uses any more, put back to its beginning, or else a new one on a copy of the first one's data.
"""

from __future__ import annotations

import atexit
import shutil
import socket
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import uvicorn

from deskhand.app import App
from deskhand.sandbox.options import Options
from deskhand.sandbox.setup import prepare
from deskhand.settings import Settings
from deskhand.testing.calls import call
from deskhand.testing.desk import SandboxDesk

CONVERSATIONS = 200
_START_WITHIN_S, _STOP_WITHIN_S = 20.0, 5.0
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Made:
    """What sandboxes are made from: the same seed and `now` give the same data. A `rate_limit` of 0 is none.

    `now` is where the clock begins, unless it is the real time.
    """

    seed: int = 42
    conversations: int = CONVERSATIONS
    now: datetime | None = None
    rate_limit: int = 0


@contextmanager
def sandbox(made: Made | None = None) -> Iterator[SandboxDesk]:
    """A sandbox of one's own, fresh; several may be open at a time."""
    made = made or Made()
    server = _POOL.take(made)
    try:
        yield SandboxDesk(server.description, server.folder)
    finally:
        _POOL.put_back(made, server)


class _Server:
    """A sandbox on a free port, in a thread."""

    def __init__(self, folder: Path, made: Made) -> None:
        self.folder = folder
        self.used = False
        listener = socket.create_server((_HOST, 0))
        port = listener.getsockname()[1]
        base_url = f"http://{_HOST}:{port}"
        # What is left out is taken from the folder, which is filled already.
        ready = prepare(Options(folder, made.seed, made.conversations, made.rate_limit), base_url)
        self.description = ready.description
        app = App(Settings(data_dir=folder, base_url=base_url, host=_HOST, port=port), sandbox=ready)
        config = uvicorn.Config(
            app, log_level="critical", loop="uvloop", http="httptools", ws="none", access_log=False, log_config=None
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="deskhand sandbox", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_WITHIN_S
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.002)

    def freshen(self) -> None:
        """Back to the beginning, whatever a test did."""
        if self.used:
            call(self.description["base_url"], "POST", "/sandbox/reset", {"everything": True})
        self.used = True

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_WITHIN_S)


class _Pool:
    """Servers that nobody uses at the moment, and a folder filled for each kind of sandbox."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Made, list[_Server]] = defaultdict(list)
        self._filled: dict[Made, Path] = {}
        self._all: list[_Server] = []
        self._folder: Path | None = None

    def take(self, made: Made) -> _Server:
        """A server for somebody alone, fresh."""
        with self._lock:
            server = self._idle[made].pop() if self._idle[made] else self._start(made)
        server.freshen()
        return server

    def put_back(self, made: Made, server: _Server) -> None:
        """Its user is done."""
        with self._lock:
            self._idle[made].append(server)

    def _start(self, made: Made) -> _Server:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="deskhand-testing-"))
            atexit.register(self._close)
        if made not in self._filled:
            folder = self._folder / f"filled-{len(self._filled)}"
            prepare(Options(folder, made.seed, made.conversations, made.rate_limit, made.now), f"http://{_HOST}")
            self._filled[made] = folder
        folder = self._folder / f"server-{len(self._all)}"
        shutil.copytree(self._filled[made], folder)
        server = _Server(folder, made)
        self._all.append(server)
        return server

    def _close(self) -> None:
        for server in self._all:
            server.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


_POOL = _Pool()
