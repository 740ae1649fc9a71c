"""The kinds of value on the wire: what each takes, what it makes of it, and what it refuses."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskhand.catalogue.values import (
    Email,
    Id,
    Ids,
    Names,
    NonEmpty,
    OwnerId,
    PageNumber,
    Recipient,
    Shape,
    WireTime,
    decode_hook,
    lower_camel,
    schema_hook,
    stored,
)
from deskhand.lib.clock import to_wire

KINDS = (WireTime, Email, Recipient, Ids, Names)

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def read(kind: Any, given: Any) -> Any:
    return msgspec.convert(given, kind, dec_hook=decode_hook)


def refuses(kind: Any, given: Any) -> bool:
    try:
        read(kind, given)
    except msgspec.ValidationError:
        return True
    return False


# -- Times


@pytest.mark.parametrize("text", ["2026-11-23T09:30:00Z", "1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z"])
def test_a_time_is_utc_to_the_second(text: str) -> None:
    assert read(WireTime, text) == text
    assert type(read(WireTime, text)) is WireTime


@pytest.mark.parametrize(
    "given",
    [
        "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00+00:00", "2026-01-01T02:00:00+02:00",
        "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01t00:00:00z", "2026-01-01T00:00Z", "2026-01-01",
        "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z",
        "2026-01-01T00:00:61Z", "2026-1-1T0:0:0Z", "20260101T000000Z", " 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z\n", "٢٠٢٦-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "now", "", 1767225600, 1.5, True,
        None, [], {},
    ],
)  # fmt: skip
def test_no_other_form_of_time_is_taken(given: Any) -> None:
    assert refuses(WireTime, given)


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_time_that_we_write_can_be_read(moment: datetime) -> None:
    assert read(WireTime, to_wire(moment)) == to_wire(moment)


# -- Addresses


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("mira@northwind.example", "mira@northwind.example"), (" mira@northwind.example\n", "mira@northwind.example"),
        ("Mira.O'Neil+tag@Sub.Northwind.Example", "Mira.O'Neil+tag@Sub.Northwind.Example"),
        ("münchen@straße.example", "münchen@straße.example"),
    ],
)  # fmt: skip
def test_an_address_is_kept_as_written_but_for_spaces_around_it(given: str, address: str) -> None:
    assert read(Email, given) == address


@pytest.mark.parametrize(
    "given",
    [
        "", " ", "mira", "@northwind.example", "mira@", "mi ra@northwind.example", "mira@north wind.example",
        "mira@@northwind.example", "a@b@c.example", "mira@northwind.example,paul@northwind.example",
        "Mira <mira@northwind.example>", "mira\n@northwind.example", "m" * 65 + "@northwind.example", 1, None, [], {},
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(given: Any) -> None:
    assert refuses(Email, given)


def test_a_recipient_is_a_text_or_an_object_with_email() -> None:
    assert read(Recipient, "boss@buyer.example") == "boss@buyer.example"
    assert read(Recipient, {"email": "boss@buyer.example", "name": "Boss"}) == "boss@buyer.example"
    for wrong in ("boss", {}, {"email": None}, {"email": "boss"}, {"address": "a@b.example"}, None, 1, ["a@b.example"]):
        assert refuses(Recipient, wrong), wrong


# -- Ids


@pytest.mark.parametrize(
    ("given", "ids"),
    [("1", (1,)), ("1,2", (1, 2)), (" 1 , 2 ", (1, 2)), ("1,,2,", (1, 2)), ("3100000421", (3_100_000_421,)), (7, (7,))],
)
def test_ids_are_joined_by_commas(given: Any, ids: tuple[int, ...]) -> None:
    assert read(Ids, given) == ids


@pytest.mark.parametrize("given", ["x", "1,x", "1;2", "1 2", "-1", "1.0", "٣", "²", "9" * 30, "null", None, [1], {}])
def test_what_are_no_ids_is_refused(given: Any) -> None:
    assert refuses(Ids, given)


def test_names_are_joined_by_commas() -> None:
    assert read(Names, "red, needs review ,,blue") == ("red", "needs review", "blue")


@pytest.mark.parametrize(
    ("kind", "least", "most"), [(Id, 1, 2**63 - 1), (OwnerId, 2, 2**63 - 1), (PageNumber, 1, 10**9)]
)
def test_numbers_have_bounds(kind: Any, least: int, most: int) -> None:
    assert read(kind, least) == least and read(kind, most) == most
    for wrong in (least - 1, -5, most + 1, 1.5, True, str(least), None):
        assert refuses(kind, wrong), wrong


def test_an_empty_text_is_not_enough_where_one_is_needed() -> None:
    assert read(NonEmpty, " ") == " "
    assert refuses(NonEmpty, "")


# -- All of them


@given(st.sampled_from(KINDS), any_json)
def test_no_json_value_breaks_a_kind(kind: Any, given: Any) -> None:
    if not refuses(kind, given):
        assert isinstance(read(kind, given), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_schema(kind: Any) -> None:
    described = schema_hook(kind)
    assert described.get("type") == "string" or "anyOf" in described
    msgspec.json.encode(described)


@pytest.mark.parametrize(("kind", "good"), [(WireTime, "2026-11-23T09:30:00Z"), (Ids, "1,2"), (Ids, "7")])
def test_a_pattern_of_a_schema_fits_what_is_taken(kind: Any, good: str) -> None:
    assert re.search(schema_hook(kind)["pattern"], good)


def test_a_kind_nobody_declared_is_a_fault_of_ours() -> None:
    for hook in (schema_hook, lambda kind: decode_hook(kind, "x")):
        with pytest.raises(NotImplementedError):
            hook(complex)


# -- Names and stored values


@pytest.mark.parametrize(
    ("name", "wire"), [("id", "id"), ("mailbox_id", "mailboxId"), ("custom_fields_by_ids", "customFieldsByIds")]
)
def test_names_are_camel_case_outside(name: str, wire: str) -> None:
    assert lower_camel(name) == wire


class Note(Shape):
    """A shape to try the rules of all shapes on."""

    user_id: int
    cc_list: list[str]


def test_a_shape_ignores_what_it_does_not_know() -> None:
    note = msgspec.json.decode(b'{"userId":41,"ccList":[],"folderId":7,"user_id":1}', type=Note)
    assert note == Note(user_id=41, cc_list=[])


def test_a_stored_value_goes_out_unparsed() -> None:
    kept = '[ "b","a" ]'
    assert msgspec.json.encode(Note(user_id=1, cc_list=stored(list[str], kept))) == b'{"userId":1,"ccList":[ "b","a" ]}'
