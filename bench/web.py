"""Measures the web: what pages cost the server, how much is transferred, and how soon a browser has painted.

A server in a process of its own serves a filled account; this driver reads pages over one kept-open connection, and
opens them in a real Chromium without a window.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page

from bench import data
from deskhand.db.database import open_database
from deskhand.db.engine import Writer
from deskhand.lib.clock import SystemClock
from deskhand.oauth import sessions
from tests import postgresql
from tests.web import chromium

ROOT = Path(__file__).parent.parent
TARGETS = {"server": 30.0, "transferred": 80.0, "paint": 500.0, "key": 100.0}
PAINTED = """() => new Promise(done => {
  new PerformanceObserver(list => done(list.getEntries().at(-1).startTime))
    .observe({type: "largest-contentful-paint", buffered: true});
})"""
TRANSFERRED = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((all, one) => all + one.transferSize, 0)"""
NEXT = """key => new Promise(done => {
  const before = document.querySelector("main h1")?.textContent, began = performance.now();
  document.addEventListener("deskhand:shown", () => requestAnimationFrame(() => setTimeout(
    () => done([performance.now() - began, before, document.querySelector("main h1")?.textContent]))), {once: true});
  document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
})"""


@dataclass(frozen=True)
class Server:
    """Where it listens, whose session it knows, and its process."""

    url: str
    cookie: str
    pid: int

    def cpu_ms(self) -> float:
        """User and system time of all its threads so far."""
        return float(time.clock_gettime(~self.pid << 3 | 2) * 1000)


@contextlib.contextmanager
def serving(folder: Path, database_url: str) -> Iterator[Server]:
    """The product with somebody signed in who sees all inboxes."""
    database = open_database(database_url, folder)

    def start(tx: Writer) -> str:
        return sessions.start(tx, account_id=data.ACCOUNT, user_id=data.OWNER, now=SystemClock().now(), before=None)

    cookie = database.write_now(start)
    database.close()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    command = [sys.executable, "-m", "bench.serve", "product", "--listener", str(listener.fileno())]
    command += ["--folder", str(folder), "--database-url", database_url]
    child = subprocess.Popen(command, cwd=ROOT, pass_fds=[listener.fileno()], stdout=subprocess.PIPE)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    try:
        assert child.stdout is not None
        child.stdout.readline()
        yield Server(url, cookie, child.pid)
    finally:
        child.terminate()
        child.wait(30)


def measure(server: Server, turns: int) -> dict[str, float]:
    """All figures of one server; prints them."""
    figures: dict[str, float] = {}
    http = requests.Session()
    http.cookies.set(sessions.COOKIE, server.cookie, domain="127.0.0.1")
    folder = f"/folder/{data.FIRST_INBOX * 10 + 1}"
    conversations = [f"/conversation/{id}" for id in data.conversation_ids(turns, data.OWNER)]
    for name, path in (("folder", lambda turn: folder), ("conversation", lambda turn: conversations[turn])):
        figures |= _read(server, http, name, path, turns)
    with chromium.running() as browser:
        figures |= _paint(browser, server, {"folder": folder, "conversation": conversations[0]})
        figures |= _keys(browser, server, folder)
    return figures


def _read(
    server: Server, http: requests.Session, name: str, path: Callable[[int], str], turns: int
) -> dict[str, float]:
    """How long the server takes for a page, of its own time and as a client waits, and how much it sends."""
    waits, sizes, before = [], [], 0.0
    for turn in range(-10, turns):
        if turn == 0:
            before = server.cpu_ms()
        began = time.perf_counter()
        with http.get(server.url + path(turn), stream=True, timeout=60) as answer:
            raw = answer.raw.read()
            answer.raw.release_conn()
        if turn >= 0:
            assert answer.status_code == 200, answer.status_code
            waits.append((time.perf_counter() - began) * 1000)
            sizes.append(len(raw) / 1024)
    cpu = (server.cpu_ms() - before) / turns
    waits.sort()
    p50, p99 = statistics.median(waits), waits[int(turns * 0.99) - 1]
    _say(
        f"  {name} page: {cpu:.1f} ms CPU, p50 {p50:.1f} ms, p99 {p99:.1f} ms,"
        f" {statistics.median(sizes):.1f} KB compressed, at most {max(sizes):.1f}"
    )
    return {f"{name} cpu": cpu, f"{name} p99": waits[int(turns * 0.99) - 1], f"{name} KB": max(sizes)}


def _paint(browser: Browser, server: Server, paths: dict[str, str]) -> dict[str, float]:
    """The largest contentful paint of first visits, each with an empty cache, and all that they transfer."""
    figures = {}
    for name, path in paths.items():
        times, sizes = [], []
        for _ in range(7):
            with _window(browser, server) as page:
                page.goto(path, wait_until="load")
                times.append(float(page.evaluate(PAINTED)))
                sizes.append(float(page.evaluate(TRANSFERRED)) / 1024)
        figures[f"{name} paint"], figures[f"{name} first KB"] = statistics.median(times), max(sizes)
        _say(
            f"  {name} page in Chromium: largest contentful paint {statistics.median(times):.0f} ms"
            f" ({min(times):.0f} to {max(times):.0f}), {max(sizes):.1f} KB with everything it loads"
        )
    return figures


def _keys(browser: Browser, server: Server, folder: str) -> dict[str, float]:
    """From pressing the key for the next conversation until it is painted."""
    times = []
    with _window(browser, server) as page:
        page.goto(folder, wait_until="load")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/conversation/**")
        for _ in range(15):
            page.wait_for_timeout(400)  # as long as it takes to see what one has
            took, before, after = page.evaluate(NEXT, "j")
            assert before != after or page.url, (before, after)
            times.append(float(took))
    times.sort()
    _say(
        f"  key press to the next conversation painted: p50 {statistics.median(times):.0f} ms, at most {times[-1]:.0f}"
    )
    return {"key": times[-1]}


@contextlib.contextmanager
def _window(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": sessions.COOKIE, "value": server.cookie, "url": server.url}])
    try:
        yield context.new_page()
    finally:
        context.close()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--conversations", type=int, default=100_000)
    options.add_argument("--turns", type=int, default=300)
    options.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    options.add_argument("--folder", type=Path, help="where filled databases are kept; default: a temporary folder")
    given = options.parse_args()
    with contextlib.ExitStack() as stack:
        kept = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deskhand-bench-")))
        for kind in given.database or ("sqlite", "postgresql"):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deskhand-bench-")))
            url = ""
            if kind == "sqlite":
                data.copy_sqlite(data.sqlite(kept, given.conversations, data.told("SQLite")), folder)
            else:
                server_url = stack.enter_context(postgresql.running())
                template = data.fill_postgresql(server_url, kept, given.conversations, data.told("PostgreSQL"))
                url = postgresql.create_database(server_url, "web", template=template)
            _say(f"\n{kind}, {given.conversations:,} conversations, {os.cpu_count()} cores")
            with serving(folder, url) as server:
                measure(server, given.turns)


if __name__ == "__main__":
    main()
