"""What follows when a customer rates a reply: it is told to webhooks, and there is one rating however often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.contract.test_ratings import rated, replied
from tests.receiver import receiving
from tests.world import Desk


def test_a_rating_is_told_as_it_is_read(desk: Desk) -> None:
    _, threads = replied(desk)
    with receiving() as receiver:
        body = {"url": f"{receiver.url}/hs", "events": ["satisfaction.ratings"], "secret": "s3cret"}
        assert desk.post("/v2/webhooks", body).status_code == 201
        id = rated(desk, threads["message"], "great", "Quick")
        told = receiver.first("satisfaction.ratings").json
        assert told == desk.get(f"/v2/ratings/{id}").json()


def test_many_opinions_at_once_leave_one_rating(desk: Desk) -> None:
    conversation, threads = replied(desk)
    with ThreadPoolExecutor(8) as pool:
        words = [f"word {number}" for number in range(24)]
        ids = set(pool.map(lambda one: rated(desk, threads["message"], "okay", one), words))
    (id,) = ids
    kept = desk.get(f"/v2/ratings/{id}").json()["comments"]
    shown = desk.get(f"/v2/conversations/{conversation}/threads").json()["_embedded"]["threads"]
    assert kept in words
    assert [one["rating"]["comments"] for one in shown if "rating" in one] == [kept]
