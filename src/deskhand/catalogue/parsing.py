"""From the bytes of a request to the typed shapes its operation declares; every fault named by its path.

The whole shape is converted at once; only when that fails is it taken field by field, to find all that is wrong.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec

from deskhand.catalogue.problems import BadRequest, FieldError, FieldSource, InvalidJson, empty, shown
from deskhand.catalogue.values import LARGEST_ID, Email, Ids, Names, Recipient, Shape, WireTime, decode_hook

T = TypeVar("T")
S = TypeVar("S", bound=Shape)

BODY_MOST = 25 * 1024 * 1024
"""Bytes of a request body. Source: our choice; an attachment of 10 MB takes 13.4 MB as base64."""
URI_MOST = 16 * 1024
"""Characters of a path with its query. Source: our choice; the original's answer to longer ones is 414."""
FAULTS_MOST = 100
"""Faults after which no more are looked for in a list. Source: our choice; thousands take seconds to find."""
JSON_TYPES = ("application/json", "application/json-patch+json", "application/hal+json", "")
"""The media types that a JSON body may come with; clients that name none mean JSON."""

_JOINED = (Ids, Names)
_REMEMBERED_MOST = 100  # characters of a query string


def parse_query(shape: type[S], text: str) -> S:
    """Read a query string; raises BadRequest naming the parameters at fault.

    Clients ask the same few queries again and again, so short ones are remembered: never change what this gives.
    """
    return _remembered(shape, text) if len(text) < _REMEMBERED_MOST else _parse_query(shape, text)


def _parse_query(shape: type[S], text: str) -> S:
    given: dict[str, Any] = {}
    for name, value in parse_qsl(text, errors="replace"):
        # A list may be given as one joined parameter or by repeating it; of anything else the first counts.
        if name not in given:
            given[name] = value
        elif name in joined_names(shape):
            given[name] += "," + value
    _refuse_nul(given, "", "QUERY")
    try:
        return msgspec.convert(given, shape, strict=False, dec_hook=decode_hook)
    except msgspec.ValidationError:
        raise BadRequest(*_faults(given, shape, "", "QUERY", strict=False)) from None


_remembered = lru_cache(maxsize=2048)(_parse_query)


def parse_body(shape: type[T], body: bytes) -> T:
    """Read a JSON body; raises InvalidJson, or BadRequest naming the fields at fault."""
    try:
        parsed = msgspec.json.decode(body, type=shape, dec_hook=decode_hook)
        if b"\\u0000" in body:
            _refuse_nul(msgspec.json.decode(body), "", "JSON")
        return parsed
    except msgspec.ValidationError:
        raise _refused_body(shape, body) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidJson from None


def _refused_body(shape: Any, body: bytes) -> BadRequest | InvalidJson:
    """What is wrong with a body that is JSON, but not of the shape."""
    try:
        raw = msgspec.json.decode(body)
        if not isinstance(raw, _json_types(shape)):
            return InvalidJson()
        faults = _faults(raw, shape, "", "JSON", strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return InvalidJson()
    return BadRequest(*faults) if faults else InvalidJson()


def _json_types(shape: Any) -> tuple[type, ...]:
    """The JSON types that a body may have."""
    return tuple(list if get_origin(kind) is list else dict for kind in _kinds(shape))


_joined: dict[type, frozenset[str]] = {}


def joined_names(shape: type[Shape]) -> frozenset[str]:
    """The query parameters that take several values, joined by commas or by repeating them."""
    names = _joined.get(shape)
    if names is None:
        fields = msgspec.structs.fields(shape)
        names = frozenset(f.encode_name for f in fields if any(kind in _JOINED for kind in _kinds(f.type)))
        _joined[shape] = names
    return names


def faults_of(value: Any, kind: Any, path: str) -> list[FieldError]:
    """Everything that is wrong with a value out of JSON that ought to be of a kind, each fault named by its place."""
    return _faults(value, kind, path, "JSON", strict=True)


def _refuse_nul(value: Any, path: str, source: FieldSource) -> None:
    """NUL can't be stored as text in PostgreSQL, and nobody means it."""
    if isinstance(value, str):
        if "\0" in value:
            raise BadRequest(FieldError(path, "may not contain the character NUL", "Size", source=source))
    elif isinstance(value, dict):
        for name, inner in value.items():
            _refuse_nul(name, path, source)
            _refuse_nul(inner, _join(path, name), source)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            _refuse_nul(inner, f"{path}[{position}]", source)


def _faults(value: Any, kind: Any, path: str, source: FieldSource, *, strict: bool) -> list[FieldError]:
    """Everything that is wrong with a value, in the order of the shape's fields."""
    try:
        msgspec.convert(value, kind, strict=strict, dec_hook=decode_hook)
    except msgspec.ValidationError as problem:
        inner = _faults_inside(value, kind, path, source, strict=strict)
        return inner or [_fault(value, kind, path, source, str(problem))]
    return []


def _faults_inside(value: Any, kind: Any, path: str, source: FieldSource, *, strict: bool) -> list[FieldError]:
    found: list[FieldError] = []
    for option in _kinds(kind):
        if isinstance(option, type) and issubclass(option, msgspec.Struct) and isinstance(value, dict):
            for field in msgspec.structs.fields(option):
                name = field.encode_name
                if value.get(name) is None and field.required:
                    found.append(FieldError(_join(path, name), "may not be empty", "NotEmpty", source=source))
                elif name in value:
                    found += _faults(value[name], field.type, _join(path, name), source, strict=strict)
        elif get_origin(option) is list and isinstance(value, list):
            for position, inner in enumerate(value):
                if len(found) >= FAULTS_MOST:
                    break
                found += _faults(inner, get_args(option)[0], f"{path}[{position}]", source, strict=strict)
    return found


def _fault(value: Any, kind: Any, path: str, source: FieldSource, problem: str) -> FieldError:
    """One fault in the API's words, from the kind of value that was expected."""
    rejected = shown(value)
    for option in _kinds(kind):
        choices = (
            get_args(option) if get_origin(option) is not None and str(option).startswith("typing.Literal") else ()
        )
        if choices:
            listed = ", ".join(f"'{choice}'" for choice in choices)
            return FieldError(path, f"Expected one of these: {listed}", "EnumValue", rejected, source)
        if option is WireTime:
            return FieldError(path, "must be an ISO 8601 date yyyy-MM-dd'T'HH:mm:ss'Z'", "DateFormat", rejected, source)
        if option in (Email, Recipient):
            return FieldError(path, "not a well-formed email address", "Email", rejected, source)
    if value == "" and "length >= 1" in problem:
        error = empty(path)
        return FieldError(error.path, error.message, error.anchor, source=source)
    anchor = "Size" if "length" in problem else "ValidIdentifier" if _is_id(kind) else "Min"
    return FieldError(path, _worded(problem), anchor, rejected, source)


_WORDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "bytes": "a base64 text",
}


def _worded(problem: str) -> str:
    problem = problem.split(" - at `")[0]
    if "base64" in problem:
        return "must be base64"
    limit = re.search(r"of length (<=|>=) (\d+)", problem)
    if limit:
        return f"must have {'at most' if limit[1] == '<=' else 'at least'} {limit[2]} elements or characters"
    limit = re.search(r"(<=|>=|<|>) (-?\d+)", problem)
    if limit:
        return f"must be {limit[1]} {limit[2]}"
    kind = re.match(r"Expected `([^`]+)`", problem)
    if kind:
        names = [_WORDS.get(part.strip(), part.strip()) for part in kind[1].split("|") if part.strip() != "null"]
        return "must be " + " or ".join(names)
    return problem


def _kinds(kind: Any) -> list[Any]:
    """The kinds a field may have: unions taken apart, annotations and None left out."""
    if hasattr(kind, "__metadata__"):
        return _kinds(get_args(kind)[0])
    if get_origin(kind) is not None and type(None) is not kind and _is_union(kind):
        return [inner for part in get_args(kind) if part is not type(None) for inner in _kinds(part)]
    return [kind]


def _is_id(kind: Any) -> bool:
    """Whether a field takes an id, or ids: what has the bounds of one."""
    if any(isinstance(one, msgspec.Meta) and one.le == LARGEST_ID for one in getattr(kind, "__metadata__", ())):
        return True
    return kind is Ids or any(_is_id(inner) for inner in get_args(kind))


def _is_union(kind: Any) -> bool:
    return "Union" in str(get_origin(kind))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
