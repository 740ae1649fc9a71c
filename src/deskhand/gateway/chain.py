"""The chain of audit records: how one is made out of the one before, and how records are appended.

A record is canonical JSON; its hash is over the hash of the record before it, a newline and that JSON. Each account has
one chain, however many processes append to it: whoever does holds the row that says where it ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import add_missing
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.gateway.tables import audit_head, audit_record
from deskhand.lib.canonical import canonical
from deskhand.lib.clock import from_wire, to_wire
from deskhand.lib.signing_keys import SigningKey, is_signed

START = "0" * 64
"""What the first record of a chain names as the hash before it."""
SIGNED_EVERY = 1_000
SIGNED_AFTER = timedelta(hours=1)
"""So many records, or so much time after a signed checkpoint, the next one is due."""
_ID_MOST = 2**63 - 1


class Record(msgspec.Struct, frozen=True):
    """A record as it is stored; the columns behind `hash` repeat what is in `content`, for lists to filter by."""

    account_id: int
    number: int
    type: str
    at: str
    content: str
    hash: str
    of: int | None = None
    agent_id: int | None = None
    operation: str | None = None
    resource: str | None = None
    decision: str | None = None
    inbox_id: int | None = None
    conversation_id: int | None = None


class Head(msgspec.Struct, frozen=True):
    """Where a chain ends, and where it was last signed."""

    number: int
    hash: str
    signed_number: int
    signed_at: str

    def is_due(self, now: datetime) -> bool:
        """Whether a signed checkpoint is due."""
        new = self.number - self.signed_number
        return new >= SIGNED_EVERY or (new > 0 and now - from_wire(self.signed_at) >= SIGNED_AFTER)


class _WithId(msgspec.Struct):
    id: int


class Told(msgspec.Struct):
    """What a record's content says of itself, as far as chains and lists need it."""

    number: int
    type: str
    at: str
    previous_hash: str
    of: int | None = None
    agent: _WithId | None = None
    operation: str | None = None
    resource: str | None = None
    decision: str | None = None
    inbox_id: int | None = None
    conversation_id: int | None = None


read_told = msgspec.json.Decoder(Told).decode
"""Reads a record's content; raises msgspec.DecodeError or ValidationError."""

_HEAD = rows(
    Head,
    sa.select(*columns(audit_head, *Head.__struct_fields__)).where(audit_head.c.account_id == P("account_id")),
)
_HELD_HEAD = rows(
    Head,
    sa.select(*columns(audit_head, *Head.__struct_fields__))
    .where(audit_head.c.account_id == P("account_id"))
    .with_for_update(),
)
_BEGIN = add_missing(audit_head, "account_id", "number", "hash", "signed_number", "signed_at")
_ADD = Insert(audit_record, Record)
_MOVE = command(
    sa.update(audit_head)
    .where(audit_head.c.account_id == P("account_id"))
    .values(number=P("number"), hash=P("hash"), signed_number=P("signed_number"), signed_at=P("signed_at"))
)
_ACCOUNTS = value(int, sa.select(audit_head.c.account_id).order_by(audit_head.c.account_id))


def append(
    tx: Writer,
    account_id: int,
    contents: Sequence[dict[str, Any]],
    now: datetime,
    key: SigningKey | None,
) -> list[int]:
    """Append records and, when one is due and there is a key, a signed checkpoint; gives the records' numbers.

    `contents` have neither number nor time nor previous hash. Until the transaction ends, others wait.
    """
    at = to_wire(now)
    head = hold(tx, account_id, at)
    written: list[Record] = []
    number, previous = head.number, head.hash
    for content in contents:
        number += 1
        record = made(account_id, content, number, at, previous)
        written.append(record)
        previous = record.hash
    numbers = [record.number for record in written]
    moved = Head(number, previous, head.signed_number, head.signed_at)
    if key is not None and moved.is_due(now):
        checkpoint = signed(account_id, {"why": "regular"}, number + 1, at, previous, key)
        written.append(checkpoint)
        moved = Head(checkpoint.number, checkpoint.hash, checkpoint.number, at)
    tx.add_many(_ADD, written)
    tx.run(_MOVE, account_id=account_id, **msgspec.structs.asdict(moved))
    return numbers


def hold(tx: Writer, account_id: int, at: str) -> Head:
    """Where the chain ends; nobody else can append to it until the transaction ends."""
    head = tx.one(_HELD_HEAD, account_id=account_id)
    if head is None:
        tx.run(_BEGIN, account_id=account_id, number=0, hash=START, signed_number=0, signed_at=at)
        head = tx.first(_HELD_HEAD, account_id=account_id)
    return head


def end(db: Reader, account_id: int) -> Head | None:
    """Where the chain ends; None where there is none."""
    return db.one(_HEAD, account_id=account_id)


def accounts(db: Reader) -> list[int]:
    """All accounts that have a chain."""
    return db.all(_ACCOUNTS)


def made(account_id: int, content: Mapping[str, Any], number: int, at: str, previous: str) -> Record:
    """A record with its place in the chain. Raises ValueError when something in it is not JSON."""
    encoded = canonical({**content, "number": number, "at": at, "previous_hash": previous})
    return stored(account_id, encoded, chained(previous, encoded), read_told(encoded))


def stored(account_id: int, content: bytes, hash: str, told: Told) -> Record:
    """A record's row."""
    return Record(
        account_id,
        told.number,
        told.type,
        told.at,
        content.decode(),
        hash,
        told.of,
        _id(told.agent.id if told.agent else None),
        told.operation,
        told.resource,
        told.decision,
        _id(told.inbox_id),
        _id(told.conversation_id),
    )


def chained(previous: str, content: bytes) -> str:
    """The hash of a record: lowercase hex SHA-256 over the hash before it, a newline and its canonical JSON."""
    return hashlib.sha256(previous.encode() + b"\n" + content).hexdigest()


def _id(given: int | None) -> int | None:
    """An id that a call named: one too large for the database is no id of anything."""
    return given if given is not None and 0 <= given <= _ID_MOST else None


# -- Signed checkpoints


def signed(
    account_id: int, particulars: Mapping[str, Any], number: int, at: str, previous: str, key: SigningKey
) -> Record:
    """A signed checkpoint: whoever trusts its key knows that the chain ran up to here like this.

    `particulars` has why it was made: `regular`, `retention` or `export`.
    """
    content = {
        "type": "checkpoint",
        "number": number,
        "at": at,
        "previous_hash": previous,
        "account_id": account_id,
        "public_key": key.public,
        **particulars,
    }
    content["signature"] = key.sign(canonical(content))
    return made(account_id, content, number, at, previous)


def is_base(record: Record) -> bool:
    """Whether a record is the checkpoint that stands in place of removed ones."""
    return record.type == "checkpoint" and msgspec.json.decode(record.content).get("why") == "retention"


def is_genuine(checkpoint: Mapping[str, Any]) -> bool:
    """Whether a checkpoint was signed by the key that it names."""
    content = {name: each for name, each in checkpoint.items() if name != "signature"}
    public, signature = content.get("public_key"), checkpoint.get("signature")
    return isinstance(public, str) and isinstance(signature, str) and is_signed(public, signature, canonical(content))
