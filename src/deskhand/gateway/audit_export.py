"""Exports of the audit log, made a piece at a time so that they may be of any length.

JSON lines are the raw records in the order of the chain, to be verified anywhere; CSV is entries, to be read by people.
"""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, columns, rows
from deskhand.gateway import chain
from deskhand.gateway.audit_listing import Entry, Filters, entries_between, newest
from deskhand.gateway.chain import START, Head
from deskhand.gateway.tables import audit_record
from deskhand.lib.clock import to_wire
from deskhand.lib.signing_keys import SigningKey

PIECE = 1_000

COLUMNS = (
    "id", "type", "at", "agent_id", "agent", "actor", "operation", "resource", "action", "method", "path", "inbox_id",
    "conversation_id", "conversation_number", "decision", "reason", "rule", "sentence", "status", "milliseconds",
    "resource_id", "grant_version", "arguments_hash", "approval_id", "door", "previous_hash", "hash",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a cell must not begin with: spreadsheets would take it for a formula."""


class _Line(msgspec.Struct, frozen=True):
    number: int
    content: str
    hash: str


_LINES = rows(
    _Line,
    sa.select(*columns(audit_record, *_Line.__struct_fields__))
    .where(
        audit_record.c.account_id == P("account_id"),
        audit_record.c.number >= P("low"),
        audit_record.c.number <= P("through"),
    )
    .order_by(audit_record.c.number)
    .limit(P("most", sa.Integer)),
)


class JsonLines:
    """The raw records of a chain up to where it ends now, and a signed checkpoint that says so.

    That last line is made for the export and is no part of the chain: it has the next number, and the chain will have
    another record of that number.
    """

    media_type = "application/jsonl"

    def __init__(self, account_id: int, key: SigningKey, now: datetime) -> None:
        self._account_id = account_id
        self._key = key
        self._at = to_wire(now)
        self._head: Head | None = None
        self._after = 0
        self._ended = False

    def piece(self, db: Reader) -> bytes:
        """The next piece; empty when there is nothing more. Raises KeyUnusable."""
        if self._head is None:
            self._head = chain.end(db, self._account_id) or Head(0, START, 0, self._at)
        found = db.all(_LINES, account_id=self._account_id, low=self._after + 1, through=self._head.number, most=PIECE)
        if found:
            self._after = found[-1].number
            return "".join(_written(line.hash, line.content) for line in found).encode()
        if self._ended:
            return b""
        self._ended = True
        last = chain.signed(
            self._account_id, {"why": "export"}, self._head.number + 1, self._at, self._head.hash, self._key
        )
        return _written(last.hash, last.content).encode()


class Csv:
    """Entries as rows of a table, the oldest first, with a line of the columns' names."""

    media_type = "text/csv; charset=utf-8"

    def __init__(self, account_id: int, filters: Filters) -> None:
        self._account_id = account_id
        self._filters = filters
        self._through: int | None = None
        self._after = 0

    def piece(self, db: Reader) -> bytes:
        """The next piece; empty when there is nothing more."""
        lines: list[Any] = []
        if self._through is None:
            self._through = newest(db, self._account_id)
            lines.append(COLUMNS)
        low, self._after = self._after + 1, self._through
        found = entries_between(db, self._account_id, self._filters, low, self._through, PIECE)
        if len(found) == PIECE:
            self._after = found[-1].id
        lines += map(_cells, found)
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        return text.getvalue().encode()


def _written(hash: str, content: str) -> str:
    """A record and its hash on a line; behind the hash its JSON stands as it was hashed."""
    return f'{{"hash":"{hash}",{content[1:]}\n'


def _cells(entry: Entry) -> list[str]:
    shown = msgspec.structs.asdict(entry)
    shown["agent_id"] = entry.agent and entry.agent["id"]
    shown["agent"] = entry.agent and entry.agent["name"]
    if entry.actor is not None:
        shown["actor"] = f"{entry.actor['type']} {entry.actor['id'] or ''}".rstrip()
    return [_cell(shown[name]) for name in COLUMNS]


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
