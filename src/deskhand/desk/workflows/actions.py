"""What a workflow does with a conversation: the kinds of action, and how a workflow keeps them.

They are kept as a JSON list, in order: `[{"do": "status", "value": "closed"}, {"do": "tag", "value": [7]}]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from deskhand.catalogue.values import Id, NonEmpty, OwnerId

ACTIONS_MOST = 50
_Tags = Annotated[list[Id], Meta(min_length=1, max_length=100)]


class SetStatus(msgspec.Struct, frozen=True, tag_field="do", tag="status"):
    """Give it a status."""

    value: Literal["active", "pending", "closed", "spam"]


class Assign(msgspec.Struct, frozen=True, tag_field="do", tag="assign"):
    """Give it to a user, a team or a system user, or to nobody (None)."""

    value: OwnerId | None


class AddTags(msgspec.Struct, frozen=True, tag_field="do", tag="tag"):
    """Add tags, named by their ids."""

    value: _Tags


class RemoveTags(msgspec.Struct, frozen=True, tag_field="do", tag="untag"):
    """Take tags away, named by their ids."""

    value: _Tags


class Move(msgspec.Struct, frozen=True, tag_field="do", tag="move"):
    """Move it to another inbox."""

    value: Id


class AddNote(msgspec.Struct, frozen=True, tag_field="do", tag="note"):
    """Leave a note, written by whoever runs the workflow."""

    value: NonEmpty


class SetField(msgspec.Struct, frozen=True, tag_field="do", tag="field"):
    """Set a custom field of the inbox it lies in by then; an empty value clears it."""

    field: Id
    value: str


Action = SetStatus | Assign | AddTags | RemoveTags | Move | AddNote | SetField


def as_json(actions: Sequence[Action]) -> str:
    """Actions as a workflow keeps them."""
    return msgspec.json.encode(list(actions)).decode()


def from_json(text: str) -> list[Action] | None:
    """The actions that a workflow keeps, or None where they make no sense."""
    try:
        return msgspec.json.decode(text, type=list[Action])
    except msgspec.DecodeError:
        return None
