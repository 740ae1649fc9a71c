"""Workflows as sentences: if this or that, and something else, then do so. For people who read and write them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from deskhand.db.engine import Reader
from deskhand.desk.conversations import fields
from deskhand.desk.workflows import conditions, naming
from deskhand.desk.workflows.actions import (
    Action,
    AddNote,
    AddTags,
    Assign,
    CallWebhook,
    Move,
    RemoveTags,
    Reply,
    SetField,
    SetStatus,
    Snooze,
    Unsnooze,
)
from deskhand.desk.workflows.conditions import Condition, Created, LastCustomerReply, LastUserReply, Time, WaitingSince
from deskhand.desk.workflows.given import Shown
from deskhand.desk.workflows.naming import Named

Moment = Callable[[str], str]
"""A moment of the wire as somebody reads it."""

_TIMES: dict[type[Time], tuple[str, str]] = {
    Created: ("it began {0} ago", "it began {0}"),
    WaitingSince: ("the customer has waited for {0}", "the customer has waited since {0}"),
    LastUserReply: ("the team last replied {0} ago", "the team last replied {0}"),
    LastCustomerReply: ("the customer last wrote {0} ago", "the customer last wrote {0}"),
}
"""What is said of a span, and of a moment."""


class Sentence(msgspec.Struct, frozen=True):
    """What a workflow says: every group must hold, by any condition in it; then the actions are carried out."""

    groups: list[list[str]]
    actions: list[str]


def of_all(db: Reader, account_id: int, workflows: Sequence[Shown], moment: Moment) -> dict[int, Sentence]:
    """Workflows as sentences, by id; at most six statements."""
    actions = [action for one in workflows for action in one.actions]
    every = [condition for one in workflows for condition in conditions.every(one.conditions)]
    named = naming.named_by(db, account_id, {one.inbox_id for one in workflows}, actions, every)
    return {one.id: sentence(one, named, moment) for one in workflows}


def sentence(one: Shown, named: Named, moment: Moment) -> Sentence:
    """A workflow as a sentence; what it names and is gone goes by its id."""
    return Sentence(
        [[condition_in_words(condition, named, moment) for condition in group.any] for group in one.conditions],
        [action_in_words(action, named) for action in one.actions],
    )


def condition_in_words(condition: Condition, named: Named, moment: Moment) -> str:
    """A condition as people say it."""
    if not isinstance(condition, Time):
        return conditions.in_words(condition, named.name)
    span, at = _TIMES[type(condition)]
    if condition.unit is None:
        return at.format(f"{condition.op} {moment(str(condition.value))}")
    unit = condition.unit.removesuffix("s") if condition.value == 1 else condition.unit
    return span.format(f"{condition.op.replace('_', ' ')} {condition.value} {unit}")


def action_in_words(action: Action, named: Named) -> str:
    """What is to be done, as people say it."""
    match action:
        case SetStatus(status):
            return "mark it as spam" if status == "spam" else f"set its status to {status}"
        case Assign(None):
            return "take its owner away"
        case Assign(int(owner)):
            return f"assign it to {named.name('owner', owner)}"
        case AddTags(ids):
            return f"add the {_tags(ids, named)}"
        case RemoveTags(ids):
            return f"remove the {_tags(ids, named)}"
        case Move(target):
            return f"move it to {named.name('inbox', target)}"
        case AddNote():
            return "leave a note"
        case SetField(id, value):
            field = named.fields.get(id)
            shown = (fields.read(field, value)[0] if field else "") or value
            return f"set {named.name('field', id)} to “{shown}”" if value else f"clear {named.name('field', id)}"
        case Reply(id):
            return f"reply with “{named.replies[id].name if id in named.replies else f'saved reply {id}'}”"
        case Snooze():
            return f"snooze it for {action.words}"
        case Unsnooze():
            return "end its snooze"
        case CallWebhook(id):
            return f"tell the webhook {naming.called(named.webhooks[id]) if id in named.webhooks else id}"
    raise TypeError(action)


def _tags(ids: Iterable[int], named: Named) -> str:
    names = [named.name("tag", id) for id in ids]
    return f"{'tag' if len(names) == 1 else 'tags'} {', '.join(names)}"
