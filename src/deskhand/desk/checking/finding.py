"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One check in words: what it looked at, whether that is right, and each difference where it is not."""

    name: str
    ok: bool
    text: str
    differences: tuple[str, ...] = ()


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 conversation`, `3 conversations`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
