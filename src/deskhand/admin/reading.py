"""What an administrator sends, taken strictly: a name that is not known, or given twice, is an error."""

from __future__ import annotations

import json
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from deskhand.catalogue.operation import NoBody
from deskhand.catalogue.parsing import parse_body, parse_query
from deskhand.catalogue.problems import BadRequest, FieldError, FieldSource, InvalidJson, UnsupportedMediaType
from deskhand.catalogue.values import Shape

S = TypeVar("S", bound=Shape)

JSON = ("application/json", "")
"""Media types of bodies; clients that name none mean JSON."""


class _Twice(ValueError):
    """An object has a name twice."""


def read_query(shape: type[S], text: str) -> S:
    """Read a query string; raises BadRequest naming the parameters at fault."""
    given = parse_qsl(text, keep_blank_values=True, errors="replace")
    names = [name for name, _ in given]
    faults = _unknown(names, shape, "QUERY")
    faults += [_fault(name, "is given twice", "QUERY") for name in dict.fromkeys(names) if names.count(name) > 1]
    if faults:
        raise BadRequest(*faults)
    return parse_query(shape, text)


def read_body(shape: Any, media_type: str, body: bytes, *, optional: bool) -> Any:
    """Read a JSON object; raises UnsupportedMediaType, InvalidJson, or BadRequest naming the fields at fault."""
    if shape is NoBody:
        return NoBody()
    if optional and not body:
        return shape()
    if media_type.partition(";")[0].strip().lower() not in JSON:
        raise UnsupportedMediaType
    given = _object(body)
    if isinstance(shape, type) and issubclass(shape, Shape) and (faults := _unknown(given, shape, "JSON")):
        raise BadRequest(*faults)
    return parse_body(shape, body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body.decode(), object_pairs_hook=_once)
    except _Twice as problem:
        raise BadRequest(_fault(str(problem), "is given twice", "JSON")) from None
    except (ValueError, RecursionError):
        raise InvalidJson from None
    if not isinstance(given, dict):
        raise InvalidJson
    return given


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name in given:
            raise _Twice(name)
        given[name] = value
    return given


def _unknown(names: Any, shape: type[Shape], source: FieldSource) -> list[FieldError]:
    known = {field.encode_name for field in msgspec.structs.fields(shape)}
    return [_fault(name, "is not known here", source) for name in dict.fromkeys(names) if name not in known]


def _fault(path: str, words: str, source: FieldSource) -> FieldError:
    return FieldError(path[:200], words, "ValidIdentifier", source=source)
