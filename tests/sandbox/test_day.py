"""A scripted day: the clock runs through it, mail comes and goes, and the same seed gives the same day."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from deskhand.lib.clock import from_wire
from deskhand.testing import Made, SandboxDesk, sandbox
from tests.receiver import receiving

MONDAY = Made(now=datetime(2026, 11, 23, 5, 30, tzinfo=UTC))


def test_a_day_brings_mail_answers_ratings_and_bounces() -> None:
    with sandbox(MONDAY) as desk, receiving() as receiver:
        events = ["convo.created", "convo.customer.reply.created", "satisfaction.ratings"]
        desk.call("POST", "/v2/webhooks", {"url": receiver.url, "events": events, "secret": "x"})
        before = desk.get("/v2/conversations", status="all")["page"]["totalElements"]
        played = desk.play_day(conversations=20, staff=True)
        assert (played["state"], played["date"], played["waited_in_vain"]) == ("played", "2026-11-23", 0)
        counts = played["counts"]
        assert counts["customer wrote"] == 20
        assert counts["staff answered"] > 8
        assert counts["customer answered"] > 3
        assert counts["customer rated"] > 2
        assert desk.get("/v2/conversations", status="all")["page"]["totalElements"] == before + 20
        at = [one["at"] for one in played["happened"]]
        assert at == sorted(at)
        assert at[0] >= "2026-11-23T06:00:00Z"
        assert desk.now() >= datetime(2026, 11, 23, 20, tzinfo=UTC)
        told = Counter(one.event for one in receiver.received)
        assert told["convo.created"] == 20
        assert told["convo.customer.reply.created"] == counts["customer answered"]
        assert told["satisfaction.ratings"] == counts["customer rated"]
        written = next(one for one in played["happened"] if one["what"] == "customer wrote")
        created = desk.get(f"/v2/conversations/{written['conversation_id']}")["createdAt"]
        assert abs((from_wire(created) - from_wire(written["at"])).total_seconds()) < 60, "at the time of that day"
        assert len(desk.mails()) >= counts["staff answered"]


def test_the_same_seed_and_state_give_the_same_day() -> None:
    with sandbox(MONDAY) as desk:
        days: list[Any] = []
        for seed in (1, 1, 2):
            desk.reset()
            days.append(desk.play_day("2026-11-23", conversations=8, seed=seed, staff=True)["happened"])
    assert days[0] == days[1]
    assert days[0] != days[2]


def test_customers_react_to_whoever_answers() -> None:
    """Those who test may answer before or during the day; here all replies of a while ago are theirs."""
    with sandbox(MONDAY) as desk:
        for n in range(12):
            email = f"{n}@buyer.example"
            made = desk.customer_writes(email=email)
            body = {"text": "Here you are", "customer": {"email": email}}
            assert desk.call("POST", f"/v2/conversations/{made.conversation_id}/reply", body).status == 201
        assert len(desk.mails()) == 12
        played = desk.play_day(conversations=24)
        reacted = {one["who"] for one in played["happened"] if one["what"] != "customer wrote"}
        assert len([who for who in reacted if who.endswith("@buyer.example")]) > 3


def test_a_reset_ends_the_day_and_leaves_nothing_of_it() -> None:
    with sandbox(MONDAY) as desk, ThreadPoolExecutor(1) as aside:
        before = desk.get("/v2/conversations", status="all")["page"]["totalElements"]
        playing = aside.submit(desk.play_day, conversations=500)
        while desk.get("/v2/conversations", status="all")["page"]["totalElements"] < before + 5:
            assert not playing.done()
            time.sleep(0.02)
        assert requests.post(f"{desk.base_url}/sandbox/day", timeout=30).status_code == 409, "one at a time"
        desk.reset()
        assert playing.result(120)["state"] == "stopped"
        assert desk.now().date().isoformat() == "2026-11-23"
        assert desk.get("/v2/conversations", status="all")["page"]["totalElements"] == before


def test_snoozes_wake_on_the_way() -> None:
    with sandbox(MONDAY) as desk:
        made = desk.customer_writes()
        body = {"snoozedUntil": "2026-11-23T11:00:00Z", "unsnoozeOnCustomerReply": True}
        answer = desk.call("PUT", f"/v2/conversations/{made.conversation_id}/snooze", body)
        assert answer.status == 204, answer.text
        desk.play_day(conversations=0)
        assert "snooze" not in desk.get(f"/v2/conversations/{made.conversation_id}")


def test_the_next_day_is_the_next_working_day() -> None:
    with sandbox(Made(now=datetime(2026, 11, 27, 12, tzinfo=UTC))) as desk:
        assert desk.play_day(conversations=0)["date"] == "2026-11-30", "after Friday comes Monday"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"date": "2020-01-01"}, "date"),
        ({"date": "tomorrow"}, "date"),
        ({"date": "2300-01-01"}, "date"),
        ({"conversations": 501}, "conversations"),
        ({"conversations": -1}, "conversations"),
        ({"seed": "x"}, "seed"),
        ({"stuff": True}, "stuff"),
    ],
)
def test_a_day_that_can_not_be_is_refused_with_its_field(fresh: SandboxDesk, body: Any, field: str) -> None:
    answer = requests.post(f"{fresh.base_url}/sandbox/day", json=body, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == field
