"""The ways to one desk that are measured side by side: its own API, nginx, the gateway's doors, other MCP servers.

All lead to the same process with the same data, so that whatever a way costs beyond it is the way's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import requests

from bench import data
from bench.gateway_clients import Answered, Caller, Http, Program, mcp, rest, stdio
from bench.serve import BASE_URL, GATEWAY_URL
from deskhand.app import App
from deskhand.app.gateway import Gateway
from deskhand.db.database import SQLITE_FILE, open_database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.desk.users import verbs as users
from deskhand.gateway.administering.who import Who
from deskhand.gateway.audit import By
from deskhand.gateway.connections import read_given
from deskhand.lib.clock import SystemClock
from deskhand.settings import Settings

Case = Literal["read", "list", "note"]
Door = Literal["rest", "mcp", "stdio"]
ROOT = Path(__file__).parent.parent
INBOX = data.LIMITED_INBOX
UNITS = 900_000
"""The account's units a minute: never reached, but below what counts as no limit, so that they are shared out."""
PEERS = {
    "fastmcp": ("fastmcp==4.1.2", "httpx", "uvicorn[standard]"),
    "mcp-proxy": ("mcp-proxy==0.13.0", "mcp<2"),  # it does not start with mcp 2
}
"""What is installed from PyPI, each in a venv of its own."""
DIRECT, NGINX, AGENT, SCOPED, UNSCOPED = (
    "the desk's API", "nginx", "an agent", "gateway alone, agent of one inbox", "gateway alone, agent of all inboxes",
)  # fmt: skip
MCP, FASTMCP, FASTMCP_PROXY, BRIDGE, MCP_PROXY = (
    "/mcp", "fastmcp server, no checks", "fastmcp proxy before it", "deskhand mcp (stdio)", "mcp-proxy (stdio)",
)  # fmt: skip
ORDER = (DIRECT, NGINX, AGENT, UNSCOPED, SCOPED, MCP, FASTMCP, FASTMCP_PROXY, BRIDGE, MCP_PROXY)
START_S = 60


class Left(Exception):
    """Something to compare with can't be had here; the text says why."""


@dataclass(slots=True)
class Way:
    """A way to the desk. `pids` are the processes on it beside the desk's own; a slow one gets fewer calls."""

    name: str
    door: Door
    caller: Caller
    token: str
    pids: Callable[[], Sequence[int]]
    slow: bool = False

    def calls(self, case: Case, numbers: range, ids: Sequence[int]) -> list[bytes]:
        """Calls of a case, ready to be sent."""
        return [self._call(case, number, ids[number % len(ids)]) for number in numbers]

    def _call(self, case: Case, number: int, id: int) -> bytes:
        if self.door == "rest":
            method, path, body = _rest(case, id)
            return rest(method, path, self.token, body)
        tool, arguments = _tool(case, id)
        return mcp(tool, arguments, self.token) if self.door == "mcp" else stdio(number, tool, arguments)


_text = itertools.count(1)


def _note() -> str:
    """Nobody may say the same twice within minutes."""
    return f"<p>Asked the warehouse about parcel {next(_text)}: it left this morning.</p><p>Nothing to do.</p>"


def _rest(case: Case, id: int) -> tuple[str, str, Any]:
    match case:
        case "read":
            return "GET", f"/v2/conversations/{id}?embed=threads", None
        case "list":
            return "GET", f"/v2/conversations?mailbox={INBOX}", None
        case "note":
            return "POST", f"/v2/conversations/{id}/notes", {"text": _note()}


def _tool(case: Case, id: int) -> tuple[str, Mapping[str, Any]]:
    match case:
        case "read":
            return "get_conversation", {"conversation_id": id, "embed": "threads"}
        case "list":
            return "list_conversations", {"mailbox": INBOX}
        case "note":
            return "add_note", {"conversation_id": id, "text": _note()}


def failure(way: Way, answered: Answered) -> str | None:
    """What is wrong with an answer, if anything."""
    if answered.status not in (200, 201):
        return f"status {answered.status}: {answered.body[:500]!r}"
    if way.door == "rest":
        return None
    result = msgspec.json.decode(answered.body).get("result")
    if not isinstance(result, dict) or result.get("isError"):
        return f"an error: {answered.body[:500]!r}"
    return None


# ---------------------------------------------------------------------------------------------------------------------
# Processes


class Process:
    """A server on a socket that was opened for it."""

    def __init__(self, *command: str) -> None:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        given = [str(listener.fileno()) if one == "LISTENER" else one for one in command]
        self.name = " ".join(command[1:4])
        quiet = {**os.environ, "FASTMCP_LOG_LEVEL": "ERROR"}
        self._process = subprocess.Popen(
            given, cwd=ROOT, pass_fds=[listener.fileno()], stdout=subprocess.DEVNULL, env=quiet
        )
        listener.close()
        self.pid = self._process.pid

    def ready(self) -> None:
        """Wait until it answers, whatever it says."""
        try:
            requests.get(f"{self.url}/mcp", timeout=START_S)
        except requests.ConnectionError as problem:
            raise Left(f"{self.name} does not start") from problem

    def stop(self) -> None:
        stop(self._process)


def stop(process: subprocess.Popen[Any]) -> None:
    """End a process."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def running(*command: str) -> Iterator[Process]:
    process = Process(*command)
    try:
        process.ready()
        yield process
    finally:
        process.stop()


def desk(folder: Path) -> contextlib.AbstractContextManager[Process]:
    """The product on a data folder; jobs stay where they are."""
    return running(sys.executable, "-m", "bench.serve", "product", "--folder", str(folder), "--listener", "LISTENER")


def alone(folder: Path, connection: int) -> contextlib.AbstractContextManager[Process]:
    """`deskhand gateway` on a data folder of its own."""
    return running(
        sys.executable, "-m", "bench.serve", "gateway", "--folder", str(folder), "--listener", "LISTENER",
        "--connection", str(connection),
    )  # fmt: skip


_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr error;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream desk {{ server 127.0.0.1:{desk}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 1000000;
        location / {{
            proxy_pass http://desk;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_buffers 32 8k;  # an answer never goes through a file
        }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(kept: Path, temporary: Path, desk: int) -> Iterator[tuple[int, list[int]]]:
    """nginx in front of the desk's port, with connections kept open on both sides: its port and its processes."""
    program = _nginx_program(kept)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = temporary / "nginx"
    folder.mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(_NGINX.format(folder=folder, user=user, desk=desk, port=port))
    process = subprocess.Popen([program, "-c", str(file), "-p", str(folder), "-e", "stderr"])
    try:
        deadline = time.monotonic() + START_S
        while not (workers := _children(process.pid)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Left("nginx does not start")
            time.sleep(0.05)
        time.sleep(0.2)
        yield port, [process.pid, *workers]
    finally:
        stop(process)


def _nginx_program(kept: Path) -> str:
    """nginx as it is installed, or from Debian's package, unpacked without installing anything."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found:
        return found
    program = kept / "nginx-light" / "usr/sbin/nginx"
    if not program.exists():
        folder = kept / "nginx-light"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["apt-get", "download", "-qq", "nginx-light"], cwd=folder, check=True, capture_output=True)
            (package,) = folder.glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True, capture_output=True)
        except (OSError, ValueError, subprocess.CalledProcessError) as problem:
            raise Left(f"nginx is not installed, and its package can't be had: {problem}") from problem
    return str(program)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def peer(kept: Path, name: str) -> Path:
    """The folder with the programs of something from PyPI, installed once."""
    wanted = PEERS[name]
    folder = kept / f"{name}-{hashlib.sha256(' '.join((*wanted, sys.version)).encode()).hexdigest()[:12]}"
    if not (folder / "done").exists():
        sys.stderr.write(f"installing {wanted[0]} in {folder}\n")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
            pip = [
                str(folder / "bin/python"),
                "-m",
                "pip",
                "-q",
                "--no-input",
                "--disable-pip-version-check",
                "install",
            ]
            subprocess.run([*pip, *wanted], check=True, capture_output=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as problem:
            raise Left(f"{wanted[0]} can't be installed: {problem}") from problem
        (folder / "done").touch()
    return folder / "bin"


def fastmcp(kept: Path, what: str, url: str, token: str) -> contextlib.AbstractContextManager[Process]:
    """A fastmcp server or proxy in front of the desk."""
    python = peer(kept, "fastmcp") / "python"
    return running(str(python), str(ROOT / "bench/gateway_peers.py"), what, "LISTENER", url, token)


# ---------------------------------------------------------------------------------------------------------------------
# Who asks


def make_agent(folder: Path) -> str:
    """The key of an agent of one inbox in the desk's own database: a drafter, which reads and writes notes."""
    app = App(Settings(data_dir=folder, base_url=BASE_URL))
    who = Who(data.ACCOUNT, By("command_line"), "The bench")
    try:
        return asyncio.run(
            app.gateway.administration.agents.create(who, "Drafter", preset="drafter", inboxes=[INBOX])
        ).key
    finally:
        app.database.close()


def make_gateway(folder: Path, desk: str) -> tuple[int, str, str]:
    """A database for a gateway alone: its connection to the desk, the keys of an agent of one inbox and one of all."""
    folder.mkdir()
    upgrade(sqlalchemy_url("", folder / SQLITE_FILE))
    database = open_database("", folder)
    try:
        new = users.NewAccount(name="Gateway", created_at="2026-11-01T00:00:00Z")
        account_id = database.write_now(lambda tx: users.open_account(tx, new))
        parts = Gateway(Settings(data_dir=folder, base_url=GATEWAY_URL), database, SystemClock(), None)
        given = read_given({"name": "Desk", "base_url": desk, "client_id": "bench", "client_secret": "bench"})
        who = Who(account_id, By("command_line"), "The bench")

        async def make() -> tuple[int, str, str]:
            async with parts.running():
                made = await parts.remotes.connections.make(account_id, given)
                verbs = parts.administration
                scoped = await verbs.agents.create(who, "One", preset="drafter", inboxes=[INBOX], connection_id=made.id)
                every = await verbs.agents.create(who, "All", preset="drafter", connection_id=made.id)
                return made.id, scoped.key, every.key

        return asyncio.run(make())
    finally:
        database.close()


# ---------------------------------------------------------------------------------------------------------------------
# All of it


@dataclass(slots=True)
class World:
    """The desk, the ways to it, and the conversations of the inbox that is asked about."""

    desk: int
    ways: list[Way]
    ids: list[int]
    left_out: list[str]

    def cpu_ms(self, way: Way) -> tuple[float, float]:
        """User and system time so far of the desk's process, and of the others on this way."""
        return _cpu_ms(self.desk), sum(_cpu_ms(pid) for pid in way.pids())


def _cpu_ms(pid: int) -> float:
    """Of all threads: what /proc/<pid>/stat says, but finer than its 10 ms."""
    return float(time.clock_gettime(~pid << 3 | 2) * 1000)


@contextlib.contextmanager
def world(kept: Path, conversations: int, *, peers: bool) -> Iterator[World]:
    """Everything running."""
    left_out: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="deskhand-bench-") as temporary,
        contextlib.ExitStack() as stack,
    ):
        folder = Path(temporary, "desk")
        data.copy_sqlite(data.sqlite(kept, conversations, data.told("SQLite")), folder)
        with contextlib.closing(sqlite3.connect(folder / SQLITE_FILE)) as raw, raw:
            raw.execute("UPDATE account SET rate_limit = ?", (UNITS,))
        database = open_database("", folder)
        token = data.issue_tokens(database)[data.LIMITED]
        database.close()
        key = make_agent(folder)
        behind = stack.enter_context(desk(folder))
        connection, scoped, every = make_gateway(Path(temporary, "gateway"), behind.url)
        before = stack.enter_context(alone(Path(temporary, "gateway"), connection))

        def nothing() -> list[int]:
            return []

        ways = [
            Way(DIRECT, "rest", Http(behind.port), token, nothing),
            Way(AGENT, "rest", Http(behind.port), key, nothing),
            Way(SCOPED, "rest", Http(before.port), scoped, lambda: [before.pid]),
            Way(UNSCOPED, "rest", Http(before.port), every, lambda: [before.pid]),
            Way(MCP, "mcp", Http(behind.port), key, nothing),
            _program(BRIDGE, str(Path(sys.executable).with_name("deskhand")), "mcp", "--url", behind.url, "--key", key),
        ]
        try:
            port, pids = stack.enter_context(nginx(kept, Path(temporary), behind.port))
            ways.append(Way(NGINX, "rest", Http(port), token, lambda: pids))
        except Left as problem:
            left_out.append(str(problem))
        if peers:
            try:
                server = stack.enter_context(fastmcp(kept, "server", behind.url, token))
                proxy = stack.enter_context(fastmcp(kept, "proxy", server.url, "none"))
                program = str(peer(kept, "mcp-proxy") / "mcp-proxy")
                ways += [
                    Way(FASTMCP, "mcp", Http(server.port), "none", lambda: [server.pid], slow=True),
                    Way(FASTMCP_PROXY, "mcp", Http(proxy.port), "none", lambda: [proxy.pid, server.pid], slow=True),
                    _program(
                        MCP_PROXY, program, "--transport", "streamablehttp", "--log-level", "ERROR",
                        "-H", "Authorization", f"Bearer {key}", f"{behind.url}/mcp", slow=True,
                    ),
                ]  # fmt: skip
            except Left as problem:
                left_out.append(str(problem))
        yield World(behind.pid, ways, data.conversation_ids(conversations, data.LIMITED), left_out)


def _program(name: str, *command: str, slow: bool = False) -> Way:
    program = Program(*command)
    return Way(name, "stdio", program, "", lambda: program.pids, slow)
