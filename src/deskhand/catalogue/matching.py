"""Which operation a request line means: a tree of path parts, built once and walked per request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from deskhand.catalogue.operation import AnyOperation


@dataclass(slots=True)
class _Part:
    children: dict[str, _Part] = field(default_factory=dict)
    parameter: _Part | None = None
    operations: dict[str, AnyOperation] = field(default_factory=dict)


class Match(msgspec.Struct, frozen=True):
    """A known path: its operations by method, and its parameters as they were written."""

    operations: dict[str, AnyOperation]
    values: tuple[str, ...]


class Matcher:
    """Finds operations by path; literal parts win over parameters."""

    def __init__(self, operations: Iterable[AnyOperation]) -> None:
        self._root = _Part()
        for operation in operations:
            self._add(operation)

    def match(self, path: str) -> Match | None:
        """The operations of a path; a trailing slash is tolerated, anything else must be exact."""
        values: list[str] = []
        part = self._root
        for piece in path.removesuffix("/").split("/")[1:]:
            child = part.children.get(piece)
            if child is None:
                child = part.parameter
                if child is None or not piece:
                    return None
                values.append(piece)
            part = child
        return Match(part.operations, tuple(values)) if part.operations else None

    def _add(self, operation: AnyOperation) -> None:
        part = self._root
        for piece in operation.path.split("/")[1:]:
            if piece.startswith("{"):
                part.parameter = part.parameter or _Part()
                part = part.parameter
            else:
                part = part.children.setdefault(piece, _Part())
        if operation.method in part.operations:
            raise ValueError(f"{operation.method} {operation.path} is declared twice")
        part.operations[operation.method] = operation


def read_id(text: str) -> int | None:
    """A path's id: ASCII digits that fit into 64 bits, else None (there can be no such thing)."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        return None
    number = int(text)
    return number if 0 < number < 2**63 else None
