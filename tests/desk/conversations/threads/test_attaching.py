"""Files that are added to threads afterwards, and taken away from drafts."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Any

import pytest
import requests

from deskhand.desk.conversations.erasure.files import REMOVE_FILES
from deskhand.lib.images import size_of
from tests.desk.conversations.builders import (
    add,
    counted,
    created,
    done,
    faults,
    patch,
    read,
    recounted,
    reply,
    start,
    threads,
)
from tests.desk.conversations.passing import eventually, jobs_left
from tests.world import Desk, unique

PICTURE = b"GIF89a" + (30).to_bytes(2, "little") + (20).to_bytes(2, "little")


def upload(desk: Desk, id: int, thread_id: int, content: bytes = b"hello", name: str = "a.txt") -> requests.Response:
    body = {"fileName": name, "mimeType": "text/plain", "data": base64.b64encode(content).decode()}
    return desk.post(f"/v2/conversations/{id}/threads/{thread_id}/attachments", body)


def shown(desk: Desk, id: int) -> dict[int, list[Any]]:
    """The attachments of each thread, as the API gives them."""
    listed = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    return {one["id"]: one["_embedded"]["attachments"] for one in listed}


def with_attachments(desk: Desk, having: bool) -> list[int]:
    answer = desk.get("/v2/conversations", query=f"attachments:{str(having).lower()}", status="all")
    return [item["id"] for item in answer.json()["_embedded"]["conversations"]]


def draft(desk: Desk) -> tuple[int, int]:
    """A conversation that is a draft, and its thread."""
    id = start(desk, desk.add_inbox(), threads=[{"type": "reply", "text": "Soon.", "draft": True}])
    return id, threads(desk, id)[0].id


@pytest.mark.parametrize("kind", ["reply", "notes", "chats", "phones", "customer"])
def test_a_file_is_added_to_a_thread_of_any_kind(desk: Desk, kind: str) -> None:
    id = start(desk, desk.add_inbox())
    customer = {"id": read(desk, id)["primaryCustomer"]["id"]}
    thread_id = created(add(desk, id, kind, customer=customer))
    assert with_attachments(desk, True) == []
    made = [created(upload(desk, id, thread_id, PICTURE, "a.gif")), created(upload(desk, id, thread_id))]
    first, second = shown(desk, id)[thread_id]
    assert ([first["id"], second["id"]], first["filename"], first["size"]) == (made, "a.gif", len(PICTURE))
    assert (first["width"], first["height"]) == size_of(PICTURE) == (30, 20)
    assert desk.get(second["_links"]["data"]["href"]).json() == {"data": base64.b64encode(b"hello").decode()}
    assert (with_attachments(desk, True), with_attachments(desk, False)) == ([id], [])
    assert counted(desk) == recounted(desk)


def test_a_file_does_not_count_as_a_thread(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    thread_id = threads(desk, id)[0].id
    for _ in range(99):
        created(add(desk, id, "notes"))
    created(upload(desk, id, thread_id))
    assert read(desk, id)["threads"] == 100


def test_line_items_take_no_files(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    done(patch(desk, id, "/status", "closed"))
    (item,) = [one.id for one in threads(desk, id) if one.type == "lineitem"]
    assert faults(upload(desk, id, item)) == ["threadId"]
    assert shown(desk, id)[item] == []


def test_the_files_of_a_draft_can_be_deleted(desk: Desk) -> None:
    id, thread_id = draft(desk)
    first, second = (created(upload(desk, id, thread_id, name=name)) for name in ("a.txt", "b.txt"))
    place = f"/v2/conversations/{id}/attachments"
    done(desk.delete(f"{place}/{first}"))
    assert [one["id"] for one in shown(desk, id)[thread_id]] == [second]
    assert with_attachments(desk, True) == [id]
    assert desk.get(f"{place}/{second}/data").status_code == 200, "both had the same content"
    done(desk.delete(f"{place}/{second}"))
    assert (shown(desk, id)[thread_id], with_attachments(desk, True)) == ([], [])
    assert desk.delete(f"{place}/{second}").status_code == 404


def test_the_file_of_a_deleted_attachment_goes_unless_somebody_else_has_it(timed: Desk) -> None:
    content, shared = (unique("file").encode() for _ in range(2))
    (id, thread_id), (other, theirs) = draft(timed), draft(timed)
    made = [created(upload(timed, id, thread_id, one)) for one in (content, shared)]
    kept = created(upload(timed, other, theirs, shared))
    blobs = timed.server.app.tools.blobs
    paths = [blobs.path(hashlib.sha256(one).hexdigest()) for one in (content, shared)]
    for path in paths:
        os.utime(path, (0, 0))  # nobody is about to name it
    for attachment_id in made:
        done(timed.delete(f"/v2/conversations/{id}/attachments/{attachment_id}"))
    eventually(lambda: not paths[0].exists())
    eventually(lambda: jobs_left(timed, REMOVE_FILES) == 0)
    assert timed.get(f"/v2/conversations/{other}/attachments/{kept}/data").json()["data"] == (
        base64.b64encode(shared).decode()
    )


def test_what_was_published_keeps_its_files(desk: Desk) -> None:
    id, thread_id = draft(desk)
    made = created(upload(desk, id, thread_id))
    done(patch(desk, id, "/draft", False))
    assert faults(desk.delete(f"/v2/conversations/{id}/attachments/{made}")) == ["attachmentId"]
    assert [one["id"] for one in shown(desk, id)[thread_id]] == [made]


def test_a_light_user_puts_files_to_notes_alone(desk: Desk) -> None:
    inbox = desk.add_inbox()
    light = desk.as_user(desk.add_user("Lea", role="light user", inboxes=(inbox,)))
    id = start(desk, inbox)
    assert upload(light, id, reply(desk, id)).status_code == 403
    created(upload(light, id, created(add(desk, id, "notes"))))
    unsent, thread_id = draft(desk)
    made = created(upload(desk, unsent, thread_id))
    seen = desk.as_user(desk.add_user("Mia", role="light user", inboxes=(read(desk, unsent)["mailboxId"],)))
    assert seen.delete(f"/v2/conversations/{unsent}/attachments/{made}").status_code == 403


def test_the_files_of_a_refused_call_are_to_be_removed(desk: Desk) -> None:
    refused = upload(desk, 1, 1, unique("file").encode())
    assert refused.status_code == 404
    assert jobs_left(desk, REMOVE_FILES) == 1  # in an hour: it may be about to be named by somebody else
