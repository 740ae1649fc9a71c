"""What tools take and give as JSON Schema, derived from the catalogue's shapes; models get it without references."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from deskhand.catalogue.operation import AnyOperation, BareList, ListOf, NoBody, One, Report, WalkOf
from deskhand.catalogue.parsing import joined_names
from deskhand.catalogue.values import LARGEST_ID, schema_hook

Schema = dict[str, Any]

ID: Schema = {"type": "integer", "minimum": 1}
TEXT: Schema = {"type": "string", "minLength": 1}
_KINDS = ("string", "number", "boolean", "null", "object")
_ANYTHING: Schema = {
    "description": "In the form that the field has.",
    "anyOf": [*({"type": kind} for kind in _KINDS), {"type": "array", "items": {"type": "string"}}],
}
"""A value of any kind: some clients take none that does not say its type, and no list that does not say of what."""
WHOLE_BODY = "body"
"""The argument that is the whole body, where its fields can't be arguments of their own."""
_REF = "#/{name}"
_SEVERAL = "One, or a list of several."


def taken(operation: AnyOperation) -> Schema:
    """The arguments of an operation: its path and query parameters and its body's fields, flat."""
    properties: dict[str, Schema] = {name: TEXT if name == "slug" else ID for name in operation.parameters}
    required = list(operation.parameters)
    joined = joined_names(operation.query)
    for field in msgspec.structs.fields(operation.query):
        properties[field.encode_name] = _query_parameter(field, several=field.encode_name in joined)
    if body_fields(operation):
        body = of(operation.body)
        properties |= body["properties"]
        required += body.get("required", [])
    elif operation.body is not NoBody:
        properties[WHOLE_BODY] = of(operation.body)
        required.append(WHOLE_BODY)
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | ({"required": required} if required else {})


def body_fields(operation: AnyOperation) -> tuple[str, ...]:
    """The names of the body's fields that are arguments of their own; none where the body is one argument, or is not.

    It is one where it may be a list, and where a field has the name of a parameter.
    """
    body = operation.body
    if body is NoBody or not (isinstance(body, type) and issubclass(body, msgspec.Struct)):
        return ()
    names = tuple(field.encode_name for field in msgspec.structs.fields(body))
    others = {*operation.parameters, *(field.encode_name for field in msgspec.structs.fields(operation.query))}
    return () if others.intersection(names) else names


def given(operation: AnyOperation) -> Schema | None:
    """What an operation's tool gives, where that can be told in a few words; a held call has a form of its own."""
    number: Schema = {"type": "integer"}
    match operation.returns:
        case One() | Report():
            return None
        case BareList():
            properties: dict[str, Schema] = {"items": {"type": "array", "items": {"type": "object"}}}
        case WalkOf(key=key):
            properties = {key: {"type": "array", "items": {"type": "object"}}, "next_cursor": {"type": "string"}}
        case ListOf(key=key, paged=paged):
            properties = {key: {"type": "array", "items": {"type": "object"}}}
            if paged:
                properties |= {"page": number, "pages": number, "total": number}
        case _:
            properties = {
                "status": {"type": "string"}, "id": {"type": ["integer", "string"]}, "draft": {"type": "boolean"},
                "state": {"type": "string"},
                "approval_id": number, "until": {"type": "string"}, "ask": {"type": "string"},
                "message": {"type": "string"},
            }  # fmt: skip
    return {"type": "object", "properties": properties}


def of(kind: Any) -> Schema:
    """A shape's schema in one piece: no shape refers to itself."""
    (schema,), parts = msgspec.json.schema_components([kind], schema_hook=schema_hook, ref_template=_REF)
    return _whole(schema, parts)


def _whole(schema: Schema, parts: dict[str, Schema]) -> Schema:
    if "$ref" in schema:
        return _whole(parts[schema["$ref"].removeprefix("#/")], parts)
    if schema.keys() <= {"default"}:
        return _ANYTHING
    found: Schema = {"type": "string"} if all(isinstance(one, str) for one in schema.get("enum", (0,))) else {}
    for name, value in schema.items():
        if name == "title" or (name == "maximum" and value == LARGEST_ID):
            continue
        if name == "properties":
            value = {field: _optional(_whole(inner, parts)) for field, inner in value.items()}
        elif isinstance(value, dict):
            value = _whole(value, parts)
        elif name in ("anyOf", "oneOf", "prefixItems"):
            value = [_whole(inner, parts) for inner in value]
        found[name] = value
    return found


def _optional(schema: Schema) -> Schema:
    """A field that may be left out need not be offered as null too, which means the same."""
    if "default" not in schema or schema["default"] is not None:
        return schema
    return without_null({name: value for name, value in schema.items() if name != "default"})


def without_null(schema: Schema) -> Schema:
    """A schema that null does not fit."""
    if "enum" in schema:
        return schema | {"enum": [value for value in schema["enum"] if value is not None]}
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        (option,) = options
        return {**{name: value for name, value in schema.items() if name != "anyOf"}, **option}
    return schema | {"anyOf": options} if options else schema


@cache  # many parameters, few kinds
def _of_parameter(kind: Any) -> Schema:
    return without_null(of(kind))


def _query_parameter(field: msgspec.structs.FieldInfo, *, several: bool) -> Schema:
    schema = _of_parameter(field.type)
    if several:
        one = ID if "pattern" in schema else {"type": "string"}
        schema = {"anyOf": [one, {"type": "array", "items": one}], "description": _SEVERAL}
    if field.default not in (None, msgspec.NODEFAULT, msgspec.UNSET):
        schema = schema | {"default": field.default}
    return schema
