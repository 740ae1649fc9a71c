"""Telling open pages that something has changed, as soon as it is committed.

Pages are told which conversations changed, and in which inboxes, and fetch anew what they show: so there is one way in
which it is made. What changed is read from the events and from who came and went; each process reads for its own pages.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import signal
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Container, Iterator
from dataclasses import dataclass, field
from types import FrameType

import msgspec

from deskhand.db.engine import Database, Reader, Unavailable
from deskhand.desk.conversations import presence
from deskhand.lib.clock import Clock, from_wire
from deskhand.outbox import events

LINGER_S = 0.02
"""How long a change waits for company, so that a burst is told of at once."""
OVERLAP = 200
"""Events are looked at again so many ids back: one that was written earlier may have been committed later."""
OVERLAP_MS = 5_000
"""Who came and went is looked at again so far back, for the same reason."""
_LOOK_EVERY_S = 5.0
"""How often pages are looked after without having heard of a commit, as other processes may not announce theirs."""
_WAITING_MOST = 100
_DIGITS_MOST = 15


class Told(msgspec.Struct, frozen=True):
    """What a page is told: conversations that changed by inbox, and those in which somebody came or went."""

    inboxes: dict[int, list[int]]
    people: list[int]
    all: bool


class Change(msgspec.Struct, frozen=True):
    """What has changed in an account, by inbox: conversations, and where which user came or went.

    `all` is true of what any page may show, such as a setting.
    """

    inboxes: dict[int, list[int]]
    people: dict[int, list[tuple[int, int]]]
    all: bool = False

    def seen_by(self, user_id: int, inboxes: Container[int] | None) -> Told | None:
        """What of it a user is shown who sees some inboxes (None: all), so not where they are themselves; else None."""
        seen = {id: found for id, found in self.inboxes.items() if inboxes is None or id in inboxes}
        people = {
            conversation_id
            for id, found in self.people.items() if inboxes is None or id in inboxes
            for conversation_id, who in found if who != user_id
        }  # fmt: skip
        if not (seen or people or self.all):
            return None
        return Told(seen, sorted(people), self.all)


@dataclass(slots=True)
class _Found:
    """What changed in one account since the last look."""

    inboxes: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    people: defaultdict[int, set[tuple[int, int]]] = field(default_factory=lambda: defaultdict(set))
    all: bool = False

    def change(self) -> Change:
        return Change(
            {id: sorted(found) for id, found in self.inboxes.items()},
            {id: sorted(found) for id, found in self.people.items()},
            self.all,
        )


class Live:
    """Hears of commits and tells those who listen, account by account. Use `running` around serving."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._secret = secrets.token_bytes(16)
        self._listeners: defaultdict[int, set[asyncio.Queue[Change | None]]] = defaultdict(set)
        self._woken = asyncio.Event()
        self._looks = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last = 0
        self._known: set[int] = set()
        self._presence_ms = 0
        self._came: set[presence.Changed] = set()
        self._pages = 0
        self._ended = False
        for name in events.FOR_PAGES:
            database.listen(name, self._heard)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen meanwhile."""
        self._loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._run(), name="live pages")
        try:
            with _when_told_to_stop(lambda: self._call(self.end)):
                yield
        finally:
            self._loop = None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def mark(self) -> str:
        """What this process has heard of by now: take it before a page is read, and `is_behind` knows of that page."""
        return f"{self._heard_of()} {int(self._clock.now().timestamp() * 1000)}"

    def is_behind(self, db: Reader, mark: str, account_id: int, user_id: int) -> bool:
        """Whether a page of somebody's may show less than there is by now. Take it while listening.

        What other processes did is known by its time, so a page that is seconds younger counts as behind as well.
        """
        heard_of, _, made = mark.partition(" ")
        if heard_of != self._heard_of() or not made.isascii() or not made.isdecimal() or len(made) > _DIGITS_MOST:
            return True
        since_ms = int(made) - OVERLAP_MS
        if any(
            came.account_id == account_id and came.user_id != user_id for came in presence.changed_since(db, since_ms)
        ):
            return True
        lately = [
            fact.account_id
            for fact in events.after(db, events.newest(db) - OVERLAP)
            if from_wire(fact.at).timestamp() * 1000 >= since_ms
        ]
        return account_id in lately or len(lately) >= OVERLAP

    def _heard_of(self) -> str:
        """What stands for all that this process has heard of. It counts all accounts, so nobody may read it."""
        versions = self._database.versions
        counted = f"{versions[events.EVENTS]} {versions[events.PAGES]}".encode()
        return hashlib.blake2b(counted, key=self._secret, digest_size=8).hexdigest()

    @contextlib.contextmanager
    def listening(self, account_id: int) -> Iterator[asyncio.Queue[Change | None]]:
        """A queue that gets what changes in an account from now on, and None at the end.

        Who does not read gets no more after a while.
        """
        queue: asyncio.Queue[Change | None] = asyncio.Queue(_WAITING_MOST)
        if self._ended:
            queue.put_nowait(None)
        self._listeners[account_id].add(queue)
        self._woken.set()
        try:
            yield queue
        finally:
            self._listeners[account_id].discard(queue)
            if not self._listeners[account_id]:
                del self._listeners[account_id]

    def end(self) -> None:
        """Tell everybody that there will be no more: else a server that stops would wait for them."""
        self._ended = True
        for queues in self._listeners.values():
            for queue in queues:
                with contextlib.suppress(asyncio.QueueFull):
                    queue.put_nowait(None)

    def _heard(self) -> None:
        """A transaction has committed; told in the writer's thread."""
        self._call(self._woken.set)

    def _call(self, work: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(work)

    async def looks(self) -> None:
        """Wait until what is committed from now on is told."""
        await self._looks.wait()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_EVERY_S)
            await asyncio.sleep(LINGER_S)
            self._woken.clear()
            if not self._listeners:
                self._looks.clear()
                continue
            with contextlib.suppress(Unavailable):
                if self._looks.is_set():
                    self._tell(await self._database.read(self._look))
                else:
                    await self._database.read(self._begin)
                    self._looks.set()

    def _begin(self, db: Reader) -> None:
        """From here on. Whoever began to listen shows a page that was made before: see is_behind."""
        self._last = events.newest(db)
        self._known = {fact.id for fact in events.after(db, self._last - OVERLAP)}
        self._presence_ms = int(self._clock.now().timestamp() * 1000)
        self._came = set(presence.changed_since(db, self._presence_ms - OVERLAP_MS))
        self._pages = self._database.versions[events.PAGES]

    def _look(self, db: Reader) -> dict[int, _Found]:
        found: defaultdict[int, _Found] = defaultdict(_Found)
        facts = events.after(db, self._last - OVERLAP)
        for fact in facts:
            if fact.id not in self._known:
                if fact.inbox_id is None:
                    found[fact.account_id].all = True
                else:
                    found[fact.account_id].inboxes[fact.inbox_id].add(fact.subject_id)
        if facts:
            self._last = max(self._last, facts[-1].id)
            self._known = {fact.id for fact in facts}
        lately = presence.changed_since(db, self._presence_ms - OVERLAP_MS)
        for came in lately:
            if came not in self._came:
                found[came.account_id].people[came.inbox_id].add((came.conversation_id, came.user_id))
            self._presence_ms = max(self._presence_ms, came.changed_ms)
        self._came = set(lately)
        pages = self._database.versions[events.PAGES]
        if pages != self._pages:
            self._pages = pages
            for account_id in self._listeners:
                found[account_id].all = True
        return found

    def _tell(self, found: dict[int, _Found]) -> None:
        for account_id, one in found.items():
            change = one.change()
            for queue in self._listeners.get(account_id, ()):
                with contextlib.suppress(asyncio.QueueFull):
                    queue.put_nowait(change)


@contextlib.contextmanager
def _when_told_to_stop(work: Callable[[], None]) -> Iterator[None]:
    """Do something at once when the process is told to stop, before whoever serves begins to wait for its answers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def told(number: int, frame: FrameType | None) -> None:
        work()
        then = before[signal.Signals(number)]
        if callable(then):
            then(number, frame)

    for number, then in before.items():
        if callable(then):
            signal.signal(number, told)
    try:
        yield
    finally:
        for number, then in before.items():
            if signal.getsignal(number) is told:
                signal.signal(number, then)
