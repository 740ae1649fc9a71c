"""Counts that lists and folders show, also of what several change at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from tests.contract.conversations.builders import PATH, listed, minimal, patch, read, start
from tests.world import Desk

# -- Several at once


def at_once(desk: Desk, calls: list[tuple[str, str, Any]]) -> list[requests.Response]:
    """Calls that are sent side by side."""
    headers = {"Authorization": f"Bearer {desk.token}"}

    def send(call: tuple[str, str, Any]) -> requests.Response:
        method, path, body = call
        return requests.request(method, desk.server.url + path, json=body, headers=headers, timeout=60)

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(send, calls))


def test_conversations_can_be_made_side_by_side(desk: Desk, inbox: int) -> None:
    body = minimal(inbox, tags=["new", "newer"], customer={"email": "new@buyer.example"})
    answers = at_once(desk, [("POST", PATH, body)] * 24)
    assert [answer.status_code for answer in answers] == [201] * 24
    found = [read(desk, int(answer.headers["Resource-ID"])) for answer in answers]
    assert len({one["number"] for one in found}) == 24
    assert len({one["primaryCustomer"]["id"] for one in found}) == 1
    assert {tag["ticketCount"] for tag in desk.get("/v2/tags").json()["_embedded"]["tags"]} == {24}
    assert set(listed(desk, tag="newer")) == {one["id"] for one in found}


def test_one_conversation_can_be_changed_side_by_side(desk: Desk, inbox: int) -> None:
    one, other = start(desk, inbox), start(desk, inbox)
    steps = [
        {"op": "replace", "path": "/status", "value": "closed"},
        {"op": "replace", "path": "/status", "value": "active"},
        {"op": "replace", "path": "/assignTo", "value": desk.user_id},
        {"op": "remove", "path": "/assignTo"},
    ]
    calls: list[tuple[str, str, Any]] = []
    for id in (one, other, one, other):
        calls += [("PATCH", f"{PATH}/{id}", step) for step in steps]
        calls += [("PUT", f"{PATH}/{id}/tags", {"tags": tags}) for tags in (["a", "b"], ["b"], [])]
        calls += [("POST", f"{PATH}/{id}/notes", {"text": "x"})]
    assert {answer.status_code for answer in at_once(desk, calls)} == {201, 204}
    for id in (one, other):
        made = read(desk, id, embed="threads")
        published = [item for item in made["_embedded"]["threads"] if item["type"] != "lineitem"]
        assert made["threads"] == len(published) == 3
        assert ("closedAt" in made) == (made["status"] == "closed")
    counts_are_right(desk, inbox)


# -- Counts that lists and folders show


def test_folders_and_tags_count_what_lists_show(desk: Desk, inbox: int) -> None:
    other = desk.add_inbox()
    ids = [start(desk, inbox, tags=["vip"]) for _ in range(4)]
    patch(desk, ids[0], "replace", "/status", "closed")
    patch(desk, ids[1], "replace", "/assignTo", desk.user_id)
    patch(desk, ids[2], "move", "/mailboxId", other)
    desk.put(f"{PATH}/{ids[3]}/tags", {"tags": []})
    start(desk, inbox, status="pending")
    counts_are_right(desk, inbox, other)
    assert len(listed(desk, tag="vip", status="all")) == 3


def counts_are_right(desk: Desk, *inboxes: int) -> None:
    """Folders and tags tell the numbers that lists come to."""
    for inbox in inboxes:
        for folder in desk.get(f"/v2/mailboxes/{inbox}/folders").json()["_embedded"]["folders"]:
            assert folder["totalCount"] == len(listed(desk, folder=folder["id"], status="all")), folder
            assert folder["activeCount"] == len(listed(desk, folder=folder["id"])), folder
    for tag in desk.get("/v2/tags").json()["_embedded"]["tags"]:
        assert tag["ticketCount"] == len(listed(desk, tag=tag["name"], status="all")), tag
    for status in ("active", "pending", "closed", "spam", "open", "all"):
        items = desk.get(PATH, status=status).json()
        assert items["page"]["totalElements"] == len(items["_embedded"]["conversations"])
