"""A webhook as it is shown and as its form has it, and what the form sends as the API takes it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from deskhand.catalogue.events import EVENTS, EventKind
from deskhand.catalogue.problems import BadRequest
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.webhooks.queries import WebhookRow
from deskhand.web.forms import Form
from deskhand.web.settings.forms import Wrong, wrong_with

_GROUPS = {
    "convo": "Conversations",
    "customer": "Customers",
    "organization": "Organizations",
    "tag": "Tags",
    "satisfaction": "Ratings",
    "user": "Users",
}
_DEFAULT = ("convo.created", "convo.customer.reply.created", "convo.agent.reply.created")


class Typed(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as its form has it."""

    url: str = ""
    label: str = ""
    events: tuple[str, ...] = _DEFAULT
    inbox_ids: tuple[int, ...] = ()
    version: str = "V3"
    notification: bool = False
    secret: str = ""


def sent(form: Form) -> Typed:
    """The form as it was sent."""
    return Typed(
        url=form.text("url"),
        label=form.text("label"),
        events=tuple(form.texts("events")),
        inbox_ids=tuple(form.ids("mailbox_ids")) if form.text("scope") == "some" else (),
        version=form.text("payload_version") or "V2",
        notification=form.has("notification"),
        secret=form.text("secret"),
    )


def given(typed: Typed, secret: str) -> dict[str, Any]:
    """As the API takes it."""
    return {
        "url": typed.url,
        "events": list(typed.events),
        "secret": secret,
        "notification": typed.notification,
        "payloadVersion": typed.version,
        "label": typed.label or None,
        "mailboxIds": list(typed.inbox_ids),
    }


_WORDS = {"url": "Address", "events": "Events", "secret": "Secret", "label": "Name", "mailbox_ids": "Inboxes"}


def wrong(problem: BadRequest) -> Wrong:
    """What is wrong with the form's fields, as they are called there."""
    found = wrong_with(problem)
    if any(fault.path == "events" for fault in problem.errors):
        found["events"] = "Choose at least one event."
    heads = {name: name.replace("_", " ").capitalize() for name in found}
    return {name: text.replace(heads[name], _WORDS.get(name, heads[name]), 1) for name, text in found.items()}


def groups(chosen: tuple[str, ...]) -> list[tuple[str, list[EventKind]]]:
    """Events by what they are about; such as never happen here are left out unless they were chosen."""
    found: dict[str, list[EventKind]] = {}
    for kind in EVENTS:
        if kind.emitted or kind.name in chosen:
            title = _GROUPS.get(kind.group, "Others") if kind.emitted else "Others, which never happen here"
            found.setdefault(title, []).append(kind)
    return list(found.items())


class Shown(msgspec.Struct, frozen=True):
    """A webhook as people see it."""

    id: int
    name: str
    url: str
    on: bool
    because: str
    events: list[str]
    inboxes: list[str]
    version: str
    notification: bool
    created_by: int


def shown(row: WebhookRow, every: list[InboxRow]) -> Shown:
    """A webhook with the names of its inboxes."""
    names = {one.id: one.name for one in every}
    told_of = msgspec.json.decode(row.inbox_ids, type=list[int])
    return Shown(
        row.id, row.label or urlsplit(row.url).hostname or row.url, row.url, row.state == "enabled",
        row.disabled_because, msgspec.json.decode(row.events, type=list[str]),
        [names.get(id, f"inbox {id}") for id in told_of], row.payload_version, bool(row.notification), row.created_by,
    )  # fmt: skip
