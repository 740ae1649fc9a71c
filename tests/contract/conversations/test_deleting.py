"""Conversations as clients delete them, and the lock by age.

Facts: §3 and fact 73 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from deskhand.lib.clock import to_wire
from tests.contract.conversations.builders import PATH, listed, patch, read, start
from tests.live import LiveServer
from tests.world import Desk, open_desk


def test_a_deleted_conversation_is_gone_with_all_its_parts(desk: Desk, inbox: int) -> None:
    id, kept = start(desk, inbox, tags=["vip"]), start(desk, inbox, tags=["vip"])
    answer = desk.delete(f"{PATH}/{id}")
    assert (answer.status_code, answer.content) == (204, b"")
    for path in ("", "/threads"):
        assert desk.get(f"{PATH}/{id}{path}").status_code == 404
    assert desk.delete(f"{PATH}/{id}").status_code == 404
    patch(desk, id, "replace", "/status", "closed", status=404)
    assert listed(desk, status="all") == [kept]
    (tag,) = desk.get("/v2/tags").json()["_embedded"]["tags"]
    assert tag["ticketCount"] == 1


def test_an_old_conversation_can_be_locked_by_company_policy(server: LiveServer) -> None:
    desk = open_desk(server, lock_after_days=30)
    inbox = desk.add_inbox()
    long_ago = to_wire(server.clock.now() - timedelta(days=31))
    old, new = start(desk, inbox, imported=True, createdAt=long_ago), start(desk, inbox)
    paul = {"email": "paul@buyer.example"}
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", "", {"op": "replace", "path": "/status", "value": "closed"}),
        ("PUT", "/tags", {"tags": ["x"]}),
        ("PUT", "/fields", {"fields": []}),
        ("POST", "/notes", {"text": "x"}),
        *(("POST", f"/{kind}", {"text": "x", "customer": paul}) for kind in ("reply", "chats", "phones", "customer")),
        ("DELETE", "", None),
    ]
    for method, path, body in calls:
        assert desk.request(method, f"{PATH}/{old}{path}", json=body).status_code == 412, (method, path)
        assert desk.request(method, f"{PATH}/{new}{path}", json=body).status_code in (201, 204), (method, path)
    assert read(desk, old)["status"] == "active"
