"""From a request to the call that it means, and from a call back to a request.

What is sent to the desk is written from the operation's template and the typed shapes, never from what came in: path
tricks, unknown fields and smuggled headers end here.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import UNSET

from deskhand.catalogue.matching import Matcher, read_id
from deskhand.catalogue.operation import SLUG, AnyOperation, Asked, NoBody, One
from deskhand.catalogue.parsing import BODY_MOST, URI_MOST, parse_body
from deskhand.catalogue.problems import Problem, TooLarge, UriTooLong
from deskhand.catalogue.values import Ids, Names
from deskhand.gateway.calls import Request
from deskhand.gateway.clean import clean_query, require_clean_json, require_json_type, require_plain
from deskhand.lib.canonical import canonical_hash


class Unknown(Exception):
    """The request line is no operation's."""


class Unclean(Exception):
    """The operation is known, but not what is asked of it: the problem says why. Too long a request line has none."""

    def __init__(self, problem: Problem, operation: AnyOperation | None = None, path: tuple[int, ...] = ()) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.operation = operation
        self.path = path


def read(matcher: Matcher, request: Request) -> Asked:
    """The call that a request means; raises Unknown and Unclean.

    The path has to be as it stands in the request line, with whatever is percent-encoded: nothing has to be. A body
    where the operation takes none is dropped, as are unknown parameters and fields; HEAD is taken for GET.
    """
    if len(request.path) + len(request.query) > URI_MOST:
        raise Unclean(UriTooLong())
    operation, path, slug = _operation(matcher, request)
    try:
        query = clean_query(operation.query, request.query)
        body = _NO_BODY if operation.body is NoBody else _body(operation, request)
    except Problem as problem:
        raise Unclean(problem, operation, path) from None
    return Asked(operation, path, slug, query, body)


def written(asked: Asked, accept: str | None = None) -> Request:
    """The request that makes a call: read again, it is the same one.

    `accept` is what the answer shall be; it is passed on only where there is a choice.
    """
    operation = asked.operation
    headers: dict[str, str] = {}
    if accept and isinstance(operation.returns, One) and operation.returns.raw:
        headers["accept"] = accept
    body = b""
    if operation.body is not NoBody:
        headers["content-type"] = "application/json"
        body = msgspec.json.encode(_plain(asked.body))
    return Request(operation.method, path_of(asked), _query(asked.query), headers, body)


def path_of(asked: Asked) -> str:
    """The path of the request that makes a call."""
    return _template(asked.operation.path) % (*asked.path, *_slugs(asked))


def arguments(asked: Asked) -> dict[str, Any]:
    """A call's arguments as JSON values, by where they stand: `path`, `query`, `body`; without what is empty."""
    named = dict(zip(asked.operation.parameters, (*asked.path, *_slugs(asked)), strict=True))
    places = {"path": named, "query": _plain(asked.query), "body": _plain(asked.body)}
    return {place: given for place, given in places.items() if given}


def arguments_hash(asked: Asked) -> str:
    """What a call is known by: the SHA-256 of its operation and arguments as canonical JSON (RFC 8785)."""
    return canonical_hash({"operation": asked.operation.name, **arguments(asked)})


def readable(asked: Asked) -> dict[str, Any]:
    """A call's arguments as people may read them: of files their size, not what is in them, and no secrets."""
    found: dict[str, Any] = _readable(arguments(asked))
    return found


def _readable(given: Any) -> Any:
    if isinstance(given, list):
        return [_readable(one) for one in given]
    if not isinstance(given, dict):
        return given
    if isinstance(data := given.get("data"), str) and "mimeType" in given:
        given = given | {"data": f"{len(data) * 3 // 4:,} bytes"}
    if isinstance(given.get("secret"), str):
        given = given | {"secret": "…"}
    return {name: _readable(value) for name, value in given.items()}


# -- Reading

_NO_BODY = NoBody()
_SLUG = re.compile(r"[A-Za-z0-9_-]+")
"""Nothing else can be in one. Source: https://developer.helpscout.com/mailbox-api/endpoints/properties/create"""


def _operation(matcher: Matcher, request: Request) -> tuple[AnyOperation, tuple[int, ...], str]:
    match = matcher.match(request.path) if request.path.startswith("/") else None
    if match is None:
        raise Unknown
    operation = match.operations.get("GET" if request.method == "HEAD" else request.method)
    if operation is None:
        raise Unknown
    texts, slug = match.values, ""
    if operation.path.endswith(SLUG):
        texts, slug = texts[:-1], texts[-1]
        if not _SLUG.fullmatch(slug):
            raise Unknown
    path = tuple([id for text in texts if (id := read_id(text)) is not None])
    if len(path) < len(texts):
        raise Unknown
    return operation, path, slug


def _body(operation: AnyOperation, request: Request) -> Any:
    require_json_type(request.headers.get("content-type", ""))
    require_plain(request.headers.get("content-encoding", ""))
    if len(request.body) > BODY_MOST:
        raise TooLarge
    require_clean_json(request.body)
    return parse_body(operation.body, request.body)


# -- Writing


@cache
def _template(path: str) -> str:
    return re.sub(r"{\w+}", "%s", path)


def _slugs(asked: Asked) -> tuple[str, ...]:
    return (asked.slug,) if asked.operation.path.endswith(SLUG) else ()


def _query(query: msgspec.Struct) -> str:
    return "&".join([f"{name}={quote(_text(value), safe='')}" for name, value in _given(query)])


def _text(value: Any) -> str:
    if isinstance(value, Ids | Names):
        return ",".join(map(str, value)) or ","
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    """A shape, or what is in one, as JSON values."""
    if value is None or type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, msgspec.Struct):
        return {name: _plain(inner) for name, inner in _given(value)}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value]


_AS_THEY_ARE = frozenset((str, int, float, bool))


def _given(shape: msgspec.Struct) -> list[tuple[str, Any]]:
    """The fields of a shape that say anything, by their names on the wire."""
    found = []
    for attribute, name, always, default in _fields(type(shape)):
        value = getattr(shape, attribute)
        if value is not UNSET and (always or value != default):
            found.append((name, value))
    return found


@cache
def _fields(shape: type[msgspec.Struct]) -> tuple[tuple[str, str, bool, Any], ...]:
    """Of each field: its attribute, its name on the wire, whether it says something even by default, and its default.

    Where a value may be anything null is one too, as in replacing something by nothing.
    """
    return tuple(
        (field.name, field.encode_name, field.required or field.type is Any, field.default)
        for field in msgspec.structs.fields(shape)
    )
