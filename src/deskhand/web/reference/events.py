"""The webhook events as the pages tell of them: the catalogue's, with the operations that cause each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deskhand.catalogue.events import EVENTS, EventKind
from deskhand.catalogue.operation import AnyOperation


@dataclass(frozen=True)
class Event:
    """One kind of event; `caused_by` are the operations that may cause it."""

    kind: EventKind
    caused_by: tuple[str, ...]

    @property
    def body(self) -> str:
        """What a delivery holds, in words."""
        return "the id alone" if self.kind.payload == "id" else f"the {self.kind.payload}"


def told(operations: Sequence[AnyOperation]) -> list[Event]:
    """The events, those that this desk sends first."""
    found = [Event(kind, tuple(one.name for one in operations if kind.name in one.emits)) for kind in EVENTS]
    return sorted(found, key=lambda event: not event.kind.emitted)
