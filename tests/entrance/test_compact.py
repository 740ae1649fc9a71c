"""Answers made short: what is left out, what stays, what is marked, and how much shorter they get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import requests

from deskhand.catalogue.operation import Resource
from deskhand.entrance.compact import compact
from deskhand.entrance.results import Result, result
from deskhand.gateway.calls import Answer
from tests.clients.live_sandbox import LiveSandbox

MINA = {"id": 3, "type": "user", "first": "Mina", "last": "Voss", "photoUrl": "x", "email": "mina@desk.example"}
PAUL = {"id": 9, "type": "customer", "first": "Paul", "last": "", "email": "paul@buyer.example"}


def conversation(**more: Any) -> dict[str, Any]:
    return {"id": 7, "subject": "Refund", "state": "published", "primaryCustomer": PAUL, **more}


def thread(type: str = "message", **more: Any) -> dict[str, Any]:
    return {"id": 8, "type": type, "status": "nochange", "body": "<p>Hello</p><p>there</p>", "createdBy": MINA, **more}


def test_what_is_empty_usual_or_for_programs_is_left_out():
    found = compact(
        conversation(
            cc=[], bcc=None, preview="", closedBy=0, threads=0, draft=False, _links={"self": {"href": "x"}},
            tags=[{"id": 1, "color": "#fff", "tag": "vip"}], _embedded={"threads": []},
            customFields=[{"id": 1, "name": "Size", "value": "7", "text": "7"}, {"id": 2, "value": "9", "text": "Red"}],
            customerWaitingSince={"time": "t", "friendly": "2 days ago"},
        )
    )  # fmt: skip
    assert found == {
        "id": 7,
        "subject": "Refund",
        "primaryCustomer": {"id": 9, "name": "Paul", "type": "customer", "email": "paul@buyer.example"},
        "threads": 0,
        "draft": False,
        "tags": ["vip"],
        "customFields": [{"id": 1, "name": "Size", "value": "7"}, {"id": 2, "value": "9", "text": "Red"}],
        "customerWaitingSince": {"time": "t"},
        "untrusted": True,
    }


def test_what_is_not_usual_stays():
    found = compact(conversation(state="draft", status="closed", closedBy=3, action={"type": "merged"}))
    assert (found["state"], found["status"], found["closedBy"], found["action"]) == (
        "draft", "closed", 3, {"type": "merged"},
    )  # fmt: skip


def test_a_person_is_told_in_full_once():
    page = {"_embedded": {"threads": [thread(assignedTo=MINA), thread()]}, "page": {}}
    first, second = compact(page)["threads"]
    assert first["createdBy"] == {"id": 3, "name": "Mina Voss", "type": "user", "email": "mina@desk.example"}
    assert first["assignedTo"] == second["createdBy"] == {"id": 3, "name": "Mina Voss"}


def test_a_customer_and_a_user_of_the_same_id_are_two():
    twin = {**PAUL, "id": MINA["id"]}
    page = {"_embedded": {"threads": [thread(customer=twin), thread(customer=twin)]}, "page": {}}
    first, second = compact(page)["threads"]
    assert (first["createdBy"]["type"], first["customer"]["type"]) == ("user", "customer")
    assert second["customer"] == {"id": 3, "name": "Paul", "type": "customer", "email": "paul@buyer.example"}


def test_a_list_says_which_part_it_is_also_when_it_is_empty():
    page = {"size": 25, "totalElements": 0, "totalPages": 0, "number": 1}
    assert compact({"_embedded": {"conversations": []}, "page": page, "_links": {}}) == {
        "conversations": [], "page": 1, "pages": 0, "total": 0,
    }  # fmt: skip
    onward = {"next": {"href": "https://desk.example/v3/customers?cursor=a%2Bb&query=x"}}
    walked = compact({"_embedded": {"customers": [{"id": 1}]}, "_links": onward}, Resource.CUSTOMERS)
    assert walked == {"customers": [{"id": 1}], "next_cursor": "a+b", "untrusted": True}
    assert compact([{"id": 1, "name": ""}]) == {"items": [{"id": 1}]}


def test_html_is_told_as_text():
    assert compact(thread())["body"] == "Hello\n\nthere"


def test_the_words_of_customers_are_marked():
    threads = {"_embedded": {"threads": [thread("customer"), thread("note"), thread("chat"), thread("message")]}}
    assert [one.get("untrusted", False) for one in compact(threads)["threads"]] == [True, False, True, False]
    assert compact(conversation())["untrusted"]
    assert compact({"id": 1, "firstName": "Paul"}, Resource.CUSTOMERS)["untrusted"]
    assert compact({"original": "From: x"}, Resource.THREADS)["untrusted"]
    assert compact({"data": "YQ=="}, Resource.ATTACHMENTS)["untrusted"]
    forwarded = {"_embedded": {"threads": [thread("forwardparent"), thread("forwardchild"), thread("lineitem")]}}
    assert [one.get("untrusted", False) for one in compact(forwarded)["threads"]] == [True, True, False]
    assert compact(thread(rating={"rating": "great", "comments": "Well done"}))["untrusted"]
    theirs = {"_embedded": {"customers": [{"id": 1, "firstName": "Paul"}]}, "page": {}}
    assert compact(theirs, Resource.ORGANIZATIONS)["untrusted"]
    for told in ({"results": [{"ratingComments": "Slow"}]}, {"customers": {"count": 1, "top": [{"name": "Paul"}]}}):
        assert compact(told, Resource.REPORTS) == told | {"untrusted": True}
    assert "untrusted" not in compact({"id": 1, "name": "vip"}, Resource.TAGS)
    assert "untrusted" not in compact(MINA)


def test_reports_stay_as_they_are():
    report: dict[str, Any] = {"current": {"x": 0, "y": None, "z": []}, "_links": {}}
    assert compact(report, Resource.REPORTS) == {"current": {"x": 0, "y": None, "z": []}}


@pytest.mark.parametrize(
    "odd",
    [
        {"_embedded": None}, {"page": None, "_links": {}}, {"body": ""}, {"source": None, "primaryCustomer": {}},
        {"primaryCustomer": PAUL, "tags": ["vip"], "customFields": ["x"]}, {"type": ["customer"]}, {"body": 7},
        {"_embedded": {"threads": {"a": 1}}}, {"_links": None, "_embedded": {}}, {"page": 7}, {"body": {"a": 1}},
    ],
)  # fmt: skip
def test_a_remote_desk_may_answer_oddly(odd: dict[str, Any]):
    assert isinstance(compact(odd), dict)


def test_errors_are_told_in_a_few_words():
    body = {"message": "Bad request", "_embedded": {"errors": [{"path": "text", "message": "x", "_links": {}}, 7]}}
    answer = Answer(429, msgspec.json.encode(body), "application/json", (("Retry-After", "12"),))
    assert result(answer) == Result(
        {"status": 429, "message": "Bad request", "errors": [{"path": "text", "message": "x"}], "retry_after_s": 12},
        failed=True,
    )
    assert result(Answer(502, b"<html>")).content == {"status": 502, "message": "The call failed"}
    assert result(Answer(502, b"[]", headers=(("Retry-After", "soon"),))).content["status"] == 502
    assert result(Answer(200, b"<html>")).content == {}
    for depth in range(900, 1000):  # at one of these it can be read, and is too deep all the same
        assert result(Answer(200, b'{"a":' * depth + b"1" + b"}" * depth)).content.keys() <= {"a"}
    assert result(Answer(202)).content == {"status": "accepted"}
    assert result(Answer(201, headers=(("Resource-ID", "size"),))).content["id"] == "size"


# -- On the sandbox's data


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, bytes]]:
    """What models ask most, of a sandbox: lists and single ones."""
    live = LiveSandbox(tmp_path_factory.mktemp("compact"), rate_limit=0)
    client_id, client_secret = live.credentials
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    token = requests.post(f"{live.url}/v2/oauth2/token", data=form, timeout=30).json()["access_token"]

    def get(path: str) -> bytes:
        answer = requests.get(live.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert answer.ok, answer.text
        return answer.content

    found = {"/v2/conversations?status=all": get("/v2/conversations?status=all")}
    some = json.loads(found["/v2/conversations?status=all"])["_embedded"]["conversations"][:8]
    paths = ["/v2/conversations", "/v2/customers", "/v2/mailboxes", "/v2/users", "/v2/tags", "/v2/workflows"]
    for one in some:
        customer = one["primaryCustomer"]["id"]
        paths += [
            f"/v2/conversations/{one['id']}",
            f"/v2/conversations/{one['id']}/threads",
            f"/v2/customers/{customer}",
        ]
    yield found | {path: get(path) for path in paths}
    live.stop()


def shortened(path: str, body: bytes) -> bytes:
    resource = Resource.CUSTOMERS if "/customers" in path else Resource.CONVERSATIONS
    return msgspec.json.encode(compact(msgspec.json.decode(body), resource))


def test_bodies_have_at_most_six_tenths_of_the_desk_s_bytes(answers: dict[str, bytes]):
    before = sum(map(len, answers.values()))
    after = sum(len(shortened(path, body)) for path, body in answers.items())
    assert after / before <= 0.6
    lists = {
        path: body for path, body in answers.items() if b'"page"' in body and path not in ("/v2/tags", "/v2/users")
    }
    assert [path for path, body in lists.items() if len(shortened(path, body)) > 0.6 * len(body)] == []


def test_every_id_is_kept(answers: dict[str, bytes]):
    for path, body in answers.items():
        assert ids(json.loads(body)) <= ids(json.loads(shortened(path, body))), path


def ids(value: Any, name: str = "") -> set[Any]:
    """The ids of a body, but for those of tags, which go by their names."""
    if isinstance(value, list):
        return {id for one in value for id in ids(one, name)}
    if not isinstance(value, dict):
        return {value} if name.lower().endswith("id") and value else set()
    return {id for key, one in value.items() if key not in ("_links", "tags") for id in ids(one, key)}
