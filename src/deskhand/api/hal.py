"""The HAL envelope of lists: embedded resources, the page object and links that keep the query.

Source: https://developer.helpscout.com/mailbox-api/overview/pagination
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from deskhand.desk.call import All, Page


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
