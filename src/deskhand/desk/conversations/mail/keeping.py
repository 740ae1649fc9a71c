"""Keeping mail that comes: its bytes on the disk, a row, and a job that reads it; only then is it ours.

The same message may come twice: sent again because our answer was lost, or by two ways, or to an inbox under two
addresses. It is known by a fingerprint of what its author wrote, so what servers add on the way (Received, Return-Path,
Delivered-To, verdicts) makes no difference; and two messages that share a Message-ID are two.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from deskhand.db.engine import Database, Reader, Unavailable, Writer
from deskhand.desk.conversations.mail import received_queries
from deskhand.desk.conversations.mail.received_queries import NewReceived
from deskhand.lib.blobs import Blob, BlobStore
from deskhand.lib.clock import Clock, to_wire
from deskhand.mail.addresses import BadAddress, routable
from deskhand.mail.inbound import Delivery, Kept, Place
from deskhand.outbox import jobs

RECEIVE_EMAIL = "receive_email"
"""The kind of job that reads a message which is kept."""
_REMEMBER_S = 5.0
_QUICK = 64 * 1024
"""Of a message that is no longer the fingerprint takes less time than the way to a thread and back."""
_AUTHORS = (
    "message-id", "date", "from", "reply-to", "to", "cc", "subject", "in-reply-to", "references",
    "content-type", "content-transfer-encoding",
)  # fmt: skip
"""The header fields that a message has from its author; servers leave them as they are."""
_FOLDED = re.compile(rb"\n[ \t]+")
_SPACE = re.compile(rb"\s+")
_END_OF_HEADER = re.compile(rb"\n\n")
_NO_FIELD = re.compile(rb"^(?![!-9;-~]+[ \t]*:|[ \t\n]|>?From ).", re.MULTILINE)
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_LONGEST_ID = 400
_LONGEST_ADDRESS = 320


class Task(msgspec.Struct, frozen=True):
    """What a job says: which message is to be read."""

    id: int


@dataclass(slots=True)
class Keeping:
    """Keeps messages; one for all ways in."""

    database: Database
    blobs: BlobStore
    clock: Clock
    _places: Mapping[str, Place] = field(default_factory=dict, init=False)
    _read_at: float = field(default=-1e9, init=False)

    async def place_of(self, address: str) -> Place | None:
        """The inbox of an address, also with a reply token in it; None where no inbox has it.

        A renamed inbox keeps its old address for some seconds; a new one has its own at once.
        """
        wanted = folded(address)
        if time.monotonic() - self._read_at < _REMEMBER_S and (found := _find(self._places, wanted)):
            return found
        self._places, self._read_at = await self.database.read(_places), time.monotonic()
        return _find(self._places, wanted)

    async def keep(self, place: Place, delivery: Delivery) -> Kept:
        """Keep a message for good; whoever returns from here may say so to its sender. Raises Unavailable."""
        mark = await _fingerprint(delivery.raw, to_wire(self.clock.now())[:10])
        known = await self.database.read(lambda db: received_queries.known(db, place.account_id, place.inbox_id, mark))
        if known is not None:
            return Kept(known, True)
        try:
            blob = await asyncio.to_thread(self.blobs.put_for_good, delivery.raw)
        except OSError as problem:
            raise Unavailable(f"the file store takes no messages: {problem}") from problem
        new = self._row(place, delivery, mark, blob)
        return await self.database.write(lambda tx: _add(tx, new))

    def _row(self, place: Place, delivery: Delivery, mark: str, blob: Blob) -> NewReceived:
        recipients = [storable(one)[:_LONGEST_ADDRESS] for one in delivery.recipients]
        return NewReceived(
            account_id=place.account_id,
            inbox_id=place.inbox_id,
            way=delivery.way,
            place=storable(delivery.place),
            sha256=blob.sha256,
            size=blob.size,
            fingerprint=mark,
            message_id=_message_id(delivery.raw),
            sender=storable(delivery.sender)[:_LONGEST_ADDRESS],
            recipients=msgspec.json.encode(recipients).decode(),
            received_at=to_wire(self.clock.now()),
        )


def _add(tx: Writer, new: NewReceived) -> Kept:
    # A receiver that comes second finds its row by now: whoever breaks a unique rule is tried again.
    known = received_queries.known(tx, new.account_id, new.inbox_id, new.fingerprint)
    if known is not None:
        return Kept(known, True)
    id = tx.add(received_queries.ADD, new)
    queue(tx, new.account_id, new.inbox_id, id, new.received_at)
    return Kept(id, False)


def queue(tx: Writer, account_id: int, inbox_id: int, id: int, now: str) -> None:
    """Have a message read that is kept."""
    target = f"mail-in:{inbox_id}"
    jobs.add(tx, account_id=account_id, kind=RECEIVE_EMAIL, target=target, payload=Task(id), now=now)


def _places(db: Reader) -> Mapping[str, Place]:
    places: dict[str, Place] = {}
    for one in received_queries.inboxes(db):
        places.setdefault(folded(one.email), Place(one.account_id, one.id, one.email))
    return places


def _find(places: Mapping[str, Place], address: str) -> Place | None:
    """Of `local+a+b@domain` first the whole address is looked up, then `local+a@domain`, then `local@domain`."""
    local, _, domain = address.rpartition("@")
    while (place := places.get(f"{local}@{domain}")) is None and "+" in local:
        local = local.rpartition("+")[0]
    return place


def folded(address: str) -> str:
    """The form in which addresses are compared: in lower case, the host's name in ASCII."""
    address = address.strip().removeprefix("<").removesuffix(">")
    try:
        return routable(address).lower()
    except BadAddress:
        return address.lower()


def storable(text: str) -> str:
    """A text as databases take it: without NUL, and without halves of characters."""
    return text.replace("\0", "").encode(errors="replace").decode()


# -- The fingerprint


async def _fingerprint(raw: bytes, day: str) -> str:
    return fingerprint(raw, day) if len(raw) <= _QUICK else await asyncio.to_thread(fingerprint, raw, day)


def fingerprint(raw: bytes, day: str = "") -> str:
    """The same for the same message, whichever way it comes: the SHA-256 of what its author wrote.

    That is the header fields of `_AUTHORS`, however they are folded, and the body, whatever ends its lines; where no
    empty line parts them, all from the first line that is no field, and without any such field the whole. Machines may
    send the very same again, without a date or an id: then the first server's stamp tells one from the other, or the
    `day` on which it came.
    """
    header, body = _parted(raw)
    written = _by_name(header)
    mark = hashlib.sha256()
    for name in _AUTHORS:
        for value in written.get(name.encode(), ()):
            mark.update(name.encode() + b":" + value + b"\n")
    mark.update(_loose(header, written))
    if b"message-id" not in written and b"date" not in written:
        stamps = written.get(b"received")
        mark.update(stamps[-1] if stamps else day.encode())
    mark.update(b"\n")
    mark.update(body.rstrip())
    return mark.hexdigest()


def _loose(header: bytes, written: Mapping[bytes, list[bytes]]) -> bytes:
    """What stands above the first empty line and is no header: text of mails that have none, or lack that line."""
    if not any(name.encode() in written for name in _AUTHORS):
        return header.strip()
    found = _NO_FIELD.search(header)
    return header[found.start() :].rstrip() if found else b""


def header_of(raw: bytes) -> bytes:
    """The header of a message, its lines ending in LF."""
    return _parted(raw[:1_000_000])[0]


def fields(header: bytes, name: str) -> list[bytes]:
    """The values of a header field, each on one line with single spaces; `header` is as `header_of` gives it."""
    return _by_name(header).get(name.lower().encode(), [])


def _by_name(header: bytes) -> Mapping[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for line in _FOLDED.sub(b" ", header).split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            found.setdefault(name.strip().lower(), []).append(_SPACE.sub(b" ", value).strip())
    return found


def _parted(raw: bytes) -> tuple[bytes, bytes]:
    plain = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    end = _END_OF_HEADER.search(plain)
    return (plain, b"") if end is None else (plain[: end.start()], plain[end.end() :])


def _message_id(raw: bytes) -> str:
    for value in fields(header_of(raw), "message-id"):
        if found := _MESSAGE_ID.search(storable(value.decode(errors="replace"))):
            return found[0][:_LONGEST_ID]
    return ""
