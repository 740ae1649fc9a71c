"""The sandbox's start page: credentials, and three calls to copy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from deskhand.lib.clock import Clock, to_wire
from deskhand.sandbox.index import PATHS
from deskhand.sandbox.options import FIRST_CONVERSATION_ID, PASSWORD

_HERE = Path(__file__).parent
_PAGE = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
).get_template("start.html")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


Show = Callable[[Request], Awaitable[Response]]


def welcome(description: dict[str, Any], folder: Path, clock: Clock) -> Show:
    """What shows the start page of a sandbox described as in sandbox.json."""

    async def start(request: Request) -> Response:
        app = description["apps"][0]
        page = _PAGE.render(
            account=description["account"],
            base_url=description["base_url"],
            app=app,
            users=description["users"],
            agents=description["agents"],
            admin_token=description["admin_token"],
            inbox=description["inboxes"][0],
            conversation=FIRST_CONVERSATION_ID,
            conversations=description["sandbox"]["conversations"],
            password=PASSWORD,
            authorize=f"/authentication/authorizeClientApplication?client_id={app['client_id']}&state=demo",
            folder=folder,
            now=to_wire(clock.now()),
            paths=PATHS,
        )
        return HTMLResponse(page, headers=_HEADERS)

    return start


def routes(start: Show) -> list[Route]:
    """Where the start page is for those who are signed in, too, and what it loads."""

    async def style(request: Request) -> Response:
        css = (_HERE / "static" / "start.css").read_bytes()
        return Response(css, media_type="text/css", headers={"X-Content-Type-Options": "nosniff"})

    return [Route("/sandbox/start", start), Route("/sandbox/start.css", style)]
