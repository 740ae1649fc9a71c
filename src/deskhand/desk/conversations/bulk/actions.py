"""What can be done to many conversations at once: each action as data, done by the ordinary verbs, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from deskhand.catalogue.conversations import Patch, SnoozeConversation
from deskhand.catalogue.values import WireTime
from deskhand.db.engine import Reader, Writer
from deskhand.desk.call import Actor
from deskhand.desk.conversations import changing, moving, owners, queries, tagging
from deskhand.desk.conversations.timing import snoozing
from deskhand.desk.conversations.writing import add_line_item
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.tags import verbs as tags
from deskhand.desk.tags.queries import by_folded
from deskhand.lib.text import fold

Status = Literal["active", "pending", "closed", "spam"]


class Assign(msgspec.Struct, frozen=True, tag="assign"):
    """Give them to a user or team; None: to nobody."""

    owner_id: int | None


class SetStatus(msgspec.Struct, frozen=True, tag="status"):
    """Make them active, pending, closed or spam."""

    status: Status


class AddTags(msgspec.Struct, frozen=True, tag="tag"):
    """Add tags to those they have."""

    names: tuple[str, ...]


class RemoveTags(msgspec.Struct, frozen=True, tag="untag"):
    """Take tags away."""

    names: tuple[str, ...]


class Move(msgspec.Struct, frozen=True, tag="move"):
    """Move them to another inbox."""

    inbox_id: int


class Snooze(msgspec.Struct, frozen=True, tag="snooze"):
    """Put them aside until a moment; None ends the snooze."""

    until: str | None


class Delete(msgspec.Struct, frozen=True, tag="delete"):
    """Delete them."""


Action: TypeAlias = Assign | SetStatus | AddTags | RemoveTags | Move | Snooze | Delete

_READER: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)


def as_json(action: Action) -> str:
    """An action as it is stored."""
    return msgspec.json.encode(action).decode()


def from_json(text: str) -> Action:
    """An action out of the database."""
    return _READER.decode(text)


def carry_out(tx: Writer, actor: Actor, id: int, action: Action, now: str) -> None:
    """Do it to one conversation, as the API would; raises what the verbs do, before anything is written."""
    match action:
        case Assign(None):
            changing.change(tx, actor, id, [Patch(op="remove", path="/assignTo")], now)
        case Assign(owner_id):
            changing.change(tx, actor, id, [replaced("assignTo", owner_id)], now)
        case SetStatus(status):
            changing.change(tx, actor, id, [replaced("status", status)], now)
        case Move(inbox_id):
            changing.change(tx, actor, id, [replaced("mailboxId", inbox_id)], now)
        case AddTags(names) | RemoveTags(names):
            _tag(tx, actor, id, names, now, add=isinstance(action, AddTags))
        case Snooze(None):
            snoozing.unsnooze(tx, actor, id, now)
        case Snooze(until):
            snoozing.snooze(tx, actor, id, SnoozeConversation(snoozed_until=WireTime(str(until))), now)
        case Delete():
            moving.delete(tx, actor, id, now)


def replaced(path: str, value: object) -> Patch:
    """A step of a change that gives a field a value."""
    return Patch(op="replace", path=f"/{path}", value=value)


def _tag(tx: Writer, actor: Actor, id: int, names: Sequence[str], now: str, *, add: bool) -> None:
    before = queries.head(tx, actor, id, lock=True).tags
    if add:
        wanted = tags.named(tx, actor.account_id, names, now, actor_id=actor.user_id)
        tagging.add_and_remove(tx, actor, id, wanted, (), now)
    else:
        known = by_folded(tx, actor.account_id, [fold(name) for name in names])
        tagging.add_and_remove(tx, actor, id, (), {one.id for one in known.values()}, now)
    after = queries.head(tx, actor, id)
    if after.tags != before:
        who = owners.by_id(tx, actor.account_id, actor.user_id)
        said = "added" if add else "removed"
        plural = "tag" if len(names) == 1 else "tags"
        add_line_item(tx, after, actor, now, f"{who.name if who else 'Someone'} {said} the {plural} {', '.join(names)}")


def in_words(db: Reader, account_id: int, action: Action, how_many: str) -> str:
    """What was done, as a sentence without its full stop: `Closed 12 conversations`."""
    match action:
        case Assign(None):
            return f"Took the owner off {how_many}"
        case Assign(owner_id):
            owner = owners.by_id(db, account_id, owner_id or 0)
            return f"Assigned {how_many} to {owner.name if owner else 'somebody'}"
        case SetStatus("closed"):
            return f"Closed {how_many}"
        case SetStatus(status):
            return f"Marked {how_many} as {status}"
        case Move(inbox_id):
            inbox = inboxes.by_id(db, account_id, inbox_id)
            return f"Moved {how_many} to {inbox.name if inbox else 'another inbox'}"
        case AddTags(names):
            return f"Tagged {how_many} with {', '.join(names)}"
        case RemoveTags(names):
            return f"Took {', '.join(names)} off {how_many}"
        case Snooze(None):
            return f"Woke {how_many}"
        case Snooze(_):
            return f"Snoozed {how_many}"
        case Delete():
            return f"Deleted {how_many}"
