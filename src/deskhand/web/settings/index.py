"""The sections of the settings, each with a line about what is decided there."""

from __future__ import annotations

from starlette.responses import Response

from deskhand.web.pages import Asked, Pages

PAGES = Pages("administrator")


@PAGES.get("/settings")
async def index(asked: Asked) -> Response:
    """All sections."""
    return await asked.page("settings/index.html")
