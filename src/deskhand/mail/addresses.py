"""Addresses as mail servers take them: names of hosts in ASCII, nothing that could be mistaken for more."""

from __future__ import annotations

import base64
import re
import secrets

from deskhand.lib.secrets import new_token

# What an address may hold unquoted (RFC 5321 and, for letters beyond ASCII, RFC 6531).
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u00a0-\U0010ffff-]{1,64}")
_DOMAIN = re.compile(
    r"(?!.{254})(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_DOTS = re.compile("[\u3002\uff0e\uff61]")
_LONGEST_LOCAL = 64
_TOKEN_BYTES = 15  # 120 bits in 24 letters
_NO_DOMAIN = "deskhand.invalid"


class BadAddress(ValueError):
    """An address that no mail can go to, in words."""


def routable(address: str) -> str:
    """An address with its host's name in ASCII (IDNA); raises BadAddress."""
    local, at, domain = address.strip().rpartition("@")
    domain = _ascii_domain(domain)
    if not at or not _LOCAL.fullmatch(local) or not domain:
        raise BadAddress(f"no mail can be sent to {address[:200]!r}: it is not an address that mail servers take")
    return f"{local}@{domain}"


def new_message_id(inbox_address: str, thread_id: int) -> str:
    """A Message-ID that nobody can guess, with its angle brackets."""
    domain = _ascii_domain(inbox_address.rpartition("@")[2]) or _NO_DOMAIN
    return f"<{new_token(24)}.{thread_id}@{domain}>"


def new_reply_token() -> str:
    """What an answer's address has behind its plus sign: nobody can guess it, and case does not matter."""
    return base64.b32encode(secrets.token_bytes(_TOKEN_BYTES)).decode().rstrip("=").lower()


def with_token(address: str, token: str) -> str:
    """An address with a reply token; without one, or where it would be longer than addresses may be, as it is."""
    local, _, domain = address.rpartition("@")
    tokened = f"{local}+{token}"
    return f"{tokened}@{domain}" if token and len(tokened) <= _LONGEST_LOCAL else address


def _ascii_domain(domain: str) -> str:
    """The name in ASCII; empty where there is no such name."""
    domain = _DOTS.sub(".", domain.strip()).rstrip(".")
    try:
        ascii_name = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    return ascii_name if _DOMAIN.fullmatch(ascii_name) else ""
