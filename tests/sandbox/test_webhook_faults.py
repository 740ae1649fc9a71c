"""Faults of webhooks: real deliveries that come twice, late, in the wrong order, or not at first."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from deskhand.testing import SandboxDesk
from tests.receiver import Receiver, receiving

EVENT = "customer.created"


def subscribe(desk: SandboxDesk, url: str) -> int:
    hook = {"url": url, "events": [EVENT], "secret": "x"}
    return desk.call("POST", "/v2/webhooks", hook).id


def cause(desk: SandboxDesk, *names: str) -> None:
    for name in names:
        assert desk.call("POST", "/v2/customers", {"firstName": name}).status == 201


def names(receiver: Receiver) -> list[str]:
    return [one.json["firstName"] for one in receiver.received]


def test_a_duplicate_is_the_same_delivery_twice(fresh: SandboxDesk) -> None:
    with receiving() as receiver:
        subscribe(fresh, receiver.url)
        fresh.webhook_fault("duplicate")
        cause(fresh, "Ada", "Ben")
        assert fresh.settle()
        assert sorted(names(receiver)) == ["Ada", "Ada", "Ben"] or sorted(names(receiver)) == ["Ada", "Ben", "Ben"]
        assert len({one.key for one in receiver.received}) == 2, "the key tells a receiver that it knows it"


def test_a_late_one_takes_its_time(fresh: SandboxDesk) -> None:
    with receiving() as receiver:
        subscribe(fresh, receiver.url)
        fresh.webhook_fault("late", delay_ms=600)
        before = time.monotonic()
        cause(fresh, "Ada")
        assert fresh.settle(60)
        assert names(receiver) == ["Ada"]
        assert receiver.received[0].at - before > 0.5


def test_reordered_ones_change_places(fresh: SandboxDesk) -> None:
    with receiving() as receiver:
        subscribe(fresh, receiver.url)
        fresh.webhook_fault("reordered", delay_ms=60_000)
        cause(fresh, "Ada")
        assert not fresh.settle(0.2), "the first is held back for the second"
        cause(fresh, "Ben")
        assert fresh.settle(60)
        assert names(receiver) == ["Ben", "Ada"]
        cause(fresh, "Cleo")
        assert fresh.settle(60)
        assert names(receiver) == ["Ben", "Ada", "Cleo"]


def test_one_that_is_held_back_with_nothing_behind_it_leaves_all_the_same(fresh: SandboxDesk) -> None:
    with receiving() as receiver:
        subscribe(fresh, receiver.url)
        fresh.webhook_fault("reordered", delay_ms=300)
        cause(fresh, "Ada")
        assert fresh.settle()
        assert names(receiver) == ["Ada"]


def test_a_refused_one_is_tried_again_and_the_log_says_why(fresh: SandboxDesk) -> None:
    with receiving() as receiver:
        subscribe(fresh, receiver.url)
        fresh.webhook_fault("refused", times=2)
        cause(fresh, "Ada")
        assert fresh.settle()
        assert receiver.received == []
        fresh.advance("2m")
        assert receiver.received == [], "two were to be refused"
        fresh.advance("10m")
        assert names(receiver) == ["Ada"]


def test_a_fault_can_be_for_one_webhook_alone(fresh: SandboxDesk) -> None:
    with receiving() as receiver:
        spared = subscribe(fresh, f"{receiver.url}/spared")
        hit = subscribe(fresh, f"{receiver.url}/hit")
        assert spared != hit
        fresh.webhook_fault("refused", webhook_id=hit)
        cause(fresh, "Ada")
        assert fresh.settle()
        assert [one.path for one in receiver.received] == ["/spared"]


def test_they_are_listed_ended_and_gone_after_a_reset(fresh: SandboxDesk) -> None:
    path = f"{fresh.base_url}/sandbox/webhook-faults"
    fresh.webhook_fault("late", times=3)
    listed = requests.get(path, timeout=30).json()["faults"]
    assert listed == [{"kind": "late", "webhook_id": None, "times": 3, "delay_ms": None}]
    assert requests.delete(path, timeout=30).status_code == 204
    assert requests.get(path, timeout=30).json() == {"faults": []}
    fresh.webhook_fault("late")
    fresh.reset()
    assert requests.get(path, timeout=30).json() == {"faults": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [({"kind": "lost"}, "kind"), ({}, "kind"), ({"kind": "late", "times": 0}, "times"), ([], "body"),
     ({"kind": "late", "delay_ms": 10**9}, "delay_ms"), ({"kind": "late", "webhook": 3}, "webhook"),
     ({"kind": "late", "webhook_id": -3}, "webhook_id")],
)  # fmt: skip
def test_a_bad_fault_is_refused_with_its_field(fresh: SandboxDesk, body: Any, field: str) -> None:
    answer = requests.post(f"{fresh.base_url}/sandbox/webhook-faults", json=body, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == field


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"kind": "lost"}', "Expected one of these: 'duplicate', 'late', 'reordered', 'refused'"),
        ('{"kind": "late", "times": "two"}', "must be an integer"), ("[]", "must be an object"), ("{", "must be JSON"),
    ],
)  # fmt: skip
def test_why_a_fault_is_bad_is_said_in_words(fresh: SandboxDesk, body: str, words: str) -> None:
    answer = requests.post(f"{fresh.base_url}/sandbox/webhook-faults", data=body, timeout=30)
    assert answer.json()["errors"][0]["message"] == words
