"""Canonical JSON (RFC 8785): one way to write a value, so that its hash can be compared.

Beyond the RFC, whole numbers are written in full however large they are, since ids may pass 2^53.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec
import rfc8785

_encode = msgspec.json.Encoder(order="sorted").encode
_text = msgspec.json.encode
_PLAIN = frozenset({str, int, bool, type(None)})


def canonical(value: Any) -> bytes:
    """A JSON value (dict, list, str, int, float, bool, None) in its one form; raises ValueError for anything else."""
    try:
        return _canonical(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def canonical_hash(value: Any) -> str:
    """The lowercase hex SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _canonical(value: Any) -> bytes:
    if _only_plain(value):
        try:
            encoded = _encode(value)
        except TypeError as problem:
            raise ValueError("the names of members must be texts") from problem
        # Members are sorted by code point, which for keys beyond ASCII may differ from the RFC's UTF-16 units.
        if encoded.isascii() or _ascii_keys(value):
            return encoded
    return b"".join(_pieces(value))


def _only_plain(value: Any) -> bool:
    """Whether there are only values inside that msgspec writes as the RFC does; it has floats otherwise."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind is dict:
        inside = value.values()
    elif kind is list:
        inside = value
    else:
        return False
    for one in inside:  # noqa: SIM110 (`all` with a generator takes twice as long)
        if type(one) not in _PLAIN and not _only_plain(one):
            return False
    return True


def _ascii_keys(value: Any) -> bool:
    if type(value) is dict:
        return all(map(str.isascii, value)) and all(map(_ascii_keys, value.values()))
    return type(value) is not list or all(map(_ascii_keys, value))


def _pieces(value: Any) -> Iterator[bytes]:
    if value is None or isinstance(value, str | int):
        yield _text(value)
    elif isinstance(value, float):
        yield rfc8785.dumps(value)
    elif isinstance(value, dict):
        opening = b"{"
        for key in sorted(value, key=_utf16):
            yield opening + _text(key) + b":"
            yield from _pieces(value[key])
            opening = b","
        yield b"}" if value else b"{}"
    elif isinstance(value, list | tuple):
        yield b"["
        for place, one in enumerate(value):
            if place:
                yield b","
            yield from _pieces(one)
        yield b"]"
    else:
        raise ValueError(f"{type(value).__name__} is not a JSON value")


def _utf16(key: Any) -> bytes:
    if not isinstance(key, str):
        raise ValueError("the names of members must be texts")
    return key.encode("utf-16be")
