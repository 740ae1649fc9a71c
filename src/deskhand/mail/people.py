"""Who a mail is from and for, and what it follows, however its header says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice

from deskhand.mail.charsets import clean, words
from deskhand.mail.headers import Address, one_line

MOST_ADDRESSES = 1_000
"""Addresses of a header that are read."""
MOST_REFERENCES = 200
"""Message ids of those a mail follows: the first, and the newest of the others."""
UNSEEN = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f"
"""What nobody sees in a line and only misleads, as in a class of an expression; not the joiners that scripts need."""

_LONGEST_NAME = 200
_MOST_FIELDS = 50
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_IN_BRACKETS = re.compile(r"<([^<>]*)>")
_SPACE = re.compile(r"\s+")
_LOCAL = r"\w.!#$%&'*+/=?^`{|}~-"
_EMAIL = re.compile(
    r"""([^\s@<>()\[\]\\,;:"\x00-\x20\x7f]{1,64})@([^\s@<>()\[\]\\,;:"/?#&!$%*+=^`{|}~'\x00-\x20\x7f]{1,253})"""
)
_SCANNED = re.compile(r'[\\"()<>,;:]')
_UNSEEN = re.compile(f"[{UNSEEN}]")
_UNSEEN_IN_ADDRESSES = re.compile(f"[{UNSEEN}\u200c\u200d]")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def addresses(values: Iterable[str]) -> tuple[Address, ...]:
    """The addresses of header fields in their order, each once; groups, comments and broken quotes are seen through."""
    found: dict[str, Address] = {}
    for value in islice(values, _MOST_FIELDS):
        before = len(found)
        for one in islice(_listed(value), MOST_ADDRESSES):
            found.setdefault(one.email.casefold(), one)
        if len(found) == before:
            # In "ada@bank.example"@evil.example the first is but a name, which anybody at the second may choose.
            unquoted = _QUOTED.sub("", value)
            for email in islice(_anywhere(unquoted if "@" in unquoted else value), MOST_ADDRESSES):
                found.setdefault(email.casefold(), Address(email))
        if len(found) >= MOST_ADDRESSES:
            break
    return tuple(islice(found.values(), MOST_ADDRESSES))


def domains(values: Iterable[str]) -> frozenset[str]:
    """The domains of all addresses in header fields, also where they have more of them than they may."""
    fields = list(islice(values, _MOST_FIELDS))
    bracketed = (one for value in fields for one in _IN_BRACKETS.findall(_QUOTED.sub("", value))[:MOST_ADDRESSES])
    emails = (*(one.email for one in addresses(fields)), *map(_valid, bracketed))
    return frozenset(email.rpartition("@")[2] for email in emails if email)


def email_in(text: str) -> str:
    """The first address in a text, as it is written; empty where there is none."""
    return next(_anywhere(text), "")


def message_ids(values: Iterable[str]) -> tuple[str, ...]:
    """The message ids in header fields in their order, each once, with their angle brackets.

    Comments, dates and other words around them are passed over, and so are line breaks within. Where nothing stands in
    brackets, words with an at sign in them are taken.
    """
    found: dict[str, None] = {}
    for value in values:
        value = words(value) if "=?" in value else value
        inside = _IN_BRACKETS.findall(value) or [one.strip('<>,;"()') for one in value.split() if "@" in one]
        for one in inside:
            bracketed = f"<{_SPACE.sub('', one)}>"
            if _MESSAGE_ID.fullmatch(bracketed):
                found.setdefault(bracketed)
    ids = tuple(found)
    return ids if len(ids) <= MOST_REFERENCES else (ids[0], *ids[1 - MOST_REFERENCES :])


def line(value: str, most: int) -> str:
    """A header's text for people: encoded words read, on one line, nothing unseen in it."""
    return one_line(_UNSEEN.sub("", clean(words(value))))[:most].strip()


def when(value: str, received_at: datetime) -> datetime | None:
    """The time a header tells; None where it tells none, or one that has not come yet."""
    try:
        at = parsedate_to_datetime(value[:200])
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if datetime(1980, 1, 1, tzinfo=UTC) < at < received_at + timedelta(days=1) else None


def _listed(value: str) -> Iterator[Address]:
    """What stands between the commas; Outlook's semicolons count as such, and what ends in a colon names a group."""
    piece = _Piece()
    quoted, depth, at = False, 0, 0
    for found in _SCANNED.finditer(value):
        if found.start() < at:
            continue
        mark = found[0]
        piece.add(value[at : found.start()], depth, quoted=quoted)
        at = found.end()
        if mark == "\\":
            piece.add(value[at : at + 1], depth)
            at += 1
        elif quoted or (mark == '"' and not depth):
            quoted = not quoted if mark == '"' else quoted
            piece.add("" if mark == '"' else mark, depth)
        elif mark in "()":
            depth = depth + 1 if mark == "(" else max(0, depth - 1)
        elif depth:
            piece.add(mark, depth)
        elif mark == "<":
            piece.opened()
        elif mark == ">":
            piece.closed()
        elif mark == ":" and not piece.inside:
            piece = _Piece()
        elif mark in ",;" and not piece.inside:
            yield from piece.address()
            piece = _Piece()
        else:
            piece.add(mark, depth)
    piece.add(value[at:], depth)
    yield from piece.address()


class _Piece:
    """What stands between two commas, as it is collected."""

    def __init__(self) -> None:
        self.inside = False
        self._words: list[str] = []
        self._bracketed: list[str] = []
        self._remark: list[str] = []

    def add(self, text: str, depth: int, *, quoted: bool = False) -> None:
        if quoted and self.inside:  # "ada berg"@buyer.example is not adaberg@buyer.example, and no address for us
            text = _SPACE.sub("\0", text)
        place = self._remark if depth else self._bracketed if self.inside else self._words
        place.append(text)

    def opened(self) -> None:
        """A second bracket counts more than the first: a name may hold one."""
        self._words += self._bracketed
        self._bracketed, self.inside = [], True

    def closed(self) -> None:
        self.inside = False

    def address(self) -> Iterator[Address]:
        name = "".join(self._words).strip()
        if self._bracketed:
            email = _valid(_SPACE.sub("", "".join(self._bracketed)))
        else:
            email, name = _valid(name), "".join(self._remark)
        if email:
            yield Address(email, _name(name, email))


def _name(name: str, email: str) -> str:
    """How somebody calls themselves. A name that is the address of somebody else is none."""
    name = line(name, _LONGEST_NAME).strip("'\" ")
    return "" if any(one.casefold() != email.casefold() for one in _anywhere(name)) or name == email else name


def _valid(text: str) -> str:
    text = _UNSEEN_IN_ADDRESSES.sub("", words(text)).strip().strip("'\"").strip()
    text = text[7:] if text[:7].lower() == "mailto:" else text
    found = _EMAIL.fullmatch(text)
    return f"{found[1]}@{found[2].lower().rstrip('.')}" if found and found[2].strip(".-") else ""


def _anywhere(text: str) -> Iterator[str]:
    """Addresses in a text, whatever stands around them; every at sign is looked at once."""
    for found in islice(re.finditer("@", text), MOST_ADDRESSES):
        start = max(0, found.start() - 65)  # with one more than it may have: of what is longer the end is none
        around, at = text[start : found.end() + 253], found.start() - start
        before = re.split(f"[^{_LOCAL}]", around[:at])[-1]
        after = re.split(r"[^\w.-]", around[at + 1 :], maxsplit=1)[0].rstrip(".-")
        if email := _valid(f"{before}@{after}"):
            yield email
