"""Measures mail that comes in: how many a second are parsed and threaded, and what they cost the API meanwhile.

A server with a filled database listens for SMTP and carries out jobs. One process sends it mails, another reads the
API: in one, each would wait for the other's Python, and that would count as the server's doing. A third of the mails
begin conversations, the others answer them as mail programs do, with what they answer repeated below.
"""

from __future__ import annotations

import argparse
import contextlib
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import Any

import msgspec
import requests
import sqlalchemy as sa
import uvicorn

from bench import data
from deskhand.app import App
from deskhand.db.database import open_database
from deskhand.db.engine import Database
from deskhand.db.statements import P, rows
from deskhand.mail.tables import received_mail
from deskhand.settings import Listen, Settings
from tests import postgresql

ROOT = Path(__file__).parent.parent
WAIT_S = 300
RATE = 20
"""Mails a second beside which the API is measured."""
TURNS = 10
TEXT = "Thank you for the quick answer. The parcel has come, but one of the three lamps inside is broken. " * 6


class State(msgspec.Struct, frozen=True):
    """How many mails are in a state."""

    state: str
    n: int


STATES = rows(
    State,
    sa.select(received_mail.c.state, sa.func.count().label("n"))
    .where(received_mail.c.account_id == P("account_id"))
    .group_by(received_mail.c.state),
)


# ---------------------------------------------------------------------------------------------------------------------
# The server, in a process of its own


def serve(listener: socket.socket, folder: Path, database_url: str, smtp_port: int) -> None:
    settings = Settings(
        data_dir=folder,
        database_url=database_url,
        base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        mail_smtp_listen=Listen("127.0.0.1", smtp_port),
    )
    config = uvicorn.Config(App(settings), log_level="warning", loop="uvloop", http="httptools", access_log=False)
    uvicorn.Server(config).run([listener])


@dataclass(frozen=True)
class Server:
    """Where it listens, and its process."""

    url: str
    smtp_port: int
    pid: int

    def cpu_ms(self) -> float:
        """User and system time of all its threads so far."""
        return float(time.clock_gettime(~self.pid << 3 | 2) * 1000)


@contextlib.contextmanager
def serving(folder: Path, database_url: str) -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    with socket.create_server(("127.0.0.1", 0)) as free:
        smtp_port = free.getsockname()[1]
    command = [sys.executable, "-m", "bench.mail", "serve", "--listener", str(listener.fileno())]
    command += ["--folder", str(folder), "--database-url", database_url, "--smtp-port", str(smtp_port)]
    child = subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()])
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    try:
        requests.get(f"{url}/healthz", timeout=60)
        yield Server(url, smtp_port, child.pid)
    finally:
        child.terminate()
        child.wait(30)


# ---------------------------------------------------------------------------------------------------------------------
# The sender, in a process of its own


def send(smtp_port: int) -> None:
    """For each line with a count and a rate: write the mails, say so, and send them once told to."""
    letters = Letters()
    for line in sys.stdin:
        count, a_second = int(line.split()[0]), float(line.split()[1])
        written = [letters.next() for _ in range(count)]
        with smtplib.SMTP("127.0.0.1", smtp_port, timeout=60) as client:
            say("ready")
            sys.stdin.readline()
            began = time.monotonic()
            for number, (sender, inbox, raw) in enumerate(written):
                if a_second:
                    time.sleep(max(0.0, began + number / a_second - time.monotonic()))
                client.sendmail(sender, [inbox], raw)
        say("sent")


class Sender:
    """The process that sends."""

    def __init__(self, smtp_port: int) -> None:
        command = [sys.executable, "-m", "bench.mail", "send", "--smtp-port", str(smtp_port)]
        self._child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, count: int, a_second: float = 0.0) -> None:
        """Begin to send mails that are written already: so many a second, or (0) as fast as they are taken."""
        self._say(f"{count} {a_second}")
        self._hear("ready")
        self._say("go")

    def end(self) -> None:
        """Wait until they are sent."""
        self._hear("sent")

    def close(self) -> None:
        self._child.communicate(timeout=60)

    def _say(self, words: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(words + "\n")
        self._child.stdin.flush()

    def _hear(self, words: str) -> None:
        assert self._child.stdout is not None
        heard = self._child.stdout.readline().strip()
        assert heard == words, heard or "the sender ended"


# ---------------------------------------------------------------------------------------------------------------------
# The driver


class Letters:
    """Mails of many customers to many inboxes; two of three answer an earlier one of the same customer."""

    def __init__(self) -> None:
        self._sent = 0
        self._threads: dict[int, list[str]] = {}

    def next(self) -> tuple[str, str, bytes]:
        """Sender, recipient and bytes of the next mail."""
        number, self._sent = self._sent, self._sent + 1
        writer = number // 3
        before = self._threads.setdefault(writer, [])
        sender, inbox = (
            f"writer{writer}@buyer.example",
            f"inbox{data.FIRST_INBOX + writer % data.INBOXES}@bench.example",
        )
        mail = EmailMessage()
        mail["From"], mail["To"] = f"Writer {writer} <{sender}>", inbox
        mail["Subject"] = f"{'Re: ' if before else ''}A broken lamp ({writer})"
        mail["Message-ID"] = make_msgid(domain="buyer.example")
        if before:
            mail["In-Reply-To"], mail["References"] = before[-1], " ".join(before)
        before.append(mail["Message-ID"])
        quoted = f"On Monday somebody wrote:\n\n> {TEXT}\n" if number % 3 else ""
        mail.set_content(f"{TEXT}\n\n{quoted}")
        html = f'<div class="gmail_quote"><blockquote>{TEXT}</blockquote></div>' if number % 3 else ""
        mail.add_alternative(f"<div dir=ltr><p>{TEXT}</p></div>{html}", subtype="html")
        if number % 5 == 0:
            mail.add_attachment(bytes(30_000), maintype="image", subtype="png", filename="lamp.png")
        return sender, inbox, mail.as_bytes()


class Bench:
    """A running server, its database, and a sender of mail."""

    def __init__(self, database: Database, server: Server, sender: Sender) -> None:
        self.database, self.server, self.sender = database, server, sender
        self.token = data.issue_tokens(database)[data.OWNER]
        self.http = requests.Session()

    def settled(self, count: int) -> None:
        """Wait until so many are threads; raises when one of them failed or was skipped."""
        deadline = time.monotonic() + WAIT_S
        while True:
            states = self._states()
            assert not {"failed", "skipped"} & states.keys(), states
            if states.get("taken", 0) >= count:
                return
            assert time.monotonic() < deadline, states
            time.sleep(0.05)

    def throughput(self, count: int) -> Speed:
        """How quickly mails that come at once are threads, and what the server spends on each."""
        before = self._taken()
        cpu = self.server.cpu_ms()
        self.sender.begin(count)
        began = time.monotonic()
        self.sender.end()
        taken_s = time.monotonic() - began
        self.settled(before + count)
        return Speed(count / taken_s, count / (time.monotonic() - began), (self.server.cpu_ms() - cpu) / count)

    def _taken(self) -> int:
        return self._states().get("taken", 0)

    def _states(self) -> dict[str, int]:
        found = self.database.read_now(lambda db: db.all(STATES, account_id=data.ACCOUNT))
        return {one.state: one.n for one in found}

    def calls(self, seconds: float) -> list[float]:
        """Milliseconds of reads of the API, one after the other."""
        took, until = [], time.monotonic() + seconds
        headers = {"Authorization": f"Bearer {self.token}"}
        while time.monotonic() < until:
            began = time.monotonic()
            answer = self.http.get(f"{self.server.url}/v2/conversations?status=active", headers=headers, timeout=30)
            assert answer.status_code == 200
            took.append((time.monotonic() - began) * 1000)
            time.sleep(0.005)
        return took

    def beside(self) -> tuple[list[float], list[float]]:
        """The same in turns: with nothing else to do, and while mails come."""
        idle: list[float] = []
        busy: list[float] = []
        for _ in range(TURNS):
            idle += self.calls(2)
            before = self._taken()
            self.sender.begin(RATE * 2, RATE)
            busy += self.calls(2)
            self.sender.end()
            self.settled(before + RATE * 2)
        return sorted(idle), sorted(busy)


@dataclass(frozen=True)
class Speed:
    """Mails acknowledged and mails threaded in a second, and milliseconds of CPU that the server spends on each."""

    acknowledged: float
    threaded: float
    cpu_ms: float


def at(share: float, values: list[float]) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]


def measure(kind: str, folder: Path, database_url: str, count: int) -> None:
    database = open_database(database_url, folder)
    say(f"\n{kind}")
    try:
        with serving(folder, database_url) as server, contextlib.closing(Sender(server.smtp_port)) as sender:
            bench = Bench(database, server, sender)
            bench.throughput(60)
            found = [bench.throughput(count) for _ in range(3)]
            say(f"  acknowledged: {median(found, 'acknowledged'):.0f} mails/s")
            say(f"  parsed and threaded: {median(found, 'threaded'):.0f} mails/s")
            say(f"    {median(found, 'cpu_ms'):.1f} ms of the server's CPU each")
            idle, busy = bench.beside()
            p50, p99 = (at(share, busy) / at(share, idle) for share in (0.5, 0.99))
            say(f"  a page of the API beside {RATE} mails/s: p50 {p50:.2f}x, p99 {p99:.2f}x of when idle")
            say(f"    (p99 {at(0.99, idle):.1f} ms idle, {at(0.99, busy):.1f} ms beside mails)")
    finally:
        database.close()


def median(found: list[Speed], name: str) -> float:
    return float(statistics.median(getattr(one, name) for one in found))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("what", nargs="?", choices=("measure", "serve", "send"), default="measure")
    options.add_argument("--count", type=int, default=300, help="mails in a measurement")
    options.add_argument("--conversations", type=int, default=100_000)
    options.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "deskhand-bench")
    options.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    options.add_argument("--listener", type=int, help="(inner use)")
    options.add_argument("--folder", type=Path, help="(inner use)")
    options.add_argument("--database-url", default="", help="(inner use)")
    options.add_argument("--smtp-port", type=int, help="(inner use)")
    given = options.parse_args()
    if given.what == "serve":
        serve(socket.socket(fileno=given.listener), given.folder, given.database_url, given.smtp_port)
        return
    if given.what == "send":
        send(given.smtp_port)
        return
    wanted: list[Any] = given.database or ["sqlite", "postgresql"]
    with tempfile.TemporaryDirectory(prefix="deskhand-bench-") as folder, contextlib.ExitStack() as stack:
        if "sqlite" in wanted:
            filled = data.sqlite(given.data, given.conversations, data.told("SQLite"))
            data.copy_sqlite(filled, Path(folder, "sqlite"))
            measure("SQLite", Path(folder, "sqlite"), "", given.count)
        if "postgresql" in wanted:
            server = stack.enter_context(postgresql.running())
            template = data.fill_postgresql(server, given.data, given.conversations, data.told("PostgreSQL"))
            Path(folder, "postgresql").mkdir()
            url = postgresql.create_database(server, "mails", template)
            measure("PostgreSQL", Path(folder, "postgresql"), url, given.count)


if __name__ == "__main__":
    main()
