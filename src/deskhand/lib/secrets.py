"""Random credentials and how they are kept: only their SHA-256 is stored.

A fast hash is right here because the values have 190 bits or more of randomness; people's passwords use argon2.
"""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Callable

Mint = Callable[[int], str]
"""Makes a token of so many characters."""

_ALPHABET = string.ascii_letters + string.digits


def new_token(length: int = 32) -> str:
    """A random token of letters and digits (5.95 bits each)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def digest(token: str) -> str:
    """The lowercase hex SHA-256 under which a token is stored and looked up."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
