"""Lists of customers: filters, order, pages."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from deskhand.db.engine import Reader
from deskhand.desk.customers import finding, queries
from tests.desk.customers.builders import add_conversations, add_customer, faults, found, read
from tests.world import Desk, open_desk


def test_list_is_a_page_of_whole_customers(desk: Desk) -> None:
    mira = add_customer(desk, "mira@northwind.example", firstName="Mira")
    answer = desk.get("/v2/customers")
    assert answer.headers["content-type"].startswith("application/hal+json")
    body = answer.json()
    assert body["page"] == {"size": 50, "totalElements": 1, "totalPages": 1, "number": 1}
    assert body["_links"]["page"]["templated"] is True
    assert body["_embedded"]["customers"] == [read(desk, mira)]


def test_an_empty_list_has_its_key(desk: Desk) -> None:
    body = desk.get("/v2/customers").json()
    assert body["_embedded"] == {"customers": []}
    assert body["page"]["totalPages"] == 0


def test_pages_hold_fifty_and_links_keep_the_filter(desk: Desk) -> None:
    ids = [add_customer(desk, firstName="A") for _ in range(51)]
    add_customer(desk, firstName="B")
    first = desk.get("/v2/customers", firstName="A").json()
    assert [customer["id"] for customer in first["_embedded"]["customers"]] == ids[:0:-1]
    assert first["page"] == {"size": 50, "totalElements": 51, "totalPages": 2, "number": 1}
    following = first["_links"]["next"]["href"]
    assert "page=2" in following
    assert "firstName=A" in following
    second = desk.get(following).json()
    assert [customer["id"] for customer in second["_embedded"]["customers"]] == ids[:1]
    assert "next" not in second["_links"]
    assert "previous" in second["_links"]


def test_a_page_beyond_the_last_is_empty_and_tells_the_true_total(desk: Desk) -> None:
    add_customer(desk)
    body = desk.get("/v2/customers", page=10**9).json()
    assert body["_embedded"]["customers"] == []
    assert body["page"]["totalElements"] == 1


def test_names_filter_in_any_case_and_together(desk: Desk) -> None:
    mira = add_customer(desk, firstName="Mira", lastName="Økafor")
    add_customer(desk, firstName="Mira", lastName="Holm")
    assert found(desk, firstName="MIRA", lastName="øKAFOR") == [mira]
    assert found(desk, firstName="Mir") == []


def test_email_filters_exactly_in_any_case(desk: Desk) -> None:
    mira = add_customer(desk, "mira@northwind.example", "second@northwind.example")
    add_customer(desk, "xmira@northwind.example")
    assert found(desk, email="MIRA@northwind.example") == [mira]
    assert found(desk, email="second@northwind.example") == [mira]


def test_mailbox_gives_customers_with_a_conversation_there(desk: Desk) -> None:
    mira, paul, ola = (add_customer(desk) for _ in range(3))
    add_conversations(desk, mira, inbox_id=501, count=2)
    add_conversations(desk, paul, inbox_id=502)
    add_conversations(desk, ola, inbox_id=501, merged_into=1)
    assert found(desk, mailbox=501) == [mira]
    assert found(desk, mailbox=503) == []


def test_a_user_limited_to_inboxes_sees_all_customers_but_may_not_ask_by_others(desk: Desk) -> None:
    mira = add_customer(desk)
    add_conversations(desk, mira, inbox_id=502)
    limited = desk.as_user(desk.add_user(inboxes=(501,)))
    assert found(limited) == [mira]
    assert found(limited, mailbox=501) == []
    assert limited.get("/v2/customers", mailbox=502).status_code == 403


def test_modified_since_is_strictly_after(desk: Desk) -> None:
    mira = add_customer(desk)
    changed = datetime.fromisoformat(read(desk, mira)["updatedAt"])
    before = (changed - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found(desk, modifiedSince=before) == [mira]
    assert found(desk, modifiedSince=changed.strftime("%Y-%m-%dT%H:%M:%SZ")) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("modifiedSince", "2026-11-01T00:00:00.000Z"),
        ("sortField", "shoeSize"),
        ("sortOrder", "up"),
        ("mailbox", "x"),
        ("page", "0"),
    ],
)
def test_a_malformed_parameter_is_named(desk: Desk, field: str, value: str) -> None:
    assert faults(desk.get("/v2/customers", **{field: value})) == [field]


def test_order_is_by_the_field_asked_for_with_the_newest_first_otherwise(desk: Desk) -> None:
    b = add_customer(desk, firstName="bea", lastName="Young")
    c = add_customer(desk, firstName="Cai", lastName="Abel")
    a = add_customer(desk, firstName="Ada", lastName="moss")
    none = add_customer(desk)
    assert found(desk) == found(desk, sortField="score") == [none, a, c, b]
    assert found(desk, sortField="createdAt", sortOrder="asc") == [b, c, a, none]
    assert found(desk, sortField="firstName", sortOrder="asc") == [none, a, b, c]
    assert found(desk, sortField="lastName") == [b, a, c, none]
    desk.server.clock.advance(timedelta(minutes=1))
    desk.patch(f"/v2/customers/{c}", [{"op": "replace", "path": "/age", "value": "30"}])
    assert found(desk, sortField="modifiedAt", sortOrder="asc")[-1] == c


def test_other_accounts_are_not_seen(desk: Desk) -> None:
    stranger = open_desk(desk.server)
    add_customer(stranger, "mira@northwind.example", firstName="Mira")
    assert found(desk) == []
    assert found(desk, query='(email:"mira@northwind.example")') == []
    assert found(desk, email="mira@northwind.example") == []


def test_a_page_takes_three_statements(desk: Desk) -> None:
    for number in range(52):
        add_customer(desk, f"c{number}@northwind.example")

    def count(db: Reader) -> int:
        before = db.ran  # type: ignore[attr-defined]
        rows, total = finding.find(db, finding.Wanted(desk.account_id))
        entries = queries.entries(db, desk.account_id, [row.id for row in rows])
        assert total == 52
        assert sum(map(len, entries.values())) == 50
        return int(db.ran - before)  # type: ignore[attr-defined]

    assert desk.server.app.database.read_now(count) == 3
