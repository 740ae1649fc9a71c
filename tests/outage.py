"""A PostgreSQL server that tests may take away and bring back."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests import postgresql


class Outage:
    """A server of the test's own; `stop` throws all connections out and ends it, `start` brings it back.

    Not by a crash: the tests' servers keep nothing safe from one.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._folder = Path(parse_qs(urlsplit(url).query)["host"][0])

    def stop(self) -> None:
        pid_file = self._folder / "data" / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)
        deadline = time.monotonic() + 30
        while pid_file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def start(self) -> None:
        data = self._folder / "data"
        owner = data.stat()
        identity = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        program = Path(shlex.split((data / "postmaster.opts").read_text())[0]).with_name("pg_ctl")
        with (self._folder / "output").open("ab") as output:
            subprocess.run(
                [program, "-D", data, "-w", "-t", "30", "-l", self._folder / "log", "start"],
                cwd=self._folder, stdout=output, stderr=output, check=True, **identity,  # type: ignore[call-overload]
            )  # fmt: skip


@contextmanager
def postgresql_with_outages() -> Iterator[Outage]:
    """A PostgreSQL server that nobody else uses."""
    if "DESKHAND_TEST_POSTGRESQL" in os.environ:
        pytest.skip("somebody else's PostgreSQL is not to be stopped")
    with postgresql.running() as url:
        server = Outage(url)
        try:
            yield server
        finally:
            if not (server._folder / "data" / "postmaster.pid").exists():
                server.start()  # as it was when handed over
