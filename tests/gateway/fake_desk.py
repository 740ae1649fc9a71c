"""A remote desk that does as it is told: it keeps what it is asked, and answers well, badly or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

TOKEN_PATH = "/v2/oauth2/token"
ME_PATH = "/v2/users/me"


@dataclass(frozen=True)
class Asked:
    """One request; names of headers are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True)
class Says:
    """An answer; `cut` promises more than is sent and closes the connection."""

    status: int = 200
    content: Any = None
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/hal+json"
    after_s: float = 0
    cut: bool = False


def error(status: int, **headers: str) -> Says:
    given = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Says(status, {"logRef": "x#1", "message": "No"}, headers=given, media_type="application/vnd.error+json")


@dataclass
class FakeDesk:
    """What it was asked for, in order. `answer` decides about all but tokens; `tokens` about these."""

    url: str
    answer: Callable[[Asked], Says] = lambda _: error(404)
    tokens: Callable[[Asked], Says] | None = None
    me: Says | None = None
    asked: list[Asked] = field(default_factory=list)
    given_tokens: int = 0
    expires_in: int = 172_800
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, one: Asked) -> Says:
        with self._lock:
            self.asked.append(one)
            if one.path == TOKEN_PATH:
                return self.tokens(one) if self.tokens else self.new_token()
        if one.path == ME_PATH:
            return self.me or Says(content={"id": 7, "_links": {"self": {"href": f"{self.url}/v2/users/7"}}})
        return self.answer(one)

    def new_token(self, **more: Any) -> Says:
        self.given_tokens += 1
        content = {"token_type": "bearer", "access_token": f"token{self.given_tokens}", "expires_in": self.expires_in}
        return Says(content=content | more, media_type="application/json")

    def calls(self, path: str | None = None) -> list[Asked]:
        """What was asked for, but for tokens and for who the caller is."""
        return [one for one in self.asked if one.path not in (TOKEN_PATH, ME_PATH) and path in (None, one.path)]

    @property
    def token_calls(self) -> list[Asked]:
        return [one for one in self.asked if one.path == TOKEN_PATH]


def in_turn(*answers: Says) -> Callable[[Asked], Says]:
    """One answer after the other, the last again and again."""
    left = list(answers)
    lock = threading.Lock()

    def answer(_: Asked) -> Says:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    desk: FakeDesk


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        says = self.server.desk.take(Asked(self.command, path, dict(parse_qsl(query)), headers, body))
        time.sleep(says.after_s)
        content = json.dumps(says.content).encode() if says.content is not None else says.body
        self.send_response(says.status)
        if content:
            self.send_header("Content-Type", says.media_type)
        for name, value in says.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) + 1000 * says.cut))
        self.end_headers()
        self.wfile.write(content)
        if says.cut:
            self.wfile.flush()
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True  # whoever called did not wait for all of the answer

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def faking() -> Iterator[FakeDesk]:
    """A fake desk on a free port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.desk = FakeDesk(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.desk
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
