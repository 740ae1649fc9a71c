"""The templates: what each of them may use beside its own values."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request

from deskhand.lib.clock import from_wire
from deskhand.web import assets, drawing, words
from deskhand.web.parts import Web
from deskhand.web.visiting import Visitor

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, auto_reload=False,
)  # fmt: skip
_TEMPLATES.globals.update(
    static=assets.static,
    icon=drawing.icon,
    counted=words.counted,
    lasting=words.lasting,
    joined=words.joined,
    size=words.size,
    initials=words.initials,
    hue=words.hue,
    full_name=words.full_name,
    breakable=words.breakable,
)


def render(template: str, web: Web, visitor: Visitor, request: Request, **values: Any) -> str:
    """A template for a visitor. `time` and `ago` take moments as they are stored."""
    now = visitor.local(web.clock.now())

    def time(at: str | None, *, full: bool = False) -> Markup:
        """A moment in the visitor's time zone; its whole is its title."""
        if not at:
            return Markup("")
        local = visitor.local(from_wire(at))
        whole = words.full_time(local)
        text = whole if full else words.short_time(local, now)
        return Markup('<time datetime="{}" title="{}">{}</time>').format(at, whole, text)

    def ago(at: str | None) -> str:
        """How long ago it was: `3 h`."""
        return words.since(at, now) if at else ""

    def day(at: str) -> str:
        local: datetime = visitor.local(from_wire(at))
        return words.full_time(local).rpartition(",")[0]

    return _TEMPLATES.get_template(template).render(
        {
            "visitor": visitor, "csrf": visitor.csrf, "here": request.url.path, "current": _current(request),
            "path": _path(request), "time": time, "ago": ago, "day": day, "now": now, "captured": web.captured,
            **values,
        }
    )  # fmt: skip


def bare(template: str, **values: Any) -> str:
    """A template for somebody who is not known."""
    return _TEMPLATES.get_template(template).render(values)


def _current(request: Request) -> str:
    """The path that the side bar marks: that of the list which a conversation was opened from, or the page's own."""
    came_from = request.query_params.get("from", "").partition("?")[0]
    return came_from if came_from.startswith("/") else request.url.path


def _path(request: Request) -> str:
    """The path with its query, without the parameters that scripts add."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
