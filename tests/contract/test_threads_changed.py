"""Threads that are there already: edited, hidden, sent later, and the mails they came by.

Facts: §5.4-§5.6 and facts 81-87 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from deskhand.lib.clock import to_wire
from tests.contract.test_threads import KINDS, PATH, add, faults, inbox, nulls, read, start, thread, threads
from tests.desk.conversations.received import received
from tests.world import Desk, open_desk

__all__ = ["inbox"]

NOW = {"op": "replace", "path": "/state", "value": "published"}
MAIL = (
    "Message-ID: <1@buyer.example>\r\nFrom: Paul <paul@buyer.example>\r\nSubject: Größe?\r\n\r\nWelche Größe?\r\n"
).encode()


def at(id: int, thread_id: int, part: str = "") -> str:
    return f"{PATH}/{id}/threads/{thread_id}{part}"


def text(value: Any = "new") -> dict[str, Any]:
    return {"op": "replace", "path": "/text", "value": value}


def hidden(value: bool) -> dict[str, Any]:
    return {"op": "replace", "path": "/hidden", "value": value}


def tomorrow(desk: Desk) -> str:
    return to_wire(desk.server.clock.now() + timedelta(days=1))


def plan(desk: Desk, **changes: Any) -> dict[str, Any]:
    return {"scheduledFor": tomorrow(desk), "unscheduleOnCustomerReply": True} | changes


def is_invalid_json(answer: requests.Response) -> bool:
    body = answer.json()
    return (
        answer.status_code == 400
        and answer.headers["Content-Type"] == "application/vnd.error+json"
        and body["message"] == "Error parsing request body into JSON"
        and body["_embedded"] == {"errors": []}
        and body["_links"]["self"]["href"].endswith("#invalid-json")
    )


# -- Editing (facts 81, 84)


@pytest.mark.parametrize("kind", KINDS)
def test_replacing_a_text_is_204_and_empty(desk: Desk, inbox: int, kind: str) -> None:
    id = start(desk, inbox)
    thread_id = add(desk, id, kind)
    answer = desk.patch(at(id, thread_id), text("<p>new</p>"))
    assert (answer.status_code, answer.content) == (204, b"")
    shown = thread(desk, id, thread_id)
    assert (shown["body"], shown["state"]) == ("<p>new</p>", "published")
    assert "original" not in str(shown)


@pytest.mark.parametrize(
    "body",
    [
        b'{"text":"x"}', b"{}", b"[]", b'[{"op":"replace","path":"/text","value":"x"}]', b"x", b"", b"null", b'"x"',
        b"{oops", b'{"op":"replace","value":"x"}', b'{"path":"/text","value":"x"}', b'{"op":"","path":"","value":"x"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("part", ["", "/schedule"])
def test_what_is_no_single_step_is_invalid_json(desk: Desk, inbox: int, body: bytes, part: str) -> None:
    id = start(desk, inbox)
    thread_id = threads(desk, id)[0]["id"]
    before = threads(desk, id)
    headers = {"Content-Type": "application/json"}
    assert is_invalid_json(desk.request("PATCH", at(id, thread_id, part), data=body, headers=headers))
    assert threads(desk, id) == before


def test_a_step_may_come_as_a_patch_and_without_its_slash(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    thread_id = threads(desk, id)[0]["id"]
    for number, path in enumerate(("/text", "text")):
        answer = desk.request(
            "PATCH", at(id, thread_id), json=text(f"new {number}") | {"path": path},
            headers={"Content-Type": "application/json-patch+json"},
        )  # fmt: skip
        assert answer.status_code == 204
        assert thread(desk, id, thread_id)["body"] == f"new {number}"


def test_editing_is_for_administrators_unless_the_account_says_otherwise(desk: Desk) -> None:
    for editing, status in ((0, 403), (1, 204)):
        here = open_desk(desk.server, thread_editing=editing)
        inbox = here.add_inbox()
        user = here.as_user(here.add_user(inboxes=(inbox,)))
        id = start(here, inbox)
        answer = user.patch(at(id, threads(here, id)[0]["id"]), text())
        assert answer.status_code == status
        assert status == 204 or answer.json()["message"] == "Access denied"


# -- Hiding (fact 82)


@pytest.mark.parametrize("kind", ["reply", "customer"])
def test_a_thread_is_hidden_and_shown_again(desk: Desk, inbox: int, kind: str) -> None:
    id = start(desk, inbox)
    thread_id = add(desk, id, kind, text="The latest")
    for given, state, count, preview in ((True, "hidden", 1, "Where is it?"), (False, "published", 2, "The latest")):
        assert desk.patch(at(id, thread_id), hidden(given)).status_code == 204
        shown = read(desk, id)
        assert (thread(desk, id, thread_id)["state"], shown["threads"], shown["preview"]) == (state, count, preview)


@pytest.mark.parametrize("kind", ["notes", "chats", "phones"])
def test_other_threads_and_drafts_are_not_hidden(desk: Desk, inbox: int, kind: str) -> None:
    id = start(desk, inbox)
    for thread_id in (add(desk, id, kind), add(desk, id, "reply", draft=True)):
        assert faults(desk.patch(at(id, thread_id), hidden(True))) == ["threadId"]


# -- Methods, and what is not there (fact 83)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET", "POST"])
def test_other_methods_on_a_thread_are_400(desk: Desk, inbox: int, method: str) -> None:
    id = start(desk, inbox)
    answer = desk.request(method, at(id, threads(desk, id)[0]["id"]), json={"text": "x"})
    assert answer.status_code == 400
    assert "PATCH" in answer.json()["message"]
    assert next(iter(answer.json()["_links"].values()))["href"].endswith("#invalid-http-method")


def calls(desk: Desk, id: int, thread_id: int) -> list[requests.Response]:
    """Everything that can be done to a thread."""
    return [
        desk.patch(at(id, thread_id), text()),
        desk.put(at(id, thread_id, "/schedule"), plan(desk)),
        desk.patch(at(id, thread_id, "/schedule"), NOW),
        desk.delete(at(id, thread_id, "/schedule")),
        desk.get(at(id, thread_id, "/original-source")),
    ]


def test_an_unknown_thread_or_one_of_another_conversation_is_404(desk: Desk, inbox: int) -> None:
    id, other = start(desk, inbox), start(desk, inbox)
    theirs = add(desk, other, "reply", draft=True)
    assert desk.put(at(other, theirs, "/schedule"), plan(desk)).status_code == 204
    for thread_id in (9_999_999_999, theirs):
        assert {answer.status_code for answer in calls(desk, id, thread_id)} == {404}
    assert desk.patch(f"{PATH}/{id}/threads/x", text()).status_code == 404


def test_threads_of_an_old_conversation_stay_as_they_are_where_a_policy_says_so(desk: Desk) -> None:
    here = open_desk(desk.server, lock_after_days=30)
    old = "2020-01-01T00:00:00Z"
    id = start(here, here.add_inbox(), imported=True, createdAt=old)
    thread_id = threads(here, id)[0]["id"]
    for answer in calls(here, id, thread_id)[:-1]:
        assert faults(answer, 412) == ["conversationId"]


# -- Sending later (facts 85, 86)


def test_a_draft_is_scheduled(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    draft, before = add(desk, id, "reply", draft=True), desk.now
    answer = desk.put(at(id, draft, "/schedule"), plan(desk))
    assert (answer.status_code, answer.content) == (204, b"")
    shown = thread(desk, id, draft)
    made = shown["scheduled"].pop("createdAt")
    assert before <= made <= desk.now
    time = shown["scheduled"]["scheduledFor"]
    assert shown["scheduled"] == {
        "scheduledBy": desk.user_id, "scheduledFor": time, "unscheduleOnCustomerReply": True,
    }  # fmt: skip
    assert shown["state"] == "draft"
    assert read(desk, id)["nextEvent"] == {
        "time": time, "eventType": "scheduled", "userId": desk.user_id, "cancelOnCustomerReply": True,
    }  # fmt: skip
    assert nulls(read(desk, id)) == nulls(threads(desk, id)) == []


def test_who_it_goes_out_as_is_shown_only_when_that_is_its_writer(desk: Desk, inbox: int) -> None:
    id, ines = start(desk, inbox), desk.add_user("Ines", role="admin")
    draft = add(desk, id, "reply", draft=True, user=ines)
    for given, shown in ((None, None), (False, None), (True, ines)):
        assert desk.put(at(id, draft, "/schedule"), plan(desk, sendAsCreator=given)).status_code == 204
        assert thread(desk, id, draft)["scheduled"].get("sendAsId") == shown


def test_a_scheduled_draft_can_be_sent_at_once(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, status="closed")
    draft = add(desk, id, "reply", draft=True, text="Done", status="pending")
    assert desk.put(at(id, draft, "/schedule"), plan(desk)).status_code == 204
    answer = desk.patch(at(id, draft, "/schedule"), NOW)
    assert (answer.status_code, answer.content) == (204, b"")
    shown, whole = thread(desk, id, draft), read(desk, id)
    assert (shown["state"], shown["status"], "scheduled" in shown) == ("published", "pending", False)
    assert (whole["status"], whole["threads"], whole["preview"], "nextEvent" in whole) == ("pending", 2, "Done", False)
    assert desk.patch(at(id, draft, "/schedule"), NOW).status_code == 404, "there is no schedule any more"


def test_a_schedule_is_taken_away(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    draft = add(desk, id, "reply", draft=True)
    assert desk.patch(at(id, draft, "/schedule"), NOW).status_code == 404, "without a schedule"
    assert desk.put(at(id, draft, "/schedule"), plan(desk)).status_code == 204
    answer = desk.delete(at(id, draft, "/schedule"))
    assert (answer.status_code, answer.content) == (204, b"")
    shown = thread(desk, id, draft)
    assert (shown["state"], "scheduled" in shown, "nextEvent" in read(desk, id)) == ("draft", False, False)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"scheduledFor": None}, "scheduledFor"), ({"unscheduleOnCustomerReply": None}, "unscheduleOnCustomerReply"),
        ({"scheduledFor": "2020-01-01T00:00:00Z"}, "scheduledFor"),
        ({"scheduledFor": "2101-01-01T00:00:00Z"}, "scheduledFor"),
        ({"unscheduleOnCustomerReply": "yes"}, "unscheduleOnCustomerReply"), ({"sendAsCreator": 1}, "sendAsCreator"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_schedule_is_named(desk: Desk, inbox: int, changes: dict[str, Any], fault: str) -> None:
    id = start(desk, inbox)
    draft = add(desk, id, "reply", draft=True)
    assert faults(desk.put(at(id, draft, "/schedule"), plan(desk, **changes))) == [fault]
    assert "scheduled" not in thread(desk, id, draft)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [({"op": "remove"}, "op"), ({"path": "/text"}, "path"), ({"value": "draft"}, "value"), ({"value": None}, "value")],
)
def test_a_schedule_takes_one_step_alone(desk: Desk, inbox: int, changes: dict[str, Any], fault: str) -> None:
    id = start(desk, inbox)
    draft = add(desk, id, "reply", draft=True)
    assert desk.put(at(id, draft, "/schedule"), plan(desk)).status_code == 204
    assert faults(desk.patch(at(id, draft, "/schedule"), NOW | changes)) == [fault]
    assert thread(desk, id, draft)["state"] == "draft"


# -- The original source (fact 87)


@pytest.fixture
def mailed(desk: Desk, inbox: int) -> str:
    """The path of the source of a thread that came by mail."""
    id = start(desk, inbox)
    thread_id = threads(desk, id)[0]["id"]
    received(desk, id, thread_id, MAIL)
    return at(id, thread_id, "/original-source")


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/hal+json", "text/html", None])
def test_a_source_is_wrapped_in_json(desk: Desk, mailed: str, accept: str | None) -> None:
    answer = desk.request("GET", mailed, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/hal+json")
    assert answer.json() == {"original": MAIL.decode()}


@pytest.mark.parametrize("accept", ["message/rfc822", "message/rfc822, */*;q=0.1", "MESSAGE/rfc822;q=0.9, */*;q=0.8"])
def test_a_source_is_given_as_it_is_to_those_who_ask(desk: Desk, mailed: str, accept: str) -> None:
    answer = desk.request("GET", mailed, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "message/rfc822", MAIL)
    head = desk.request("HEAD", mailed, headers={"Accept": accept})
    assert (head.status_code, head.headers["Content-Type"], head.content) == (200, "message/rfc822", b"")


@pytest.mark.parametrize("accept", ["application/json", "message/rfc822"])
def test_what_did_not_come_by_mail_has_no_source(desk: Desk, inbox: int, accept: str) -> None:
    id = start(desk, inbox)
    for thread_id in (add(desk, id, "notes"), threads(desk, id)[-1]["id"]):
        answer = desk.request("GET", at(id, thread_id, "/original-source"), headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/vnd.error+json")
