"""Canonical JSON: the same bytes as rfc8785 writes, quicker, and for every JSON value there is."""

from __future__ import annotations

import hashlib
import json
from enum import IntEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from deskhand.lib.canonical import canonical, canonical_hash

SAFE = 2**53 - 1
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-SAFE, SAFE) | st.floats(allow_nan=False, allow_infinity=False)


class Level(IntEnum):
    READ = 1


def values(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | numbers | TEXTS,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
        max_leaves=15,
    )


@given(values(NUMBERS))
def test_values_are_written_as_rfc8785_does(value: Any):
    assert canonical(value) == rfc8785.dumps(value)


@given(values(NUMBERS | st.integers()))
def test_what_was_written_and_read_again_is_written_alike(value: Any):
    assert canonical(json.loads(canonical(value))) == canonical(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": {"d": [], "c": {}}}, '{"a":{"c":{},"d":[]},"b":1}'),
        ({"\ufb33": 1, "😀": 2, "z": 3}, '{"z":3,"😀":2,"\ufb33":1}'),  # by UTF-16 units, not by code points
        ([{"a": "Zoë", "ä": 1}], '[{"a":"Zoë","ä":1}]'),
        ("\x00\x08\t\n\x0b\x0c\r\x1f\"\\/\x7f\u2028é", '"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\/\x7f\u2028é"'),
        ([1.0, -0.0, 1e21, 1e-7, 0.1, 333333333.33333329], "[1,0,1e+21,1e-7,0.1,333333333.3333333]"),
        ([2**53, -(2**63), 2**70], "[9007199254740992,-9223372036854775808,1180591620717411303424]"),
        ((True, None, (1,)), "[true,null,[1]]"),
        (Level.READ, "1"),
    ],
)  # fmt: skip
def test_a_value_has_one_form(value: Any, written: str):
    assert canonical(value) == written.encode()


@pytest.mark.parametrize(
    "value",
    [float("nan"), [float("inf")], {1: 2}, {"a": {1.5: 2}}, {1: "ä"}, b"x", {"a": {1, 2}}, "\ud800", ["\udfff"]],
)
def test_what_is_no_json_is_refused(value: Any):
    with pytest.raises(ValueError):
        canonical(value)


def test_the_hash_is_that_of_the_bytes():
    assert canonical_hash({"b": 1, "a": 2}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()
