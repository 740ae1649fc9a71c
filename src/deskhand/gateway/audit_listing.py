"""Reading the audit log: a decision and its completion as one entry, and changes of the administration between them."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.operation import Resource
from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, Statement, columns, rows, value
from deskhand.gateway.tables import audit_record
from deskhand.lib.clock import from_wire
from deskhand.lib.text import fold

LIMIT, LIMIT_MOST = 50, 500
SPAN = 50_000
SPANS_MOST = 4
"""A page is looked for in so many records at a time, so many times; then it may have fewer entries than asked for."""
UNREADABLE = "Somebody changed this record so that it can't be read; verifying the log tells more"
_NUMBER_MOST = 2**63 - 1
_SEARCHED = 500


class Filters(msgspec.Struct, frozen=True):
    """Which entries; None: any. `since` is the first moment, `until` the first one after; `text` is in the sentence."""

    agent: int | None = None
    operation: str | None = None
    decision: Literal["allowed", "held", "refused"] | None = None
    inbox: int | None = None
    resource: str | None = None
    conversation: int | None = None
    since: str | None = None
    until: str | None = None
    text: str | None = None
    type: Literal["decision", "admin"] | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it is shown.

    Changes of the administration have `type` admin, an `actor` and `particulars`, and no operation or decision. Without
    a status a call is under way, or its end is not known: the process or its machine may have died.
    """

    id: int
    type: str
    at: str
    sentence: str
    agent: Mapping[str, Any] | None = None
    actor: Mapping[str, Any] | None = None
    door: str | None = None
    operation: str | None = None
    resource: str | None = None
    action: str | None = None
    method: str | None = None
    path: str | None = None
    inbox_id: int | None = None
    conversation_id: int | None = None
    conversation_number: int | None = None
    decision: str | None = None
    reason: str | None = None
    rule: str | None = None
    status: int | None = None
    milliseconds: int | None = None
    resource_id: int | None = None
    grant_version: int | None = None
    arguments_hash: str | None = None
    arguments: Any = None
    approval_id: int | None = None
    particulars: Mapping[str, Any] | None = None
    previous_hash: str
    hash: str


class Page(msgspec.Struct, frozen=True):
    """Entries, the newest first, and where the next page begins; None after the last."""

    entries: list[Entry]
    next: str | None


class _Row(msgspec.Struct, frozen=True):
    number: int
    content: str
    hash: str


class _Completion(msgspec.Struct):
    of: int
    status: int
    milliseconds: int
    resource_id: int | None = None


class _Sentence(msgspec.Struct):
    sentence: str = ""


_read_completion = msgspec.json.Decoder(_Completion).decode
_read_sentence = msgspec.json.Decoder(_Sentence).decode

_record = audit_record.c
_CONDITIONS = {
    "agent": _record.agent_id == P("agent"),
    "operation": _record.operation == P("operation"),
    "decision": _record.decision == P("decision"),
    "inbox": _record.inbox_id == P("inbox"),
    "resource": _record.resource == P("resource"),
    "conversation": _record.conversation_id == P("conversation"),
    "since": _record.at >= P("since"),
    "until": _record.at < P("until"),
    "type": _record.type == P("type"),
}
_COMPLETIONS = value(
    str,
    sa.select(_record.content)
    .where(_record.account_id == P("account_id"), ids_in(_record.of, P("numbers", sa.Text)))
    .order_by(_record.number),
)
_NEWEST = value(int, sa.select(sa.func.max(_record.number).label("n")).where(_record.account_id == P("account_id")))
_NEWEST_BEFORE = value(
    int,
    sa.select(sa.func.max(_record.number).label("n")).where(
        _record.account_id == P("account_id"), _record.at < P("until")
    ),
)
_OLDEST_SINCE = value(
    int,
    sa.select(sa.func.min(_record.number).label("n")).where(
        _record.account_id == P("account_id"), _record.at >= P("since")
    ),
)


def read_filters(query: Mapping[str, str]) -> tuple[Filters, str | None, int]:
    """Filters, cursor and limit as a query string or options give them; raises BadRequest that names the field."""
    unknown = query.keys() - set(Filters.__struct_fields__) - {"cursor", "limit"}
    if unknown:
        raise _wrong(min(unknown), "is not a parameter")
    given = {name: text for name, text in query.items() if text != "" and name not in ("cursor", "limit")}
    read: dict[str, Any] = {}
    for name, text in given.items():
        read[name] = _READERS[name](name, text) if name in _READERS else text
    limit = _whole("limit", query["limit"], LIMIT_MOST) if query.get("limit") else LIMIT
    return Filters(**read), query.get("cursor") or None, limit


def entries(db: Reader, account_id: int, filters: Filters, cursor: str | None = None, limit: int = LIMIT) -> Page:
    """A page of entries, the newest first. It may be short of `limit` and yet have a next one. Raises BadRequest."""
    lowest, highest = _bounds(db, account_id, filters)
    if cursor is not None:
        highest = min(highest, _position(cursor) - 1)
    found: list[_Row] = []
    reached = lowest
    for reached, high in _spans(filters, lowest, highest):
        found += _matching(db, account_id, filters, reached, high, limit + 1 - len(found))
        if len(found) > limit:
            return Page(_merged(db, account_id, found[:limit]), _cursor(found[limit - 1].number))
    return Page(_merged(db, account_id, found), _cursor(reached) if reached > lowest else None)


def entries_between(db: Reader, account_id: int, filters: Filters, low: int, high: int, limit: int) -> list[Entry]:
    """The first entries between two numbers, both included, the oldest first: what is new, or a piece of an export."""
    return _merged(db, account_id, _matching(db, account_id, filters, low, high, limit, ascending=True))


def entries_since(db: Reader, account_id: int, filters: Filters, number: int) -> tuple[list[Entry], int]:
    """Entries behind a number, the oldest first, and the number behind which the next ones are."""
    through = newest(db, account_id)
    found = entries_between(db, account_id, filters, number + 1, through, LIMIT_MOST)
    return found, found[-1].id if len(found) == LIMIT_MOST else through


def entry(db: Reader, account_id: int, number: int) -> Entry | None:
    """One entry by its number."""
    found = _merged(db, account_id, _matching(db, account_id, Filters(), number, number, 1))
    return found[0] if found else None


def newest(db: Reader, account_id: int) -> int:
    """The number of the newest record; 0 where there is none."""
    return db.one(_NEWEST, account_id=account_id) or 0


# -- From the filters to rows


def _bounds(db: Reader, account_id: int, filters: Filters) -> tuple[int, int]:
    """The numbers between which entries of the filters' time lie; clocks may go backwards, so not all there do."""
    lowest = 1
    if filters.since is not None:
        lowest = db.one(_OLDEST_SINCE, account_id=account_id, since=filters.since) or _NUMBER_MOST
    if filters.until is not None:
        return lowest, db.one(_NEWEST_BEFORE, account_id=account_id, until=filters.until) or 0
    return lowest, newest(db, account_id)


def _spans(filters: Filters, lowest: int, highest: int) -> Iterator[tuple[int, int]]:
    """Ranges of numbers to look at, one after the other. An index leads to what an agent or a conversation did."""
    if filters.text is None and (filters.agent is not None or filters.conversation is not None):
        yield lowest, highest
        return
    for high in range(highest, max(lowest - 1, highest - SPAN * SPANS_MOST), -SPAN):
        yield max(lowest, high - SPAN + 1), high


def _matching(
    db: Reader, account_id: int, filters: Filters, low: int, high: int, most: int, *, ascending: bool = False
) -> list[_Row]:
    """The first `most` entries between two numbers, seen from one end or the other."""
    query, given = _query(filters, ascending=ascending)

    def read(low: int, high: int, most: int) -> list[_Row]:
        return db.all(query, account_id=account_id, low=low, high=high, most=most, **given)

    if filters.text is None:
        return read(low, high, most)
    wanted, found = fold(filters.text), list[_Row]()
    while len(found) < most and (page := read(low, high, _SEARCHED)):
        found += [row for row in page if wanted in _folded(row)]
        low, high = (page[-1].number + 1, high) if ascending else (low, page[-1].number - 1)
    return found[:most]


def _folded(row: _Row) -> str:
    try:
        return fold(_read_sentence(row.content).sentence)
    except msgspec.DecodeError:
        return fold(UNREADABLE)


def _query(filters: Filters, *, ascending: bool) -> tuple[Statement[_Row], dict[str, Any]]:
    number = _record.number
    conditions = [_record.account_id == P("account_id"), number.between(P("low"), P("high"))]
    given: dict[str, Any] = {}
    for name, condition in _CONDITIONS.items():
        if (wanted := getattr(filters, name)) is not None:
            conditions.append(condition)
            given[name] = wanted
    if filters.type is None:
        conditions.append(sa.or_(_record.type == "decision", _record.type == "admin"))
    select = sa.select(*columns(audit_record, *_Row.__struct_fields__)).where(*conditions)
    ordered = select.order_by(number if ascending else number.desc()).limit(P("most", sa.Integer))
    return rows(_Row, ordered, keep=False), given


def _merged(db: Reader, account_id: int, found: Sequence[_Row]) -> list[Entry]:
    """Records of decisions as entries, with how the calls ended."""
    if not found:
        return []
    numbers = msgspec.json.encode([row.number for row in found]).decode()
    ends: dict[int, _Completion] = {}
    for content in db.all(_COMPLETIONS, account_id=account_id, numbers=numbers):
        with contextlib.suppress(msgspec.DecodeError):  # verifying finds it
            end = _read_completion(content)
            ends[end.of] = end
    return [_entry(row, ends.get(row.number)) for row in found]


def _entry(row: _Row, end: _Completion | None) -> Entry:
    try:
        content = msgspec.json.decode(row.content, type=dict[str, Any]) | {"id": row.number, "hash": row.hash}
        if end is not None:
            content |= {"status": end.status, "milliseconds": end.milliseconds, "resource_id": end.resource_id}
            if content.get("decision") == "held":  # what it made is the approval
                content["approval_id"] = end.resource_id
        return msgspec.convert(content, Entry)
    except msgspec.DecodeError:
        return Entry(id=row.number, type="unreadable", at="", sentence=UNREADABLE, previous_hash="", hash=row.hash)


# -- What callers send


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(f"before {number}".encode()).decode().rstrip("=")


def _position(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        text = ""
    found = re.fullmatch(r"before ([0-9]{1,18})", text)
    if found is None:
        raise _wrong("cursor", "is none that a page gave")
    return int(found[1])


def _whole(name: str, text: str, most: int = _NUMBER_MOST) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= most):
        raise _wrong(name, "must be a whole number" if most == _NUMBER_MOST else f"must be a number from 1 to {most}")
    return int(text)


def _name(name: str, text: str) -> str:
    """Not only the catalogue's operations: the gateway has some of its own."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", text):
        raise _wrong(name, "must be the name of an operation, as list_conversations")
    return text


def _moment(name: str, text: str) -> str:
    try:
        from_wire(text)
    except ValueError:
        raise _wrong(name, "must be a time as 2026-11-23T09:30:00Z") from None
    return text


def _one_of(*choices: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text not in choices:
            raise _wrong(name, f"must be one of {', '.join(choices)}")
        return text

    return read


def _wrong(name: str, message: str) -> BadRequest:
    return BadRequest(FieldError(name, message, "InvalidValue", source="QUERY"))


_READERS: dict[str, Callable[[str, str], Any]] = {
    "agent": _whole,
    "inbox": _whole,
    "conversation": _whole,
    "decision": _one_of("allowed", "held", "refused"),
    "resource": _one_of(*(resource.key for resource in Resource)),
    "operation": _name,
    "type": _one_of("decision", "admin"),
    "since": _moment,
    "until": _moment,
}
