"""The stream by which open pages hear of changes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from deskhand.web.live import Change
from deskhand.web.parts import Web
from deskhand.web.visiting import Visitor, visitor

STREAMS_MOST = 20
"""How many pages of one user hear of changes at a time, by each process; more of them ask now and then."""
AGAIN_S = 10
"""When a page that was refused asks again: see static/live.js."""
_BEAT_S = 20.0
_NOTHING = Change({}, {})
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


def stream(web: Web) -> Callable[[Request], Awaitable[Response]]:
    """What answers at `/live`: an event `changed` for each change in the visitor's account.

    It begins with `listening`, which tells whether the page that was made at the mark `since` is behind already.
    """
    open_now: Counter[int] = Counter()

    async def answer(request: Request) -> Response:
        who = await visitor(request, web.database, web.clock)
        if who is None:
            return Response(status_code=401)
        if open_now[who.id] >= STREAMS_MOST:
            return Response(status_code=429, headers={"Retry-After": str(AGAIN_S), "Cache-Control": "no-store"})
        open_now[who.id] += 1

        def over() -> None:
            open_now[who.id] -= 1
            if not open_now[who.id]:
                del open_now[who.id]

        return _Stream(_events(web, request, who), over)

    return answer


class _Stream(StreamingResponse):
    """A stream that says when it is over, however it ended."""

    def __init__(self, events: AsyncIterator[bytes], over: Callable[[], None]) -> None:
        super().__init__(events, media_type="text/event-stream", headers=_HEADERS)
        self._over = over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._over()


async def _events(web: Web, request: Request, who: Visitor) -> AsyncIterator[bytes]:
    """The stream of somebody's changes, for as long as they are signed in."""
    with web.live.listening(who.account_id) as changes:
        await web.live.looks()
        mark = request.query_params.get("since", "")
        behind = await web.database.read(lambda db: web.live.is_behind(db, mark, who.account_id, who.id))
        yield b"event: listening\ndata: " + msgspec.json.encode({"behind": behind}) + b"\n\n"
        known_at = time.monotonic()
        while True:
            try:
                change = await asyncio.wait_for(changes.get(), _BEAT_S)
            except TimeoutError:
                change = _NOTHING
            if change is None:
                return
            # However much there is to tell: who was signed out, or sees less by now, hears no more of it.
            if time.monotonic() - known_at >= _BEAT_S:
                now_is = await visitor(request, web.database, web.clock)
                if now_is is None:
                    return
                who, known_at = now_is, time.monotonic()
                yield b": still here\n\n"
            seen = change.seen_by(who.id, who.actor.inboxes)
            if seen is not None:
                yield b"event: changed\ndata: " + msgspec.json.encode(seen) + b"\n\n"
