"""What holds for every call: headers, methods, slashes, unknown names, nulls, dates and ids.

Facts: §2 of the wire contract's half A (https://developer.helpscout.com/mailbox-api/overview/).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract.answering import ABOUT, fault, minimal, start
from tests.live import LiveServer
from tests.world import Desk

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


# -- Success


def test_what_is_created_is_told_by_headers_alone(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    for path, body, place in (
        ("/v2/conversations", minimal(inbox), "/v2/conversations/{}"),
        ("/v2/customers", {"firstName": "Mira"}, "/v2/customers/{}"),
        (f"/v2/conversations/{id}/notes", {"text": "x"}, f"/v2/conversations/{id}/threads/{{}}"),
    ):
        answer = desk.post(path, body)
        assert answer.status_code == 201
        assert answer.content == b""
        assert "Content-Type" not in answer.headers
        assert answer.headers["Content-Length"] == "0"
        made = answer.headers["Resource-ID"]
        assert re.fullmatch(r"[1-9]\d*", made)
        assert answer.headers["Location"] == desk.server.url + place.format(made)


def test_what_is_changed_or_deleted_is_answered_with_nothing(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    for answer in (
        desk.put(f"/v2/conversations/{id}/tags", {"tags": ["vip"]}),
        desk.patch(f"/v2/conversations/{id}", {"op": "replace", "path": "/subject", "value": "x"}),
        desk.delete(f"/v2/conversations/{id}"),
    ):
        assert answer.status_code == 204
        assert answer.content == b""
        assert "Content-Type" not in answer.headers
        assert answer.headers.get("Content-Length", "0") == "0"
        assert "Resource-ID" not in answer.headers and "Location" not in answer.headers


def test_every_answer_has_a_correlation_id_that_begins_its_log_ref(desk: Desk, inbox: int) -> None:
    seen = set()
    for answer in (
        desk.get("/v2/users"), desk.get("/v2/nothing"), desk.post("/v2/conversations", minimal(inbox)),
        desk.post("/v2/conversations", {}), requests.get(desk.server.url + "/v2/users", timeout=30),
    ):  # fmt: skip
        id = answer.headers["Correlation-Id"]
        assert str(uuid.UUID(id)) == id
        if answer.status_code in (400, 404):
            assert re.fullmatch(rf"{id}#\d+", answer.json()["logRef"])
        seen.add(id)
    assert len(seen) == 5


# -- HEAD, OPTIONS, CORS, slashes


def test_head_answers_as_get_without_the_body(desk: Desk, inbox: int) -> None:
    for path in ("/v2/users/me", "/v2/mailboxes", f"/v2/conversations/{start(desk, inbox)}", "/v2/nothing"):
        get, head = desk.get(path), desk.request("HEAD", path)
        assert head.status_code == get.status_code
        assert head.headers["Content-Type"] == get.headers["Content-Type"]
        assert head.content == b""
        if get.status_code == 200:
            assert head.headers["Content-Length"] == str(len(get.content))


def test_a_preflight_needs_no_token_and_allows_everything_clients_use(server: LiveServer) -> None:
    answer = requests.options(
        server.url + "/v2/conversations",
        headers={
            "Origin": "https://app.example", "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
        timeout=30,
    )  # fmt: skip
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    methods = {method.strip() for method in answer.headers["Access-Control-Allow-Methods"].split(",")}
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= methods
    allowed = {header.strip().lower() for header in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"authorization", "content-type", "accept"} <= allowed


def test_every_answer_may_be_read_by_scripts_of_any_origin(desk: Desk, inbox: int) -> None:
    for answer in (
        desk.get("/v2/users"), desk.get("/v2/nothing"), desk.post("/v2/conversations", minimal(inbox)),
        requests.get(desk.server.url + "/v2/users", timeout=30),
    ):  # fmt: skip
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        exposed = {header.strip().lower() for header in answer.headers["Access-Control-Expose-Headers"].split(",")}
        assert {
            "x-ratelimit-limit-minute", "x-ratelimit-remaining-minute", "x-ratelimit-retry-after", "retry-after",
            "resource-id", "location",
        } <= exposed  # fmt: skip


def test_a_slash_at_the_end_changes_nothing(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    for path in ("/v2/users/me", "/v2/mailboxes", f"/v2/conversations/{id}", f"/v2/conversations/{id}/threads"):
        assert desk.get(path + "/").status_code == 200
    made = desk.post("/v2/conversations/", minimal(inbox))
    assert made.status_code == 201
    assert made.headers["Location"] == f"{desk.server.url}/v2/conversations/{made.headers['Resource-ID']}"
    changed = desk.patch(f"/v2/conversations/{id}/", {"op": "replace", "path": "/subject", "value": "x"})
    assert changed.status_code == 204


# -- Unknown names, nulls


def test_unknown_parameters_and_properties_are_ignored(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, folderId=7, state="draft", _embedded={"x": [1]}, nothing=None)
    assert desk.get(f"/v2/conversations/{id}", embed="", nothing="x", status="Wrong").status_code == 200
    assert desk.put(f"/v2/conversations/{id}/tags", {"tags": [], "more": {}}).status_code == 204
    assert desk.get(f"/v2/conversations/{id}").json()["state"] == "published"


def test_any_number_of_unknown_parameters_is_ignored(desk: Desk) -> None:
    assert desk.get("/v2/users?" + "a=1&" * 2_000 + "page=1").status_code == 200


def test_null_counts_as_left_out(desk: Desk, inbox: int) -> None:
    reference = {
        "id": None, "email": "paul@buyer.example", "firstName": None, "lastName": None, "organization": None,
        "jobTitle": None, "phone": None, "photoUrl": None, "photoType": None, "background": None, "location": None,
        "gender": None, "age": None,
    }  # fmt: skip
    thread = {
        "type": "reply", "text": "x", "customer": reference, "user": None, "draft": None, "cc": None, "bcc": None,
        "imported": None, "createdAt": None, "attachments": None,
    }  # fmt: skip
    id = start(
        desk, inbox, customer=reference, threads=[thread], autoReply=None, imported=None, createdAt=None, closedAt=None,
        user=None, tags=None, fields=None,
    )  # fmt: skip
    made = desk.get(f"/v2/conversations/{id}").json()
    assert (made["tags"], made["customFields"], made["state"]) == ([], [], "published")
    customer = {"id": made["primaryCustomer"]["id"]}
    nulls: dict[str, Any] = dict.fromkeys(("imported", "createdAt", "attachments"))
    copies: dict[str, Any] = dict.fromkeys(("cc", "bcc"))
    own: dict[str, Any] = dict.fromkeys(("user", "status"))
    for path, body in (
        ("reply", {"text": "x", "customer": customer, "draft": None} | nulls | copies | own),
        ("notes", {"text": "x"} | nulls | own),
        ("chats", {"text": "x", "customer": customer} | nulls),
        ("phones", {"text": "x", "customer": customer} | nulls),
        ("customer", {"text": "x", "customer": customer} | nulls | copies),
    ):
        answer = desk.post(f"/v2/conversations/{id}/{path}", body)
        assert answer.status_code == 201, answer.text
    fields = (
        "firstName", "lastName", "gender", "jobTitle", "location", "organization", "organizationId", "photoType",
        "photoUrl", "age", "background", "phone",
    )  # fmt: skip
    lists = ("emails", "phones", "chats", "socialProfiles", "websites", "address")
    answer = desk.post("/v2/customers", dict.fromkeys(fields + lists) | {"lastName": "Holm"})
    assert answer.status_code == 201, answer.text
    answer = desk.put(answer.headers["Location"], dict.fromkeys(fields) | {"id": None})
    assert answer.status_code == 204, answer.text


def test_null_for_what_is_required_is_a_missing_value(desk: Desk, inbox: int) -> None:
    for field in ("subject", "type", "mailboxId", "status", "customer", "threads"):
        found = fault(desk.post("/v2/conversations", minimal(inbox, **{field: None})))
        assert found["path"] == field
        assert "rejectedValue" not in found


# -- Dates and ids


def test_dates_go_out_in_utc_to_the_second(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox, status="closed", tags=["vip"])
    desk.post(f"/v2/conversations/{id}/notes", {"text": "x"})
    found = set()
    for path in (
        f"/v2/conversations/{id}?embed=threads", "/v2/users", "/v2/mailboxes", "/v2/tags", "/v2/customers",
        f"/v2/mailboxes/{inbox}/folders",
    ):  # fmt: skip
        for name, value in dated(desk.get(path).json()):
            assert DATE.fullmatch(value), (path, name, value)
            found.add(name)
    assert {"createdAt", "closedAt", "userUpdatedAt", "updatedAt"} <= found


def dated(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.endswith("At") or name == "time":
                yield name, inner
            yield from dated(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from dated(inner)


BAD_DATES = [
    "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00+00:00",
    "2026-01-01T00:00:00", "2026-01-01", "2026-02-30T00:00:00Z", "2026-01-01T24:00:01Z", "yesterday", "1767225600",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_DATES)
def test_dates_come_in_no_other_form(desk: Desk, inbox: int, text: str) -> None:
    for answer, path, source in (
        (desk.get("/v2/conversations", modifiedSince=text), "modifiedSince", "QUERY"),
        (desk.get("/v2/customers", modifiedSince=text), "modifiedSince", "QUERY"),
        (desk.post("/v2/conversations", minimal(inbox, imported=True, createdAt=text)), "createdAt", "JSON"),
    ):
        found = fault(answer)
        assert (found["path"], found["source"], found["rejectedValue"]) == (path, source, text)
        assert found["_links"]["about"]["href"] == f"{ABOUT}#DateFormat"
        assert "yyyy-MM-dd'T'HH:mm:ss'Z'" in found["message"]


def test_ids_are_numbers_of_64_bits(desk: Desk, inbox: int) -> None:
    made = desk.get(f"/v2/conversations/{start(desk, inbox)}", embed="threads").json()
    (thread,) = made["_embedded"]["threads"]
    assert type(made["id"]) is int and made["id"] > 2**31
    assert type(thread["id"]) is int and thread["id"] > 2**32
