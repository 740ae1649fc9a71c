"""A real SMTP server on loopback that keeps what it is given, and can be told to refuse."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

WAIT_S = 60


@dataclass(frozen=True)
class Received:
    """A mail as it arrived, with its envelope."""

    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=default)


@dataclass
class PostOffice:
    """What has arrived, and how it is to answer: `refusals` by recipient, `answers` to DATA one after the other."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    refusals: dict[str, list[str]] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    attempts: list[Received] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.refusals.get(address):
            return self.refusals[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = Received(envelope.mail_from, list(envelope.rcpt_tos), envelope.content)
        with self.lock:
            self.attempts.append(mail)
            if self.answers:
                return self.answers.pop(0)
            self.received.append(mail)
        return "250 Taken"

    def sign_in(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.signed_in.append(given.login.decode())
        return AuthResult(success=given == LoginPassword(b"desk", b"hunter2 :@/"), handled=False)

    def wait_for(self, number: int) -> list[Received]:
        """What has arrived once it is so much."""
        wait(lambda: len(self.received) >= number)
        return self.received

    def to(self, address: str) -> list[Received]:
        """What has arrived for somebody."""
        with self.lock:
            return [one for one in self.received if address in one.recipients]


def wait(until: Callable[[], bool]) -> None:
    """Wait until something is so; fails when it never is."""
    deadline = time.monotonic() + WAIT_S
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def post_office(
    tls: Literal["none", "starttls", "implicit"] = "none",
    certificate: Path | None = None,
    *,
    asks: bool = False,
    letters: bool = True,
    **options: Any,
) -> Iterator[PostOffice]:
    """A server; `asks` for user and password, knows addresses with other `letters` (SMTPUTF8)."""
    office = PostOffice()
    implicit = None
    options |= {"enable_SMTPUTF8": letters, "hostname": "post.example"}
    if asks:
        options |= {"authenticator": office.sign_in, "auth_required": True, "auth_require_tls": False}
    if tls != "none":
        assert certificate is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if tls == "implicit":
            implicit = context
        else:
            options |= {"tls_context": context, "require_starttls": True}

    def talk() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that passwords come without TLS is meant so
            return SMTP(office, loop=loop, **options)

    loop = asyncio.new_event_loop()
    listening = loop.create_server(talk, "127.0.0.1", 0, ssl=implicit)
    server = loop.run_until_complete(listening)
    office.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield office
    finally:
        asyncio.run_coroutine_threadsafe(close(server), loop).result(WAIT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WAIT_S)
        loop.close()


async def close(server: asyncio.Server) -> None:
    """End a server with all its connections: what is left open would be found in another test."""
    server.close()
    talking = asyncio.all_tasks() - {asyncio.current_task()}
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)
    for transport in list(asyncio.get_running_loop()._transports.values()):  # type: ignore[attr-defined]
        transport.abort()  # TLS would wait for the other end
    await asyncio.sleep(0.01)


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, both in one file; it vouches for itself."""
    file = folder / "certificate.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", file, "-out", folder / "cert.pem",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    with file.open("ab") as both:
        both.write((folder / "cert.pem").read_bytes())
    return file
