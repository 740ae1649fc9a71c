"""Folders: the conversations of one, page by page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
from starlette.responses import RedirectResponse, Response

from deskhand.db.engine import Reader
from deskhand.desk.access import may_see
from deskhand.desk.conversations import owners
from deskhand.desk.conversations.bulk import doing, records
from deskhand.desk.conversations.bulk.actions import from_json, in_words
from deskhand.desk.conversations.bulk.records import Bulk, Fault
from deskhand.desk.conversations.owners import Staff
from deskhand.desk.conversations.timing import remembered
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.folders import Folder, folder_id
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.tags import queries as tags
from deskhand.lib.clock import from_wire, to_wire
from deskhand.web import words
from deskhand.web.inbox import places, snoozes
from deskhand.web.inbox.places import WAITS, Order, Place
from deskhand.web.inbox.rows import Listing, listing
from deskhand.web.inbox.snoozes import Choice
from deskhand.web.pages import HEADERS, Asked, Pages
from deskhand.web.visiting import Visitor

PAGES = Pages()
_STATUSES = ("active", "pending", "closed", "spam", "open")
_STATUS = re.compile(r"(?<!\w)status:(\w{1,40})(?!\w|\*)", re.IGNORECASE)
_ORDERS: dict[Order, str] = {
    "latest": "Latest activity", "waiting": "Longest waiting", "newest": "Newest", "oldest": "Oldest",
}  # fmt: skip
_DEEP = 20
"""Pages from here on are read where nobody waits behind them."""
_TAGS_MOST = 100


class Lately(msgspec.Struct, frozen=True):
    """What the visitor has changed many of lately, in words, and how far that has got."""

    id: int
    text: str
    state: str
    part: int
    total: int
    faults: list[Fault]
    may_undo: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be done with the conversations of a list. `sees` are the inboxes of owners who don't see them all."""

    owners: list[Staff] = field(default_factory=list)
    sees: dict[int, list[int]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    inboxes: list[InboxRow] = field(default_factory=list)
    snoozes: list[Choice] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Whole:
    """All that the page of a list shows."""

    place: Place
    listing: Listing
    choices: Choices
    lately: list[Lately]


@PAGES.get("/folder/{id}")
async def show_folder(asked: Asked) -> Response:
    """A folder."""
    id = asked.id()
    return await show(asked, lambda db: places.folder(db, asked.visitor, id, asked.query("order")))


@PAGES.get("/inbox/{id}")
async def show_inbox(asked: Asked) -> Response:
    """An inbox: what nobody has taken yet."""
    id = asked.id()
    await asked.read(lambda db: inboxes.seen_by(db, asked.actor, id))
    return RedirectResponse(f"/folder/{folder_id(id, Folder.UNASSIGNED)}", 303, HEADERS)


async def show(
    asked: Asked, find: Callable[[Reader], Place], template: str = "inbox/list.html", status: int = 200, **more: Any
) -> Response:
    """The page of a list; `find` gives the list out of a Reader."""
    number = page_number(asked.query("page"))

    def read(db: Reader) -> Whole:
        return whole(db, asked, find(db), number)

    shown = await asked.read(read, "slow" if number > _DEEP or asked.query("query") else "fast")
    if number > shown.listing.last:
        return RedirectResponse(shown.place.at(page=shown.listing.last), 303, HEADERS)
    return await asked.page(
        template, status, place=shown.place, listing=shown.listing, choices=shown.choices, lately=shown.lately,
        orders=_orders(shown.place), empty=_nothing(shown.place), **more,
    )  # fmt: skip


def page_number(given: str) -> int:
    """A page by what the address says; the first where that is no number."""
    return int(given) if given.isascii() and given.isdigit() and 0 < len(given) < 8 and int(given) else 1


def whole(db: Reader, asked: Asked, place: Place, page: int) -> Whole:
    """What stands on the page of a list."""
    now = asked.web.clock.now()
    seen = [one for one in inboxes.all_of(db, asked.account_id) if may_see(asked.actor, one.id)]
    names = {one.id: one.name for one in seen} if len(seen) > 1 else {}
    found = listing(db, asked.visitor, place, page, now, names)
    if not found.total and (more := places.wider(asked.visitor, place, now)) is not None:
        found_more = listing(db, asked.visitor, more, page, now, names)
        place, found = (more, found_more) if found_more.total else (place, found)
    return Whole(
        place,
        found,
        Choices(
            *_owners(db, asked.visitor, place, found),
            [one.name for one in tags.first_of(db, asked.account_id, _TAGS_MOST)],
            [one for one in seen if one.id != place.inbox_id],
            snoozes.choices(asked.visitor.local(now), remembered.last_choice(db, asked.account_id, asked.visitor.id)),
        ),
        _lately(db, asked),
    )


def _owners(db: Reader, visitor: Visitor, place: Place, found: Listing) -> tuple[list[Staff], dict[int, list[int]]]:
    """Who may be given the conversations of a list; a script shows those who see all that are chosen."""
    if place.inbox_id is not None:
        return owners.candidates(db, visitor.account_id, place.inbox_id), {}
    inbox_ids = sorted({one.inbox_id for one in found.rows})
    return owners.candidates_of_any(db, visitor.account_id, inbox_ids) if inbox_ids else ([], {})


def _lately(db: Reader, asked: Asked) -> list[Lately]:
    since = to_wire(from_wire(asked.now) - timedelta(seconds=doing.UNDO_S))
    return [_told(db, one) for one in records.recent(db, asked.account_id, asked.visitor.id, since)]


def _told(db: Reader, one: Bulk) -> Lately:
    under_way = one.state in ("held", "doing")
    part = one.undone if one.state in ("undoing", "undone") else one.done + one.refused
    many = one.total if under_way else one.done
    text = in_words(db, one.account_id, from_json(one.action), words.counted(many, "conversation"))
    may_undo = one.state == "held" or (one.state in ("doing", "done") and one.done > 0 and '"delete"' not in one.action)
    return Lately(one.id, text, one.state, part, one.total, records.faults(db, one), may_undo)


def _orders(place: Place) -> list[tuple[str, str, str]]:
    """The orders that a list may have: their names, words and addresses."""
    shown = [one for one in _ORDERS if one != "waiting" or place.kind in WAITS]
    return [(one, _ORDERS[one], place.at(order=one)) for one in shown]


_EMPTY = {
    Folder.UNASSIGNED: ("check", "Nothing waits here", "Every conversation has somebody who looks after it."),
    Folder.MINE: ("sun", "You are all caught up", "What is assigned to you appears here."),
    Folder.NEEDS_ATTENTION: ("check", "All is well", "Mails that could not be delivered appear here."),
    Folder.DRAFTS: ("draft", "No drafts", "Conversations that were begun but not sent yet appear here."),
    Folder.ASSIGNED: ("people", "Nothing is assigned", "Conversations that somebody looks after appear here."),
    Folder.SNOOZED: ("clock", "Nothing is snoozed", "Conversations that were put aside come back by themselves."),
    Folder.CLOSED: ("check", "Nothing is closed yet", "Conversations that are done appear here."),
    Folder.SPAM: ("spam", "No spam", "What is marked as spam appears here."),
}


def _nothing(place: Place) -> tuple[str, str, str]:
    """An icon, a heading and a sentence for a list that is empty."""
    if place.kind is not None:
        return _EMPTY[place.kind]
    if place.view is not None:
        return "star", "Nothing at the moment", "Conversations that fit this view appear here."
    if not place.query:
        return "mail", "No conversations yet", "What customers write to you appears here."
    named = [one for one in _STATUS.findall(place.query) if one.lower() not in (*_STATUSES, "all")]
    if named:
        return "search", "Nothing found", f"There is no status {named[0]}; there are {words.joined(_STATUSES)}."
    return (
        "search",
        "Nothing found",
        "Fewer words find more, and so do their beginnings: refun* finds refund and refunds.",
    )
