"""The form in which a workflow is written: its rows out of a sent form or a workflow, and into what verbs read.

Rows have keys, `c3` or `a2`; a form sends the keys in their order, with `and` between groups, and fields named after
them: `c3.about`, `c3.op`, `c3.text`. So every fault finds its row again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from deskhand.desk.workflows import actions as does
from deskhand.desk.workflows import conditions as when
from deskhand.desk.workflows.actions import ACTIONS_MOST, Action
from deskhand.desk.workflows.conditions import CONDITIONS_MOST, Condition
from deskhand.desk.workflows.given import Shown
from deskhand.lib.clock import from_wire, to_wire
from deskhand.web.forms import Form
from deskhand.web.settings.plain_html import as_html, as_text
from deskhand.web.settings.workflow_rows import NOBODY, OPS, Row
from deskhand.web.visiting import Visitor

AND = "and"
_KEY = re.compile(r"([ca])(\d{1,6})")
_INTEGER = re.compile(r"[+-]?\d{1,18}")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow as it is written; `faults` by key of a row, or by the name of another field. `new`: the latest row."""

    inbox_id: int
    name: str = ""
    type: Literal["automatic", "manual"] = "automatic"
    active: bool = True
    groups: tuple[tuple[Row, ...], ...] = ()
    actions: tuple[Row, ...] = ()
    faults: dict[str, str] = {}
    new: str = ""

    @property
    def rows(self) -> Iterator[Row]:
        """All conditions."""
        for group in self.groups:
            yield from group

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another condition."""
        return len(list(self.rows)) >= CONDITIONS_MOST

    @property
    def does_enough(self) -> bool:
        """Whether there is no room for another action."""
        return len(self.actions) >= ACTIONS_MOST


def blank(inbox_id: int, type: Literal["automatic", "manual"] = "automatic") -> Draft:
    """A workflow that nobody has written yet."""
    groups = ((Row(key="c1", about="subject", op="contains"),),) if type == "automatic" else ()
    return Draft(inbox_id=inbox_id, type=type, groups=groups, actions=(_first_action(1, inbox_id),))


def sent(form: Form, inbox_id: int) -> Draft:
    """A workflow out of a sent form."""
    groups: list[list[Row]] = [[]]
    for key in form.texts("conditions")[: 2 * CONDITIONS_MOST + 2]:
        if key == AND:
            groups.append([])
        elif _KEY.fullmatch(key):
            groups[-1].append(_sent_row(form, key, "subject"))
    keys = [key for key in form.texts("actions")[: ACTIONS_MOST + 1] if _KEY.fullmatch(key)]
    manual = form.text("type") == "manual"
    return Draft(
        inbox_id=inbox_id,
        name=form.text("name"),
        type="manual" if manual else "automatic",
        active=form.has("active"),
        groups=() if manual else tuple(tuple(group) for group in groups if group),
        actions=_by_then([_sent_row(form, key, "status") for key in keys], inbox_id),
    )


def written(one: Shown, visitor: Visitor) -> Draft:
    """A workflow that is there, to be changed."""
    serial = iter(range(1, 10_000))
    groups = tuple(
        tuple(_condition(f"c{next(serial)}", condition, visitor) for condition in group.any) for group in one.conditions
    )
    rows = [_action(f"a{next(serial)}", action) for action in one.actions]
    return Draft(
        inbox_id=one.inbox_id,
        name=one.name,
        type=one.type,
        active=one.status != "inactive",
        groups=groups,
        actions=_by_then(rows, one.inbox_id),
    )


# -- Changing the rows, for whoever has no script


def changed(draft: Draft, wish: str) -> Draft:
    """The draft after a button was pressed: `or:0`, `and`, `action`, `drop:c3`, `up:a2`, `down:a2`, `shape:c3`."""
    what, _, which = wish.partition(":")
    number = 1 + max((int(row.key[1:]) for row in (*draft.rows, *draft.actions)), default=0)
    row = Row(key=f"c{number}", about="subject", op="contains")
    groups, actions, new = [list(group) for group in draft.groups], list(draft.actions), which
    match what:
        case "or" if not draft.is_full and which.isdecimal() and int(which[:3]) < len(groups) and len(which) < 4:
            groups[int(which)].append(row)
            new = row.key
        case "and" if not draft.is_full:
            groups.append([row])
            new = row.key
        case "action" if not draft.does_enough:
            actions.append(_first_action(number, draft.inbox_id))
            new = actions[-1].key
        case "drop":
            groups = [[one for one in group if one.key != which] for group in groups]
            actions = [one for one in actions if one.key != which]
            new = _neighbour(draft, which)
        case "up" | "down":
            _move(actions, which, -1 if what == "up" else 1)
    return msgspec.structs.replace(
        draft, groups=tuple(tuple(one) for one in groups if one), actions=_by_then(actions, draft.inbox_id), new=new
    )


def _neighbour(draft: Draft, key: str) -> str:
    """The row before one that goes, or after it where that was the first."""
    keys = [row.key for row in (draft.rows if key.startswith("c") else draft.actions)]
    if key not in keys or len(keys) < 2:
        return ""
    at = keys.index(key)
    return keys[at - 1] if at else keys[1]


def _move(rows: list[Row], key: str, by: int) -> None:
    at = next((number for number, row in enumerate(rows) if row.key == key), -1)
    if at >= 0 and 0 <= at + by < len(rows):
        rows[at], rows[at + by] = rows[at + by], rows[at]


def _first_action(number: int, inbox_id: int) -> Row:
    return Row(key=f"a{number}", about="status", picked=("closed",), inbox_id=inbox_id)


def _by_then(rows: Iterable[Row], inbox_id: int) -> tuple[Row, ...]:
    """Actions with the inbox in which the conversation lies by then."""
    found = []
    for row in rows:
        found.append(msgspec.structs.replace(row, inbox_id=inbox_id))
        if row.about == "move" and row.picked and row.picked[0].isdecimal():
            inbox_id = int(row.picked[0][:18])
    return tuple(found)


def _sent_row(form: Form, key: str, otherwise: str) -> Row:
    row = Row(
        key=key,
        about=form.text(f"{key}.about") or otherwise,
        op=form.text(f"{key}.op"),
        text=form.raw(f"{key}.text").strip("\n"),
        number=form.text(f"{key}.number"),
        unit=form.text(f"{key}.unit") or "hours",
        at=form.text(f"{key}.at"),
        picked=tuple(form.texts(f"{key}.pick")),
        is_html=form.has(f"{key}.html"),
    )
    if form.text(f"{key}.took") not in ("", row.takes):  # it is about something else now: a status is no tag
        row = Row(key=key, about=row.about, op=row.op)
    ops = [op for op, _ in OPS.get(row.shape, ())] if key.startswith("c") else []
    return msgspec.structs.replace(row, op=row.op if row.op in ops else ops[0] if ops else "")


# -- From a workflow


def _condition(key: str, condition: Condition, visitor: Visitor) -> Row:
    about = str(condition.__struct_config__.tag)
    match condition:
        case when.FieldValue(op, value, field):
            return Row(key=key, about=f"field:{field}", op=op, text=value)
        case when.HasAttachment(value):
            return Row(key=key, about=about, op="yes" if value else "no")
        case when.HasRating(op, kinds):
            return Row(key=key, about=about, op=op, picked=tuple(kinds))
        case when.HasAssignee(op, owners):
            return Row(key=key, about=about, op=op, picked=tuple(str(one or NOBODY) for one in owners))
        case when.HasTag(op, listed) | when.InInbox(op, listed):
            return Row(key=key, about=about, op=op, picked=tuple(map(str, listed)))
        case when.HasStatus(op, words) | when.HasType(op, words):
            return Row(key=key, about=about, op=op, picked=tuple(words))
        case when._Time(op, value, None):
            local = visitor.local(from_wire(str(value)))
            return Row(key=key, about=about, op=op, at=f"{local:%Y-%m-%dT%H:%M}")
        case when._Time(op, value, unit):
            return Row(key=key, about=about, op=op, number=str(value), unit=unit or "hours")
        case when._Text(op, value):
            return Row(key=key, about=about, op=op, text=value)
    raise TypeError(condition)


def _action(key: str, action: Action) -> Row:
    about = str(action.__struct_config__.tag)
    match action:
        case does.SetField(id, value):
            return Row(key=key, about=f"field:{id}", text=value)
        case does.AddNote(value):
            text, is_html = as_text(value)
            return Row(key=key, about=about, text=text, is_html=is_html)
        case does.Assign(owner):
            return Row(key=key, about=about, picked=(str(owner or NOBODY),))
        case does.AddTags(listed) | does.RemoveTags(listed):
            return Row(key=key, about=about, picked=tuple(map(str, listed)))
        case does.Snooze(value, unit):
            return Row(key=key, about=about, number=str(value), unit=unit)
        case does.Unsnooze():
            return Row(key=key, about=about)
        case does.SetStatus() | does.Move() | does.Reply() | does.CallWebhook():
            return Row(key=key, about=about, picked=(str(action.value),))
    raise TypeError(action)


# -- Into what verbs read


def as_given(draft: Draft, visitor: Visitor) -> dict[str, Any]:
    """The workflow as administrators write it, see given.py of workflows."""
    given: dict[str, Any] = {
        "inbox_id": draft.inbox_id,
        "name": draft.name,
        "type": draft.type,
        "status": "active" if draft.active else "inactive",
        "actions": [_given_action(row) for row in draft.actions],
    }
    if draft.type == "automatic":
        given["conditions"] = [{"any": [_given(row, visitor) for row in group]} for group in draft.groups]
    return given


def _given(row: Row, visitor: Visitor) -> dict[str, Any]:
    about, op = {"about": row.about, "op": row.op}, row.op
    match row.shape:
        case "attachment":
            return {"about": row.about, "value": op == "yes"}
        case "rating" if op in ("given", "not_given"):
            return about
        case "tag" | "inbox" | "assignee":
            return about | {"value": [None if one == NOBODY else _number(one) for one in row.picked]}
        case "status" | "type" | "rating":
            return about | {"value": list(row.picked)}
        case "time" if op in ("before", "after"):
            return about | {"value": _moment(row.at, visitor)}
        case "time":
            return about | {"value": _number(row.number), "unit": row.unit}
    if row.about.startswith("field:"):
        return {"about": "field", "field": row.field_id, "op": op, "value": row.text}
    return about | {"value": row.text}


def _given_action(row: Row) -> dict[str, Any]:
    first = row.picked[0] if row.picked else ""
    match row.shape:
        case "tag":
            return {"do": row.about, "value": [_number(one) for one in row.picked]}
        case "assign":
            return {"do": row.about, "value": None if first == NOBODY else _number(first)}
        case "move" | "reply" | "webhook":
            return {"do": row.about, "value": _number(first)}
        case "one status":
            return {"do": row.about, "value": first}
        case "note":
            return {"do": row.about, "value": row.text if row.is_html else as_html(row.text)}
        case "field":
            return {"do": "field", "field": row.field_id, "value": row.text}
        case "snooze":
            return {"do": row.about, "value": _number(row.number), "unit": row.unit}
    return {"do": row.about}


def _number(text: str) -> int | str:
    return int(text) if _INTEGER.fullmatch(text) else text


def _moment(text: str, visitor: Visitor) -> str:
    with suppress(ValueError, OverflowError):
        return to_wire(datetime.fromisoformat(text).replace(tzinfo=visitor.zone).astimezone(UTC))
    return text
