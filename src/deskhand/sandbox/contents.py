"""The bytes of attachments: small pictures of lamps, PDF sheets and text files, drawn rather than stored."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from functools import cache

WIDTH, HEIGHT = 120, 90
"""Of every picture, in pixels."""

PHOTOS = tuple(f"photo-{n:02}" for n in range(24))
INVOICES = tuple(f"invoice-{n}" for n in range(8))
SHEETS = tuple(f"sheet-{n}" for n in range(6))
PRICES = tuple(f"prices-{n}" for n in range(4))
LISTS = tuple(f"list-{n}" for n in range(6))
KEYS = PHOTOS + INVOICES + SHEETS + PRICES + LISTS

_WALLS = ((231, 222, 208), (206, 219, 222), (222, 206, 214), (214, 224, 206), (70, 74, 96), (240, 236, 228))
_SHADES = ((66, 92, 70), (150, 52, 48), (238, 232, 216), (196, 148, 40), (44, 62, 92), (176, 104, 62), (40, 40, 44))
_PARTS = ("foot switch", "shade ring", "joint", "cable clamp", "socket", "counterweight")
_LAMPS = ("Heron", "Wren", "Moth", "Barnacle", "Puddle", "Curate", "Otter", "Thistle")


@cache
def content(key: str) -> bytes:
    """The bytes of one attachment, the same on every machine; keys are in `KEYS`."""
    kind, _, number = key.partition("-")
    n = int(number)
    if kind == "photo":
        return _png(n)
    if kind == "list":
        return _list(n)
    return _pdf({"invoice": _invoice, "sheet": _sheet, "prices": _prices}[kind](n))


def mime_type(key: str) -> str:
    """The media type of one attachment."""
    return {"photo": "image/png", "list": "text/plain"}.get(key.partition("-")[0], "application/pdf")


def _list(n: int) -> bytes:
    rows = "\n".join(f"{room:>4}  {(room * 7 + n) % 4 + 1} x {_LAMPS[(room + n) % 8]}" for room in range(1, 9 + n))
    return f"Room  Lamps\n{rows}\n\nPlease check room 4, somebody has counted twice.\n".encode()


def _invoice(n: int) -> Iterable[str]:
    amount = 49 + 23 * n
    yield from ("Brindlewick Lamps", "4 Quay Street, Port Merrow", "", f"Invoice (copy {n + 1})", "")
    yield f"1 x {_LAMPS[n]}    EUR {amount}.00"
    yield from ("Delivery    EUR 0.00", f"Total    EUR {amount}.00", "", "Paid with thanks. No lamp was harmed.")


def _sheet(n: int) -> Iterable[str]:
    yield from (f"{_LAMPS[n]}: how it goes together", "", "1  Clear the table. Then clear it properly.")
    yield from ("2  Lay out all parts.", f"3  Put the {_PARTS[n]} next to your left hand.")
    yield from (
        "4  From the LEFT. The old drawing was wrong.",
        "5  Plug in.",
        "",
        "The screw that is left over is a spare.",
    )


def _prices(n: int) -> Iterable[str]:
    yield from ("Brindlewick Lamps, prices for resellers", f"List {n + 1}, net, in euros", "")
    for at, lamp in enumerate(_LAMPS):
        price = 40 + 13 * at
        yield f"{lamp}    {price}    from 10: {price * 0.7:.2f}    from 40: {price * 0.62:.2f}"


def _pdf(lines: Iterable[str]) -> bytes:
    shown = " T* ".join(f"({line.replace('(', '[').replace(')', ']')}) Tj" for line in lines)
    stream = f"BT /F1 12 Tf 16 TL 60 780 Td {shown} ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, places = b"%PDF-1.4\n", []
    for number, written in enumerate(objects, 1):
        places.append(b"%010d 00000 n \n" % len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, written)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(places)
    return body + table + b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)


def _png(n: int) -> bytes:
    colors = (_WALLS[n % 6], (120, 92, 66), (60, 56, 52), _SHADES[n % 7], (255, 240, 190), (252, 250, 244))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    palette = bytes(part for color in colors for part in color)
    rows = b"".join(b"\0" + row for row in _lamp(n))
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", _stored(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _lamp(n: int) -> list[bytes]:
    """A lamp against a wall, one palette index per pixel; `n` decides height, width, lean and whether it is lit."""
    height, wide, lean, lit = 30 + n % 5 * 8, 10 + n % 4 * 4, (n % 3 - 1) * n % 17, n % 4 != 3
    floor, middle = HEIGHT - 18, WIDTH // 2 + (n % 7 - 3) * 5
    top = floor - height
    rows = []
    for y in range(HEIGHT):
        row = bytearray((1 if y > floor else 0).to_bytes() * WIDTH)
        axis = middle + lean * (floor - y) // height
        if lit and top < y <= floor + 6:
            reach = wide + (y - top) * 2 // 3
            _paint(row, axis - reach, axis + reach, 4)
        if floor - 3 <= y <= floor:
            _paint(row, middle - 12, middle + 12, 2)
        elif top < y < floor:
            _paint(row, axis - 1, axis + 1, 2)
        if top - 16 <= y <= top:
            half = wide - (top - y) // 3
            _paint(row, axis - half, axis + half, 3)
        if lit and top < y < top + 5:
            _paint(row, axis - 3, axis + 3, 5)
        rows.append(bytes(row))
    return rows


def _paint(row: bytearray, left: int, right: int, color: int) -> None:
    left, right = max(left, 0), min(right, WIDTH - 1)
    row[left : right + 1] = bytes([color]) * (right + 1 - left)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _stored(data: bytes) -> bytes:
    """A zlib stream without compression: libraries differ in how they compress, never in how they store."""
    block = b"\x01" + struct.pack("<HH", len(data), len(data) ^ 0xFFFF) + data
    return b"\x78\x01" + block + struct.pack(">I", zlib.adler32(data))
