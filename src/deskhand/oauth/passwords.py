"""People's passwords, kept by argon2. Each call takes tens of milliseconds and 64 MiB: never on the event loop."""

from __future__ import annotations

import asyncio
import functools
import unicodedata
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

COST = PasswordHasher()
"""The library's recommended parameters; tests pass cheaper ones."""
LEAST = 8
MOST = 500
"""Characters of a password that somebody chooses."""
AT_ONCE = 2
"""How many passwords are looked at at a time: each takes a core and 64 MiB."""
_FIRST_GUESSES = """
password password1 password12 password123 passw0rd p@ssw0rd p@ssword 12345678 123456789 1234567890 123123123
87654321 987654321 11111111 00000000 88888888 12341234 1q2w3e4r 1q2w3e4r5t 1qaz2wsx q1w2e3r4 qwertyui qwertyuiop
qwerty123 qwerty12 asdfghjk asdfghjkl zxcvbnm1 abcd1234 abc12345 a1b2c3d4 iloveyou sunshine princess football
baseball superman trustno1 welcome1 welcome123 letmein1 changeme deskhand deskhand1 helpdesk support1 admin123
administrator
"""
"""What is tried first by whoever guesses: the longer ones of those that people choose most."""


@dataclass(frozen=True, slots=True)
class Passwords:
    """Looks at passwords and makes their stored form beside the event loop, a few at a time."""

    cost: PasswordHasher = COST
    few: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def hash(self, text: str) -> str:
        """The form in which a password is stored."""
        async with self.few:
            return await asyncio.to_thread(hash, text, self.cost)

    async def verify(self, stored: str | None, text: str) -> bool:
        """Whether a password is the stored one. Where nothing is stored it takes as long to say no."""
        async with self.few:
            return await asyncio.to_thread(verify, stored, text, self.cost)


def fault(text: str, email: str = "") -> str:
    """What is wrong with a password that somebody chooses; empty if nothing is."""
    if len(text) < LEAST:
        return f"Use at least {LEAST} characters."
    if len(text) > MOST:
        return f"Use at most {MOST} characters."
    plain = text.casefold().strip()
    if plain in _FIRST_GUESSES.split() or len(set(plain)) < 3:
        return "This is one of the first that would be guessed. Choose another."
    if email and plain in (email.casefold(), email.casefold().partition("@")[0]):
        return "Choose something else than your e-mail address."
    return ""


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
