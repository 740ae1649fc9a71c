"""Threads and their attachments: what is added to a conversation, what that does to it, and how it reads.

Facts: §5, §6 and facts 74-80, 88, 89 of the wire contract's half A
(https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/).
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from deskhand.lib.clock import MovableClock
from tests.live import LiveServer
from tests.world import Desk

PATH = "/v2/conversations"
PAUL = {"email": "paul@buyer.example"}
KINDS = ["reply", "notes", "chats", "phones", "customer"]
MEGABYTE = 1024 * 1024


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


@pytest.fixture
def clock(server: LiveServer) -> Iterator[MovableClock]:
    before = server.clock.offset
    yield server.clock
    server.clock.offset = before


def start(desk: Desk, inbox: int, status: str = "active", **changes: Any) -> int:
    """A conversation in which Paul asked something."""
    body = {
        "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active",
        "customer": PAUL | {"firstName": "Paul", "lastName": "Meyer"},
        "threads": [{"type": "customer", "text": "Where is it?", "customer": PAUL}],
    } | changes  # fmt: skip
    answer = desk.post(PATH, body)
    assert answer.status_code == 201, answer.text
    id = int(answer.headers["Resource-ID"])
    if status != "active":
        step = {"op": "replace", "path": "/status", "value": status}
        assert desk.patch(f"{PATH}/{id}", step).status_code == 204
    return id


def body_of(kind: str, **changes: Any) -> dict[str, Any]:
    """The least that a thread of a kind needs."""
    return {"text": "Hello"} | ({} if kind == "notes" else {"customer": PAUL}) | changes


def add(desk: Desk, conversation_id: int, kind: str, **changes: Any) -> int:
    answer = desk.post(f"{PATH}/{conversation_id}/{kind}", body_of(kind) | changes)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def read(desk: Desk, id: int) -> Any:
    answer = desk.get(f"{PATH}/{id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def threads(desk: Desk, id: int) -> list[Any]:
    """A conversation's threads, newest first."""
    answer = desk.get(f"{PATH}/{id}/threads")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["_embedded"]["threads"])


def thread(desk: Desk, id: int, thread_id: int) -> Any:
    (found,) = [one for one in threads(desk, id) if one["id"] == thread_id]
    return found


def faults(answer: requests.Response, status: int = 400) -> list[str]:
    """The places that an error finds fault with."""
    assert answer.status_code == status, answer.text
    return [error["path"] for error in answer.json()["_embedded"]["errors"]]


def file(content: bytes = b"hello", name: str = "note.txt", mime_type: str = "text/plain") -> dict[str, str]:
    return {"fileName": name, "mimeType": mime_type, "data": base64.b64encode(content).decode()}


def nulls(value: Any, place: str = "") -> list[str]:
    """Where a document has null."""
    if value is None:
        return [place]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, one in inner for found in nulls(one, f"{place}/{name}")]


# -- The list (fact 74)


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_threads_are_listed_50_a_page_newest_first(desk: Desk, inbox: int, version: str) -> None:
    id = start(desk, inbox)
    ids = [add(desk, id, "notes") for _ in range(54)]
    path = f"/{version}/conversations/{id}/threads"
    first, second = desk.get(path).json(), desk.get(path, page=2).json()
    assert set(first["_embedded"]) == {"threads"}
    assert first["page"] == {"size": 50, "totalElements": 55, "totalPages": 2, "number": 1}
    found = [one["id"] for page in (first, second) for one in page["_embedded"]["threads"]]
    assert found[:54] == ids[::-1] and len(found) == 55
    assert first["_links"]["next"]["href"] == f"{desk.server.url}{path}?page=2"
    assert "next" not in second["_links"]


def test_newest_first_goes_by_the_time_of_the_thread(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    late = add(desk, id, "notes", imported=True, createdAt="2022-01-01T00:00:00Z")
    early = add(desk, id, "notes", imported=True, createdAt="2021-01-01T00:00:00Z")
    assert [one["id"] for one in threads(desk, id)][-2:] == [late, early]


def test_notes_drafts_and_line_items_are_listed_too(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, "closed")
    add(desk, id, "notes")
    add(desk, id, "reply", draft=True)
    assert {one["type"] for one in threads(desk, id)} == {"customer", "note", "message", "lineitem"}


# -- Creating: all kinds


@pytest.mark.parametrize(
    ("kind", "type", "by"),
    [
        ("reply", "message", "user"), ("notes", "note", "user"), ("phones", "phone", "user"),
        ("chats", "chat", None), ("customer", "customer", "customer"),
    ],
)  # fmt: skip
def test_a_thread_is_added(desk: Desk, inbox: int, kind: str, type: str, by: str | None) -> None:
    id = start(desk, inbox)
    answer = desk.post(f"{PATH}/{id}/{kind}", body_of(kind, text="<p>Hello &amp; <b>thanks</b></p>"))
    assert (answer.status_code, answer.content) == (201, b"")
    made = int(answer.headers["Resource-ID"])
    assert answer.headers["Location"] == f"{desk.server.url}{PATH}/{id}/threads/{made}"
    found = thread(desk, id, made)
    assert (found["type"], found["state"]) == (type, "published")
    assert found["body"] == "<p>Hello &amp; <b>thanks</b></p>"
    assert "text" not in found
    assert found["customer"]["email"] == "paul@buyer.example"
    if by:
        assert found["createdBy"]["type"] == by
    assert read(desk, id)["threads"] == 2
    assert read(desk, id)["preview"] == "Hello & thanks"


@pytest.mark.parametrize("kind", KINDS)
def test_a_thread_needs_a_text(desk: Desk, inbox: int, kind: str) -> None:
    id = start(desk, inbox)
    for text in (..., None, ""):
        body = body_of(kind) | {"text": text}
        if text is ...:
            del body["text"]
        answer = desk.post(f"{PATH}/{id}/{kind}", body)
        assert faults(answer) == ["text"]
        assert answer.json()["_embedded"]["errors"][0]["_links"]["about"]["href"].endswith("#NotEmpty")
    assert faults(desk.post(f"{PATH}/{id}/{kind}", body_of(kind, text=5))) == ["text"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "notes"])
def test_a_thread_needs_a_customer_but_for_notes(desk: Desk, inbox: int, kind: str) -> None:
    id = start(desk, inbox)
    assert faults(desk.post(f"{PATH}/{id}/{kind}", {"text": "x"})) == ["customer"]
    (path,) = faults(desk.post(f"{PATH}/{id}/{kind}", {"text": "x", "customer": {}}))
    assert path in ("customer", "customer.email")
    for customer, place in (({"id": 999_999_999}, "customer.id"), ({"email": "nobody"}, "customer.email")):
        assert faults(desk.post(f"{PATH}/{id}/{kind}", {"text": "x", "customer": customer})) == [place]
    assert len(threads(desk, id)) == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "notes"])
def test_a_customer_is_named_by_id_or_address(desk: Desk, inbox: int, kind: str) -> None:
    id = start(desk, inbox)
    paul = read(desk, id)["primaryCustomer"]["id"]
    for customer, found in (
        ({"id": paul}, paul),
        ({"email": "PAUL@buyer.example", "firstName": "Ignored"}, paul),
        ({"id": paul, "email": "somebody@else.example"}, paul),
        ({"email": "new@buyer.example", "firstName": "Nina"}, None),
    ):
        made = thread(desk, id, add(desk, id, kind, customer=customer))
        if found:
            assert made["customer"]["id"] == found
        else:
            assert made["customer"]["email"] == "new@buyer.example"
            assert made["customer"]["first"] == "Nina"
    assert desk.get("/v2/customers").json()["page"]["totalElements"] == 2


@pytest.mark.parametrize("kind", KINDS)
def test_imported_threads_keep_their_time_and_others_may_not_have_one(desk: Desk, inbox: int, kind: str) -> None:
    id = start(desk, inbox)
    at = "2020-01-01T00:00:00Z"
    made = thread(desk, id, add(desk, id, kind, imported=True, createdAt=at))
    assert made["createdAt"] == at
    for imported in (..., False, None):
        changes = {"createdAt": at} | ({} if imported is ... else {"imported": imported})
        assert faults(desk.post(f"{PATH}/{id}/{kind}", body_of(kind, **changes))) == ["createdAt"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_clients_add_for_themselves_is_ignored(desk: Desk, inbox: int, kind: str) -> None:
    more = {"type": kind, "id": None, "state": "hidden", "action": None, "savedReplyId": 5, "nothing": 1}
    id = start(desk, inbox)
    made = thread(desk, id, add(desk, id, kind, **more))
    assert (made["state"], made["savedReplyId"]) == ("published", 0)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_conversation_is_404(desk: Desk, kind: str) -> None:
    assert desk.post(f"{PATH}/999999999/{kind}", body_of(kind)).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_the_101st_thread_is_412(desk: Desk, inbox: int, kind: str) -> None:
    hundred = [{"type": "note", "text": str(number)} for number in range(99)]
    id = start(desk, inbox, threads=hundred)
    desk.patch(f"{PATH}/{id}", {"op": "replace", "path": "/status", "value": "pending"})  # a line item does not count
    add(desk, id, "reply", draft=True)  # a draft does
    answer = desk.post(f"{PATH}/{id}/{kind}", body_of(kind))
    assert len(faults(answer, 412)) == 1
    assert answer.json()["message"] == "Precondition failed"
    assert read(desk, id)["threads"] == 99


# -- Replies (facts 75-77)


@pytest.mark.parametrize("status", ["closed", "pending", "spam", "active"])
def test_a_reply_reactivates_the_conversation(desk: Desk, inbox: int, status: str) -> None:
    id = start(desk, inbox, status)
    add(desk, id, "reply")
    made = read(desk, id)
    assert (made["status"], made["closedBy"]) == ("active", 0)
    assert "closedAt" not in made


@pytest.mark.parametrize(
    ("given", "status"),
    [("active", "active"), ("closed", "closed"), ("pending", "pending"), ("spam", "spam"), ("open", "active")],
)
def test_a_reply_can_set_the_status(desk: Desk, inbox: int, given: str, status: str) -> None:
    id = start(desk, inbox, "pending" if status != "pending" else "active")
    made = thread(desk, id, add(desk, id, "reply", status=given))
    assert read(desk, id)["status"] == made["status"] == status
    if status == "closed":
        assert read(desk, id)["closedBy"] == desk.user_id
    assert faults(desk.post(f"{PATH}/{id}/reply", body_of("reply", status="Wrong"))) == ["status"]


def test_a_reply_that_changes_no_status_says_so(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    assert thread(desk, id, add(desk, id, "reply"))["status"] == "nochange"
    assert thread(desk, id, add(desk, id, "notes"))["status"] == "nochange"


def test_a_reply_has_these_keys(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    made = thread(desk, id, add(desk, id, "reply", cc=["c@buyer.example"], bcc=["b@buyer.example"]))
    paul = read(desk, id)["primaryCustomer"]["id"]
    me = desk.get("/v2/users/me").json()
    assert set(made) == {
        "id", "type", "status", "state", "action", "body", "source", "customer", "createdBy", "savedReplyId", "to",
        "cc", "bcc", "createdAt", "_embedded", "_links",
    }  # fmt: skip
    assert nulls(made) == []
    assert made["action"] == {"type": "default", "associatedEntities": {}}
    assert made["customer"] == {"id": paul, "first": "Paul", "last": "Meyer", "email": "paul@buyer.example"}
    assert made["createdBy"] == {
        "id": desk.user_id, "type": "user", "first": me["firstName"], "last": me["lastName"], "email": me["email"],
    }  # fmt: skip
    assert (made["to"], made["cc"], made["bcc"]) == (["paul@buyer.example"], ["c@buyer.example"], ["b@buyer.example"])
    assert made["savedReplyId"] == 0
    assert set(made["source"]) == {"type", "via"} and made["source"]["via"] == "user"
    assert made["_embedded"] == {"attachments": []}
    assert {rel: link["href"] for rel, link in made["_links"].items()} == {
        "createdByUser": f"{desk.server.url}/v2/users/{desk.user_id}",
        "customer": f"{desk.server.url}/v2/customers/{paul}",
    }


def test_a_thread_of_an_owned_conversation_shows_the_owner(desk: Desk, inbox: int) -> None:
    ines = desk.add_user("Ines", "Okafor", inboxes=(inbox,))
    id = start(desk, inbox, assignTo=ines)
    for kind in KINDS:
        made = thread(desk, id, add(desk, id, kind))
        assert (made["assignedTo"]["id"], made["assignedTo"]["type"], made["assignedTo"]["first"]) == (
            ines, "user", "Ines",
        )  # fmt: skip
        assert made["_links"]["assignedTo"]["href"].endswith(f"/v2/users/{ines}")


def test_a_reply_is_written_by_whom_it_names(desk: Desk, inbox: int) -> None:
    ines = desk.add_user("Ines", "Okafor", inboxes=(inbox,))
    id = start(desk, inbox)
    for kind in ("reply", "notes"):
        made = thread(desk, id, add(desk, id, kind, user=ines))
        assert (made["createdBy"]["id"], made["createdBy"]["first"]) == (ines, "Ines")
        assert made["_links"]["createdByUser"]["href"].endswith(f"/v2/users/{ines}")
        for wrong in (999_999_999, desk.add_team()):
            assert faults(desk.post(f"{PATH}/{id}/{kind}", body_of(kind, user=wrong))) == ["user"]


def test_a_reply_can_assign(desk: Desk, inbox: int) -> None:
    ines, team = desk.add_user(inboxes=(inbox,)), desk.add_team()
    id = start(desk, inbox)
    for given in (ines, team, ines):
        made = thread(desk, id, add(desk, id, "reply", assignTo=given))
        assert read(desk, id)["assignee"]["id"] == made["assignedTo"]["id"] == given
    add(desk, id, "reply")
    assert read(desk, id)["assignee"]["id"] == ines, "nothing said, nothing changed"
    add(desk, id, "reply", assignTo=None)
    assert "assignee" not in read(desk, id)
    for wrong in (0, 1, -3, 999_999_999):
        assert faults(desk.post(f"{PATH}/{id}/reply", body_of("reply", assignTo=wrong))) == ["assignTo"]


def test_a_draft_is_kept_and_changes_nothing_else(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, "pending")
    before = read(desk, id)
    made = thread(desk, id, add(desk, id, "reply", draft=True, status="closed", assignTo=desk.user_id))
    assert (made["type"], made["state"], made["status"]) == ("message", "draft", "pending")
    assert "assignedTo" not in made and "openedAt" not in made
    after = read(desk, id)
    for name in ("status", "state", "threads", "preview", "closedBy", "customerWaitingSince", "folderId"):
        assert after[name] == before[name], name
    assert "assignee" not in after


def test_copies_are_texts_or_objects_with_an_address(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    for kind in ("reply", "customer"):
        made = thread(desk, id, add(desk, id, kind, cc=["a@buyer.example", {"email": "b@buyer.example"}], bcc=[]))
        assert (made["cc"], made["bcc"]) == (["a@buyer.example", "b@buyer.example"], [])
        for cc, place in ((["nobody"], "cc[0]"), ("a@buyer.example", "cc"), ([{"name": "x"}], "cc[0]")):
            assert faults(desk.post(f"{PATH}/{id}/{kind}", body_of(kind, cc=cc))) == [place]
    assert read(desk, id)["cc"] == ["a@buyer.example", "b@buyer.example"]


# -- Notes, calls, chats, customers (facts 78, 79)


@pytest.mark.parametrize("status", ["closed", "pending", "spam", "active"])
@pytest.mark.parametrize("kind", ["notes", "phones", "chats"])
def test_these_change_no_status(desk: Desk, inbox: int, kind: str, status: str) -> None:
    id = start(desk, inbox, status)
    add(desk, id, kind)
    assert read(desk, id)["status"] == status


def test_a_note_can_set_the_status(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    for given, status in (("closed", "closed"), ("pending", "pending"), ("open", "active"), ("spam", "spam")):
        add(desk, id, "notes", status=given)
        assert read(desk, id)["status"] == status


def test_an_inbox_can_predefine_the_status(desk: Desk) -> None:
    inbox = desk.add_inbox(default_status="pending")
    for kind in ("reply", "notes"):
        id = start(desk, inbox)
        add(desk, id, kind, status="inbox_predefined")
        assert read(desk, id)["status"] == "pending"


@pytest.mark.parametrize("status", ["closed", "pending", "active"])
def test_a_message_of_the_customer_reopens_unless_it_is_imported(desk: Desk, inbox: int, status: str) -> None:
    id = start(desk, inbox, status)
    add(desk, id, "customer", imported=True)
    assert read(desk, id)["status"] == status
    add(desk, id, "customer")
    made = read(desk, id)
    assert (made["status"], made["closedBy"]) == ("active", 0)


def test_since_when_the_customer_waits(desk: Desk, inbox: int, clock: MovableClock) -> None:
    id = start(desk, inbox)
    asked = read(desk, id)["customerWaitingSince"]["time"]
    clock.advance(timedelta(minutes=10))
    for kind in ("notes", "customer", "phones"):
        add(desk, id, kind)
    assert read(desk, id)["customerWaitingSince"]["time"] == asked, "from the first message that is not answered"
    add(desk, id, "reply", draft=True)
    assert read(desk, id)["customerWaitingSince"]["time"] == asked
    add(desk, id, "reply")
    assert not read(desk, id).get("customerWaitingSince")
    clock.advance(timedelta(minutes=10))
    again = thread(desk, id, add(desk, id, "customer"))["createdAt"]
    assert read(desk, id)["customerWaitingSince"]["time"] == again > asked


def test_only_what_a_user_does_counts_as_their_last_action(desk: Desk, inbox: int, clock: MovableClock) -> None:
    id = start(desk, inbox)
    before = read(desk, id)["userUpdatedAt"]
    clock.advance(timedelta(minutes=10))
    add(desk, id, "customer")
    assert read(desk, id)["userUpdatedAt"] == before
    for kind in ("notes", "reply", "phones"):
        clock.advance(timedelta(minutes=10))
        add(desk, id, kind)
        after = read(desk, id)["userUpdatedAt"]
        assert after > before
        before = after


def test_a_message_of_somebody_else_shows_its_sender(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    made = thread(desk, id, add(desk, id, "customer", customer={"email": "boss@buyer.example", "firstName": "Bo"}))
    assert made["customer"]["email"] == made["createdBy"]["email"] == "boss@buyer.example"
    assert made["customer"]["id"] == made["createdBy"]["id"]
    assert "type" not in made["customer"] and made["createdBy"]["type"] == "customer"
    assert made["_links"]["createdByCustomer"]["href"] == made["_links"]["customer"]["href"]
    assert made["source"]["via"] == "customer"
    assert read(desk, id)["primaryCustomer"]["email"] == "paul@buyer.example"


def test_a_line_item_has_these_keys(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, "closed")
    item = threads(desk, id)[0]
    assert set(item) - {"customer", "assignedTo"} == {
        "id", "type", "status", "state", "action", "source", "createdBy", "savedReplyId", "to", "cc", "bcc",
        "createdAt", "_embedded", "_links",
    }  # fmt: skip
    assert (item["type"], item["state"], item["to"], item["cc"], item["bcc"]) == ("lineitem", "published", [], [], [])
    assert item["action"]["text"] and item["action"]["associatedEntities"] == {}
    assert nulls(item) == []


# -- Attachments (facts 88, 89)


@pytest.mark.parametrize("kind", KINDS)
def test_a_thread_comes_with_attachments(desk: Desk, inbox: int, kind: str) -> None:
    id = start(desk, inbox)
    contents = [b"hello", bytes(range(256)) * 40, b""]
    files = [file(content, f"file {number}.bin") for number, content in enumerate(contents)]
    made = thread(desk, id, add(desk, id, kind, attachments=files))
    found = made["_embedded"]["attachments"]
    assert [one["filename"] for one in found] == ["file 0.bin", "file 1.bin", "file 2.bin"]
    for one, content, given in zip(found, contents, files, strict=True):
        assert set(one) == {"id", "filename", "mimeType", "size", "state", "_links"}
        assert (one["mimeType"], one["size"], one["state"]) == ("text/plain", len(content), "valid")
        place = f"{desk.server.url}{PATH}/{id}/attachments/{one['id']}"
        assert one["_links"] == {"self": {"href": place}, "data": {"href": f"{place}/data"}}
        data = desk.get(one["_links"]["data"]["href"])
        assert data.headers["Content-Type"] == "application/hal+json"
        assert data.json() == {"data": given["data"]}
        assert desk.get(one["_links"]["self"]["href"]).json() == one


def test_an_image_tells_its_size(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    made = thread(desk, id, add(desk, id, "reply", attachments=[file(png(800, 600), "receipt.png", "image/png")]))
    (found,) = made["_embedded"]["attachments"]
    assert (found["width"], found["height"], found["mimeType"]) == (800, 600, "image/png")


def test_a_file_name_comes_under_either_name(desk: Desk, inbox: int) -> None:
    given = file()
    given["filename"] = given.pop("fileName")
    id = start(desk, inbox)
    made = thread(desk, id, add(desk, id, "notes", attachments=[given]))
    assert [one["filename"] for one in made["_embedded"]["attachments"]] == ["note.txt"]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"mimeType": ...}, "attachments[0].mimeType"), ({"mimeType": ""}, "attachments[0].mimeType"),
        ({"fileName": ...}, "attachments[0].fileName"), ({"data": ...}, "attachments[0].data"),
        ({"data": "%%%"}, "attachments[0].data"), ({"data": "YQ="}, "attachments[0].data"),
        ({"data": 5}, "attachments[0].data"),
    ],
)  # fmt: skip
def test_an_attachment_needs_all_its_parts(desk: Desk, inbox: int, wrong: dict[str, Any], path: str) -> None:
    id = start(desk, inbox)
    given = {name: value for name, value in (file() | wrong).items() if value is not ...}
    for kind in KINDS:
        assert faults(desk.post(f"{PATH}/{id}/{kind}", body_of(kind, attachments=[given]))) == [path]
    created = {"type": "note", "text": "x", "attachments": [given]}
    answer = desk.post(
        PATH,
        {
            "subject": "x", "type": "email", "mailboxId": inbox, "status": "active", "customer": PAUL,
            "threads": [created],
        },
    )  # fmt: skip
    assert faults(answer) == [f"threads[0].{path}"]
    assert len(threads(desk, id)) == 1


def test_attachments_are_objects(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    assert faults(desk.post(f"{PATH}/{id}/reply", body_of("reply", attachments=[640_001]))) == ["attachments[0]"]


def test_an_attachment_has_10_megabytes_at_most(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    add(desk, id, "notes", attachments=[file(b"x" * (10 * MEGABYTE))])
    answer = desk.post(f"{PATH}/{id}/notes", body_of("notes", attachments=[file(b"x" * (10 * MEGABYTE + 1))]))
    assert answer.status_code == 413, answer.text
    assert answer.json()["message"] == "Request entity too large"
    assert len(threads(desk, id)) == 2


def test_an_attachment_belongs_to_its_conversation(desk: Desk, inbox: int) -> None:
    id, other = start(desk, inbox), start(desk, inbox)
    made = thread(desk, id, add(desk, id, "notes", attachments=[file()]))
    (one,) = made["_embedded"]["attachments"]
    for path in (
        f"{other}/attachments/{one['id']}",
        f"{id}/attachments/999999999",
        f"999999999/attachments/{one['id']}",
    ):
        assert desk.get(f"{PATH}/{path}").status_code == 404
        assert desk.get(f"{PATH}/{path}/data").status_code == 404
    desk.delete(f"{PATH}/{id}")
    assert desk.get(one["_links"]["data"]["href"]).status_code == 404


def png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    pixels = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
