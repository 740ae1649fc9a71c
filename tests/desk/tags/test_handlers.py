"""Tags as clients read them."""

from __future__ import annotations

from deskhand.db.engine import Writer
from deskhand.desk import counters
from deskhand.desk.tags.verbs import named
from tests.world import Desk, open_desk


def make(desk: Desk, *names: str) -> list[int]:
    return [row.id for row in desk.write(lambda tx: named(tx, desk.account_id, names, desk.now))]


def carry(desk: Desk, tag_id: int, inbox_id: int, n: int) -> None:
    def work(tx: Writer) -> None:
        counters.add(tx, (desk.account_id, "tag", tag_id, inbox_id), n)

    desk.write(work)


def test_a_tag_is_shown_with_its_count(desk: Desk) -> None:
    (tag_id,) = make(desk, "Feature request")
    carry(desk, tag_id, desk.add_inbox(), 2)
    carry(desk, tag_id, desk.add_inbox(), 3)
    body = desk.get(f"/v2/tags/{tag_id}").json()
    assert body == {
        "id": tag_id,
        "name": "Feature request",
        "slug": "feature-request",
        "color": "#929499",
        "createdAt": body["createdAt"],
        "updatedAt": body["createdAt"],
        "ticketCount": 5,
    }
    assert desk.get("/v2/tags").json()["_embedded"]["tags"] == [body]


def test_the_list_is_alphabetical_whatever_the_case(desk: Desk) -> None:
    make(open_desk(desk.server), "aardvark")
    make(desk, "urgent", "Billing", "apple", "Zebra")
    body = desk.get("/v2/tags").json()
    assert [tag["name"] for tag in body["_embedded"]["tags"]] == ["apple", "Billing", "urgent", "Zebra"]
    assert [tag["ticketCount"] for tag in body["_embedded"]["tags"]] == [0, 0, 0, 0]
    assert body["page"] == {"size": 50, "totalElements": 4, "totalPages": 1, "number": 1}


def test_more_than_fifty_tags_take_two_pages(desk: Desk) -> None:
    make(desk, *(f"tag {n:02}" for n in range(51)))
    first, second = desk.get("/v2/tags").json(), desk.get("/v2/tags", page=2).json()
    assert len(first["_embedded"]["tags"]) == 50
    assert [tag["name"] for tag in second["_embedded"]["tags"]] == ["tag 50"]


def test_a_limited_user_counts_only_what_they_may_see(desk: Desk) -> None:
    (tag_id,) = make(desk, "urgent")
    seen, also_seen, hidden = desk.add_inbox(), desk.add_inbox(), desk.add_inbox()
    for inbox_id, n in ((seen, 1), (also_seen, 2), (hidden, 40)):
        carry(desk, tag_id, inbox_id, n)
    ines = desk.as_user(desk.add_user(inboxes=(seen, also_seen)))
    nobody = desk.as_user(desk.add_user())
    for reader, n in ((desk, 43), (ines, 3), (nobody, 0)):
        assert reader.get("/v2/tags").json()["_embedded"]["tags"][0]["ticketCount"] == n
        assert reader.get(f"/v2/tags/{tag_id}").json()["ticketCount"] == n


def test_an_unknown_tag_is_not_found(desk: Desk) -> None:
    (foreign,) = make(open_desk(desk.server), "urgent")
    assert desk.get(f"/v2/tags/{foreign}").status_code == 404
    assert desk.get("/v2/tags/999999999").status_code == 404


def test_tags_are_not_made_here(desk: Desk) -> None:
    answer = desk.post("/v2/tags", {"name": "urgent"})
    assert answer.status_code == 400
    assert answer.json()["_links"]["self"]["href"].endswith("#invalid-http-method")


def test_a_page_far_beyond_the_end_is_empty(desk: Desk) -> None:
    body = desk.get("/v2/tags", page=1_000_000_000).json()
    assert list(body["_embedded"].values()) == [[]]
    assert body["page"]["number"] == 1_000_000_000
