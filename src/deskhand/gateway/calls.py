"""A call on its way through the gateway, and the answer on its way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Door = Literal["rest", "mcp"]


class Request(msgspec.Struct, frozen=True):
    """A request as an agent made it, or as it goes to the desk; names of headers are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Answer(msgspec.Struct, frozen=True):
    """An answer; `headers` are those that it has besides its media type."""

    status: int
    body: bytes = b""
    media_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
