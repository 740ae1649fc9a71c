"""Trying mail servers step by step: is there such a host, does it answer, encrypt, let us in, take and give mail.

Each step says in words what is so; of the one that fails it says what to do as well. Nothing is sent or changed.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from deskhand.mail import imap_in
from deskhand.mail.imap_in import ImapFailed, Wire
from deskhand.mail.post import Undelivered
from deskhand.mail.smtp_out import signed_in
from deskhand.settings import ImapServer, SmtpServer

WHOLE_S = 20.0
"""How long trying one server may take: somebody waits for it."""
CONNECT_S = 8.0

State = Literal["well", "wrong", "left"]
What = Literal["Name", "Connection", "Encryption", "Sign-in", "Sending", "Folder"]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a try: how it went in words, and what to do where it went wrong; `left`: it did not come to it."""

    what: What
    state: State
    words: str = ""
    advice: str = ""


class _Wrong(Exception):
    """A step went wrong."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(slots=True)
class _Try:
    """A try under way: which steps there are, and those that went well."""

    server: SmtpServer | ImapServer
    steps: tuple[What, ...]
    well: list[Step] = field(default_factory=list)

    def passed(self, words: str) -> None:
        """The step that is under way went well."""
        self.well.append(Step(self.steps[len(self.well)], "well", words))

    def ended(self, fault: str = "") -> list[Step]:
        """All steps, the one under way with its fault."""
        if len(self.well) == len(self.steps):
            return self.well
        at = self.steps[len(self.well)]
        wrong = Step(at, "wrong", fault, advice(at, self.server, fault))
        return [*self.well, wrong, *(Step(what, "left") for what in self.steps[len(self.well) + 1 :])]


async def try_smtp(server: SmtpServer, base_url: str, sender: str, whole_s: float = WHOLE_S) -> list[Step]:
    """Try whether mail from `sender` can leave by a server."""
    steps: tuple[What, ...] = ("Name", "Connection", "Encryption", *(("Sign-in",) if server.user else ()), "Sending")
    trying = _Try(server, steps)

    async def go() -> None:
        await _reach(trying)
        async with signed_in(server, base_url, sign_in=False) as client:
            trying.passed(_encryption(client.get_transport_info("ssl_object")))
            if server.user:
                await client.login(server.user, server.password)
                trying.passed(f"signed in as {server.user}")
            await client.mail(sender)
            await client.rset()
            trying.passed(f"takes mail from {sender}")

    return await _within(trying, go, whole_s)


async def try_imap(server: ImapServer, folder: str, whole_s: float = WHOLE_S) -> list[Step]:
    """Try whether a folder can be read; the connection is cut when it takes too long."""
    trying = _Try(server, ("Name", "Connection", "Encryption", "Sign-in", "Folder"))
    wire = Wire()

    def passed(what: str) -> None:
        trying.passed(
            ("not encrypted" if server.tls == "none" else "encrypted")
            if what == "encrypted"
            else f"signed in as {server.user}"
        )

    def look() -> None:
        with imap_in.opened(server, folder, CONNECT_S, wire, passed) as found:
            trying.passed(f"{folder} has {found.on_server:,} {'message' if found.on_server == 1 else 'messages'}")

    async def go() -> None:
        await _reach(trying)
        await asyncio.to_thread(look)

    try:
        return await _within(trying, go, whole_s)
    finally:
        wire.cut()  # the thread that still waits for it ends as well


async def _within(trying: _Try, go: Callable[[], Awaitable[None]], whole_s: float) -> list[Step]:
    try:
        async with asyncio.timeout(whole_s):
            await go()
    except TimeoutError:
        return trying.ended(f"no answer within {whole_s:g} seconds")
    except Undelivered as problem:
        return trying.ended(_without_place(problem.reason, trying.server))
    except ImapFailed as problem:
        return trying.ended(_without_place(str(problem), trying.server))
    except _Wrong as problem:
        return trying.ended(problem.words)
    return trying.ended()


async def _reach(trying: _Try) -> None:
    """Find the host's address and connect to its port."""
    host, port = trying.server.host, trying.server.port
    loop = asyncio.get_running_loop()
    try:
        found = await asyncio.wait_for(loop.getaddrinfo(host, port, type=socket.SOCK_STREAM), CONNECT_S)
    except TimeoutError:
        raise _Wrong(f"nobody says within {CONNECT_S:g} seconds where {host} is") from None
    except (OSError, UnicodeError):
        raise _Wrong(f"there is no host {host}") from None
    trying.passed(f"{host} is {found[0][4][0]}")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_S)
    except TimeoutError:
        raise _Wrong(f"port {port} does not answer within {CONNECT_S:g} seconds") from None
    except OSError as problem:
        raise _Wrong(f"port {port}: {_os_words(problem)}") from None
    writer.close()
    trying.passed(f"port {port} answers")


def _os_words(problem: OSError) -> str:
    if isinstance(problem, ConnectionRefusedError):
        return "the connection was refused"
    return os.strerror(problem.errno) if problem.errno and problem.errno > 0 else "no connection"


def _encryption(tls: object) -> str:
    version = getattr(tls, "version", None)
    return f"encrypted with {version()}" if tls is not None and version is not None else "not encrypted"


# How the libraries quote a line that makes no sense to them; the IMAP library's is the repr of bytes.
_NO_MAIL_SERVER = re.compile(r"Malformed SMTP response|\bb['\"]")


def _without_place(reason: str, server: SmtpServer | ImapServer) -> str:
    """A reason without the server's name, which stands above the steps.

    Nor does it tell what anything else than a mail server says: that would help to look through a network, not here.
    """
    kind = "SMTP" if isinstance(server, SmtpServer) else "IMAP"
    if _NO_MAIL_SERVER.search(reason):
        return f"what answers at port {server.port} is no {kind} server"
    for place in (f"the {kind} server {server.host} port {server.port}: ", f"the {kind} server {server.host} port "):
        if reason.startswith(place):
            reason = reason.removeprefix(place).removeprefix(f"{server.port} ")
    return reason


# -- What to do


def advice(at: What, server: SmtpServer | ImapServer, fault: str) -> str:
    """What to do where a step went wrong."""
    return next(iter(_advice(at, server, fault.lower())), "")


def _advice(at: What, server: SmtpServer | ImapServer, fault: str) -> Iterator[str]:
    ports = _USUAL["smtp" if isinstance(server, SmtpServer) else "imap"]
    match at:
        case "Name":
            yield "Check the host for typing errors; your mail provider's help names it."
        case "Connection":
            if server.port not in ports.values():
                listed = ", ".join(f"{port} ({words})" for words, port in ports.items())
                yield f"Check the port. Usual ones are {listed}."
            yield (
                "Check the host and the port. If both are right, a firewall between this machine and the server may "
                "keep them apart: many hosting companies block outgoing mail ports until you ask."
            )
        case "Encryption":
            if "certificate" in fault:
                yield (
                    "The server's certificate does not belong to this host, or nobody known has signed it. Use the "
                    "host name that the certificate was made for."
                )
            if server.tls == "implicit":
                yield "Port and encryption do not fit together: try STARTTLS, or the port that your provider names."
            if server.tls == "starttls":
                yield "The server offers no STARTTLS at this port: try TLS from the beginning, or another port."
            yield "Something else may answer at this port: check it."
        case "Sign-in":
            if "not supported" in fault:
                yield "The server takes no sign-in here: try another encryption, or leave user and password empty."
            yield (
                "Check user and password. The user is often the whole address. Where the mailbox has a second factor, "
                "the provider wants a password of its own for programs (an app password)."
            )
        case "Sending":
            if not server.user:
                yield "The server takes mail from known users only: fill in user and password."
            yield "The server does not let this user send from the inbox's address: allow it there, or use its user."
        case "Folder":
            yield "Check the folder's name as the server writes it; the one where new mail comes to is INBOX."


_USUAL = {
    "smtp": {"TLS": 465, "STARTTLS": 587},
    "imap": {"TLS": 993, "STARTTLS": 143},
}
