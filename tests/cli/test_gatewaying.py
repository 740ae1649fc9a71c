"""`deskhand gateway` stands alone in front of a second Deskhand, as people start it."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from deskhand.cli import gatewaying, serving
from deskhand.cli.refused import Refused
from deskhand.db.sqlite import open_sqlite
from deskhand.desk.users import verbs as users
from deskhand.gateway import admin_tokens, connections
from deskhand.lib.sealing import Sealer
from deskhand.settings import Settings
from tests import commands
from tests.gateway.fake_desk import faking
from tests.live import LiveServer
from tests.world import Desk, open_desk

SECRET = "a secret that nobody else has"
ADA = users.NewStaff(account_id=1, first_name="Ada", role="owner", created_at="x", updated_at="x")


@dataclass
class Remote:
    """A help desk elsewhere, with two inboxes."""

    desk: Desk
    orders: int
    returns: int

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "upstream_url": f"{self.desk.server.url}/v2", "upstream_client_id": self.desk.client_id,
            "upstream_client_secret": self.desk.client_secret,
        }  # fmt: skip


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    live = LiveServer(tmp_path_factory.mktemp("remote"))
    desk = open_desk(live)
    yield Remote(desk, desk.add_inbox("Orders"), desk.add_inbox("Returns"))
    live.stop()


@dataclass
class Gateway:
    """A running `deskhand gateway`."""

    url: str
    folder: Path
    output: Path

    def administer(self, method: str, path: str, body: Any = None) -> requests.Response:
        if not hasattr(self, "_token"):
            database = open_sqlite(self.folder / "data" / "deskhand.sqlite")
            made = database.write_now(lambda tx: admin_tokens.create(tx, 1, "Tests", datetime.now(UTC)))
            database.close()
            self._token = made.token
        headers = {"Authorization": f"Bearer {self._token}"}
        return requests.request(method, f"{self.url}/admin/v1{path}", json=body, headers=headers, timeout=30)

    def ask(self, key: str, path: str) -> requests.Response:
        return requests.get(self.url + path, headers={"Authorization": f"Bearer {key}"}, timeout=30)


@contextmanager
def gateway(folder: Path, **settings: str) -> Iterator[Gateway]:
    port = commands.free_port()
    output = folder / "gateway.log"
    with output.open("ab") as log:
        process = subprocess.Popen(
            commands._command("gateway", "--port", str(port)),
            cwd=folder, env=commands._environment(settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        running = Gateway(f"http://127.0.0.1:{port}", folder, output)
        deadline = time.monotonic() + commands.WAIT_S
        while True:
            assert process.poll() is None and time.monotonic() < deadline, output.read_text()
            try:
                if requests.get(f"{running.url}/readyz", timeout=30).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait(commands.WAIT_S)


def test_agents_work_on_the_remote_desk_through_it(remote: Remote, tmp_path: Path) -> None:
    with gateway(tmp_path, **remote.settings) as running:
        said = running.output.read_text()
        assert f"in front of {remote.desk.server.url}" in said
        grants = {"resources": {"inboxes": {"level": "read", "inboxes": [remote.orders]}}}
        made = running.administer("POST", "/agents", {"name": "Triage", "grants": grants})
        assert made.status_code == 201, made.text
        key = made.json()["key"]
        page = running.ask(key, "/v2/mailboxes").json()
        assert [one["name"] for one in page["_embedded"]["mailboxes"]] == ["Orders"]
        assert page["page"]["totalElements"] == 1
        assert page["_embedded"]["mailboxes"][0]["_links"]["self"]["href"].startswith(running.url)
        foreign, unknown = (running.ask(key, f"/v2/mailboxes/{id}") for id in (remote.returns, 10**9))
        assert (foreign.status_code, unknown.status_code) == (403, 403)
        assert foreign.json()["missing"] == unknown.json()["missing"] == {"resource": "inboxes", "level": "read"}
        credentials = {"grant_type": "client_credentials"} | {
            name: made.json()[name] for name in ("client_id", "client_secret")
        }
        token = requests.post(f"{running.url}/v2/oauth2/token", data=credentials, timeout=30).json()["access_token"]
        assert running.ask(token, f"/v2/mailboxes/{remote.orders}").json()["name"] == "Orders"
        (connection,) = running.administer("GET", "/connections").json()["connections"]
        assert (connection["name"], connection["base_url"]) == ("Upstream", remote.desk.server.url)
        assert running.ask(remote.desk.token, "/v2/mailboxes").status_code == 401  # it has no desk of its own
        assert requests.get(f"{running.url}/v2/mailboxes", timeout=30).status_code == 401
        assert requests.get(f"{running.url}/sign-in", timeout=30).status_code == 404
        assert requests.get(f"{running.url}/metrics", timeout=30).ok
        entries = running.administer("GET", "/audit").json()["entries"]
        assert any("connection Upstream" in one["sentence"] for one in entries)


@pytest.fixture
def unserved(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that comes before serving happens, and no more."""
    monkeypatch.setattr(serving, "serve", lambda *_: None)


@pytest.mark.usefixtures("unserved")
def test_a_second_start_needs_no_secret_and_the_desk_need_not_be_there(
    migrated: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with faking() as desk:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
        settings = Settings(data_dir=migrated / "data", upstream_url=desk.url, upstream_client_id="client")
        gatewaying.gateway(settings, ask_secret=True)
        assert desk.token_calls[0].form["client_secret"] == SECRET
    gatewaying.gateway(settings, ask_secret=False)
    kept = b"".join(one.read_bytes() for one in (migrated / "data").iterdir() if one.is_file())
    assert SECRET.encode() not in kept + "".join(capsys.readouterr()).encode()


def refused(folder: Path, **settings: Any) -> str:
    """Why the command refuses to start."""
    with pytest.raises(Refused) as caught:
        gatewaying.gateway(Settings(data_dir=folder / "data", **settings), ask_secret=False)
    return str(caught.value)


def test_it_refuses_in_one_line_what_can_not_be(remote: Remote, migrated: Path) -> None:
    there = {"upstream_url": remote.desk.server.url}
    assert "--upstream" in refused(migrated)
    assert "must begin with https://" in refused(migrated, upstream_url="http://api.helpscout.net")
    assert "--client-id" in refused(migrated, **there)
    assert "--client-id" in refused(migrated, **there, upstream_client_secret=SECRET)
    text = refused(migrated, **remote.settings | {"upstream_client_secret": SECRET})
    assert text.startswith("--client-secret") and "refuses these credentials" in text and SECRET not in text


@pytest.mark.usefixtures("unserved")
def test_it_goes_in_front_of_no_other_desk_and_on_no_desks_data(remote: Remote, migrated: Path) -> None:
    gatewaying.gateway(Settings(data_dir=migrated / "data", **remote.settings), ask_secret=False)
    assert "in front of" in refused(migrated, **remote.settings | {"upstream_url": "https://else.example"})
    with serving.alone_on(migrated / "data"):
        assert "already runs" in refused(migrated, **remote.settings)
    desk = open_sqlite(migrated / "data" / "deskhand.sqlite")
    desk.write_now(lambda tx: users.add_staff(tx, ADA))
    desk.close()
    assert "deskhand serve" in refused(migrated, **remote.settings)


@pytest.mark.usefixtures("unserved")
def test_a_new_secret_takes_the_place_of_the_old_one(remote: Remote, migrated: Path) -> None:
    settings = Settings(data_dir=migrated / "data", **remote.settings)
    for _ in range(2):
        gatewaying.gateway(settings, ask_secret=False)
    assert "refuses" in refused(migrated, **remote.settings | {"upstream_client_secret": SECRET})
    assert "--client-id" in refused(migrated, **remote.settings | {"upstream_client_id": "somebody else"})
    gatewaying.gateway(Settings(data_dir=migrated / "data", upstream_url=remote.desk.server.url), ask_secret=False)
    database = open_sqlite(migrated / "data" / "deskhand.sqlite")
    (row,) = database.read_now(lambda db: connections.of_account(db, 1))
    database.close()
    sealer = Sealer("", migrated / "data" / "gateway.key")
    assert connections.unseal(sealer, row).client_secret == remote.desk.client_secret
