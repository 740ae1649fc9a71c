"""All pages: which there are, and the files they load."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from deskhand.desk.inboxes.folders import Folder
from deskhand.web import assets, frame
from deskhand.web.account.groups import GROUPS as ACCOUNT
from deskhand.web.console.groups import GROUPS as CONSOLE
from deskhand.web.inbox.groups import GROUPS as INBOX
from deskhand.web.pages import HEADERS, Pages, notice
from deskhand.web.parts import Web
from deskhand.web.rating import RatingPage
from deskhand.web.reports.groups import GROUPS as REPORTS
from deskhand.web.settings.groups import GROUPS as SETTINGS
from deskhand.web.streaming import stream
from deskhand.web.visiting import visitor

GROUPS: tuple[Pages, ...] = (*INBOX, *CONSOLE, *SETTINGS, *REPORTS, *ACCOUNT)
"""The pages that need signing in, group by group; the first that fits a path answers."""


def routes(web: Web) -> list[BaseRoute]:
    """The pages as routes."""
    return [
        _start(web),
        Route("/live", stream(web)),
        *(route for group in GROUPS for route in group.routes(web)),
        *RatingPage(web.database, web.clock, web.links).routes,
        _manifest(),
        *assets.routes(),
    ]


def missing(request: Request) -> Response:
    """The page for an address that is none."""
    return notice(request, 404, "There is nothing here", "The address may be misspelt, or what was there is gone.")


def _start(web: Web) -> Route:
    """The root: the visitor's own folder, or what welcomes somebody who is not signed in."""

    async def start(request: Request) -> Response:
        who = await visitor(request, web.database, web.clock)
        if who is None:
            return await web.welcome(request) if web.welcome else RedirectResponse("/sign-in", 303, HEADERS)
        seen = (await web.database.read(lambda db: frame.load(db, who))).inboxes
        first = next((one.folders for one in seen if one.waiting), seen[0].folders if seen else [])
        path = next((one.path for one in first if one.kind is Folder.UNASSIGNED), "/search")
        return RedirectResponse(path, 303, HEADERS)

    return Route("/", start)


def _manifest() -> Route:
    """What makes the desk something to be installed."""
    content = json.dumps({
        "name": "Deskhand", "short_name": "Deskhand", "start_url": "/", "display": "standalone",
        "background_color": "#f6f5f2", "theme_color": "#1b6048",
        "icons": [{"src": assets.static("deskhand.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
    })  # fmt: skip

    async def show(_: Request) -> Response:
        return Response(content, media_type="application/manifest+json", headers={"Cache-Control": "no-cache"})

    return Route("/manifest.webmanifest", show)
