"""The customers' `query` parameter as a condition in SQL.

Source: https://developer.helpscout.com/mailbox-api/endpoints/customers/list (its section "Query")
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, NoReturn

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.catalogue.values import Email, decode_hook
from deskhand.db.portable import texts_in
from deskhand.db.statements import P
from deskhand.desk.customers.queries import folded_email
from deskhand.desk.customers.tables import customer, customer_entry
from deskhand.desk.search.language import ANY, And, Match, Node, Not, Or, Range, SyntaxProblem, Word, interval, parse
from deskhand.lib.clock import to_wire
from deskhand.lib.text import fold

DEEPEST_NESTING = 30
"""How deep AND and OR may alternate: SQLite's parser holds 100 open parts of a statement."""

_FIELDS = ("firstName", "lastName", "email", "organization", "createdAt", "modifiedAt")
_TEXTS = {
    "firstname": customer.c.first_folded,
    "lastname": customer.c.last_folded,
    "organization": customer.c.organization_folded,
}
_TIMES = {"createdat": customer.c.created_at, "modifiedat": customer.c.updated_at}
_SPACE: sa.ColumnElement[str] = sa.literal_column("' '")
_FULL_NAME = _SPACE.concat(customer.c.first_folded).concat(_SPACE).concat(customer.c.last_folded)
_ESCAPE = "!"
_PATTERN_MOST = 10_000
"""Characters of a pattern; SQLite takes 50,000 bytes. Folding makes texts longer, but no name or address so long."""
_SECOND = timedelta(seconds=1)
_EARLIEST = datetime(1, 1, 1, 0, 0, 1, tzinfo=UTC)


class _Part(NamedTuple):
    condition: sa.ColumnElement[bool]
    depth: int


def condition(text: str, now: datetime) -> sa.ColumnElement[bool]:
    """What a query asks for; raises BadRequest that names `query` and the position at fault."""
    try:
        part = _part(parse(text), now, negated=False)
        if part.depth > DEEPEST_NESTING:
            raise SyntaxProblem(1, f"A query of customers may be nested at most {DEEPEST_NESTING} deep.")
        return part.condition
    except SyntaxProblem as problem:
        raise BadRequest(FieldError("query", str(problem), "EnumValue", text[:200], "QUERY")) from None


def _part(node: Node, now: datetime, *, negated: bool) -> _Part:
    """Negations are moved inwards to single conditions, so that only AND and OR nest."""
    match node:
        case Match():
            found = _one(node, now)
            return _Part(sa.not_(found) if negated else found, 0)
        case Not(part):
            return _part(part, now, negated=not negated)
        case And(parts) | Or(parts):
            together = isinstance(node, And) != negated
    addresses, others = ([], list(parts)) if together or negated else _addresses(parts)
    inner = [_part(part, now, negated=negated) for part in others]
    if addresses:
        inner.append(_Part(_with_email(_among(addresses)), 0))
    if not inner:
        return _Part(sa.true() if together else sa.false(), 0)
    # The deepest first: SQLite's parser then closes it before it opens the next.
    inner.sort(key=lambda part: part.depth, reverse=True)
    join = sa.and_ if together else sa.or_
    return _Part(join(*(part.condition for part in inner)), inner[0].depth + 1)


def _addresses(parts: tuple[Node, ...]) -> tuple[list[str], list[Node]]:
    """Alternatives that are whole e-mail addresses, which one look into the index finds together; and the others."""
    addresses: list[str] = []
    others: list[Node] = []
    for part in parts:
        if isinstance(part, Match) and (address := _whole_address(part)) is not None:
            addresses.append(address)
        else:
            others.append(part)
    return addresses, others


def _one(match: Match, now: datetime) -> sa.ColumnElement[bool]:
    if match.field is None:
        return _anywhere(match)
    name = match.field.lower()
    if name in _TIMES:
        return _within(_TIMES[name], match, now)
    if name in _TEXTS:
        return _reads(_TEXTS[name], match)
    if name == "email":
        return _has_email(match)
    raise SyntaxProblem(
        match.position, f"There is no field {match.field[:40]}; customers are found by {', '.join(_FIELDS)}."
    )


def _within(column: sa.ColumnElement[Any], match: Match, now: datetime) -> sa.ColumnElement[bool]:
    start, end = interval(match, now)
    low = _plain(to_wire(start) if start is not None else "")
    if end is None:
        return column >= low
    return column.between(low, _plain(to_wire(max(end, _EARLIEST) - _SECOND)))


def _reads(column: sa.ColumnElement[Any], match: Match) -> sa.ColumnElement[bool]:
    if match.value == ANY:
        return column != sa.literal_column("''")
    text, begins = _text(match)
    return _like(column, _literally(fold(text)) + "%") if begins else column == fold(text)


def _has_email(match: Match) -> sa.ColumnElement[bool]:
    if match.value == ANY:
        return _with_email(customer_entry.c.folded != sa.literal_column("''"))
    address = _whole_address(match)
    if address is not None:
        return _with_email(_among([address]))
    given, begins = _text(match)
    text = _literally(folded_email(given))
    return _with_email(_like(customer_entry.c.folded, f"{text}%" if begins else f"%{text}%"))


def _anywhere(match: Match) -> sa.ColumnElement[bool]:
    """Text in the name or in an e-mail address; with a star, at the beginning of one of them."""
    given, begins = _text(match)
    name, address = _literally(fold(given)), _literally(folded_email(given))
    named = sa.select(customer.c.id).where(
        customer.c.account_id == P("account_id"), _like(_FULL_NAME, f"% {name}%" if begins else f"%{name}%")
    )
    # One IN for both rather than an OR: hundreds of terms may stand beside it, and SQLite counts every one.
    addressed = _owners(_like(customer_entry.c.folded, f"{address}%" if begins else f"%{address}%"))
    return customer.c.id.in_(sa.union_all(named, addressed))


def _with_email(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return customer.c.id.in_(_owners(condition))


def _owners(condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(customer_entry.c.customer_id).where(
        customer_entry.c.account_id == P("account_id"),
        customer_entry.c.kind == sa.literal_column("'email'"),
        condition,
    )


def _text(match: Match) -> tuple[str, bool]:
    """The text looked for, and whether what is found need only begin with it."""
    value = match.value
    if isinstance(value, Range):
        _no_range(match)
    return value.text, isinstance(value, Word) and value.prefix


def _no_range(match: Match) -> NoReturn:
    raise SyntaxProblem(match.position, f"{match.field} is compared with a text, not with a range.")


def _whole_address(match: Match) -> str | None:
    """The documentation says that `email` contains the text; by a whole address nothing but itself is meant."""
    value = match.value
    if (match.field or "").lower() != "email" or isinstance(value, Range) or (isinstance(value, Word) and value.prefix):
        return None
    text = folded_email(value.text)
    try:
        decode_hook(Email, text)
    except ValueError:
        return None
    return text if "." in text.rpartition("@")[2] else None


def _among(addresses: list[str]) -> sa.ColumnElement[bool]:
    return texts_in(customer_entry.c.folded, _plain(msgspec.json.encode(addresses).decode()))


def _plain(text: str) -> sa.ColumnElement[str]:
    """A text of no collation, for places where PostgreSQL takes none."""
    return sa.literal(text, sa.Text)


def _like(column: sa.ColumnElement[Any], pattern: str) -> sa.ColumnElement[bool]:
    return column.like(pattern, escape=_ESCAPE) if len(pattern) <= _PATTERN_MOST else sa.false()


def _literally(text: str) -> str:
    for character in (_ESCAPE, "%", "_"):
        text = text.replace(character, _ESCAPE + character)
    return text
