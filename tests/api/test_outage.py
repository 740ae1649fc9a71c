"""PostgreSQL goes away and comes back while the server runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests import postgresql
from tests.live import LiveServer
from tests.outage import Outage, postgresql_with_outages
from tests.world import Desk, open_desk


@pytest.fixture
def outage() -> Iterator[Outage]:
    with postgresql_with_outages() as server:
        yield server


def test_calls_answer_503_while_postgresql_is_away_and_work_again_without_a_restart(outage: Outage, tmp_path: Path):
    live = LiveServer(tmp_path, postgresql.create_database(outage.url, "desk"))
    desk = open_desk(live)
    assert desk.get("/v2/users/me").status_code == 200
    for _ in range(2):
        outage.stop()
        time.sleep(1.1)  # what is remembered of the token is forgotten
        assert_away(desk.get("/v2/users/me"))
        assert_away(desk.post("/v2/customers", {"firstName": "Vera"}))
        asked = {"grant_type": "client_credentials", "client_id": desk.client_id, "client_secret": desk.client_secret}
        assert_away(requests.post(f"{live.url}/v2/oauth2/token", data=asked, timeout=30))
        assert requests.get(f"{live.url}/readyz", timeout=30).status_code == 503
        assert requests.get(f"{live.url}/healthz", timeout=30).status_code == 200
        outage.start()
        assert wait_for_an_answer(desk) == 200
        assert desk.post("/v2/customers", {"firstName": "Vera"}).status_code == 201
        assert requests.get(f"{live.url}/readyz", timeout=30).status_code == 200
    live.stop()


def assert_away(answer: requests.Response) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def wait_for_an_answer(desk: Desk) -> int:
    deadline = time.monotonic() + 60
    while (status := desk.get("/v2/users/me").status_code) == 503 and time.monotonic() < deadline:
        time.sleep(0.1)
    return status
