"""How much of what is documented works here, as the text of docs/coverage.md.

python -m deskhand.catalogue.coverage > docs/coverage.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import msgspec

from deskhand.catalogue.documented import ADDITIONS, AREAS, GUIDE, NOT_YET
from deskhand.catalogue.operation import AnyOperation, One
from deskhand.catalogue.operations import OPERATIONS

Pair = tuple[str, str]


class Coverage:
    """Finds the operation that answers a documented pair of method and path, if there is one."""

    def __init__(self, operations: Sequence[AnyOperation]) -> None:
        self._by_pair: dict[Pair, AnyOperation] = {(one.method, _plain(one.path)): one for one in operations}

    def operation(self, pair: Pair) -> AnyOperation | None:
        """The operation; a query parameter or a form of answer that the row asks for must be there too."""
        method, path = pair
        plain, _, parameter = path.partition("?")
        plain, _, form = plain.partition(" (")
        found = self._by_pair.get((method, plain))
        if found is None or (parameter and parameter.partition("=")[0] not in _parameters(found)):
            return None
        if form.startswith("RFC") and not (isinstance(found.returns, One) and found.returns.raw):
            return None
        return found

    def missing(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Those of the pairs that nothing answers."""
        return [pair for pair in pairs if self.operation(pair) is None]

    def beyond(self) -> list[AnyOperation]:
        """Operations that no row documents: our additions."""
        documented = {self.operation(pair) for rows in AREAS.values() for pair in rows}
        return [one for one in self._by_pair.values() if one not in documented]


def coverage(operations: Sequence[AnyOperation]) -> str:
    """The whole document."""
    covered = Coverage(operations)
    parts = [_opening(covered), _guide(covered), _additions(covered), _areas(covered), _beyond(covered)]
    return "\n\n".join(parts) + "\n"


def _opening(covered: Coverage) -> str:
    rows = [pair for area in AREAS.values() for pair in area]
    works = len(rows) - len(covered.missing(rows))
    guide = [(method, path) for group in GUIDE.values() for _, method, path in group]
    in_guide = len(guide) - len(covered.missing(guide))
    return (
        "# What works of the Mailbox API\n\n"
        "Generated from the catalogue by `python -m deskhand.catalogue.coverage > docs/coverage.md`; do not edit.\n\n"
        f"**{works} of the {len(rows)} documented pairs of method and path work**, among them {in_guide} of the "
        f"{len(guide)} operations of the reference guide of June 2026.\n"
        "How each behaves is on the page `/reference` of a running desk."
    )


def _guide(covered: Coverage) -> str:
    lines = [
        "## The reference guide: nine groups",
        "",
        "| group | operation | method and path | state |",
        "|---|---|---|---|",
    ]
    for group, rows in GUIDE.items():
        for at, (name, method, path) in enumerate(rows):
            state = _state(covered, group, (method, path))
            lines.append(f"| {group if at == 0 else ''} | `{name}` | {_line(method, path)} | {state} |")
    return "\n".join(lines)


def _additions(covered: Coverage) -> str:
    lines = ["## The version history", "", "| since | what | operations | state |", "|---|---|---|---|"]
    for date, name, pairs in ADDITIONS:
        found = [f"`{one.name}`" for pair in pairs if (one := covered.operation(pair))]
        gone = covered.missing(pairs)
        state = "works" if not gone else f"not yet: {', '.join(_line(*pair) for pair in gone)}"
        lines.append(f"| {date} | {name} | {' '.join(found)} | {state} |")
    return "\n".join(lines)


def _areas(covered: Coverage) -> str:
    lines = ["## All documented rows"]
    for area, rows in AREAS.items():
        works = len(rows) - len(covered.missing(rows))
        lines += [
            "",
            f"### {area}: {works} of {len(rows)}",
            "",
            "| method and path | operation | state |",
            "|---|---|---|",
        ]
        for pair in rows:
            one = covered.operation(pair)
            lines.append(f"| {_line(*pair)} | {f'`{one.name}`' if one else ''} | {_state(covered, area, pair)} |")
    return "\n".join(lines)


def _beyond(covered: Coverage) -> str:
    lines = ["## Beyond what is documented", ""]
    lines += [
        "Links in answers lead to these, so they are there too.",
        "",
        "| method and path | operation |",
        "|---|---|",
    ]
    lines += [f"| {_line(one.method, _plain(one.path))} | `{one.name}` |" for one in covered.beyond()]
    return "\n".join(lines)


def _state(covered: Coverage, area: str, pair: Pair) -> str:
    if covered.operation(pair) is not None:
        return "works"
    return f"not yet: {NOT_YET[area]}" if area in NOT_YET else "not yet"


def _plain(path: str) -> str:
    """A path without its parameters' names."""
    return re.sub(r"{\w+}", "{}", path)


def _line(method: str, path: str) -> str:
    return f"`{method} {path}`"


def _parameters(operation: AnyOperation) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(operation.query)}


if __name__ == "__main__":
    sys.stdout.write(coverage(OPERATIONS))
