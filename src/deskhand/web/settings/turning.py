"""Turning the pages of long lists by key: what is newer and older than the page that is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Generic, TypeVar
from urllib.parse import urlencode

import msgspec

from deskhand.desk.conversations.mail.received_listing import Key, Turned
from deskhand.lib.clock import WIRE_TIME
from deskhand.web.pages import Asked

T = TypeVar("T")
_ID = re.compile(r"[1-9]\d{0,17}", re.ASCII)


class Turn(msgspec.Struct, frozen=True):
    """Which page is asked for."""

    turned: Turned = "newest"
    key: Key | None = None


class Leaf(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list, newest first, and the addresses of the pages beside it; empty: there is none."""

    items: list[T]
    newer: str = ""
    older: str = ""


def asked_for(asked: Asked) -> Turn:
    """The page by `before` or `after` in the address: a moment and an id; the newest where that is none."""
    for turned in ("before", "after"):
        at, _, id = asked.query(turned).rpartition(".")
        if _ID.fullmatch(id) and (not at or WIRE_TIME.fullmatch(at)):
            return Turn("before" if turned == "before" else "after", Key(at, int(id)))
    return Turn()


def leaf(
    turn: Turn, most: int, load: Callable[[Turn, int], list[T]], key: Callable[[T], Key], path: str, **query: str
) -> Leaf[T]:
    """The page that is asked for; `load` gives one item more than is shown, to know whether there are more."""
    found = load(turn, most + 1)
    if turn.turned == "after" and len(found) <= most:  # the newest page: as many as fit on it
        turn, found = Turn(), load(Turn(), most + 1)
    items, more = found[:most], len(found) > most
    if turn.turned == "after":
        items.reverse()

    def link(turned: Turned, one: T) -> str:
        at = key(one)
        name = f"{at.at}.{at.id}" if at.at else str(at.id)
        return f"{path}?{urlencode({name: text for name, text in query.items() if text} | {turned: name})}"

    newer = bool(items) and turn.turned != "newest"
    older = bool(items) and (more or turn.turned == "after")
    return Leaf(items, link("after", items[0]) if newer else "", link("before", items[-1]) if older else "")
