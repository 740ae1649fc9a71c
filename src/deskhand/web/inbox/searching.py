"""The search: one box with the language of the API, answered while it is typed."""

from __future__ import annotations

import re

import msgspec
from starlette.responses import Response

from deskhand.db.engine import Reader
from deskhand.desk.access import may_see
from deskhand.desk.conversations import owners
from deskhand.desk.conversations.views import too_long
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.tags import queries as tags
from deskhand.lib.text import fold
from deskhand.web.inbox import lists, places, squeezing
from deskhand.web.pages import Asked, Pages

PAGES = Pages()
_MOST = 8
_LAST_WORD = re.compile(r'(?P<sign>-?)(?P<word>(?:[A-Za-z]+:(?:"[^"]*"?|\S*))|\S*)$')
FIELDS = (
    ("status:", "active, pending, closed, spam or open"),
    ("tag:", "a tag"),
    ("assigned:", "a name, or Unassigned"),
    ("mailbox:", "an inbox by its name"),
    ("subject:", "words of the subject"),
    ("body:", "words of the messages"),
    ("email:", "somebody's address"),
    ("number:", "a conversation's number"),
    ("attachments:", "true or false"),
    ("createdAt:", "[NOW-7DAYS TO *], 2026-11"),
    ("modifiedAt:", "[NOW-1DAY TO *]"),
)
"""What the box suggests first, each with what may follow."""
_VALUES = {
    "status": ("active", "pending", "closed", "spam", "open"),
    "attachments": ("true", "false"),
    "createdat": ("[NOW/DAY TO *]", "[NOW-7DAYS TO *]", "[NOW-30DAYS TO *]"),
    "modifiedat": ("[NOW/DAY TO *]", "[NOW-7DAYS TO *]", "[NOW-30DAYS TO *]"),
}


class Suggestion(msgspec.Struct, frozen=True):
    """What the text in the box becomes when it is taken, what it looks like, and a word about it."""

    query: str
    text: str
    about: str


@PAGES.get("/search")
async def show(asked: Asked) -> Response:
    """What a search finds; without one, how to search."""
    query = squeezing.read({name: asked.query(name) for name in ("query", "squeezed")})
    order, now = asked.query("order"), asked.web.clock.now()
    return await lists.show(asked, lambda db: places.search(asked.visitor, query, now, order))


@PAGES.get("/search/suggestions")
async def suggest(asked: Asked) -> Response:
    """What could stand at the end of what is typed, for the script of the box."""
    query = asked.request.query_params.get("query", "").replace("\0", "")
    if too_long(query):
        return asked.piece("inbox/suggestions.html", suggestions=[])
    found = await asked.read(lambda db: suggestions(db, asked, query))
    return asked.piece("inbox/suggestions.html", suggestions=found)


def suggestions(db: Reader, asked: Asked, query: str) -> list[Suggestion]:
    """What the last word could become: a field, or a value of the field that it names."""
    found = _LAST_WORD.search(query)
    if found is None:
        return []
    before, sign, word = query[: found.start()], found["sign"], found["word"]
    name, colon, value = word.partition(":")
    if not colon:
        typed = name.lower()
        fitting = [(text, about) for text, about in FIELDS if text.lower().startswith(typed)]
        return [Suggestion(f"{before}{sign}{text}", text, about) for text, about in fitting[:_MOST]]
    typed = fold(value.strip('"'))
    values = _values(db, asked, name.lower())
    fitting_values = [one for one in values if fold(one).startswith(typed)] or [
        one for one in values if typed in fold(one)
    ]
    return [
        Suggestion(f"{before}{sign}{name}:{quoted(one)} ", f"{name}:{quoted(one)}", "")
        for one in fitting_values[:_MOST]
        if fold(one) != typed or len(fitting_values) > 1
    ]


def quoted(text: str) -> str:
    """A value as the language takes it."""
    if text.startswith("[") or re.fullmatch(r"[\w.@-]+", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _values(db: Reader, asked: Asked, name: str) -> list[str]:
    if name in _VALUES:
        return list(_VALUES[name])
    if name == "tag":
        return [one.name for one in tags.first_of(db, asked.account_id, 500)]
    seen = [one for one in inboxes.all_of(db, asked.account_id) if may_see(asked.actor, one.id)]
    if name == "mailbox":
        return [one.name for one in seen]
    if name == "assigned":
        people = {who.name for one in seen[:20] for who in owners.candidates(db, asked.account_id, one.id)}
        return ["Unassigned", *sorted(people)]
    return []
