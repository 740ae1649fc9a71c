"""Example requests and answers of an operation, made from its shapes: the same ones every time."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import inspect

from deskhand.catalogue.links import Link
from deskhand.catalogue.operation import AnyOperation, BareList, ListOf, NoBody, Resource, WalkOf
from deskhand.catalogue.values import Email, Ids, Names, Recipient, WireTime, decode_hook
from deskhand.web.reference import samples
from deskhand.web.reference.shapes import field_types, options

_BY_KIND: dict[type, str] = {
    WireTime: "2026-11-20T12:02:25Z",
    Email: "joanne.halvorsen@quillmail.example",
    Recipient: "joanne.halvorsen@quillmail.example",
    Ids: "501",
    Names: "damaged",
}
FILLER = "lorem ipsum"
"""What stands where no sample fits; a test keeps it out of the pages."""

_DEEPEST = 6
_WIDEST = 52
_NONE_FITS = object()


@dataclass(frozen=True)
class Example:
    """A call as typed into a shell, and what comes back: a line about it, headers, and a body or "".

    `query` and `body` are the request's own parts, for tests to parse; "" where there is none.
    """

    curl: str
    query: str
    body: str
    answer_line: str
    answer: str


def example(operation: AnyOperation, base_url: str) -> Example:
    """The example of an operation on a desk at `base_url`."""
    path = path_of(operation)
    query, body = query_of(operation), body_of(operation)
    line, answer = _answer(operation, path, base_url)
    return Example(_curl(operation, base_url + path, query, body), query, body, line, answer)


def path_of(operation: AnyOperation) -> str:
    """The operation's path with example ids in it."""
    path = operation.path
    for name in operation.parameters:
        value = str(samples.IDS.get(name, 1)) if name.endswith("_id") else _slug(operation.path)
        path = path.replace(f"{{{name}}}", value)
    return path


def query_of(operation: AnyOperation) -> str:
    """The query string of the example, "" if none is needed."""
    given = samples.QUERIES.get(operation.name)
    if given is None:
        made = _struct(inspect.type_info(operation.query), _Request(), optional=False)
        given = {name: str(value) for name, value in made.items()}
    return urlencode(given, safe=",:")


def body_of(operation: AnyOperation) -> str:
    """The JSON body of the example, "" if the operation takes none."""
    if operation.body is NoBody:
        return ""
    body = samples.BODIES.get(operation.name)
    if body is None:
        body = _value(inspect.type_info(operation.body), _Request())
    return pretty(body)


def pretty(value: Any) -> str:
    """JSON as people like to read it: small objects and lists on one line."""
    return _pretty(value, 0)


def _pretty(value: Any, depth: int) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(flat) + depth * 2 <= _WIDEST or list(value) in ([], ["href"]):
        return flat
    inner = "  " * (depth + 1)
    if isinstance(value, dict):
        parts = [f"{json.dumps(name, ensure_ascii=False)}: {_pretty(one, depth + 1)}" for name, one in value.items()]
    else:
        parts = [_pretty(one, depth + 1) for one in value]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}\n{inner}" + f",\n{inner}".join(parts) + f"\n{'  ' * depth}{last}"


def _slug(path: str) -> str:
    return next((slug for start, slug in samples.SLUGS.items() if path.startswith(start)), "plan")


def _curl(operation: AnyOperation, url: str, query: str, body: str) -> str:
    method = "" if operation.method == "GET" else f"-X {operation.method} "
    address = f'"{url}?{query}"' if query else url
    lines = [f"curl {method}{address}"] if len(method + address) <= _WIDEST else [f"curl {method}".rstrip(), address]
    lines += ['-H "Authorization: Bearer $TOKEN"']
    if body:
        lines += ['-H "Content-Type: application/json"', f"-d {shlex.quote(body)}"]
    return " \\\n  ".join(lines)


def _answer(operation: AnyOperation, path: str, base_url: str) -> tuple[str, str]:
    returns: Any = operation.returns
    shape = getattr(returns, "shape", None)
    if returns.status == 201:
        return "201 Created", _created(operation, path, base_url)
    if returns.status != 200 or shape is None:
        return {202: "202 Accepted", 204: "204 No Content"}.get(returns.status, str(returns.status)), ""
    key, line = getattr(returns, "key", None), f"200 OK · {returns.media_type}"
    # What is listed has an id of its own behind the list's path.
    own = f"{path}/{_new_id(operation)}" if key or isinstance(returns, BareList) else path
    item = _value(inspect.type_info(shape), _Answer(base_url, own))
    for part in (*operation.path.split("/"), operation.name):
        if isinstance(item, dict):
            item |= {name: one for name, one in samples.ANSWERS.get(part, {}).items() if name in item}
    if isinstance(returns, BareList):
        return line, pretty([item])
    return line, pretty(_envelope(returns, item, base_url + path) if isinstance(returns, ListOf) else item)


def _created(operation: AnyOperation, path: str, base_url: str) -> str:
    """The headers that tell of something new."""
    if operation.resource is Resource.THREADS:
        path = path.rsplit("/", 1)[0] + "/threads"
    id, place = samples.CREATED.get(operation.name, (_new_id(operation), f"/{_new_id(operation)}"))
    return (f"Resource-ID: {id}\n" if id else "") + f"Location: {base_url}{path}{place}"


def _envelope(returns: ListOf, item: Any, url: str) -> dict[str, Any]:
    links = {"self": {"href": url}}
    made: dict[str, Any] = {"_embedded": {returns.key: [item]}, "_links": links}
    if isinstance(returns, WalkOf):
        links |= {"first": {"href": url}, "next": {"href": f"{url}?cursor={samples.SAMPLES['cursor']}"}}
    if returns.paged:
        links |= {"first": {"href": f"{url}?page=1"}, "last": {"href": f"{url}?page=1"}}
        made["page"] = {"size": returns.size, "totalElements": 1, "totalPages": 1, "number": 1}
    return made


_NEW = {
    "conversations": samples.CONVERSATION, "threads": samples.THREAD, "reply": samples.THREAD, "notes": samples.THREAD,
    "chats": samples.THREAD, "phones": samples.THREAD, "customer": samples.THREAD, "customers": samples.CUSTOMER,
    "attachments": samples.ATTACHMENT, "mailboxes": samples.INBOX, "folders": 5015, "users": samples.USER,
    "members": samples.USER, "teams": samples.TEAM, "tags": samples.TAG, "organizations": samples.ORGANIZATION,
    "workflows": 901, "webhooks": 12, "saved-replies": 7001,
}  # fmt: skip


def _new_id(operation: AnyOperation) -> int:
    last = operation.path.rsplit("/", 1)[-1]
    return 90_172 if operation.path.startswith("/v2/customers/") else _NEW.get(last, 1)


# -- Values


@dataclass(frozen=True)
class _Request:
    """Values for a request: what is not required is left out unless it is worth showing."""


@dataclass(frozen=True)
class _Answer:
    """Values for an answer: everything that fits the story; `path` is the resource's own."""

    base_url: str
    path: str


def _value(kind: inspect.Type, purpose: _Request | _Answer, depth: int = 0) -> Any:
    kinds = options(kind)
    if not kinds:
        return None
    first = kinds[0]
    match first:
        case inspect.StructType():
            return _struct(first, purpose, depth=depth)
        case inspect.ListType() | inspect.VarTupleType():
            return [] if depth > _DEEPEST else [_value(first.item_type, purpose, depth + 1)]
        case inspect.LiteralType():
            return first.values[0]
        case inspect.CustomType(cls=cls):
            return _BY_KIND.get(cls, FILLER)
        case inspect.IntType():
            return max(first.ge or 1, 1)
        case inspect.FloatType():
            return 12.5
        case inspect.BoolType():
            return True
        case inspect.BytesType():
            return "aGVsbG8="
        case inspect.DictType():
            return {}
    return FILLER


def _struct(
    kind: inspect.Type, purpose: _Request | _Answer, *, optional: bool = True, depth: int = 0
) -> dict[str, Any]:
    """An example of one shape. Where nothing is required, whatever has a sample stands for the rest."""
    assert isinstance(kind, inspect.StructType)
    shape, types = kind.cls.__name__, field_types(kind.cls)
    made: dict[str, Any] = {}
    for one in kind.fields:
        name = one.encode_name
        if not one.required and not (optional and _is_shown(kind, name, purpose)):
            continue
        if isinstance(purpose, _Answer) and name in samples.LEFT_OUT.get(shape, ()):
            continue
        if name == "_links":
            assert isinstance(purpose, _Answer)
            made[name] = _links(shape, purpose)
            continue
        found = _sample(shape, name, types[name])
        if found is _NONE_FITS and name == "id" and isinstance(purpose, _Answer) and depth == 0:
            last = purpose.path.rsplit("/", 1)[-1]
            found = int(last) if last.isdigit() else 1
        made[name] = _value(one.type, purpose, depth + 1) if found is _NONE_FITS else found
    return made


def _is_shown(kind: inspect.StructType, name: str, purpose: _Request | _Answer) -> bool:
    if isinstance(purpose, _Answer):
        return True
    shape = kind.cls.__name__
    if shape in samples.SHOWN:
        return name in samples.SHOWN[shape]
    known = [one.encode_name for one in kind.fields if _sample(shape, one.encode_name, Any) is not _NONE_FITS]
    return not any(one.required for one in kind.fields) and name in known[:5]


def _sample(shape: str, name: str, type: Any) -> Any:
    """The first sample that the field would take."""
    for key in (f"{shape}.{name}", name):
        if key in samples.SAMPLES:
            value = samples.SAMPLES[key]
            try:
                msgspec.convert(value, type, dec_hook=decode_hook)
            except msgspec.ValidationError:
                continue
            return value
    return _NONE_FITS


def _links(shape: str, purpose: _Answer) -> dict[str, dict[str, str]]:
    found = samples.LINKS.get(shape, {"self": purpose.path})
    return {name: {"href": Link(purpose.base_url + path).href} for name, path in found.items()}
