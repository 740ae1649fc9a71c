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
from deskhand.desk.conversations import queries, views
from deskhand.desk.conversations.listing import finding
from deskhand.desk.conversations.listing.filters import Wanted
from deskhand.desk.conversations.listing.search import read as read_query
from deskhand.desk.conversations.listing.walking import End
from deskhand.desk.conversations.queries import Head
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.folders import Folder, folder_id
from deskhand.web.frame import NAMES
from deskhand.web.visiting import Visitor

Order = Literal["newest", "oldest", "waiting"]
WAITS = (Folder.UNASSIGNED, Folder.MINE, Folder.NEEDS_ATTENTION, Folder.ASSIGNED)
"""Folders in which somebody may wait for us."""
_LAST_ID = 2**62
_HALF_TYPED = re.compile(r"(?<![^\s(])\w{2,60}$")


@dataclass(frozen=True, slots=True)
class Place:
    """A list: its address, what it is called and what it shows. `kind` is None for a search."""

    base: str
    name: str
    about: str
    wanted: Wanted
    order: Order = "newest"
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

    def at(self, *, order: Order | None = None, page: int = 1) -> str:
        """A page of the list, in an order."""
        asked: dict[str, str] = {"query": self.query} if self.base == "/search" and self.query else {}
        if (order or self.order) != "newest":
            asked["order"] = order or self.order
        if page > 1:
            asked["page"] = str(page)
        return self.base + (f"?{urlencode(asked)}" if asked else "")

    def of(self, id: int) -> str:
        """A conversation that one comes to from here."""
        return f"/conversation/{id}?from={quote(self.path, safe='/')}"


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
    inbox = inboxes.seen_by(db, visitor.actor, inbox_id)
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


def place(db: Reader, visitor: Visitor, came_from: str, now: datetime) -> Place | None:
    """The list at an address of ours; None for what is none, or none that the visitor sees."""
    try:
        split = urlsplit(came_from)
    except ValueError:
        return None
    given = {name: values[-1] for name, values in parse_qs(split.query).items()}
    order, parts = given.get("order", ""), split.path.strip("/").split("/")
    try:
        match parts:
            case ["folder", id]:
                return folder(db, visitor, read_id(id) or 0, order)
            case ["views", id]:
                return view(db, visitor, read_id(id) or 0, now, order)
            case ["search"]:
                return search(visitor, given.get("query", ""), now, order)
    except Problem:
        return None
    return None


def neighbours(db: Reader, visitor: Visitor, came_from: str, conversation_id: int, now: datetime) -> Beside:
    """What stands beside a conversation in the list that one came from, or else in the folder that it lies in.

    That is so wherever the conversation is by now: its place in the list's order is what counts. Raises as
    `queries.head` does.
    """
    head = queries.head(db, visitor.actor, conversation_id)
    here = place(db, visitor, came_from, now) if came_from else None
    if here is None or here.fault:
        here = folder(db, visitor, _lies_in(head, visitor))
    after = finding.beside(db, here.wanted, _end(head, here))
    return Beside(
        here.path, here.name, here.of(found) if (found := _before(db, head, here)) else None,
        here.of(after.id) if after else None,
    )  # fmt: skip


def _before(db: Reader, head: Head, here: Place) -> int | None:
    turned = msgspec.structs.replace(here.wanted, descending=not here.wanted.descending)
    end = _end(head, here)
    found = finding.beside(db, turned, end)
    if found is None and end.key is None:  # those nobody waits for come last, whichever the order
        found = finding.beside(db, turned, End("~", _LAST_ID))
    elif found is not None and found.key is None and end.key is not None:
        found = None
    return None if found is None else found.id


def _end(head: Head, here: Place) -> End:
    return End(head.waiting_since if here.order == "waiting" else head.created_at, head.id)


def _lies_in(head: Head, visitor: Visitor) -> int:
    if head.folder_id % 10 == Folder.ASSIGNED and head.assignee_id == visitor.id:
        return folder_id(head.inbox_id, Folder.MINE)
    return head.folder_id


def _order(given: str, *, waits: bool) -> Order:
    if given == "waiting" and waits:
        return "waiting"
    return "oldest" if given == "oldest" else "newest"


def _sorted(wanted: Wanted, order: Order) -> Wanted:
    if order == "waiting":
        return msgspec.structs.replace(wanted, sort="waitingSince", descending=False)
    return msgspec.structs.replace(wanted, descending=order != "oldest")


def _asked(visitor: Visitor, query: str, now: datetime) -> tuple[Wanted, str]:
    """What a query asks for, and what is wrong with it; a wrong one finds nothing."""
    wanted = Wanted(visitor.account_id, visitor.id, visitor.actor.inboxes, "all")
    if not query:
        return wanted, ""
    try:
        return msgspec.structs.replace(wanted, search=read_query(query, visitor.account_id, now)), ""
    except BadRequest as problem:
        return msgspec.structs.replace(wanted, inboxes=()), "; ".join(error.message for error in problem.errors)
