"""The palette: conversations, customers, folders and pages found by a few letters."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from deskhand.db.engine import Reader
from deskhand.desk.access import may_see
from deskhand.desk.conversations import numbered
from deskhand.desk.customers import by_prefix
from deskhand.desk.customers.by_prefix import Found
from deskhand.web import frame, words
from deskhand.web.inbox.bodies import one_line
from deskhand.web.pages import Asked, Pages

PAGES = Pages()
_MOST = 30
_NUMBER = re.compile(r"#?(\d{1,15})")


class Goal(msgspec.Struct, frozen=True):
    """Somewhere to go: what it is called, a word about it, its icon and its address."""

    name: str
    about: str
    icon: str
    path: str


@PAGES.get("/palette")
async def show(asked: Asked) -> Response:
    """Where one may go; scripts ask while something is typed, others get a page."""
    query = asked.query("q")[:200]
    goals = await asked.read(lambda db: found(db, asked, query))
    if asked.request.headers.get("deskhand-script"):
        return asked.piece("inbox/palette_goals.html", goals=goals)
    return await asked.page("inbox/palette.html", goals=goals, query=query)


def found(db: Reader, asked: Asked, query: str) -> list[Goal]:
    """What fits: a conversation by its number, places by their names, customers, and the search itself."""
    goals = [*_conversation(db, asked, query)]
    typed = query.casefold().split()
    goals += [one for one in _places(db, asked) if all(word in f"{one.name} {one.about}".casefold() for word in typed)]
    if len(query) > 1:
        goals += [_customer(one) for one in by_prefix.beginning_with(db, asked.account_id, query)]
    goals = goals[:_MOST]
    if query:
        goals.append(Goal(f"Search for {query}", "", "search", f"/search?{urlencode({'query': query})}"))
    return goals


def _conversation(db: Reader, asked: Asked, query: str) -> list[Goal]:
    given = _NUMBER.fullmatch(query)
    one = numbered.by_number(db, asked.account_id, int(given[1])) if given else None
    if one is None or not may_see(asked.actor, one.inbox_id):
        return []
    return [Goal(f"#{one.number} {one_line(one.subject)}", one.status, "mail", f"/conversation/{one.id}")]


def _places(db: Reader, asked: Asked) -> list[Goal]:
    around = frame.load(db, asked.visitor)
    goals = [Goal(one.name, "View", "star", f"/views/{one.id}") for one in around.views]
    for inbox in around.inboxes:
        goals += [Goal(one.name, inbox.name, one.icon, one.path) for one in inbox.folders]
    goals += [Goal("New conversation", "", "plus", "/new"), Goal("Search", "", "search", "/search")]
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
