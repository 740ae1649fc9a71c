"""Lists: their envelope, their pages, and links that keep every parameter.

Facts: §2 of the wire contract's half A (https://developer.helpscout.com/mailbox-api/overview/).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from deskhand.catalogue.operation import ListOf
from deskhand.catalogue.operations import OPERATIONS
from tests.contract.answering import VND, fault, start
from tests.world import Desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def with_tags(desk: Desk, inbox: int, count: int) -> int:
    """A conversation that carries so many tags."""
    return start(desk, inbox, tags=[f"tag {number:03}" for number in range(count)])


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
