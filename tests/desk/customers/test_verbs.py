"""Creating, overwriting and referring to customers."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from deskhand.catalogue.customers import ENTRIES_MOST, CustomerReference
from deskhand.catalogue.problems import BadRequest, Locked, Problem
from deskhand.catalogue.values import Email
from deskhand.db.engine import Writer
from deskhand.desk import access
from deskhand.desk.customers import queries, verbs
from deskhand.desk.customers.queries import CustomerRow
from tests.desk.customers.builders import (
    add_conversations,
    add_customer,
    events,
    faults,
    found,
    names_on_conversations,
    read,
    values,
)
from tests.world import Desk, open_desk

FULL: dict[str, Any] = {
    "firstName": "Mira", "lastName": "Okafor", "gender": "FEMALE", "jobTitle": "Shop owner", "location": "Leeds",
    "organization": "Northwind Tea", "photoType": "Twitter", "photoUrl": "https://photos.example/m.png", "age": "40-45",
    "background": "Prefers email.", "phone": "+44 113 496 0000",
    "emails": [{"type": "home", "value": "mira@northwind.example"}, {"value": "m@northwind.example"}],
    "phones": [{"type": "pager", "value": "1"}], "chats": [{"type": "skype", "value": "mira.o"}],
    "socialProfiles": [{"type": "forsquare", "value": "@miratea"}], "websites": [{"value": "https://northwind.example"}],
    "address": {"city": "Leeds", "state": None, "postalCode": "LS1 4AP", "country": "gb", "lines": ["1 Park Row"]},
}  # fmt: skip


def test_create_answers_with_the_place_of_the_customer(desk: Desk) -> None:
    answer = desk.post("/v2/customers", {"firstName": "A", "emails": [{"type": "work", "value": "a@b.example"}]})
    assert answer.status_code == 201
    assert answer.content == b""
    customer_id = answer.headers["Resource-ID"]
    assert answer.headers["Location"] == f"{desk.server.url}/v2/customers/{customer_id}"
    assert events(desk) == [("customer.created", int(customer_id))]


def test_create_takes_every_field_and_every_way_to_reach_somebody(desk: Desk) -> None:
    answer = desk.post("/v2/customers", FULL)
    mira = read(desk, int(answer.headers["Resource-ID"]))
    embedded = mira.pop("_embedded")
    assert list(mira)[:13] == [
        "id", "firstName", "lastName", "gender", "jobTitle", "location", "organization", "photoType", "photoUrl", "age",
        "createdAt", "updatedAt", "background",
    ]  # fmt: skip
    assert mira["gender"] == "Female"
    assert mira["photoType"] == "twitter"
    assert mira["draft"] is False
    for kind, entries in embedded.items():
        for entry in entries if kind != "address" else ():
            assert entry.pop("id") > 90000
    assert embedded == {
        "emails": [
            {"value": "mira@northwind.example", "type": "home"},
            {"value": "m@northwind.example", "type": "work"},
        ],
        "phones": [{"value": "+44 113 496 0000", "type": "work"}, {"value": "1", "type": "pager"}],
        "chats": [{"value": "mira.o", "type": "skype"}],
        "social_profiles": [{"value": "@miratea", "type": "forsquare"}],
        "websites": [{"value": "https://northwind.example"}],
        "properties": [],
        "address": {"city": "Leeds", "postalCode": "LS1 4AP", "country": "GB", "lines": ["1 Park Row"]},
    }


def test_an_empty_body_creates_somebody_unknown(desk: Desk) -> None:
    nulls = {name: None for name in FULL}
    customer = read(desk, int(desk.post("/v2/customers", {**nulls, "id": None}).headers["Resource-ID"]))
    assert customer["firstName"] is None
    assert customer["gender"] == "Unknown"
    assert customer["photoType"] == "unknown"
    assert customer["photoUrl"] == ""
    assert "organizationId" not in customer
    assert "organization" not in customer["_links"]
    assert "address" not in customer["_links"]
    assert "address" not in customer["_embedded"]


def test_an_address_without_content_is_none(desk: Desk) -> None:
    customer_id = add_customer(desk, address={"city": "", "lines": [""]})
    assert "address" not in read(desk, customer_id)["_embedded"]


def test_an_email_in_use_is_a_conflict_in_any_case(desk: Desk) -> None:
    add_customer(desk, "a@b.example")
    again = desk.post("/v2/customers", {"emails": [{"value": "new@b.example"}, {"value": "A@B.example"}]})
    assert faults(again, 409) == ["emails"]
    assert len(found(desk)) == 1
    add_customer(open_desk(desk.server), "a@b.example")


def test_an_email_given_twice_is_kept_once(desk: Desk) -> None:
    customer_id = add_customer(desk, "a@b.example", "A@b.example")
    assert values(read(desk, customer_id), "emails") == ["a@b.example"]


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("firstName", "x" * 41, "firstName"),
        ("lastName", "", "lastName"),
        ("jobTitle", "x" * 61, "jobTitle"),
        ("location", "x" * 61, "location"),
        ("organization", "x" * 61, "organization"),
        ("photoUrl", "x" * 201, "photoUrl"),
        ("background", "x" * 201, "background"),
        ("gender", "robot", "gender"),
        ("photoType", "oil", "photoType"),
        ("firstName", 5, "firstName"),
        ("emails", [{"value": "nobody"}], "emails[0].value"),
        ("emails", [{"value": "a@b.example", "type": "mobile"}], "emails[0].type"),
        ("phones", [{"type": "work"}], "phones[0].value"),
        ("address", {"country": "England"}, "address.country"),
        ("address", {"country": "E1"}, "address.country"),
    ],
)
def test_a_value_beyond_its_limits_is_named(desk: Desk, field: str, value: object, path: str) -> None:
    assert faults(desk.post("/v2/customers", {field: value})) == [path]
    assert found(desk) == []


def test_overwriting_empties_what_is_missing_and_keeps_entries(desk: Desk) -> None:
    customer_id = int(desk.post("/v2/customers", FULL).headers["Resource-ID"])
    before = read(desk, customer_id)
    assert desk.put(f"/v2/customers/{customer_id}", {"firstName": "B"}).status_code == 204
    after = read(desk, customer_id)
    assert after["firstName"] == "B"
    assert [after[name] for name in ("lastName", "jobTitle", "background", "age")] == [None] * 4
    assert after["gender"] == "Unknown"
    assert after["_embedded"] == before["_embedded"]
    assert events(desk)[-1] == ("customer.updated", customer_id)


def test_overwriting_with_the_same_changes_nothing(desk: Desk) -> None:
    customer_id = add_customer(desk, firstName="A")
    desk.put(f"/v2/customers/{customer_id}", {"firstName": "A"})
    assert [name for name, _ in events(desk)] == ["customer.created"]


def test_overwriting_adds_a_new_phone_once(desk: Desk) -> None:
    customer_id = add_customer(desk, firstName="A")
    for _ in range(2):
        desk.put(f"/v2/customers/{customer_id}", {"firstName": "A", "phone": "123"})
    assert values(read(desk, customer_id), "phones") == ["123"]


def test_overwriting_adds_no_phone_to_as_many_as_one_can_have(desk: Desk) -> None:
    phones = [{"value": str(number)} for number in range(ENTRIES_MOST)]
    customer_id = add_customer(desk, firstName="A", phones=phones)
    assert faults(desk.put(f"/v2/customers/{customer_id}", {"firstName": "B", "phone": "new"})) == ["phone"]
    assert desk.put(f"/v2/customers/{customer_id}", {"firstName": "C", "phone": "7"}).status_code == 204
    assert len(values(read(desk, customer_id), "phones")) == ENTRIES_MOST


def test_conversations_follow_a_new_name(desk: Desk) -> None:
    mira, paul = add_customer(desk, firstName="Mira"), add_customer(desk)
    add_conversations(desk, mira, count=2)
    add_conversations(desk, paul)
    desk.put(f"/v2/customers/{mira}", {"firstName": "MIRA", "lastName": "Økafor"})
    assert names_on_conversations(desk, mira) == ["mira økafor"] * 2
    assert names_on_conversations(desk, paul) == ["before"]


def test_a_customer_with_five_thousand_conversations_is_locked(desk: Desk) -> None:
    mira, paul = add_customer(desk), add_customer(desk)
    add_conversations(desk, mira, count=4_999)
    assert desk.put(f"/v2/customers/{mira}", {"firstName": "A"}).status_code == 204
    add_conversations(desk, mira)
    assert desk.put(f"/v2/customers/{mira}", {"firstName": "B"}).status_code == 423
    patch = [{"op": "replace", "path": "/firstName", "value": "B"}]
    assert desk.patch(f"/v2/customers/{mira}", patch).status_code == 423
    assert read(desk, mira)["firstName"] == "A"
    assert desk.put(f"/v2/customers/{paul}", {}).status_code == 204
    with pytest.raises(Locked):
        desk.write(lambda tx: verbs.require_unlocked(tx, desk.account_id, mira))


def test_the_unknown_cannot_be_overwritten(desk: Desk) -> None:
    stranger = open_desk(desk.server)
    theirs = add_customer(stranger)
    for customer_id in (theirs, 999999999):
        assert desk.put(f"/v2/customers/{customer_id}", {}).status_code == 404
        assert desk.patch(f"/v2/customers/{customer_id}", []).status_code == 404


# -- References


def refer(desk: Desk, given: CustomerReference, path: str = "customer") -> CustomerRow:
    def find(tx: Writer) -> CustomerRow:
        actor = access.actor(tx, desk.user_id)
        assert actor is not None
        return verbs.find_or_create(tx, desk.account_id, given, actor, desk.now, path)

    row: CustomerRow = desk.write(find)
    return row


def test_an_unknown_email_makes_a_customer_of_the_other_fields(desk: Desk) -> None:
    given = CustomerReference(
        email=Email("Mira@northwind.example"), first_name="Mira", last_name="", gender="robot", photo_type="Gravatar",
        age=40, phone="123",
    )  # fmt: skip
    row = refer(desk, given)
    mira = read(desk, row.id)
    assert (mira["firstName"], mira["lastName"], mira["gender"]) == ("Mira", None, "Unknown")
    assert (mira["photoType"], mira["age"]) == ("gravatar", "40")
    assert values(mira, "emails") == [row.email] == ["Mira@northwind.example"]
    assert values(mira, "phones") == ["123"]
    assert desk.write(lambda tx: queries.by_id(tx, desk.account_id, row.id)) == row
    assert events(desk) == [("customer.created", row.id)]


def test_a_known_email_means_its_customer_unchanged(desk: Desk) -> None:
    mira = add_customer(desk, "first@northwind.example", "mira@northwind.example", firstName="Mira")
    row = refer(desk, CustomerReference(email=Email("MIRA@northwind.example"), first_name="Other"))
    assert (row.id, row.first_name, row.email) == (mira, "Mira", "first@northwind.example")
    assert len(events(desk)) == 1


def test_an_id_wins_over_an_email(desk: Desk) -> None:
    mira = add_customer(desk)
    assert refer(desk, CustomerReference(id=mira, email=Email("new@northwind.example"))).id == mira
    assert found(desk) == [mira]


def test_a_reference_to_nobody_is_named(desk: Desk) -> None:
    theirs = add_customer(open_desk(desk.server))
    with pytest.raises(BadRequest) as unknown:
        refer(desk, CustomerReference(id=theirs))
    assert [error.path for error in unknown.value.errors] == ["customer.id"]
    with pytest.raises(BadRequest) as nothing:
        refer(desk, CustomerReference(), "threads[0].customer")
    assert [error.path for error in nothing.value.errors] == ["threads[0].customer.email"]


def test_people_are_read_together(desk: Desk) -> None:
    mira = add_customer(desk, "mira@northwind.example", firstName="Mira")
    paul = add_customer(desk, lastName="Meyer")
    people = desk.write(lambda tx: queries.people(tx, desk.account_id, [mira, paul, mira, 1]))
    assert people == {
        mira: queries.CustomerPerson(mira, "Mira", None, None, "mira@northwind.example"),
        paul: queries.CustomerPerson(paul, None, "Meyer", None, None),
    }


def test_many_at_once_make_one_customer(desk: Desk) -> None:
    rows: list[CustomerRow | Problem] = []

    def race() -> None:
        rows.append(refer(desk, CustomerReference(email=Email("race@northwind.example"))))

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows) == 8
    assert len({row.id for row in rows if isinstance(row, CustomerRow)}) == len(found(desk)) == 1
