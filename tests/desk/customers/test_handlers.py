"""Customers and their entries as clients read them."""

from __future__ import annotations

import pytest

from tests.desk.customers.builders import add_customer, read
from tests.world import Desk, open_desk

COLLECTIONS = ["emails", "phones", "chats", "social-profiles", "websites"]


@pytest.fixture
def mira(desk: Desk) -> int:
    return add_customer(
        desk, "mira@northwind.example", phones=[{"value": "1"}], chats=[{"value": "m"}],
        socialProfiles=[{"type": "twitter", "value": "@m"}], websites=[{"value": "https://northwind.example"}],
        address={"city": "Leeds", "lines": ["1 Park Row"]},
    )  # fmt: skip


def test_a_customer_has_all_keys_and_links(desk: Desk, mira: int) -> None:
    answer = desk.get(f"/v2/customers/{mira}", embed="anything")
    assert answer.headers["content-type"].startswith("application/hal+json")
    customer = answer.json()
    assert list(customer["_embedded"]) == [
        "emails", "phones", "chats", "social_profiles", "websites", "properties", "address",
    ]  # fmt: skip
    assert list(customer["_links"]) == [
        "address", "chats", "emails", "phones", "social-profiles", "websites", "self",
    ]  # fmt: skip


def test_every_link_resolves(desk: Desk, mira: int) -> None:
    for customer_id in (mira, add_customer(desk)):
        for link in read(desk, customer_id)["_links"].values():
            assert desk.get(link["href"]).status_code == 200, link


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_entries_have_lists_of_their_own(desk: Desk, mira: int, collection: str) -> None:
    place = f"{desk.server.url}/v2/customers/{mira}/{collection}"
    body = desk.get(place).json()
    embedded = read(desk, mira)["_embedded"][collection.replace("-", "_")]
    assert body["_embedded"][collection] == [
        entry | {"_links": {"self": {"href": f"{place}/{entry['id']}"}}} for entry in embedded
    ]
    assert len(embedded) == 1
    assert ("type" in embedded[0]) == (collection != "websites")
    assert body["_links"] == {"self": {"href": place}}
    assert "page" not in body


def test_social_profiles_are_listed_under_both_names(desk: Desk, mira: int) -> None:
    embedded = desk.get(f"/v2/customers/{mira}/social-profiles").json()["_embedded"]
    assert embedded["social_profiles"] == embedded["social-profiles"] != []


def test_an_address_is_one_object_and_missing_where_there_is_none(desk: Desk, mira: int) -> None:
    place = f"{desk.server.url}/v2/customers/{mira}/address"
    assert desk.get(place).json() == {"city": "Leeds", "lines": ["1 Park Row"], "_links": {"self": {"href": place}}}
    assert desk.get(f"/v2/customers/{add_customer(desk)}/address").status_code == 404


def test_nobody_is_not_found(desk: Desk) -> None:
    theirs = add_customer(open_desk(desk.server))
    for customer_id in (theirs, 999999999):
        assert desk.get(f"/v2/customers/{customer_id}").status_code == 404
        for collection in [*COLLECTIONS, "address"]:
            assert desk.get(f"/v2/customers/{customer_id}/{collection}").status_code == 404
