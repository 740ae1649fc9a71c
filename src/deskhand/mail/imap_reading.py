"""Taking in what lies in a folder on a mail server: each message is kept first, then its UID is passed.

One message never stops the others. Whatever is passed without being taken has a reason, is counted and, where somebody
should know, logged.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import msgspec

from deskhand.db.engine import Conflict, Database, Duplicate, Unavailable, Writer
from deskhand.lib.clock import Clock, from_wire, to_wire
from deskhand.mail import imap_positions
from deskhand.mail.imap_in import STEP_S, Folder, Found, ImapFailed, NotGiven, Wire, opened
from deskhand.mail.imap_positions import HELD_S, Held, Position
from deskhand.mail.inbound import LARGEST, Delivery, Keeper, Kept, Place
from deskhand.settings import ImapServer

log = logging.getLogger("deskhand.mail")

T = TypeVar("T")
_DIGITS = re.compile(r"\d+")

TOO_LARGE = f"larger than {LARGEST // 1024**2} MB"
BEFORE = "lay there before Deskhand began to read the folder"
KNOWN = "came before: another time, or by another way"
NOT_GIVEN = "the server does not give it"
NOT_KEPT = "could not be kept"
CLOCKS_APART = timedelta(minutes=5)
"""How far the clocks of mail servers may go wrong."""
LISTED_AT_ONCE = 500
WRITTEN_AT_ONCE = 25
WRITTEN_EVERY_S = 1.0
MESSAGE_WITHIN_S = 300.0
STEP_WITHIN_S = 120.0
AFTER_ONE_S = 5.0
"""The pause after a look that one message has ended."""
TRIES = 3
"""How often one message is tried: in one look when the server refuses it, in as many looks when that ends the look."""


class _Lost(Exception):
    """Another process has taken over the folder."""


class _OneFailed(ImapFailed):
    """The server went away when it was asked for one message."""


@dataclass(frozen=True, slots=True)
class _Passed:
    """A message that was dealt with: kept, or skipped for a reason; neither where it was deleted meanwhile."""

    uid: int
    kept: Kept | None = None
    skipped: str = ""


@dataclass(slots=True)
class Reading:
    """Reads folders for one process; `largest` and `step_s` are as small as tests need them."""

    database: Database
    keeper: Keeper
    clock: Clock
    largest: int = LARGEST
    step_s: float = STEP_S
    _failures: Counter[str] = field(default_factory=Counter, init=False)

    async def look(self, held: Held, server: ImapServer, place: Place, again_s: float) -> None:
        """Take in what is new in a folder that is held; how it went is written at its position."""
        holding = asyncio.create_task(self._hold_on(held), name=f"hold inbox {place.inbox_id}")
        try:
            on_server = await self._look(held, server, place)
        except _Lost:
            log.info("another process reads the folder of inbox %d now", place.inbox_id)
        except (ImapFailed, NotGiven) as problem:
            soon = AFTER_ONE_S if isinstance(problem, _OneFailed) else again_s
            await self.failed(held, str(problem), min(soon, again_s))
        except (Unavailable, Conflict, Duplicate) as problem:
            log.warning("reading the folder of inbox %d waits for the database: %s", place.inbox_id, problem)
            await self._soon(held, str(problem), again_s)
        except Exception as problem:
            log.exception("reading the folder of inbox %d failed", place.inbox_id)
            await self.failed(held, f"reading it failed, see the log ({type(problem).__name__})", again_s)
        else:
            now = self.clock.now()
            await self.database.write(lambda tx: held.well(tx, on_server, now, again_s))
            if held.position.error:
                log.info("the folder %s of inbox %d can be read again", held.position.folder, place.inbox_id)
        finally:
            holding.cancel()

    async def failed(self, held: Held, words: str, again_s: float) -> None:
        """Write down why a folder can't be read; it is logged once, however often it happens."""
        position, now = held.position, self.clock.now()
        if _DIGITS.sub("", words) != _DIGITS.sub("", position.error):  # servers tell the time, too
            log.error(
                "the folder %s of inbox %d can't be read: %s", position.folder, position.inbox_id, words,
                extra={"account_id": position.account_id, "inbox_id": position.inbox_id},
            )  # fmt: skip
        await self.database.write(lambda tx: held.badly(tx, words, now, again_s))

    async def _soon(self, held: Held, words: str, again_s: float) -> None:
        """As `failed`, where the database may be away: then whoever finds the position free goes on."""
        now = self.clock.now()
        try:
            await self.database.write(lambda tx: held.badly(tx, words, now, again_s))
        except (Unavailable, Conflict) as problem:
            log.debug("%s", problem)

    async def _hold_on(self, held: Held) -> None:
        while True:
            await asyncio.sleep(HELD_S / 3)
            now = self.clock.now()
            try:
                await self.database.write(lambda tx: held.hold_on(tx, now))  # noqa: B023 (it is awaited)
            except (Unavailable, Conflict) as problem:
                log.debug("%s", problem)

    async def _look(self, held: Held, server: ImapServer, place: Place) -> int:
        wire = Wire()
        opening = opened(server, held.position.folder, self.step_s, wire)
        folder = await _within(STEP_WITHIN_S, opening.__enter__, wire)
        try:
            return await _Pass(self, held, folder, wire, place).run()
        except asyncio.CancelledError:
            wire.cut()
            raise
        finally:
            await _left(opening, wire)

    async def raw(self, folder: Folder, wire: Wire, found: Found, name: str) -> bytes | None:
        """A message's bytes, None where it was deleted; raises NotGiven for what can't be had, ImapFailed at first."""
        if self._failures[name] >= TRIES:
            raise NotGiven("the connection ended each time it was asked for")
        try:
            for left in range(TRIES - 1, -1, -1):
                try:
                    return await _within(MESSAGE_WITHIN_S, lambda: folder.raw(found.uid, found.size), wire)
                except NotGiven:
                    if not left:
                        raise
                    await asyncio.sleep(0.2)
        except ImapFailed as problem:
            self._failures[name] += 1
            raise _OneFailed(f"message {found.uid} can't be had: {problem}") from None
        raise AssertionError("unreachable")

    def passed(self, name: str) -> None:
        """A message was dealt with."""
        self._failures.pop(name, None)


class _Pass:
    """One look at a folder."""

    def __init__(self, reading: Reading, held: Held, folder: Folder, wire: Wire, place: Place) -> None:
        self._reading = reading
        self._held = held
        self._folder = folder
        self._wire = wire
        self._place = place
        self._position = held.position
        self._passed: list[_Passed] = []
        self._written_at = time.monotonic()
        self._doubtful: _Passed | None = None
        self._behind: list[_Passed] = []
        self._why_doubtful = ""

    async def run(self) -> int:
        """Take in all that is new; gives how many messages lie in the folder."""
        self._begin()
        try:
            uid = self._position.last_uid
            while found := await self._next(uid):
                for one in found:
                    await self._take(one)
                    if len(self._passed) >= WRITTEN_AT_ONCE or time.monotonic() - self._written_at > WRITTEN_EVERY_S:
                        await self._write()
                uid = found[-1].uid
            self._require_no_doubt()
        finally:
            await self._write()
        return self._folder.on_server

    def _begin(self) -> None:
        before, now = self._position.uid_validity, self._folder.uid_validity
        if before == now:
            return
        if before:
            log.warning(
                "the folder %s of inbox %d was made anew on its server: all of it is looked at again",
                self._position.folder, self._place.inbox_id,
            )  # fmt: skip
        self._position = msgspec.structs.replace(
            self._position, uid_validity=now, last_uid=0, taken=0, skipped=0, reasons="{}"
        )

    async def _next(self, uid: int) -> list[Found]:
        found = await _within(STEP_WITHIN_S, lambda: self._folder.after(uid, LISTED_AT_ONCE), self._wire)
        if self._folder.uid_validity != self._position.uid_validity:
            raise ImapFailed(f"the folder {self._position.folder} was made anew while it was read")
        return found

    async def _take(self, found: Found) -> None:
        reason = reason_against(found, self._position.since, self._reading.largest)
        if reason:
            if reason == TOO_LARGE:
                self._too_large(found.uid, found.size)
            self._pass(_Passed(found.uid, skipped=reason))
            return
        name = place_name(self._position.folder, self._position.uid_validity, found.uid)
        try:
            raw = await self._reading.raw(self._folder, self._wire, found, name)
            if raw is not None and len(raw) > self._reading.largest:
                self._too_large(found.uid, len(raw))
                self._pass(_Passed(found.uid, skipped=TOO_LARGE))
                return
            kept = None
            if raw is not None:
                kept = await self._reading.keeper.keep(self._place, Delivery(raw, "imap", place=name))
        except NotGiven as problem:
            self._doubt(_Passed(found.uid, skipped=NOT_GIVEN), str(problem))
            return
        except (ImapFailed, Unavailable, Conflict, Duplicate):
            raise
        except Exception as problem:
            log.exception("message %d in the folder of inbox %d could not be kept", found.uid, self._place.inbox_id)
            self._doubt(_Passed(found.uid, skipped=NOT_KEPT), f"{type(problem).__name__}: {problem}")
            return
        self._settle_doubt()
        self._reading.passed(name)
        self._pass(_Passed(found.uid, kept))

    def _too_large(self, uid: int, size: int) -> None:
        log.warning(
            "message %d in the folder %s of inbox %d is skipped: it has %d bytes",
            uid, self._position.folder, self._place.inbox_id, size,
        )  # fmt: skip

    def _pass(self, passed: _Passed) -> None:
        (self._behind if self._doubtful else self._passed).append(passed)

    # -- One message that can't be had is passed once another one could be: else something is wrong with the server.

    def _doubt(self, passed: _Passed, why: str) -> None:
        self._require_no_doubt()
        self._doubtful, self._why_doubtful = passed, why

    def _settle_doubt(self) -> None:
        if self._doubtful is not None:
            doubtful, self._doubtful = self._doubtful, None
            log.error(
                "message %d in the folder %s of inbox %d is skipped: %s (%s)",
                doubtful.uid, self._position.folder, self._place.inbox_id, doubtful.skipped, self._why_doubtful,
            )  # fmt: skip
            self._passed += (doubtful, *self._behind)
            self._behind.clear()

    def _require_no_doubt(self) -> None:
        if self._doubtful is not None:
            one = self._doubtful
            raise ImapFailed(f"message {one.uid} can't be taken: {one.skipped} ({self._why_doubtful})")

    async def _write(self) -> None:
        passed, self._passed = self._passed, []
        self._written_at = time.monotonic()
        if not passed and self._position.uid_validity == self._held.position.uid_validity:
            return
        before, on_server = self._position, self._folder.on_server
        now = to_wire(self._reading.clock.now())
        written = await self._reading.database.write(
            lambda tx: _written(tx, self._held, before, passed, on_server, now)
        )
        if written is None:
            raise _Lost
        self._position = written


def reason_against(found: Found, since: str | None, largest: int = LARGEST) -> str:
    """Why a message is not taken, before its content is asked for; empty: it is."""
    if since is not None and found.arrived is not None and found.arrived < from_wire(since) - CLOCKS_APART:
        return BEFORE
    return TOO_LARGE if found.size > largest else ""


def place_name(folder: str, uid_validity: int, uid: int) -> str:
    """Where a server has a message."""
    return f"{folder}/{uid_validity}/{uid}"


def _written(
    tx: Writer, held: Held, position: Position, passed: Sequence[_Passed], on_server: int, now: str
) -> Position | None:
    """Pass messages, counting them; None where the folder is no longer ours."""
    taken, why = 0, Counter[str]()
    for one in passed:
        name = place_name(position.folder, position.uid_validity, one.uid)
        if one.kept is None:
            why[one.skipped] += bool(one.skipped)
        elif not one.kept.known or held.is_from_here(tx, one.kept.id, name):
            taken += 1
        else:
            why[KNOWN] += 1
    position = msgspec.structs.replace(
        position,
        last_uid=passed[-1].uid if passed else position.last_uid,
        on_server=on_server,
        taken=position.taken + taken,
        skipped=position.skipped + why.total(),
        reasons=imap_positions.counted(position.skipped_why(), why),
        checked_at=now,
    )
    return position if held.progress(tx, position) else None


async def _within(seconds: float, call: Callable[[], T], wire: Wire) -> T:
    """What a call gives that waits for the network; it has a thread of its own, which never keeps the process.

    When nobody waits for it any more the connection is cut, so that the thread ends too.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, problem: BaseException | None) -> None:
        if done.done():
            return
        if problem is None:
            done.set_result(result)  # type: ignore[arg-type]
        else:
            done.set_exception(problem)

    def run() -> None:
        result, problem = None, None
        try:
            result = call()
        except BaseException as caught:  # noqa: BLE001 (it is raised where the caller waits)
            problem = caught
        try:
            loop.call_soon_threadsafe(settle, result, problem)
        except RuntimeError:
            return  # the process ends

    threading.Thread(target=run, name="deskhand-imap", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await done
    except TimeoutError:
        wire.cut()
        raise ImapFailed("the IMAP server took too long to answer") from None
    except asyncio.CancelledError:
        wire.cut()
        raise


async def _left(opening: AbstractContextManager[Folder], wire: Wire) -> None:
    """Take leave of the server; nobody waits for its answer for long."""
    try:
        await _within(5.0, lambda: opening.__exit__(None, None, None), wire)
    except ImapFailed as problem:
        log.debug("%s", problem)
