"""Measures the product against the limit app: CPU time of the whole server process per request, as ratios.

Each server is a process of its own with its own copy of the data; this process drives them in turn over kept-open
connections. Nothing is reported unless both give the same answers and write the same rows.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import psycopg
import uvloop

from bench import data
from deskhand.db.database import SQLITE_FILE, open_database
from tests import postgresql

Which = Literal["product", "limit"]
ROOT = Path(__file__).parent.parent
SERVERS: tuple[Which, ...] = ("product", "limit")
DATABASES = ("sqlite", "postgresql")
USERS = {"owner": data.OWNER, "limited": data.LIMITED}
CASES = ("page", "conversation", "reply")
TARGETS = {"page": 1.6, "conversation": 2.0, "reply": 2.0}
MEMORY_MB = 90
COMPARED = 25
WARM_UP = 100
ANSWER_S = 60


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured, and how long."""

    conversations: int
    requests: int
    rounds: int
    connections: int
    databases: Sequence[str]
    users: Sequence[str]
    cases: Sequence[str]
    folder: Path


@dataclass(slots=True)
class Burst:
    """What one server spent on one burst of requests."""

    cpu_ms: float
    per_s: float
    p50_ms: float
    p99_ms: float


@dataclass(slots=True)
class Result:
    """One line of the table."""

    database: str
    user: str
    case: str
    bursts: dict[Which, list[Burst]] = field(default_factory=lambda: {"product": [], "limit": []})

    def median(self, which: Which, name: str) -> float:
        return float(statistics.median(getattr(burst, name) for burst in self.bursts[which]))

    def ratios(self) -> list[float]:
        """Of bursts that ran side by side, so that what else the machine did weighs on both."""
        pairs = zip(self.bursts["product"], self.bursts["limit"], strict=True)
        return sorted(product.cpu_ms / limit.cpu_ms for product, limit in pairs)


# ---------------------------------------------------------------------------------------------------------------------
# Servers


class Server:
    """The product or the limit app, running on its own copy of the data."""

    def __init__(self, which: Which, folder: Path, database_url: str, tokens: dict[int, str]) -> None:
        self.which = which
        self.tokens = tokens
        self.folder, self.database_url = folder, database_url
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = listener.getsockname()[1]
        command = [sys.executable, "-m", "bench.serve", which, "--folder", str(folder)]
        command += ["--listener", str(listener.fileno()), "--database-url", database_url]
        self.process = subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()], stdout=subprocess.PIPE)
        listener.close()
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            raise RuntimeError(f"the {which} server did not start")
        self.memory_mb = self.memory()

    def request(self, method: str, path: str, user: int, body: bytes = b"") -> bytes:
        """The bytes of a request. The product is told who asks by a token, the limit app by two plain headers."""
        if self.which == "product":
            who = f"authorization: Bearer {self.tokens[user]}"
        else:
            who = f"user: {user}\r\ninboxes: {data.LIMITED_INBOX if user == data.LIMITED else ''}"
        lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1:8080", who]
        if body:
            lines += ["content-type: application/json", f"content-length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def cpu_ms(self) -> float:
        """User and system time of all threads so far: what /proc/<pid>/stat says, but finer than its 10 ms."""
        return float(time.clock_gettime(~self.process.pid << 3 | 2) * 1000)

    def memory(self) -> tuple[float, float]:
        """What is in memory, and what of it is this process's alone (a library's code is shared)."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        sizes = {name: int(kb) / 1024 for name, kb in re.findall(r"^(\w+):\s+(\d+) kB", rollup, re.MULTILINE)}
        return sizes["Rss"], sizes["Private_Clean"] + sizes["Private_Dirty"]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def servers(options: Options, database: str, server_url: str) -> Iterator[dict[Which, Server]]:
    """Both servers on fresh copies of the filled database."""
    started: dict[Which, Server] = {}
    with tempfile.TemporaryDirectory(prefix="deskhand-bench-") as temporary:
        try:
            if database == "sqlite":
                filled = data.sqlite(options.folder, options.conversations, data.told("SQLite"))
            else:
                progress = data.told("PostgreSQL")
                name = data.fill_postgresql(server_url, options.folder, options.conversations, progress)
            for which in SERVERS:
                folder, url = Path(temporary, which), ""
                if database == "sqlite":
                    data.copy_sqlite(filled, folder)
                else:
                    folder.mkdir()
                    url = postgresql.create_database(server_url, which, name)
                opened = open_database(url, folder)
                tokens = data.issue_tokens(opened)
                opened.close()
                started[which] = Server(which, folder, url, tokens)
            yield started
        finally:
            for server in started.values():
                server.stop()


# ---------------------------------------------------------------------------------------------------------------------
# Requests


class Requests:
    """What each case asks for: the same for both servers, request by request."""

    def __init__(self, conversations: int, user: int) -> None:
        self.user = user
        self.ids = data.conversation_ids(conversations, user)
        self.asked = 0

    def take(self, case: str, count: int) -> range:
        """The numbers of the next requests; replies go on where the last ones ended, reads begin anew."""
        start = self.asked if case == "reply" else 0
        if case == "reply":
            self.asked += count
        return range(start, start + count)

    def bytes_for(self, server: Server, case: str, number: int) -> bytes:
        if case == "page":
            return server.request("GET", "/v2/conversations?status=active", self.user)
        id = self.ids[number % len(self.ids)]
        if case == "conversation":
            return server.request("GET", f"/v2/conversations/{id}?embed=threads", self.user)
        body: dict[str, Any] = {"customer": {"id": data.customer_of(id)}, "text": _TEXT.format(number)}
        if number % 2:  # every second reply closes its conversation, the others (re)open theirs
            body["status"] = "closed"
        return server.request("POST", f"/v2/conversations/{id}/reply", self.user, msgspec.json.encode(body))


_TEXT = (
    "<p>Hello, and thank you for writing.</p><p>Your order no. {} left our house this morning; the parcel service says "
    "it arrives within two days. If the colour is not what you hoped for, send it back in the bag it came in: the "
    "label lies inside, and we pay the postage.</p><p>Kind regards &amp; a good week</p>"
)


class Connection(asyncio.Protocol):
    """One kept-open connection that sends its next request when the last one is answered."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.kept: list[tuple[int, dict[str, str], bytes]] = []
        self.buffer = b""
        self.missing = -1

    async def send(self, requests: Iterator[bytes], *, keep: bool) -> None:
        """Send requests until there are no more."""
        self.requests, self.keep = requests, keep
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._next()
        await self.done

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, received: bytes) -> None:
        self.buffer += received
        if self.missing < 0:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self.head = self.buffer[:end].lower()
            length = self.head.find(b"content-length:")
            size = int(self.head[length + 15 :].split(b"\r\n", 1)[0]) if length >= 0 else 0
            self.missing = end + 4 + size
        if len(self.buffer) >= self.missing:
            self._answered()

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(problem or ConnectionError("the server closed the connection"))

    def _answered(self) -> None:
        self.seconds.append(time.perf_counter() - self.started)
        status = int(self.head[9:12])
        if status not in (200, 201):
            self.done.set_exception(RuntimeError(f"a request failed: {self.buffer[:2000]!r}"))
            return
        if self.keep:
            lines = self.head.decode().split("\r\n")[1:]
            headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
            self.kept.append((status, headers, self.buffer[len(self.head) + 4 :]))
        self.buffer, self.missing = b"", -1
        self._next()

    def _next(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.done.set_result(None)
            return
        self.started = time.perf_counter()
        self.transport.write(request)


class Client:
    """Connections to one server, kept open from burst to burst."""

    def __init__(self, runner: asyncio.Runner, server: Server, connections: int) -> None:
        self.server = server
        self._runner = runner
        self._open = [runner.run(self._connect()) for _ in range(connections)]

    def send(self, requests: Sequence[bytes], *, keep: bool = False) -> list[Connection]:
        """Send requests in order over all connections, each waiting for its answer before the next."""
        for connection in self._open:
            connection.seconds, connection.kept = [], []

        async def all_of_them() -> None:
            queue = iter(requests)
            async with asyncio.timeout(ANSWER_S + len(requests) * 0.1):
                await asyncio.gather(*(connection.send(queue, keep=keep) for connection in self._open))

        self._runner.run(all_of_them())
        return self._open

    def burst(self, requests: Requests, case: str, numbers: range) -> Burst:
        """One measured burst."""
        prepared = [requests.bytes_for(self.server, case, number) for number in numbers]
        cpu, started = self.server.cpu_ms(), time.perf_counter()
        answered = self.send(prepared)
        cpu, took = self.server.cpu_ms() - cpu, time.perf_counter() - started
        waited = sorted(seconds * 1000 for connection in answered for seconds in connection.seconds)
        return Burst(cpu / len(waited), len(waited) / took, waited[len(waited) // 2], waited[len(waited) * 99 // 100])

    def close(self) -> None:
        for connection in self._open:
            connection.transport.close()

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, "127.0.0.1", self.server.port)
        return connection


@contextlib.contextmanager
def clients(both: dict[Which, Server], connections: int) -> Iterator[dict[Which, Client]]:
    """Fresh connections to both servers, which close those that are idle for long."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        opened = {which: Client(runner, server, connections) for which, server in both.items()}
        yield opened
        for client in opened.values():
            client.close()


# ---------------------------------------------------------------------------------------------------------------------
# The same answers, the same rows


def compare_answers(both: dict[Which, Server], requests: Requests, case: str) -> None:
    """Refuse to go on unless the two give the same statuses, bodies and meaningful headers."""
    numbers = requests.take(case, COMPARED)
    kept = {}
    with clients(both, 1) as opened:
        for which, client in opened.items():
            prepared = [requests.bytes_for(client.server, case, number) for number in numbers]
            [connection] = client.send(prepared, keep=True)
            kept[which] = [(status, _meaning(headers), body) for status, headers, body in connection.kept]
    for number, product, limit in zip(numbers, kept["product"], kept["limit"], strict=True):
        if product != limit:
            sys.exit(f"{case} {number}: the answers differ\nproduct: {product}\nlimit:   {limit}")


def _meaning(headers: dict[str, str]) -> dict[str, str]:
    return {
        name: headers[name] for name in ("content-type", "content-length", "resource-id", "location") if name in headers
    }


_WRITTEN = {
    "conversation": "SELECT * FROM conversation WHERE modified_at >= '{since}' ORDER BY id",
    "thread": "SELECT * FROM thread WHERE created_at >= '{since}' ORDER BY conversation_id, body",
    "conversation_search": (
        "SELECT id, account_id, text FROM conversation_search WHERE id >> 12 IN"
        " (SELECT id FROM conversation WHERE modified_at >= '{since}') ORDER BY id, text"
    ),
    "event": "SELECT * FROM event ORDER BY subject_id, name, particulars, actor_id",
    "thread_mail": (
        "SELECT account_id, conversation_id, direction, state, error FROM thread_mail"
        " ORDER BY conversation_id, thread_id"
    ),
    "job": "SELECT account_id, kind, target, state, claim, attempts, last_error FROM job ORDER BY target",
    "counter": "SELECT * FROM counter WHERE n <> 0 ORDER BY account_id, kind, key, inbox_id",
}


def compare_rows(both: dict[Which, Server], since: str, *, with_ids: bool) -> int:
    """Refuse to go on unless the two have written the same rows but for times; gives how many. Ids are generated in the
    order of the replies, which is the same as long as there is one connection."""
    compared = 0
    for table, query in _WRITTEN.items():
        rows = {which: _rows(server, query.format(since=since), since, with_ids) for which, server in both.items()}
        if rows["product"] != rows["limit"]:
            pairs = zip(rows["product"], rows["limit"], strict=False)
            first = next((pair for pair in pairs if pair[0] != pair[1]), "their number")
            sys.exit(f"{table}: the rows differ\n{first}")
        compared += len(rows["product"])
    return compared


def _rows(server: Server, query: str, since: str, with_ids: bool) -> list[Any]:
    if server.database_url:
        with psycopg.connect(server.database_url) as postgres:
            cursor = postgres.execute(query)
            names, found = [column.name for column in cursor.description or ()], cursor.fetchall()
    else:
        with contextlib.closing(sqlite3.connect(server.folder / SQLITE_FILE)) as connection:
            lite = connection.execute(query)
            names, found = [column[0] for column in lite.description], lite.fetchall()
    generated: tuple[str, ...] = ()
    if not with_ids:
        generated = ("id", "thread_id") if "thread_id" in names else ("id",) if "body" in names else ()
    times = ("created_at", "modified_at", "user_updated_at", "closed_at", "first_reply_at", "waited_since", "at")
    return [
        tuple(
            None if name in generated else "now" if name in times and value and value >= since else value
            for name, value in zip(names, row, strict=True)
        )
        for row in found
    ]


# ---------------------------------------------------------------------------------------------------------------------
# Measuring


def measure(options: Options, database: str, both: dict[Which, Server]) -> list[Result]:
    """Every case for every user, the servers' bursts taking turns."""
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    requests = {user: Requests(options.conversations, USERS[user]) for user in options.users}
    # Before any replies are made at the same time, so that generated ids can be compared too.
    for case in options.cases:
        for user in options.users:
            compare_answers(both, requests[user], case)
    compare_rows(both, since, with_ids=True)
    results = []
    for case in options.cases:
        for user in options.users:
            with clients(both, options.connections) as opened:
                results.append(measure_case(options, opened, requests[user], Result(database, user, case)))
            say(line(results[-1]))
    compare_rows(both, since, with_ids=False)
    return results


def measure_case(options: Options, opened: dict[Which, Client], requests: Requests, result: Result) -> Result:
    """Many short bursts in turn: what else the machine does then weighs on both alike."""
    for turn in range(options.rounds + 1):
        numbers = requests.take(result.case, max(1, options.requests // options.rounds) if turn else WARM_UP)
        for which in SERVERS if turn % 2 else SERVERS[::-1]:
            measured = opened[which].burst(requests, result.case, numbers)
            if turn:
                result.bursts[which].append(measured)
    return result


HEAD = (
    "| database | user | case | product / limit | middle half of the rounds | at most | product ms | limit ms"
    " | product req/s | limit req/s | product p50, p99 ms | limit p50, p99 ms |\n|"
) + "---|" * 12


def line(result: Result) -> str:
    """One line of the table; CPU milliseconds per request, the median of all rounds."""
    ratios = result.ratios()
    quartiles = statistics.quantiles(ratios)
    cells = [
        result.database, result.user, result.case, f"**{statistics.median(ratios):.2f}**",
        f"{quartiles[0]:.2f} to {quartiles[2]:.2f}", f"{TARGETS[result.case]}",
        *(f"{result.median(which, 'cpu_ms'):.3f}" for which in SERVERS),
        *(f"{result.median(which, 'per_s'):,.0f}" for which in SERVERS),
        *(f"{result.median(which, 'p50_ms'):.1f}, {result.median(which, 'p99_ms'):.1f}" for which in SERVERS),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def run(options: Options) -> bool:
    """Measure and print; whether every target was met."""
    say(
        f"{options.conversations:,} conversations, {options.requests:,} requests per case in {options.rounds} rounds "
        f"over {options.connections} connections, {os.cpu_count()} cores\n\n{HEAD}"
    )
    met, memory = True, []
    with contextlib.ExitStack() as stack:
        server_url = stack.enter_context(postgresql.running()) if "postgresql" in options.databases else ""
        for database in options.databases:
            with servers(options, database, server_url) as both:
                results = measure(options, database, both)
                met &= all(statistics.median(result.ratios()) <= TARGETS[result.case] for result in results)
                memory += [(database, which, *both[which].memory_mb, both[which].memory()[0]) for which in SERVERS]
    say(f"\n| database | server | at rest MB (at most {MEMORY_MB}) | of that its own | after the run MB |")
    say("|---|---|---|---|---|")
    for name, which, resident, own, after in memory:
        say(f"| {name} | {which} | {resident:.0f} | {own:.0f} | {after:.0f} |")
        met &= which == "limit" or resident <= MEMORY_MB
    say("\nAnswers and written rows were the same on both. " + ("All" if met else "NOT all") + " targets met.")
    return met


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=2000, help="per case, user, database and server")
    parser.add_argument("--rounds", type=int, default=40, help="in how many turns they are sent")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--database", choices=DATABASES, action="append", help="only this one")
    parser.add_argument("--user", choices=tuple(USERS), action="append", help="only this one")
    parser.add_argument("--case", choices=CASES, action="append", help="only this one")
    parser.add_argument(
        "--data", type=Path, default=Path(tempfile.gettempdir(), "deskhand-bench"), help="keeps filled databases"
    )
    parser.add_argument("--quick", action="store_true", help="5,000 conversations and few requests: does it work?")
    given = parser.parse_args()
    options = Options(
        conversations=5000 if given.quick else given.conversations,
        requests=240 if given.quick else given.requests,
        rounds=8 if given.quick else max(2, given.rounds),
        connections=given.connections,
        databases=given.database or DATABASES,
        users=given.user or tuple(USERS),
        cases=given.case or CASES,
        folder=given.data,
    )
    # A quick run is too short to judge by.
    sys.exit(0 if run(options) or given.quick else 1)


if __name__ == "__main__":
    main()
