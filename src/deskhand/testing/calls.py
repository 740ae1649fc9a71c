"""Calls over HTTP with nothing but the standard library, because tests of others must not depend on our choice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @property
    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)

    @property
    def id(self) -> int:
        """The id of what was made, as the header Resource-ID has it."""
        return int(self.headers["resource-id"])


def call(
    base_url: str,
    method: str,
    path: str,
    body: Any = None,
    *,
    query: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Make a call; a `body` of bytes goes as it is, any other as JSON."""
    given = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        given.setdefault("Content-Type", "application/json")
    connection = HTTPConnection(urlsplit(base_url).netloc, timeout=TIMEOUT_S)
    try:
        target = f"{path}?{urlencode(query, doseq=True)}" if query else path
        connection.request(method, target, body, given)
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, answer.read())
    finally:
        connection.close()
