"""Servers in processes of their own that tests start, kill and start again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

RUNNER = Path(__file__).with_name("server_process.py")
ROOT = Path(__file__).parents[2]
PROGRESS_WITHIN_S = 60


def wait(seconds: float, progress: Callable[[], int], wanted: int) -> None:
    """Wait so long, and on a busy machine until there is so much progress: else there is nothing to lose by a kill."""
    time.sleep(seconds)
    deadline = time.monotonic() + PROGRESS_WITHIN_S
    while progress() < wanted and time.monotonic() < deadline:
        time.sleep(0.02)


class Server:
    """One server process after another on the same data."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.log = folder / "server.log"
        self.url = ""
        self._process = 0
        with self.log.open("ab") as log:
            self._starter = subprocess.Popen(
                [sys.executable, RUNNER, folder, database_url],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            )  # fmt: skip

    def start(self) -> None:
        assert self._starter.stdin is not None
        self._starter.stdin.write("\n")
        self._starter.stdin.flush()
        process, port = self._said().split()
        self._process, self.url = int(process), f"http://127.0.0.1:{port}"
        try:
            assert requests.get(f"{self.url}/openapi.json", timeout=60).ok
        except requests.ConnectionError as fault:
            raise AssertionError(f"the server did not start:\n{self.log.read_text()}") from fault

    def kill(self) -> None:
        os.kill(self._process, signal.SIGKILL)
        assert self._said() == "ended", self.log.read_text()
        self._process = 0

    def close(self) -> None:
        if self._process:
            self.kill()
        self._starter.communicate(timeout=30)

    def _said(self) -> str:
        assert self._starter.stdout is not None
        said = self._starter.stdout.readline().strip()
        assert said, self.log.read_text()
        return said
