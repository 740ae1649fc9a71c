"""Changing customers by JSON Patch."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from deskhand.desk.customers import queries
from tests.desk.customers.builders import (
    add_conversations,
    add_customer,
    events,
    faults,
    names_on_conversations,
    read,
    values,
)
from tests.world import Desk

EVERYTHING: dict[str, Any] = {
    "firstName": "Karl", "lastName": "Holm", "gender": "Male", "age": "30", "jobTitle": "Cook", "photoUrl": "https://p",
    "photoType": "facebook", "background": "Notes", "location": "Oslo", "organization": "Tea",
}  # fmt: skip


def patch(desk: Desk, customer_id: int, *steps: tuple[str, str] | tuple[str, str, Any]) -> Any:
    body = [dict(zip(("op", "path", "value"), step, strict=False)) for step in steps]
    return desk.patch(f"/v2/customers/{customer_id}", body)


def entry_ids(desk: Desk, customer_id: int, kind: str) -> list[int]:
    return [entry["id"] for entry in read(desk, customer_id)["_embedded"][kind]]


def test_every_field_is_replaced_and_removed(desk: Desk) -> None:
    mira = add_customer(desk)
    assert patch(desk, mira, *(("replace", f"/{name}", value) for name, value in EVERYTHING.items())).status_code == 204
    changed = read(desk, mira)
    assert {name: changed[name] for name in EVERYTHING} == EVERYTHING
    assert patch(desk, mira, *(("remove", f"/{name}") for name in EVERYTHING)).status_code == 204
    assert read(desk, mira)["firstName"] is None
    assert [name for name, _ in events(desk)] == ["customer.created", "customer.updated", "customer.updated"]


def test_other_fields_are_kept(desk: Desk) -> None:
    mira = add_customer(desk, "mira@northwind.example", firstName="Mira", background="Notes")
    before = read(desk, mira)
    patch(desk, mira, ("replace", "/firstName", "Karl"))
    assert read(desk, mira) == before | {"firstName": "Karl", "updatedAt": read(desk, mira)["updatedAt"]}


def test_both_media_types_are_taken(desk: Desk) -> None:
    mira = add_customer(desk)
    answer = desk.request(
        "PATCH", f"/v2/customers/{mira}", json=[{"op": "replace", "path": "/age", "value": "9"}],
        headers={"Content-Type": "application/json-patch+json"},
    )  # fmt: skip
    assert answer.status_code == 204
    assert read(desk, mira)["age"] == "9"


@pytest.mark.parametrize(
    ("collection", "embedded", "first", "second"),
    [
        ("emails", "emails", {"type": "other", "value": "x@y.example"}, {"value": "z@y.example"}),
        ("phones", "phones", {"type": "fax", "value": "1"}, {"value": "2"}),
        ("chats", "chats", {"type": "icq", "value": "1"}, {"value": "2"}),
        ("social-profiles", "social_profiles", {"type": "quora", "value": "1"}, {"value": "2"}),
        ("socialProfiles", "social_profiles", {"type": "foursquare", "value": "1"}, {"value": "2"}),
        ("websites", "websites", {"value": "https://a"}, {"value": "https://b"}),
    ],
)
def test_entries_are_added_changed_and_removed(
    desk: Desk, collection: str, embedded: str, first: dict[str, str], second: dict[str, str]
) -> None:
    mira = add_customer(desk)
    answer = patch(desk, mira, ("add", f"/{collection}", first), ("add", f"/{collection}", second))
    assert answer.status_code == 204, answer.text
    entries = read(desk, mira)["_embedded"][embedded]
    assert entries[0] == {"id": entries[0]["id"], **first}
    place = f"/{collection}/{entries[0]['id']}"
    assert patch(desk, mira, ("replace", f"{place}/value", "new@y.example")).status_code == 204
    typed = patch(desk, mira, ("replace", f"{place}/type", "other"))
    assert typed.status_code == (400 if embedded == "websites" else 204)
    changed = read(desk, mira)["_embedded"][embedded][0]
    assert changed == {**first, "id": entries[0]["id"], "value": "new@y.example"} | (
        {} if embedded == "websites" else {"type": "other"}
    )
    assert patch(desk, mira, ("remove", place)).status_code == 204
    assert values(read(desk, mira), embedded) == [second["value"]]


def test_a_collection_is_replaced_in_the_order_given(desk: Desk) -> None:
    mira = add_customer(desk, "a@y.example", "b@y.example", phones=[{"value": "1"}])
    answer = patch(
        desk,
        mira,
        ("replace", "/emails", [{"value": "c@y.example"}, {"value": "A@y.example"}]),
        ("replace", "/phones", []),
    )
    assert answer.status_code == 204
    assert values(read(desk, mira), "emails") == ["c@y.example", "A@y.example"]
    assert values(read(desk, mira), "phones") == []


def test_addresses_are_built_and_removed_by_parts(desk: Desk) -> None:
    mira = add_customer(desk)
    patch(desk, mira, ("add", "/address/city", "Leeds"), ("replace", "/address/lines", ["1 Park Row", "Back door"]))
    assert read(desk, mira)["_embedded"]["address"] == {"city": "Leeds", "lines": ["1 Park Row", "Back door"]}
    patch(desk, mira, ("replace", "/address/country", "gb"), ("remove", "/address/lines"))
    assert read(desk, mira)["_embedded"]["address"] == {"city": "Leeds", "country": "GB", "lines": []}
    patch(desk, mira, ("remove", "/address/city"), ("remove", "/address/country"))
    assert "address" not in read(desk, mira)["_embedded"]


def test_the_first_email_is_the_one_shown(desk: Desk) -> None:
    mira = add_customer(desk, "a@y.example", "b@y.example")
    patch(desk, mira, ("remove", f"/emails/{entry_ids(desk, mira, 'emails')[0]}"))
    row: queries.CustomerRow | None = desk.write(lambda tx: queries.by_id(tx, desk.account_id, mira))
    assert row is not None
    assert row.email == "b@y.example"


def test_two_emails_exchange_their_entries(desk: Desk) -> None:
    mira = add_customer(desk, "a@y.example", "b@y.example")
    first, second = entry_ids(desk, mira, "emails")
    answer = patch(
        desk,
        mira,
        ("replace", f"/emails/{first}/value", "b@y.example"),
        ("replace", f"/emails/{second}/value", "a@y.example"),
    )
    assert answer.status_code == 204
    assert values(read(desk, mira), "emails") == ["b@y.example", "a@y.example"]


def test_an_email_in_use_is_a_conflict(desk: Desk) -> None:
    add_customer(desk, "taken@y.example")
    mira = add_customer(desk, "mira@y.example")
    before = read(desk, mira)
    own = entry_ids(desk, mira, "emails")[0]
    for value in ("Taken@y.example", "MIRA@y.example"):
        assert faults(patch(desk, mira, ("add", "/emails", {"value": value})), 409) == ["emails"]
    assert patch(desk, mira, ("replace", f"/emails/{own}/value", "taken@y.example")).status_code == 409
    assert patch(desk, mira, ("replace", f"/emails/{own}/value", "MIRA@y.example")).status_code == 204
    assert values(read(desk, mira), "emails") == ["MIRA@y.example"]
    assert before["_embedded"]["emails"][0]["id"] == own


def test_all_steps_happen_or_none(desk: Desk) -> None:
    mira = add_customer(desk, "mira@y.example", firstName="Mira")
    before = read(desk, mira)
    answer = patch(
        desk,
        mira,
        ("replace", "/firstName", "Karl"),
        ("add", "/phones", {"value": "1"}),
        ("replace", "/shoeSize", "44"),
    )
    assert faults(answer) == ["[2].path"]
    assert read(desk, mira) == before
    assert len(events(desk)) == 1


@pytest.mark.parametrize(
    ("op", "path", "value", "fault"),
    [
        ("remove", "/emails", None, "[0].path"),
        ("add", "/firstName", "x", "[0].path"),
        ("replace", "/id", 1, "[0].path"),
        ("replace", "firstName", "x", "[0].path"),
        ("replace", "/", "x", "[0].path"),
        ("replace", "", "x", "[0].path"),
        ("move", "/firstName", "x", "[0].op"),
        ("remove", "/emails/1", None, "[0].path"),
        ("remove", "/emails/x", None, "[0].path"),
        ("replace", "/emails", {"value": "a@b.example"}, "[0].path"),
        ("replace", "/firstName", "x" * 41, "firstName"),
        ("replace", "/firstName", "", "firstName"),
        ("replace", "/background", "x" * 201, "background"),
        ("replace", "/jobTitle", 5, "jobTitle"),
        ("replace", "/gender", "robot", "gender"),
        ("replace", "/organizationId", 41, "organizationId"),
        ("replace", "/organizationId", "x", "organizationId"),
        ("replace", "/organizationId", 2**63, "organizationId"),
        ("replace", "/organizationId", True, "organizationId"),
        ("replace", "/address/country", "England", "address.country"),
        ("replace", "/address/lines", "x", "address.lines"),
        ("replace", "/address/lines", [5], "address.lines[0]"),
        ("add", "/emails", {"value": "nobody"}, "emails.value"),
        ("add", "/emails", {"type": "mobile", "value": "a@b.example"}, "emails.type"),
        ("add", "/emails", {"type": ["work"], "value": "a@b.example"}, "emails.type"),
        ("add", "/emails", "a@b.example", "emails"),
        ("add", "/phones", {}, "phones.value"),
        ("replace", "/phones", [{"value": "1"}, {}], "phones[1].value"),
        ("replace", "/phones", [{"value": "1"}] * 201, "phones"),
    ],
)
def test_an_impossible_step_is_named(desk: Desk, op: str, path: str, value: object, fault: str) -> None:
    mira = add_customer(desk)
    assert faults(patch(desk, mira, (op, path, value))) == [fault]


@pytest.mark.parametrize("body", [{"op": "replace", "path": "/firstName", "value": "x"}, "x", 5, None, [5], [{}]])
def test_a_body_that_is_no_list_of_steps_is_refused(desk: Desk, body: object) -> None:
    mira = add_customer(desk)
    assert desk.patch(f"/v2/customers/{mira}", body).status_code == 400


def test_nothing_changed_is_no_event(desk: Desk) -> None:
    mira = add_customer(desk, firstName="Mira")
    assert patch(desk, mira).status_code == 204
    assert patch(desk, mira, ("replace", "/firstName", "Mira")).status_code == 204
    assert len(events(desk)) == 1


def test_conversations_follow_a_new_name(desk: Desk) -> None:
    mira = add_customer(desk, firstName="Mira")
    add_conversations(desk, mira)
    patch(desk, mira, ("replace", "/age", "9"))
    assert names_on_conversations(desk, mira) == ["before"]
    patch(desk, mira, ("replace", "/lastName", "STRAßE"))
    assert names_on_conversations(desk, mira) == ["mira strasse"]


def test_changes_at_the_same_time_do_not_undo_each_other(desk: Desk) -> None:
    mira = add_customer(desk)
    fields = ["firstName", "lastName", "age", "jobTitle", "location", "background", "organization"]
    threads = [threading.Thread(target=patch, args=(desk, mira, ("replace", f"/{name}", "new"))) for name in fields]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changed = read(desk, mira)
    assert [changed[name] for name in fields] == ["new"] * len(fields)
