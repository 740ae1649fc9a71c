"""Ways to reach a customer, added, changed and removed one by one, and their postal address.

Facts: 28, 32-36 and §1.8 of the wire contract's half B
(https://developer.helpscout.com/mailbox-api/endpoints/customers/emails/create and its sisters).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.desk.customers.builders import add_conversations, add_customer, events, faults, read, values
from tests.world import Desk, open_desk

KINDS = {"emails": "a@b.example", "phones": "1", "chats": "c", "social-profiles": "@s", "websites": "https://w.example"}
each_kind = pytest.mark.parametrize("kind", KINDS)

TYPES = {
    "emails": "home other work",
    "phones": "fax home mobile other pager work",
    "chats": "aim gtalk icq msn other qq skype xmpp yahoo",
    "social-profiles": "aboutme facebook flickr forsquare foursquare google googleplus linkedin other quora tungleme "
    "twitter youtube",
}


@pytest.fixture
def mira(desk: Desk) -> int:
    return add_customer(desk, firstName="Mira")


def place(customer_id: int, kind: str, *entry: Any) -> str:
    return "/".join(["/v2/customers", str(customer_id), kind, *map(str, entry)])


def add(desk: Desk, customer_id: int, kind: str, value: str, **more: Any) -> int:
    answer = desk.post(place(customer_id, kind), {"value": value} | more)
    assert answer.status_code == 201, answer.text
    assert answer.content == b""
    id = int(answer.headers["Resource-ID"])
    assert answer.headers["Location"] == desk.server.url + place(customer_id, kind, id)
    return id


def listed(desk: Desk, customer_id: int, kind: str) -> list[dict[str, Any]]:
    answer = desk.get(place(customer_id, kind))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["_embedded"][kind]
    return found


def conversation(desk: Desk, email: str) -> str:
    """The path of a conversation of the customer with this address."""
    body = {
        "subject": "x", "type": "email", "mailboxId": desk.add_inbox(), "status": "active",
        "customer": {"email": email}, "threads": [{"type": "customer", "text": "x", "customer": {"email": email}}],
    }  # fmt: skip
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


@each_kind
def test_an_entry_is_added_changed_and_removed(desk: Desk, mira: int, kind: str) -> None:
    type = {} if kind == "websites" else {"type": "other"}
    id = add(desk, mira, kind, KINDS[kind], **type)
    here = place(mira, kind, id)
    (entry,) = listed(desk, mira, kind)
    assert entry.pop("_links")["self"]["href"] == desk.server.url + here
    assert entry == {"id": id, "value": KINDS[kind]} | type
    answer = desk.put(here, {"value": f"{KINDS[kind]}x"})
    assert (answer.status_code, answer.content) == (204, b"")
    (entry,) = listed(desk, mira, kind)
    assert entry["value"] == f"{KINDS[kind]}x"
    assert entry.get("type") == type.get("type"), "a type that is not given stays"
    assert desk.delete(here).status_code == 204
    assert listed(desk, mira, kind) == []
    assert [desk.get(here).status_code, desk.put(here, {"value": KINDS[kind]}).status_code] == [404, 404]
    assert desk.delete(here).status_code == 404
    assert events(desk) == [("customer.created", mira)] + [("customer.updated", mira)] * 3


@pytest.mark.parametrize(("kind", "type"), [(kind, type) for kind, types in TYPES.items() for type in types.split()])
def test_every_documented_type_is_taken(desk: Desk, mira: int, kind: str, type: str) -> None:
    id = add(desk, mira, kind, KINDS[kind], type=type)
    assert [(entry["id"], entry["type"]) for entry in listed(desk, mira, kind)] == [(id, type)]


@pytest.mark.parametrize(
    ("kind", "type"), [("emails", "mobile"), ("phones", "skype"), ("chats", "work"), ("social-profiles", "home")]
)
def test_a_type_of_another_kind_is_refused(desk: Desk, mira: int, kind: str, type: str) -> None:
    assert faults(desk.post(place(mira, kind), {"type": type, "value": KINDS[kind]})) == ["type"]
    id = add(desk, mira, kind, KINDS[kind])
    assert faults(desk.put(place(mira, kind, id), {"type": type, "value": KINDS[kind]})) == ["type"]


@each_kind
@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": ""}, {"value": 1}, {"value": "x" * 2_001}])
def test_a_value_is_needed(desk: Desk, mira: int, kind: str, body: dict[str, Any]) -> None:
    id = add(desk, mira, kind, KINDS[kind])
    assert faults(desk.post(place(mira, kind), body)) == ["value"]
    assert faults(desk.put(place(mira, kind, id), body)) == ["value"]
    assert len(listed(desk, mira, kind)) == 1


@each_kind
def test_unknown_customers_and_entries_of_others_are_404(desk: Desk, mira: int, kind: str) -> None:
    id, paul = add(desk, mira, kind, KINDS[kind]), add_customer(desk)
    body = {"value": "new@b.example"}
    assert desk.post(place(999_999_999, kind), body).status_code == 404
    for path in (place(paul, kind, id), place(mira, kind, 999_999_999), place(999_999_999, kind, id)):
        assert desk.put(path, body).status_code == 404
        assert desk.delete(path).status_code == 404
    other = "phones" if kind != "phones" else "chats"
    assert desk.delete(place(mira, other, id)).status_code == 404
    stranger = open_desk(desk.server)
    assert stranger.delete(place(mira, kind, id)).status_code == 404
    assert [entry["id"] for entry in listed(desk, mira, kind)] == [id]


@each_kind
def test_a_customer_with_5000_conversations_is_locked(desk: Desk, mira: int, kind: str) -> None:
    id = add(desk, mira, kind, KINDS[kind])
    add_conversations(desk, mira, count=5_000)
    for method, path in (
        ("POST", place(mira, kind)),
        ("PUT", place(mira, kind, id)),
        ("DELETE", place(mira, kind, id)),
    ):
        assert desk.request(method, path, json={"value": "new@b.example"}).status_code == 423
    for method in ("POST", "PUT", "DELETE"):
        assert desk.request(method, place(mira, "address"), json={"city": "Leeds"}).status_code == 423
    assert len(listed(desk, mira, kind)) == 1


def test_there_are_200_entries_of_a_kind_at_most(desk: Desk) -> None:
    mira = add_customer(desk, phones=[{"value": str(n)} for n in range(200)])
    assert faults(desk.post(place(mira, "phones"), {"value": "1"})) == ["value"]
    add(desk, mira, "chats", "x")


# -- E-mail addresses


def test_an_address_belongs_to_one_customer(desk: Desk, mira: int) -> None:
    add_customer(desk, "taken@b.example")
    own = add(desk, mira, "emails", "mira@b.example")
    for email in ("taken@b.example", "Taken@B.example", "mira@b.example", "MIRA@b.example"):
        assert faults(desk.post(place(mira, "emails"), {"value": email}), 409) == ["value"]
    second = add(desk, mira, "emails", "second@b.example")
    for email in ("taken@b.example", "Mira@b.example"):
        assert faults(desk.put(place(mira, "emails", second), {"value": email}), 409) == ["value"]
    assert desk.put(place(mira, "emails", own), {"value": "MIRA@b.example"}).status_code == 204
    assert values(read(desk, mira), "emails") == ["MIRA@b.example", "second@b.example"]
    assert desk.delete(place(mira, "emails", own)).status_code == 204
    add_customer(desk, "mira@b.example")
    assert faults(desk.post(place(mira, "emails"), {"value": "not an address"})) == ["value"]


def test_of_many_who_claim_an_address_at_once_one_gets_it(desk: Desk) -> None:
    ids = [add_customer(desk) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda id: desk.as_user(desk.user_id).post(place(id, "emails"), {"value": "a@b.example"}), ids)
        )
    assert sorted(answer.status_code for answer in made) == [201] + [409] * 7
    with ThreadPoolExecutor(8) as pool:
        new = {"emails": [{"value": "new@b.example"}]}
        made = list(pool.map(lambda _: desk.as_user(desk.user_id).post("/v2/customers", new), range(8)))
    assert sorted(answer.status_code for answer in made) == [201] + [409] * 7


def test_conversations_show_the_address_that_there_is(desk: Desk) -> None:
    """An address that is changed or gone is not shown any more, nor is anybody sorted by it."""
    mira = add_customer(desk, "first@b.example", "second@b.example", firstName="Mira")
    paths = [conversation(desk, email) for email in ("first@b.example", "SECOND@b.example")]
    first, second = (entry["id"] for entry in listed(desk, mira, "emails"))

    def shown() -> list[str | None]:
        return [desk.get(path).json()["primaryCustomer"].get("email") for path in paths]

    assert shown() == ["first@b.example", "SECOND@b.example"]
    assert desk.put(place(mira, "emails", second), {"value": "other@b.example"}).status_code == 204
    assert shown() == ["first@b.example", "other@b.example"]
    assert desk.delete(place(mira, "emails", first)).status_code == 204
    assert shown() == ["other@b.example", "other@b.example"]
    assert desk.delete(place(mira, "emails", second)).status_code == 204
    assert shown() == [None, None]
    add(desk, mira, "emails", "new@b.example")
    assert shown() == ["new@b.example", "new@b.example"]
    for params in ({"query": "(email:new@b.example)"}, {"sortField": "customerEmail"}):
        found = desk.get("/v2/conversations", status="all", **params).json()["_embedded"]["conversations"]
        assert len(found) == 2, params
    for gone in ("first@b.example", "other@b.example"):
        body = desk.get("/v2/conversations", status="all", query=f'(email:"{gone}")').json()
        assert body["_embedded"]["conversations"] == [], gone


def test_a_patch_that_exchanges_addresses_exchanges_them_in_conversations(desk: Desk) -> None:
    mira = add_customer(desk, "one@b.example", "two@b.example")
    paths = [conversation(desk, email) for email in ("one@b.example", "two@b.example")]
    one, two = (entry["id"] for entry in listed(desk, mira, "emails"))
    steps = [
        {"op": "replace", "path": f"/emails/{one}/value", "value": "two@b.example"},
        {"op": "replace", "path": f"/emails/{two}/value", "value": "one@b.example"},
    ]
    assert desk.patch(f"/v2/customers/{mira}", steps).status_code == 204
    shown = [desk.get(path).json()["primaryCustomer"]["email"] for path in paths]
    assert shown == ["two@b.example", "one@b.example"]


def test_a_renamed_customer_is_shown_and_sorted_by_the_new_name(desk: Desk) -> None:
    mira = add_customer(desk, "mira@b.example", firstName="Mira", lastName="Okafor")
    add_customer(desk, "paul@b.example", firstName="Paul")
    of_mira, of_paul = (conversation(desk, f"{name}@b.example") for name in ("mira", "paul"))
    assert desk.put(f"/v2/customers/{mira}", {"firstName": "Zora"}).status_code == 204
    assert desk.get(of_mira).json()["primaryCustomer"]["first"] == "Zora"

    def found(**params: Any) -> list[str]:
        items = desk.get("/v2/conversations", status="all", **params).json()["_embedded"]["conversations"]
        return [item["_links"]["self"]["href"] for item in items]

    assert found(sortField="customerName", sortOrder="asc") == [of_paul, of_mira]


def test_an_entry_moves_the_time_of_change(desk: Desk, mira: int) -> None:
    before = read(desk, mira)["updatedAt"]
    desk.server.clock.advance(timedelta(minutes=1))
    try:
        id = add(desk, mira, "phones", "1")
        changed = read(desk, mira)["updatedAt"]
        assert changed > before
        desk.server.clock.advance(timedelta(minutes=1))
        assert desk.put(place(mira, "phones", id), {"value": "1", "type": "work"}).status_code == 204
        assert read(desk, mira)["updatedAt"] == changed, "nothing was changed"
    finally:
        desk.server.clock.advance(timedelta(minutes=-2))


# -- The address


def test_an_address_is_set_changed_and_removed(desk: Desk, mira: int) -> None:
    here = place(mira, "address")
    assert desk.get(here).status_code == 404
    assert desk.delete(here).status_code == 404
    answer = desk.post(here, {"city": "Leeds", "state": None, "country": "gb", "lines": ["1 Park Row"], "id": None})
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["Location"] == desk.server.url + here
    assert "Resource-ID" not in answer.headers
    found = desk.get(here).json()
    assert found.pop("_links")["self"]["href"] == desk.server.url + here
    assert found == {"city": "Leeds", "country": "GB", "lines": ["1 Park Row"]}
    assert desk.put(here, {"postalCode": "LS1"}).status_code == 204
    assert read(desk, mira)["_embedded"]["address"] == {"postalCode": "LS1", "lines": []}
    assert desk.put(here, {"postalCode": "LS1"}).status_code == 204
    assert desk.delete(here).status_code == 204
    assert desk.get(here).status_code == 404
    assert "address" not in read(desk, mira)["_embedded"]
    assert events(desk) == [("customer.created", mira)] + [("customer.updated", mira)] * 3


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "lines"), ({"city": "", "lines": [""]}, "lines"), ({"country": "GBR"}, "country"),
        ({"country": "1!"}, "country"), ({"lines": "x"}, "lines"), ({"lines": [1]}, "lines[0]"), ({"city": 1}, "city"),
        ({"city": "x" * 201}, "city"), ({"lines": ["x"] * 11}, "lines"),
    ],
)  # fmt: skip
def test_a_bad_address_is_named(desk: Desk, mira: int, method: str, body: dict[str, Any], path: str) -> None:
    assert faults(desk.request(method, place(mira, "address"), json=body)) == [path]
    assert desk.get(place(mira, "address")).status_code == 404


@each_kind
@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"1", b'"x"', b"{", b"", b"\xff", b'{"value": {"a": 1}}', b"[" * 5000]
)
def test_a_body_of_another_form_is_a_400(desk: Desk, mira: int, kind: str, body: bytes) -> None:
    for method, path in (("POST", place(mira, kind)), ("POST", place(mira, "address"))):
        answer = desk.request(method, path, data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, (path, answer.text)
