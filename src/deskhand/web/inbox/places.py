"""Lists by their addresses: what a folder, a search or a view shows, and what stands beside a conversation there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.problems import BadRequest, NotFound, Problem
from deskhand.db.engine import Reader
from deskhand.desk.access import require_inbox
from deskhand.desk.conversations import views
from deskhand.desk.conversations.listing import finding
from deskhand.desk.conversations.listing.filters import Wanted
from deskhand.desk.conversations.listing.listed import Listed
from deskhand.desk.conversations.listing.search import read as read_query
from deskhand.desk.conversations.listing.walking import End
from deskhand.desk.conversations.queries import Head, Opened
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.folders import Folder, folder_id
from deskhand.web.frame import NAMES
from deskhand.web.inbox import squeezing
from deskhand.web.visiting import Visitor

Order = Literal["latest", "newest", "oldest", "waiting"]
MOVING = ("latest", "waiting")
"""Orders in which a conversation is somewhere else once it was answered or changed."""
WAITS = (Folder.UNASSIGNED, Folder.MINE, Folder.NEEDS_ATTENTION, Folder.ASSIGNED)
"""Folders in which somebody may wait for us."""
_LAST_ID = 2**62
_NOBODY_WAITS = "nobody"
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_HALF_TYPED = re.compile(r"(?<![^\s(])\w{2,60}$")


@dataclass(frozen=True, slots=True)
class Place:
    """A list: its address, what it is called and what it shows. `kind` is None for a search."""

    base: str
    name: str
    about: str
    wanted: Wanted
    order: Order = "latest"
    kind: Folder | None = None
    inbox_id: int | None = None
    query: str = ""
    view: views.View | None = None
    fault: str = ""
    """What is wrong with the query, in words."""
    hint: str = ""
    """What the search did beside what was asked for, in words."""

    @property
    def path(self) -> str:
        """Where the list is, in the order that was chosen."""
        return self.at()

    def at(self, *, order: Order | None = None, page: int = 1, key: str | None = "", short: bool = False) -> str:
        """A page of the list, in an order; with the `key` by which a conversation stands there, that place in it.

        `short`: a long search is squeezed together, as every conversation of a page has it in its address.
        """
        asked: dict[str, str] = {"query": self.query} if self.base == "/search" and self.query else {}
        if asked and short:
            asked = squeezing.carried(self.query)
        if (order or self.order) != "latest":
            asked["order"] = order or self.order
        if page > 1:
            asked["page"] = str(page)
        if key != "":
            asked["at"] = key or _NOBODY_WAITS
        return self.base + (f"?{urlencode(asked, safe=':')}" if asked else "")

    def of(self, one: Listed) -> str:
        """A conversation of the list, which one comes to from here; what is beside it stays, wherever it moves."""
        # What was found by the beginning of a word is found from there by that as well.
        here = replace(self, query=f"{self.query}*") if self.hint else self
        came_from = here.at(key=one.key, short=True) if self.order in MOVING else here.at(short=True)
        return f"/conversation/{one.id}?from={quote(came_from, safe='/:')}"


class Beside(msgspec.Struct, frozen=True):
    """The list that one came from, and the conversations before and behind one in it, by their addresses."""

    path: str
    name: str
    before: str | None
    after: str | None


def folder(db: Reader, visitor: Visitor, id: int, order: str = "") -> Place:
    """A folder by its id; raises NotFound and AccessDenied."""
    inbox_id, digit = divmod(id, 10)
    if digit not in list(Folder):
        raise NotFound
    kind = Folder(digit)
    inbox = next((one for one in inboxes.all_of(db, visitor.account_id) if one.id == inbox_id), None)
    if inbox is None:
        raise NotFound
    require_inbox(visitor.actor, inbox_id)
    chosen = _order(order, waits=kind in WAITS)
    wanted = Wanted(visitor.account_id, visitor.id, None, "all", folder=id)
    if kind is Folder.NEEDS_ATTENTION:
        wanted = Wanted(visitor.account_id, visitor.id, (inbox_id,), "open", troubled=True)
    return Place(f"/folder/{id}", NAMES[kind], inbox.name, _sorted(wanted, chosen), chosen, kind, inbox_id)


def search(visitor: Visitor, query: str, now: datetime, order: str = "") -> Place:
    """What a search finds; `fault` says what is wrong with its query."""
    chosen = _order(order, waits=False)
    wanted, fault = _asked(visitor, query, now)
    return Place("/search", "Search", "", _sorted(wanted, chosen), chosen, query=query, fault=fault)


def wider(visitor: Visitor, found: Place, now: datetime) -> Place | None:
    """A search that also finds what begins with its last word, as that may be half typed; None where it has none."""
    if found.fault or found.base != "/search" or not (last := _HALF_TYPED.search(found.query)):
        return None
    if len(found.query) == views.QUERY_MOST:  # what is found would have no address, which has the longer search
        return None
    wanted, fault = _asked(visitor, f"{found.query}*", now)
    hint = f"Nothing has the word {last[0]} itself; these have words that begin so."
    return None if fault else replace(found, wanted=_sorted(wanted, found.order), hint=hint)


def view(db: Reader, visitor: Visitor, id: int, now: datetime, order: str = "") -> Place:
    """A view by its id; raises NotFound."""
    found = views.by_id(db, visitor.actor, id)
    chosen = _order(order, waits=False)
    wanted, fault = _asked(visitor, found.query, now)
    about = "Everybody's view" if found.user_id is None else "Your view"
    return Place(
        f"/views/{id}", found.name, about, _sorted(wanted, chosen), chosen, query=found.query, view=found, fault=fault
    )


def wanted_by(visitor: Visitor, found: views.View, now: datetime) -> Wanted | None:
    """Which conversations a view shows; None where its query is wrong."""
    asked, fault = _asked(visitor, found.query, now)
    return None if fault else asked


def place(db: Reader, visitor: Visitor, came_from: str, now: datetime) -> Place | None:
    """The list at an address of ours; None for what is none, or none that the visitor sees."""
    path, given = _parts(came_from)
    order, parts = given.get("order", ""), path.strip("/").split("/")
    try:
        match parts:
            case ["folder", id]:
                return folder(db, visitor, read_id(id) or 0, order)
            case ["views", id]:
                return view(db, visitor, read_id(id) or 0, now, order)
            case ["search"]:
                return search(visitor, squeezing.read(given), now, order)
    except Problem:
        return None
    return None


def neighbours(db: Reader, visitor: Visitor, came_from: str, head: Head | Opened, now: datetime) -> Beside:
    """What stands beside a conversation in the list that one came from, or else in the folder that it lies in.

    That is so wherever the conversation is by now: the place at which one saw it is what counts, or else the one that
    it would have.
    """
    here = place(db, visitor, came_from, now) if came_from else None
    if here is None or here.fault:
        here = folder(db, visitor, _lies_in(head, visitor))
        came_from = ""
    end = _end(head, here, came_from)
    after, before = finding.beside(db, here.wanted, end, head.id), _before(db, head, here, end)
    return Beside(here.path, here.name, here.of(before) if before else None, here.of(after) if after else None)


def _before(db: Reader, head: Head | Opened, here: Place, end: End) -> Listed | None:
    turned = msgspec.structs.replace(here.wanted, descending=not here.wanted.descending)
    found = finding.beside(db, turned, end, head.id)
    if found is None and end.key is None:  # those nobody waits for come last, whichever the order
        return finding.beside(db, turned, End("~", _LAST_ID), head.id)
    return None if found is not None and found.key is None and end.key is not None else found


def _end(head: Head | Opened, here: Place, came_from: str) -> End:
    """Where a conversation stood in the list as one saw it, or else where it stands in it now."""
    at = _parts(came_from)[1].get("at", "")
    if here.order == "waiting":
        return End(at if _AT.fullmatch(at) else None if at == _NOBODY_WAITS else head.waiting_since, head.id)
    if here.order == "latest":
        return End(at if _AT.fullmatch(at) else head.modified_at, head.id)
    return End(head.created_at, head.id)


def _parts(came_from: str) -> tuple[str, dict[str, str]]:
    """The path of an address, and what its query says."""
    try:
        split = urlsplit(came_from)
    except ValueError:
        return "", {}
    return split.path, {name: values[-1] for name, values in parse_qs(split.query).items()}


def _lies_in(head: Head | Opened, visitor: Visitor) -> int:
    if head.folder_id % 10 == Folder.ASSIGNED and head.assignee_id == visitor.id:
        return folder_id(head.inbox_id, Folder.MINE)
    return head.folder_id


def _order(given: str, *, waits: bool) -> Order:
    match given:
        case "newest" | "oldest":
            return given
        case "waiting" if waits:
            return "waiting"
    return "latest"


def _sorted(wanted: Wanted, order: Order) -> Wanted:
    if order == "waiting":
        return msgspec.structs.replace(wanted, sort="waitingSince", descending=False)
    if order == "latest":
        return msgspec.structs.replace(wanted, sort="modifiedAt")
    return msgspec.structs.replace(wanted, descending=order == "newest")


def _asked(visitor: Visitor, query: str, now: datetime) -> tuple[Wanted, str]:
    """What a query asks for, and what is wrong with it; a wrong one finds nothing."""
    wanted = Wanted(visitor.account_id, visitor.id, visitor.actor.inboxes, "all")
    if not query:
        return wanted, ""
    if fault := views.too_long(query):
        return msgspec.structs.replace(wanted, inboxes=()), f"{fault}: leave something out."
    try:
        return msgspec.structs.replace(wanted, search=read_query(query, visitor.account_id, now)), ""
    except BadRequest as problem:
        return msgspec.structs.replace(wanted, inboxes=()), "; ".join(error.message for error in problem.errors)
