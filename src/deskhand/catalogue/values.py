"""The kinds of value that fields carry, and how each is checked: times, addresses, ids, choices."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from deskhand.lib.clock import from_wire

LARGEST_ID = 2**63 - 1

Id = Annotated[int, Meta(ge=1, le=LARGEST_ID)]
"""An id as it comes in; ids need 64 bits."""

OwnerId = Annotated[int, Meta(ge=2, le=LARGEST_ID)]
"""A user or team that can own a conversation. Source: changelog of 2025-03-24, owner ids are greater than 1."""

PageNumber = Annotated[int, Meta(ge=1, le=1_000_000_000)]

NonEmpty = Annotated[str, Meta(min_length=1)]

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@[^\s@<>()\[\],;:\"\\]{1,255}")

T = TypeVar("T")


class WireTime(str):
    """A time as on the wire; fractions of a second and offsets are refused."""

    __slots__ = ()


class Email(str):
    """An e-mail address; spaces around it are dropped."""

    __slots__ = ()


class Recipient(str):
    """An address a copy goes to, given as a text or as an object with `email`."""

    __slots__ = ()


class Ids(tuple[int, ...]):
    """Ids in one query parameter, joined by commas."""

    __slots__ = ()


class Names(tuple[str, ...]):
    """Names in one query parameter, joined by commas."""

    __slots__ = ()


def decode_hook(kind: type, given: Any) -> Any:
    """Make one of the kinds above out of a JSON value; raises ValueError in words."""
    if kind is WireTime:
        return _time(given)
    if kind is Email:
        return _email(given)
    if kind is Recipient:
        return Recipient(_email(given.get("email") if isinstance(given, dict) else given))
    if kind is Ids:
        return Ids(_id(part) for part in str(given).split(",") if part.strip())
    if kind is Names:
        return Names(part.strip() for part in str(given).split(",") if part.strip())
    raise NotImplementedError(kind)


def schema_hook(kind: type) -> dict[str, Any]:
    """How the kinds above are described in a JSON schema."""
    if kind is WireTime:
        return {"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
    if kind is Email:
        return {"type": "string", "format": "email"}
    if kind is Recipient:
        address = {"type": "string", "format": "email"}
        return {"anyOf": [address, {"type": "object", "properties": {"email": address}, "required": ["email"]}]}
    if kind is Ids:
        return {"type": "string", "pattern": r"^\d+(,\d+)*$"}
    if kind is Names:
        return {"type": "string"}
    raise NotImplementedError(kind)


def _time(given: Any) -> WireTime:
    if not isinstance(given, str):
        raise ValueError("must be a string")
    from_wire(given)
    return WireTime(given)


def _email(given: Any) -> Email:
    address = given.strip() if isinstance(given, str) else ""
    if not _ADDRESS.fullmatch(address):
        raise ValueError("not a well-formed email address")
    return Email(address)


def _id(text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise ValueError("must be ids joined by commas")
    return int(text)


_EMPTY_LIST = msgspec.Raw(b"[]")


def stored(kind: type[T], json: str) -> T:
    """A field's value that is kept as JSON in its wire form: it goes into the answer unparsed."""
    return _EMPTY_LIST if json == "[]" else msgspec.Raw(json.encode())  # type: ignore[return-value]


def lower_camel(name: str) -> str:
    """`customer_id` as it is written on the wire, `customerId`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


class Shape(msgspec.Struct, rename=lower_camel, kw_only=True, gc=False):
    """The base of every request and response shape: camelCase outside, unknown fields ignored.

    Shapes never refer to themselves, so the garbage collector need not look at them.
    """
