"""What a sandbox offers beside the desk: reset, clock, faults, ratings, and where the authorization code flow ends.

No sign-in: a sandbox listens on loopback and guards nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from deskhand.catalogue.problems import NotFound
from deskhand.catalogue.values import Id
from deskhand.desk.conversations.threads.rating import Opinion
from deskhand.lib.clock import from_wire, to_wire
from deskhand.sandbox.clock import EARLIEST_YEAR, LATEST_YEAR, SandboxClock, read_step
from deskhand.sandbox.faults import Fault, Faults, known
from deskhand.sandbox.options import CALLBACK

_BODY_MOST = 64 * 1024


class _MoveClock(msgspec.Struct):
    """Either how far to go, or where to."""

    advance: str | None = None
    set: str | None = None


class _Rate(msgspec.Struct):
    """What a customer thinks of a reply."""

    thread_id: Id
    rating: Opinion
    comments: str = ""


Rate = Callable[[int, Opinion, str], Awaitable[int]]
"""Rates a reply by its thread's id, with comments; gives the rating's id, or raises NotFound."""


def routes(clock: SandboxClock, faults: Faults, reset: Callable[[], Awaitable[None]], rate: Rate) -> list[Route]:
    """The sandbox's own paths; `reset` puts the seeded state back, `rate` does what a customer's rating does."""

    async def post_reset(request: Request) -> Response:
        faults.waiting.clear()
        clock.reset()
        await reset()
        return JSONResponse({"state": "reset", "now": to_wire(clock.now())})

    async def get_clock(request: Request) -> Response:
        return JSONResponse({"now": to_wire(clock.now())})

    async def post_clock(request: Request) -> Response:
        wanted = await _body(request, _MoveClock)
        if isinstance(wanted, Response):
            return wanted
        before = clock.offset
        try:
            if (wanted.advance is None) == (wanted.set is None):
                return _refused("advance", 'give either "advance" or "set"')
            if wanted.advance is not None:
                clock.advance(read_step(wanted.advance))
            else:
                clock.set(from_wire(wanted.set or ""))
            if not EARLIEST_YEAR <= clock.now().year <= LATEST_YEAR:
                raise ValueError(f"must lead to a time between {EARLIEST_YEAR} and {LATEST_YEAR}")
        except (ValueError, OverflowError) as problem:
            clock.offset = before
            return _refused("advance" if wanted.advance is not None else "set", str(problem))
        clock.keep()
        return await get_clock(request)

    async def get_faults(request: Request) -> Response:
        return JSONResponse({"faults": msgspec.to_builtins(faults.waiting)})

    async def post_faults(request: Request) -> Response:
        wanted = await _body(request, Fault)
        if isinstance(wanted, Response):
            return wanted
        if not known(wanted.operation):
            return _refused("operation", "no such operation; see /openapi.json for their names, * for any")
        faults.waiting.append(wanted)
        return JSONResponse({"faults": msgspec.to_builtins(faults.waiting)}, 201)

    async def delete_faults(request: Request) -> Response:
        faults.waiting.clear()
        return Response(status_code=204)

    async def post_rate(request: Request) -> Response:
        wanted = await _body(request, _Rate)
        if isinstance(wanted, Response):
            return wanted
        if "\0" in wanted.comments:
            return _refused("comments", "may not contain the character NUL")
        try:
            id = await rate(wanted.thread_id, wanted.rating, wanted.comments)
        except NotFound:
            return JSONResponse({"message": "no reply to a customer has this thread_id"}, 404)
        return JSONResponse({"rating_id": id}, 201)

    async def callback(request: Request) -> Response:
        """The end of the authorization code flow: shows the code, as an application would receive it."""
        given = request.query_params
        lines = [f"{name}: {given[name]}" for name in ("code", "state", "error") if name in given]
        hint = "Exchange the code at POST /v2/oauth2/token with grant_type=authorization_code."
        return PlainTextResponse("\n".join([*lines, "", hint, ""]), headers={"Cache-Control": "no-store"})

    return [
        Route("/sandbox/reset", post_reset, methods=["POST"]),
        Route("/sandbox/clock", get_clock, methods=["GET"]),
        Route("/sandbox/clock", post_clock, methods=["POST"]),
        Route("/sandbox/faults", get_faults, methods=["GET"]),
        Route("/sandbox/faults", post_faults, methods=["POST"]),
        Route("/sandbox/faults", delete_faults, methods=["DELETE"]),
        Route("/sandbox/rate", post_rate, methods=["POST"]),
        Route(CALLBACK, callback, methods=["GET"]),
    ]


async def _body(request: Request, shape: Any) -> Any:
    """The JSON body, or the answer to a bad one."""
    data = b""
    async for piece in request.stream():
        data += piece
        if len(data) > _BODY_MOST:
            return JSONResponse({"message": "the body is too large"}, 413)
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        return _refused("body", str(problem))


def _refused(path: str, message: str) -> JSONResponse:
    return JSONResponse({"message": "Bad request", "errors": [{"path": path, "message": message}]}, 400)
