"""From a query's text to what is asked: its conditions by kind, apart from the values they compare with.

Queries that differ in values only have one shape, so their statements are made once: see `search_conditions`.
Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/list (the section about `query`)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.desk.search import matching
from deskhand.desk.search.language import (
    ANY,
    And,
    Match,
    Node,
    Not,
    Or,
    Phrase,
    Range,
    SyntaxProblem,
    Word,
    interval,
    parse,
)
from deskhand.lib.clock import to_wire
from deskhand.lib.text import beginning, containing, fold

Shape: TypeAlias = tuple[Any, ...]
"""("and", *shapes), ("or", *shapes), ("not", shape), or a test: (kind, place, *details).

A test's values are parameters whose names begin with its place in the query: see `parameter`.
"""

EVERYTHING: Shape = ("and",)
NOTHING: Shape = ("or",)
_PATTERN_MOST = 10_000
"""Characters of a pattern; SQLite takes 50,000 bytes. Folding makes texts longer, but no tag's name so long."""


class Search(msgspec.Struct, frozen=True):
    """A query as it was written, its shape, and a value for each of its parameters."""

    text: str
    shape: Shape
    values: dict[str, Any]


def parameter(place: int, name: str) -> str:
    """The name of a parameter of the test at a place."""
    return f"q{place}_{name}"


def read(text: str, account_id: int, now: datetime) -> Search:
    """Understand a query at a moment; raises BadRequest that names the position of what can't be understood."""
    reading = _Reading(account_id, now)
    try:
        shape = reading.node(parse(text))
    except SyntaxProblem as problem:
        raise BadRequest(FieldError("query", str(problem), "query", text[:200], "QUERY")) from None
    return Search(text, shape, reading.values)


class _Reading:
    """Reads one query for one account at one moment, test by test."""

    def __init__(self, account_id: int, now: datetime) -> None:
        self.account_id = account_id
        self.now = now
        self.values: dict[str, Any] = {}
        self._places = 0

    def node(self, node: Node) -> Shape:
        match node:
            case And(parts):
                return ("and", *map(self.node, parts))
            case Or(parts):
                return ("or", *map(self.node, parts))
            case Not(part):
                return ("not", self.node(part))
            case Match(None, _):
                return self._text(node, None)
            case Match(name, _):
                read_field = _FIELDS.get(str(name).lower())
                if read_field is None:
                    known = ", ".join(_NAMES)
                    raise SyntaxProblem(node.position, f"There is no field {str(name)[:50]}; there are {known}.")
                return read_field(self, node)

    def _test(self, kind: str, *details: Any, **values: Any) -> Shape:
        place = self._places
        self._places += 1
        for name, value in values.items():
            self.values[parameter(place, name)] = value
        return (kind, place, *details)

    def _text(self, match: Match, column: matching.Column) -> Shape:
        value = match.value
        if isinstance(value, Range):
            raise SyntaxProblem(match.position, "Texts can't be compared with a range.")
        asked = matching.asked(value, column, self.account_id)
        if isinstance(asked, bool):
            return EVERYTHING if asked else NOTHING
        if isinstance(value, Word) and matching.begins_too_much(value):
            raise SyntaxProblem(match.position, "Before the * must stand at least two letters or digits.")
        return self._test("text", asked.shape, **asked.values)

    def subject(self, match: Match) -> Shape:
        return self._test("has_subject") if match.value == ANY else self._text(match, "subject")

    def body(self, match: Match) -> Shape:
        return EVERYTHING if match.value == ANY else self._text(match, "body")

    def email(self, match: Match) -> Shape:
        if match.value == ANY:
            return self._test("has_email")
        text, prefix = _word(match)
        address = text.strip().lower()
        if "@" in address and not prefix:
            return self._test("email", known=address, typed=text.strip(), copied=containing(f'"{address}"'))
        known = beginning(address) if prefix else containing(address)
        return self._test("email_like", known=known, copied=containing(f'"{address}' if prefix else address))

    def tag(self, match: Match) -> Shape:
        if match.value == ANY:
            return self._test("has_tag")
        text, prefix = _word(match)
        name = beginning(fold(text)) if prefix else fold(text)
        return self._test("tag", prefix, name=name) if len(name) <= _PATTERN_MOST else NOTHING

    def inbox(self, match: Match) -> Shape:
        text, prefix = _word(match)
        return self._test("inbox", prefix, **_name(text, prefix))

    def assigned(self, match: Match) -> Shape:
        if match.value == ANY:
            return self._test("has_owner")
        text, prefix = _word(match)
        wanted = text.strip()
        if wanted.lower() == "unassigned":
            return ("not", self._test("has_owner"))
        return self._test("owner", prefix, **_name(wanted, prefix))

    def status(self, match: Match) -> Shape:
        text = _word(match)[0].lower()
        if match.value == ANY or text == "all":
            return EVERYTHING
        return self._test("open") if text == "open" else self._test("status", status=text)

    def attachments(self, match: Match) -> Shape:
        text = _word(match)[0].lower()
        if text not in ("true", "false"):
            raise SyntaxProblem(match.position, "attachments takes true or false.")
        return self._test("attachments", text == "true")

    def replied(self, match: Match) -> Shape:
        return self._test("replied") if match.value == ANY else self._numbers(match, "replied")

    def number(self, match: Match) -> Shape:
        return self._numbers(match, str(match.field).lower())

    def _numbers(self, match: Match, kind: str) -> Shape:
        if match.value == ANY:
            return EVERYTHING
        if not isinstance(match.value, Range):
            return self._test(kind, ("==",), end0=_number(_word(match)[0], match))
        bounds = []
        if match.value.low is not None:
            bounds.append((">=" if match.value.low_included else ">", _number(match.value.low, match)))
        if match.value.high is not None:
            bounds.append(("<=" if match.value.high_included else "<", _number(match.value.high, match)))
        return self._within(kind, bounds)

    def moment(self, match: Match) -> Shape:
        if match.value == ANY:
            return EVERYTHING
        start, end = interval(match, self.now)
        bounds = [] if start is None else [(">=", to_wire(start))]
        bounds += [] if end is None else [("<", to_wire(end))]
        return self._within(str(match.field).lower(), bounds)

    def _within(self, kind: str, bounds: list[tuple[str, Any]]) -> Shape:
        ends = {f"end{number}": value for number, (_, value) in enumerate(bounds)}
        return self._test(kind, tuple(how for how, _ in bounds), **ends)


def _word(match: Match) -> tuple[str, bool]:
    """A value that must be a word or a quoted text, and whether only its beginning is given."""
    match match.value:
        case Word(text, prefix):
            return text, prefix
        case Phrase(text):
            return text, False
        case _:
            raise SyntaxProblem(match.position, f"{match.field} can't be compared with a range.")


def _name(text: str, prefix: bool) -> dict[str, str]:
    """A name as it was typed and in lower case, for SQLite lowers ASCII letters only."""
    if prefix:
        return {"typed": beginning(text), "lowered": beginning(text.lower())}
    return {"typed": text, "lowered": text.lower()}


def _number(text: str, match: Match) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise SyntaxProblem(match.position, f"{match.field} takes numbers.")
    return int(text)


_FIELDS: dict[str, Callable[[_Reading, Match], Shape]] = {
    "subject": _Reading.subject,
    "body": _Reading.body,
    "email": _Reading.email,
    "tag": _Reading.tag,
    "mailbox": _Reading.inbox,
    "mailboxid": _Reading.number,
    "assigned": _Reading.assigned,
    "status": _Reading.status,
    "customerids": _Reading.number,
    "number": _Reading.number,
    "id": _Reading.number,
    "attachments": _Reading.attachments,
    "attachment": _Reading.attachments,
    "createdat": _Reading.moment,
    "modifiedat": _Reading.moment,
    "replyuserids": _Reading.replied,
}
_NAMES = (
    "subject", "body", "email", "tag", "mailbox", "mailboxid", "assigned", "status", "customerIds", "number", "id",
    "attachments", "createdAt", "modifiedAt", "replyUserIds",
)  # fmt: skip
