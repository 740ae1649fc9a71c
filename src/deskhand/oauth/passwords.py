"""People's passwords, kept by argon2. Each call takes tens of milliseconds and 64 MiB: never on the event loop."""

from __future__ import annotations

import functools
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

COST = PasswordHasher()
"""The library's recommended parameters; tests pass cheaper ones."""


def hash(text: str, cost: PasswordHasher = COST) -> str:
    """The form in which a password is stored."""
    return cost.hash(_bytes(text))


def verify(stored: str | None, text: str, cost: PasswordHasher = COST) -> bool:
    """Whether a password is the stored one. Where nothing is stored it takes as long to say no."""
    try:
        return cost.verify(stored or _nobodys(cost), _bytes(text)) and bool(stored)
    except (VerificationError, ValueError):  # the latter for a text that is no hash
        return False


def outdated(stored: str, cost: PasswordHasher = COST) -> bool:
    """Whether a password should be stored anew because the parameters have changed."""
    return cost.check_needs_rehash(stored)


@functools.cache
def _nobodys(cost: PasswordHasher) -> str:
    return cost.hash(b"nobody's")


def _bytes(text: str) -> bytes:
    # Keyboards differ in how they compose the same letter.
    return unicodedata.normalize("NFKC", text).encode("utf-8", "surrogatepass")
