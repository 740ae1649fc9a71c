"""The mail that the sandbox caught: as JSON for tests, as pages for people."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from deskhand.catalogue.matching import read_id
from deskhand.db.engine import Database
from deskhand.mail import captured
from deskhand.mail.captured import Captured
from deskhand.sandbox.http import SAFE, page, route, wants_page

MOST = 1000
"""Mails that are shown; older ones are still there, but a page or an answer has an end."""
# A mail may hold anything. In its frame nothing runs, nothing is fetched, and it has no origin to act for.
_BOTH = {"Vary": "Accept", "Cache-Control": "no-store"}
_BODY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


def routes(database: Database, account_id: int) -> list[Route]:
    """The paths under /sandbox/mail; `account_id` is the sandbox's."""

    async def get_mail(request: Request) -> Response:
        found = await database.read(lambda db: captured.newest(db, account_id, MOST))
        if not wants_page(request):
            return JSONResponse({"messages": [_as_json(one) for one in found]}, headers=_BOTH)
        return page("mail.html", messages=[_as_json(one) for one in found], most=MOST)

    async def delete_mail(_: Request) -> Response:
        await database.write(lambda tx: captured.empty(tx, account_id))
        return Response(status_code=204)

    async def one(request: Request) -> Captured | None:
        id = read_id(request.path_params["id"])
        return await database.read(lambda db: captured.one(db, account_id, id or 0))

    async def get_one(request: Request) -> Response:
        found = await one(request)
        if found is None:
            return _gone(request)
        if not wants_page(request):
            return JSONResponse(_as_json(found), headers=_BOTH)
        return page("mail-message.html", message=_as_json(found))

    async def get_body(request: Request) -> Response:
        found = await one(request)
        if found is None:
            return _gone(request)
        return HTMLResponse(found.html, headers=SAFE | {"Content-Security-Policy": _BODY})

    async def get_raw(request: Request) -> Response:
        found = await one(request)
        if found is None:
            return _gone(request)
        name = {"Content-Disposition": f'attachment; filename="mail-{found.id}.eml"'}
        return Response(found.raw, media_type="message/rfc822", headers=SAFE | name)

    return [
        route("GET", "/sandbox/mail", get_mail),
        route("DELETE", "/sandbox/mail", delete_mail),
        route("GET", "/sandbox/mail/{id}", get_one),
        route("GET", "/sandbox/mail/{id}/body", get_body),
        route("GET", "/sandbox/mail/{id}/raw", get_raw),
    ]


def _as_json(one: Captured) -> dict[str, Any]:
    return {
        "id": one.id,
        "thread_id": one.thread_id,
        "to": msgspec.json.decode(one.recipients),
        "from": one.sender,
        "cc": msgspec.json.decode(one.cc),
        "subject": one.subject,
        "message_id": one.message_id,
        "in_reply_to": one.in_reply_to,
        "references": msgspec.json.decode(one.references_),
        "text": one.text,
        "html": one.html,
        "raw": one.raw,
        "sent_at": one.sent_at,
    }


def _gone(request: Request) -> Response:
    if wants_page(request):
        return page("mail-gone.html", status=404)
    return JSONResponse({"message": "no such mail"}, 404)
