"""Errors: which faults there are, and the words and the shape in which they are told.

Facts: §2 of the wire contract's half A (https://developer.helpscout.com/mailbox-api/overview/).
"""

from __future__ import annotations

import re

import pytest

from tests.contract.answering import ABOUT, VND, fault, minimal, start, without_log_ref
from tests.world import Desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


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
