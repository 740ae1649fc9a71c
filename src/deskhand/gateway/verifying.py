"""Verifying a chain of audit records, in the database or in an export far away from it.

Finds any edit, removal, insertion, swap or truncation. Whoever can write to the database could make a whole new chain,
but not sign it: so the end of an export, and each checkpoint in it, is signed with a key outside the database.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, columns, rows, value
from deskhand.gateway import chain
from deskhand.gateway.chain import START, Record, Told, chained, is_genuine, read_told
from deskhand.gateway.tables import audit_record
from deskhand.lib.canonical import canonical

PAGE = 2_000
PROBLEMS_MOST = 1_000
"""Problems that are listed; a chain with more is beyond reading."""
_OPENING, _CLOSING = b'{"hash":"', b'",'
_HASH_TO = len(_OPENING) + 64
_CONTENT_FROM = _HASH_TO + len(_CLOSING)


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with the record of this number."""

    record: int
    problem: str


class Point(msgspec.Struct, frozen=True):
    """A record by its number and hash. Whoever notes the last one can later tell whether the end was cut off."""

    number: int
    hash: str


class Result(msgspec.Struct, frozen=True):
    """What verifying found. `keys` are the public keys that signed, in the order of their appearance."""

    ok: bool
    records: int
    first: int | None
    last: int | None
    problems: tuple[Fault, ...]
    head: Point | None
    keys: tuple[str, ...]


class Checking:
    """Goes through a chain from its first record to its last.

    `keys` are the public keys that may have signed; None: whichever signed first. `head` is a record that it must have.
    """

    def __init__(
        self, keys: Collection[str] | None = None, head: Point | None = None, account_id: int | None = None
    ) -> None:
        self._account_id: Any = account_id
        self._trusted = None if keys is None else frozenset(keys)
        self._wanted = head
        self._seen_wanted = False
        self._signers: dict[str, None] = {}
        self._problems: list[Fault] = []
        self._records = 0
        self._first: int | None = None
        self._number = 0
        self._hash = START
        self._closed = False

    @property
    def number(self) -> int:
        """The number of the record that was looked at last; 0 before the first."""
        return self._number

    def line(self, line: bytes) -> None:
        """Look at a line of an export."""
        try:
            told, content, given, matches = _read_line(line)
        except (msgspec.DecodeError, ValueError, RecursionError) as problem:
            self._unreadable(self._number + 1, problem)
        else:
            self._see(told, content, given, matches)

    def stored(self, record: Record) -> None:
        """Look at a record of the database, with the columns beside its content."""
        content = record.content.encode()
        try:
            told = read_told(content)
        except (msgspec.DecodeError, RecursionError) as problem:
            self._unreadable(record.number, problem)
            return
        self._see(told, content, record.hash, chained(told.previous_hash, content) == record.hash)
        if chain.stored(record.account_id, content, record.hash, told) != record:
            self._fault(record.number, "the columns beside it say something else than the record")
            self._number = record.number

    def end(self, *, closed: bool) -> Result:
        """What was found; `closed`: the last line must be the signed one that ends an export."""
        if closed and not self._closed:
            self._fault(self._number, "the end is missing: an export ends with a signed checkpoint")
        if self._wanted is not None and not self._seen_wanted:
            self._fault(self._wanted.number, "the record that must be there is not, or not with this hash")
        last = self._number if self._first is not None else None
        return Result(
            not self._problems,
            self._records,
            self._first,
            last,
            tuple(self._problems[:PROBLEMS_MOST]),
            None if last is None else Point(self._number, self._hash),
            tuple(self._signers),
        )

    def ends_at(self, head: Point) -> None:
        """The chain must end at this record, as the database says beside it."""
        if head.number > self._number:
            self._fault(head.number, f"the records after {self._number} are missing at the end")
        elif head != Point(self._number, self._hash):
            self._fault(head.number, "the chain does not end where the database says that it does")

    def _see(self, told: Told, content: bytes, given: str, matches: bool) -> None:
        number, after, is_base = told.number, given, False
        if self._closed:
            self._fault(number, "it stands behind the checkpoint that ends the export")
        if not matches:
            self._fault(number, "its content does not match its hash")
        if told.type == "checkpoint":
            checkpoint: dict[str, Any] = msgspec.json.decode(content)
            self._check_signature(number, checkpoint)
            self._closed = checkpoint.get("why") == "export"
            is_base = checkpoint.get("why") == "retention" and self._first is None
            if is_base:
                after = str(checkpoint.get("removed_hash"))
        if not is_base:
            self._check_place(told)
        elif told.previous_hash != START or checkpoint.get("removed_through") != number:
            self._fault(number, "it is not what a chain may begin with")
        if self._wanted == Point(number, after):
            self._seen_wanted = True
        if not self._closed:  # else it was made for the export, and is no part of the chain
            self._records += 1
            self._first = number if self._first is None else self._first
            self._number, self._hash = number, after

    def _unreadable(self, number: int, problem: Exception) -> None:
        self._fault(number, f"it can't be read: {problem}")
        self._first = number if self._first is None else self._first
        self._number, self._hash = number, ""

    def _check_place(self, told: Told) -> None:
        expected = self._number + 1
        if told.number > expected:
            missing = (
                f"record {expected} is"
                if told.number == expected + 1
                else f"records {expected} to {told.number - 1} are"
            )
            self._fault(told.number, f"{missing} missing before it")
        elif told.number < expected:
            self._fault(told.number, f"it stands behind record {self._number}")
        elif self._hash and told.previous_hash != self._hash:
            self._fault(told.number, "it does not follow from the record before it")

    def _check_signature(self, number: int, checkpoint: dict[str, Any]) -> None:
        key = str(checkpoint.get("public_key"))
        if self._account_id is None:
            self._account_id = checkpoint.get("account_id")
        if self._account_id != checkpoint.get("account_id"):
            self._fault(number, "it belongs to the chain of another account")
        if not is_genuine(checkpoint):
            self._fault(number, "its signature is wrong")
        elif self._trusted is not None and key not in self._trusted:
            self._fault(number, f"it was signed with the key {key}, which is none of those that may sign")
        elif self._trusted is None and self._signers and key not in self._signers:
            self._fault(number, f"it was signed with another key than the checkpoints before it: {key}")
        self._signers.setdefault(key)

    def _fault(self, number: int, problem: str) -> None:
        if len(self._problems) < PROBLEMS_MOST:
            self._problems.append(Fault(number, problem))


def _read_line(line: bytes) -> tuple[Told, bytes, str, bool]:
    """A record, its canonical JSON, its hash, and whether the two match; raises DecodeError or ValueError."""
    if line.startswith(_OPENING) and line[_HASH_TO:_CONTENT_FROM] == _CLOSING:
        content, given = b"{" + line[_CONTENT_FROM:], line[len(_OPENING) : _HASH_TO].decode("latin")
        told = read_told(content)
        if chained(told.previous_hash, content) == given:
            return told, content, given, True
    # Somebody wrote the line anew, and perhaps nothing else about it is different.
    content, given = _read_loosely(line)
    told = read_told(content)
    return told, content, given, chained(told.previous_hash, content) == given


def _read_loosely(line: bytes) -> tuple[bytes, str]:
    """A record's canonical JSON and its hash, however the line was written; raises ValueError."""
    record = json.loads(line, object_pairs_hook=_without_doubles)
    if not isinstance(record, dict) or not isinstance(hash := record.pop("hash", None), str):
        raise ValueError("it is no record with a hash")
    return canonical(record), hash


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in it")
    return found


# -- The two places where a chain may be


def verify_file(path: Path, keys: Collection[str] | None = None, head: Point | None = None) -> Result:
    """Verify an export, needing nothing but the file. Raises OSError."""
    with path.open("rb") as file:
        return verify_lines(file, keys, head)


def verify_lines(lines: Iterable[bytes], keys: Collection[str] | None = None, head: Point | None = None) -> Result:
    """Verify the lines of an export."""
    checking = Checking(keys, head)
    for line in lines:
        checking.line(line.rstrip(b"\r\n"))
    return checking.end(closed=True)


_PAGE = rows(
    Record,
    sa.select(*columns(audit_record, *Record.__struct_fields__))
    .where(audit_record.c.account_id == P("account_id"), audit_record.c.number >= P("low"))
    .order_by(audit_record.c.number)
    .limit(P("most", sa.Integer)),
)


_FIRST = value(
    int,
    sa.select(audit_record.c.number)
    .where(audit_record.c.account_id == P("account_id"))
    .order_by(audit_record.c.number)
    .limit(1),
)


class Verification:
    """Verifies an account's chain in the database, a page at a time, while others go on appending to it."""

    def __init__(self, account_id: int, keys: Collection[str] | None = None, head: Point | None = None) -> None:
        self._account_id = account_id
        self._keys = keys
        self._head = head
        self._first: int | None = None
        self._checking = Checking(keys, head, account_id)
        self.number = 0
        """How far it has come, by the rows' numbers: what a record says of itself may be anything."""

    def page(self, db: Reader) -> Result | None:
        """Look at some more records; the result when there are none left."""
        first = db.one(_FIRST, account_id=self._account_id)
        if first != self._first:  # it begins, or records were removed meanwhile
            self._first, self.number = first, 0
            self._checking = Checking(self._keys, self._head, self._account_id)
        found = read_page(db, self._account_id, self.number, PAGE)
        for record in found:
            self._checking.stored(record)
            self.number = record.number
        if len(found) == PAGE:
            return None
        head = chain.end(db, self._account_id)
        if head is not None and head.number > self.number and read_page(db, self._account_id, self.number, 1):
            return None  # it has grown
        self._checking.ends_at(Point(0, START) if head is None else Point(head.number, head.hash))
        return self._checking.end(closed=False)


def read_page(db: Reader, account_id: int, after: int, most: int) -> list[Record]:
    """The next records of a chain behind a number."""
    return db.all(_PAGE, account_id=account_id, low=after + 1, most=most)
