"""What a shape takes or gives, as rows of a table: name, kind, whether it is required, limits, choices."""

from __future__ import annotations

import typing
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import inspect

from deskhand.catalogue.values import LARGEST_ID, Email, Ids, Names, Recipient, WireTime, schema_hook
from deskhand.web.reference.words import FIELDS

_CUSTOM: dict[type, tuple[str, str]] = {
    WireTime: ("time", "UTC, such as 2026-11-20T12:02:25Z"),
    Email: ("e-mail address", ""),
    Recipient: ("e-mail address", ""),
    Ids: ("ids", "several joined by commas"),
    Names: ("texts", "several joined by commas"),
}


@dataclass(frozen=True)
class Row:
    """One field; `choices` are all values it takes, `default` is what a value left out means."""

    name: str
    kind: str
    required: bool
    limits: tuple[str, ...]
    choices: tuple[str, ...]
    default: str
    note: str


@dataclass
class Table:
    """The fields of one shape and every place in the JSON where it stands; the outermost stands at ""."""

    shape: str
    note: str
    rows: list[Row]
    places: list[str] = field(default_factory=list)


def tables(kind: Any) -> list[Table]:
    """The tables of a shape, or of a union or list of shapes, outermost first; each shape once."""
    found: dict[type, Table] = {}
    _collect(inspect.type_info(kind), "", found)
    return list(found.values())


def options(kind: inspect.Type) -> list[inspect.Type]:
    """The kinds a value may have, null and annotations left out."""
    if isinstance(kind, inspect.Metadata):
        return options(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [option for part in kind.types for option in options(part)]
    return [] if isinstance(kind, inspect.NoneType) else [kind]


def _collect(kind: inspect.Type, place: str, found: dict[type, Table]) -> None:
    for option in options(kind):
        if isinstance(option, inspect.StructType) and option.cls.__name__ != "Link":
            table = found.get(option.cls)
            if table is not None:
                if place not in table.places:
                    table.places.append(place)
                continue
            note = (option.cls.__doc__ or "").strip()
            declared = msgspec.structs.fields(option.cls)
            rows = [_row(option.cls.__name__, *pair) for pair in zip(option.fields, declared, strict=True)]
            found[option.cls] = Table(option.cls.__name__, note, rows, [place])
            for one in option.fields:
                _collect(one.type, f"{place}.{one.encode_name}" if place else one.encode_name, found)
        elif isinstance(option, inspect.ListType | inspect.VarTupleType):
            _collect(option.item_type, place + "[]", found)


def _row(shape: str, one: inspect.Field, declared: msgspec.structs.FieldInfo) -> Row:
    kinds = options(one.type)
    limits = [limit for kind in kinds for limit in _limits(kind)]
    choices = [str(choice) for kind in kinds if isinstance(kind, inspect.LiteralType) for choice in kind.values]
    if declared.default is msgspec.UNSET and len(kinds) < len(_parts(one.type)):
        limits.append("null has a meaning")
    default = "" if declared.default in (None, msgspec.UNSET, msgspec.NODEFAULT) else _shown(declared.default)
    note = FIELDS.get(f"{shape}.{one.encode_name}", FIELDS.get(one.encode_name, ""))
    return Row(
        one.encode_name, _words(kinds), one.required, tuple(dict.fromkeys(limits)), tuple(choices), default, note
    )


def _parts(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _words(kinds: list[inspect.Type]) -> str:
    return " or ".join(dict.fromkeys(_word(kind) for kind in kinds)) or "anything"


def _word(kind: inspect.Type) -> str:
    match kind:
        case inspect.StrType() | inspect.LiteralType():
            return "text"
        case inspect.IntType():
            return "integer"
        case inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "true or false"
        case inspect.BytesType():
            return "base64"
        case inspect.StructType() | inspect.DictType():
            return "object"
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return f"list of {_plural(_words(options(item)))}"
        case inspect.CustomType(cls=cls):
            return _CUSTOM[cls][0] if cls in _CUSTOM else str(schema_hook(cls).get("type", "text"))
    return "anything"


def _plural(word: str) -> str:
    special = {"anything": "anything", "e-mail address": "e-mail addresses", "true or false": "true or false"}
    return special.get(word, word + "s")


def _limits(kind: inspect.Type) -> list[str]:
    match kind:
        case inspect.IntType() | inspect.FloatType():
            return _bounds(kind)
        case inspect.StrType():
            return _lengths(kind.min_length, kind.max_length, "character")
        case inspect.ListType() | inspect.VarTupleType():
            inner = [limit for one in options(kind.item_type) for limit in _limits(one)]
            return [*_lengths(kind.min_length, kind.max_length, "element"), *(f"each {limit}" for limit in inner)]
        case inspect.CustomType(cls=cls) if cls in _CUSTOM and _CUSTOM[cls][1]:
            return [_CUSTOM[cls][1]]
    return []


def _bounds(kind: inspect.IntType | inspect.FloatType) -> list[str]:
    least, most = kind.ge, kind.le
    if most is None or most >= LARGEST_ID:
        return [] if least is None else [f"{least:,} or more"]
    return [f"at most {most:,}"] if least is None else [f"{least:,} to {most:,}"]


def _lengths(least: int | None, most: int | None, what: str) -> list[str]:
    if most is not None and least:
        return [f"{least:,} to {most:,} {what}s"]
    if most is not None:
        return [f"at most {most:,} {what}{'' if most == 1 else 's'}"]
    return ["not empty"] if least else []


def field_types(shape: type) -> dict[str, Any]:
    """The declared type of each field, by its name on the wire."""
    return {one.encode_name: one.type for one in msgspec.structs.fields(shape)}


def is_shape(kind: Any) -> typing.TypeGuard[type[msgspec.Struct]]:
    """Whether a type is one of the catalogue's shapes."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
