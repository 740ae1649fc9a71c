"""Mails of all kinds and what becomes of them on a bad way: cut, torn, doubled, re-declared, spliced."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"
CHARSETS = [
    b"utf-8", b"us-ascii", b"iso-8859-1", b"iso-8859-8-i", b"windows-1251", b"gb2312", b"big5", b"shift_jis", b"euc-kr",
    b"ks_c_5601-1987", b"iso-2022-jp", b"utf-7", b"utf-16", b"koi8-r", b"x-unknown", b"rot13", b"hex", b"idna", b"",
    b'"', b"utf-8\x00", b"unicode_escape",
]  # fmt: skip
ENCODINGS = [b"7bit", b"8bit", b"base64", b"quoted-printable", b"x-uuencode", b"binary", b"none of these"]
TYPES = [
    b"text/plain", b"text/html", b"multipart/mixed; boundary=x", b"multipart/alternative", b"multipart/report",
    b"message/rfc822", b"message/delivery-status", b"application/ms-tnef", b"text/calendar", b"text", b"/",
    b"image/png",
]  # fmt: skip
NASTY = [
    b"\x00", b"\r", b"\n", b"\r\n\r\n", b"\n\n", b"--", b"=?utf-8?q?", b"?=", b"=?gb2312?B?1cXI/Q==?=", b"<", b">",
    b'"', b"(", b")", b"\\", b":", b";", b",", b"@", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf0\x9f\x98",
    b"&#0;", b"&#xd800;", b"&#x110000;", b"<!--", b"<script>", b"</div>", b"<blockquote type=cite>", b"> ",
    b"On 1 wrote:\r\n> ",
    b"=", b"=3D", b"=ZZ", b"<svg/onload=x>", b"<img src=cid:cup@1>", b"\x1b$B", b"~{", b"+AGE-", b"=\r\n", b" ", b"\t",
]  # fmt: skip
_CHARSET = re.compile(rb"charset=[^\s;]*", re.IGNORECASE)
_ENCODING = re.compile(rb"(content-transfer-encoding:)[^\r\n]*", re.IGNORECASE)
_TYPE = re.compile(rb"(content-type:)[^\r\n;]*", re.IGNORECASE)
_HEADER = re.compile(rb"^[!-9;-~]{1,40}:", re.MULTILINE)
_BOUNDARY = re.compile(rb"^--[^\r\n]+\r?\n", re.MULTILINE)


@cache
def originals() -> dict[str, bytes]:
    """Every mail of the fixtures, by `folder/name`, as it comes over the wire."""
    paths = sorted(FIXTURES.glob("*/*.eml"))
    return {f"{path.parent.name}/{path.stem}": wire(path.read_bytes()) for path in paths}


def original(name: str) -> bytes:
    """One mail of the fixtures, such as `replies/mutt`."""
    return originals()[name]


def wire(raw: bytes) -> bytes:
    """A message with the line ends of the wire."""
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def mutated(seed: int) -> bytes:
    """A mail with one to eight faults; the same for the same seed. Some seeds give a mail that is still whole."""
    chance = random.Random(seed)
    raw = bytearray(chance.choice(list(originals().values())))
    for _ in range(chance.choice([0, 1, 1, 2, 3, 5, 8])):
        raw = bytearray(chance.choice(FAULTS)(raw, chance))
    return bytes(raw)


def _cut(raw: bytearray, chance: random.Random) -> bytes:
    return bytes(raw[: chance.randint(0, len(raw))])


def _lost(raw: bytearray, chance: random.Random) -> bytes:
    begin, end = _stretch(raw, chance)
    return bytes(raw[:begin] + raw[end:])


def _doubled(raw: bytearray, chance: random.Random) -> bytes:
    begin, end = _stretch(raw, chance)
    return bytes(raw[:end] + raw[begin:])


def _flipped(raw: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 30)):
        if raw:
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return bytes(raw)


def _put_in(raw: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 10)):
        at = chance.randint(0, len(raw))
        raw[at:at] = chance.choice(NASTY) * chance.choice([1, 1, 1, 2, 50])
    return bytes(raw)


def _spliced(raw: bytearray, chance: random.Random) -> bytes:
    other = chance.choice(list(originals().values()))
    return bytes(raw[: chance.randint(0, len(raw))]) + other[chance.randint(0, len(other)) :]


def _without_header(raw: bytearray, chance: random.Random) -> bytes:
    found = list(_HEADER.finditer(raw))
    if not found:
        return bytes(raw)
    begin = chance.choice(found).start()
    end = raw.find(b"\n", begin)
    return bytes(raw[:begin] + (raw[end + 1 :] if end >= 0 else b""))


def _part_doubled(raw: bytearray, chance: random.Random) -> bytes:
    places = [found.start() for found in _BOUNDARY.finditer(raw)]
    if len(places) < 2:
        return bytes(raw)
    first = chance.randrange(len(places) - 1)
    return bytes(raw[: places[first + 1]] + raw[places[first] :])


def _part_lost(raw: bytearray, chance: random.Random) -> bytes:
    places = [found.start() for found in _BOUNDARY.finditer(raw)]
    if len(places) < 2:
        return bytes(raw)
    first = chance.randrange(len(places) - 1)
    return bytes(raw[: places[first]] + raw[places[first + 1] :])


def _other_charset(raw: bytearray, chance: random.Random) -> bytes:
    return _CHARSET.sub(lambda _: b"charset=" + chance.choice(CHARSETS), raw)


def _other_encoding(raw: bytearray, chance: random.Random) -> bytes:
    return _ENCODING.sub(lambda found: found[1] + b" " + chance.choice(ENCODINGS), raw)


def _other_type(raw: bytearray, chance: random.Random) -> bytes:
    return _TYPE.sub(lambda found: found[1] + b" " + chance.choice(TYPES) if chance.random() < 0.5 else found[0], raw)


def _other_line_ends(raw: bytearray, chance: random.Random) -> bytes:
    return bytes(raw.replace(b"\r\n", chance.choice([b"\n", b"\r", b"\r\r\n", b"\n\r"])))


def _stretch(raw: bytearray, chance: random.Random) -> tuple[int, int]:
    begin = chance.randint(0, len(raw))
    return begin, min(len(raw), begin + chance.choice([1, 10, 100, 1_000, 10_000]))


FAULTS: list[Callable[[bytearray, random.Random], bytes]] = [
    _cut, _lost, _doubled, _flipped, _put_in, _spliced, _without_header, _part_doubled, _part_lost, _other_charset,
    _other_encoding, _other_type, _other_line_ends,
]  # fmt: skip
