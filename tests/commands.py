"""The command `deskhand` as people run it: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).parents[1]
WAIT_S = 120  # processes start slowly on a busy machine


def run(folder: Path, *arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """One command in `folder`; `settings` become DESKHAND_* variables."""
    return subprocess.run(
        _command(*arguments),
        cwd=folder, env=_environment(settings), input=stdin, capture_output=True, text=True, timeout=WAIT_S,
    )  # fmt: skip


def start(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[bytes]:
    """A command that goes on running; its log is a file in `folder`."""
    with (folder / f"{arguments[0]}.log").open("ab") as log:
        return subprocess.Popen(_command(*arguments), cwd=folder, env=_environment(settings), stdout=log, stderr=log)


@dataclass
class Served:
    """A running `deskhand serve`."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str, **kwargs: object) -> requests.Response:
        return requests.get(self.url + path, timeout=WAIT_S, **kwargs)  # type: ignore[arg-type]

    def wait_for(self, path: str, status: int) -> requests.Response:
        """Ask until the answer has the status."""
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                answer = self.get(path)
                if answer.status_code == status:
                    return answer
            except requests.ConnectionError:
                assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and wait for the end; gives the exit status."""
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)


@contextmanager
def serving(folder: Path, *arguments: str, **settings: str) -> Iterator[Served]:
    """`deskhand serve` on a free port, once it listens."""
    port = free_port()
    log = folder / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command("serve", "--port", str(port), *arguments),
            cwd=folder, env=_environment(settings), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        served = Served(process, f"http://127.0.0.1:{port}", log)
        served.wait_for("/healthz", 200)
        yield served
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """A port that is free, and that the system gives to nobody else while a program is starting that will take it."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)  # below those from which systems choose themselves
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "deskhand", *arguments]


def _environment(settings: dict[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DESKHAND_")}
    given = {f"DESKHAND_{name.upper()}": value for name, value in settings.items()}
    return {**inherited, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1", **given}
