"""Walking through customers by cursor.

Facts: 10-14 of the wire contract's half B (https://developer.helpscout.com/mailbox-api/endpoints/customers/list-v3).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from deskhand.lib.clock import MovableClock
from tests.desk.customers.builders import add_customer, faults, read
from tests.live import LiveServer
from tests.world import Desk, open_desk

PATH = "/v3/customers"


@pytest.fixture
def clock(server: LiveServer) -> Iterator[MovableClock]:
    before = server.clock.offset
    yield server.clock
    server.clock.offset = before


def walked(desk: Desk, **params: Any) -> list[list[int]]:
    """The ids of each stretch of a walk."""
    body = desk.get(PATH, **params).json()
    stretches = []
    while True:
        stretches.append([one["id"] for one in body["_embedded"]["customers"]])
        if "next" not in body["_links"]:
            return stretches
        answer = desk.get(body["_links"]["next"]["href"])
        assert answer.status_code == 200, answer.text
        body = answer.json()


def test_there_is_no_page_object_and_an_item_is_the_whole_customer(desk: Desk) -> None:
    id = add_customer(desk, "mira@northwind.example", firstName="Mira")
    answer = desk.get(PATH)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/hal+json")
    body = answer.json()
    assert set(body) == {"_embedded", "_links"}
    assert body["_embedded"] == {"customers": [read(desk, id)]}
    here = desk.server.url + PATH
    assert body["_links"] == {"self": {"href": here}, "first": {"href": here}}


def test_nobody_is_an_empty_list(desk: Desk) -> None:
    assert desk.get(PATH).json()["_embedded"] == {"customers": []}


def test_the_next_ones_are_found_by_an_absolute_link_with_a_cursor(desk: Desk) -> None:
    ids = [add_customer(desk, firstName="A", lastName="B") for _ in range(120)]
    first = desk.get(PATH, firstName="A", lastName="B").json()
    link = first["_links"]["next"]["href"]
    assert link.startswith(f"{desk.server.url}{PATH}?")
    query = parse_qs(urlsplit(link).query)
    assert (query["firstName"], query["lastName"]) == (["A"], ["B"])
    assert len(query["cursor"]) == 1
    second = desk.get(link).json()
    assert second["_links"]["self"]["href"] == link
    assert second["_links"]["first"] == first["_links"]["self"]
    assert [len(stretch) for stretch in walked(desk, firstName="A", lastName="B")] == [50, 50, 20]
    assert sum(walked(desk), []) == ids[::-1], "all were created in the same second or later"


def test_a_full_last_stretch_leads_nowhere(desk: Desk) -> None:
    for _ in range(50):
        add_customer(desk)
    body = desk.get(PATH).json()
    assert len(body["_embedded"]["customers"]) == 50
    assert "next" not in body["_links"]


def test_a_walk_neither_repeats_nor_skips_while_customers_come_and_go(desk: Desk, clock: MovableClock) -> None:
    before = []
    for n in range(130):
        before.append(add_customer(desk))
        if n % 40 == 0:
            clock.advance(timedelta(seconds=1))
    body = desk.get(PATH).json()
    seen = [one["id"] for one in body["_embedded"]["customers"]]
    gone = []
    while "next" in body["_links"]:
        late = add_customer(desk)
        gone.append(seen[-1])  # the very one that the cursor names
        assert desk.delete(f"/v2/customers/{seen[-1]}").status_code == 204
        assert desk.delete(f"/v2/customers/{late}").status_code == 204
        add_customer(desk)
        body = desk.get(body["_links"]["next"]["href"]).json()
        seen += [one["id"] for one in body["_embedded"]["customers"]]
    assert seen == before[::-1]
    assert len(gone) == 2


def test_each_filter_finds_whom_it_should(desk: Desk, clock: MovableClock) -> None:
    paul = add_customer(desk, "paul@northwind.example", firstName="Paul", lastName="Lind")
    early = read(desk, paul)["createdAt"]
    clock.advance(timedelta(minutes=1))
    mira = add_customer(desk, "mira@northwind.example", firstName="Mira", lastName="Lind")
    late = read(desk, mira)["createdAt"]
    clock.advance(timedelta(minutes=1))
    assert desk.patch(f"/v2/customers/{paul}", [{"op": "replace", "path": "/age", "value": "40"}]).status_code == 204
    for params, found in (
        ({"email": "Mira@northwind.example"}, [mira]),
        ({"firstName": "paul", "lastName": "LIND"}, [paul]),
        ({"lastName": "Lind"}, [mira, paul]),
        ({"createdSince": early}, [mira]),
        ({"createdSince": late}, []),
        ({"modifiedSince": late}, [paul]),
        ({"query": '(email:"mira@northwind.example")'}, [mira]),
        ({"query": "(firstName:Paul)", "createdSince": early}, []),
        ({"page": 7, "sortField": "firstName", "mailbox": 12}, [mira, paul]),
    ):
        assert walked(desk, **params) == [found], params


def test_a_walk_over_a_query_goes_on_too(desk: Desk) -> None:
    ids = [add_customer(desk, f"n{n}@northwind.example") for n in range(60)]
    add_customer(desk, "other@elsewhere.example")
    assert walked(desk, query='(email:"northwind")') == [ids[:9:-1], ids[9::-1]]


def cursor(**content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "given",
    [
        "x", "%", "é", "a" * 5_000, "eyJ", cursor(), cursor(id=1), cursor(createdAt="2026-01-01T00:00:00Z"),
        cursor(id="1", createdAt="2026-01-01T00:00:00Z"), cursor(id=0, createdAt="2026-01-01T00:00:00Z"),
        cursor(id=2**63, createdAt="2026-01-01T00:00:00Z"), cursor(id=1.5, createdAt="2026-01-01T00:00:00Z"),
        cursor(id=1, createdAt="yesterday"), cursor(id=1, createdAt=None), cursor(id=10**400, createdAt="x"),
        base64.urlsafe_b64encode(b"[]").decode(), base64.urlsafe_b64encode(b"\xff\x00").decode(),
        base64.urlsafe_b64encode(b'{"x":' + b"[" * 2_000).decode(),
    ],
)  # fmt: skip
def test_what_is_no_cursor_is_a_400(desk: Desk, given: str) -> None:
    assert faults(desk.get(PATH, cursor=given)) == ["cursor"]


def test_another_accounts_cursor_shows_nothing_of_it(desk: Desk) -> None:
    for _ in range(51):
        add_customer(desk)
    theirs = parse_qs(urlsplit(desk.get(PATH).json()["_links"]["next"]["href"]).query)["cursor"][0]
    other = open_desk(desk.server)
    mine = add_customer(other)
    assert sum((one["id"] for one in other.get(PATH, cursor=theirs).json()["_embedded"]["customers"]), 0) in (0, mine)


@pytest.mark.parametrize("params", [{"createdSince": "yesterday"}, {"modifiedSince": "2026-01-01T00:00:00.000Z"}])
def test_a_bad_time_is_named(desk: Desk, params: dict[str, str]) -> None:
    assert faults(desk.get(PATH, **params)) == list(params)
