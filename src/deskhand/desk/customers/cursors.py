"""Cursors of the walk through customers, as clients get and give them back: base64 of a little JSON."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.desk.customers.finding import Cursor
from deskhand.lib.clock import from_wire


def write(cursor: Cursor) -> str:
    """A cursor as a text that needs no escaping in an address."""
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read(text: str) -> Cursor:
    """A cursor that a client gave back; raises BadRequest for anything that is none."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        cursor = msgspec.json.decode(urlsafe_b64decode(padded), type=Cursor)
        from_wire(cursor.created_at)
        if not 0 < cursor.id < 2**63:
            raise ValueError
    except (ValueError, RecursionError, binascii.Error, msgspec.MsgspecError):
        text = text[:200]
        raise BadRequest(
            FieldError("cursor", "must come from the link to the next ones", "ValidIdentifier", text, "QUERY")
        ) from None
    return cursor
