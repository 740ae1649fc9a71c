"""Mail in by SMTP and LMTP: a message is answered with 250 only once it is kept for good.

Only addresses of inboxes are taken, so nobody can send on through here. The library speaks the protocol; how the data
of a message is read, and how much of everything there may be, is decided here.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import ssl
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, TLSSetupException

from deskhand.db.engine import Conflict, Duplicate, Unavailable
from deskhand.mail.inbound import LARGEST, Delivery, Keeper, Place, Way

log = logging.getLogger("deskhand.mail")
logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the library's own words, one for each command

RECIPIENTS_MOST = 100
"""Recipients of one message (RFC 5321 section 4.5.3.1.8)."""
STOP_WITHIN_S = 10.0
"""How long messages that are being kept may take when the server stops."""
_LINE = 64 * 1024
_COMMAND = 2048
_CALLS = {"NOOP": 100, "HELP": 20, "VRFY": 20, "EHLO": 20, "HELO": 20, "LHLO": 20, "STARTTLS": 2, "*": 100_000}
_END = b"\r\n.\r\n"
_PLAIN = re.compile(
    r"\s*<([\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@[a-z0-9-]+(?:\.[a-z0-9-]+)*)>", re.ASCII | re.I
)
"""An address as nearly all are. What the library does with the others takes longer than all else of a command."""
_TOO_LARGE = "552 5.3.4 The message is too large"
_LATER = "451 4.3.0 The message can't be kept now, please try again later"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much there may be: of a message, of connections in all and from one address, of data in memory; in time.

    `silence_s` is how long a client may take for a command, `data_s` for the data of a message, and `idle_s` how long
    it may stay without handing over one. `strangers` is how many addresses of nobody it may ask for (not by LMTP).
    """

    largest: int = LARGEST
    connections: int = 250
    from_one: int = 50
    memory: int = 8 * LARGEST
    silence_s: float = 300.0
    data_s: float = 600.0
    keep_s: float = 60.0
    idle_s: float = 1800.0
    strangers: int = 50


class Door:
    """Where servers hand over mail by one protocol. Give `talk` to an event loop as the maker of protocols."""

    def __init__(
        self, keeper: Keeper, way: Way, name: str, tls: ssl.SSLContext | None = None, bounds: Bounds | None = None
    ) -> None:
        """`name` is the host's, as it greets."""
        self.bounds = bounds or Bounds()
        self.name = name
        self.tls = tls
        self._keeper = keeper
        self._way: Way = way
        self._talks: set[_Talk] = set()
        self._from: Counter[str] = Counter()
        self._memory = self.bounds.memory
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def strangers(self) -> float:
        """How many addresses of nobody a client may ask for; our own mail server as many as come."""
        return float("inf") if self._way == "lmtp" else self.bounds.strangers

    def talk(self) -> asyncio.Protocol:
        """A protocol for one connection."""
        return (_LmtpTalk if self._way == "lmtp" else _Talk)(self)

    async def close(self) -> None:
        """Send everybody away; who waits for a message to be kept still gets the answer."""
        for talk in list(self._talks):
            talk.part()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN_S):
                await self._empty.wait()

    # -- Bounds

    def enter(self, talk: _Talk, peer: str) -> bool:
        """Whether there is room for one more connection; those of this machine count only in all."""
        if len(self._talks) >= self.bounds.connections or (peer and self._from[peer] >= self.bounds.from_one):
            return False
        self._talks.add(talk)
        self._empty.clear()
        self._from[peer] += 1
        return True

    def leave(self, talk: _Talk, peer: str) -> None:
        """A connection has ended; it may be told twice."""
        if talk in self._talks:
            self._talks.remove(talk)
            self._from[peer] -= 1
            if not self._from[peer]:
                del self._from[peer]
            if not self._talks:
                self._empty.set()

    def hold(self, size: int) -> bool:
        """Take memory for data, if it is there; give it back with a negative size."""
        if size > self._memory:
            return False
        self._memory -= size
        return True

    # -- What the library asks; the names are its own

    async def handle_EHLO(self, _: Any, session: Any, __: Any, hostname: str, answers: list[str]) -> list[str]:
        """What is offered here."""
        session.host_name = hostname
        offered = [one for one in answers if one[4:8] not in ("AUTH", "HELP")]
        return [*offered, "250-PIPELINING", "250 HELP"]

    async def handle_RCPT(self, talk: _Talk, _: Any, envelope: _Taken, address: str, options: list[str]) -> str:
        """Whether an inbox has the address."""
        if len(envelope.places) >= RECIPIENTS_MOST:
            return "452 4.5.3 Too many recipients"
        if not _is_clean(address):
            return "553 5.1.3 This is no address"
        try:
            async with asyncio.timeout(self.bounds.keep_s):
                place = await self._keeper.place_of(address)
        except (Unavailable, Conflict, TimeoutError) as problem:
            log.warning("an address could not be looked up: %s", problem or "it took too long")
            return "451 4.3.0 The address can't be looked up now, please try again later"
        if place is None:
            talk.strangers += 1
            return "550 5.1.1 No inbox has this address"
        envelope.rcpt_tos.append(address)
        envelope.places.append((address, place))
        return "250 2.1.5 Ok"

    async def handle_exception(self, error: Exception) -> str:
        """What is said when something went wrong that nobody thought of."""
        if isinstance(error, TLSSetupException):
            log.info("a client of SMTP could not encrypt its connection: %s", error.__cause__ or "it hung up")
            return ""  # there is nobody to say it to
        log.error("a command of an SMTP client failed", exc_info=error)
        return "451 4.3.0 Something went wrong here, please try again later"

    # -- Keeping

    async def keep(self, envelope: _Taken, raw: bytes, peer: str) -> list[str]:
        """Keep a message once for each inbox it is for; gives the answer for each recipient, in order."""
        by_inbox: dict[tuple[int, int], list[tuple[str, Place]]] = defaultdict(list)
        for address, place in envelope.places:
            by_inbox[place.account_id, place.inbox_id].append((address, place))
        came = {inbox: await self._keep_one(envelope, raw, peer, those) for inbox, those in by_inbox.items()}
        return [came[place.account_id, place.inbox_id] for _, place in envelope.places]

    async def _keep_one(self, envelope: _Taken, raw: bytes, peer: str, those: Sequence[tuple[str, Place]]) -> str:
        place = those[0][1]
        recipients = tuple(dict.fromkeys(address for address, _ in those))
        delivery = Delivery(raw, self._way, _sender(envelope.mail_from), recipients)
        about = {"inbox_id": place.inbox_id, "bytes": len(raw), "peer": peer}
        try:
            async with asyncio.timeout(self.bounds.keep_s):
                kept = await self._keeper.keep(place, delivery)
        except (Unavailable, Conflict, Duplicate, OSError) as problem:  # OSError: the disk, or it took too long
            log.warning("a message could not be kept: %s", problem or "it took too long", extra=about)
            return _LATER
        except Exception:
            log.exception("a message could not be kept", extra=about)
            return _LATER
        words = "a message came again" if kept.known else "a message came"
        log.info("%s by %s: %d", words, self._way, kept.id, extra=about)
        return f"250 2.0.0 Ok, kept as {kept.id}"


class _Taken(Envelope):
    """The envelope of a message, with the inboxes it is for."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[tuple[str, Place]] = []


class _Talk(SMTP):
    """One connection."""

    line_length_limit = _LINE

    def __init__(self, door: Door) -> None:
        super().__init__(
            door,
            data_size_limit=door.bounds.largest,
            enable_SMTPUTF8=True,
            hostname=door.name,
            ident="Deskhand",
            tls_context=door.tls,
            timeout=door.bounds.silence_s,
            command_call_limit=_CALLS,
            loop=asyncio.get_running_loop(),
        )
        self.command_size_limits = defaultdict(lambda: _COMMAND)  # not the one that all connections share
        for name in ("AUTH", "EXPN"):
            self._smtp_methods.pop(name)
        self._door = door
        self.strangers = 0
        self._peer = ""
        self._until = self.loop.time() + door.bounds.idle_s
        self._turned_away = False
        self._keeping = False
        self._parting = False

    def connection_made(self, transport: Any) -> None:
        if self._original_transport is None:  # else it is the same one, now encrypted
            self._peer = network(transport.get_extra_info("peername"))
            if not self._door.enter(self, self._peer):
                self._turned_away = True
                transport.write(f"421 4.7.0 {self._door.name} has too many connections\r\n".encode())
                transport.close()
                return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._door.leave(self, self._peer)
        if not self._turned_away:
            super().connection_lost(error)

    def eof_received(self) -> bool | None:
        if not self._turned_away:
            super().eof_received()
        return False  # the connection is closed: who hangs up wants no answers

    def part(self) -> None:
        """End the connection as soon as no message is being kept."""
        self._parting = True
        if not self._keeping:
            self._hang_up(f"421 4.3.2 {self._door.name} is being stopped")

    def _hang_up(self, words: str) -> None:
        if self.transport is not None and not self.transport.is_closing():
            cast(asyncio.Transport, self.transport).write(words.encode() + b"\r\n")
            self.transport.close()

    def _reset_timeout(self, duration: float | None = None) -> None:
        left = self._until - self.loop.time()  # commands alone don't keep a connection
        super()._reset_timeout(max(0.01, min(duration or self._timeout_duration, left)))

    def _create_envelope(self) -> _Taken:
        return _Taken()

    async def smtp_RCPT(self, arg: str | None) -> None:
        """Take a recipient; who asks for too many that nobody is gets no answer any more."""
        if self.strangers >= self._door.strangers:
            log.warning("a client asked for too many addresses that no inbox has", extra={"peer": self._peer})
            self._hang_up("421 4.7.0 Too many unknown recipients")
            return
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str | None) -> None:
        """Take the data of a message, keep it, and only then say so."""
        if await self.check_helo_needed():
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        envelope = cast(_Taken, self.envelope)
        if not envelope.places:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self._reset_timeout(self._door.bounds.data_s)
        data = _Data(self._door)
        try:
            while (rest := data.take(await self._piece())) is None:
                if data.refused_size > 2 * self._door.bounds.largest:
                    self._hang_up(data.refusal)
                    return
            self._reader.feed_data(rest)  # commands that were sent along
            # While it is kept nobody need say anything.
            keep_s = len(envelope.places) * self._door.bounds.keep_s + self._door.bounds.silence_s
            self._until = self.loop.time() + keep_s + self._door.bounds.idle_s
            self._reset_timeout(keep_s)
            answers = [data.refusal] * len(envelope.places)
            if not data.refusal:
                self._keeping = True
                answers = await self._door.keep(envelope, await data.message(), self._peer)
        finally:
            data.close()
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self._answer(answers)
        self._keeping = False
        self._until = self.loop.time() + self._door.bounds.idle_s
        self._reset_timeout()
        if self._parting:
            self.part()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        plain = _PLAIN.match(arg)
        return super()._getaddr(arg) if plain is None else (plain[1], arg[plain.end() :].lstrip())

    async def _piece(self) -> bytes:
        piece: bytes = await self._reader.read(1 << 20)  # more than is ever held back: nothing stays behind
        if not piece:
            raise ConnectionResetError
        return piece

    async def _answer(self, answers: list[str]) -> None:
        """One answer for all: the first that is no success, so that the client tries again."""
        await self.push(next((one for one in answers if not one.startswith("250")), answers[0]))


class _LmtpTalk(_Talk, LMTP):
    """One connection of a mail server beside ours, which is told about each recipient."""

    async def _answer(self, answers: list[str]) -> None:
        await self.push("\r\n".join(answers))


class _Data:
    """The data of a message as it comes; only CR LF . CR LF ends it, and lines may be of any length."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._data = bytearray(b"\r\n")  # the end of the command's line, so that the first one is like the others
        self._held = 0
        self.refusal = ""
        self.refused_size = 0

    def take(self, piece: bytes) -> bytes | None:
        """Add what came; gives what came after the end, None while that is still to come."""
        looked_at = max(0, len(self._data) - len(_END) + 1)
        self._data += piece
        end = self._data.find(_END, looked_at)
        rest = None if end < 0 else bytes(self._data[end + len(_END) :])
        if rest is not None:
            del self._data[end + 2 :]
        self._bound(len(piece))
        return rest

    async def message(self) -> bytes:
        """The message, without what the protocol put before dots."""
        if len(self._data) > 1 << 20:
            return await asyncio.to_thread(self._message)
        return self._message()

    def close(self) -> None:
        """Give the memory back."""
        self._data.clear()
        self._door.hold(-self._held)
        self._held = 0

    def _message(self) -> bytes:
        whole = self._data.replace(b"\r\n.", b"\r\n")
        self._data = bytearray()  # it is counted until it is closed, and need not be there twice
        del whole[:2]
        return bytes(whole)

    def _bound(self, more: int) -> None:
        if not self.refusal:
            if len(self._data) - 2 > self._door.bounds.largest:
                self.refusal = _TOO_LARGE
            elif not self._door.hold(more):
                self.refusal = "452 4.3.1 Too much mail comes at once, please try again later"
            else:
                self._held += more
                return
        self.refused_size += more
        tail = bytes(self._data[-len(_END) + 1 :])
        self.close()
        self._data += tail


def network(peer: Any) -> str:
    """Who a connection came from: an address, of IPv6 the network, which has one owner; empty for this machine."""
    try:
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0]) if isinstance(peer, tuple) else None
    except ValueError:
        return str(peer[0])
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if address is None or address.is_loopback:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _is_clean(address: str) -> bool:
    """Whether a database can be asked for it; halves of characters are not printable either."""
    return address.isprintable()


def _sender(given: str | None) -> str:
    """The sender of the envelope as it can be stored; empty where nobody wants an answer (<>)."""
    text = (given or "").encode(errors="replace").decode()
    return "" if text == "<>" else "".join(c for c in text if c.isprintable())[:320]
