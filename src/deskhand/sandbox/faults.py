"""Faults on demand: an operation answers late, with an error, or not at all, so that clients can be tested for it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operations import BY_NAME, OPERATIONS

_BODY = {
    401: b'{"error_description":"The access token is invalid or has expired","error":"invalid_token"}',
    429: b'{"message":"API rate limit exceeded"}',
}


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """What goes wrong with the next `times` calls of an operation; `*` means any operation.

    `delay_ms` waits first; then `cut` closes the connection in the middle of the answer, or `status` is answered.
    Without either the call goes through, late.
    """

    operation: str
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=120_000)] = 0
    cut: bool = False
    times: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1


def known(operation: str) -> bool:
    """Whether there is such an operation."""
    return operation == "*" or operation in BY_NAME


class Faults:
    """An ASGI application in front of the API that plays the faults asked for, first come first."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = api
        self._matcher = Matcher(OPERATIONS)
        self.waiting: list[Fault] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._next(scope) if self.waiting and scope["method"] != "OPTIONS" else None
        if fault is None:
            await self._api(scope, receive, send)
            return
        await asyncio.sleep(fault.delay_ms / 1000)
        if fault.cut:
            await _cut(send)
        elif fault.status is not None:
            await _answer(send, fault.status)
        else:
            await self._api(scope, receive, send)

    def _next(self, scope: Scope) -> Fault | None:
        match = self._matcher.match(scope["path"])
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        operation = match.operations.get(method) if match else None
        for fault in self.waiting:
            if fault.operation == "*" or (operation is not None and fault.operation == operation.name):
                fault.times -= 1
                if not fault.times:
                    self.waiting.remove(fault)
                return fault
        return None


async def _answer(send: Send, status: int) -> None:
    body = _BODY.get(status) or msgspec.json.encode(
        {"logRef": "00000000-0000-4000-8000-000000000000#0", "message": f"A fault asked for, status {status}"}
    )
    headers = [(b"content-type", b"application/vnd.error+json"), (b"content-length", str(len(body)).encode())]
    if status in (429, 503):
        headers += [(b"x-ratelimit-retry-after", b"1"), (b"retry-after", b"1")]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="service" error="invalid_token"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _cut(send: Send) -> None:
    """Promise more than is sent; the server notices and closes the connection."""
    headers = [(b"content-type", b"application/hal+json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"_embedded":', "more_body": True})
