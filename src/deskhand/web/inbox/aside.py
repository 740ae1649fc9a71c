"""The side bar by itself, for pages that are not to be made anew whenever a number in it changes."""

from __future__ import annotations

from starlette.responses import Response

from deskhand.web.pages import Asked, Pages

PAGES = Pages()


@PAGES.get("/side")
async def show(asked: Asked) -> Response:
    """The side bar as it stands beside another page, `of`."""
    of = asked.query("of")[:200]
    return await asked.page("side.html", here=of, current=of)
