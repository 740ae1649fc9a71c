"""What a call that waits would do besides writing its text, in words. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from deskhand.catalogue.needs import SENDS_MAIL
from deskhand.web.words import joined


class Effect(msgspec.Struct, frozen=True):
    """Something that would become so. `long` is a text of several lines."""

    label: str
    value: str
    long: bool = False


class Names(msgspec.Struct, frozen=True):
    """What ids in a call stand for, and the tags that the conversation has now."""

    people: Mapping[int, str] = {}
    inboxes: Mapping[int, str] = {}
    tags: Sequence[str] = ()


_LABELS = {
    "assignTo": "Owner", "attachments": "Files", "autoReply": "Automatic reply", "bcc": "Hidden copies to",
    "cc": "Copies to", "closedAt": "Closed at", "createdAt": "Dated", "customer": "To", "draft": "Draft",
    "fields": "Fields", "imported": "Imported", "mailboxId": "Inbox", "snoozedUntil": "Snoozed until",
    "status": "Status", "subject": "Subject", "tags": "Tags", "threads": "Threads", "type": "Kind",
    "unsnoozeOnCustomerReply": "Back when the customer answers", "user": "In the name of",
    "scheduledFor": "Sent at", "sendAsId": "In the name of",
}  # fmt: skip
_PATCHES = {
    "assignTo": "assignTo", "mailboxId": "mailboxId", "primaryCustomer.id": "customer", "status": "status",
    "subject": "subject", "text": "text",
}  # fmt: skip
_PEOPLE = ("assignTo", "user", "sendAsId")
_OTHERWISE_SAID = ("text", "customer")
"""Fields of a reply that stand elsewhere on the page."""


def effects(arguments: Mapping[str, Any], names: Names) -> list[Effect]:
    """What a call would do, by its arguments as people may read them; its own text is shown apart."""
    body = arguments.get("body") or {}
    steps = body if isinstance(body, list) else [body] if _is_step(body) else None
    found: list[Effect] = []
    if steps is not None:
        found += [_step(step, names) for step in steps]
    else:
        said = _OTHERWISE_SAID if "text" in body else ()
        found += [_field(name, value, names) for name, value in body.items() if name not in said]
    found += [
        Effect(_label(name), _value(name, value, names)) for name, value in (arguments.get("query") or {}).items()
    ]
    return [one for one in found if one.value]


def mails_to(operation: str, arguments: Mapping[str, Any], customer_id: int, address: str) -> str:
    """Whom mail goes to when the call is let go, by the conversation's customer; empty where none goes out."""
    body = arguments.get("body")
    if operation != SENDS_MAIL or not isinstance(body, dict) or body.get("draft") or body.get("imported"):
        return ""
    named = body.get("customer") or {}
    if named.get("email"):
        return str(named["email"])
    return address if address and named.get("id") in (None, customer_id) else f"customer {named.get('id')}"


def staff_in(arguments: Mapping[str, Any]) -> set[int]:
    """The ids of people that a call names."""
    return set(_staff_in(arguments.get("body")))


def _staff_in(given: Any) -> Iterator[int]:
    if isinstance(given, list):
        for one in given:
            yield from _staff_in(one)
    elif isinstance(given, dict):
        named = [given.get(name) for name in _PEOPLE]
        if _is_step(given) and _target(given) in _PEOPLE:
            named.append(given.get("value"))
        yield from (one for one in named if isinstance(one, int) and not isinstance(one, bool))
        yield from _staff_in(given.get("threads"))


def _is_step(given: Any) -> bool:
    return isinstance(given, dict) and "op" in given and "path" in given


def _target(step: Mapping[str, Any]) -> str:
    path = str(step["path"]).strip("/").replace("/", ".")
    return _PATCHES.get(path, path)


def _step(step: Any, names: Names) -> Effect:
    if not _is_step(step):
        return Effect("Step", _compact(step))
    name = _target(step)
    if step["op"] == "remove":
        return Effect(_label(name), "nobody" if name == "assignTo" else "taken away")
    if name == "text":
        return Effect("The text becomes", str(step.get("value")), long=True)
    value = _value(name, step.get("value"), names)
    return Effect(_label(name), value if name == "status" else f"becomes {value}")


def _field(name: str, value: Any, names: Names) -> Effect:
    if name == "threads" and isinstance(value, list):
        texts = [str(one.get("text") or "") for one in value if isinstance(one, dict)]
        return Effect("It begins with", "\n\n".join(filter(None, texts)), long=True)
    return Effect(_label(name), _value(name, value, names))


def _value(name: str, value: Any, names: Names) -> str:
    match name, value:
        case "draft", True:
            return "kept as a draft, nothing is sent"
        case (("draft" | "imported" | "autoReply"), False | None):
            return ""
        case "status", str():
            return f"becomes {'active' if value in ('all', 'open') else value}"
        case "tags", list():
            return _tags([str(one) for one in value], names.tags)
        case "assignTo", None:
            return "nobody"
        case (("cc" | "bcc"), list()):
            return joined([str(one) for one in value])
        case "customer", dict():
            return str(value.get("email") or f"customer {value.get('id')}")
        case "customer", int():
            return f"customer {value}"
        case "attachments", list():
            return joined([f"{one.get('fileName')} ({one.get('data')})" for one in value if isinstance(one, dict)])
        case "fields", list():
            return joined([f"{one.get('id')} = {one.get('value')}" for one in value if isinstance(one, dict)])
        case _, True:
            return "yes"
        case _, False:
            return "no"
        case _, int() if name in _PEOPLE:
            return names.people.get(value) or f"user {value}"
        case "mailboxId", int():
            return names.inboxes.get(value) or f"inbox {value}"
        case _, str() | int() | float():
            return str(value)
        case _:
            return _compact(value)


def _tags(wanted: Sequence[str], present: Sequence[str]) -> str:
    """How tags change: those that come, go and stay."""
    have, want = {one.casefold(): one for one in present}, {one.casefold(): one for one in wanted}
    parts = [
        _part("adds", (one for key, one in want.items() if key not in have)),
        _part("takes away", (one for key, one in have.items() if key not in want)),
        _part("keeps", (one for key, one in want.items() if key in have)),
    ]
    return "; ".join(filter(None, parts)) or "none"


def _part(verb: str, tags: Iterable[str]) -> str:
    given = list(tags)
    return f"{verb} {joined(given)}" if given else ""


def _label(name: str) -> str:
    return _LABELS.get(name) or name


def _compact(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
