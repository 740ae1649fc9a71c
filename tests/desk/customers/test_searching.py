"""The `query` parameter of the list of customers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.desk.customers.builders import add_customer, faults, found, read
from tests.world import Desk


def test_a_whole_address_finds_its_customer_alone(desk: Desk) -> None:
    mira = add_customer(desk, "mira@northwind.example", "m@home.example")
    add_customer(desk, "xmira@northwind.example")
    assert found(desk, query='(email:"mira@northwind.example")') == [mira]
    assert found(desk, query="email:Mira@Northwind.Example") == [mira]
    assert found(desk, query='(email:"M@home.example")') == [mira]


def test_part_of_an_address_finds_all_that_contain_it(desk: Desk) -> None:
    mira = add_customer(desk, "mira@northwind.example")
    paul = add_customer(desk, "paul@northwind.example")
    add_customer(desk, "ola@southwind.example")
    assert found(desk, query='(email:"@northwind")') == [paul, mira]
    assert found(desk, query="email:mir*") == [mira]
    assert found(desk, query='(email:("paul@northwind.example" OR "mira@northwind.example"))') == [paul, mira]


def test_wildcards_of_sql_are_plain_characters(desk: Desk) -> None:
    add_customer(desk, "aXb@northwind.example", firstName="100 percent")
    assert found(desk, query='email:"a_b"') == []
    assert found(desk, query='email:"%"') == []
    assert found(desk, query="firstName:10%*") == []
    percent = add_customer(desk, "a_b!c@northwind.example", firstName="100% sure")
    assert found(desk, query='email:"a_b!"') == [percent]
    assert found(desk, query='firstName:"100% SURE"') == [percent]


def test_names_combine_with_and_or_and_not(desk: Desk) -> None:
    john = add_customer(desk, firstName="John", lastName="Young")
    jane = add_customer(desk, firstName="Jane", lastName="Young")
    jo = add_customer(desk, firstName="Jo", organization="Northwind Tea")
    assert found(desk, query='(firstName:"john")') == [john]
    assert found(desk, query='(firstName:"John" OR firstname:"Jane")') == [jane, john]
    assert found(desk, query='(lastName:"Young" AND NOT firstName:"John")') == [jane]
    assert found(desk, query="NOT (firstName:John OR firstName:Jane)") == [jo]
    assert found(desk, query="NOT (lastName:Young AND NOT firstName:John)") == [jo, john]
    assert found(desk, query="firstName:jo*") == [jo, john]
    assert found(desk, query="lastName:*") == [jane, john]
    assert found(desk, query='organization:"NORTHWIND tea"') == [jo]
    assert found(desk, query="email:*") == []


def test_words_without_a_field_look_into_names_and_addresses(desk: Desk) -> None:
    mira = add_customer(desk, "shop@northwind.example", firstName="Mira", lastName="Okafor")
    samir = add_customer(desk, firstName="Samir")
    assert found(desk, query="mir") == [samir, mira]
    assert found(desk, query="mir*") == [mira]
    assert found(desk, query='"mira okafor"') == [mira]
    assert found(desk, query="northwind okafor") == [mira]
    assert found(desk, query="nobody") == []


def test_times_span_what_they_name(desk: Desk) -> None:
    mira = add_customer(desk)
    created = read(desk, mira)["createdAt"]
    assert found(desk, query=f"modifiedAt:[{created} TO *]") == [mira]
    assert found(desk, query=f"(createdAt:[{created} TO {created}])") == [mira]
    assert found(desk, query=f"createdAt:{{{created} TO *]") == []
    assert found(desk, query=f"createdAt:{created[:7]}") == [mira]
    assert found(desk, query="createdAt:*") == [mira]
    assert found(desk, query="NOT createdAt:*") == []
    desk.server.clock.advance(timedelta(hours=2))
    assert found(desk, query="createdAt:[NOW-1HOUR TO *]") == []
    assert found(desk, query="createdAt:[NOW-3HOURS TO NOW]") == [mira]


def test_an_empty_query_finds_all(desk: Desk) -> None:
    mira = add_customer(desk)
    assert found(desk, query="()") == found(desk, query="*:*") == found(desk, query=" ") == [mira]


def test_a_query_adds_to_the_other_filters_and_to_paging(desk: Desk) -> None:
    for number in range(51):
        add_customer(desk, firstName="Ann", lastName=f"L{number}")
    add_customer(desk, firstName="Bea")
    body = desk.get("/v2/customers", query="lastName:l*", firstName="Ann", sortField="lastName", page=2).json()
    assert body["page"]["totalElements"] == 51
    assert [customer["lastName"] for customer in body["_embedded"]["customers"]] == ["L0"]


@pytest.mark.parametrize(
    ("query", "position"),
    [
        ('(shoeSize:"44")', 2),
        ("firstName:a AND shoe:b", 17),
        ('firstName:"a', 11),
        ("firstName:a OR", 13),
        ("firstName:[a TO b]", 1),
        ("createdAt:yesterday", 1),
    ],
)
def test_a_query_that_is_not_understood_is_refused_at_its_position(desk: Desk, query: str, position: int) -> None:
    answer = desk.get("/v2/customers", query=query)
    assert faults(answer) == ["query"]
    error = answer.json()["_embedded"]["errors"][0]
    assert f"(position {position})" in error["message"]
    assert error["source"] == "QUERY"


def _nested(levels: int) -> str:
    """A query whose AND and OR alternate, every level with a part beside it on either side."""
    query = "mira"
    for level in range(levels):
        join = "OR" if level % 2 else "AND"
        query = f"(NOT a{level} {join} (x OR lastName:a) {join} {query} {join} email:b{level})"
    return query


def test_deep_queries_run_and_deeper_ones_are_refused(desk: Desk) -> None:
    assert found(desk, query=_nested(18)) == []
    assert found(desk, query=f"NOT {_nested(18)}") == []
    assert faults(desk.get("/v2/customers", query=_nested(22))) == ["query"]


def test_long_queries_run(desk: Desk) -> None:
    mira = add_customer(desk, firstName="Mira")
    for join in (" OR ", " AND "):
        query = join.join(["mira", "email:*"] + [f"x{number}" for number in range(98)])
        assert found(desk, query=query) == ([mira] if join == " OR " else [])
    assert found(desk, query=" ".join(["-createdAt:1999"] * 100)) == [mira]
    assert found(desk, query="createdAt:[* TO 0001-01-01}") == []


def test_what_grows_too_long_when_it_is_folded_is_found_nowhere(desk: Desk) -> None:
    mira = add_customer(desk, "mira@northwind.example", firstName="Mira")
    long = "\ufdfa" * 1_700  # each is 18 letters in its plain form
    for query in (long, f"{long}*", f"firstName:{long}*", f"organization:{long}*"):
        assert found(desk, query=query) == [], query[:20]
        assert found(desk, query=f"NOT {query}") == [mira], query[:20]
