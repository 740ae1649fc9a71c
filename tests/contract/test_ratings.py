"""Ratings as clients read them.

Facts: §8 and fact 69 of the wire contract's half B (https://developer.helpscout.com/mailbox-api/endpoints/ratings/get).
"""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.catalogue.problems import NotFound
from deskhand.desk.conversations.threads.rating import Opinion, rate
from tests.world import Desk


def replied(desk: Desk, inbox: int = 0, email: str = "mira@buyer.example") -> tuple[int, dict[str, int]]:
    """A conversation, and its threads by type."""
    customer = {"email": email, "firstName": "Mira", "lastName": "Okafor"}
    body = {
        "subject": "Refund", "type": "email", "mailboxId": inbox or desk.add_inbox(), "status": "active",
        "customer": customer,
        "threads": [
            {"type": "customer", "text": "Where?", "customer": customer},
            {"type": "note", "text": "Hm"},
            {"type": "reply", "text": "Here", "customer": customer},
        ],
    }  # fmt: skip
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 201, answer.text
    id = int(answer.headers["Resource-ID"])
    threads = desk.get(f"/v2/conversations/{id}", embed="threads").json()["_embedded"]["threads"]
    return id, {thread["type"]: thread["id"] for thread in threads}


def rated(desk: Desk, thread_id: int, opinion: Opinion = "great", comments: str = "", now: str = "") -> int:
    return desk.write(lambda tx: rate(tx, desk.account_id, thread_id, opinion, comments, now or desk.now))


def test_a_rating_has_all_documented_fields(desk: Desk) -> None:
    inbox = desk.add_inbox()
    conversation, threads = replied(desk, inbox)
    id = rated(desk, threads["message"], "not_good", "Too slow")
    whole = desk.get(f"/v2/conversations/{conversation}").json()
    customer, base = whole["primaryCustomer"]["id"], desk.server.url
    answer = desk.get(f"/v2/ratings/{id}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/hal+json")
    found = answer.json()
    assert found.pop("createdAt") == found.pop("modifiedAt")
    assert found.pop("user") | {"email": ""} == {
        "id": desk.user_id, "email": "", "firstName": "Ada", "lastName": "Holm",
    }  # fmt: skip
    assert found == {
        "id": id, "threadId": threads["message"], "conversationId": conversation,
        "conversationNumber": whole["number"], "mailboxId": inbox, "rating": "not_good", "comments": "Too slow",
        "customer": {"id": customer, "email": "mira@buyer.example", "firstName": "Mira", "lastName": "Okafor"},
        "_links": {
            "conversation": {"href": f"{base}/v2/conversations/{conversation}"},
            "mailbox": {"href": f"{base}/v2/mailboxes/{inbox}"},
            "customer": {"href": f"{base}/v2/customers/{customer}"},
            "user": {"href": f"{base}/v2/users/{desk.user_id}"},
            "self": {"href": f"{base}/v2/ratings/{id}"},
        },
    }  # fmt: skip


def test_a_rating_without_words_has_no_comments(desk: Desk) -> None:
    _, threads = replied(desk)
    assert "comments" not in desk.get(f"/v2/ratings/{rated(desk, threads['message'])}").json()


def test_the_thread_shows_its_rating(desk: Desk) -> None:
    conversation, threads = replied(desk)
    rated(desk, threads["message"], "okay", "Fine")
    shown = desk.get(f"/v2/conversations/{conversation}/threads").json()["_embedded"]["threads"]
    found = {thread["id"]: thread.get("rating") for thread in shown}
    customer = desk.get(f"/v2/conversations/{conversation}").json()["primaryCustomer"]["id"]
    assert found[threads["message"]] == {"customerId": customer, "rating": "okay", "comments": "Fine"}
    assert [one for one in found.values() if one] == [found[threads["message"]]]


def test_a_second_opinion_takes_the_place_of_the_first(desk: Desk) -> None:
    _, threads = replied(desk)
    id = rated(desk, threads["message"], "not_good", "Bad", now="2026-11-01T10:00:00Z")
    assert rated(desk, threads["message"], "great", "Better", now="2026-11-02T10:00:00Z") == id
    found = desk.get(f"/v2/ratings/{id}").json()
    assert (found["rating"], found["comments"]) == ("great", "Better")
    assert (found["createdAt"], found["modifiedAt"]) == ("2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z")


@pytest.mark.parametrize("kind", ["customer", "note"])
def test_only_replies_can_be_rated(desk: Desk, kind: str) -> None:
    _, threads = replied(desk)
    with pytest.raises(NotFound):
        rated(desk, threads[kind])


def test_a_draft_cannot_be_rated(desk: Desk) -> None:
    conversation, _ = replied(desk)
    customer = desk.get(f"/v2/conversations/{conversation}").json()["primaryCustomer"]["id"]
    body = {"text": "x", "customer": {"id": customer}, "draft": True}
    draft = int(desk.post(f"/v2/conversations/{conversation}/reply", body).headers["Resource-ID"])
    with pytest.raises(NotFound):
        rated(desk, draft)


def test_what_is_not_there_is_404(desk: Desk) -> None:
    conversation, threads = replied(desk)
    id = rated(desk, threads["message"])
    assert desk.get("/v2/ratings/999999999999").status_code == 404
    assert desk.delete(f"/v2/conversations/{conversation}").status_code == 204
    assert desk.get(f"/v2/ratings/{id}").status_code == 404, "it went with its conversation"


def test_a_rating_moves_with_its_conversation(desk: Desk) -> None:
    first, second = desk.add_inbox(), desk.add_inbox()
    conversation, threads = replied(desk, first)
    id = rated(desk, threads["message"])
    before, after = (desk.as_user(desk.add_user(inboxes=(inbox,))) for inbox in (first, second))
    assert (status(before, id), status(after, id)) == (200, 403)
    move: Any = {"op": "move", "path": "/mailboxId", "value": second}
    assert desk.patch(f"/v2/conversations/{conversation}", move).status_code == 204
    assert (status(before, id), status(after, id)) == (403, 200)
    assert after.get(f"/v2/ratings/{id}").json()["mailboxId"] == second


def status(desk: Desk, id: int) -> int:
    return desk.get(f"/v2/ratings/{id}").status_code
