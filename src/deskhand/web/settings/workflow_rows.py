"""A row of the form in which workflows are written: a condition or an action, and what it lets choose among."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from deskhand.desk.workflows.choices import Choices

NOBODY = "nobody"
Shape = Literal[
    "text", "attachment", "tag", "status", "type", "inbox", "assignee", "rating", "time",
    "assign", "move", "note", "field", "reply", "snooze", "webhook", "nothing", "one status",
]  # fmt: skip
"""What a row asks for, and so which fields it has."""
Pairs = tuple[tuple[str, str], ...]

_TEXT_OPS: Pairs = (
    ("contains", "contains"), ("not_contains", "does not contain"), ("is", "is"), ("is_not", "is not"),
    ("starts", "starts with"), ("ends", "ends with"), ("matches", "matches the pattern"),
)  # fmt: skip
_LIST_OPS: Pairs = (("is", "is"), ("is_not", "is not"))
OPS: dict[str, Pairs] = {
    "text": _TEXT_OPS,
    "tag": (("is", "include any of"), ("is_not", "include none of")),
    "status": _LIST_OPS,
    "type": _LIST_OPS,
    "inbox": _LIST_OPS,
    "assignee": _LIST_OPS,
    "rating": (("given", "was given"), ("not_given", "was not given"), ("is", "is"), ("is_not", "is not")),
    "time": (("more_than", "more than"), ("less_than", "less than"), ("before", "before"), ("after", "after")),
    "attachment": (("yes", "there is one"), ("no", "there is none")),
}
"""What can be said of each kind of thing."""
ABOUT: tuple[tuple[str, Pairs], ...] = (
    ("Conversation", (
        ("subject", "The subject"), ("body", "What was written"), ("status", "The status"), ("assignee", "The owner"),
        ("tag", "The tags"), ("type", "The type"), ("inbox", "The inbox"), ("attachment", "An attachment"),
    )),
    ("Customer", (
        ("customer_name", "The customer’s name"), ("customer_email", "The customer’s address"),
        ("customer_domain", "The domain of their address"), ("organization", "The organization"),
    )),
    ("Addresses", (("to", "An address it went to"), ("cc", "An address in copy"))),
    ("Time", (
        ("waiting_since", "The customer has waited"), ("created", "It began"),
        ("last_customer_reply", "The customer last wrote"), ("last_user_reply", "The team last replied"),
    )),
    ("Ratings", (("rating", "A rating"), ("rating_comment", "The comment of a rating"))),
)  # fmt: skip
"""What conditions can be about, by groups."""
DO: Pairs = (
    ("status", "Set its status to"), ("assign", "Assign it to"), ("tag", "Add the tags"), ("untag", "Remove the tags"),
    ("reply", "Reply with"), ("note", "Leave a note"), ("move", "Move it to"), ("snooze", "Snooze it for"),
    ("unsnooze", "End its snooze"), ("webhook", "Tell the webhook"),
)  # fmt: skip
STATUSES: Pairs = (("active", "Active"), ("pending", "Pending"), ("closed", "Closed"), ("spam", "Spam"))
TYPES: Pairs = (("email", "E-mail"), ("chat", "Chat"), ("phone", "Phone"))
RATINGS: Pairs = (("great", "Great"), ("okay", "Okay"), ("not_good", "Not good"))
UNITS: Pairs = (("minutes", "minutes"), ("hours", "hours"), ("days", "days"))
_SHAPES: dict[str, Shape] = {
    "attachment": "attachment", "tag": "tag", "status": "status", "type": "type", "inbox": "inbox",
    "assignee": "assignee", "rating": "rating", "waiting_since": "time", "created": "time",
    "last_customer_reply": "time", "last_user_reply": "time",
}  # fmt: skip
_ACTION_SHAPES: dict[str, Shape] = {
    "status": "one status", "assign": "assign", "tag": "tag", "untag": "tag", "reply": "reply", "note": "note",
    "move": "move", "snooze": "snooze", "unsnooze": "nothing", "webhook": "webhook",
}  # fmt: skip


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A condition or an action as it is written; `about` is what it is about or does, `field:11` names a field.

    `inbox_id`: where the conversation lies by then, so whose fields and saved replies there are.
    """

    key: str
    about: str
    op: str = ""
    text: str = ""
    number: str = ""
    unit: str = "hours"
    at: str = ""
    picked: tuple[str, ...] = ()
    is_html: bool = False
    inbox_id: int = 0

    @property
    def shape(self) -> Shape:
        """What it asks for."""
        if self.about.startswith("field:"):
            return "field" if self.key.startswith("a") else "text"
        return (_ACTION_SHAPES if self.key.startswith("a") else _SHAPES).get(self.about, "text")

    @property
    def takes(self) -> str:
        """What its values are of: rows that take the same can swap what they are about and keep their values."""
        return self.about if self.field_id else self.shape

    @property
    def field_id(self) -> int:
        """The custom field that it is about; 0: none."""
        number = self.about.removeprefix("field:")
        return int(number) if number.isdecimal() and len(number) < 19 else 0


def abouts(choices: Choices, inbox_id: int) -> list[tuple[str, Pairs]]:
    """What conditions can be about, with the custom fields of an inbox."""
    fields = tuple((f"field:{field.id}", field.name) for field in choices.fields.get(inbox_id, ()))
    return [*ABOUT, *([("Custom fields", fields)] if fields else [])]


def deeds(choices: Choices, inbox_id: int) -> list[tuple[str, Pairs]]:
    """What can be done, with the custom fields of the inbox in which it is done."""
    fields = tuple((f"field:{field.id}", f"Set {field.name} to") for field in choices.fields.get(inbox_id, ()))
    return [("Actions", DO), *([("Custom fields", fields)] if fields else [])]


def options(row: Row, choices: Choices) -> list[tuple[str, Pairs]]:
    """What a row lets choose among, by groups with a heading each; one without has none."""
    match row.shape:
        case "tag":
            return [("", _pairs(choices.tags))]
        case "status" | "one status":
            return [("", STATUSES)]
        case "type":
            return [("", TYPES)]
        case "rating":
            return [("", RATINGS)]
        case "inbox" | "move":
            return [("", _pairs(choices.inboxes))]
        case "assignee" | "assign":
            staff = (("Users", choices.users), ("Teams", choices.teams), ("Agents and programs", choices.system_users))
            return [("", ((NOBODY, "Nobody"),)), *((title, _pairs(listed)) for title, listed in staff if listed)]
        case "reply":
            return [("", _pairs(choices.replies.get(row.inbox_id, [])))]
        case "webhook":
            return [("", _pairs(choices.webhooks))]
        case "field":
            field = _field(row, choices)
            return [("", tuple((str(one.id), one.label) for one in field.options))] if field else []
    return []


def field_type(row: Row, choices: Choices) -> str:
    """The type of the custom field that a row sets."""
    field = _field(row, choices)
    return field.type if field else ""


def _field(row: Row, choices: Choices) -> Any:
    return next((one for one in choices.fields.get(row.inbox_id, ()) if one.id == row.field_id), None)


def _pairs(listed: Iterable[Any]) -> Pairs:
    return tuple((str(one.id), one.name) for one in listed)
