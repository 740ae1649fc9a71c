"""Measures webhook deliveries: how many a second, how soon after the commit, and what they cost the API meanwhile.

Server, receiver and this driver are processes of their own. The receiver answers at once, so what is measured is the
worker inside the server: events looked at, bodies made, jobs claimed, requests sent, ends written down.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httptools
import requests
import uvicorn
import uvloop

from deskhand.app import App
from deskhand.db.database import SQLITE_FILE, open_database
from deskhand.db.engine import Database, Writer
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.lib.clock import SystemClock
from deskhand.outbox import events
from deskhand.settings import Settings
from tests import postgresql
from tests.live import LiveServer
from tests.world import Desk, open_desk

ROOT = Path(__file__).parent.parent
CONVERSATIONS = 100
WEBHOOKS = 8
WAIT_S = 300
SECONDS = 10


# ---------------------------------------------------------------------------------------------------------------------
# The receiver, in a process of its own


class Receiver(asyncio.Protocol):
    """Takes whatever is posted and notes when; GET tells those times and forgets them."""

    arrivals: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self.parser.get_method() == b"POST":
            Receiver.arrivals.append(time.monotonic())
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            return
        body = json.dumps(Receiver.arrivals).encode()
        if self.parser.get_method() == b"DELETE":
            Receiver.arrivals.clear()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def receive(listener: socket.socket) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Receiver, sock=listener)
        await server.serve_forever()

    uvloop.run(run())


def serve(listener: socket.socket, folder: Path, database_url: str) -> None:
    settings = Settings(
        data_dir=folder,
        database_url=database_url,
        base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        webhook_private_addresses=True,
    )
    config = uvicorn.Config(App(settings), log_level="warning", loop="uvloop", http="httptools", access_log=False)
    uvicorn.Server(config).run([listener])


@contextlib.contextmanager
def process(what: str, *arguments: str) -> Iterator[tuple[str, int]]:
    """This module as another process; gives its URL, once it answers, and its number."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    command = [sys.executable, "-m", "bench.deliveries", what, "--listener", str(listener.fileno()), *arguments]
    child = subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()])
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    try:
        requests.get(f"{url}/healthz", timeout=60)
        yield url, child.pid
    finally:
        child.terminate()
        child.wait(30)


# ---------------------------------------------------------------------------------------------------------------------
# The driver


class Bench:
    """An account with conversations and webhooks on a running server."""

    def __init__(self, database: Database, server: tuple[str, int], receiver: str) -> None:
        url, self.pid = server
        self.database, self.receiver = database, receiver
        outside = SimpleNamespace(app=SimpleNamespace(database=database), clock=SystemClock(), url=url)
        self.desk: Desk = open_desk(cast(LiveServer, outside))
        inbox = self.desk.add_inbox()
        self.ids = [self._start(inbox) for _ in range(CONVERSATIONS)]
        for number in range(WEBHOOKS):
            names = ["convo.status"] if number else ["convo.merged", "convo.note.created"]
            body = {"url": f"{receiver}/{number}", "events": names, "secret": "s3cret"}
            assert self.desk.post("/v2/webhooks", body).status_code == 201
        time.sleep(2)

    def _start(self, inbox: int) -> int:
        customer = {"email": "paul@buyer.example", "firstName": "Paul"}
        body = {
            "subject": "Refund for order 5521", "type": "email", "mailboxId": inbox, "status": "active",
            "customer": customer, "threads": [{"type": "customer", "text": "Where is it?", "customer": customer}],
            "tags": ["refund", "vip"],
        }  # fmt: skip
        return int(self.desk.post("/v2/conversations", body).headers["Resource-ID"])

    def arrivals(self, least: int) -> list[float]:
        """When the deliveries came, once there are so many; they are forgotten then."""
        deadline = time.monotonic() + WAIT_S
        while len(found := requests.get(self.receiver, timeout=30).json()) < least:
            assert time.monotonic() < deadline, f"{len(found)} of {least}"
            time.sleep(0.2)
        requests.delete(self.receiver, timeout=30)
        return sorted(found)

    def record(self, name: str, count: int) -> None:
        """Events, past the server."""

        def write(tx: Writer) -> None:
            now = self.desk.now
            for number in range(count):
                fact = events.Event(
                    account_id=self.desk.account_id, name=name, subject_id=self.ids[number % CONVERSATIONS],
                    inbox_id=None, actor_id=self.desk.user_id, at=now,
                )  # fmt: skip
                events.record(tx, fact)

        self.database.write_now(write)

    def throughput(self, name: str, count: int, webhooks: int) -> Speed:
        """How quickly events are delivered, from the first arrival to the last, and what the server spends on it."""
        before = self._cpu_s()
        self.record(name, count)
        found = self.arrivals(count * webhooks)
        per_s = len(found) / (found[-1] - found[0])
        return Speed(per_s, (self._cpu_s() - before) * 1000 / len(found))

    def _cpu_s(self) -> float:
        """User and system time of all threads of the server so far."""
        return time.clock_gettime(~self.pid << 3 | 2)

    def latency(self, count: int, pause_s: float) -> list[float]:
        """Milliseconds from the answer to a note to its webhook's arrival."""
        committed = []
        for number in range(count):
            place = f"/v2/conversations/{self.ids[number % CONVERSATIONS]}/notes"
            assert self.desk.post(place, {"text": "<p>The refund is on its way.</p>"}).status_code == 201
            committed.append(time.monotonic())
            time.sleep(pause_s)
        arrived = self.arrivals(count)
        return sorted((there - here) * 1000 for here, there in zip(committed, arrived, strict=True))

    def calls(self, seconds: float) -> list[float]:
        """Milliseconds of reads of the API, one after the other."""
        took, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.monotonic()
            assert self.desk.get("/v2/conversations").status_code == 200
            took.append((time.monotonic() - began) * 1000)
            time.sleep(0.005)
        return sorted(took)

    def beside(self, rate: int, seconds: float) -> tuple[list[float], list[float]]:
        """The same in turns: with nothing else to do, and while so many deliveries a second are made."""
        idle: list[float] = []
        busy: list[float] = []
        for _ in range(round(seconds)):
            idle += self.calls(0.5)
            for _ in range(5):
                self.record("convo.merged", rate // 10)
                busy += self.calls(0.1)
            self.arrivals(5 * (rate // 10))
        return sorted(idle), sorted(busy)


@dataclass(frozen=True)
class Speed:
    """Deliveries a second, and milliseconds of CPU that the server spends on each."""

    per_s: float
    cpu_ms: float


def at(share: float, values: list[float]) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]


def measure(kind: str, folder: Path, database_url: str, count: int) -> None:
    upgrade(sqlalchemy_url(database_url, folder / SQLITE_FILE))
    database = open_database(database_url, folder)
    say(f"\n{kind}")
    try:
        with (
            process("receive") as (receiver, _),
            process("serve", "--folder", str(folder), "--database-url", database_url) as server,
        ):
            bench = Bench(database, server, receiver)
            bench.throughput("convo.merged", 500, 1)
            for webhooks, name in ((1, "convo.merged"), (WEBHOOKS - 1, "convo.status")):
                found = [bench.throughput(name, count // webhooks, webhooks) for _ in range(3)]
                say(f"  to {webhooks} webhook(s): {median(found, 'per_s'):.0f} deliveries/s ({spread(found)}),")
                say(f"    {median(found, 'cpu_ms'):.2f} ms of the server's CPU each")
            took = bench.latency(400, 0.01)
            say(f"  from commit to arrival: p50 {at(0.5, took):.1f} ms, p99 {at(0.99, took):.1f} ms")
            for rate in (20, 100, 400):
                idle, busy = bench.beside(rate, SECONDS)
                p50, p99 = (at(share, busy) / at(share, idle) for share in (0.5, 0.99))
                say(f"  a page of the API beside {rate} deliveries/s: p50 {p50:.2f}x, p99 {p99:.2f}x of when idle")
    finally:
        database.close()


def median(found: list[Speed], name: str) -> float:
    return float(statistics.median(getattr(one, name) for one in found))


def spread(found: list[Speed]) -> str:
    return f"{min(one.per_s for one in found):.0f} to {max(one.per_s for one in found):.0f}"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("what", nargs="?", choices=("measure", "receive", "serve"), default="measure")
    options.add_argument("--count", type=int, default=4000, help="deliveries in a measurement")
    options.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    options.add_argument("--listener", type=int, help="(inner use)")
    options.add_argument("--folder", type=Path, help="(inner use)")
    options.add_argument("--database-url", default="", help="(inner use)")
    given = options.parse_args()
    if given.what == "receive":
        receive(socket.socket(fileno=given.listener))
        return
    if given.what == "serve":
        serve(socket.socket(fileno=given.listener), given.folder, given.database_url)
        return
    wanted: list[Any] = given.database or ["sqlite", "postgresql"]
    with tempfile.TemporaryDirectory(prefix="deskhand-bench-") as folder, contextlib.ExitStack() as stack:
        if "sqlite" in wanted:
            measure("SQLite", Path(folder), "", given.count)
        if "postgresql" in wanted:
            url = stack.enter_context(postgresql.running())
            postgresql.drop_database(url, "deliveries")
            measure("PostgreSQL", Path(folder), postgresql.create_database(url, "deliveries"), given.count)


if __name__ == "__main__":
    main()
