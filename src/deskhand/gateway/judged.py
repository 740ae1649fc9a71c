"""A call with what was found out about it, and what was decided: which inboxes it is about, and which it touches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from deskhand.catalogue.operation import AnyOperation, Asked, Extent, Need, Of
from deskhand.gateway.agents import Agent
from deskhand.gateway.calls import Door
from deskhand.gateway.policy import EVERYWHERE, Decision, Found
from deskhand.lib.canonical import canonical_hash


class Stands(Protocol):
    """What is known of a conversation: its mark is another one once somebody wrote or decided something in it."""

    @property
    def mark(self) -> str: ...


class Judged(msgspec.Struct, frozen=True):
    """A call with what was found out about it, and what was decided."""

    agent: Agent
    door: Door
    asked: Asked
    needs: tuple[Need, ...]
    found: Mapping[Of, Found | None]
    decision: Decision

    def decided(self, decision: Decision) -> Judged:
        """The same call with another decision."""
        return msgspec.structs.replace(self, decision=decision)

    @property
    def writes(self) -> bool:
        """Whether it would change something."""
        return writes(self.asked.operation)

    @property
    def conversation_id(self) -> int | None:
        """The conversation that the path names."""
        return conversation_of(self.asked.operation, self.asked.path)

    @property
    def conversation(self) -> Found | None:
        """What was found of it."""
        id = self.conversation_id
        return None if id is None else self.found.get(Of("conversation", id))

    @property
    def mark(self) -> str:
        """How the conversations stand that the call is about; it changes when somebody writes or decides there."""
        return standing(conversations(self.needs), self.found)

    @property
    def inboxes(self) -> list[int]:
        """The inboxes that the call is about, as far as that is known; of a customer's those that the agent sees."""
        named: set[int] = set()
        for need in self.needs:
            place = need.place
            if isinstance(place, int):
                named.add(place)
            elif isinstance(place, Of) and (there := self.found.get(place)) is not None:
                seen = self.decision.inboxes if place.kind == "customer" else None
                named |= there.inboxes if seen is None else there.inboxes & seen
        return sorted(named - {EVERYWHERE})

    @property
    def shown_inboxes(self) -> list[int]:
        """The inboxes that an entry tells of: those that the call is about, or else those that it is narrowed to."""
        return self.inboxes or sorted(self.decision.inboxes or ())

    @property
    def touched(self) -> frozenset[int] | None:
        """The inboxes in which the call would change something; None: it can't be told, so it may be any."""
        named: set[int] = set()
        for need in self.decision.needs or self.needs:
            place = need.place
            if isinstance(place, int):
                named.add(place)
            elif isinstance(place, Of):
                there = self.found.get(place)
                if there is None or not there.inboxes or EVERYWHERE in there.inboxes | there.into:
                    return None
                named |= there.inboxes | there.into
            elif place is Extent.EVERY and need.unless is None:
                return None
        return frozenset(named)


def writes(operation: AnyOperation) -> bool:
    """Whether an operation changes something."""
    return operation.method != "GET"


def conversation_of(operation: AnyOperation | None, path: Sequence[int]) -> int | None:
    """The conversation that the path of an operation names."""
    return path[0] if operation is not None and path and "{conversation_id}" in operation.path else None


def conversations(needs: Iterable[Need]) -> frozenset[Of]:
    """The conversations that a call is about."""
    places = (need.place for need in needs)
    return frozenset(
        Of("conversation", place.id) for place in places if isinstance(place, Of) and place.kind == "conversation"
    )


def standing(about: Collection[Of], found: Mapping[Of, Stands | None]) -> str:
    """The mark of the conversations that a call is about, by what was found of them."""
    stand = {of.id: there.mark for of in about if (there := found.get(of)) is not None}
    return next(iter(stand.values())) if len(about) == len(stand) == 1 else _together(stand)


def _together(marks: Mapping[int | str, str]) -> str:
    """One mark of several conversations."""
    return canonical_hash({str(id): mark for id, mark in marks.items()})[:32] if marks else ""
