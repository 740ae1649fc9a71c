"""Long searches in addresses: squeezed together, as each conversation that was found tells in its own what found it."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

from deskhand.desk.conversations.views import QUERY_MOST

_PLAIN_MOST = 300
"""Characters of an address up to which a search stands in it as it is, to be read by people."""
_BYTES_MOST = QUERY_MOST * 4


def carried(query: str) -> dict[str, str]:
    """By which parameter of an address a search is carried."""
    return {"query": query} if len(quote(query)) <= _PLAIN_MOST else {"squeezed": _squeezed(query)}


def read(given: Mapping[str, str]) -> str:
    """The search that an address carries; empty where it has none, or one that makes no sense."""
    squeezed = given.get("squeezed", "")
    if not squeezed:
        return given.get("query", "")
    try:
        packed = urlsafe_b64decode(squeezed + "=" * (-len(squeezed) % 4))
        return zlib.decompressobj().decompress(packed, _BYTES_MOST).decode()
    except (ValueError, zlib.error):
        return ""


@lru_cache(maxsize=64)
def _squeezed(query: str) -> str:
    return urlsafe_b64encode(zlib.compress(query.encode(), 9)).decode().rstrip("=")
