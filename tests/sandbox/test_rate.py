"""Ratings in the sandbox: a program can be the customer who gives one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.clients.live_sandbox import LiveSandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSandbox]:
    live = LiveSandbox(tmp_path_factory.mktemp("sandbox-rate"), rate_limit=0)
    yield live
    live.stop()


def rate(sandbox: LiveSandbox, body: Any) -> requests.Response:
    return requests.post(f"{sandbox.url}/sandbox/rate", json=body, timeout=30)


def read(sandbox: LiveSandbox, path: str, **params: str) -> Any:
    client_id, secret = sandbox.credentials
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    token = requests.post(f"{sandbox.url}/v2/oauth2/token", form, timeout=30).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(sandbox.url + path, params, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_reply_can_be_rated_and_the_report_tells(sandbox: LiveSandbox) -> None:
    span = {"start": "2000-01-01T00:00:00Z", "end": "2099-12-31T23:59:59Z"}
    before = read(sandbox, "/v2/reports/happiness", **span)["current"]
    assert before["ratingsCount"] > 0, "the sandbox's plan sees reports, and its story has ratings"
    thread = sandbox.description["examples"]["rated_thread"]
    answer = rate(sandbox, {"thread_id": thread, "rating": "not_good", "comments": "Hm"})
    assert answer.status_code == 201, answer.text
    found = read(sandbox, f"/v2/ratings/{answer.json()['rating_id']}")
    assert (found["threadId"], found["rating"], found["comments"]) == (thread, "not_good", "Hm")
    after = read(sandbox, "/v2/reports/happiness", **span)["current"]
    assert after["ratingsCount"] == before["ratingsCount"], "a reply has one rating"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"thread_id": 1, "rating": "great"}, 404),
        ({"thread_id": 2**70, "rating": "great"}, 400),
        ({"thread_id": 1, "rating": "superb"}, 400),
        ({"thread_id": 1, "rating": "great", "comments": "\0"}, 400),
        ({"rating": "great"}, 400),
    ],
)
def test_what_can_not_be_rated_is_refused(sandbox: LiveSandbox, body: Any, status: int) -> None:
    assert rate(sandbox, body).status_code == status
