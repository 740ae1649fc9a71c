"""Two servers on one database: what is decided at one holds at the other within a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.admin.door import Admin
from tests.live import LiveServer

SOON_S = 20.0
"""What is remembered of agents lives for a second; the machine may be busy."""


@dataclass
class Elsewhere:
    """The other server, asked as an agent or as an administrator."""

    url: str

    def status(self, credential: str, path: str = "/v2/conversations") -> int:
        headers = {"Authorization": f"Bearer {credential}"}
        return requests.get(self.url + path, headers=headers, timeout=30).status_code

    def seconds_until(self, status: int, credential: str, path: str = "/v2/conversations") -> float:
        """How long it takes from now until the credential is answered so."""
        began = time.monotonic()
        while self.status(credential, path) != status:
            assert time.monotonic() < began + 60, "it never was"
            time.sleep(0.02)
        return time.monotonic() - began


@pytest.fixture(scope="module")
def second(server: LiveServer) -> Iterator[LiveServer]:
    settings = server.app.settings
    live = LiveServer(settings.data_dir, settings.database_url, worker="separate")
    yield live
    live.stop()


@pytest.fixture
def elsewhere(second: LiveServer) -> Elsewhere:
    return Elsewhere(second.url)


CHANGES: dict[str, tuple[Callable[[Admin, dict[str, Any]], Any], int]] = {
    "revoked": (lambda admin, made: admin.delete(f"/agents/{made['id']}/keys/{key_id(admin, made)}"), 401),
    "deleted": (lambda admin, made: admin.delete(f"/agents/{made['id']}"), 401),
    "paused": (lambda admin, made: admin.post(f"/agents/{made['id']}/pause"), 403),
    "without grants": (lambda admin, made: admin.put(f"/agents/{made['id']}/grants", {}), 403),
    "stopped": (lambda admin, made: admin.post("/kill-switch", {"scope": "agent", "id": made["id"]}), 403),
    "stopped with all": (lambda admin, made: admin.post("/kill-switch", {"scope": "all"}), 403),
}


def key_id(admin: Admin, made: dict[str, Any]) -> int:
    found: int = admin.get(f"/agents/{made['id']}")["keys"][0]["id"]
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_an_agent_is_stopped_at_once_here_and_within_a_second_there(
    admin: Admin, elsewhere: Elsewhere, change: str
) -> None:
    made = admin.agent(preset="reader")
    work, status = CHANGES[change]
    assert (admin.as_agent(made["key"]).status_code, elsewhere.status(made["key"])) == (200, 200)
    work(admin, made)
    assert admin.as_agent(made["key"]).status_code == status
    assert elsewhere.seconds_until(status, made["key"]) < SOON_S


def test_an_agent_goes_on_within_a_second_as_well(admin: Admin, elsewhere: Elsewhere) -> None:
    made = admin.agent(preset="reader")
    admin.post("/kill-switch", {"scope": "all"})
    assert elsewhere.status(made["key"]) == 403
    admin.delete("/kill-switch")
    assert elsewhere.seconds_until(200, made["key"]) < SOON_S


def test_a_new_agent_is_known_there_at_once(admin: Admin, elsewhere: Elsewhere) -> None:
    assert elsewhere.status(admin.agent(preset="reader")["key"]) == 200
