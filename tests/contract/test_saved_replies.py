"""Saved replies of an inbox. Facts: §4 and facts 52, 53 of the wire contract's half B
(https://developer.helpscout.com/mailbox-api/endpoints/inboxes/saved_Replies/list/).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk.conversations.builders import created, done, faults
from tests.world import Desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def place(inbox: int, id: int | None = None) -> str:
    return f"/v2/mailboxes/{inbox}/saved-replies" + (f"/{id}" if id else "")


def save(desk: Desk, inbox: int, name: str = "Refund", **texts: Any) -> int:
    return created(desk.post(place(inbox), {"name": name, **texts}))


def names(desk: Desk, inbox: int, **params: Any) -> list[str]:
    answer = desk.get(place(inbox), **params)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()]


# -- Listing (fact 52)


def test_the_list_is_a_bare_array_by_name(desk: Desk, inbox: int) -> None:
    assert desk.get(place(inbox)).json() == []
    later = save(desk, inbox, "Refund", text="<p>Hi,</p><p>it is &amp; was</p>")
    first = save(desk, inbox, "Late parcel")
    answer = desk.get(place(inbox))
    assert answer.headers["Content-Type"] == "application/hal+json"
    assert answer.json() == [
        {"id": first, "name": "Late parcel", "preview": ""},
        {"id": later, "name": "Refund", "preview": "Hi, it is & was"},
    ]


def test_a_preview_is_the_beginning_of_a_long_text(desk: Desk, inbox: int) -> None:
    save(desk, inbox, text="<b>word</b> " * 2_000, chatText="é" * 3_000)
    (one,) = desk.get(place(inbox)).json()
    assert one["preview"] == ("word " * 100)[: len(one["preview"])] and 100 < len(one["preview"]) <= 185
    assert one["chatPreview"] == "é" * 185


def test_replies_for_chats_alone_are_listed_when_asked_for(desk: Desk, inbox: int) -> None:
    save(desk, inbox, "Both", text="x", chatText="Hey")
    save(desk, inbox, "Chat", chatText="Hey")
    save(desk, inbox, "Neither")
    assert names(desk, inbox) == names(desk, inbox, includeChatReplies="false") == ["Both", "Neither"]
    assert names(desk, inbox, includeChatReplies="true") == ["Both", "Chat", "Neither"]
    assert "chatPreview" in desk.get(place(inbox)).json()[0]
    assert faults(desk.get(place(inbox), includeChatReplies="perhaps")) == ["includeChatReplies"]


def test_each_inbox_has_its_own(desk: Desk, inbox: int) -> None:
    other = desk.add_inbox()
    id = save(desk, inbox)
    assert names(desk, other) == []
    for answer in (
        desk.get(place(other, id)), desk.put(place(other, id), {"name": "x"}), desk.delete(place(other, id)),
    ):  # fmt: skip
        assert answer.status_code == 404
    assert names(desk, inbox) == ["Refund"]


# -- Writing (fact 53)


def test_a_reply_is_created_and_read(desk: Desk, inbox: int) -> None:
    answer = desk.post(place(inbox), {"name": " Refund ", "text": "<p>Hi</p>", "chatText": "Hey"})
    id = created(answer)
    assert answer.content == b""
    assert answer.headers["Location"] == desk.server.url + place(inbox, id)
    assert desk.get(answer.headers["Location"]).json() == {
        "id": id, "name": "Refund", "text": "<p>Hi</p>", "chatText": "Hey",
    }  # fmt: skip


def test_without_a_name_nothing_is_created(desk: Desk, inbox: int) -> None:
    for nameless in ({}, {"text": "x"}, {"name": ""}, {"name": "  "}, {"name": None}):
        assert faults(desk.post(place(inbox), nameless)) == ["name"]
    assert faults(desk.post(place(inbox), {"name": "x" * 256})) == ["name"]
    assert faults(desk.post(place(inbox), {"name": 7, "text": [], "chatText": {}})) == ["name", "text", "chatText"]
    assert faults(desk.post(place(inbox), {"name": "x", "text": "x" * 100_001})) == ["text"]
    assert faults(desk.post(place(inbox), {"name": "a\0b"})) == ["name"]
    bodies: list[Any] = [[], "x", 7, None]
    assert {desk.post(place(inbox), body).status_code for body in bodies} == {400}
    assert names(desk, inbox, includeChatReplies="true") == []


def test_a_change_replaces_name_and_texts(desk: Desk, inbox: int) -> None:
    id = save(desk, inbox, text="<p>Hi</p>", chatText="Hey")
    done(desk.put(place(inbox, id), {"name": "Returns", "text": "<p>Bye</p>"}))
    assert desk.get(place(inbox, id)).json() == {"id": id, "name": "Returns", "text": "<p>Bye</p>", "chatText": None}
    assert faults(desk.put(place(inbox, id), {"text": "x"})) == ["name"]
    assert desk.get(place(inbox, id)).json()["text"] == "<p>Bye</p>"


def test_a_deleted_reply_is_gone(desk: Desk, inbox: int) -> None:
    id, other = save(desk, inbox), save(desk, inbox, "Other")
    done(desk.delete(place(inbox, id)))
    for answer in (
        desk.get(place(inbox, id)), desk.put(place(inbox, id), {"name": "x"}), desk.delete(place(inbox, id)),
    ):  # fmt: skip
        assert answer.status_code == 404
    assert names(desk, inbox) == ["Other"]
    assert desk.get(place(inbox, other)).status_code == 200


def test_a_light_user_reads_but_does_not_write(desk: Desk, inbox: int) -> None:
    id = save(desk, inbox)
    light, user = (desk.as_user(desk.add_user(role=role, inboxes=(inbox,))) for role in ("light user", "user"))
    assert light.get(place(inbox, id)).status_code == light.get(place(inbox)).status_code == 200
    for answer in (
        light.post(place(inbox), {"name": "x"}), light.put(place(inbox, id), {"name": "x"}),
        light.delete(place(inbox, id)),
    ):  # fmt: skip
        assert answer.status_code == 403
    assert names(desk, inbox) == ["Refund"]
    save(user, inbox, "By a user")
    done(user.put(place(inbox, id), {"name": "Changed"}))
    done(user.delete(place(inbox, id)))


def test_an_unknown_inbox_is_404(desk: Desk) -> None:
    assert desk.get(place(999_999_999)).status_code == 404
    assert desk.post(place(999_999_999), {"name": "x"}).status_code == 404
