"""The size of a picture, read from the first bytes of its file."""

from __future__ import annotations

import struct

_ABSURD = 1_000_000  # pixels; more is a damaged or hostile file
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def size_of(data: bytes) -> tuple[int | None, int | None]:
    """Width and height in pixels of a PNG, GIF or JPEG; (None, None) for anything else."""
    width, height = _read(data)
    return (width, height) if 0 < width < _ABSURD and 0 < height < _ABSURD else (None, None)


def _read(data: bytes) -> tuple[int, int]:
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        return _pair(">II", data[16:24])
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        return _pair("<HH", data[6:10])
    if data[:2] == b"\xff\xd8":
        return _jpeg(data)
    return 0, 0


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    return 0, 0


def _pair(form: str, data: bytes) -> tuple[int, int]:
    first, second = struct.unpack(form, data)
    return first, second
