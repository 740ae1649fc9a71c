"""The ways in for mail, run beside the worker: listeners for SMTP and LMTP, and looks at mailboxes on IMAP servers.

Any number of processes may run them at once. An address is listened at by whichever process gets it, and by the next
one when that ends; a mailbox is looked at by one process at a time.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import random
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deskhand.api.metrics import Metrics
from deskhand.db.engine import Conflict, Database, Duplicate, Reader, Unavailable, Writer
from deskhand.desk.inboxes import mail_settings
from deskhand.desk.inboxes.mail_settings import Fetched
from deskhand.lib.clock import Clock, SystemClock
from deskhand.lib.file_lock import Held as LockHeld
from deskhand.lib.file_lock import file_lock
from deskhand.lib.sealing import KEY_FILE, Sealer, SealingError
from deskhand.mail import imap_positions
from deskhand.mail.imap_positions import Held
from deskhand.mail.imap_reading import Reading
from deskhand.mail.inbound import Delivery, Keeper, Kept, Place, Way
from deskhand.settings import ImapServer, Listen, Settings

if TYPE_CHECKING:
    from deskhand.mail.smtp_in import Bounds, Door

log = logging.getLogger("deskhand.mail")

TRY_EVERY_S = 2.0
"""How often an address that another process listens at is tried."""
LOOK_EVERY_S = 1.0
LOOKS_MOST = 16
"""Mailboxes looked at at a time."""
_NAME = "localhost"


class NotUsable(Exception):
    """Mail can't be taken as the settings say, in words."""


class Counted:
    """A keeper whose messages are counted."""

    def __init__(self, keeper: Keeper, metrics: Metrics) -> None:
        self._keeper = keeper
        self._metrics = metrics

    async def place_of(self, address: str) -> Place | None:
        """As the keeper's."""
        return await self._keeper.place_of(address)

    async def keep(self, place: Place, delivery: Delivery) -> Kept:
        """As the keeper's; what is known counts nothing."""
        kept = await self._keeper.keep(place, delivery)
        if not kept.known:
            self._metrics.mail_received(delivery.way)
        return kept


@asynccontextmanager
async def taking_mail(
    settings: Settings, database: Database, keeper: Keeper, clock: Clock, bounds: Bounds | None = None
) -> AsyncIterator[None]:
    """Take mail meanwhile, by every way that the settings and the inboxes name; raises NotUsable."""
    tls = tls_context(settings)
    name = urlsplit(settings.base_url).hostname or _NAME

    def door(way: Way) -> Door:
        from deskhand.mail.smtp_in import Door  # noqa: PLC0415 - with its library, which most servers don't need

        return Door(keeper, way, name, tls, bounds)

    ways: list[tuple[Way, Listen | None]] = [("smtp", settings.mail_smtp_listen), ("lmtp", settings.mail_lmtp_listen)]
    tasks = [
        asyncio.create_task(_listen(door(way), way, where, settings), name=f"{way} listener")
        for way, where in ways
        if where is not None
    ]
    tasks.append(asyncio.create_task(Looks(settings, database, keeper, clock).run(), name="mailboxes"))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """What encrypts connections of other mail servers; None where no certificate is given. Raises NotUsable."""
    if settings.mail_tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.mail_tls_certificate, settings.mail_tls_key)
    except (OSError, ssl.SSLError) as problem:
        words = problem.strerror or getattr(problem, "reason", "") or "it is not in PEM format"
        raise NotUsable(f"the certificate {settings.mail_tls_certificate} can't be used: {words}") from None
    return context


def require_usable(settings: Settings) -> None:
    """Raises NotUsable where nobody could listen as the settings say, or another program does."""
    tls_context(settings)
    for name, where in (
        ("mail_smtp_listen", settings.mail_smtp_listen),
        ("mail_lmtp_listen", settings.mail_lmtp_listen),
    ):
        if where is not None:
            try:
                _try(where)
            except OSError as problem:
                raise NotUsable(f"can't listen at {where} ({name}): {_words(problem)}") from None


def _try(where: Listen) -> None:
    if where.path:
        folder = Path(where.path).parent
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, f"the folder {folder} can't be written to")
        _require_socket(Path(where.path))
        return
    family, _, _, _, address = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)[0]
    socket.create_server(address[:2], family=family).close()


# -- Listening


async def _listen(door: Door, way: Way, where: Listen, settings: Settings) -> None:
    """Listen for as long as the process runs, as soon as nobody else does."""
    alone = settings.workers == 1 and settings.worker == "inside"
    said = ""
    while True:
        try:
            with ExitStack() as stack:
                server = await _bound(door, where, stack)
                log.info("taking mail by %s at %s", way.upper(), where)
                await _serve(server, door)
        except LockHeld as held:
            words = f"process {held.process} listens there"
        except OSError as problem:
            words = _words(problem)
        if words != said:
            said = words
            level = logging.ERROR if alone else logging.INFO
            log.log(level, "not taking mail by %s at %s: %s; trying again", way.upper(), where, words)
        await asyncio.sleep(TRY_EVERY_S)


async def _bound(door: Door, where: Listen, stack: ExitStack) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    if not where.path:
        return await loop.create_server(door.talk, where.host, where.port, backlog=512)
    # A socket's file outlives its process, so that a lock has to tell whether somebody still listens.
    stack.enter_context(_locked(Path(where.path)))
    server = await loop.create_unix_server(door.talk, where.path, backlog=512)
    os.chmod(where.path, 0o666)  # whoever may enter the folder may deliver, as other mail servers do under other names
    return server


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with file_lock(path.with_name(f"{path.name}.lock")):
        _require_socket(path)
        path.unlink(missing_ok=True)
        yield


def _require_socket(path: Path) -> None:
    """What lies there is removed, so it has to be a socket that somebody left."""
    if path.exists() and not path.is_socket():
        raise OSError(errno.EEXIST, "there is something that is no socket")


async def _serve(server: asyncio.Server, door: Door) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        server.close()
        await door.close()


def _words(problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return "another program listens there, or another process of this one"
    if isinstance(problem, socket.gaierror):
        return f"{problem.strerror}"
    return os.strerror(problem.errno) if problem.errno and not problem.strerror else problem.strerror or str(problem)


# -- Looking


class Looks:
    """Starts a look at each mailbox when it is due."""

    def __init__(self, settings: Settings, database: Database, keeper: Keeper, clock: Clock) -> None:
        self._every_s = settings.mail_imap_every_s
        self._database = database
        self._clock = clock
        self._sealer = Sealer(settings.secret_key, settings.data_dir / KEY_FILE)
        self._reading = Reading(database, keeper, clock)
        self._mark = random.getrandbits(62) + 1
        self._under_way: dict[tuple[int, str], asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        first = self._database.dialect == "sqlite"  # it has one server, so nobody else can be looking
        try:
            while True:
                try:
                    if first:
                        await self._database.write(imap_positions.free)
                        first = False
                    for one in await self._database.read(self._due):
                        self._start(one)
                except (Unavailable, Conflict, Duplicate) as problem:
                    log.debug("looking for mail waits for the database: %s", problem)
                except Exception:
                    log.exception("looking for mail failed, and is tried again")
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _due(self, db: Reader) -> list[Fetched]:
        inboxes = mail_settings.fetched(db)
        if not inboxes:
            return []
        not_due = imap_positions.not_due(db, self._clock.now(), self._every_s)
        return [one for one in inboxes if (one.inbox_id, one.imap_folder) not in not_due]

    def _start(self, inbox: Fetched) -> None:
        key = (inbox.inbox_id, inbox.imap_folder)
        if key in self._under_way or len(self._under_way) >= LOOKS_MOST:
            return
        task = asyncio.create_task(self._look(inbox), name=f"look at the mailbox of inbox {inbox.inbox_id}")
        self._under_way[key] = task
        task.add_done_callback(lambda _: self._under_way.pop(key, None))

    async def _look(self, inbox: Fetched) -> None:
        try:
            held = await self._database.write(lambda tx: self._take(tx, inbox))
            if held is None:
                return
            try:
                server = self._server(inbox)
            except (SealingError, ValueError) as problem:
                await self._reading.failed(held, f"its settings can't be used: {problem}", self._every_s)
                return
            place = Place(inbox.account_id, inbox.inbox_id, inbox.email)
            await self._reading.look(held, server, place, self._every_s)
        except (Unavailable, Conflict, Duplicate) as problem:
            log.debug("looking for mail waits for the database: %s", problem)
        except Exception:
            log.exception("the look at the mailbox of inbox %d failed", inbox.inbox_id)
            await asyncio.sleep(TRY_EVERY_S)  # it stays held for a while, and is then tried again

    def _take(self, tx: Writer, inbox: Fetched) -> Held | None:
        """Hold the mailbox; where nobody said otherwise, what comes from now on is taken.

        None where another process was quicker, or where by now another mailbox is meant: how far one was read says
        nothing of another.
        """
        settings = mail_settings.read(tx, inbox.account_id, inbox.inbox_id)
        if (settings.imap, settings.imap_folder) != (inbox.imap, inbox.imap_folder):
            return None
        now = self._clock.now()
        where = (inbox.account_id, inbox.inbox_id, inbox.imap_folder)
        if imap_positions.one(tx, *where) is None:
            imap_positions.begin(tx, *where, SystemClock().now(), now)  # mail servers don't go by the desk's clock
        return imap_positions.take(tx, *where, now, self._mark, self._every_s)

    def _server(self, inbox: Fetched) -> ImapServer:
        server = mail_settings.imap_of(self._sealer, inbox.account_id, inbox.inbox_id, inbox.imap)
        assert server is not None
        return server
