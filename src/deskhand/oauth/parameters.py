"""Reading what a request gives, in each form that clients use: query string, form, JSON, multipart, HTTP Basic.

Nothing here raises over what it reads: a value that makes no sense counts as missing.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.types import Receive

BODY_MOST = 64 * 1024
"""Bytes of a body. Our choice; what is asked for takes less than one kilobyte."""
BODY_WAIT_S = 30

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # what a database refuses as text
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json")
_BOUNDARY = re.compile(rb'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'content-disposition:[^\r\n]*?;\s*name="?([a-z_]{1,30})"?\s*(?:;|\r|\Z)', re.IGNORECASE)


class TooLarge(Exception):
    """The body has more bytes than it may."""


class TooSlow(Exception):
    """The body did not arrive in time."""


class Gone(Exception):
    """The client closed the connection before its request was whole."""


async def read_body(receive: Receive) -> bytes:
    """The whole body; raises TooLarge, TooSlow or Gone."""
    try:
        async with asyncio.timeout(BODY_WAIT_S):
            return await _read_body(receive)
    except TimeoutError:
        raise TooSlow from None


async def _read_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Gone
        body += event.get("body", b"")
        if len(body) > BODY_MOST:
            raise TooLarge
        if not event.get("more_body"):
            return bytes(body)


def fields(text: bytes) -> dict[str, str]:
    """The fields of a query string or a form; of a name that is repeated, the first."""
    return _first_of_each(parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True))


def token_parameters(content_type: str, body: bytes, query: bytes) -> dict[str, str]:
    """The parameters of a token request; the body's go before the query string's, empty ones count as missing.

    A JSON object is taken for what it is, whatever the content type says or leaves unsaid.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        given = _multipart(content_type, body)
    elif _JSON.fullmatch(media_type) or body.lstrip()[:1] == b"{":
        given = _json(body)
    else:
        given = fields(body)
    return {name: value for name, value in (fields(query) | given).items() if value}


def basic_credentials(header: str | None) -> tuple[str, str] | None:
    """The user and password of an Authorization header; None when it has another scheme.

    What can't be read gives empty texts, which fit nobody.
    """
    scheme, _, given = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return ("", "") if _UNSTORABLE.search(user) else (user, password)


def _json(body: bytes) -> dict[str, str]:
    try:
        parsed = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return _first_of_each(parsed.items()) if isinstance(parsed, dict) else {}


def _multipart(content_type: str, body: bytes) -> dict[str, str]:
    """The plain fields of a multipart form: enough for the few ASCII names that are asked for."""
    match = _BOUNDARY.search(content_type.encode("latin-1", "replace"))
    if match is None:
        return {}
    found = []
    # Each part lies between two lines with the boundary; the line break before a boundary belongs to it.
    for part in (b"\r\n" + body).split(b"\r\n--" + (match[1] or match[2]))[1:]:
        head, _, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is not None:
            found.append((name[1].decode("ascii"), value.decode("utf-8", "replace")))
    return _first_of_each(found)


def _first_of_each(pairs: Iterable[tuple[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if isinstance(value, str) and not _UNSTORABLE.search(value):
            found.setdefault(name, value)
    return found
