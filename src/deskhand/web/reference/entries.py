"""Operations as the reference shows them: everything a reader wants to know, derived from the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from deskhand.catalogue.notes import NOTES
from deskhand.catalogue.operation import Action, AnyOperation, NoBody, Resource
from deskhand.web.reference.examples import Example, example
from deskhand.web.reference.groups import Group, group
from deskhand.web.reference.samples import IDS
from deskhand.web.reference.shapes import Row, Table, tables

ACCESS = {Action.READ: "read", Action.WRITE: "write", Action.DELETE: "delete"}
LEVELS = {Action.READ: "read", Action.WRITE: "write", Action.DELETE: "full"}
"""The level a grant must have for an action to be allowed."""

_EXPECTED = {400, 401, 403, 404, 429}
"""Errors that any operation may end with; the page about errors tells of them."""


@dataclass(frozen=True)
class Entry:
    """One operation with its group, its tables and its example."""

    operation: AnyOperation
    base_url: str

    @property
    def name(self) -> str:
        return self.operation.name

    @property
    def title(self) -> str:
        """The name in words."""
        words = self.name.replace("_", " ").replace(" v3", ", v3")
        return words[0].upper() + words[1:]

    @property
    def group(self) -> Group:
        return group(self.operation.resource)

    @property
    def access(self) -> str:
        return ACCESS[self.operation.action]

    @property
    def level(self) -> str:
        return LEVELS[self.operation.action]

    @property
    def grant(self) -> str:
        """What a grant must allow, as `resource:level`; the pages call it permission."""
        return f"{self.group.key}:{self.level}"

    @property
    def acts_on(self) -> str:
        return _singular(self.operation.resource)

    @property
    def notes(self) -> tuple[str, ...]:
        return NOTES.get(self.name, ())

    @cached_property
    def query(self) -> list[Row]:
        """The query parameters."""
        return tables(self.operation.query)[0].rows

    @property
    def path_parameters(self) -> list[tuple[str, str]]:
        """The path's parameters with what stands there in the example."""
        return [(name, str(IDS.get(name, ""))) for name in self.operation.parameters]

    @cached_property
    def body(self) -> list[Table]:
        """The body's shape, followed by the shapes inside it."""
        return [] if self.operation.body is NoBody else tables(self.operation.body)

    @property
    def body_is_list(self) -> bool:
        return bool(self.body) and all(place.startswith("[]") for place in self.body[0].places)

    @cached_property
    def answer(self) -> list[Table]:
        """The answer's shape, followed by the shapes inside it."""
        shape: Any = getattr(self.operation.returns, "shape", None)
        return [] if shape is None else tables(shape)

    @property
    def errors(self) -> list[tuple[int, str]]:
        """The statuses particular to it, sorted."""
        return sorted(self.operation.errors)

    @cached_property
    def example(self) -> Example:
        return example(self.operation, self.base_url)

    @cached_property
    def text(self) -> str:
        """What searching looks through, in lower case."""
        one = self.operation
        words = [one.method, one.path, self.name, self.title, one.summary, self.group.title, *one.emits]
        return " ".join(words).lower()


@dataclass(frozen=True)
class Tally:
    """How many operations of a group read, write and delete."""

    group: Group
    total: int
    counts: dict[str, int]


def entries(operations: Sequence[AnyOperation], base_url: str) -> list[Entry]:
    """The operations of each group together, groups in the order of the catalogue."""
    order = list(dict.fromkeys(operation.resource for operation in operations))
    ordered = sorted(operations, key=lambda operation: order.index(operation.resource))
    return [Entry(operation, base_url) for operation in ordered]


def tallies(found: Sequence[Entry]) -> list[Tally]:
    """The capability map: each group with its counts."""
    made = []
    for key in dict.fromkeys(entry.group for entry in found):
        own = [entry.access for entry in found if entry.group == key]
        made.append(Tally(key, len(own), {access: own.count(access) for access in ACCESS.values()}))
    return made


def _singular(resource: Resource) -> str:
    word = resource.value
    return {"saved replies": "saved reply", "inboxes": "inbox"}.get(word, word.removesuffix("s"))
