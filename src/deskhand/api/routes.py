"""The one path every API call takes: who, how much, what, then the operation's handler on its lane, then the answer."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from deskhand.api import hal
from deskhand.api.accept import prefers
from deskhand.api.errors import Answer, answer_problem, answer_unauthorized
from deskhand.api.files import base64_json
from deskhand.api.metrics import Metrics
from deskhand.api.rate_limit import Budget, RateLimit
from deskhand.catalogue import problems
from deskhand.catalogue.matching import Match, Matcher, read_id
from deskhand.catalogue.operation import SLUG, AnyOperation, BareList, ListOf, NoBody, One, cost
from deskhand.catalogue.parsing import BODY_MOST, JSON_TYPES, URI_MOST, parse_body, parse_query
from deskhand.catalogue.problems import Problem
from deskhand.db.engine import Conflict, Database, Duplicate, LaneName, Unavailable, Writer
from deskhand.desk.call import (
    AS_AGENT,
    Accepted,
    All,
    Call,
    Created,
    FileData,
    Implementation,
    MovedTo,
    Page,
    Raw,
    Result,
    Walked,
    Witness,
)
from deskhand.lib.blobs import Blob, BlobStore
from deskhand.lib.clock import Clock, to_wire
from deskhand.oauth.bearer import Bearers, Unauthorized

log = logging.getLogger("deskhand.api")

BODY_WAIT_S = 60
_EXPOSED = (
    "X-RateLimit-Limit-Minute, X-RateLimit-Remaining-Minute, X-RateLimit-Retry-After, Retry-After, "
    "Resource-ID, Location, Correlation-Id"
)
_CORS = ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _EXPOSED.encode()))
_PREFLIGHT = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, Accept, Idempotency-Key"),
    (b"access-control-max-age", b"86400"),
)


_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""What a hexadecimal digit becomes where a UUID says that it is one."""


class _Gone(Exception):
    """The client closed the connection before its request was whole."""


class _Request(msgspec.Struct, frozen=True):
    method: str
    path: str
    query: str
    headers: dict[bytes, bytes]
    receive: Receive


class Api:
    """The Mailbox API as an ASGI application."""

    def __init__(
        self,
        operations: Iterable[AnyOperation],
        implementations: Mapping[str, Implementation],
        database: Database,
        bearers: Bearers,
        rate_limit: RateLimit,
        blobs: BlobStore,
        clock: Clock,
        base_url: str,
        metrics: Metrics,
        unused: Callable[[Writer, int, Sequence[str], str], None],
        witness: Witness,
    ) -> None:
        """`unused` is told the hashes of files that were stored for a call which was then refused.

        `witness` is told of what users' calls change that account is kept of; agents' calls are in the log as such.
        """
        self._matcher = Matcher(operations)
        self._implementations = implementations
        self._database = database
        self._bearers = bearers
        self._rate_limit = rate_limit
        self._blobs = blobs
        self._clock = clock
        self._base = base_url
        self._metrics = metrics
        self._unused = unused
        self._witness = witness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        correlation_id = _new_id()
        scope["correlation_id"] = correlation_id
        if scope["method"] == "OPTIONS":
            await _send_preflight(send, correlation_id)
            return
        query = scope["query_string"].decode("latin-1")
        request = _Request(scope["method"], scope["path"], query, dict(scope["headers"]), receive)
        started = time.perf_counter()
        answer, budget, data = await self._answer(request, correlation_id, scope)
        await _send(send, request.method, answer, budget, correlation_id, data)
        seconds, operation = time.perf_counter() - started, scope.get("operation")
        self._metrics.called(operation, answer.status, seconds)
        if log.isEnabledFor(logging.INFO):
            particulars = {"operation": operation, "status": answer.status, "milliseconds": round(seconds * 1000, 2)}
            log.info(
                "%s %s %d",
                request.method,
                request.path,
                answer.status,
                extra={"correlation_id": correlation_id, **particulars},
            )

    async def _answer(
        self, request: _Request, correlation_id: str, scope: Scope
    ) -> tuple[Answer, Budget | None, AsyncIterator[bytes] | None]:
        budget: Budget | None = None
        try:
            if len(scope.get("raw_path") or b"") + len(request.query) > URI_MOST:
                raise problems.UriTooLong
            agent = scope.get(AS_AGENT)
            if agent is None:
                actor = await self._bearers.actor(_header(request, b"authorization"))
            else:
                actor = await self._bearers.agent(agent)
            limit = actor.policy.rate_limit
            budget = self._rate_limit.left(actor.account_id, limit)
            budget = await self._rate_limit.spend(actor.account_id, limit, cost(request.method))
            operation, path, slug = self._operation(request)
            scope["operation"] = operation.name
            body = await self._body(operation, request)
            parsed_query = parse_query(operation.query, request.query)
            parsed_body = await self._parse(operation, body)
            implementation = self._implementations[operation.name]
            stored = await self._store(implementation, parsed_body)
            now = to_wire(self._clock.now())
            raw = _prefers_raw(operation, request)
            witness = self._witness if agent is None else None

            def call(tx: Any) -> Answer | FileData:
                made = Call(
                    tx, actor, path, parsed_query, parsed_body, now, self._base, self._blobs, stored, slug, raw,
                    witness,
                )  # fmt: skip
                return self._render(operation, request, implementation.handler(made))

            if operation.method == "GET":
                narrowed = actor.only is not None and implementation.slow_narrowed
                lane: LaneName = "slow" if narrowed or implementation.slow(parsed_query) else "fast"
                result = await self._database.read(call, lane)
            else:
                try:
                    result = await self._database.write(call)
                except Problem:
                    await self._forget(actor.account_id, stored, now)
                    raise
            if isinstance(result, FileData):
                return Answer(200, b"", "application/hal+json"), budget, base64_json(result.file)
            return result, budget, None
        except Unauthorized as problem:
            return answer_unauthorized(problem), None, None
        except Problem as problem:
            return answer_problem(problem, correlation_id), budget, None
        except (Unavailable, Conflict, Duplicate) as problem:
            log.warning("%s", problem, extra={"correlation_id": correlation_id})
            return answer_problem(problems.Unavailable(), correlation_id), budget, None
        except _Gone:
            return Answer(499), budget, None
        except Exception:
            log.exception("a call failed", extra={"correlation_id": correlation_id, "path": request.path})
            return answer_problem(Problem(), correlation_id), budget, None

    def _operation(self, request: _Request) -> tuple[AnyOperation, tuple[int, ...], str]:
        match = self._matcher.match(request.path)
        if match is None:
            raise problems.NotFound
        method = "GET" if request.method == "HEAD" else request.method
        operation = match.operations.get(method)
        if operation is None:
            raise problems.InvalidMethod(request.method, sorted(match.operations))
        path, slug = _parts(operation, match)
        return operation, path, slug

    async def _body(self, operation: AnyOperation, request: _Request) -> bytes:
        if operation.body is NoBody:
            return b""
        media_type = (_header(request, b"content-type") or "").partition(";")[0].strip().lower()
        if media_type not in JSON_TYPES:
            raise problems.UnsupportedMediaType
        declared = _header(request, b"content-length") or ""
        if declared.isdigit() and int(declared) > BODY_MOST:
            raise problems.TooLarge
        try:
            async with asyncio.timeout(BODY_WAIT_S):
                return await _read(request.receive)
        except TimeoutError:
            raise _Gone from None

    async def _parse(self, operation: AnyOperation, body: bytes) -> Any:
        if operation.body is NoBody:
            return NoBody()
        if len(body) > 256 * 1024:  # enough to hold up other calls
            return await asyncio.to_thread(parse_body, operation.body, body)
        return parse_body(operation.body, body)

    async def _store(self, implementation: Implementation, body: Any) -> tuple[Blob, ...]:
        files = implementation.files(body)
        if not files:
            return ()
        return await asyncio.to_thread(lambda: tuple(self._blobs.put(data) for data in files))

    async def _forget(self, account_id: int, stored: tuple[Blob, ...], now: str) -> None:
        """Refused calls leave no files behind, or whoever may do nothing could still fill the disk."""
        if stored:
            files = [blob.sha256 for blob in stored]
            await self._database.write(lambda tx: self._unused(tx, account_id, files, now))

    def _render(self, operation: AnyOperation, request: _Request, result: Result) -> Answer | FileData:
        returns = operation.returns
        match result:
            case None:
                return Answer(204)
            case Created(id, path):
                place = (("Location", self._base + path),)
                return Answer(201, headers=place if id is None else (("Resource-ID", str(id)), *place))
            case Accepted():
                return Answer(202)
            case MovedTo(path):
                return Answer(301, headers=(("Location", self._base + path),))
            case FileData():
                return result
            case Raw(text):
                assert isinstance(returns, One)
                return Answer(200, text, returns.raw)
            case Page():
                assert isinstance(returns, ListOf)
                content: Any = hal.paged(result, returns.key, self._base + request.path, request.query)
            case Walked():
                assert isinstance(returns, ListOf)
                content = hal.walked(result, returns.key, self._base + request.path, request.query)
            case All() if isinstance(returns, BareList):
                content = result.items
            case All():
                assert isinstance(returns, ListOf)
                content = hal.whole(result, returns.key, self._base + request.path)
            case _:
                content = result
        return Answer(returns.status, msgspec.json.encode(content), returns.media_type)


def _new_id() -> str:
    """A random UUID (version 4), as `uuid.uuid4` makes them but in a third of its time."""
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:]}"


def _parts(operation: AnyOperation, match: Match) -> tuple[tuple[int, ...], str]:
    """The ids in a path, in order, and its slug."""
    numbers, texts, slug = [], match.values, ""
    if operation.path.endswith(SLUG):
        texts, slug = texts[:-1], texts[-1]
    for text in texts:
        number = read_id(text)
        if number is None:
            raise problems.NotFound
        numbers.append(number)
    return tuple(numbers), slug


def _prefers_raw(operation: AnyOperation, request: _Request) -> bool:
    returns = operation.returns
    if not isinstance(returns, One) or not returns.raw:
        return False
    return prefers(_header(request, b"accept") or "", returns.raw, "application/json", returns.media_type)


def _header(request: _Request, name: bytes) -> str | None:
    value = request.headers.get(name)
    return None if value is None else value.decode("latin-1")


async def _read(receive: Receive) -> bytes:
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        piece = message.get("body", b"")
        size += len(piece)
        if size > BODY_MOST:
            raise problems.TooLarge
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces) if len(pieces) > 1 else piece


async def _send(
    send: Send,
    method: str,
    answer: Answer,
    budget: Budget | None,
    correlation_id: str,
    data: AsyncIterator[bytes] | None,
) -> None:
    if answer.status == 499:
        return
    headers = [(b"correlation-id", correlation_id.encode()), *_CORS]
    if answer.media_type:
        headers.append((b"content-type", answer.media_type.encode()))
    if data is None and answer.status != 204:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    if budget is not None:
        headers.append((b"x-ratelimit-limit-minute", str(budget.limit).encode()))
        headers.append((b"x-ratelimit-remaining-minute", str(budget.remaining).encode()))
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if data is not None and method != "HEAD":
        async for piece in data:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})


async def _send_preflight(send: Send, correlation_id: str) -> None:
    headers = [(b"correlation-id", correlation_id.encode()), *_PREFLIGHT]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
