"""What a sandbox offers beside the desk: reset, clock, faults, ratings, and where the authorization code flow ends.

No sign-in: a sandbox listens on loopback and guards nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

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
from deskhand.sandbox.http import Refused, read_json, route
from deskhand.sandbox.options import CALLBACK
from deskhand.sandbox.settling import Settling
from deskhand.sandbox.webhook_faults import WebhookFault, WebhookFaults


class _Reset(msgspec.Struct, forbid_unknown_fields=True):
    """What goes: the data and the clock; `everything`: the journal and the snapshots too."""

    everything: bool = False


class _MoveClock(msgspec.Struct, forbid_unknown_fields=True):
    """Either how far to go, or where to."""

    advance: str | None = None
    set: str | None = None


class _Rate(msgspec.Struct, forbid_unknown_fields=True):
    """What a customer thinks of a reply."""

    thread_id: Id
    rating: Opinion
    comments: str = ""


class _Settle(msgspec.Struct, forbid_unknown_fields=True):
    """How long to wait at the most."""

    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 10.0


Rate = Callable[[int, Opinion, str], Awaitable[int]]
"""Rates a reply by its thread's id, with comments; gives the rating's id, or raises NotFound."""


def routes(
    clock: SandboxClock,
    faults: Faults,
    webhook_faults: WebhookFaults,
    settling: Settling,
    reset: Callable[[bool], Awaitable[None]],
    rate: Rate,
) -> list[Route]:
    """The sandbox's own paths; `reset` puts the seeded state back, `rate` does what a customer's rating does."""

    async def post_reset(request: Request) -> Response:
        wanted = await read_json(request, _Reset, optional=True)
        faults.waiting.clear()
        webhook_faults.forget()
        clock.reset()
        await reset(wanted.everything)
        return JSONResponse({"state": "reset", "now": to_wire(clock.now())})

    async def get_clock(request: Request) -> Response:
        return JSONResponse({"now": to_wire(clock.now())})

    async def post_clock(request: Request) -> Response:
        wanted = await read_json(request, _MoveClock)
        before = clock.offset
        try:
            if (wanted.advance is None) == (wanted.set is None):
                raise Refused("advance", 'give either "advance" or "set"')
            if wanted.advance is not None:
                clock.advance(read_step(wanted.advance))
            else:
                clock.set(from_wire(wanted.set or ""))
            if not EARLIEST_YEAR <= clock.now().year <= LATEST_YEAR:
                raise ValueError(f"must lead to a time between {EARLIEST_YEAR} and {LATEST_YEAR}")
        except (ValueError, OverflowError) as problem:
            clock.offset = before
            raise Refused("advance" if wanted.advance is not None else "set", str(problem)) from None
        clock.keep()
        await settling.moved()
        return await get_clock(request)

    async def post_settle(request: Request) -> Response:
        wanted = await read_json(request, _Settle, optional=True)
        settled = await settling.wait(wanted.timeout_s)
        return JSONResponse({"settled": settled, "now": to_wire(clock.now())})

    async def get_faults(request: Request) -> Response:
        return JSONResponse({"faults": msgspec.to_builtins(faults.waiting)})

    async def post_faults(request: Request) -> Response:
        wanted = await read_json(request, Fault)
        if not known(wanted.operation):
            raise Refused("operation", "no such operation; see /openapi.json for their names, * for any")
        faults.waiting.append(wanted)
        return JSONResponse({"faults": msgspec.to_builtins(faults.waiting)}, 201)

    async def delete_faults(request: Request) -> Response:
        faults.waiting.clear()
        return Response(status_code=204)

    async def get_webhook_faults(request: Request) -> Response:
        return JSONResponse({"faults": msgspec.to_builtins(webhook_faults.waiting)})

    async def post_webhook_faults(request: Request) -> Response:
        webhook_faults.waiting.append(await read_json(request, WebhookFault))
        return JSONResponse({"faults": msgspec.to_builtins(webhook_faults.waiting)}, 201)

    async def delete_webhook_faults(request: Request) -> Response:
        webhook_faults.forget()
        return Response(status_code=204)

    async def post_rate(request: Request) -> Response:
        wanted = await read_json(request, _Rate)
        if "\0" in wanted.comments:
            raise Refused("comments", "may not contain the character NUL")
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
        route("POST", "/sandbox/reset", post_reset),
        route("GET", "/sandbox/clock", get_clock),
        route("POST", "/sandbox/clock", post_clock),
        route("POST", "/sandbox/settle", post_settle),
        route("GET", "/sandbox/faults", get_faults),
        route("POST", "/sandbox/faults", post_faults),
        route("DELETE", "/sandbox/faults", delete_faults),
        route("GET", "/sandbox/webhook-faults", get_webhook_faults),
        route("POST", "/sandbox/webhook-faults", post_webhook_faults),
        route("DELETE", "/sandbox/webhook-faults", delete_webhook_faults),
        route("POST", "/sandbox/rate", post_rate),
        route("GET", CALLBACK, callback),
    ]
