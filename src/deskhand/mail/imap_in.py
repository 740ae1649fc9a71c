"""A folder on an IMAP server as it is read: by UIDVALIDITY and UID, never by what was seen, and without a trace.

All of it waits for the network, so it is called from threads. The folder is only ever examined and messages are only
peeked at: no flag changes. A server is believed little: how much it says is bounded, and what can't be is an error.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal, TypeVar

from imap_tools import BaseMailBox
from imap_tools.errors import (
    ImapToolsError,
    MailboxFolderSelectError,
    MailboxLoginError,
    UnexpectedCommandStatusError,
)

from deskhand.mail.headers import one_line
from deskhand.mail.inbound import LARGEST
from deskhand.settings import ImapServer

T = TypeVar("T")

STEP_S = 30.0
"""How long a server may say nothing."""
GOODBYE_S = 3.0
ANSWER_MOST = 2 * LARGEST
"""Bytes that a server may say in answer to one command: some don't know how large their messages are."""
_NUMBER_MOST = 2**32 - 1
_WORDS_MOST = 500
_LISTED = "(UID RFC822.SIZE INTERNALDATE)"
_FOUND = re.compile(rb"(?:^|\s)(\d{1,10}) \(")
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,18})\b")
_ARRIVED = re.compile(rb'\bINTERNALDATE " ?([^"]+)"')
_EMPTY = re.compile(rb'\bBODY\[\] (?:""|NIL)')


class ImapFailed(Exception):
    """A server can't be read, in words."""


class NotGiven(Exception):
    """The server did not give one message, in its own words."""


@dataclass(frozen=True, slots=True)
class Found:
    """A message that lies on the server; `arrived` is when it got there, as far as the server says."""

    uid: int
    size: int
    arrived: datetime | None


class Wire:
    """What a connection goes over: it can be cut from another thread, and carries only so much for one command."""

    def __init__(self, most: int = ANSWER_MOST) -> None:
        self.most = most
        self._left = most
        self._socket: socket.socket | None = None
        self._is_cut = False

    def cut(self) -> None:
        """End the connection, whoever waits for it and for what."""
        self._is_cut = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def use(self, connected: socket.socket) -> None:
        """Go over this socket from now on."""
        self._socket = connected
        if self._is_cut:
            self.cut()

    def begin(self) -> None:
        """A command is sent."""
        self._left = self.most

    def spend(self, size: int) -> None:
        """So much is read in answer to it; raises ImapFailed."""
        self._left -= size
        if self._left < 0:
            self.cut()
            raise ImapFailed(f"it says more than {self.most // 1024**2} MB at once")


class Folder:
    """A folder that is open for reading; see `opened`."""

    def __init__(self, connection: BaseMailBox, name: str, where: str, server: ImapServer) -> None:
        self._connection = connection
        self._client = connection.client
        self._name = name
        self._where = where
        self._server = server
        self.uid_validity = 0
        self.on_server = 0
        """How many messages lie in it, as of the last look at the folder."""
        self._last_listed = (0, 0)
        self.look()

    @property
    def encryption(self) -> str:
        """How the connection is encrypted, in words."""
        used = self._client.socket()
        return f"encrypted with {used.version()}" if isinstance(used, ssl.SSLSocket) else "not encrypted"

    def look(self) -> None:
        """See how many there are now, and whether it is still the same folder."""
        self._asked(lambda: self._connection.folder.set(self._name, readonly=True))
        _, validity = self._client.response("UIDVALIDITY")
        _, exists = self._client.response("EXISTS")
        self.uid_validity = self._number("UIDVALIDITY", validity, 1)
        self.on_server = self._number("EXISTS", exists, 0)

    def after(self, uid: int, most: int) -> list[Found]:
        """The next messages with a higher UID, in their order, after another look at the folder.

        None is passed over: what the server leaves out of its list is asked for again, and is then an error.
        """
        found: list[Found] = []
        wanted = 0
        for _ in range(2):  # messages may be deleted meanwhile; then they are gone at the second look
            self.look()
            first = self._first_after(uid)
            last = min(self.on_server, first + most - 1)
            found, wanted = self._listed(first, last), last - first + 1
            if len(found) == wanted:
                break
        else:
            raise ImapFailed(f"{self._where} lists {len(found)} of {wanted} messages in the folder {self._name}")
        if found:
            self._require_order([uid, *(one.uid for one in found)])
            self._last_listed = (found[-1].uid, last)
        return found

    def raw(self, uid: int, size: int = 0) -> bytes | None:
        """A message's bytes; None where it was deleted meanwhile. Raises NotGiven; `size` is what it is said to be."""
        status, answer = self._asked(lambda: self._client.uid("FETCH", str(uid), "(UID BODY.PEEK[])"))
        if status != "OK":
            raise NotGiven(_words(answer))
        found = _content(uid, answer)
        if found is None and self._is_there(uid):
            raise NotGiven("it is listed, and nothing of it is given")
        if found == b"" and size:
            raise NotGiven(f"it is said to have {size} bytes, and none is given")
        return found

    def _is_there(self, uid: int) -> bool:
        self.look()  # what others deleted goes now
        _, answer = self._asked(lambda: self._client.uid("FETCH", str(uid), "(UID)"))
        return any(
            int(found[1]) == uid for line in answer if isinstance(line, bytes) for found in [_UID.search(line)] if found
        )

    def _first_after(self, uid: int) -> int:
        """The number of the first message with a higher UID, by halving; past the last where there is none.

        Numbers stay as they are meanwhile: servers may not take messages away during FETCH (RFC 3501 section 7.4.1).
        """
        low, high = 1, self.on_server + 1
        at = self.on_server  # mostly nothing is new
        listed, number = self._last_listed
        if listed == uid and 0 < number < self.on_server and self._uid_of(number) == uid:
            return number + 1
        while low < high:
            if self._uid_of(at) > uid:
                high = at
            else:
                low = at + 1
            at = (low + high) // 2
        return low

    def _uid_of(self, number: int) -> int:
        try:
            found = self._fetched(number, number, "(UID)")
        except NotGiven:
            found = {}
        if not found:
            raise ImapFailed(f"{self._where} does not give the UID of message {number} in the folder {self._name}")
        return _found(found[number]).uid

    def _listed(self, first: int, last: int) -> list[Found]:
        if first > last:
            return []
        try:
            lines = self._fetched(first, last, _LISTED)
        except NotGiven:  # of one of them; which one is found out one by one
            lines = {}
            for number in range(first, last + 1):
                lines |= self._about(number)
        return [_found(lines[number]) for number in sorted(lines)]

    def _about(self, number: int) -> dict[int, bytes]:
        for what in (_LISTED, "(UID)"):
            with suppress(NotGiven):
                return self._fetched(number, number, what)
        return {}

    def _fetched(self, first: int, last: int, what: str) -> dict[int, bytes]:
        """What is said of each message of a range, by number; other things that servers say are left out.

        Raises NotGiven.
        """
        status, answer = self._asked(lambda: self._client.fetch(f"{first}:{last}", what))
        if status != "OK":
            raise NotGiven(f"{self._where} does not list its messages: {_words(answer)}")
        said: dict[int, bytes] = {}
        for line in answer:
            if isinstance(line, bytes) and _UID.search(line) and (number := _FOUND.search(line)):
                # Of one message things may be said twice: that its flags changed, too.
                said[int(number[1])] = said.get(int(number[1]), b"") + b" " + line
        return {number: line for number, line in said.items() if first <= number <= last}

    def _require_order(self, uids: list[int]) -> None:
        """The UIDs of all messages differ and ascend (RFC 3501 section 2.3.1.1); else nothing is certain."""
        if any(one >= other for one, other in pairwise(uids)):
            raise ImapFailed(f"{self._where} gives UIDs in the folder {self._name} that don't ascend")

    def _number(self, name: str, given: list[Any] | None, least: int) -> int:
        text = given[-1] if given and given[-1] is not None else b"" if least else b"0"
        number = int(text) if text.isdigit() and len(text) <= len(str(_NUMBER_MOST)) else -1
        if not least <= number <= _NUMBER_MOST:
            raise ImapFailed(f"{self._where} gives no {name} that can be for the folder {self._name}")
        return number

    def _asked(self, ask: Callable[[], T]) -> T:
        with _in_words(self._where, self._server, self._name):
            return ask()


@contextmanager
def opened(
    server: ImapServer,
    folder: str,
    step_s: float = STEP_S,
    wire: Wire | None = None,
    passed: Callable[[Literal["encrypted", "signed in"]], None] = lambda _: None,
) -> Iterator[Folder]:
    """Sign in and open a folder for reading; whatever goes wrong is ImapFailed.

    `wire` can be cut meanwhile; `passed` is told how far it has come.
    """
    where = f"the IMAP server {server.host} port {server.port}"
    context = None if server.tls == "none" else _tls(server)
    with _in_words(where, server, folder):
        connection = _connection(_client(server, context, step_s, wire or Wire()))
    try:
        with _in_words(where, server, folder):
            if server.tls == "starttls":
                connection.client.starttls(context)
            passed("encrypted")
            # LOGIN has no letters beyond ASCII.
            ascii_only = (server.user + server.password).isascii()
            sign_in = connection.login if ascii_only else connection.login_utf8
            sign_in(server.user, server.password, initial_folder=None)
            passed("signed in")
        yield Folder(connection, folder, where, server)
    finally:
        with suppress(ImapFailed, ImapToolsError, imaplib.IMAP4.error, OSError):
            connection.client.socket().settimeout(min(step_s, GOODBYE_S))
            connection.logout()
        with suppress(OSError):  # it is closed already where the server took leave too
            connection.client.shutdown()


def _connection(client: imaplib.IMAP4) -> BaseMailBox:
    """The library's object over a client of ours; it asks for its client by a method of its own name."""
    made: BaseMailBox = type("_Connection", (BaseMailBox,), {"_get_mailbox_client": lambda _: client})()
    return made


class _Client(imaplib.IMAP4):
    """A client whose socket can be reached from the beginning, and that reads only so much."""

    def __init__(self, wire: Wire, *given: Any, **options: Any) -> None:
        self._wire = wire
        super().__init__(*given, **options)

    def read(self, size: int) -> bytes:
        self._wire.spend(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._wire.spend(len(line))
        return line

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:
        done = super().starttls(ssl_context)
        self._wire.use(self.sock)
        return done

    # -- Names of the library's

    def _create_socket(self, timeout: float | None) -> socket.socket:
        made: socket.socket = super()._create_socket(timeout)  # type: ignore[misc]
        self._wire.use(made)
        return made

    def _command(self, name: str, *given: Any) -> Any:
        self._wire.begin()
        return super()._command(name, *given)  # type: ignore[misc]


class _TlsClient(_Client, imaplib.IMAP4_SSL):
    pass


def _client(server: ImapServer, context: ssl.SSLContext | None, step_s: float, wire: Wire) -> imaplib.IMAP4:
    if server.tls == "implicit":
        return _TlsClient(wire, server.host, server.port, ssl_context=context, timeout=step_s)
    return _Client(wire, server.host, server.port, timeout=step_s)


def _tls(server: ImapServer) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not server.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def _in_words(where: str, server: ImapServer, folder: str) -> Iterator[None]:
    try:
        yield
    except ImapFailed as problem:
        raise ImapFailed(f"{where}: {problem}"[:_WORDS_MOST]) from None
    except MailboxLoginError as problem:
        said = _without(_words(problem.command_result[1]), server)
        raise ImapFailed(f"{where} refused the sign-in of {server.user}: {said}"[:_WORDS_MOST]) from None
    except MailboxFolderSelectError as problem:
        said = _without(_words(problem.command_result[1]), server)
        raise ImapFailed(f"{where} does not open the folder {folder}: {said}"[:_WORDS_MOST]) from None
    except ssl.SSLCertVerificationError as problem:
        raise ImapFailed(f"the certificate of {where} is not accepted ({problem.verify_message})") from None
    except ssl.SSLError as problem:
        raise ImapFailed(f"{where}: TLS failed ({problem.reason or problem})") from None
    except TimeoutError:
        raise ImapFailed(f"{where} took too long to answer") from None
    except UnexpectedCommandStatusError as problem:
        said = _without(_words(problem.command_result[1]), server)
        raise ImapFailed(f"{where} said {said}"[:_WORDS_MOST]) from None
    except (ImapToolsError, imaplib.IMAP4.error, OSError, ValueError) as problem:
        said = _without(one_line(str(problem)), server)
        raise ImapFailed(f"{where} can't be used: {said or type(problem).__name__}"[:_WORDS_MOST]) from None


def _content(uid: int, answer: list[Any]) -> bytes | None:
    """The message among all that a server answered."""
    for head, tail in zip(answer, [*answer[1:], b""], strict=True):
        line, literal = head if isinstance(head, tuple) else (head or b"", None)
        about = line + (tail if isinstance(tail, bytes) else b"")
        if (named := _UID.search(about)) and int(named[1]) == uid:
            if literal is not None and b"BODY[" in line.upper():
                return bytes(literal)
            if _EMPTY.search(line):
                return b""
    return None


def _found(line: bytes) -> Found:
    uid, size, arrived = _UID.search(line), _SIZE.search(line), _ARRIVED.search(line)
    assert uid is not None
    return Found(int(uid[1]), int(size[1]) if size else 0, _moment(arrived[1]) if arrived else None)


def _moment(text: bytes) -> datetime | None:
    try:
        return datetime.strptime(text.decode("ascii"), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _words(answer: object) -> str:
    """What a server said, on one line."""
    parts = answer if isinstance(answer, list) else [answer]
    texts = [part.decode(errors="replace") if isinstance(part, bytes) else "" for part in parts]
    return one_line(" ".join(filter(None, texts))) or "nothing"


def _without(text: str, server: ImapServer) -> str:
    """Some servers repeat what they were given, so the password is taken out, also as it is written in commands."""
    plain = b64encode(f"\0{server.user}\0{server.password}".encode()).decode()
    quoted = server.password.replace("\\", "\\\\").replace('"', '\\"')
    for secret in (plain, quoted, server.password):
        for written in (secret, one_line(secret)):
            if written:
                text = text.replace(written, "***")
    return text
