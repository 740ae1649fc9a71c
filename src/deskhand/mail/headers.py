"""Writing header fields: encoded where they must be (RFC 2047), folded, and never more lines than were meant.

Ours rather than the standard library's, whose folding of long names loses quotes and commas in the Python versions
that we support.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LINE = 76
"""Characters of a line that is folded where it can be. Source: RFC 2047 section 2."""
_ENCODED_BYTES = 39  # of an encoded word; 64 characters then fit behind the name of any of our fields
_LONGEST_WORD = 60
_BREAKS = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


@dataclass(frozen=True, slots=True)
class Address:
    """Somebody's address, and their name if it is known."""

    email: str
    name: str = ""


def field(name: str, words: Iterable[str]) -> str:
    """One header field, folded between its words; they hold no line breaks."""
    lines, line = [], f"{name}:"
    for word in words:
        if len(line) + 1 + len(word) > LINE and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line]) + "\r\n"


def one_line(text: str) -> str:
    """A text whose line breaks, tabs and control characters have become single spaces."""
    return _BREAKS.sub(" ", text).strip()


def text_words(text: str) -> list[str]:
    """The words of an unstructured field such as the subject."""
    text = one_line(text)
    words = text.split(" ")
    plain = text.isascii() and "=?" not in text and max(map(len, words)) <= _LONGEST_WORD
    return words if plain else _encoded(text)


def address_words(addresses: Sequence[Address]) -> list[str]:
    """The words of a field that lists addresses."""
    words = []
    for position, one in enumerate(addresses):
        email = f"<{one.email}>" if one_line(one.name) else one.email
        comma = "," if position < len(addresses) - 1 else ""
        words += [*_name_words(one_line(one.name)), email + comma]
    return words


def _name_words(name: str) -> list[str]:
    if not name:
        return []
    if not name.isascii() or "=?" in name or len(name) > _LONGEST_WORD:
        return _encoded(name)
    if _ATOMS.fullmatch(name):
        return name.split(" ")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{escaped}"']


def _encoded(text: str) -> list[str]:
    """A text as encoded words; no character is torn apart."""
    pieces, piece = [], b""
    for character in text:
        encoded = character.encode()
        if len(piece) + len(encoded) > _ENCODED_BYTES:
            pieces.append(piece)
            piece = b""
        piece += encoded
    return [f"=?utf-8?b?{b64encode(one).decode()}?=" for one in [*pieces, piece]]
