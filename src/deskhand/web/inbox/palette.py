"""The palette: conversations, customers, folders and pages by a few letters; before that, what is near at hand."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from deskhand.db.engine import Reader
from deskhand.desk.access import may_see
from deskhand.desk.conversations import numbered, presence
from deskhand.desk.conversations.numbered import Numbered
from deskhand.desk.conversations.presence import Visited
from deskhand.desk.conversations.views import View
from deskhand.desk.customers import by_prefix
from deskhand.desk.customers.by_prefix import Found
from deskhand.web import frame, words
from deskhand.web.frame import InboxLink
from deskhand.web.inbox.bodies import one_line
from deskhand.web.pages import Asked, Pages

PAGES = Pages()
MOST = 12
"""Goals at a time, the search itself aside."""
_CONVERSATIONS, _VIEWS = 4, 3
"""So many of them before anything is typed."""
_PLACES = 8
"""Folders and pages that fit what is typed: people shall have room beside them."""
_NUMBER = re.compile(r"#?(\d{1,15})")


class Goal(msgspec.Struct, frozen=True):
    """Somewhere to go: what it is called, a word about it, its icon and its address."""

    name: str
    about: str
    icon: str
    path: str


Groups = list[tuple[str, list[Goal]]]
"""Goals under their headings; an empty one is none."""


@PAGES.get("/palette")
async def show(asked: Asked) -> Response:
    """Where one may go; scripts ask while something is typed, others get a page."""
    query = asked.query("q")[:200]
    groups = await asked.read(lambda db: [("", found(db, asked, query))] if query else near(db, asked))
    if asked.request.headers.get("deskhand-script"):
        return asked.piece("inbox/palette_goals.html", groups=groups)
    return await asked.page("inbox/palette.html", groups=groups, query=query)


def near(db: Reader, asked: Asked) -> Groups:
    """Before anything is typed: where one was, one's views, and the folders of the inbox that one is in.

    A script says `at` which page and `of` which list that is.
    """
    around = frame.load(db, asked.visitor)
    at, of = asked.query("at"), asked.query("of")
    visited = presence.visited(db, asked.account_id, asked.visitor.id, 3 * _CONVERSATIONS)
    visited = [one for one in visited if may_see(asked.actor, one.inbox_id)]
    here = next((one for one in visited if f"{at}/".startswith(f"/conversation/{one.id}/")), None)
    inbox_id = here.inbox_id if here and not of else around.opened(of)
    inbox = next((one for one in around.inboxes if one.id == inbox_id), None)
    groups = [
        ("Recent", [_numbered(one) for one in visited if one is not here][:_CONVERSATIONS]),
        ("Views", [_view(one, "") for one in around.views[:_VIEWS]]),
        (inbox.name if inbox else "", _folders(inbox, "") if inbox else []),
        ("Pages", _pages(asked)),
    ]
    return _most([(name, [one for one in goals if one.path != at]) for name, goals in groups])


def _most(groups: Groups) -> Groups:
    """As many of them as there is room for."""
    room, kept = MOST, []
    for name, goals in groups:
        if goals[:room]:
            kept.append((name, goals[:room]))
        room -= len(goals[:room])
    return kept


def found(db: Reader, asked: Asked, query: str) -> list[Goal]:
    """What fits: a conversation by its number, places by their names, customers, and the search itself."""
    typed = query.casefold().split()
    places = [one for one in _places(db, asked) if _fits(one, typed)][:_PLACES]
    people = by_prefix.beginning_with(db, asked.account_id, query) if len(query) > 1 else []
    goals = [*_conversation(db, asked, query), *places, *(_customer(one) for one in people)][:MOST]
    return [*goals, Goal(f"Search for {query}", "", "search", f"/search?{urlencode({'query': query})}")]


def _fits(one: Goal, typed: list[str]) -> bool:
    text = f"{one.name} {one.about}".casefold()
    return all(word in text for word in typed)


def _conversation(db: Reader, asked: Asked, query: str) -> list[Goal]:
    given = _NUMBER.fullmatch(query)
    one = numbered.by_number(db, asked.account_id, int(given[1])) if given else None
    if one is None or not may_see(asked.actor, one.inbox_id):
        return []
    return [_numbered(one)]


def _numbered(one: Numbered | Visited) -> Goal:
    name = f"#{one.number} {one_line(one.subject) or '(no subject)'}"
    return Goal(name, one.status, "mail", f"/conversation/{one.id}")


def _places(db: Reader, asked: Asked) -> list[Goal]:
    """All views, folders and pages; the folders of the inbox that one is in before those of others."""
    around = frame.load(db, asked.visitor)
    opened = around.opened(asked.query("of"))
    inboxes = sorted(around.inboxes, key=lambda one: one.id != opened)
    folders = [one for inbox in inboxes for one in _folders(inbox, inbox.name)]
    return [*(_view(one, "View") for one in around.views), *folders, *_pages(asked)]


def _view(one: View, about: str) -> Goal:
    return Goal(one.name, about, "star", f"/views/{one.id}")


def _folders(inbox: InboxLink, about: str) -> list[Goal]:
    return [Goal(one.name, about, one.icon, one.path) for one in inbox.folders]


def _pages(asked: Asked) -> list[Goal]:
    goals = [Goal("New conversation", "", "plus", "/new"), Goal("Search", "", "search", "/search")]
    if asked.visitor.administers:
        goals += [
            Goal("Agents", "", "robot", "/console"),
            Goal("Approvals", "Agents", "check", "/console/approvals"),
            Goal("Log", "Agents", "log", "/console/log"),
            Goal("Settings", "", "gear", "/settings"),
        ]
    return [*goals, Goal("Reports", "", "chart", "/reports"), Goal("Your account", "", "person", "/account")]


def _customer(one: Found) -> Goal:
    name = one_line(words.full_name(one.first_name, one.last_name, one.email or "Customer"))
    return Goal(name, one.email or "Customer", "person", f"/customers/{one.id}")
