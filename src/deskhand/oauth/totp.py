"""Codes that change every 30 seconds, as authenticator apps make them. Source: RFC 6238, with what all apps expect."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
AROUND = 1
"""Steps before and after the present one whose codes are taken, because clocks differ and people type."""
_SECRET_BYTES = 20  # as long as what HMAC-SHA-1 gives: RFC 4226 section 4
_CODE = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """A random secret of 160 bits, in base32 as apps take it."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def code(secret: str, step: int) -> str:
    """The code of a step: RFC 4226 section 5.3."""
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(secret: str, given: str, now_s: float) -> int | None:
    """The step whose code was given, of those that are taken at this time; None when it fits none of them."""
    if not _CODE.fullmatch(given):
        return None
    present = int(now_s) // STEP_S
    found = None
    for step in range(max(0, present - AROUND), present + AROUND + 1):  # all of them: time shall not tell which
        if hmac.compare_digest(code(secret, step), given):
            found = step
    return found


def uri(secret: str, name: str, issuer: str) -> str:
    """What apps read from a picture. Source: https://github.com/google/google-authenticator/wiki/Key-Uri-Format"""
    issuer = issuer.replace(":", " ")
    query = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP_S}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(name)}?{query}"


def grouped(secret: str) -> str:
    """A secret in groups of four, for people who type it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
