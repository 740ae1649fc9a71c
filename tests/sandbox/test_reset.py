"""A reset while something is under way: what was meant for the old state never touches the new one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.clients.live_sandbox import LiveSandbox
from tests.receiver import Receiver, Reply, receiving

SLOW_S = 3.0


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[LiveSandbox]:
    live = LiveSandbox(tmp_path, rate_limit=0)
    yield live
    live.stop()


def cause_an_event(sandbox: LiveSandbox, url: str) -> None:
    """The same few calls each time, as a test suite makes them."""
    client_id, secret = sandbox.credentials
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    token = requests.post(f"{sandbox.url}/v2/oauth2/token", form, timeout=30).json()["access_token"]
    for path, body in (
        ("/v2/webhooks", {"url": url, "events": ["customer.created"], "secret": "x"}),
        ("/v2/customers", {"firstName": "Mira"}),
    ):
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.post(sandbox.url + path, json=body, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text


def test_what_is_under_way_at_a_reset_does_not_swallow_what_comes_after_it(sandbox: LiveSandbox) -> None:
    with receiving() as receiver:
        receiver.answer = lambda one: Reply(after_s=SLOW_S if one.path == "/before" else 0)
        for path in ("/before", "/after"):
            sandbox.control("reset")
            cause_an_event(sandbox, receiver.url + path)
            receiver.wait(partial(_came, receiver, path))


def _came(receiver: Receiver, path: str) -> bool:
    return any(one.path == path for one in receiver.received)
