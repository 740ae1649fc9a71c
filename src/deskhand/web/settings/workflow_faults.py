"""What is wrong with a workflow that somebody writes, in words and at its row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deskhand.catalogue.problems import FieldError
from deskhand.web.settings.workflow_form import Draft
from deskhand.web.settings.workflow_rows import Row

_PLACE = re.compile(r"(conditions|actions)\[(\d+)\](?:\.any\[(\d+)\])?")


def gaps(draft: Draft) -> dict[str, str]:
    """What was left empty, by key."""
    found = {}
    if not draft.name:
        found["name"] = "Give it a name."
    if draft.type == "automatic" and not draft.groups:
        found["conditions"] = "Say when it runs: add a condition."
    if not draft.actions:
        found["actions"] = "Say what it does: add an action."
    for row in (*draft.rows, *draft.actions):
        if text := _gap(row):
            found[row.key] = text
    return found


def _gap(row: Row) -> str:
    is_action = row.key.startswith("a")
    match row.shape:
        case "tag" | "status" | "type" | "inbox" | "assignee":
            return "" if row.picked else "Choose at least one."
        case "rating":
            return "" if row.picked or row.op in ("given", "not_given") else "Choose at least one."
        case "assign" | "move" | "reply" | "webhook" | "one status":
            return "" if row.picked else "Choose one."
        case "time" if row.op in ("before", "after"):
            return "" if row.at else "Say when."
        case "time" | "snooze":
            return "" if row.number else "Say for how long."
        case "note":
            return "" if row.text.strip() else "Write the note."
        case "text":
            return "" if is_action or row.text.strip() or row.op in ("is", "is_not") else "Write what to look for."
    return ""


def at_their_rows(draft: Draft, faults: Sequence[FieldError]) -> dict[str, str]:
    """What verbs found wrong, by key of the row, or by the field's name."""
    found: dict[str, str] = {}
    for fault in faults:
        place = _PLACE.match(fault.path)
        key = fault.path
        if place and place[1] == "actions" and int(place[2]) < len(draft.actions):
            key = draft.actions[int(place[2])].key
        elif place and place[1] == "conditions" and int(place[2]) < len(draft.groups):
            group = draft.groups[int(place[2])]
            key = group[min(int(place[3] or 0), len(group) - 1)].key
        found.setdefault(key, in_words(fault))
    return found


def in_words(fault: FieldError) -> str:
    """A fault as a sentence."""
    text = fault.message.replace("an integer", "a whole number")
    if fault.anchor == "NotEmpty":
        text = "please fill this in"
    elif text.startswith("Expected "):
        text = "this is not a value that can be used here"
    return f"{text[:1].upper()}{text[1:]}."
