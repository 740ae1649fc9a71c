"""`deskhand serve`: refuses in words what can't work, and stops without cutting anybody off."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.lib.file_lock import file_lock
from tests import postgresql
from tests.commands import Served, run, serving
from tests.outage import Outage, postgresql_with_outages
from tests.world import unique

INIT = [
    "init", "--json", "--account", "Northwind", "--name", "Ada Holm", "--email", "ada@desk.example",
    "--password", "correct horse", "--inbox", "Support", "--inbox-email", "help@desk.example",
]  # fmt: skip


@pytest.fixture
def database_url(postgresql_server: str) -> str:
    """A migrated PostgreSQL database."""
    url = postgresql.create_database(postgresql_server, unique("serving"))
    upgrade(sqlalchemy_url(url, Path()))
    return url


def refused(folder: Path, *arguments: str, **settings: str) -> str:
    """The one line with which serving is refused."""
    ended = run(folder, "serve", *arguments, **settings)
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    return line.removeprefix("deskhand: ")


def token(served: Served, init_output: str) -> dict[str, str]:
    """The Authorization header of the application that `init` made."""
    app = json.loads(init_output)["apps"][0]
    asked = {"grant_type": "client_credentials", **{name: app[name] for name in ("client_id", "client_secret")}}
    made = requests.post(f"{served.url}/v2/oauth2/token", data=asked, timeout=30).json()
    return {"Authorization": f"Bearer {made['access_token']}"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(migrated: Path, number: int):
    with serving(migrated) as served:
        ready = served.wait_for("/readyz", 200)
        assert "server" not in ready.headers
        assert "date" in ready.headers
        assert served.get("/v2/users/me").status_code == 401
        assert served.stop(number) == 0
    lines = [json.loads(line) for line in served.log.read_text().splitlines()]
    assert [line["message"] for line in lines if line["logger"] == "deskhand.serve"][-1] == "stopped"
    (call,) = [line for line in lines if line["logger"] == "deskhand.api"]
    assert (call["message"], call["status"]) == ("GET /v2/users/me 401", 401)
    assert {line["level"] for line in lines} == {"info"}


def test_links_begin_with_the_port_that_was_asked_for(migrated: Path):
    output = run(migrated, *INIT).stdout
    with serving(migrated) as served:
        inboxes = served.get("/v2/mailboxes", headers=token(served, output)).json()
    assert inboxes["_links"]["self"]["href"].startswith(f"{served.url}/v2/mailboxes")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs IPv6")
def test_every_address_there_is_includes_those_of_ipv4(migrated: Path):
    with serving(migrated, "--host", "::") as served:  # it is asked by 127.0.0.1
        assert served.stop() == 0


def test_calls_under_way_are_finished_before_it_stops(migrated: Path):
    output = run(migrated, *INIT).stdout
    with serving(migrated) as served:
        headers = {"Host": "desk", "Content-Type": "application/json", "Content-Length": "21", **token(served, output)}
        with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=60) as connection:
            headers["Expect"] = "100-continue"  # so that it says when it waits for the rest
            head = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
            connection.sendall(f"POST /v2/customers HTTP/1.1\r\n{head}\r\n".encode() + b'{"firstName"')
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
            served.process.send_signal(signal.SIGTERM)
            wait_until_closed(served)
            connection.sendall(b': "Vera"')
            connection.sendall(b"}")
            assert connection.recv(100).startswith(b"HTTP/1.1 201 ")
        assert served.process.wait(60) == 0


def wait_until_closed(served: Served) -> None:
    """Until no new connection is taken."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            served.get("/healthz")
        except requests.ConnectionError:
            return
        time.sleep(0.05)
    raise AssertionError("still listening")


def test_a_schema_that_is_not_current_is_refused(tmp_path: Path):
    assert refused(tmp_path) == 'the database has no tables yet: run "deskhand migrate"'


def test_several_workers_on_sqlite_are_refused(migrated: Path):
    words = "2 workers need PostgreSQL: set DESKHAND_DATABASE_URL, or take 1 worker with SQLite"
    assert refused(migrated, "--workers", "2") == words


def test_a_second_server_on_the_same_folder_is_refused(migrated: Path):
    with file_lock(migrated / "data" / "serve.lock"):
        assert re.fullmatch(r"another server \(process \d+\) already runs on the data folder data", refused(migrated))


def test_a_port_that_is_taken_is_refused(migrated: Path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        words = f"port {port} of 127.0.0.1 is taken by another program: choose one with --port"
        assert refused(migrated, "--port", str(port)) == words


def test_an_address_of_another_machine_is_refused(migrated: Path):
    words = "can't listen on 192.0.2.1 port 8080: Cannot assign requested address"
    assert refused(migrated, "--host", "192.0.2.1") == words


def test_a_data_folder_that_can_not_be_written_is_refused(tmp_path: Path):
    (tmp_path / "data").write_text("not a folder")
    assert refused(tmp_path) == "the data folder data is not a folder"
    assert refused(tmp_path, data_dir="data/below").startswith("the data folder data/below can't be written to: ")


def test_workers_share_a_port_and_their_figures(tmp_path: Path, database_url: str):
    output = run(tmp_path, *INIT, database_url=database_url).stdout
    with serving(tmp_path, "--workers", "2", database_url=database_url) as served:
        served.wait_for("/readyz", 200)
        headers = token(served, output)
        wait_for_workers(served, 2)
        for _ in range(40):  # each on a connection of its own, so that both workers get some
            assert served.get("/v2/users/me", headers=headers).status_code == 200
        deadline = time.monotonic() + 120
        while (calls := sum(counted(served).values())) < 40 and time.monotonic() < deadline:
            time.sleep(0.2)  # the other worker's figures are two seconds old at most
        assert calls == 40
        assert served.stop() == 0
    assert not list(tmp_path.glob("deskhand-figures-*"))


def test_a_worker_that_dies_is_replaced(tmp_path: Path, database_url: str):
    with serving(tmp_path, "--workers", "2", database_url=database_url) as served:
        first = wait_for_workers(served, 2)
        os.kill(min(first), signal.SIGKILL)
        deadline = time.monotonic() + 300
        while len(workers(served) - first) < 1 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert workers(served) - first
        assert served.stop() == 0
    assert f"Child process [{min(first)}] died" in served.log.read_text()


def workers(served: Served) -> set[int]:
    """The process ids of the workers whose figures are known."""
    try:
        return {int(each) for each in re.findall(r'worker="(\d+)"', served.get("/metrics").text)}
    except requests.ConnectionError:
        return set()


def wait_for_workers(served: Served, count: int) -> set[int]:
    deadline = time.monotonic() + 300
    while len(found := workers(served)) < count:
        assert time.monotonic() < deadline, served.log.read_text()
        time.sleep(0.2)
    return found


def counted(served: Served) -> dict[str, float]:
    """Successful calls of get_me by worker."""
    line = r'deskhand_calls_total\{operation="get_me",status="2xx",worker="(\d+)"\} (\S+)'
    return {worker: float(count) for worker, count in re.findall(line, served.get("/metrics").text)}


@pytest.fixture
def outage() -> Iterator[Outage]:
    with postgresql_with_outages() as server:
        yield server


def test_it_starts_without_postgresql_and_works_once_that_is_there(outage: Outage, tmp_path: Path):
    url = postgresql.create_database(outage.url, "desk")
    upgrade(sqlalchemy_url(url, Path()))
    outage.stop()
    with serving(tmp_path, database_url=url) as served:
        assert served.get("/readyz").status_code == 503
        outage.start()
        served.wait_for("/readyz", 200)
        assert served.get("/v2/users/me").status_code == 401
        assert served.stop() == 0
    assert "answering 503 until it is there" in served.log.read_text()


def test_it_stops_if_the_postgresql_it_waited_for_has_no_tables(outage: Outage, tmp_path: Path):
    url = postgresql.create_database(outage.url, "desk")
    outage.stop()
    with serving(tmp_path, database_url=url) as served:
        assert served.get("/healthz").status_code == 200
        outage.start()
        assert served.process.wait(120) == 1
    assert served.log.read_text().splitlines()[-1] == (
        'deskhand: the database has no tables yet: run "deskhand migrate"'
    )
