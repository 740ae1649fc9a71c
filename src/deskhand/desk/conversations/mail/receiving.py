"""Mail that is kept becomes threads: the job `receive_email`.

Doing it twice is harmless: what became of a message is written down with it, in the same transaction, and a message of
which that is known is passed over. Messages of one inbox are taken in the order in which they came; reading them goes
on beside each other. One that can't be read, or fails again and again, becomes a conversation with the message itself
attached, so nobody has to look for it in a log.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from functools import partial
from html import escape
from typing import Protocol, TypeVar, cast

import msgspec

from deskhand.db.engine import Conflict, Database, Unavailable, Writer
from deskhand.desk.conversations.mail import keeping, placing, received_listing, received_queries
from deskhand.desk.conversations.mail.keeping import RECEIVE_EMAIL, Task, storable
from deskhand.desk.conversations.mail.placing import Awaits, Letter
from deskhand.desk.conversations.mail.received_queries import Outcome, Received
from deskhand.lib.blobs import BlobStore
from deskhand.lib.clock import Clock, from_wire, to_wire
from deskhand.mail.compose import LOOP_FIELD
from deskhand.mail.headers import Address
from deskhand.mail.incoming import Incoming, IncomingFile, Unreadable
from deskhand.mail.parse import parse
from deskhand.outbox import jobs
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Failed, Kind, Then, gone

log = logging.getLogger("deskhand.mail")

RETRIED_MOST = 1_000
"""Messages read again at a time."""
ATTEMPTS = 3
"""How often a message is tried before it becomes a conversation as it is."""
READ_WITHIN_S = 60.0
_TURN_WITHIN_S = 10.0
_AT_ONCE = 2
_PAUSE_S = 0.0002
"""Between two steps of reading: else who waits for a page waits for a whole mail, as one thread runs at a time."""

Parse = Callable[[bytes, datetime, str | None, str | None], Incoming]
T = TypeVar("T")
Where = tuple[int, int]
"""A conversation and a thread."""


def kind(database: Database, clock: Clock, blobs: BlobStore, base_url: str, trusted_server: str = "") -> Kind:
    """How the job is carried out. A database that is away does not use attempts up, so there are many.

    `trusted_server` is how the receiving server calls itself in its verdicts: see mail/verdicts.py.
    """
    carry = Receiving(database, clock, blobs, base_url, trusted_server=trusted_server).carry
    return Kind(carry, attempts=10_000, first_pause_s=1, longest_pause_s=60)


class Tools(Protocol):
    """What messages are read with: see after_work.py."""

    @property
    def database(self) -> Database: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def blobs(self) -> BlobStore: ...
    @property
    def base_url(self) -> str: ...
    @property
    def trusted_server(self) -> str: ...


async def receive_now(tools: Tools, kept_id: int) -> Where | None:
    """Read a message that was just kept without waiting for the worker; None where it was skipped.

    The job finds it done.
    """
    receiving = Receiving(tools.database, tools.clock, tools.blobs, tools.base_url, trusted_server=tools.trusted_server)
    account_id = await tools.database.read(lambda db: received_queries.account_of(db, kept_id))
    return None if account_id is None else await receiving.receive(account_id, kept_id, last=True)


def retry(tx: Writer, account_id: int, received_id: int, now: str) -> bool:
    """Have a message read again that could not be; False for any other."""
    found = received_queries.one(tx, account_id, received_id)
    if found is None or not received_queries.wait_again(tx, account_id, received_id):
        return False
    keeping.queue(tx, account_id, found.inbox_id, received_id, now)
    return True


def retry_failed(tx: Writer, account_id: int, inbox_id: int, now: str) -> int:
    """Have all messages of an inbox read again that could not be; gives how many. At most so many at a time."""
    found = received_listing.in_state(tx, account_id, inbox_id, "failed", RETRIED_MOST)
    return sum(retry(tx, account_id, one.id, now) for one in reversed(found))


@dataclass(slots=True)
class Receiving:
    """Reads messages that are kept."""

    database: Database
    clock: Clock
    blobs: BlobStore
    base_url: str
    parse: Parse = partial(parse, between=partial(time.sleep, _PAUSE_S))
    trusted_server: str = ""
    _reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE), init=False)
    _turns: dict[str, asyncio.Event] = field(default_factory=dict, init=False)

    async def carry(self, work: Work) -> Then | None:
        """Read one message and put it where it belongs."""
        task = msgspec.json.decode(work.payload, type=Task)
        last = work.attempts >= ATTEMPTS
        async with self._turn(work.target) as turn:
            try:
                received = await self.database.read(lambda db: received_queries.one(db, work.account_id, task.id))
                if received is None or received.state != "waiting":
                    return None
                await self._take(received, last=last, turn=turn, work=work)
            except Awaits as problem:
                raise Failed("it answers a message that is still to be read") from problem
            except (Unavailable, Conflict, OSError) as problem:
                raise Failed(f"it waits: {problem}") from problem
        return gone

    async def receive(self, account_id: int, id: int, *, last: bool) -> Where | None:
        """Read a message and put it where it belongs; None where it was skipped.

        What goes wrong is raised unless it is the `last` attempt: then the message becomes a conversation as it is.
        """
        received = await self.database.read(lambda db: received_queries.one(db, account_id, id))
        if received is None or received.state != "waiting":
            return _where(received)
        return _where(await self._take(received, last=last))

    async def _take(
        self, received: Received, *, last: bool, turn: asyncio.Event | None = None, work: Work | None = None
    ) -> Received:
        """Read a message and put it where it belongs; with that the job is removed which asks for it."""
        try:
            letter = await self._letter(received)
            if turn is not None:
                await _before(turn)
            return await self.database.write(lambda tx: self._settle(tx, received, letter, work, wait=not last))
        except (Awaits, Unavailable, Conflict, OSError):
            raise
        except Exception as problem:
            if not last:
                raise
            log.exception("message %d could not be taken in", received.id)
            reason = f"{type(problem).__name__}: {storable(str(problem))[:500]}"
            return await self._as_it_is(received, reason, work)

    async def _letter(self, received: Received) -> Letter:
        """The message as it was understood, its files stored."""
        try:
            async with self._reading:
                return await asyncio.wait_for(_in_thread(lambda: self._from_file(received)), READ_WITHIN_S)
        except TimeoutError:
            reason = f"reading it took longer than {READ_WITHIN_S:.0f} seconds"
            return await asyncio.to_thread(lambda: self._unread(received, self._raw(received), reason))

    def _from_file(self, received: Received) -> Letter:
        try:
            raw = self._raw(received)
        except FileNotFoundError:
            return self._unread(received, b"", "its file is missing")
        try:
            return self._read(received, raw)
        except Unreadable as problem:
            return self._unread(received, raw, str(problem))

    def _raw(self, received: Received) -> bytes:
        return self.blobs.path(received.sha256).read_bytes()

    def _read(self, received: Received, raw: bytes) -> Letter:
        # What our own listener takes has no verdicts but those that its sender wrote, unless a server stands before it.
        trusted = self.trusted_server or (None if received.way == "smtp" else "")
        # A program that wants no answer names no sender (RFC 5321); only who delivers by SMTP or LMTP always tells.
        return_path = received.sender if received.sender or received.way in ("smtp", "lmtp") else None
        incoming = self.parse(raw, from_wire(received.received_at), trusted, return_path)
        stored = [(file, self.blobs.put(file.data)) for file in incoming.files]
        marks = keeping.fields(keeping.header_of(raw), LOOP_FIELD)
        return Letter(incoming, stored, tuple(mark.decode(errors="replace") for mark in marks))

    def _unread(self, received: Received, raw: bytes, reason: str) -> Letter:
        """A message that can't be read, as a letter that says so, with the message itself attached."""
        incoming = unread(received, raw, reason)
        return Letter(incoming, [(file, self.blobs.put(file.data)) for file in incoming.files], error=reason)

    async def _as_it_is(self, received: Received, reason: str, work: Work | None) -> Received:
        try:
            letter = await asyncio.to_thread(lambda: self._unread(received, self._raw(received), reason))
            return await self.database.write(lambda tx: self._settle(tx, received, letter, work, wait=False))
        except (Unavailable, Conflict):
            raise
        except Exception:
            log.exception("message %d could not even be shown", received.id)
            failed = Outcome(state="failed", reason=reason)
            await self.database.write(lambda tx: self._give_up(tx, received, failed, work))
            return received

    def _give_up(self, tx: Writer, received: Received, failed: Outcome, work: Work | None) -> None:
        if work is not None:
            jobs.remove(tx, work)
        received_queries.settle(tx, received.account_id, received.id, failed, to_wire(self.clock.now()))

    def _settle(self, tx: Writer, received: Received, letter: Letter, work: Work | None, *, wait: bool) -> Received:
        """Put it where it belongs, unless somebody else did meanwhile; gives it as it is then."""
        if work is not None:
            jobs.remove(tx, work)  # with what is made of the message: a transaction fewer, and the worker is not woken
        found = received_queries.to_settle(tx, received.account_id, received.id)
        if found is None or found.state != "waiting":
            return found or received
        now = to_wire(self.clock.now())
        outcome = placing.place(tx, found, letter, now, self.base_url, wait=wait)
        received_queries.settle(tx, found.account_id, found.id, outcome, now)
        if outcome.state == "skipped":
            log.info("message %d to inbox %d was skipped: %s", found.id, found.inbox_id, outcome.reason)
        return msgspec.structs.replace(
            found, state=outcome.state, conversation_id=outcome.conversation_id, thread_id=outcome.thread_id
        )

    @asynccontextmanager
    async def _turn(self, target: str) -> AsyncIterator[asyncio.Event | None]:
        """The end of the message that came before this one to the same inbox, if that is under way."""
        before, mine = self._turns.get(target), asyncio.Event()
        self._turns[target] = mine
        try:
            yield before
        finally:
            mine.set()
            if self._turns.get(target) is mine:
                del self._turns[target]


def _in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Work in a thread of its own: one that never ends takes no thread away from others."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, problem: BaseException | None) -> None:
        if done.done():
            return  # nobody waits any more
        if problem is None:
            done.set_result(cast(T, result))
        else:
            done.set_exception(problem)

    def run() -> None:
        result: T | None = None
        caught: BaseException | None = None
        try:
            result = work()
        except BaseException as problem:  # noqa: BLE001 (it is raised where the caller waits)
            caught = problem
        with suppress(RuntimeError):  # the event loop was closed
            loop.call_soon_threadsafe(settle, result, caught)

    threading.Thread(target=run, name="deskhand-reading", daemon=True).start()
    return done


async def _before(turn: asyncio.Event) -> None:
    """Let the message before go first; but a slow one holds nobody up for long."""
    with suppress(TimeoutError):
        await asyncio.wait_for(turn.wait(), _TURN_WITHIN_S)


def _where(received: Received | None) -> Where | None:
    if received is None or received.conversation_id is None or received.thread_id is None:
        return None
    return received.conversation_id, received.thread_id


def unread(received: Received, raw: bytes, reason: str) -> Incoming:
    """What can be said of a message that can't be read."""
    header = keeping.header_of(raw)

    def value(name: str) -> str:
        found = keeping.fields(header, name)
        return storable(found[0].decode(errors="replace")) if found else ""

    name, email = parseaddr(value("from")[:2000])
    message_id = value("message-id") or f"<{received.fingerprint}@unreadable.deskhand.invalid>"
    text = f"This message could not be read: {reason}. It is attached as it came."
    file = IncomingFile("message.eml", "message/rfc822", raw)
    return Incoming(
        message_id=message_id,
        sender=Address(email if "@" in email else received.sender, name),
        subject=value("subject") or "A message that could not be read",
        html=escape(text),
        text=text,
        files=(file,) if raw else (),
    )


__all__ = ["RECEIVE_EMAIL", "Receiving", "kind", "receive_now", "retry"]
