"""A receiver of webhooks: a real HTTP server on loopback that keeps what it is sent."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_S = 60


@dataclass(frozen=True)
class Received:
    """One request; `headers` by lower-case name, `at` as time.monotonic() has it."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> str:
        return self.headers["x-helpscout-event"]

    @property
    def key(self) -> str:
        return self.headers["x-deskhand-delivery"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What the receiver answers, and after how long."""

    status: int = 200
    body: bytes = b"ok"
    headers: tuple[tuple[str, str], ...] = ()
    after_s: float = 0


@dataclass
class Receiver:
    """What came, in order; `answer` decides what is answered."""

    url: str
    answer: Callable[[Received], Reply] = lambda _: Reply()
    received: list[Received] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def take(self, one: Received) -> Reply:
        with self._news:
            self.received.append(one)
            self._news.notify_all()
        return self.answer(one)

    def named(self, event: str) -> list[Received]:
        """What came of one event."""
        return [one for one in self.received if one.event == event]

    def wait(self, until: Callable[[], Any], seconds: float = WAIT_S) -> Any:
        """Wait until something is so; gives it."""
        deadline = time.monotonic() + seconds
        with self._news:
            while not (found := until()):
                left = deadline - time.monotonic()
                assert left > 0, [(one.path, one.event) for one in self.received]
                self._news.wait(min(left, 0.05))
        return found

    def first(self, event: str) -> Received:
        """The first of an event, once it has come."""
        found: list[Received] = self.wait(lambda: self.named(event))
        return found[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    receiver: Receiver


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        at = time.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.receiver.take(Received(self.path, headers, body, at))
        time.sleep(reply.after_s)
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True  # whoever called did not wait for all of the answer

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
