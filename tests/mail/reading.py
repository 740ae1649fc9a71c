"""Mails for tests of how they are read: short ones made here, longer ones from the fixtures."""

from __future__ import annotations

from datetime import UTC, datetime

from deskhand.mail.incoming import Incoming
from deskhand.mail.parse import parse
from tests.mail.mutations import original, wire

RECEIVED_AT = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
HISTORY = "your parcel left our house on Friday."
"""What we wrote before, in every answer of the fixtures."""


def read(raw: bytes | str, trusted: str | None = "") -> Incoming:
    """A message as it is understood."""
    return parse(wire(raw.encode() if isinstance(raw, str) else raw), RECEIVED_AT, trusted)


def fixture(name: str, trusted: str = "") -> Incoming:
    """A mail of the fixtures as it is understood."""
    return parse(original(name), RECEIVED_AT, trusted)


def mail(
    body: bytes | str = "Hello", *headers: str, subject: str = "Hi", sender: str = "Paul <paul@buyer.example>"
) -> Incoming:
    """A short mail as it is understood."""
    lines = [f"From: {sender}", f"Subject: {subject}", "Message-ID: <one@buyer.example>", *headers]
    content = body.encode() if isinstance(body, str) else body
    return read("\n".join(lines).encode() + b"\n\n" + content)


def html(body: str, *headers: str, subject: str = "Hi") -> Incoming:
    """A short mail in HTML as it is understood."""
    return mail(body, "Content-Type: text/html; charset=utf-8", *headers, subject=subject)
