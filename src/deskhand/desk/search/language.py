"""The language of the API's `query` parameters: text in, a small immutable tree out.

Pure: no field names, no database, no clock. Whoever compiles the tree to SQL knows those.
Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/list (its section "Query")
"""

from __future__ import annotations

import calendar
import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

LONGEST_TEXT = 8192
DEEPEST_NESTING = 20
MOST_TERMS = 100


class SyntaxProblem(Exception):
    """A query that cannot be understood: the 1-based position of the culprit, and a sentence for the caller."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(position, message)
        self.position = position
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} (position {self.position})"


@dataclass(frozen=True, slots=True)
class Word:
    """An unquoted term; with `prefix`, any text that begins so (`refun*`)."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """A quoted text, as between its quotation marks; it may be empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Range:
    """`[low TO high]`; None is an open end, a curly bracket leaves its own end out."""

    low: str | None
    high: str | None
    low_included: bool = True
    high_included: bool = True


Value: TypeAlias = Word | Phrase | Range
ANY = Word("", prefix=True)  # `field:*` and `field:[* TO *]`: the field has a value


@dataclass(frozen=True, slots=True)
class Match:
    """One condition; without a field it is free text. `position` is where its field (or bare term) begins, from 1."""

    field: str | None
    value: Value
    position: int = dataclasses.field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """What `part` does not match."""

    part: Node


@dataclass(frozen=True, slots=True)
class And:
    """What all parts match; `And(())` is everything."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """What at least one of two or more parts matches."""

    parts: tuple[Node, ...]


Node: TypeAlias = And | Or | Not | Match


def parse(text: str) -> Node:
    """Read a query; a blank one, or one of parentheses only, matches everything. Raises SyntaxProblem."""
    if len(text) > LONGEST_TEXT:
        raise SyntaxProblem(LONGEST_TEXT + 1, f"A query may be at most {LONGEST_TEXT} characters long.")
    if unusable := _UNUSABLE.search(text):
        raise SyntaxProblem(unusable.start() + 1, "This character cannot be searched for.")
    tokens = list(_tokens(text.translate(_STRAIGHT_QUOTES)))
    if all(token.kind in ("(", ")") for token in tokens):
        return And(())
    return _Parser([*tokens, _Token("end", len(text) + 1, "")]).query()


def fields(node: Node) -> Iterator[Match]:
    """Every condition of the tree in the order written, for a caller to check field names, values and rights."""
    match node:
        case Match():
            yield node
        case Not(part):
            yield from fields(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from fields(part)


def interval(match: Match, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The time a condition on a date field spans, as `start <= t < end` in UTC; None is an open end.

    Raises SyntaxProblem at the condition when its value is no date. `ANY` gives (None, None).
    """
    value = match.value
    if value == ANY:
        return None, None
    try:
        if isinstance(value, Range):
            low, high = _edge(value.low, now), _edge(value.high, now)
            return low[0 if value.low_included else 1], high[1 if value.high_included else 0]
        starred = isinstance(value, Word) and value.prefix
        return period(f"{value.text}*" if starred else value.text, now)
    except ValueError as error:
        raise SyntaxProblem(match.position, str(error)) from None


def period(text: str, now: datetime) -> tuple[datetime, datetime]:
    """The half-open period in UTC that a date names, in whole seconds. Raises ValueError with a sentence.

    It is as long as the finest unit in it: `2026-01` a month, `NOW/DAY` today, `NOW/DAY-1DAY` yesterday, `NOW-7DAY` one
    second. A time without a zone is UTC. Source: https://solr.apache.org/guide/working-with-dates.html
    """
    start, unit = _moment(text, now)
    return start, _end(start, unit)


# -- Reading


_UNUSABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff]")  # PostgreSQL stores no NUL, UTF-8 no half of a pair
_STRAIGHT_QUOTES = str.maketrans("“”„‟", '""""')
_OPERATORS = ("AND", "OR", "NOT")
_STARTS = ("(", "NOT", "field", "value")

# Possessive quantifiers (`++`) never go back, which keeps the reading linear.
_END = r'"(?:[^"\\]++|\\.)*+" | (?:[^\s()"\\\]}]++|\\.)++'
_ANYWHERE = rf"""
    (?P<space> \s++ ) | (?P<parenthesis> [()] ) | "(?P<phrase> (?:[^"\\]++|\\.)*+ )"
    | (?P<range> [\[{{] \s*+ (?P<low> {_END} ) \s++ [Tt][Oo] \s++ (?P<high> {_END} ) \s*+ [\]}}] )
"""
_SIGN_OR_FIELD = r"""
    | (?P<minus> - (?=[^\s)+-]) ) | (?P<plus> \+ (?=["(]) ) | \+?+ (?P<field> [^\W\d][\w.-]*+ ) : (?!//)
"""
_WORD = r'| (?P<word> (?:[^\s()"\\]++|\\.?+)++ )'
_TOKEN = re.compile(_ANYWHERE + _SIGN_OR_FIELD + _WORD, re.VERBOSE | re.DOTALL)
_AFTER_FIELD = re.compile(_ANYWHERE + _WORD, re.VERBOSE | re.DOTALL)  # here `-5` and `a:b` are plain values
_STARRED = re.compile(r"((?:[^\\*]++|\\.?+)*+)(\*?)", re.DOTALL)
_ESCAPE = re.compile(r"\\([\W_])")  # a backslash before a letter or digit stays: C:\temp


class _Token(NamedTuple):
    kind: str  # a parenthesis, an operator, "field", "value" or "end"
    position: int
    text: str
    value: Value | None = None


def _tokens(text: str) -> Iterator[_Token]:
    at, terms, kind = 0, 0, ""
    while at < len(text):
        found = (_AFTER_FIELD if kind == "field" else _TOKEN).match(text, at)
        if found is None:
            raise SyntaxProblem(at + 1, 'This quotation mark is never closed; write \\" for the character itself.')
        if kind == "field" and found["word"] and text[at] in "[{":
            raise SyntaxProblem(at + 1, "A range is written [A TO B], and * stands for an open end.")
        at = found.end()
        if found["space"] or found.lastgroup == "plus":
            continue
        token = _token(found)
        kind = token.kind
        terms += kind == "value"
        if terms > MOST_TERMS:
            raise SyntaxProblem(token.position, f"A query may have at most {MOST_TERMS} terms.")
        yield token


def _token(found: re.Match[str]) -> _Token:
    position, text = found.start() + 1, found[0]
    match found.lastgroup:
        case "parenthesis":
            return _Token(text, position, text)
        case "minus":
            return _Token("NOT", position, text)
        case "field":
            return _Token("field", found.start("field") + 1, found["field"])
        case "phrase":
            return _Token("value", position, text, Phrase(_unescaped(found["phrase"])))
        case "range":
            return _Token("value", position, text, _range(found))
    if text in _OPERATORS:
        return _Token(text, position, text)
    return _Token("value", position, text, _word(text, position))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _range(found: re.Match[str]) -> Value:
    low, high = _range_end(found["low"]), _range_end(found["high"])
    if low is None and high is None:
        return ANY
    return Range(low, high, low_included=found[0][0] == "[", high_included=found[0][-1] == "]")


def _range_end(text: str) -> str | None:
    if text == "*":
        return None
    return _unescaped(text[1:-1] if text[0] == '"' else text)


def _word(text: str, position: int) -> Word:
    if text == "*:*":
        return ANY
    found = _STARRED.fullmatch(text)
    if found is None:
        raise SyntaxProblem(position, "A * may stand only at the end of a word; write \\* for the character itself.")
    return Word(_unescaped(found[1]), prefix=found[2] == "*")


class _Parser:
    """Recursive descent; `owner` is the field token whose group is being read."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Node:
        node = self._either(None, 0)
        if self._tokens[self._at].kind != "end":
            raise SyntaxProblem(self._tokens[self._at].position, "This parenthesis closes nothing.")
        return node

    def _either(self, owner: _Token | None, depth: int) -> Node:
        parts = [self._both(owner, depth)]
        while self._take("OR"):
            parts.append(self._both(owner, depth))
        return _joined(Or, parts)

    def _both(self, owner: _Token | None, depth: int) -> Node:
        parts = [self._one(owner, depth)]
        while self._take("AND") or self._tokens[self._at].kind in _STARTS:
            parts.append(self._one(owner, depth))
        return _joined(And, parts)

    def _one(self, owner: _Token | None, depth: int) -> Node:
        token = self._next()
        if depth > DEEPEST_NESTING:
            raise SyntaxProblem(token.position, f"A query may be nested at most {DEEPEST_NESTING} deep.")
        match token.kind:
            case "NOT":
                return Not(self._one(owner, depth + 1))
            case "(":
                return self._inside(token, owner, depth + 1)
            case "field":
                return self._of_field(token, depth)
            case "value":
                return _match(owner, token)
        raise self._missing(token)

    def _of_field(self, field: _Token, depth: int) -> Node:
        token = self._next()
        if token.kind == "(":
            return self._inside(token, field, depth + 1)
        if token.kind == "value":
            return _match(field, token)
        raise SyntaxProblem(field.position, f"The field {field.text} has no value after its colon.")

    def _inside(self, opening: _Token, owner: _Token | None, depth: int) -> Node:
        if self._tokens[self._at].kind in (")", "end"):
            raise SyntaxProblem(opening.position, "Nothing stands between these parentheses.")
        node = self._either(owner, depth)
        self._take(")")  # forgiven when missing: only the end of the text can stand here instead
        return node

    def _missing(self, token: _Token) -> SyntaxProblem:
        before = self._tokens[self._at - 2] if self._at > 1 else token
        if before is not token and before.kind in _OPERATORS:
            return SyntaxProblem(before.position, f"{before.text} has nothing after it.")
        if token.kind in _OPERATORS:
            return SyntaxProblem(token.position, f"{token.text} has nothing before it.")
        return SyntaxProblem(token.position, "This parenthesis closes nothing.")

    def _take(self, kind: str) -> bool:
        found = self._tokens[self._at].kind == kind
        self._at += found
        return found

    def _next(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]


def _joined(kind: type[And | Or], parts: list[Node]) -> Node:
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,)))
    return flat[0] if len(flat) == 1 else kind(flat)


def _match(field: _Token | None, token: _Token) -> Node:
    assert token.value is not None
    if field is not None:
        return Match(field.text, token.value, field.position)
    if token.value == ANY:
        return And(())
    if isinstance(token.value, Range):
        raise SyntaxProblem(token.position, "A range needs a field before it.")
    return Match(None, token.value, token.position)


# -- Dates


_UNITS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")
_SECONDS = {"DAY": 86400, "HOUR": 3600, "MINUTE": 60, "SECOND": 1}
_LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_STEP = rf"([+-]\d{{1,9}}|/)({'|'.join(_UNITS)})S?"
_STEPS = re.compile(_STEP, re.IGNORECASE | re.ASCII)
_CLOCK = r"(\d\d) (?: :(\d\d) (?: :(\d\d) (?:\.\d+)? )? )? (?P<zone> Z | [+-]\d\d:?\d\d )?"
_DATE = re.compile(
    rf"(?: NOW | (\d{{4}}) (?: -(\d\d) (?: -(\d\d) (?: [T ] {_CLOCK} )? )? )? ) (?P<steps> (?:{_STEP})* )",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def _moment(text: str, now: datetime) -> tuple[datetime, str]:
    """The first second of what `text` names, and the finest unit in it."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no date; write one like 2026-01-31, 2026-01, 2026 or NOW-7DAYS.")
    try:
        start, unit = _written(found) if found[1] else (_floored(now.astimezone(UTC), "SECOND"), "SECOND")
        for amount, name in _STEPS.findall(found["steps"].upper()):
            start = _floored(start, name) if amount == "/" else _later(start, int(amount), name)
            unit = name if amount == "/" else max(unit, name, key=_UNITS.index)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} is not in the calendar.") from None
    return start, unit


def _written(found: re.Match[str]) -> tuple[datetime, str]:
    given = [int(part) for part in found.groups()[:6] if part]
    start = _first_second(given)
    zone = found["zone"]
    if zone and zone not in "Zz":
        away = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        start = start - away if zone[0] == "+" else start + away
    return start, _UNITS[len(given) - 1]


def _floored(moment: datetime, unit: str) -> datetime:
    return _first_second(list(moment.timetuple()[: _UNITS.index(unit) + 1]))


def _first_second(given: list[int]) -> datetime:
    year, month, day, hour, minute, second = given + [1, 1, 1, 0, 0, 0][len(given) :]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def _later(moment: datetime, count: int, unit: str) -> datetime:
    if unit in _SECONDS:
        return moment + timedelta(seconds=count * _SECONDS[unit])
    year, month = divmod(moment.year * 12 + moment.month - 1 + count * (12 if unit == "YEAR" else 1), 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _end(start: datetime, unit: str) -> datetime:
    try:
        return _later(start, 1, unit)
    except (ValueError, OverflowError):
        return _LATEST


def _edge(text: str | None, now: datetime) -> tuple[datetime, datetime] | tuple[None, None]:
    """The period of a range's end. Rounded, it is one second: the documentation's "in 2013" ends at 2014-01-01/YEAR."""
    if text is None:
        return None, None
    start, unit = _moment(text, now)
    return start, _end(start, "SECOND" if "/" in text else unit)
