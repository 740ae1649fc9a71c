"""The door through which mail comes, with a shelf in place of the desk; and clients that say what they like."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvloop

from deskhand.db.engine import Unavailable
from deskhand.mail.inbound import Delivery, Kept, Place
from deskhand.mail.smtp_in import Bounds, Door

MAIL = b"From: Paul <paul@buyer.example>\r\nSubject: Hello\r\n\r\nWhere is my lamp?\r\n"
HELP, SALES = "help@shop.example", "sales@shop.example"
KB = 1024


@dataclass
class Shelf:
    """A keeper in memory, that can be told to fail or to take its time."""

    kept: list[tuple[Place, Delivery]] = field(default_factory=list)
    problem: Exception | None = None
    problem_of: int | None = None
    slow_s: float = 0.0
    begun: int = 0
    asked: list[str] = field(default_factory=list)

    async def place_of(self, address: str) -> Place | None:
        self.asked.append(address)
        if isinstance(self.problem, Unavailable):
            raise self.problem
        place = {HELP: Place(1, 10, HELP), SALES: Place(1, 11, SALES)}
        return place.get(address.lower().replace("+token", ""))

    async def keep(self, place: Place, delivery: Delivery) -> Kept:
        self.begun += 1
        await asyncio.sleep(self.slow_s)
        if self.problem is not None and self.problem_of in (None, place.inbox_id):
            raise self.problem
        known = any(place == other and delivery.raw == before.raw for other, before in self.kept)
        if not known:
            self.kept.append((place, delivery))
        return Kept(len(self.kept), known)

    @property
    def raw(self) -> list[bytes]:
        return [delivery.raw for _, delivery in self.kept]


@dataclass
class Listening:
    """A door that is open."""

    door: Door
    shelf: Shelf
    loop: asyncio.AbstractEventLoop
    port: int = 0

    def client(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, "client.example", timeout=30)

    def lmtp(self) -> smtplib.LMTP:
        return smtplib.LMTP("127.0.0.1", self.port, "client.example", timeout=30)

    def wire(self) -> Wire:
        return Wire(self.port)


class Wire:
    """Somebody who speaks SMTP by hand."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, text: bytes) -> None:
        self._socket.sendall(text)

    def answer(self) -> str:
        """The next answer; empty when the other side has hung up."""
        try:
            while (line := self._file.readline()) and line[3:4] == b"-":
                pass
        except ConnectionResetError:
            return ""
        return line.decode().strip()

    def say(self, text: str) -> str:
        self.send(text.encode() + b"\r\n")
        return self.answer()

    def begin(self, *recipients: str, greeting: str = "EHLO") -> None:
        """Everything up to the data."""
        assert self.answer().startswith("220")
        for line in (
            f"{greeting} client.example",
            "MAIL FROM:<paul@buyer.example>",
            *(f"RCPT TO:<{one}>" for one in recipients),
        ):
            assert self.say(line).startswith("250")
        assert self.say("DATA").startswith("354")

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@contextmanager
def listening(way: Any = "smtp", tls: ssl.SSLContext | None = None, **bounds: Any) -> Iterator[Listening]:
    """A listener in a thread, on the event loop that the server has."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[Door, asyncio.Server]:
        door = Door(shelf, way, "mail.shop.example", tls, Bounds(**bounds))
        return door, await asyncio.get_running_loop().create_server(door.talk, "127.0.0.1", 0)

    async def stop() -> None:
        server.close()
        await door.close()

    def run(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)

    shelf = Shelf()
    door, server = run(start())
    try:
        yield Listening(door, shelf, loop, server.sockets[0].getsockname()[1])
    finally:
        run(stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def greets(here: Listening) -> bool:
    """Whether somebody new is let in."""
    with here.wire() as wire:
        return wire.answer().startswith("220")
