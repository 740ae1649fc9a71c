"""Customers as clients list, read, create, overwrite and change them.

Facts: §1 and facts 1-9, 15-28, 35, 36 of the wire contract's half B
(https://developer.helpscout.com/mailbox-api/endpoints/customers/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import P, command
from deskhand.desk.conversations.tables import conversation
from deskhand.lib.clock import MovableClock, to_wire
from tests.live import LiveServer
from tests.world import Desk, unique

PATH = "/v2/customers"
FLAT = (
    "firstName", "lastName", "gender", "jobTitle", "location", "organization", "photoType", "photoUrl", "age",
    "background",
)  # fmt: skip


COPIED = [column for column in conversation.c if column.name not in ("id", "number")]
COPY = command(
    sa.insert(conversation).from_select(
        ["number", *(column.name for column in COPIED)],
        sa.select(conversation.c.number + P("by", sa.BigInteger), *COPIED)
        .where(conversation.c.account_id == P("account"), conversation.c.customer_id == P("customer"))
        .order_by(conversation.c.number)
        .limit(P("most", sa.Integer)),
    ),
    keep=False,
)


@pytest.fixture
def clock(server: LiveServer) -> Iterator[MovableClock]:
    before = server.clock.offset
    yield server.clock
    server.clock.offset = before


def add(desk: Desk, *emails: str, **fields: Any) -> int:
    """A customer with these addresses and fields."""
    answer = desk.post(PATH, fields | {"emails": [{"type": "work", "value": email} for email in emails]})
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def read(desk: Desk, id: int) -> Any:
    answer = desk.get(f"{PATH}/{id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(desk: Desk, **params: Any) -> list[int]:
    """The ids that a list of one page gives, in its order."""
    answer = desk.get(PATH, **params)
    assert answer.status_code == 200, answer.text
    ids = [one["id"] for one in answer.json()["_embedded"]["customers"]]
    assert answer.json()["page"]["totalElements"] == len(ids)
    return ids


def change(desk: Desk, id: int, *steps: tuple[Any, ...], status: int = 204) -> requests.Response:
    """Steps of op, path and perhaps a value."""
    answer = desk.patch(f"{PATH}/{id}", [dict(zip(("op", "path", "value"), step, strict=False)) for step in steps])
    assert answer.status_code == status, answer.text
    return answer


def entries(desk: Desk, id: int, kind: str = "emails") -> dict[str, int]:
    """The ids of a customer's entries by their values."""
    return {entry["value"]: entry["id"] for entry in read(desk, id)["_embedded"][kind]}


def faults(answer: requests.Response, status: int = 400) -> list[str]:
    """The places that an error finds fault with."""
    assert answer.status_code == status, answer.text
    return [error["path"] for error in answer.json()["_embedded"]["errors"]]


def write(desk: Desk, inbox: int, email: str) -> int:
    """A conversation of the customer with this address."""
    body = {
        "subject": "x", "type": "email", "mailboxId": inbox, "status": "active", "customer": {"email": email},
        "threads": [{"type": "customer", "text": "x", "customer": {"email": email}}],
    }  # fmt: skip
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


# -- List (facts 1-9)


def test_customers_are_listed_50_a_page(desk: Desk) -> None:
    ids = [add(desk) for _ in range(51)]
    answer = desk.get(PATH)
    assert answer.headers["Content-Type"].startswith("application/hal+json")
    first, second = answer.json(), desk.get(PATH, page=2).json()
    assert first["page"] == {"size": 50, "totalElements": 51, "totalPages": 2, "number": 1}
    assert first["_links"]["page"]["templated"] is True
    assert "page=2" in first["_links"]["next"]["href"] and "previous" not in first["_links"]
    assert "next" not in second["_links"] and "page=1" in second["_links"]["previous"]["href"]
    for field in ("createdAt", "firstName", "lastName", "modifiedAt", "score"):
        pages = [desk.get(PATH, page=number, sortField=field).json() for number in (1, 2)]
        found = [one["id"] for body in pages for one in body["_embedded"]["customers"]]
        assert sorted(found) == ids, field


def test_links_keep_the_filter(desk: Desk) -> None:
    for _ in range(51):
        add(desk, firstName="A")
    link = desk.get(PATH, firstName="A").json()["_links"]["next"]["href"]
    assert parse_qs(urlsplit(link).query) == {"firstName": ["A"], "page": ["2"]}
    assert len(desk.get(link).json()["_embedded"]["customers"]) == 1


def test_an_item_of_the_list_is_the_whole_customer(desk: Desk) -> None:
    id = add(desk, "mira@northwind.example", firstName="Mira", phones=[{"type": "mobile", "value": "1"}])
    (item,) = desk.get(PATH).json()["_embedded"]["customers"]
    assert item == read(desk, id)


def test_both_names_must_fit(desk: Desk) -> None:
    wanted = add(desk, firstName="Mira", lastName="Okafor")
    paul, lind = add(desk, firstName="Paul", lastName="Okafor"), add(desk, firstName="Mira", lastName="Lind")
    assert listed(desk, firstName="Mira", lastName="Okafor") == [wanted]
    assert sorted(listed(desk, firstName="mira")) == [wanted, lind]
    assert sorted(listed(desk, lastName="Okafor")) == [wanted, paul]
    assert listed(desk, firstName="Nobody") == []


def test_a_person_may_be_called_null(desk: Desk) -> None:
    null = add(desk, firstName="Null", lastName="True")
    add(desk, firstName="Mira")
    assert listed(desk, firstName="null") == [null]
    assert listed(desk, lastName="true") == [null]


def test_an_address_finds_its_customer(desk: Desk) -> None:
    mira = add(desk, "mira@northwind.example", "m@home.example")
    add(desk, "paul@buyer.example")
    for email in ("mira@northwind.example", "M@Home.example"):
        assert listed(desk, email=email) == [mira]
    assert listed(desk, email="ira@northwind.example") == []
    assert faults(desk.get(PATH, email="nobody")) == ["email"]


def test_those_with_a_conversation_in_an_inbox(desk: Desk) -> None:
    support, sales = desk.add_inbox(), desk.add_inbox()
    mira, paul = add(desk, "mira@northwind.example"), add(desk, "paul@buyer.example")
    add(desk, "nobody@wrote.example")
    for inbox, email in ((support, "mira@northwind.example"), (sales, "paul@buyer.example")):
        write(desk, inbox, email)
        write(desk, inbox, email)
    assert listed(desk, mailbox=support) == [mira]
    assert listed(desk, mailbox=sales) == [paul]
    assert listed(desk, mailbox=desk.add_inbox()) == []


def test_those_modified_after_a_time(desk: Desk, clock: MovableClock) -> None:
    old = add(desk, firstName="Old")
    at = read(desk, old)["updatedAt"]
    clock.advance(timedelta(hours=1))
    new = add(desk, firstName="New")
    assert listed(desk, modifiedSince=at) == [new], "strictly after"
    change(desk, old, ("replace", "/firstName", "Newer"))
    assert sorted(listed(desk, modifiedSince=at)) == [old, new]


@pytest.fixture
def three(desk: Desk, clock: MovableClock) -> list[int]:
    """Three customers, each more than the one before in everything one can sort by."""
    made = []
    for first, last in (("Ada", "Holm"), ("Mira", "Lind"), ("Paul", "Okafor")):
        clock.advance(timedelta(seconds=5))
        made.append(add(desk, firstName=first, lastName=last))
    return made


def test_the_newest_come_first_unless_sorted_otherwise(desk: Desk, three: list[int]) -> None:
    assert listed(desk) == three[::-1]
    assert listed(desk, sortField="score") == three[::-1]
    for field in ("createdAt", "firstName", "lastName", "modifiedAt"):
        assert listed(desk, sortField=field, sortOrder="asc") == three, field
        assert listed(desk, sortField=field) == three[::-1], field
    assert faults(desk.get(PATH, sortField="name")) == ["sortField"]
    assert faults(desk.get(PATH, sortOrder="up")) == ["sortOrder"]


def test_a_change_moves_a_customer_up_in_the_order_of_changes(
    desk: Desk, three: list[int], clock: MovableClock
) -> None:
    at = read(desk, three[0])["updatedAt"]
    clock.advance(timedelta(seconds=5))
    change(desk, three[0], ("replace", "/age", "30-35"))
    assert listed(desk, sortField="modifiedAt", sortOrder="asc") == [three[1], three[2], three[0]]
    found = desk.get(PATH, sortField="modifiedAt", sortOrder="asc", modifiedSince=at).json()
    times = [one["updatedAt"] for one in found["_embedded"]["customers"]]
    assert times == sorted(times) and len(times) == 3


QUERIES: list[tuple[str, set[str]]] = [
    ('(email:"mira@northwind.example")', {"Mira"}),
    ('(email:"northwind")', {"Mira", "Nina"}),
    ('(email:("mira@northwind.example" OR "paul@buyer.example"))', {"Mira", "Paul"}),
    ('(firstName:"Mira")', {"Mira"}),
    ('(lastName:"Okafor")', {"Mira", "Paul"}),
    ('(firstName:"Mira" OR firstName:"Nina")', {"Mira", "Nina"}),
    ('(firstName:"Mira" AND lastName:"Okafor")', {"Mira"}),
    ('(firstName:"Mira" AND lastName:"Lind")', set()),
    ('organization:"Buyer Ltd"', {"Paul"}),
    ("modifiedAt:[2013-11-20T00:00:00Z TO *]", {"Mira", "Paul", "Nina"}),
    ("modifiedAt:[2013-11-20T00:00:00Z TO 2014]", set()),
]


def test_a_query_finds_what_it_asks_for(desk: Desk) -> None:
    made = {
        "Mira": add(desk, "mira@northwind.example", firstName="Mira", lastName="Okafor"),
        "Paul": add(desk, "paul@buyer.example", firstName="Paul", lastName="Okafor", organization="Buyer Ltd"),
        "Nina": add(desk, "nina@northwind.example", firstName="Nina", lastName="Lind"),
    }
    for query, found in QUERIES:
        assert set(listed(desk, query=query)) == {made[name] for name in found}, query


def test_a_query_that_makes_no_sense_is_400(desk: Desk) -> None:
    for query in ('firstName:"Mira', "nothing:x", "(OR)"):
        assert faults(desk.get(PATH, query=query)) == ["query"], query


# -- One customer (facts 15, 16, 35, 36)


def test_a_customer_has_these_keys(desk: Desk) -> None:
    id = add(
        desk, "mira@northwind.example", firstName="Mira",
        address={"city": "Leeds", "country": "gb", "lines": ["1 Park"]},
    )  # fmt: skip
    made = read(desk, id)
    assert set(made) - {"organizationId", "conversationCount"} == {
        "id", *FLAT, "createdAt", "updatedAt", "draft", "_embedded", "_links",
    }  # fmt: skip
    assert set(made["_embedded"]) == {
        "emails", "phones", "chats", "social_profiles", "websites", "properties", "address",
    }  # fmt: skip
    assert set(made["_links"]) >= {"address", "chats", "emails", "phones", "social-profiles", "websites", "self"}
    assert made["_links"]["self"]["href"] == f"{desk.server.url}{PATH}/{id}"
    assert made["draft"] is False
    assert desk.get(f"{PATH}/{id}", embed="emails").json() == made
    assert made["_embedded"]["address"] == {"city": "Leeds", "country": "GB", "lines": ["1 Park"]}
    assert read(desk, add(desk))["_embedded"] == {
        "emails": [], "phones": [], "chats": [], "social_profiles": [], "websites": [], "properties": [],
    }  # fmt: skip


def test_an_unknown_customer_is_404(desk: Desk) -> None:
    for path in ("", "/emails", "/phones", "/chats", "/social-profiles", "/websites", "/address"):
        assert desk.get(f"{PATH}/999999999{path}").status_code == 404
    assert desk.put(f"{PATH}/999999999", {}).status_code == 404
    assert desk.patch(f"{PATH}/999999999", [{"op": "remove", "path": "/age"}]).status_code == 404


@pytest.mark.parametrize(
    ("collection", "given", "embedded", "keys"),
    [
        ("emails", "emails", "emails", {"id", "value", "type"}),
        ("phones", "phones", "phones", {"id", "value", "type"}),
        ("chats", "chats", "chats", {"id", "value", "type"}),
        ("social-profiles", "socialProfiles", "social_profiles", {"id", "value", "type"}),
        ("websites", "websites", "websites", {"id", "value"}),
    ],
)
def test_entries_have_lists_of_their_own(
    desk: Desk, collection: str, given: str, embedded: str, keys: set[str]
) -> None:
    values = ["a@b.example", "c@d.example"] if collection == "emails" else ["one", "two"]
    answer = desk.post(PATH, {given: [{"value": value} for value in values]})
    id = int(answer.headers["Resource-ID"])
    inside = read(desk, id)["_embedded"][embedded]
    assert [entry["value"] for entry in inside] == values
    assert all(set(entry) == keys for entry in inside)
    place = f"{desk.server.url}{PATH}/{id}/{collection}"
    body = desk.get(place).json()
    assert set(body) == {"_embedded", "_links"}
    assert body["_links"] == {"self": {"href": place}}
    names = {"social-profiles", "social_profiles"} if collection == "social-profiles" else {collection}
    assert set(body["_embedded"]) == names
    for name in names:
        assert body["_embedded"][name] == [
            entry | {"_links": {"self": {"href": f"{place}/{entry['id']}"}}} for entry in inside
        ]
    assert desk.get(f"{PATH}/{add(desk)}/{collection}").json()["_embedded"] == {name: [] for name in names}


def test_an_address_is_one_object(desk: Desk) -> None:
    id = add(
        desk, address={"city": "Leeds", "state": "Yorks", "postalCode": "LS1", "country": "GB", "lines": ["1", "2"]}
    )
    place = f"{desk.server.url}{PATH}/{id}/address"
    assert desk.get(place).json() == {
        "city": "Leeds", "state": "Yorks", "postalCode": "LS1", "country": "GB", "lines": ["1", "2"],
        "_links": {"self": {"href": place}},
    }  # fmt: skip
    city = add(desk, address={"city": "Leeds"})
    assert read(desk, city)["_embedded"]["address"] == {"city": "Leeds", "lines": []}
    assert desk.get(f"{PATH}/{add(desk)}/address").status_code == 404


# -- Create (facts 17-20)


def test_a_customer_is_created(desk: Desk) -> None:
    email = f"{unique('a')}@b.example"
    body = {"firstName": "A", "emails": [{"type": "work", "value": email}]}
    answer = desk.post(PATH, body)
    assert (answer.status_code, answer.content) == (201, b"")
    id = answer.headers["Resource-ID"]
    assert re.fullmatch(r"\d+", id) and answer.headers["Location"].endswith(f"{PATH}/{id}")
    (entry,) = read(desk, int(id))["_embedded"]["emails"]
    assert (entry["value"], entry["type"]) == (email, "work")
    again = desk.post(PATH, body)
    assert again.status_code == 409
    assert desk.post(PATH, {"emails": [{"value": email.upper()}]}).status_code == 409
    assert desk.get(PATH).json()["page"]["totalElements"] == 1


def test_everything_that_is_given_reads_back(desk: Desk) -> None:
    given = {
        "firstName": "Mira", "lastName": "Okafor", "gender": "female", "jobTitle": "Owner", "location": "Leeds",
        "organization": "Northwind Tea", "photoType": "gravatar", "photoUrl": "https://x.example/p.png",
        "age": "40-45", "background": "Prefers email.",
    }  # fmt: skip
    lists = {
        "emails": [{"type": "home", "value": "m@home.example"}, {"type": "other", "value": "m@other.example"}],
        "phones": [{"type": "pager", "value": "1"}],
        "chats": [{"type": "skype", "value": "mira"}],
        "socialProfiles": [{"type": "forsquare", "value": "@mira"}],
        "websites": [{"value": "https://northwind.example"}],
    }
    made = read(desk, int(desk.post(PATH, given | lists | {"phone": "2"}).headers["Resource-ID"]))
    assert {name: made[name] for name in given} == given | {"gender": "Female"}
    inside = made["_embedded"]
    for name, found in (("emails", "emails"), ("chats", "chats"), ("socialProfiles", "social_profiles")):
        assert [{"type": one["type"], "value": one["value"]} for one in inside[found]] == lists[name]
    assert {one["value"] for one in inside["phones"]} == {"1", "2"}
    assert [one["value"] for one in inside["websites"]] == ["https://northwind.example"]


def test_nothing_is_required(desk: Desk) -> None:
    made = read(desk, add(desk))
    assert [made[name] for name in ("firstName", "lastName", "jobTitle", "background")] == [None] * 4


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"firstName": "x" * 41}, "firstName"),
        ({"lastName": "x" * 41}, "lastName"),
        ({"firstName": ""}, "firstName"),
        ({"jobTitle": "x" * 61}, "jobTitle"),
        ({"location": "x" * 61}, "location"),
        ({"organization": "x" * 61}, "organization"),
        ({"photoUrl": "x" * 201}, "photoUrl"),
        ({"background": "x" * 201}, "background"),
        ({"gender": "x"}, "gender"),
        ({"photoType": "x"}, "photoType"),
        ({"emails": [{"value": "nobody"}]}, "emails[0].value"),
        ({"emails": [{"value": "a@b.example"}, {"value": "c@d.example", "type": "mobile"}]}, "emails[1].type"),
        ({"phones": [{"value": "1", "type": "skype"}]}, "phones[0].type"),
        ({"phones": [{"type": "work"}]}, "phones[0].value"),
        ({"chats": [{"value": "x", "type": "work"}]}, "chats[0].type"),
        ({"socialProfiles": [{"value": "x", "type": "myspace"}]}, "socialProfiles[0].type"),
        ({"websites": [{"value": ""}]}, "websites[0].value"),
        ({"emails": "a@b.example"}, "emails"),
        ({"address": {"country": "GBR"}}, "address.country"),
        ({"address": {"lines": "1 Park Row"}}, "address.lines"),
    ],
)
def test_what_does_not_fit_is_named(desk: Desk, given: dict[str, Any], path: str) -> None:
    assert faults(desk.post(PATH, given)) == [path]
    assert desk.get(PATH).json()["page"]["totalElements"] == 0


def test_the_longest_that_fit(desk: Desk) -> None:
    given = {
        "firstName": "é" * 40, "lastName": "x" * 40, "jobTitle": "x" * 60, "location": "x" * 60,
        "organization": "x" * 60, "photoUrl": "x" * 200, "background": "x" * 200,
    }  # fmt: skip
    made = read(desk, int(desk.post(PATH, given).headers["Resource-ID"]))
    assert {name: made[name] for name in given} == given


def test_a_type_may_be_left_out(desk: Desk) -> None:
    answer = desk.post(PATH, {"emails": [{"value": "c@d.example"}], "phones": [{"value": "1"}]})
    assert answer.status_code == 201
    made = read(desk, int(answer.headers["Resource-ID"]))["_embedded"]
    assert made["emails"][0]["type"] in ("work", "other") and made["phones"][0]["type"] in ("work", "other")


@pytest.mark.parametrize(
    ("given", "types"),
    [
        ("emails", "home other work"),
        ("phones", "fax home mobile other pager work"),
        ("chats", "aim gtalk icq msn other qq skype xmpp yahoo"),
        (
            "socialProfiles",
            "aboutme facebook flickr forsquare foursquare google googleplus linkedin other quora tungleme twitter "
            "youtube",
        ),
    ],
)
def test_every_type_is_taken(desk: Desk, given: str, types: str) -> None:
    for type in types.split():
        answer = desk.post(PATH, {given: [{"type": type, "value": f"{type}@b.example"}]})
        assert answer.status_code == 201, (type, answer.text)


@pytest.mark.parametrize("gender", ["male", "Female", "UNKNOWN"])
def test_a_gender_is_taken_in_any_case(desk: Desk, gender: str) -> None:
    assert read(desk, add(desk, gender=gender))["gender"].lower() == gender.lower()


# -- Overwrite (fact 21)


def test_overwriting_empties_what_is_left_out_and_keeps_the_entries(desk: Desk) -> None:
    id = add(
        desk, "mira@northwind.example", firstName="Mira", lastName="Okafor", jobTitle="Owner", background="Nice",
        age="40-45", location="Leeds", organization="Northwind", gender="female", phones=[{"value": "1"}],
        address={"city": "Leeds"},
    )  # fmt: skip
    before = read(desk, id)
    answer = desk.put(f"{PATH}/{id}", {"firstName": "B"})
    assert (answer.status_code, answer.content) == (204, b"")
    made = read(desk, id)
    assert made["firstName"] == "B"
    for name in ("lastName", "jobTitle", "background", "age", "location", "organization"):
        assert made.get(name) is None, name
    assert made["gender"].lower() in ("unknown", "")
    assert made["_embedded"] == before["_embedded"]
    assert made["createdAt"] == before["createdAt"]


def test_overwriting_checks_what_it_is_given(desk: Desk) -> None:
    id = add(desk, firstName="Mira")
    assert faults(desk.put(f"{PATH}/{id}", {"firstName": "x" * 41, "jobTitle": 5})) == ["firstName", "jobTitle"]
    assert read(desk, id)["firstName"] == "Mira"


# -- Change by JSON Patch (facts 22-27)


def test_a_step_keeps_everything_else(desk: Desk) -> None:
    id = add(desk, "mira@northwind.example", firstName="Mira", lastName="Okafor", age="40-45")
    before = read(desk, id)
    assert change(desk, id, ("replace", "/firstName", "Karl")).content == b""
    after = read(desk, id)
    assert after | {"updatedAt": before["updatedAt"]} == before | {"firstName": "Karl"}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("firstName", "Karl", "Karl"), ("lastName", "Lind", "Lind"), ("gender", "male", "Male"), ("age", "30", "30"),
        ("jobTitle", "Boss", "Boss"), ("photoUrl", "https://x.example", "https://x.example"),
        ("photoType", "twitter", "twitter"), ("background", "x", "x"), ("location", "York", "York"),
        ("organization", "Lind Ltd", "Lind Ltd"),
    ],
)  # fmt: skip
def test_each_field_can_be_replaced_and_removed(desk: Desk, name: str, value: str, shown: str) -> None:
    id = add(desk, firstName="Mira", lastName="Okafor")
    change(desk, id, ("replace", f"/{name}", value))
    assert read(desk, id)[name] == shown
    change(desk, id, ("remove", f"/{name}"))
    assert read(desk, id).get(name) in (None, "", "Unknown", "unknown")


def test_the_parts_of_an_address_can_be_replaced(desk: Desk) -> None:
    id = add(desk)
    change(
        desk, id, ("replace", "/address/city", "Leeds"), ("replace", "/address/state", "Yorks"),
        ("replace", "/address/postalCode", "LS1"), ("replace", "/address/country", "GB"),
        ("replace", "/address/lines", ["1 Park Row", "2"]),
    )  # fmt: skip
    address = {"city": "Leeds", "state": "Yorks", "postalCode": "LS1", "country": "GB", "lines": ["1 Park Row", "2"]}
    assert read(desk, id)["_embedded"]["address"] == address
    change(desk, id, ("replace", "/address/city", "York"))
    assert read(desk, id)["_embedded"]["address"] == address | {"city": "York"}


@pytest.mark.parametrize(
    ("path", "embedded", "value"),
    [
        ("/emails", "emails", {"type": "other", "value": "x@y.example"}),
        ("/phones", "phones", {"type": "mobile", "value": "2"}),
        ("/chats", "chats", {"type": "skype", "value": "m"}),
        ("/social-profiles", "social_profiles", {"type": "twitter", "value": "@m"}),
        ("/socialProfiles", "social_profiles", {"type": "twitter", "value": "@m"}),
        ("/websites", "websites", {"value": "https://m.example"}),
    ],
)
def test_an_entry_is_added_changed_and_removed(desk: Desk, path: str, embedded: str, value: dict[str, str]) -> None:
    id = add(desk, "mira@northwind.example")
    before = read(desk, id)["_embedded"][embedded]
    change(desk, id, ("add", path, value))
    added = [entry for entry in read(desk, id)["_embedded"][embedded] if entry not in before]
    assert [{name: entry[name] for name in value} for entry in added] == [value]
    entry_id = added[0]["id"]
    change(desk, id, ("replace", f"{path}/{entry_id}/value", "new@y.example"))
    assert entries(desk, id, embedded)["new@y.example"] == entry_id
    if "type" in value:
        change(desk, id, ("replace", f"{path}/{entry_id}/type", "other"))
        (found,) = [entry for entry in read(desk, id)["_embedded"][embedded] if entry["id"] == entry_id]
        assert found["type"] == "other"
    change(desk, id, ("remove", f"{path}/{entry_id}"))
    assert read(desk, id)["_embedded"][embedded] == before


def test_a_collection_can_be_replaced(desk: Desk) -> None:
    id = add(desk, "mira@northwind.example", "m@home.example", phones=[{"value": "1"}])
    change(
        desk, id, ("replace", "/emails", [{"value": "x@y.example"}]), ("replace", "/phones", [{"value": "2"}])
    )  # fmt: skip
    assert set(entries(desk, id)) == {"x@y.example"}
    assert set(entries(desk, id, "phones")) == {"2"}


def test_steps_are_taken_in_order_all_or_none(desk: Desk) -> None:
    id = add(desk, "mira@northwind.example", firstName="Mira")
    change(desk, id, ("replace", "/firstName", "A"), ("replace", "/firstName", "B"), ("remove", "/age"))
    assert read(desk, id)["firstName"] == "B"
    before = read(desk, id)
    bad = (("replace", "/firstName", "C"), ("add", "/phones", {"value": "1"}), ("remove", "/emails"))
    change(desk, id, *bad, status=400)
    assert read(desk, id) == before


def test_a_patch_must_be_an_array(desk: Desk) -> None:
    id = add(desk, firstName="Mira")
    for body in ({"op": "replace", "path": "/firstName", "value": "Karl"}, "x", None, 5):
        assert desk.request("PATCH", f"{PATH}/{id}", json=body).status_code == 400
    assert read(desk, id)["firstName"] == "Mira"


def test_json_patch_has_a_media_type_of_its_own(desk: Desk) -> None:
    id = add(desk, firstName="Mira")
    answer = desk.request(
        "PATCH", f"{PATH}/{id}", data='[{"op":"replace","path":"/firstName","value":"Karl"}]',
        headers={"Content-Type": "application/json-patch+json"},
    )  # fmt: skip
    assert answer.status_code == 204
    assert read(desk, id)["firstName"] == "Karl"


IMPOSSIBLE: list[tuple[Any, ...]] = [
    ("remove", "/emails"), ("remove", "/phones"), ("remove", "/websites"), ("add", "/firstName", "x"),
    ("replace", "/id", 5), ("replace", "/draft", True), ("replace", "/nothing", "x"), ("replace", "/", "x"),
    ("replace", "/firstName", 5), ("replace", "/firstName", "x" * 41), ("replace", "/jobTitle", "x" * 61),
    ("replace", "/gender", "x"), ("replace", "/address/country", "GBR"), ("replace", "/address/planet", "x"),
    ("replace", "/address/lines", "x"), ("add", "/emails", "x@y.example"), ("add", "/emails", {"value": "x"}),
    ("add", "/emails", {"value": "x@y.example", "type": "mobile"}), ("add", "/phones", {"type": "work"}),
    ("add", "/phones"), ("remove", "/emails/999999999"), ("replace", "/emails/999999999/value", "x@y.example"),
    ("remove", "/emails/x"), ("test", "/firstName", "Mira"), ("move", "/firstName", "x"),
]  # fmt: skip


def test_a_step_that_is_not_possible_is_400_and_changes_nothing(desk: Desk) -> None:
    id = add(desk, "mira@northwind.example", firstName="Mira", websites=[{"value": "x"}])
    before = read(desk, id)
    for step in IMPOSSIBLE:
        assert len(faults(change(desk, id, step, status=400))) == 1, step
    assert read(desk, id) == before


def test_an_entry_of_another_customer_cannot_be_touched(desk: Desk) -> None:
    id, other = add(desk, "mira@northwind.example"), add(desk, "paul@buyer.example")
    entry = entries(desk, other)["paul@buyer.example"]
    for step in (("remove", f"/emails/{entry}"), ("replace", f"/emails/{entry}/value", "x@y.example")):
        change(desk, id, step, status=400)
    assert set(entries(desk, other)) == {"paul@buyer.example"}


def test_an_address_in_use_is_409(desk: Desk) -> None:
    add(desk, "paul@buyer.example")
    id = add(desk, "mira@northwind.example")
    entry = entries(desk, id)["mira@northwind.example"]
    for step in (
        ("add", "/emails", {"value": "PAUL@buyer.example"}),
        ("replace", f"/emails/{entry}/value", "paul@buyer.example"),
        ("replace", "/emails", [{"value": "paul@buyer.example"}]),
    ):
        change(desk, id, step, status=409)
    change(desk, id, ("replace", f"/emails/{entry}/value", "Mira@northwind.example"))
    assert set(entries(desk, id)) == {"Mira@northwind.example"}


# -- The limit of 5,000 conversations (fact 28)


def test_a_customer_with_5000_conversations_is_locked(desk: Desk) -> None:
    inbox = desk.add_inbox()
    free, locked = add(desk, "free@buyer.example"), add(desk, "locked@buyer.example", firstName="Mira")
    id = write(desk, inbox, "free@buyer.example")
    write(desk, inbox, "locked@buyer.example")
    have_conversations(desk, locked, 4_999)
    change(desk, locked, ("replace", "/firstName", "Karl"))
    write(desk, inbox, "locked@buyer.example")
    for answer in (
        desk.patch(f"{PATH}/{locked}", [{"op": "replace", "path": "/firstName", "value": "Nina"}]),
        desk.put(f"{PATH}/{locked}", {"firstName": "Nina"}),
    ):
        assert (answer.status_code, answer.json()["message"]) == (423, "Locked")
    assert read(desk, locked)["firstName"] == "Karl"
    step = {"op": "replace", "path": "/primaryCustomer.id", "value": locked}
    assert desk.patch(f"/v2/conversations/{id}", step).status_code == 423
    assert desk.get(f"/v2/conversations/{id}").json()["primaryCustomer"]["id"] == free


def have_conversations(desk: Desk, customer: int, count: int) -> None:
    """Copies of a customer's only conversation, until there are so many; it must have the account's largest number."""

    def copy(tx: Writer) -> None:
        have = 1
        while have < count:
            have += tx.run(COPY, account=desk.account_id, customer=customer, by=have * 10_000, most=count - have)

    desk.write(copy)


def test_times_of_a_customer(desk: Desk, clock: MovableClock) -> None:
    id = add(desk, firstName="Mira")
    made = read(desk, id)
    assert made["createdAt"] == made["updatedAt"]
    clock.advance(timedelta(hours=1))
    change(desk, id, ("replace", "/firstName", "Karl"))
    changed = read(desk, id)
    assert changed["createdAt"] == made["createdAt"]
    assert made["updatedAt"] < changed["updatedAt"] <= to_wire(clock.now())
