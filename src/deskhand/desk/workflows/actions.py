"""What a workflow does with a conversation: the kinds of action, and how a workflow keeps them.

They are kept as a JSON list, in order: `[{"do": "status", "value": "closed"}, {"do": "tag", "value": [7]}]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from deskhand.catalogue.problems import FieldError
from deskhand.catalogue.values import Id, NonEmpty, OwnerId
from deskhand.desk.workflows.conditions import converted

ACTIONS_MOST = 50
_Tags = Annotated[list[Id], Meta(min_length=1, max_length=100)]


class _Action(msgspec.Struct, frozen=True, tag_field="do", forbid_unknown_fields=True):
    """The base of all actions."""


class SetStatus(_Action, frozen=True, tag="status"):
    """Give it a status."""

    value: Literal["active", "pending", "closed", "spam"]


class Assign(_Action, frozen=True, tag="assign"):
    """Give it to a user, a team or a system user, or to nobody (None)."""

    value: OwnerId | None


class AddTags(_Action, frozen=True, tag="tag"):
    """Add tags, named by their ids."""

    value: _Tags


class RemoveTags(_Action, frozen=True, tag="untag"):
    """Take tags away, named by their ids."""

    value: _Tags


class Move(_Action, frozen=True, tag="move"):
    """Move it to another inbox."""

    value: Id


class AddNote(_Action, frozen=True, tag="note"):
    """Leave a note, written by whoever runs the workflow."""

    value: NonEmpty


class SetField(_Action, frozen=True, tag="field"):
    """Set a custom field of the inbox it lies in by then; an empty value clears it."""

    field: Id
    value: str


class Reply(_Action, frozen=True, tag="reply"):
    """Answer the customer with a saved reply of the inbox that it lies in by then; its status stays."""

    value: Id


class Snooze(_Action, frozen=True, tag="snooze"):
    """Put it aside for a time, or until the customer answers."""

    value: Annotated[int, Meta(ge=1, le=10_000)]
    unit: Literal["minutes", "hours", "days"]

    @property
    def time(self) -> timedelta:
        """For how long."""
        return timedelta(**{self.unit: self.value})

    @property
    def words(self) -> str:
        """For how long, as people say it."""
        return f"{self.value} {self.unit.removesuffix('s') if self.value == 1 else self.unit}"


class Unsnooze(_Action, frozen=True, tag="unsnooze"):
    """End its snooze, if there is one."""


class CallWebhook(_Action, frozen=True, tag="webhook"):
    """Send it to a webhook, whatever events that is for."""

    value: Id


Action = (
    SetStatus | Assign | AddTags | RemoveTags | Move | AddNote | SetField | Reply | Snooze | Unsnooze | CallWebhook
)  # fmt: skip


def as_json(actions: Sequence[Action]) -> str:
    """Actions as a workflow keeps them."""
    return msgspec.json.encode(list(actions)).decode()


def from_json(text: str) -> list[Action] | None:
    """The actions that a workflow keeps, or None where they make no sense."""
    try:
        return msgspec.json.decode(text, type=list[Action])
    except msgspec.DecodeError:
        return None


def read(given: Any, path: str = "actions") -> tuple[list[Action], list[FieldError]]:
    """Actions out of a JSON value, and everything that is wrong with it, each fault named by its place."""
    if not isinstance(given, list):
        return [], [FieldError(path, "must be a list", "ValidIdentifier")]
    found: list[Action] = []
    faults: list[FieldError] = []
    for number, one in enumerate(given):
        action, wrong = converted(one, Action, f"{path}[{number}]")
        faults += wrong
        if isinstance(action, AddNote | SetField) and "\0" in action.value:
            faults.append(FieldError(f"{path}[{number}].value", "may not contain the character NUL", "Size"))
        if action is not None:
            found.append(action)
    return found, faults
