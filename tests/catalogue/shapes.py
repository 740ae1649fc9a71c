"""JSON values that fit the catalogue's shapes, or nearly: for tests that hold whatever is sent."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from deskhand.catalogue.values import Email, Ids, Names, Recipient, WireTime

letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
text = st.text(letters, max_size=12)
wide_numbers = st.integers() | st.sampled_from([0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**70), 10**30])
any_json = st.recursive(
    st.none() | st.booleans() | wide_numbers | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)

times = st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"))
emails = st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example", fullmatch=True)
KINDS: dict[type, st.SearchStrategy[Any]] = {
    WireTime: times,
    Email: emails,
    Recipient: emails | st.fixed_dictionaries({"email": emails}),
    Ids: st.lists(st.integers(1, 10**12), max_size=3).map(lambda ids: ",".join(map(str, ids))),
    Names: st.lists(text, max_size=3).map(",".join),
}


def of_shape(build: Callable[[inspect.Type], st.SearchStrategy[Any]], shape: Any) -> st.SearchStrategy[Any]:
    """The strategy of a shape; building it takes longer than using it."""
    found = _strategies.get((build, shape))
    if found is None:
        found = _strategies[build, shape] = build(shape_of(shape))
    return found


_strategies: dict[tuple[Any, Any], st.SearchStrategy[Any]] = {}


def right(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """JSON values that fit a type."""
    match kind:
        case inspect.StructType(fields=fields):
            required = {field.encode_name: right(field.type) for field in fields if field.required}
            optional = {field.encode_name: right(field.type) for field in fields if not field.required}
            return st.fixed_dictionaries(required, optional=optional)
        case inspect.UnionType(types=types):
            return st.one_of([right(one) for one in types])
        case inspect.ListType(item_type=item, min_length=least, max_length=most):
            return st.lists(right(item), min_size=least or 0, max_size=min(3, 3 if most is None else most))
        case inspect.CustomType(cls=cls):
            return KINDS[cls]
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.StrType(min_length=least, max_length=most):
            return st.text(letters, min_size=least or 0, max_size=min(most or 12, 12))
        case inspect.IntType(ge=least, le=most):
            return st.integers(least, most)
        case inspect.FloatType():
            return st.floats(allow_nan=False, allow_infinity=False)
        case inspect.BytesType():
            return st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode())
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.AnyType():
            return st.recursive(
                st.none() | st.booleans() | st.integers() | text,
                lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
                max_leaves=4,
            )
    raise AssertionError(f"no example for {kind}")


def near(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """JSON values that fit a type, or nearly."""
    match kind:
        case inspect.StructType(fields=fields):
            known = st.fixed_dictionaries({}, optional={field.encode_name: near(field.type) for field in fields})
            more = st.dictionaries(st.text(max_size=6), any_json, max_size=1)
            inner = st.tuples(known, more).map(lambda both: both[1] | both[0])
        case inspect.UnionType(types=types):
            inner = st.one_of([near(one) for one in types])
        case inspect.ListType(item_type=item):
            inner = st.lists(near(item), max_size=3)
        case _:
            inner = right(kind)
    return inner | any_json


def pairs(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Names and values of a query that fits a shape, or nearly."""
    assert isinstance(kind, inspect.StructType)
    names = st.sampled_from([field.encode_name for field in kind.fields]) | st.text(letters, max_size=4)
    values = st.one_of([near(field.type) for field in kind.fields]).map(str)
    return st.lists(st.tuples(names, values), max_size=5)


def shape_of(kind: Any) -> inspect.Type:
    """What msgspec knows of a type."""
    return inspect.type_info(kind)


def wire_names(shape: Any) -> list[str]:
    """The names of a body's fields."""
    found = shape_of(shape)
    options = found.types if isinstance(found, inspect.UnionType) else (found,)
    structs = [option.item_type if isinstance(option, inspect.ListType) else option for option in options]
    return [field.encode_name for one in structs if isinstance(one, inspect.StructType) for field in one.fields]
