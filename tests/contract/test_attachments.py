"""Attachments that are uploaded and deleted on their own.

Facts: §6 and facts 88-91 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/attachments/).
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.contract.test_threads import MEGABYTE, PATH, PAUL, add, faults, file, inbox, start, thread, threads
from tests.viruses import TEST_FILE
from tests.world import Desk, open_desk

__all__ = ["inbox"]


def place(id: int, thread_id: int) -> str:
    return f"{PATH}/{id}/threads/{thread_id}/attachments"


def attachments(desk: Desk, id: int, thread_id: int) -> list[Any]:
    return list(thread(desk, id, thread_id)["_embedded"]["attachments"])


def draft(desk: Desk, inbox: int) -> int:
    """A conversation that is a draft, with a file."""
    reply = {"type": "reply", "text": "Soon", "customer": PAUL, "draft": True, "attachments": [file()]}
    return start(desk, inbox, threads=[reply])


def test_an_upload_is_201_and_listed(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    note = add(desk, id, "notes")
    answer = desk.post(place(id, note), file(b"hello", "note.txt"))
    assert (answer.status_code, answer.content) == (201, b"")
    made = int(answer.headers["Resource-ID"])
    here = f"{desk.server.url}{PATH}/{id}/attachments/{made}"
    assert answer.headers["Location"] == here
    assert attachments(desk, id, note) == [{
        "id": made, "filename": "note.txt", "mimeType": "text/plain", "size": 5, "state": "valid",
        "_links": {"self": {"href": here}, "data": {"href": f"{here}/data"}},
    }]  # fmt: skip
    assert desk.get(f"{here}/data").json() == {"data": base64.b64encode(b"hello").decode()}
    (found,) = desk.get(PATH, query="attachments:true").json()["_embedded"]["conversations"]
    assert found["id"] == id


def test_the_name_may_be_written_as_answers_do(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    note = add(desk, id, "notes")
    body = file()
    body["filename"] = body.pop("fileName")
    assert desk.post(place(id, note), body).status_code == 201
    assert attachments(desk, id, note)[0]["filename"] == "note.txt"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"mimeType": None}, "mimeType"), ({"mimeType": ""}, "mimeType"), ({"data": None}, "data"),
        ({"data": "%%%"}, "data"), ({"data": 5}, "data"), ({"fileName": None}, "fileName"),
        ({"fileName": ""}, "fileName"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named(desk: Desk, inbox: int, changes: dict[str, Any], fault: str) -> None:
    id = start(desk, inbox)
    note = add(desk, id, "notes")
    assert faults(desk.post(place(id, note), file() | changes)) == [fault]
    assert attachments(desk, id, note) == []


def test_ten_megabytes_are_taken_and_a_byte_more_is_413(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    note = add(desk, id, "notes")
    assert faults(desk.post(place(id, note), file(b"x" * (10 * MEGABYTE + 1))), 413) == ["data"]
    assert attachments(desk, id, note) == []
    assert desk.post(place(id, note), file(b"x" * (10 * MEGABYTE))).status_code == 201


def test_the_virus_test_file_is_kept_apart_however_it_comes(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    note = add(desk, id, "notes", attachments=[file(TEST_FILE, "eicar.com")])
    assert desk.post(place(id, note), file(TEST_FILE + b"\n", "eicar.com")).status_code == 201
    shown = attachments(desk, id, note)
    assert [one["state"] for one in shown] == ["virus", "virus"]
    for one in shown:
        assert desk.get(one["_links"]["self"]["href"]).json()["state"] == "virus"
        assert desk.get(one["_links"]["data"]["href"]).status_code == 404


def test_a_file_of_a_draft_is_deleted(desk: Desk, inbox: int) -> None:
    id = draft(desk, inbox)
    (shown,) = threads(desk, id)[0]["_embedded"]["attachments"]
    here = shown["_links"]["self"]["href"]
    answer = desk.delete(here)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [desk.get(path).status_code for path in (here, f"{here}/data")] == [404, 404]
    assert desk.delete(here).status_code == 404
    assert threads(desk, id)[0]["_embedded"]["attachments"] == []


def test_a_file_of_a_published_conversation_stays(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    # Even that of a draft thread: the conversation decides.
    thread_id = add(desk, id, "reply", draft=True, attachments=[file()])
    (shown,) = attachments(desk, id, thread_id)
    assert faults(desk.delete(shown["_links"]["self"]["href"])) == ["attachmentId"]
    assert attachments(desk, id, thread_id) == [shown]


def test_what_is_not_there_or_locked(desk: Desk, inbox: int) -> None:
    id, other = start(desk, inbox), draft(desk, inbox)
    theirs = threads(desk, other)[0]
    for thread_id in (theirs["id"], 9_999_999_999):
        assert desk.post(place(id, thread_id), file()).status_code == 404
    foreign = theirs["_embedded"]["attachments"][0]["id"]
    for attachment_id in (foreign, 9_999_999_999):
        assert desk.delete(f"{PATH}/{id}/attachments/{attachment_id}").status_code == 404
    here = open_desk(desk.server, lock_after_days=30)
    old = start(here, here.add_inbox(), imported=True, createdAt="2020-01-01T00:00:00Z")
    assert faults(here.post(place(old, threads(here, old)[0]["id"]), file()), 412) == ["conversationId"]
