"""Limits: what the arguments of a call may be, found by their meaning in the catalogue's shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import UNSET

from deskhand.catalogue.conversations import NewConversation, Patch, SetTags
from deskhand.catalogue.customers import CustomerReference, NewCustomer, NewEmail
from deskhand.catalogue.needs import given_id, letters, setting
from deskhand.catalogue.operation import Asked, Resource
from deskhand.catalogue.saved_replies import SavedReplyFields
from deskhand.catalogue.threads import NewChat, NewCustomerThread, NewNote, NewReply, ScheduleThread, ThreadStep
from deskhand.lib.text import fold

Kind = Literal["status", "owner", "tag", "copy", "address", "text", "patch", "speaks", "auto reply"]
AGENT = ""
"""Where limits go by an operation's name: the name of those that hold for all that an agent does."""


class Hours(msgspec.Struct, frozen=True):
    """When an agent may act: minutes of the day in a time zone, and weekdays (Monday is 1).

    An end before the start means the next morning, which belongs to the day on which the hours began.
    """

    start: int
    end: int
    zone: str
    days: frozenset[int]

    def reach(self, now: datetime) -> bool:
        """Whether a moment lies in these hours."""
        zone = time_zone(self.zone)
        if zone is None:
            return False  # not known here any more
        there = now.astimezone(zone)
        minute, day = there.hour * 60 + there.minute, there.isoweekday()
        if self.start < self.end:
            return self.start <= minute < self.end and day in self.days
        return (minute >= self.start and day in self.days) or (minute < self.end and (day - 2) % 7 + 1 in self.days)


@lru_cache(maxsize=1024)
def time_zone(name: str) -> tzinfo | None:
    """A time zone by its IANA name; None where it is not known."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


class Limits(msgspec.Struct, frozen=True):
    """What arguments may be; None where nothing is limited. Tags are folded as the desk does, domains in lower case.

    `speak_for_others` is not a limit but lifts one: nobody may unless it is true. `max_text` counts characters, those
    of HTML tags too. A PATCH path takes those beneath it along: `/emails` reaches `/emails/7/value`. Where domains are
    limited a customer must be named by address, for an id does not tell where mail goes.
    """

    statuses: frozenset[str] | None = None
    assign_to: frozenset[int] | None = None
    tags: frozenset[str] | None = None
    recipient_domains: frozenset[str] | None = None
    max_text: int | None = None
    patch_paths: frozenset[str] | None = None
    speak_for_others: bool | None = None
    hours: Hours | None = None


Argument = tuple[Kind, str, Any, str]
"""What an argument means, where it stands in the body, its value, and the operation whose limits it is within."""


class Outside(NamedTuple):
    """What is not within the limits, and the limit in words."""

    path: str
    rule: str


def outside(limits: Mapping[str, Limits], asked: Asked, now: datetime) -> Outside | None:
    """The first argument of a call outside the limits, or None.

    `limits` go by the names of the operations that the call amounts to, those of the agent by AGENT. All hold that
    reach an argument: the agent's, those of the operation called, of the thread that it stands in, and of the
    operation that sets such a thing by itself.
    """
    for one in limits.values():
        if one.hours is not None and not one.hours.reach(now):
            return Outside("hours", f"it may {_WORDS['hours'](one.hours)}")
    if type(asked.body) not in READERS:
        return None
    called = setting(asked.operation.name)
    own = [limits[name] for name in (AGENT, called) if name in limits]
    for kind, path, value, operation in arguments(asked):
        held = own
        if len(limits) > len(own):
            more = {operation, _SET_BY.get(kind, operation)} - {called}
            held = [*own, *(limits[name] for name in more if name in limits)]
        if kind == "speaks":
            if not speaks(held):
                return Outside(path, "it may not speak for others")
        elif kind in _CHECKS:
            field, within = _CHECKS[kind]
            for one in held:
                allowed = getattr(one, field)
                if allowed is not None and not within(allowed, value):
                    return Outside(path, f"it may {_WORDS[field](allowed)}")
    return None


def beyond_a_draft(asked: Asked) -> Outside | None:
    """The first argument that can't go with a reply that is forced to be a draft, or None.

    A new conversation must have a status, so it is only refused one that is not the usual.
    """
    for kind, path, value, operation in arguments(asked):
        usual = kind == "status" and operation == "create_conversation" and value in ("active", "open")
        if kind in _NOT_WITH_DRAFTS and not usual:
            whole = (
                path.rpartition("[")[0] if kind == "copy" else path
            )  # not one address is wrong, but that there are any
            return Outside(whole, "its replies are drafts, which set nothing and go to nobody else")
    return None


def beyond_a_workflow(limits: Mapping[str, Limits], does: Sequence[str]) -> Outside | None:
    """The first limit on what a workflow may set by what it does, or None; its values can't be held against that."""
    for name in does:
        for held in (limits[one] for one in (AGENT, name) if one in limits):
            for field in _SETS.get(name, ()):
                if (allowed := getattr(held, field)) is not None:
                    return Outside("workflowId", f"it may {_WORDS[field](allowed)}, and workflows set what they like")
    return None


_SETS = {
    "update_conversation": ("statuses", "assign_to"),
    "set_conversation_tags": ("tags",),
    "add_note": ("max_text",),
    "reply_to_conversation": ("recipient_domains", "max_text"),
}
"""Which limits are about what an operation sets when a workflow does it."""
_NOT_WITH_DRAFTS = ("status", "owner", "copy", "speaks", "auto reply")
_SET_BY: dict[Kind, str] = {
    "status": "update_conversation",
    "owner": "update_conversation",
    "tag": "set_conversation_tags",
}


def speaks(limits: Sequence[Limits]) -> bool:
    """Whether speaking for others is granted: the most particular of the limits, the last, that says so decides."""
    said = [one.speak_for_others for one in limits if one.speak_for_others is not None]
    return bool(said) and said[-1]


def in_words(limits: Limits, people: Mapping[int, str] | None = None) -> list[str]:
    """What an agent may within limits, as what follows "it may", for people to read: they know names, not ids."""
    names: dict[str, Callable[[Any], str]] = {
        "assign_to": lambda id: (people or {}).get(id) or f"user {id}",
        "patch_paths": lambda path: _FIELDS.get(path, path),
    }
    said = []
    for field, words in _WORDS.items():
        held = getattr(limits, field)
        if held is not None:
            said.append(words(frozenset(map(names[field], held)) if field in names else held))
    return [*said, "speak for others"] if limits.speak_for_others else said


# -- What the arguments of a call are


def arguments(asked: Asked) -> Iterator[Argument]:
    """The arguments in a call's body that limits know of, in its order."""
    read = READERS.get(type(asked.body))
    return read(asked) if read is not None else iter(())


def _fields(asked: Asked) -> Iterator[Argument]:
    return _meant(asked.body, setting(asked.operation.name), "")


def _conversation(asked: Asked) -> Iterator[Argument]:
    yield from _fields(asked)
    for position, thread in enumerate(asked.body.threads):
        yield from _meant(thread, THREADS[thread.type], f"threads[{position}].")


def _meant(body: msgspec.Struct, operation: str, at: str) -> Iterator[Argument]:
    """The fields of a shape whose names tell what they mean; what was not given is left out."""
    for attribute, name, kind in _known_fields(type(body)):
        given = getattr(body, attribute)
        if given is UNSET or given is False or (given is None and kind != "owner"):
            continue
        if type(given) is list:
            for position, one in enumerate(given):
                yield kind, f"{at}{name}[{position}]", one, operation
        elif type(given) is not CustomerReference:
            yield kind, at + name, given, operation
        elif given.id is not None:  # comes before an address, and where they read mail the desk alone knows
            yield kind, f"{at}{name}.id", given.id, operation
        elif given.email is not None:
            yield kind, f"{at}{name}.email", given.email, operation


@cache
def _known_fields(shape: type[msgspec.Struct]) -> tuple[tuple[str, str, Kind], ...]:
    return tuple((name, *_MEANINGS[name]) for name in shape.__struct_fields__ if name in _MEANINGS)


_MEANINGS: dict[str, tuple[str, Kind]] = {
    "text": ("text", "text"),
    "chat_text": ("chatText", "text"),
    "status": ("status", "status"),
    "assign_to": ("assignTo", "owner"),
    "customer": ("customer", "address"),
    "cc": ("cc", "copy"),
    "bcc": ("bcc", "copy"),
    "tags": ("tags", "tag"),
    "user": ("user", "speaks"),
    "imported": ("imported", "speaks"),
    "created_at": ("createdAt", "speaks"),
    "send_as_creator": ("sendAsCreator", "speaks"),
    "auto_reply": ("autoReply", "auto reply"),
}


THREADS = {
    "reply": "reply_to_conversation",
    "note": "add_note",
    "chat": "add_chat",
    "phone": "add_phone",
    "customer": "add_customer_thread",
}
"""The operations that add a thread of each kind; their limits hold for those threads of a new conversation too."""


def _emails(asked: Asked) -> Iterator[Argument]:
    for position, email in enumerate(asked.body.emails or ()):
        yield "address", f"emails[{position}].value", email.value, setting(asked.operation.name)


def _email(asked: Asked) -> Iterator[Argument]:
    yield "address", "value", asked.body.value, setting(asked.operation.name)


def _steps(asked: Asked) -> Iterator[Argument]:
    if type(asked.body) is not list:
        yield from _step(asked, asked.body, "")
    else:
        for position, step in enumerate(asked.body):
            yield from _step(asked, step, f"[{position}].")


def _step(asked: Asked, step: Any, at: str) -> Iterator[Argument]:
    """A step of a JSON Patch: its path, and its value where the path tells what that means."""
    operation = setting(asked.operation.name)
    yield "patch", at + "path", patch_path(step.path or ""), operation
    match asked.operation.resource, letters(step.path or ""):
        case Resource.CONVERSATIONS, "status":
            yield "status", at + "value", step.value, operation
        case Resource.CONVERSATIONS, "assignto" if step.op != "remove":
            yield "owner", at + "value", step.value, operation
        case Resource.CONVERSATIONS, what if "customer" in what:
            yield "address", at + "value", step.value, operation
        case Resource.THREADS, "text":
            yield "text", at + "value", step.value, operation
        case Resource.CUSTOMERS, _:
            for address in _addresses(step.value):
                yield "address", at + "value", address, operation


def patch_path(given: str) -> str:
    """A JSON Patch path as limits name it: the desk takes it with and without its first slash."""
    return "/" + given.removeprefix("/")


def _addresses(given: Any) -> Iterator[str]:
    """All that look like e-mail addresses in a value, however it is built."""
    if isinstance(given, str):
        if "@" in given:
            yield given
    elif isinstance(given, dict):
        for one in given.values():
            yield from _addresses(one)
    elif isinstance(given, list):
        for one in given:
            yield from _addresses(one)


READERS: dict[type, Callable[[Asked], Iterator[Argument]]] = {
    **dict.fromkeys(
        (NewReply, NewNote, NewChat, NewCustomerThread, ScheduleThread, SetTags, SavedReplyFields), _fields
    ),
    **dict.fromkeys((list, Patch, ThreadStep), _steps),
    NewConversation: _conversation,
    NewCustomer: _emails,
    NewEmail: _email,
}
"""How the arguments in a body of each shape are found."""


# -- What may be


def _is_status(allowed: frozenset[str], value: Any) -> bool:
    return isinstance(value, str) and ("active" if value == "open" else value) in allowed


def _is_owner(allowed: frozenset[int], value: Any) -> bool:
    """Giving a conversation back to nobody is no assignment."""
    return value is None or given_id(value) in allowed


def _is_tag(allowed: frozenset[str], value: str) -> bool:
    return fold(value.strip()) in allowed


def _is_recipient(allowed: frozenset[str], value: Any) -> bool:
    """A customer by id is none: that tells no address."""
    return isinstance(value, str) and domain(value) in allowed


def domain(address: str) -> str:
    """What stands behind the @ of an address, in lower case."""
    return address.rpartition("@")[2].strip().lower()


def _is_short(allowed: int, value: Any) -> bool:
    return not isinstance(value, str) or len(value) <= allowed  # what is no text is refused by the desk


def _is_path(allowed: frozenset[str], value: str) -> bool:
    return value in allowed or any(value.startswith(path + "/") for path in allowed)


_CHECKS: dict[Kind, tuple[str, Callable[[Any, Any], bool]]] = {
    "status": ("statuses", _is_status),
    "owner": ("assign_to", _is_owner),
    "tag": ("tags", _is_tag),
    "copy": ("recipient_domains", _is_recipient),
    "address": ("recipient_domains", _is_recipient),
    "text": ("max_text", _is_short),
    "patch": ("patch_paths", _is_path),
}
_WORDS: dict[str, Callable[[Any], str]] = {
    "statuses": lambda allowed: f"set the status to {_any_of(allowed)} only",
    "assign_to": lambda allowed: f"assign to {_any_of(allowed)} only",
    "tags": lambda allowed: f"set the tags {_any_of(allowed)} only",
    "recipient_domains": lambda allowed: f"name addresses at {_any_of(allowed)} only",
    "max_text": lambda allowed: f"write {allowed:,} characters at a time",
    "patch_paths": lambda allowed: f"change {_any_of(allowed)} only",
    "hours": lambda allowed: f"act {_hours(allowed)} only",
}
_FIELDS = {
    "/subject": "the subject",
    "/mailboxId": "the inbox",
    "/status": "the status",
    "/assignTo": "the owner",
    "/primaryCustomer.id": "the customer",
    "/draft": "whether it is a draft",
    "/text": "the text",
    "/hidden": "whether it is hidden",
}
"""The fields of patches as people read them; a refusal names the path, as the program that is refused wrote it."""
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_SHOWN_MOST = 8


def _hours(hours: Hours) -> str:
    days = "" if len(hours.days) == len(_DAYS) else f" on {listed([_DAYS[day - 1] for day in sorted(hours.days)])}"
    return f"from {clock_time(hours.start)} to {clock_time(hours.end)}{days} ({hours.zone})"


def clock_time(minute: int) -> str:
    """A minute of the day as people write it."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _any_of(allowed: frozenset[Any]) -> str:
    return listed([str(one) for one in sorted(allowed)], "or") or "nothing"


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names one after another, the first few of many."""
    if len(names) > _SHOWN_MOST:
        names = [*names[: _SHOWN_MOST - 1], f"{len(names) - _SHOWN_MOST + 1} more"]
    return f" {last} ".join([piece for piece in (", ".join(names[:-1]), *names[-1:]) if piece])
