"""The HAL envelope of lists: embedded resources, the page object and links that keep the query.

Source: https://developer.helpscout.com/mailbox-api/overview/pagination
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from deskhand.desk.call import All, Page, Walked


class Envelope(msgspec.Struct, frozen=True):
    """A list as it is answered."""

    embedded: dict[str, Any] = msgspec.field(name="_embedded")
    links: dict[str, Any] = msgspec.field(name="_links")
    page: dict[str, int] | msgspec.UnsetType = msgspec.UNSET


def paged(page: Page[Any], key: str, url: str, query: str) -> Envelope:
    """One page; `url` is the absolute address without its query."""
    pages = -(-page.total // page.size)
    kept = (
        [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "page"] if query else []
    )
    prefix = f"{url}?{urlencode(kept)}&page=" if kept else f"{url}?page="
    links: dict[str, Any] = {"self": {"href": f"{prefix}{page.number}"}}
    if page.number < pages:
        links["next"] = {"href": f"{prefix}{page.number + 1}"}
    if page.number > 1:
        links["previous"] = {"href": f"{prefix}{max(1, min(page.number - 1, pages))}"}
    links["first"] = {"href": f"{prefix}1"}
    links["last"] = {"href": f"{prefix}{max(pages, 1)}"}
    template = f"{url}?{urlencode(kept)}{{&page}}" if kept else f"{url}{{?page}}"
    links["page"] = {"href": template, "templated": True}
    numbers = {"size": page.size, "totalElements": page.total, "totalPages": pages, "number": page.number}
    return Envelope({key: page.items}, links, numbers)


def whole(everything: All[Any], key: str, url: str) -> Envelope:
    """A list that has no pages."""
    return Envelope({key: everything.items}, {"self": {"href": url}})


def walked(stretch: Walked[Any], key: str, url: str, query: str) -> Envelope:
    """One stretch of a list that is walked by cursor."""
    given = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in given if name != "cursor"]
    links = {"self": {"href": _with(url, given)}, "first": {"href": _with(url, kept)}}
    if stretch.next is not None:
        links["next"] = {"href": _with(url, [*kept, ("cursor", stretch.next)])}
    return Envelope({key: stretch.items}, links)


def _with(url: str, query: list[tuple[str, str]]) -> str:
    return f"{url}?{urlencode(query)}" if query else url
