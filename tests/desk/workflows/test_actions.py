"""How actions are kept: JSON that can be read again, and whatever else may stand there makes none."""

from __future__ import annotations

import pytest

from deskhand.desk.workflows.actions import (
    Action,
    AddNote,
    AddTags,
    Assign,
    Move,
    RemoveTags,
    SetField,
    SetStatus,
    as_json,
    from_json,
)

EVERY: list[Action] = [
    SetStatus("closed"), Assign(7), Assign(None), AddTags([3, 4]), RemoveTags([3]), Move(501), AddNote("<p>x</p>"),
    SetField(11, "903"),
]  # fmt: skip


def test_what_is_kept_is_read_again() -> None:
    assert from_json(as_json(EVERY)) == EVERY
    assert from_json("[]") == []


def test_they_are_kept_as_documented() -> None:
    assert as_json([SetStatus("closed"), AddTags([7])]) == '[{"do":"status","value":"closed"},{"do":"tag","value":[7]}]'


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "null", "[7]", '[{"do":"delete"}]', '[{"value":"closed"}]', '[{"do":"status","value":"open"}]',
        '[{"do":"assign","value":1}]', '[{"do":"tag","value":[]}]', '[{"do":"tag","value":["vip"]}]',
        '[{"do":"move"}]', '[{"do":"note","value":""}]', '[{"do":"field","field":0,"value":"x"}]',
    ],
)  # fmt: skip
def test_anything_else_is_no_list_of_actions(text: str) -> None:
    assert from_json(text) is None
