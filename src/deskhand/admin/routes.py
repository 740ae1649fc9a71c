"""`/admin/v1`: who asks, which call it is, what was sent with it, and the answer in the API's own form."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from deskhand.admin import agents, mail, mail_settings, oversight, workflows
from deskhand.admin.call import Asked, Call, Raw, Streamed
from deskhand.admin.parts import Parts
from deskhand.admin.reading import read_body, read_query
from deskhand.api.errors import answer_problem, answer_unauthorized
from deskhand.catalogue import problems
from deskhand.catalogue.matching import read_id
from deskhand.catalogue.operation import NoBody
from deskhand.catalogue.problems import Problem
from deskhand.db.engine import Conflict, Duplicate, Unavailable
from deskhand.gateway.administering.who import Who
from deskhand.gateway.audit import AuditUnavailable, By
from deskhand.lib.signing_keys import KeyUnusable
from deskhand.oauth.bearer import Unauthorized, read_bearer

log = logging.getLogger("deskhand.admin")

PREFIX = "/admin/v1"
CALLS: tuple[Call, ...] = (
    *agents.CALLS.listed,
    *oversight.CALLS.listed,
    *mail_settings.CALLS.listed,
    *mail.CALLS.listed,
    *workflows.CALLS.listed,
)
BODY_MOST = 1024 * 1024
BODY_WAIT_S = 30
_JSON = "application/json"


class MethodNotAllowed(Problem):
    """The path exists, but not with this method."""

    status = 405

    def __init__(self, method: str, supported: list[str]) -> None:
        self.supported = ", ".join(supported)
        self.message = f"Request method '{method}' is not supported here; supported: {self.supported}"
        super().__init__()


def routes(parts: Parts) -> list[BaseRoute]:
    """The routes beneath `/admin/v1`; the last one answers whatever is nothing."""
    paths: dict[str, dict[str, Call]] = {}
    for call in CALLS:
        paths.setdefault(call.path, {})[call.method] = call
    known = [Route(path, _Endpoint(parts, by_method)) for path, by_method in paths.items()]
    return [*known, Route("/{path:path}", _Endpoint(parts, {}))]


class _Endpoint:
    """One path as an ASGI application; not a function, or the framework would decide about methods."""

    def __init__(self, parts: Parts, by_method: dict[str, Call]) -> None:
        self._parts = parts
        self._by_method = by_method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        correlation_id = str(uuid.uuid4())
        try:
            response = await self._answer(request, correlation_id)
        except ClientDisconnect:
            return
        response.headers["Correlation-Id"] = correlation_id
        response.headers["Cache-Control"] = "no-store"
        await response(scope, receive, send)

    async def _answer(self, request: Request, correlation_id: str) -> Response:
        try:
            who = await self._who(request)
            call = self._call(request.method)
            asked = await self._asked(request, call, who)
            return _response(call, await call.handler(asked))
        except Unauthorized as problem:
            refused = answer_unauthorized(problem)
            return Response(refused.body, refused.status, dict(refused.headers), refused.media_type)
        except Problem as problem:
            return _refusal(problem, correlation_id)
        except (Unavailable, Conflict, Duplicate, AuditUnavailable, KeyUnusable) as problem:
            log.warning("%s", problem, extra={"correlation_id": correlation_id})
            return _refusal(problems.Unavailable(), correlation_id)
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("a call failed", extra={"correlation_id": correlation_id, "path": request.url.path})
            return _refusal(Problem(), correlation_id)

    async def _who(self, request: Request) -> Who:
        given = read_bearer(request.headers.get("authorization"))
        if given is None:
            raise Unauthorized(missing=True)
        found = await self._parts.tokens.administrator(given)
        if found is None:
            raise Unauthorized(missing=False)
        return Who(found.account_id, By("admin_token", found.id), f"Admin token {found.name}")

    def _call(self, method: str) -> Call:
        if not self._by_method:
            raise problems.NotFound
        call = self._by_method.get("GET" if method == "HEAD" else method)
        if call is None:
            raise MethodNotAllowed(method, sorted(self._by_method))
        return call

    async def _asked(self, request: Request, call: Call, who: Who) -> Asked[Any, Any]:
        ids = tuple(map(_id, request.path_params.values()))
        query = read_query(call.query, request.url.query)
        media_type = request.headers.get("content-type", "")
        if call.raw is not None:
            return Asked(self._parts, who, ids, query, await _read_raw(request, call.raw, media_type))
        body = b"" if call.body is NoBody else await _read(request, BODY_MOST, BODY_WAIT_S)
        return Asked(self._parts, who, ids, query, read_body(call.body, media_type, body, optional=call.optional_body))


def _id(text: str) -> int:
    number = read_id(text)
    if number is None:
        raise problems.NotFound
    return number


async def _read_raw(request: Request, raw: Raw, media_type: str) -> bytes:
    if media_type.partition(";")[0].strip().lower() != raw.media_type:
        raise problems.UnsupportedMediaType
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > raw.most:
        raise problems.TooLarge
    return await _read(request, raw.most, raw.wait_s)


async def _read(request: Request, most: int, wait_s: float) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(wait_s):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise problems.TooLarge
    except TimeoutError:
        raise ClientDisconnect from None
    return bytes(body)


def _response(call: Call, result: Any) -> Response:
    if isinstance(result, Streamed):
        disposition = f'attachment; filename="{result.file_name}"'
        return StreamingResponse(
            result.pieces, call.status, {"Content-Disposition": disposition}, media_type=result.media_type
        )
    if call.answers is None:
        return Response(status_code=call.status)
    return Response(msgspec.json.encode(result), call.status, media_type=_JSON)


def _refusal(problem: Problem, correlation_id: str) -> Response:
    answer = answer_problem(problem, correlation_id)
    response = Response(answer.body, answer.status, dict(answer.headers), answer.media_type)
    if isinstance(problem, MethodNotAllowed):
        response.headers["Allow"] = problem.supported
    return response
