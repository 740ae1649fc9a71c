"""Requests that can be read in one way only: whatever two readers could take for different things is refused.

What is refused is answered in the API's own words. What passes can still be of the wrong shape.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

import msgspec

from deskhand.catalogue.parsing import JSON_TYPES, joined_names, parse_query
from deskhand.catalogue.problems import BadRequest, FieldError, FieldSource, InvalidJson, shown
from deskhand.catalogue.values import Shape

S = TypeVar("S", bound=Shape)

DEEPEST_NESTING = 32
"""Lists and objects within one another. Source: our choice; the deepest shape of the API has six."""
ELEMENTS_MOST = 200_000
"""What a body may have of commas and opening brackets, those in texts included. Source: our choice.

Nothing that the API takes comes near; each element takes memory many times its length, even where it is dropped.
"""
_REMEMBERED_MOST = 100  # characters of a query string
_NAME_MOST = 200


def clean_query(shape: type[S], text: str) -> S:
    """Read a query string in which each parameter stands once; those that the shape does not know are dropped.

    Short ones are remembered, as the API does: never change what this gives. Raises BadRequest.
    """
    return _remembered(shape, text) if len(text) < _REMEMBERED_MOST else _clean_query(shape, text)


def _clean_query(shape: type[S], text: str) -> S:
    if not text.isascii():
        raise BadRequest(FieldError("", "must be percent-encoded", "Pattern", source="QUERY"))
    try:
        given = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest(FieldError("", "must be UTF-8, percent-encoded", "Pattern", source="QUERY")) from None
    once = {field.encode_name for field in msgspec.structs.fields(shape)} - joined_names(shape)
    names = [name for name, _ in given if name in once]
    for name in names:
        if names.count(name) > 1:
            _refuse_twice(name, "QUERY")
    return parse_query(shape, text)


_remembered = lru_cache(maxsize=2048)(_clean_query)


def require_json_type(content_type: str) -> None:
    """Raises BadRequest unless a body of this media type is read as JSON in UTF-8."""
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip().lower() not in JSON_TYPES:
        raise BadRequest(FieldError("Content-Type", "must be application/json", "MediaType", shown(content_type)))
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().lower().partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise BadRequest(FieldError("Content-Type", "must be in UTF-8", "MediaType", shown(content_type)))


def require_plain(encoding: str) -> None:
    """Raises BadRequest for a body that is encoded in some way, or says so: nobody here would decode it."""
    if encoding.strip().lower() not in ("", "identity"):
        text = "must be identity, as without this header"
        raise BadRequest(FieldError("Content-Encoding", text, "MediaType", shown(encoding), "HEADER"))


def require_clean_json(body: bytes) -> None:
    """Raises InvalidJson for what is no JSON in UTF-8, BadRequest for names given twice and for too deep nesting."""
    nested = body.count(b"[") + body.count(b"{")
    if nested + body.count(b",") > ELEMENTS_MOST:
        raise BadRequest(FieldError("", f"may have at most {ELEMENTS_MOST} elements", "Size"))
    try:
        text = body.decode()
        value = _ONCE.decode(text)
    except _Twice:
        _refuse_twice(_first_twice(text), "JSON")
    except (ValueError, RecursionError):  # a byte order mark too
        raise InvalidJson from None
    if nested > DEEPEST_NESTING and _is_deep(value):
        raise BadRequest(FieldError("", f"may be nested at most {DEEPEST_NESTING} deep", "Size"))


class _Twice(Exception):
    """An object has a name more than once."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) < len(pairs):
        raise _Twice
    return named


class _Pairs(list[tuple[str, Any]]):
    """An object with its names as they were written."""


# Numbers stay as they are written, for Python reads none of very many digits.
_ONCE = json.JSONDecoder(object_pairs_hook=_once, parse_int=str, parse_float=str)
_AS_WRITTEN = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=str, parse_float=str)


def _first_twice(text: str) -> str:
    """Where in a body a name stands twice."""
    try:
        left: list[tuple[str, Any]] = [("", _AS_WRITTEN.decode(text))]
    except (ValueError, RecursionError):
        raise InvalidJson from None
    while left:
        path, value = left.pop()
        if isinstance(value, _Pairs):
            seen: set[str] = set()
            for name, inner in value:
                here = _at(path, f".{name}" if path else name)
                if name in seen:
                    return here
                seen.add(name)
                left.append((here, inner))
        elif isinstance(value, list):
            left += ((_at(path, f"[{position}]"), inner) for position, inner in enumerate(value))
    return ""


def _at(path: str, step: str) -> str:
    return f"{path}{step[:_NAME_MOST]}"[:_NAME_MOST]


def _refuse_twice(path: str, source: FieldSource) -> NoReturn:
    raise BadRequest(FieldError(path, "is given more than once", "Unique", source=source))


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST_NESTING):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
