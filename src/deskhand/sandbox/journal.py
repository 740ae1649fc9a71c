"""The journal: the last requests at the sandbox's doors, and of each that was refused why, in words.

Kept in memory. It holds no credential, no body of a request, and of answers only what errors say.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.lib.clock import Clock, to_wire
from deskhand.oauth.bearer import read_bearer
from deskhand.sandbox.http import SAFE, Refused, page, route, wants_page

MOST = 1_000
"""Requests that are remembered."""
SHOWN = 100
"""Requests that are shown to whoever names no limit."""
DOORS = ("/v2", "/v3", "/mcp", "/admin/v1")
"""How the paths begin that the journal is about."""
_ERROR_MOST, _PATH_MOST, _WORDS_MOST = 8_192, 500, 1_000
_KNOWN_MOST = 1_000
_HIDDEN = ("token", "secret", "code", "key", "password")
_MESSAGE = re.compile(rb'"message":\s*("[^"\\\x00-\x1f]*")')
_LOST = 499  # the caller went away before there was an answer
_MATCHER = Matcher(OPERATIONS)


class Who(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who made a request: an application and the user it acts as, an agent, an administrator, or nobody known."""

    kind: str
    name: str = ""
    id: int | None = None
    user_id: int | None = None


NOBODY = Who("nobody")


class _Entry(NamedTuple):
    """A request as it is remembered; what costs time is worked out when somebody looks."""

    id: int
    at: datetime
    method: str
    path: str
    query: bytes
    who: Who
    status: int
    seconds: float
    error: bytes


class Journal:
    """An ASGI application in front of all doors that remembers what passed.

    `find` tells whose a credential is; what it said is remembered under the credential's hash.
    """

    def __init__(self, doors: ASGIApp, clock: Clock, find: Callable[[str], Awaitable[Who]]) -> None:
        self._doors = doors
        self._clock = clock
        self._find = find
        self._known: dict[bytes, Who] = {}
        self._entries: deque[_Entry] = deque(maxlen=MOST)
        self._last = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(DOORS):
            await self._doors(scope, receive, send)
            return
        at, began = self._clock.now(), time.perf_counter()
        status, error = _LOST, b""

        async def watch(message: Message) -> None:
            nonlocal status, error
            if message["type"] == "http.response.start":
                status = message["status"]
            elif status >= 400 and len(error) < _ERROR_MOST:
                error += message.get("body", b"")[:_ERROR_MOST]
            await send(message)

        try:
            await self._doors(scope, receive, watch)
        finally:
            seconds = time.perf_counter() - began
            who = await self._who(scope)
            self._last += 1
            path, query = scope["path"][:_PATH_MOST], scope["query_string"][:_PATH_MOST]
            self._entries.append(_Entry(self._last, at, scope["method"], path, query, who, status, seconds, error))

    def newest(self) -> Iterator[_Entry]:
        """What is remembered, the newest first."""
        return reversed(self._entries)

    def forget(self) -> None:
        """Remember nothing of what was."""
        self._entries.clear()

    def forget_people(self) -> None:
        """Credentials may stand for others now, for the data was replaced."""
        self._known.clear()

    async def _who(self, scope: Scope) -> Who:
        given = _credential(scope)
        if given is None:
            return NOBODY
        hashed = sha256(given.encode()).digest()
        known = self._known.get(hashed)
        if known is None:
            if len(self._known) >= _KNOWN_MOST:
                self._known.clear()
            known = self._known[hashed] = await self._find(given)
        return known


def _credential(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            return read_bearer(value.decode("latin-1"))
    return None


# -- What is shown of it


def routes(journal: Journal) -> list[Route]:
    """The path /sandbox/journal."""

    async def get_journal(request: Request) -> Response:
        found = _Chosen.of(request).among(journal)
        if not wants_page(request):
            return JSONResponse({"requests": found}, headers=SAFE | {"Vary": "Accept"})
        return page("journal.html", requests=found, chosen=request.query_params.get("status", ""), most=MOST)

    async def delete_journal(_: Request) -> Response:
        journal.forget()
        return Response(status_code=204)

    return [
        route("GET", "/sandbox/journal", get_journal),
        route("DELETE", "/sandbox/journal", delete_journal),
    ]


class _Chosen(NamedTuple):
    """Which requests are asked for: a status such as 404 or 4xx, an operation, how many at most."""

    status: str
    operation: str
    limit: int

    @classmethod
    def of(cls, request: Request) -> _Chosen:
        given = request.query_params
        status, operation, limit = given.get("status", ""), given.get("operation", ""), given.get("limit", "")
        if status and not (len(status) == 3 and status[0] in "12345" and (status[1:] == "xx" or _is_number(status))):
            raise Refused("status", "must be a status such as 404, or a class of them such as 4xx")
        if operation and operation not in BY_NAME:
            raise Refused("operation", "no such operation; see /openapi.json for their names")
        if limit and not (_is_number(limit) and 1 <= int(limit) <= MOST):
            raise Refused("limit", f"must be a number from 1 to {MOST}")
        return cls(status, operation, int(limit or SHOWN))

    def among(self, journal: Journal) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for entry in journal.newest():
            if self.status and str(entry.status) != self.status and f"{entry.status // 100}xx" != self.status:
                continue
            if self.operation and _operation(entry) != self.operation:
                continue
            found.append(_shown(entry))
            if len(found) == self.limit:
                break
        return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6


def _operation(entry: _Entry) -> str | None:
    match = _MATCHER.match(entry.path)
    operation = match.operations.get("GET" if entry.method == "HEAD" else entry.method) if match else None
    return operation.name if operation else None


def _shown(entry: _Entry) -> dict[str, Any]:
    shown = {
        "id": entry.id,
        "at": to_wire(entry.at),
        "method": entry.method,
        "path": entry.path,
        "query": _harmless(entry.query),
        "operation": _operation(entry),
        "who": msgspec.to_builtins(entry.who),
        "status": entry.status,
        "ms": round(entry.seconds * 1000, 2),
    }
    return shown | _why(entry) if entry.status >= 400 else shown


def _harmless(query: bytes) -> dict[str, str]:
    """The query without whatever might be a credential."""
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return {name: "…" if any(part in name.lower() for part in _HIDDEN) else value for name, value in given}


def _why(entry: _Entry) -> dict[str, Any]:
    """Why a request was refused: in words, and apart for programs."""
    try:
        body = msgspec.json.decode(entry.error)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"reason": _bounded(_first_words(entry.error) or _hint(entry))}
    if not isinstance(body, dict):
        return {"reason": _hint(entry)}
    fields = [
        {"path": one.get("path"), "message": one.get("message")}
        for one in (body.get("_embedded") or {}).get("errors") or []
    ]
    said = body.get("message") or body.get("error_description") or ""
    words = [said, *(f"{one['path']} {one['message']}" for one in fields), _hint(entry)]
    why = {"reason": _bounded("; ".join(filter(None, words))), "fields": fields}
    code = body.get("reason") or body.get("error")
    told = {"log_ref": body.get("logRef"), "code": code, "needs": body.get("missing")}
    return why | {name: value for name, value in told.items() if value}


def _first_words(error: bytes) -> str:
    """What can be said of an error that is no JSON, or too long to be kept: never values, which may be secrets."""
    if not error.startswith((b"{", b"[")):
        return error.decode(errors="replace")
    found = _MESSAGE.search(error)
    return msgspec.json.decode(found[1], type=str) if found else "the answer is too long to be kept"


def _hint(entry: _Entry) -> str:
    """What the answer could not say, because it is not to tell strangers; or what a client sees without its body."""
    if entry.status == _LOST:
        return "the caller went away before there was an answer"
    if entry.status != 404 or not entry.path.startswith(("/v2", "/v3")):
        return ""
    if _MATCHER.match(entry.path) is None:
        return "no operation has this path"
    return "there is no such thing, or not for whoever asks"


def _bounded(text: str) -> str:
    return text if len(text) <= _WORDS_MOST else text[: _WORDS_MOST - 1] + "…"
