"""What the sandbox's own paths have in common: reading a body, refusing it in words, pages for people."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from deskhand.catalogue.parsing import faults_of

T = TypeVar("T")

JSON_MOST = 256 * 1024
"""Bytes of a JSON body that are read."""
SAFE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_FIELD = re.compile(r"^Object (?:missing required|contains unknown) field `(?P<field>[^`]*)`")


class Refused(Exception):
    """A request that can't be done, and why; `path` is the field that is at fault."""

    def __init__(self, path: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.status = status


def route(method: str, path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    """One of the sandbox's own paths, whose endpoint may raise Refused."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as problem:
            return _answer_refused(problem)

    return Route(path, answer, methods=[method])


def _answer_refused(problem: Refused) -> JSONResponse:
    if problem.status != 400:
        return JSONResponse({"message": problem.message}, problem.status)
    return JSONResponse({"message": "Bad request", "errors": [{"path": problem.path, "message": problem.message}]}, 400)


async def read_bytes(request: Request, most: int) -> bytes:
    """A request's body; raises Refused when it is too large."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise Refused("body", "the body is too large", 413)
        pieces.append(piece)
    return b"".join(pieces)


async def read_json(request: Request, shape: type[T], *, optional: bool = False) -> T:
    """The JSON body, which may be left out where it is `optional`; raises Refused."""
    data = await read_bytes(request, JSON_MOST)
    if optional and not data:
        data = b"{}"
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.ValidationError as problem:
        raise _in_words(str(problem), msgspec.json.decode(data), shape) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused("body", "must be JSON") from None


def _in_words(problem: str, given: Any, shape: type) -> Refused:
    """What is wrong with a body that is JSON, and with which field."""
    at, words = _AT.search(problem), _AT.sub("", problem)
    path = at["path"] if at else ""
    if field := _FIELD.match(words):
        path = f"{path}.{field['field']}".lstrip(".")
        return Refused(path, "is required" if "missing" in words else "is not known here")
    fault = next(iter(faults_of(given, shape, "")), None)
    return Refused(path or "body", words) if fault is None else Refused(fault.path or "body", fault.message)


def wants_page(request: Request) -> bool:
    """Browsers name HTML before anything else; whoever asks for everything gets JSON."""
    return "text/html" in request.headers.get("accept", "")


def page(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page for people."""
    headers = SAFE | {"Content-Security-Policy": PAGE_POLICY, "Vary": "Accept"}
    return HTMLResponse(_PAGES.get_template(template).render(values), status, headers)
