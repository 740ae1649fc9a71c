"""Makes screenshots small: PNG with a palette of at most 256 colours, by nothing but the standard library."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
Colour = tuple[int, ...]


def reduced(picture: bytes) -> bytes:
    """The same picture with its most frequent colours; others become the nearest of them."""
    width, height, pixels = _read(picture)
    counts = Counter(pixels[at : at + 3] for at in range(0, len(pixels), 3))
    palette = [colour for colour, _ in counts.most_common(COLOURS)]
    place = {colour: index for index, colour in enumerate(palette)}
    for colour in counts:
        if colour not in place:
            place[colour] = min(range(len(palette)), key=lambda index: _apart(palette[index], colour))
    rows = bytearray()
    for row in range(height):
        rows.append(0)  # no filter: with a palette none helps
        begin = row * width * 3
        rows += bytes(place[pixels[at : at + 3]] for at in range(begin, begin + width * 3, 3))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (b"IHDR", header), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b"")
    return SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks)


def _apart(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _read(picture: bytes) -> tuple[int, int, bytes]:
    """Width, height and the pixels as red, green and blue, of a PNG as browsers make them."""
    chunks = list(_chunks(picture))
    width, height, depth, kind, *_, interlaced = struct.unpack(">IIBBBBB", dict(chunks)[b"IHDR"])
    assert depth == 8 and kind in (2, 6) and not interlaced, "not a browser's screenshot"
    step = 3 if kind == 2 else 4
    raw = zlib.decompress(b"".join(content for name, content in chunks if name == b"IDAT"))
    length, pixels, before = width * step, bytearray(), bytearray(width * step)
    for row in range(height):
        begin = row * (length + 1)
        before = _unfiltered(raw[begin], bytearray(raw[begin + 1 : begin + 1 + length]), before, step)
        if step == 3:
            pixels += before
        else:
            for at in range(0, length, 4):
                pixels += before[at : at + 3]
    return width, height, bytes(pixels)


def _unfiltered(kind: int, row: bytearray, above: bytearray, step: int) -> bytearray:
    """A row of bytes as it was before PNG's filter `kind`."""
    for at in range(len(row)):
        left = row[at - step] if at >= step else 0
        up, corner = above[at], above[at - step] if at >= step else 0
        match kind:
            case 1:
                guess = left
            case 2:
                guess = up
            case 3:
                guess = (left + up) // 2
            case 4:
                guess = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
            case _:
                return row
        row[at] = (row[at] + guess) & 255
    return row


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(picture):
        (length,) = struct.unpack_from(">I", picture, at)
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
