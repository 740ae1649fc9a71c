"""The Singer tap from PyPI, tap-helpscout, as it is: a full and an incremental sync of a sandbox.

It has Help Scout's address built in; a hook of Python's start turns that into the sandbox's, as a proxy would.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from tests.clients.installed import singer_tap
from tests.clients.live_sandbox import CONVERSATIONS, LiveSandbox
from tests.oauth.doors import Door, Person, approve

REBASED = """
import os, requests
request = requests.Session.request
def rebased(session, method, url, **kwargs):
    return request(session, method, url.replace("https://api.helpscout.net", os.environ["DESK"]), **kwargs)
requests.Session.request = rebased
"""
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSandbox]:
    live = LiveSandbox(tmp_path_factory.mktemp("sandbox"), rate_limit=0)
    yield live
    live.stop()


@dataclass
class Synced:
    """What a run of the tap wrote."""

    records: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    state: dict[str, Any] = field(default_factory=dict)


@dataclass
class Tap:
    """The tap with its configuration, as a person sets it up."""

    folder: Path
    url: str

    def sync(self, state: dict[str, Any] | None = None) -> Synced:
        discovered = json.loads(self._run("--discover"))
        for stream in discovered["streams"]:
            stream["metadata"] = [
                {**one, "metadata": {**one["metadata"], "selected": True}} if not one["breadcrumb"] else one
                for one in stream["metadata"]
            ]
        (self.folder / "catalog.json").write_text(json.dumps(discovered))
        options = ["--catalog", "catalog.json"]
        if state is not None:
            (self.folder / "state.json").write_text(json.dumps(state))
            options += ["--state", "state.json"]
        synced = Synced()
        for line in self._run(*options).splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD":
                synced.records[message["stream"]].append(message["record"])
            elif message["type"] == "STATE":
                synced.state = message["value"]
        return synced

    def _run(self, *options: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "DESK": self.url}
        done = subprocess.run(
            [singer_tap(), "--config", "config.json", *options],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout


@pytest.fixture
def tap(sandbox: LiveSandbox, tmp_path: Path) -> Tap:
    (tmp_path / "sitecustomize.py").write_text(REBASED)
    client_id, client_secret = sandbox.credentials
    config = {
        "client_id": client_id, "client_secret": client_secret, "refresh_token": refresh_token(sandbox),
        "user_agent": "tap", "start_date": LONG_AGO,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    return Tap(tmp_path, sandbox.url)


def refresh_token(sandbox: LiveSandbox) -> str:
    """By the flow that has a person in it, because only that gives one."""
    owner, (client_id, client_secret) = sandbox.description["users"][0], sandbox.credentials
    person = Person(owner["id"], owner["email"], owner["password"])
    sent = approve(cast(Door, SimpleNamespace(url=sandbox.url)), client_id, person)
    form = {
        "grant_type": "authorization_code", "code": sent["code"][0], "client_id": client_id,
        "client_secret": client_secret,
    }  # fmt: skip
    answer = requests.post(f"{sandbox.url}/v2/oauth2/token", data=form, timeout=30)
    return str(answer.json()["refresh_token"])


def note(sandbox: LiveSandbox, conversation_id: int) -> None:
    client_id, client_secret = sandbox.credentials
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    token = requests.post(f"{sandbox.url}/v2/oauth2/token", data=form, timeout=30).json()["access_token"]
    answer = requests.post(
        f"{sandbox.url}/v2/conversations/{conversation_id}/notes",
        json={"text": "Called back"}, headers={"Authorization": f"Bearer {token}"}, timeout=30,
    )  # fmt: skip
    assert answer.status_code == 201, answer.text


def test_a_full_sync_reads_everything_and_the_next_one_only_what_changed(sandbox: LiveSandbox, tap: Tap) -> None:
    full = tap.sync()

    conversations = full.records["conversations"]
    assert len({row["id"] for row in conversations}) == len(conversations)
    assert len(conversations) > CONVERSATIONS * 0.95  # merged ones are not listed
    assert Counter(row["conversation_id"] for row in full.records["conversation_threads"]).keys() <= {
        row["id"] for row in conversations
    }
    described = sandbox.description
    assert {row["id"] for row in full.records["mailboxes"]} == {inbox["id"] for inbox in described["inboxes"]}
    assert {row["id"] for row in full.records["users"]} >= {user["id"] for user in described["users"]}
    assert described["manual_workflow"]["id"] in {row["id"] for row in full.records["workflows"]}
    streams = {
        "customers", "mailbox_fields", "mailbox_folders", "teams", "team_members", "happiness_ratings_report",
        "conversation_threads",
    }  # fmt: skip
    assert [name for name in streams if not full.records[name]] == []

    changed = conversations[7]["id"]
    sandbox.control("clock", {"advance": "1h"})
    note(sandbox, changed)
    again = tap.sync(full.state)

    assert changed in {row["id"] for row in again.records["conversations"]}
    assert len(again.records["conversations"]) <= 3  # and those of the very second at which the first sync ended
    assert "Called back" in {
        row["body"] for row in again.records["conversation_threads"] if row["conversation_id"] == changed
    }
