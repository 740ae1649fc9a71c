"""What holds for every call: media types, headers, lists and their links, errors, methods, nulls and dates.

Facts: §2 of the wire contract's half A (https://developer.helpscout.com/mailbox-api/overview/).
"""

from __future__ import annotations

import base64
import json
import re
import socket
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
import requests

from deskhand.catalogue.operation import ListOf
from deskhand.catalogue.operations import OPERATIONS
from deskhand.lib.clock import MovableClock
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique

HAL = "application/hal+json"
VND = "application/vnd.error+json"
ABOUT = "http://developer.helpscout.net/mailbox-api/overview/errors"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
MEGABYTE = 1024 * 1024


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


@pytest.fixture
def clock(server: LiveServer) -> Iterator[MovableClock]:
    before = server.clock.offset
    yield server.clock
    server.clock.offset = before


def minimal(inbox: int, **changes: Any) -> dict[str, Any]:
    """The body of a conversation with only what is required."""
    return {
        "subject": "Refund for order 5521", "type": "email", "mailboxId": inbox, "status": "active",
        "customer": {"email": "paul@buyer.example"},
        "threads": [{"type": "customer", "text": "Where is it?", "customer": {"email": "paul@buyer.example"}}],
    } | changes  # fmt: skip


def start(desk: Desk, inbox: int, **changes: Any) -> int:
    answer = desk.post("/v2/conversations", minimal(inbox, **changes))
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def with_tags(desk: Desk, inbox: int, count: int) -> int:
    """A conversation that carries so many tags."""
    return start(desk, inbox, tags=[f"tag {number:03}" for number in range(count)])


def fault(answer: requests.Response, status: int = 400) -> dict[str, Any]:
    """The only fault that an error names."""
    assert answer.status_code == status, answer.text
    (found,) = answer.json()["_embedded"]["errors"]
    return dict(found)


def without_log_ref(answer: requests.Response) -> str:
    """An error's text, its logRef checked and left out."""
    text, found = re.subn(r'"logRef":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}#\d+"', '"logRef":"…"', answer.text)
    assert found == 1, answer.text
    return text


# -- Media types


@pytest.mark.parametrize("accept", ["*/*", "application/json", HAL, "text/html"])
def test_resources_and_lists_are_hal_json_whatever_is_accepted(desk: Desk, inbox: int, accept: str) -> None:
    for path in (f"/v2/mailboxes/{inbox}", "/v2/mailboxes", "/v2/users/me", f"/v2/conversations/{start(desk, inbox)}"):
        answer = desk.request("GET", path, headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].partition(";")[0] == HAL


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", "x"])
def test_a_content_type_without_a_body_is_ignored(desk: Desk, inbox: int, media_type: str) -> None:
    id = start(desk, inbox)
    headers = {"Content-Type": media_type}
    assert desk.request("GET", f"/v2/conversations/{id}", headers=headers).status_code == 200
    assert desk.request("DELETE", f"/v2/conversations/{id}", headers=headers).status_code == 204


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json", "application/json;charset=UTF-8", "application/json; charset=utf-8", "Application/JSON",
        "application/json-patch+json", "application/hal+json",
    ],
)  # fmt: skip
def test_json_comes_under_several_names(desk: Desk, inbox: int, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    made = desk.request("POST", "/v2/conversations", data=json.dumps(minimal(inbox)), headers=headers)
    assert made.status_code == 201, made.text
    patch = json.dumps({"op": "replace", "path": "/status", "value": "closed"})
    changed = desk.request("PATCH", made.headers["Location"], data=patch, headers=headers)
    assert changed.status_code == 204, changed.text


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"]
)
def test_a_body_of_another_kind_is_415(desk: Desk, inbox: int, media_type: str) -> None:
    answer = desk.request(
        "POST", "/v2/conversations", data=json.dumps(minimal(inbox)), headers={"Content-Type": media_type}
    )
    assert answer.status_code == 415
    assert answer.headers["Content-Type"] == VND
    assert answer.json()["message"] == "Unsupported media type"
    assert desk.get("/v2/conversations").json()["page"]["totalElements"] == 0


def test_errors_of_the_application_are_exactly_vnd_error_json(desk: Desk, inbox: int) -> None:
    hidden = desk.as_user(desk.add_user())
    for status, answer in {
        400: desk.get("/v2/conversations", status="Wrong"),
        403: hidden.get(f"/v2/mailboxes/{inbox}"),
        404: desk.get("/v2/conversations/1"),
        412: desk.post("/v2/conversations", minimal(inbox, threads=[{"type": "note", "text": "x"}] * 101)),
    }.items():
        assert answer.status_code == status, answer.text
        # The PHP client compares the whole header; with a charset it throws another class of exception.
        assert answer.headers["Content-Type"] == VND


def test_refusals_of_the_gateway_are_plain_json(server: LiveServer) -> None:
    desk = open_desk(server, rate_limit=1)
    desk.get("/v2/users")
    for status, answer in {
        401: requests.get(server.url + "/v2/users", timeout=30),
        429: desk.get("/v2/users"),
    }.items():
        assert answer.status_code == status
        assert answer.headers["Content-Type"].replace(" ", "").lower() == "application/json;charset=utf-8"


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


# -- Lists


def test_a_list_has_an_envelope_and_nothing_else(desk: Desk, inbox: int) -> None:
    start(desk, inbox)
    for path, key, size in (
        ("/v2/conversations", "conversations", 25),
        ("/v2/customers", "customers", 50),
        ("/v2/mailboxes", "mailboxes", 50),
        ("/v2/users", "users", 50),
    ):
        body = desk.get(path).json()
        assert set(body) == {"_embedded", "_links", "page"}
        assert set(body["_embedded"]) == {key}
        assert body["page"] == {"size": size, "totalElements": 1, "totalPages": 1, "number": 1}
        place = desk.server.url + path
        assert body["_links"] == {
            "self": {"href": f"{place}?page=1"},
            "first": {"href": f"{place}?page=1"},
            "last": {"href": f"{place}?page=1"},
            "page": {"href": f"{place}{{?page}}", "templated": True},
        }


def test_the_middle_of_a_list_links_to_both_sides(desk: Desk, inbox: int) -> None:
    with_tags(desk, inbox, 120)
    place = desk.server.url + "/v2/tags"
    body = desk.get("/v2/tags", page=2).json()
    assert body["page"] == {"size": 50, "totalElements": 120, "totalPages": 3, "number": 2}
    assert {rel: link["href"] for rel, link in body["_links"].items()} == {
        "self": f"{place}?page=2", "next": f"{place}?page=3", "previous": f"{place}?page=1",
        "first": f"{place}?page=1", "last": f"{place}?page=3", "page": f"{place}{{?page}}",
    }  # fmt: skip
    assert "previous" not in desk.get("/v2/tags", page=1).json()["_links"]
    assert "next" not in desk.get("/v2/tags", page=3).json()["_links"]


def test_following_next_leads_through_all_pages(desk: Desk, inbox: int) -> None:
    with_tags(desk, inbox, 120)
    names, place = [], "/v2/tags"
    while place:
        body = desk.get(place).json()
        names += [tag["name"] for tag in body["_embedded"]["tags"]]
        place = body["_links"].get("next", {}).get("href", "")
    assert names == [f"tag {number:03}" for number in range(120)]


def test_a_full_last_page_has_no_next(desk: Desk, inbox: int) -> None:
    with_tags(desk, inbox, 50)
    body = desk.get("/v2/tags").json()
    assert body["page"] == {"size": 50, "totalElements": 50, "totalPages": 1, "number": 1}
    assert "next" not in body["_links"]


def test_links_keep_every_parameter(desk: Desk, inbox: int) -> None:
    for number in range(30):
        start(desk, inbox, subject=f"Refund & more {number}")
    given = [
        ("status", "all"), ("query", '(subject:"refund & more" OR email:paul+x@buyer.example)'), ("page", "1"),
        ("foo", "ä=&?#/ +%"), ("mailbox", str(inbox)), ("mailbox", "1"), ("sortOrder", "asc"),
    ]  # fmt: skip
    links = desk.request("GET", "/v2/conversations", params=given).json()["_links"]
    kept = [pair for pair in given if pair[0] != "page"]
    for rel, page in (("self", "1"), ("next", "2"), ("first", "1"), ("last", "2")):
        url = urlsplit(links[rel]["href"])
        assert f"{url.scheme}://{url.netloc}{url.path}" == desk.server.url + "/v2/conversations"
        assert sorted(parse_qsl(url.query)) == sorted([*kept, ("page", page)])
    template = links["page"]["href"]
    assert template.endswith("{&page}")
    assert sorted(parse_qsl(urlsplit(template.removesuffix("{&page}")).query)) == sorted(kept)
    second = desk.get(links["next"]["href"]).json()
    assert second["page"] == {"size": 25, "totalElements": 30, "totalPages": 2, "number": 2}
    assert len(second["_embedded"]["conversations"]) == 5


def test_an_empty_list_keeps_its_key(desk: Desk) -> None:
    for path, key in (("/v2/conversations", "conversations"), ("/v2/tags", "tags"), ("/v2/teams", "teams")):
        body = desk.get(path).json()
        assert body["_embedded"] == {key: []}
        assert body["page"] == {"size": body["page"]["size"], "totalElements": 0, "totalPages": 0, "number": 1}
        assert set(body["_links"]) == {"self", "first", "last", "page"}


def test_a_page_behind_the_last_is_empty_and_links_back(desk: Desk, inbox: int) -> None:
    with_tags(desk, inbox, 60)
    body = desk.get("/v2/tags", page=9).json()
    assert body["_embedded"] == {"tags": []}
    assert body["page"] == {"size": 50, "totalElements": 60, "totalPages": 2, "number": 9}
    assert "next" not in body["_links"]
    assert body["_links"]["previous"]["href"] == f"{desk.server.url}/v2/tags?page=2"
    assert body["_links"]["last"]["href"] == f"{desk.server.url}/v2/tags?page=2"


@pytest.mark.parametrize(
    "operation",
    [one for one in OPERATIONS if isinstance(one.returns, ListOf) and one.returns.paged],
    ids=lambda operation: operation.name,
)
def test_every_list_takes_its_pages_alike(desk: Desk, inbox: int, operation: Any) -> None:
    organization = int(desk.post("/v2/organizations", {"name": "Tea"}).headers["Resource-ID"])
    values = {
        "conversation_id": start(desk, inbox), "inbox_id": inbox, "team_id": desk.add_team(),
        "organization_id": organization,
    }  # fmt: skip
    path = operation.path.format(**values)
    size, key = operation.returns.size, operation.returns.key
    for asked in ({}, {"size": 5}, {"pageSize": 5, "per_page": 5}, {"page": 1, "limit": 5}):
        answer = desk.get(path, **asked)
        assert answer.status_code == 200, answer.text
        assert answer.json()["page"]["size"] == size
    for number in (2, 1_000, 50_000_000, 1_000_000_000):
        answer = desk.get(path, page=number)
        assert answer.status_code == 200, f"page {number}: {answer.text}"
        assert answer.json()["_embedded"] == {key: []}
        assert answer.json()["page"]["number"] == number
    for wrong in ("0", "-1", "x", "1.5", "1x", "١"):
        answer = desk.get(path, page=wrong)
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, VND), wrong
        assert (fault(answer)["path"], fault(answer)["source"]) == ("page", "QUERY")


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if isinstance(one.returns, ListOf)], ids=lambda operation: operation.name
)
def test_every_list_takes_the_largest_ids_there_can_be(desk: Desk, inbox: int, operation: Any) -> None:
    values = {"inbox_id": inbox, "team_id": desk.add_team()}
    if "conversation_id" in operation.parameters:
        values["conversation_id"] = start(desk, inbox)
    if "customer_id" in operation.parameters:
        values["customer_id"] = int(desk.post("/v2/customers", {}).headers["Resource-ID"])
    if "organization_id" in operation.parameters:
        values["organization_id"] = int(desk.post("/v2/organizations", {"name": "Tea"}).headers["Resource-ID"])
    path = operation.path.format(**values)
    for field in msgspec.structs.fields(operation.query):
        for number in (2**63 - 1, 2**63 - 6, 2**31, 2**31 - 1):  # one ends in 2, as the ids of certain folders do
            if "ge=1" in str(field.type) and field.encode_name != "page":
                answer = desk.get(path, **{field.encode_name: number})
                assert answer.status_code == 200, (field.encode_name, number, answer.text)
                assert answer.json()["_embedded"][operation.returns.key] == []


# -- Errors


def test_a_missing_field_is_told_in_these_words(desk: Desk, inbox: int) -> None:
    body = minimal(inbox)
    del body["subject"]
    assert without_log_ref(desk.post("/v2/conversations", body)) == (
        '{"logRef":"…","message":"Bad request","_embedded":{"errors":['
        '{"path":"subject","message":"may not be empty","source":"JSON",'
        f'"_links":{{"about":{{"href":"{ABOUT}#NotEmpty"}}}}}}'
        f']}},"_links":{{"about":{{"href":"{ABOUT}"}}}}}}'
    )


def test_a_value_that_is_none_of_the_known_is_told_in_these_words(desk: Desk) -> None:
    answer = desk.get("/v2/conversations", status="Wrong")
    found = fault(answer)
    listed = found["message"].removeprefix("Expected one of these: ")
    assert set(listed.split(", ")) == {"'active'", "'all'", "'closed'", "'open'", "'pending'", "'spam'"}
    assert without_log_ref(answer) == (
        '{"logRef":"…","message":"Bad request","_embedded":{"errors":['
        f'{{"path":"status","message":"Expected one of these: {listed}","rejectedValue":"Wrong","source":"QUERY",'
        f'"_links":{{"about":{{"href":"{ABOUT}#EnumValue"}}}}}}'
        f']}},"_links":{{"about":{{"href":"{ABOUT}"}}}}}}'
    )


INVALID_JSON = (
    '{"logRef":"…","message":"Error parsing request body into JSON","_embedded":{"errors":[]},'
    f'"_links":{{"self":{{"href":"{ABOUT}#invalid-json"}}}}}}'
)


@pytest.mark.parametrize(
    "sent",
    [
        b"{oops", b"", b" ", b"null", b"[]", b'"x"', b"5", b'{"subject":"x"', b'{"subject":"x"} y', b'{"subject":1,',
        b'{"subject":"\xff"}', b'{"subject":"\\ud800"}', b"{'subject':'x'}", b'{"subject":' + b"[" * 100_000,
        b'{"subject":1,"x":\xff}', b"\x00", b"<xml/>", b"subject=x",
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_told_in_these_words(desk: Desk, sent: bytes) -> None:
    answer = desk.request("POST", "/v2/conversations", data=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"] == VND
    assert without_log_ref(answer) == INVALID_JSON


@pytest.mark.parametrize("sent", [b"{oops", b"null", b'"closed"', b"5", b'{"op":1,', b'[{"op":1,', b'{"op":"a"} x'])
def test_a_patch_that_is_no_json_is_told_in_the_same_words(desk: Desk, inbox: int, sent: bytes) -> None:
    answer = desk.request(
        "PATCH", f"/v2/conversations/{start(desk, inbox)}", data=sent, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400, answer.text
    assert without_log_ref(answer) == INVALID_JSON


def test_numbers_out_of_range_are_a_fault_of_the_client(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    for body in (
        '{"op":"replace","path":"/assignTo","value":1e999}',
        '{"op":"replace","path":"/assignTo","value":99999999999999999999999}',
        '{"op":"replace","path":"/mailboxId","value":9223372036854775807}',
        '{"op":"replace","path":"/assignTo","value":1.5}',
        '{"op":"replace","path":"/assignTo","value":' + "9" * 5_000 + "}",
    ):
        answer = desk.request(
            "PATCH", f"/v2/conversations/{id}", data=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400, (body[:60], answer.text)
    for field in ("mailboxId", "assignTo", "user"):
        for number in (2**63 - 1, 2**63, 10**30, -(10**30), 1.5):
            answer = desk.post("/v2/conversations", minimal(inbox, **{field: number}))
            assert fault(answer)["path"] == field, number


def test_a_wrong_method_is_400_and_lists_the_right_ones(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    for method, path, supported in (
        ("POST", "/v2/tags", {"GET"}),
        ("PUT", f"/v2/conversations/{id}", {"GET", "PATCH", "DELETE"}),
        ("POST", f"/v2/conversations/{id}/threads", {"GET"}),
        ("POST", f"/v2/conversations/{id}/tags", {"PUT"}),
        ("GET", f"/v2/conversations/{id}/reply", {"POST"}),
        ("DELETE", "/v2/customers", {"GET", "POST"}),
        ("PATCH", f"/v3/conversations/{id}", {"GET"}),
        ("POST", "/v2/users/me", {"GET"}),
        ("TRACE", "/v2/users", {"GET"}),
    ):
        answer = desk.request(method, path, json={} if method in ("POST", "PUT", "PATCH") else None)
        assert answer.status_code == 400, (method, path, answer.text)
        assert answer.headers["Content-Type"] == VND
        body = answer.json()
        assert supported <= set(re.findall(r"\b[A-Z]{3,6}\b", body["message"]))
        assert body["_embedded"] == {"errors": []}
        assert [link["href"] for link in body["_links"].values()] == [f"{ABOUT}#invalid-http-method"]
        without_log_ref(answer)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/nothing", "/v2/", "/v3/", "/v3/conversations", "/v2/conversation", "/v2/Conversations", "/v2/users/me/x",
        "/v2/conversations/abc", "/v2/conversations/0", "/v2/conversations/-1", "/v2/conversations/1.5",
        "/v2/conversations/99999999999999999999", "/v2/conversations/9223372036854775807", "/v2/conversations//threads",
        "/v2/customers/%00", "/v2/customers/%2e%2e", "/v2/customers/1/nothing", "/v2/mailboxes/٣",
    ],
)  # fmt: skip
def test_an_unknown_path_or_id_is_404(desk: Desk, path: str) -> None:
    answer = desk.get(path)
    assert answer.status_code == 404, answer.text
    assert answer.headers["Content-Type"] == VND
    assert answer.json()["message"] == "Not found"
    without_log_ref(answer)


def test_each_kind_of_refusal_has_its_message(desk: Desk, inbox: int) -> None:
    desk.post("/v2/customers", {"emails": [{"value": "mira@northwind.example"}]})
    for status, message, answer in (
        (403, "Access denied", desk.as_user(desk.add_user()).get(f"/v2/mailboxes/{inbox}")),
        (404, "Not found", desk.get("/v2/tags/1")),
        (409, "Conflict", desk.post("/v2/customers", {"emails": [{"value": "mira@northwind.example"}]})),
    ):
        assert (answer.status_code, answer.json()["message"]) == (status, message)
        without_log_ref(answer)


def test_a_limit_that_is_reached_is_412_and_says_which(desk: Desk, inbox: int) -> None:
    answer = desk.post("/v2/conversations", minimal(inbox, threads=[{"type": "note", "text": "x"}] * 101))
    assert answer.json()["message"] == "Precondition failed"
    assert "100" in fault(answer, 412)["message"]


def test_faults_are_told_all_at_once_each_by_its_place(desk: Desk, inbox: int) -> None:
    body = minimal(
        inbox, type="fax", customer={"email": "nobody"}, threads=[{"type": "note", "text": "x"}, {"type": "note"}]
    )
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 400
    found = {
        (error["path"], error["_links"]["about"]["href"].removeprefix(ABOUT), error.get("rejectedValue", "absent"))
        for error in answer.json()["_embedded"]["errors"]
    }
    assert found == {
        ("type", "#EnumValue", "fax"),
        ("customer.email", "#Email", "nobody"),
        ("threads[1].text", "#NotEmpty", "absent"),
    }


# -- 413, 414


def test_a_body_over_25_megabytes_is_413(desk: Desk) -> None:
    head = (
        "POST /v2/conversations HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {desk.token}\r\n"
    )
    declared = raw(desk, head + f"Content-Length: {25 * MEGABYTE + 1}\r\n\r\n")
    chunk = b"%x\r\n%s\r\n" % (MEGABYTE, b" " * MEGABYTE)
    streamed = raw(desk, head + "Transfer-Encoding: chunked\r\n\r\n", chunk * 25 + b"1\r\nx\r\n")
    for answer in (declared, streamed):
        assert answer.startswith(b"HTTP/1.1 413"), answer[:200]
        assert b'"message":"Request entity too large"' in answer
        assert VND.encode() in answer


def test_a_body_under_25_megabytes_is_read(desk: Desk) -> None:
    sent = b'{"firstName":"Mira","nothing":"' + b"x" * (24 * MEGABYTE) + b'"}'
    answer = desk.request("POST", "/v2/customers", data=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201, answer.text


def test_an_address_of_8_kilobytes_is_read_and_one_of_20_is_414(desk: Desk) -> None:
    assert desk.get("/v2/users", foo="x" * 8_192).status_code == 200
    answer = desk.get("/v2/users", foo="x" * 20_000)
    assert answer.status_code == 414


def test_any_number_of_unknown_parameters_is_ignored(desk: Desk) -> None:
    assert desk.get("/v2/users?" + "a=1&" * 2_000 + "page=1").status_code == 200


def raw(desk: Desk, head: str, body: bytes = b"") -> bytes:
    """An answer to bytes as they are, read until the headers and a little more are there."""
    url = urlsplit(desk.server.url)
    with socket.create_connection((str(url.hostname), int(url.port or 0)), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        received = b""
        while b"\r\n\r\n" not in received or b"}" not in received:
            piece = connection.recv(65_536)
            if not piece:
                break
            received += piece
        return received


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


# -- The rate limit


def test_reads_cost_one_and_writes_two_for_the_whole_account(server: LiveServer, clock: MovableClock) -> None:
    at_second(clock, 5)
    desk = open_desk(server, rate_limit=400)
    inbox = desk.add_inbox()
    colleague = desk.as_user(desk.add_user(role="admin"))
    id = start(desk, inbox)  # 398
    for left, answer in (
        (397, desk.get("/v2/users")),
        (396, colleague.get("/v2/conversations", status="Wrong")),
        (395, desk.get("/v2/nothing")),
        (393, colleague.patch(f"/v2/conversations/{id}", {"op": "replace", "path": "/subject", "value": "x"})),
        (391, desk.put(f"/v2/conversations/{id}/tags", {"tags": []})),
        (389, desk.post(f"/v2/conversations/{id}/notes", {})),
        (387, desk.delete(f"/v2/conversations/{id}")),
        (386, desk.request("HEAD", "/v2/users")),
    ):
        assert answer.headers["X-RateLimit-Limit-Minute"] == "400"
        assert answer.headers["X-RateLimit-Remaining-Minute"] == str(left)
        assert "X-RateLimit-Retry-After" not in answer.headers and "Retry-After" not in answer.headers


def test_over_the_limit_nothing_is_done_and_the_answer_says_how_long_to_wait(
    server: LiveServer, clock: MovableClock
) -> None:
    at_second(clock, 20)
    desk = open_desk(server, rate_limit=4)
    for left in (3, 2, 1, 0):
        assert desk.get("/v2/tags").headers["X-RateLimit-Remaining-Minute"] == str(left)
    for answer in (desk.get("/v2/users"), desk.post("/v2/customers", {"firstName": "Mira"}), desk.get("/v2/users")):
        assert answer.status_code == 429
        assert answer.text == '{"message":"API rate limit exceeded"}'
        wait = answer.headers["X-RateLimit-Retry-After"]
        assert wait == answer.headers["Retry-After"]
        assert 25 <= int(wait) <= 40
        assert answer.headers["X-RateLimit-Limit-Minute"] == "4"
        assert answer.headers["X-RateLimit-Remaining-Minute"] == "0"
    clock.advance(timedelta(seconds=int(wait)))
    again = desk.get("/v2/customers")
    assert (again.status_code, again.headers["X-RateLimit-Remaining-Minute"]) == (200, "3")
    assert again.json()["page"]["totalElements"] == 0


def test_accounts_have_limits_of_their_own(server: LiveServer, clock: MovableClock) -> None:
    at_second(clock, 5)
    busy, quiet = open_desk(server, rate_limit=1), open_desk(server, rate_limit=1)
    assert [busy.get("/v2/users").status_code for _ in range(2)] == [200, 429]
    assert quiet.get("/v2/users").status_code == 200


def test_the_rate_headers_are_there_without_a_limit_too(desk: Desk) -> None:
    for answer in (desk.get("/v2/users"), desk.get("/v2/nothing"), desk.post("/v2/customers", {})):
        assert answer.headers["X-RateLimit-Limit-Minute"].isdigit()
        assert answer.headers["X-RateLimit-Remaining-Minute"].isdigit()


def at_second(clock: MovableClock, second: int) -> None:
    """Move the clock into the coming minute, so that no test runs across a minute's end."""
    now = clock.now()
    clock.set(now.replace(second=second, microsecond=0) + timedelta(minutes=1))


# -- Who is asking


@pytest.mark.parametrize(
    ("header", "missing"),
    [(None, True), ("", True), ("Bearer", True), ("Basic eDp5", True), ("Bearer nothing", False)],
)
def test_without_a_good_token_the_answer_is_401(server: LiveServer, header: str | None, missing: bool) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = requests.get(server.url + "/v2/conversations", headers=headers, timeout=30)
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    if missing:
        assert answer.json() == {"error_description": "The access token is missing", "error": "invalid_request"}
        assert challenge == 'Bearer realm="service"'
    else:
        text = "The access token is invalid or has expired"
        assert answer.json() == {"error_description": text, "error": "invalid_token"}
        assert challenge == f'Bearer realm="service" error="invalid_token" error_description="{text}"'


def test_an_expired_token_is_401_like_an_unknown_one(desk: Desk, clock: MovableClock) -> None:
    assert desk.get("/v2/users").status_code == 200
    clock.advance(timedelta(seconds=172_800 - 60))
    assert desk.get("/v2/users").status_code == 200
    clock.advance(timedelta(seconds=61))
    answer = desk.get("/v2/users")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_who_is_asking_comes_before_what_is_asked(server: LiveServer) -> None:
    for method, path in (("GET", "/v2/nothing"), ("POST", "/v2/tags"), ("POST", "/v2/conversations")):
        assert requests.request(method, server.url + path, data=b"{oops", timeout=30).status_code == 401


def test_a_large_attachment_does_not_hold_up_other_calls(desk: Desk, inbox: int) -> None:
    data = base64.b64encode(b"x" * (8 * MEGABYTE)).decode()
    thread = {"type": "note", "text": "x", "attachments": [{"fileName": "a", "mimeType": "text/plain", "data": data}]}
    assert desk.post("/v2/conversations", minimal(inbox, subject=unique("s"), threads=[thread])).status_code == 201
