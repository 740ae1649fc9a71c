"""Grants as a form and back: its rows out of grants in JSON, and grants in JSON out of what was sent. Pure.

A field is named by its place in the JSON, as `actions.add_note.limits.max_text`, so that errors find their field. What
was typed and can't be is kept as it is: whoever reads grants strictly says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import msgspec

from deskhand.catalogue.needs import SENDS_MAIL, setting
from deskhand.catalogue.operation import Resource
from deskhand.catalogue.operations import OPERATIONS
from deskhand.catalogue.problems import FieldError
from deskhand.gateway import grants
from deskhand.gateway.grants import ACTIONS
from deskhand.gateway.policy import LEVELS, OWN
from deskhand.web.console.knowing import ABOUT, RESOURCES, action_words, belongs_to_inboxes
from deskhand.web.forms import Form

MAIN = (
    "reply_to_conversation", "add_note", "update_conversation", "set_conversation_tags", "create_conversation",
    "update_thread", "snooze_conversation", "delete_conversation", "update_customer", "delete_customer",
    "run_workflow",
)  # fmt: skip
"""The actions that people set apart most often; all others stand behind them."""
LIMITS = (
    "statuses", "assign_to", "tags", "recipient_domains", "max_text", "patch_paths", "speak_for_others", "hours"
)  # fmt: skip
_ANYWHERE = ("speak_for_others", "hours")
_LIMITED = {
    SENDS_MAIL: ("statuses", "assign_to", "recipient_domains", "max_text", *_ANYWHERE),
    "add_note": ("statuses", "assign_to", "max_text", *_ANYWHERE),
    "update_conversation": ("statuses", "assign_to", "recipient_domains", "patch_paths", "hours"),
    "set_conversation_tags": ("tags", "hours"),
    "create_conversation": ("statuses", "assign_to", "tags", "recipient_domains", "max_text", *_ANYWHERE),
    "update_thread": ("max_text", "patch_paths", "hours"),
    "update_customer": ("recipient_domains", "patch_paths", "hours"),
}
"""The limits that can reach an argument of an action."""


class LevelRow(msgspec.Struct, frozen=True):
    """A resource in the form; `named` if the grants have it although its level is off."""

    key: str
    name: str
    about: str
    level: str
    scoped: bool
    everywhere: bool
    inboxes: list[str]
    named: bool

    @property
    def path(self) -> str:
        return f"resources.{self.key}"


class LimitsRow(msgspec.Struct, frozen=True):
    """Limits in the form, of all that an agent does or of one action; `fields` are those that are offered."""

    path: str
    fields: Sequence[str]
    statuses: list[str]
    assign_to: list[str]
    tags: str
    recipient_domains: str
    max_text: str
    patch_paths: str
    speak_for_others: str
    hours: Mapping[str, Any]

    @property
    def are_set(self) -> bool:
        """Whether anything is limited."""
        return any(getattr(self, name) for name in LIMITS)


class ActionRow(msgspec.Struct, frozen=True):
    """An action in the form; `level` is what its resource's level must reach to allow it without a setting."""

    name: str
    words: str
    resource: str
    level: str
    setting: str
    settings: tuple[str, ...]
    limits: LimitsRow | None

    @property
    def path(self) -> str:
        return f"actions.{self.name}"


class Editor(msgspec.Struct, frozen=True):
    """All of the form. `more` are actions that are rarely set apart, by their resource."""

    levels: list[LevelRow]
    actions: list[ActionRow]
    more: list[tuple[str, list[ActionRow]]]
    limits: LimitsRow

    @property
    def set_apart(self) -> int:
        """How many of the rarer actions have a setting."""
        return sum(bool(one.setting) for _, rows in self.more for one in rows)


def editor(given: Mapping[str, Any]) -> Editor:
    """The form for grants in JSON."""
    resources, actions = _part(given, "resources"), _part(given, "actions")
    named = {name: _action(name, actions.get(name)) for name in sorted(ACTIONS)}
    more: dict[str, list[ActionRow]] = {one.value: [] for one in RESOURCES}
    for name, row in named.items():
        if name not in MAIN:
            more[OWN[name].value].append(row)
    return Editor(
        [_level(one, resources.get(one.key)) for one in RESOURCES],
        [named[name] for name in MAIN],
        [(name, sorted(rows, key=_order)) for name, rows in more.items() if rows],
        _limits("limits", _part(given, "limits"), LIMITS),
    )


def sent(form: Form) -> dict[str, Any]:
    """Grants in JSON as a form sent them, without their end; see `faults`."""
    actions = {name: one for name in ACTIONS if (one := _sent_action(form, name)) is not None}
    for_actions = {OWN[name] for name, one in actions.items() if one != "off"}
    resources = {}
    for one in RESOURCES:
        path = f"resources.{one.key}"
        level = form.text(f"{path}.level") or "off"
        if level != "off" or one in for_actions or form.has(f"{path}.named"):
            chosen = belongs_to_inboxes(one) and form.text(f"{path}.scope") == "chosen"
            resources[one.key] = {"level": level, "inboxes": _ids(form, f"{path}.inboxes") if chosen else "all"}
    return {"resources": resources, "actions": actions, "limits": _sent_limits(form, "limits")}


def faults(given: Mapping[str, Any], inboxes: Container[int] | None) -> list[FieldError]:
    """All that is wrong with what a form sent; raises TooLarge."""
    unset = [
        name for name, one in _part(given, "actions").items() if isinstance(one, dict) and one.get("setting") == ""
    ]
    text = "limits need a setting: choose whether it is allowed, held or off"
    actions = dict(_part(given, "actions"))
    actions |= {name: {**actions[name], "setting": "off"} for name in unset}
    found = grants.faults({**given, "actions": actions} if unset else given, inboxes)
    return [*(FieldError(f"actions.{name}", text, "NotNull") for name in unset), *found]


# -- Out of JSON


def _level(resource: Resource, raw: Any) -> LevelRow:
    held = raw if isinstance(raw, dict) else {}
    level, inboxes = held.get("level", "off"), held.get("inboxes", "all")
    return LevelRow(
        resource.key, resource.value, ABOUT[resource], level, belongs_to_inboxes(resource), inboxes == "all",
        [] if not isinstance(inboxes, list) else [str(one) for one in inboxes], level == "off" and bool(held),
    )  # fmt: skip


_FOR_ALL = ("", "off", "allow", "hold")
_FOR_REPLIES = ("", "off", "draft", "hold", "allow")
LEVEL_OF = {setting(one.name): LEVELS[one.action] for one in OPERATIONS}


def _action(name: str, raw: Any) -> ActionRow:
    chosen = raw.get("setting", "") if isinstance(raw, dict) else raw or ""
    given = _part(raw, "limits") if isinstance(raw, dict) else {}
    fields = [one for one in LIMITS if one in _LIMITED.get(name, ()) or one in given]
    limits = _limits(f"actions.{name}.limits", given, fields) if fields else None
    settings = _FOR_REPLIES if name == SENDS_MAIL else _FOR_ALL
    return ActionRow(name, action_words(name), OWN[name].value, LEVEL_OF[name], chosen, settings, limits)


def _order(row: ActionRow) -> tuple[int, str]:
    return LEVELS.index(row.level), row.words


def _limits(path: str, given: Mapping[str, Any], fields: Sequence[str]) -> LimitsRow:
    def listed(name: str) -> list[str]:
        found = given.get(name) or []
        return [str(one) for one in found] if isinstance(found, list) else []

    most, speaks = given.get("max_text"), given.get("speak_for_others")
    return LimitsRow(
        path, fields, listed("statuses"), listed("assign_to"), ", ".join(listed("tags")),
        ", ".join(listed("recipient_domains")), "" if most is None else str(most), ", ".join(listed("patch_paths")),
        "" if speaks is None else "yes" if speaks else "no", _part(given, "hours"),
    )  # fmt: skip


def _part(given: Any, name: str) -> Mapping[str, Any]:
    found = given.get(name)
    return found if isinstance(found, dict) else {}


# -- Into JSON


def _sent_action(form: Form, name: str) -> Any:
    path = f"actions.{name}"
    chosen, limits = form.text(path), _sent_limits(form, f"{path}.limits")
    if not chosen and not limits:
        return None
    return {"setting": chosen, "limits": limits} if limits else chosen


def _sent_limits(form: Form, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("statuses", "tags", "recipient_domains", "patch_paths"):
        if given := [one for text in form.texts(f"{path}.{name}") for one in _listed(text)]:
            found[name] = given
    if given := _ids(form, f"{path}.assign_to"):
        found["assign_to"] = given
    if most := form.text(f"{path}.max_text"):
        found["max_text"] = _number(most.replace(",", ""))
    if speaks := form.text(f"{path}.speak_for_others"):
        found["speak_for_others"] = speaks == "yes"
    if hours := _sent_hours(form, f"{path}.hours"):
        found["hours"] = hours
    return {name: found[name] for name in LIMITS if name in found}


def _sent_hours(form: Form, path: str) -> dict[str, Any]:
    """Hours, if a beginning or an end is given; the zone and days alone limit nothing."""
    times = {name: form.text(f"{path}.{name}")[:5] for name in ("from", "to")}
    if not any(times.values()):
        return {}
    days = [_number(one) for one in form.texts(f"{path}.days")]
    return {**times, "zone": form.text(f"{path}.zone") or "UTC"} | ({"days": days} if days else {})


def _ids(form: Form, name: str) -> list[Any]:
    """Ids, ticked or typed one after another."""
    return [_number(one) for text in form.texts(name) for one in _listed(text)]


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.replace("\n", ",").split(",") if one.strip()]


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
