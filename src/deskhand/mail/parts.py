"""The parts of a mail as they lie in its bytes: headers, boundaries, encodings (RFC 5322, RFC 2045, RFC 2231).

Ours rather than the standard library's parser, whose time and depth are at the sender's mercy. Here every byte is
looked at a bounded number of times: so many levels, parts and header fields, and no more.
"""

from __future__ import annotations

import re
from binascii import Error as BinasciiError
from binascii import a2b_uu
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import unquote_to_bytes

from deskhand.mail.charsets import clean, decode, from_base64, from_quoted_printable, words

DEEPEST = 20
"""Levels of parts within parts that are told apart."""
MOST_PARTS = 500
"""Parts of one mail that are looked at."""
MOST_FIELDS = 2_000
"""Header fields of a part that are read."""
MOST_TEXT = 4_000_000
"""Characters of all texts together that are read, several forms of the same included."""
LONGEST_HEADER = 1024 * 1024
"""Bytes of a part's header that are read."""
LONGEST_FIELD = 100_000
"""Characters of a header field that are read."""

_MOST_FALSE_BOUNDARIES = 10_000
_LONGEST_BEHIND_BOUNDARY = 100
_MOST_PARAMETERS = 100
_NAME = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_END_OF_HEADER = re.compile(rb"\n\r*\n")
_FOLD = re.compile(r"\r*\n[ \t]*|\r")
_TYPE = re.compile(r"([a-z0-9!#$&^_.+-]{1,80})/([a-z0-9!#$&^_.+-]{1,80})")
_PARAMETER = re.compile(r';?\s*([^\s=;"]{1,80})\s*=\s*("(?:[^"\\]|\\.)*(?:"|\Z)|[^;]*)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTINUED = re.compile(r"(.+?)\*(?:(\d{1,3}))?(\*?)")
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\r\n]{0,200}\r?\n", re.MULTILINE)
_GUESSED_BOUNDARY = re.compile(rb"\s*--([^\r\n]{1,200}?)[ \t]*\r?\n(?:Content-|\r?\n)", re.IGNORECASE)


@dataclass(slots=True)
class Part:
    """A part of a mail. `fields` are name and raw value in their order; its content is `raw[start:end]`."""

    raw: bytes
    fields: list[tuple[str, bytes]]
    start: int
    end: int
    mime_type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    name: str = ""
    parts: list[Part] = field(default_factory=list)
    _by_name: dict[str, list[int]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _known: int = field(default=0, init=False, repr=False, compare=False)

    @property
    def is_multipart(self) -> bool:
        """Whether it holds parts and nothing of its own."""
        return bool(self.parts) and self.mime_type.startswith("multipart/")

    def first(self, name: str) -> str:
        """The text of a header field as it stands, on one line; the topmost if there are several."""
        places = self._places().get(name)
        return self.text(self.fields[places[0]][1]) if places else ""

    def has(self, name: str) -> bool:
        """Whether there is such a header field."""
        return name in self._places()

    def all(self, name: str) -> Iterator[str]:
        """The texts of all header fields of a name, topmost first."""
        return (self.text(self.fields[place][1]) for place in self._places().get(name, ()))

    def _places(self) -> dict[str, list[int]]:
        """Where the header fields of each name stand; a mail is asked for some forty names, of which it has few."""
        if self._known != len(self.fields):
            self._by_name = {}
            for place, (key, _) in enumerate(self.fields):
                self._by_name.setdefault(key, []).append(place)
            self._known = len(self.fields)
        return self._by_name

    def text(self, value: bytes) -> str:
        """A raw header value as text on one line, its encoded words not read yet."""
        return unfolded(value, self.parameters.get("charset", ""))

    def walk(self) -> Iterator[Part]:
        """This part and all within it."""
        yield self
        for one in self.parts:
            yield from one.walk()

    def data(self) -> bytes:
        """The content, decoded."""
        data = self.raw[self.start : self.end]
        encoding = self.first("content-transfer-encoding").strip().lower().strip("\"';")
        if encoding == "base64":
            return from_base64(data)
        if encoding == "quoted-printable":
            return from_quoted_printable(data)
        if encoding in ("x-uuencode", "x-uue", "uuencode", "uue"):
            return _from_uu(data)
        return data

    def content_id(self) -> str:
        """What other parts call it, without angle brackets."""
        return clean(self.first("content-id")).strip().strip("<>").strip()[:500]


class Limits:
    """What is left of what may be read, and in words, each said once, what was too much or had to be guessed."""

    def __init__(self) -> None:
        self.parts = 0
        self.text = MOST_TEXT
        self.faults: dict[str, None] = {}

    def tell(self, fault: str) -> None:
        self.faults.setdefault(fault)


def split(raw: bytes, limits: Limits) -> Part:
    """The parts of a whole message."""
    return _part(raw, 0, len(raw), "text/plain", 0, limits)


def header(raw: bytes, start: int = 0, end: int | None = None) -> Part:
    """Only the header of a message, and where its content lies."""
    end = len(raw) if end is None else end
    fields, content = _fields(raw, start, end, Limits())
    return Part(raw, fields, content, end)


def unfolded(value: bytes, charset: str = "") -> str:
    """A raw header value as text on one line."""
    if value.isascii():
        text = value.decode("ascii")
        return clean(_FOLD.sub(" ", text) if "\n" in text or "\r" in text else text).strip()
    return clean(_FOLD.sub(" ", decode(value, charset).replace("\n", "\r\n"))).strip()


def _part(raw: bytes, start: int, end: int, default: str, depth: int, limits: Limits) -> Part:
    limits.parts += 1
    fields, content = _fields(raw, start, end, limits)
    part = Part(raw, fields, content, end)
    part.mime_type, part.parameters = _content_type(part.first("content-type"), default)
    part.disposition, disposition = _disposition(part.first("content-disposition"))
    part.name = disposition.get("filename") or part.parameters.get("name", "")
    if not part.mime_type.startswith("multipart/"):
        return part
    if depth >= DEEPEST:
        limits.tell(f"parts within parts are followed {DEEPEST} levels deep and no deeper")
        part.mime_type = "application/octet-stream"
        return part
    inner = "message/rfc822" if part.mime_type == "multipart/digest" else "text/plain"
    for begin, stop in _between_boundaries(part, limits):
        if limits.parts >= MOST_PARTS:
            limits.tell(f"only its first {MOST_PARTS} parts are shown")
            break
        part.parts.append(_part(raw, begin, stop, inner, depth + 1, limits))
    if not part.parts:
        limits.tell("its parts could not be told apart")
        part.mime_type = "text/plain"
    return part


def _fields(raw: bytes, start: int, end: int, limits: Limits) -> tuple[list[tuple[str, bytes]], int]:
    """The header fields in their order, and where the content begins."""
    fields: list[tuple[str, bytes]] = []
    name, begin, at = "", start, start
    most = start + LONGEST_HEADER
    while at < end:
        stop = raw.find(b"\n", at, end) + 1 or end
        line = raw[at : min(stop, at + 200)]
        if not line.strip(b"\r\n") and stop - at <= 3:
            content = stop
            break
        if at > most or len(fields) >= MOST_FIELDS:
            limits.tell("it has more header lines than are read")
            found = _END_OF_HEADER.search(raw, at, end)
            content = found.end() if found else end
            break
        if line[0] in b" \t" and name:
            at = stop
            continue
        found = _NAME.match(line)
        if found is None and not _goes_on(raw, stop, end, bool(name)) and not (at == start and line[:5] == b"From "):
            content = at  # no header any more, though no empty line has ended it
            break
        if found is not None:
            if name:
                fields.append((name, _value(raw, begin, at)))
            name, begin = found[0][:-1].strip().decode("ascii").lower(), at + found.end()
        at = stop
    else:
        content = end
    if name:
        fields.append((name, _value(raw, begin, min(at, content))))
    return fields, content


def _value(raw: bytes, begin: int, end: int) -> bytes:
    return raw[begin : min(end, begin + LONGEST_FIELD)].strip()


def _goes_on(raw: bytes, at: int, end: int, inside: bool) -> bool:
    """Whether a line that is no header field was torn off the one before: another field or the end follows."""
    following = raw[at : min(end, at + 200)]
    return inside and (following[:1] in (b"\r", b"\n") or _NAME.match(following) is not None)


def _content_type(value: str, default: str) -> tuple[str, dict[str, str]]:
    given, _, rest = value.partition(";")
    found = _TYPE.fullmatch(given.strip().lower())
    if found is not None:
        mime_type = found[0]
    elif given.strip().lower() in ("text", "html"):
        mime_type = "text/html" if given.strip().lower() == "html" else "text/plain"
    else:
        mime_type = default if not given.strip() else "application/octet-stream" if "/" in given else "text/plain"
    return mime_type, _parameters(rest)


def _disposition(value: str) -> tuple[str, dict[str, str]]:
    kind, _, rest = value.partition(";")
    if "=" in kind:  # `filename=a.pdf` and nothing before it
        kind, rest = "attachment", value
    return kind.strip().lower(), _parameters(rest)


def _parameters(text: str) -> dict[str, str]:
    """What stands behind the semicolons, continued and encoded values put together (RFC 2231)."""
    values: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for count, found in enumerate(_PARAMETER.finditer(text)):
        if count >= _MOST_PARAMETERS:
            break
        name, value = found[1].lower(), _unquoted(found[2].strip())
        continued = _CONTINUED.fullmatch(name)
        if continued is None:
            values.setdefault(name, clean(words(value)).replace("\n", " ").strip())
        else:
            whole = continued[2] is None
            encoded = whole or bool(continued[3])
            pieces.setdefault(continued[1], {}).setdefault(int(continued[2] or 0), (encoded, value))
    return values | {name: _put_together(numbered) for name, numbered in pieces.items()}


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    inner = value[1:-1] if len(value) > 1 and value.endswith('"') else value[1:]
    # Old programs write paths, C:\new\a.txt; a backslash that escapes nothing stays.
    return _ESCAPED.sub(lambda found: found[1] if found[1] in '"\\' else found[0], inner)


def _put_together(numbered: dict[int, tuple[bool, str]]) -> str:
    charset, data = "", b""
    for number, (encoded, value) in sorted(numbered.items()):
        if encoded and number == min(numbered) and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        data += unquote_to_bytes(value) if encoded else value.encode("utf-8", "replace")
    return clean(decode(data, charset)).replace("\n", " ").strip()


def _between_boundaries(part: Part, limits: Limits) -> list[tuple[int, int]]:
    """Where the parts lie; nothing where no boundary is found."""
    boundary = part.parameters.get("boundary", "").rstrip().encode("utf-8", "replace")[:500]
    found = _cut(part, boundary, limits) if boundary else []
    if not found:
        guess = _GUESSED_BOUNDARY.match(part.raw, part.start, min(part.end, part.start + 1000))
        if guess is not None and guess[1] != boundary:
            limits.tell("the line between its parts had to be guessed")
            found = _cut(part, guess[1], limits)
    return found


def _cut(part: Part, boundary: bytes, limits: Limits) -> list[tuple[int, int]]:
    raw, line = part.raw, b"--" + boundary
    spans: list[tuple[int, int]] = []
    begin = -1
    at, false = part.start, 0
    while (at := raw.find(line, at, part.end)) >= 0 and false < _MOST_FALSE_BOUNDARIES and len(spans) < MOST_PARTS:
        after = at + len(line)
        near = min(part.end, after + _LONGEST_BEHIND_BOUNDARY)
        stop = raw.find(b"\n", after, near) + 1 or near
        rest = raw[after:stop].strip()
        if (at > part.start and raw[at - 1] not in b"\r\n") or rest not in (b"", b"--"):
            at, false = after, false + 1
            continue
        if begin >= 0:
            spans.append((begin, max(begin, _before_line_break(raw, at))))
        begin = stop if not rest else -1
        if rest:
            break
        at = stop
    if begin >= 0:
        spans.append((begin, part.end))
        limits.tell("its end is missing")
    return spans


def _before_line_break(raw: bytes, at: int) -> int:
    """The line break before a boundary belongs to the boundary."""
    if raw[at - 2 : at] == b"\r\n":
        return at - 2
    return at - 1


def _from_uu(data: bytes) -> bytes:
    found = _UU_BEGIN.search(data)
    decoded = bytearray()
    for line in BytesIO(data[found.end() if found else 0 :]):
        if line.strip() == b"end" or len(decoded) > len(data):  # short lines may claim to be long ones
            break
        try:
            decoded += a2b_uu(line[:100])
        except BinasciiError:
            continue
    return bytes(decoded)
