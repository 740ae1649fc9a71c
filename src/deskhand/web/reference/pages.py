"""The reference pages as routes. They are the same for everybody, so each is made once and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deskhand.catalogue.operation import AnyOperation, ListOf, Resource, WalkOf, cost
from deskhand.web import assets
from deskhand.web.reference import colour, events, history, questions, statuses
from deskhand.web.reference.entries import Entry, entries, tallies
from deskhand.web.reference.filters import Filter, read_filter
from deskhand.web.reference.groups import group
from deskhand.web.reference.snippets import guide_snippets

GUIDES = {
    "authentication": "Authentication",
    "pagination": "Pagination",
    "rate-limits": "Rate limits",
    "errors": "Status codes",
    "events": "Webhook events",
    "changes": "Version history",
    "questions": "Questions",
}
PLANS = (("Standard", 200), ("Plus", 400), ("Pro", 800))
"""Source: https://docs.helpscout.com/article/1140-mailbox-api"""

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_KEPT = 64
"""Filtered pages that are kept; more people search for the same words than one thinks."""


def routes(operations: Sequence[AnyOperation], base_url: str) -> list[Route]:
    """The pages about these operations, of a desk at `base_url`."""
    pages = Pages(operations, base_url)

    async def index(request: Request) -> Response:
        return await _answer(request, pages.index, read_filter(request.query_params))

    async def page(request: Request) -> Response:
        name: str = request.path_params["name"]
        if name not in GUIDES and name not in pages.by_name:
            return await _answer(request, pages.missing, status=404)
        return await _answer(request, pages.guide if name in GUIDES else pages.operation, name)

    return [Route("/reference", index), Route("/reference/{name}", page)]


async def _answer(request: Request, make: Any, *about: Any, status: int = 200) -> Response:
    body = await asyncio.to_thread(make, *about)
    response = assets.answer(request, body, _HEADERS, "text/html")
    if status != 200:
        response.status_code = status
    return response


class Pages:
    """Makes the pages; what is asked for again comes from memory."""

    def __init__(self, operations: Sequence[AnyOperation], base_url: str) -> None:
        self._base_url = base_url
        self._operations = operations
        self._entries = entries(operations, base_url)
        self.by_name = {entry.name: entry for entry in self._entries}
        self._map = tallies(self._entries)
        self._templates = _environment()
        self._rendered: dict[str, Markup] = {}
        self.index = lru_cache(_KEPT)(self._index)
        self.guide = lru_cache(len(GUIDES))(self._guide)
        self.operation = lru_cache(_KEPT)(self._operation)
        self.missing = lru_cache(1)(lambda: self._page("missing.html", ""))

    def _index(self, filter: Filter) -> assets.Body:
        shown = {entry.name for entry in self._entries if filter.takes(entry)}
        grouped = [(one, [entry for entry in self._entries if entry.group == one.group]) for one in self._map]
        return self._page(
            "index.html", "/reference", entries=self._entries, filter=filter, shown=shown, by_group=grouped,
            selects=self._selects(), found=f"{len(shown)} of {len(self._entries)} operations",
            rendered={entry.name: self._inside(entry) for entry in self._entries}, **guide_snippets(self._base_url),
        )  # fmt: skip

    def _operation(self, name: str) -> assets.Body:
        entry, at = self.by_name[name], self._entries.index(self.by_name[name])
        around = [None, *self._entries, None]
        content = Markup(self._templates.get_template("reference/entry.html").render(entry=entry, whole=True))
        return self._page("operation.html", "", entry=entry, content=content, before=around[at], after=around[at + 2])

    def _guide(self, name: str) -> assets.Body:
        lists = [(entry, returns.key, returns.size) for entry in self._entries
                 if isinstance(returns := entry.operation.returns, ListOf) and returns.paged]  # fmt: skip
        cursors = [entry for entry in self._entries if isinstance(entry.operation.returns, WalkOf)]
        return self._page(
            f"{name}.html", f"/reference/{name}", **guide_snippets(self._base_url),
            events=events.told(self._operations), statuses=statuses.told(self._operations),
            changes=history.CHANGES, questions=questions.QUESTIONS, names=self.by_name, lists=lists,
            cursor_lists=cursors, plans=PLANS, costs={method: cost(method) for method in ("GET", "POST")},
            newer=[entry for entry in self._entries if entry.operation.since != "2.0"],
        )  # fmt: skip

    def _page(self, template: str, here: str, **values: Any) -> assets.Body:
        pages = [("/reference", "Operations"), *((f"/reference/{name}", title) for name, title in GUIDES.items())]
        made = self._templates.get_template(f"reference/{template}").render(
            values, here=here, pages=pages, map=self._map, base_url=self._base_url
        )
        return assets.Body.of(made.encode())

    def _inside(self, entry: Entry) -> Markup:
        """What an entry shows when it is opened: the same on every page, whatever the filter."""
        if entry.name not in self._rendered:
            template = self._templates.get_template("reference/entry.html")
            self._rendered[entry.name] = Markup(template.render(entry=entry, whole=False))
        return self._rendered[entry.name]

    def _selects(self) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """The choices of the filter: name, label, and values with their texts."""
        methods = [method for method in ("GET", "POST", "PUT", "PATCH", "DELETE") if self._has("method", method)]
        held = {(entry.operation.resource, entry.level) for entry in self._entries}
        needed = [(resource, level) for resource in Resource for level in ("read", "write", "full")]
        permissions = [(f"{group(resource).key}:{level}", f"{resource.value}: {level}")
                       for resource, level in needed if (resource, level) in held]  # fmt: skip
        return [
            ("method", "Method", [(method, method) for method in methods]),
            ("access", "Access", [(access, access) for access in ("read", "write", "delete")]),
            ("permission", "Permission", permissions),
            ("group", "Group", [(one.group.key, one.group.title) for one in self._map]),
        ]

    def _has(self, field: str, value: str) -> bool:
        return any(getattr(entry.operation, field) == value for entry in self._entries)


def _environment() -> Environment:
    folder = Path(__file__).parent.parent / "templates"
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = assets.static
    made.filters |= {
        "coloured": colour.coloured,
        "quoted": colour.quoted,
        "ticked": colour.ticked,
        "breakable": colour.breakable,
        "dotted": lambda name: Markup(".<wbr>").join(name.split(".")),
        "sentence": lambda text: text[0].upper() + text[1:] + ("" if text.endswith(".") else "."),
    }
    return made
