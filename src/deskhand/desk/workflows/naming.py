"""What conditions and actions name (owners, tags, inboxes, custom fields, …): is it all there, what is it called."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Sequence
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import FieldError
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, columns, rows
from deskhand.desk.conversations import fields
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.queries import Field
from deskhand.desk.saved_replies.tables import saved_reply
from deskhand.desk.tags.queries import TagRow
from deskhand.desk.tags.tables import tag
from deskhand.desk.users import queries as users
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
from deskhand.desk.workflows.conditions import Condition, FieldValue, Groups, HasAssignee, HasTag, InInbox

_TAGS = rows(
    TagRow,
    sa.select(*columns(tag, *TagRow.__struct_fields__)).where(
        tag.c.account_id == P("account_id"), ids_in(tag.c.id, P("ids", sa.Text))
    ),
)


class SavedReply(msgspec.Struct, frozen=True):
    """A saved reply, for mail; None: it has no text for that."""

    id: int
    inbox_id: int
    name: str
    text: str | None


class Webhook(msgspec.Struct, frozen=True):
    """A webhook."""

    id: int
    url: str
    label: str | None


# Webhooks are a higher slice, so it can't be imported; its table is named here because workflows name webhooks.
_webhook = sa.table(
    "webhook",
    sa.column("id", sa.BigInteger),
    sa.column("account_id", sa.BigInteger),
    sa.column("url", sa.Text),
    sa.column("label", sa.Text),
)
WEBHOOKS = (
    sa.select(_webhook.c.id, _webhook.c.url, _webhook.c.label)
    .where(_webhook.c.account_id == P("account_id"))
    .order_by(_webhook.c.id)
)
_WEBHOOKS = rows(Webhook, WEBHOOKS.where(ids_in(_webhook.c.id, P("ids", sa.Text))))
_REPLIES = rows(
    SavedReply,
    sa.select(*columns(saved_reply, *SavedReply.__struct_fields__)).where(
        saved_reply.c.account_id == P("account_id"),
        ids_in(saved_reply.c.id, P("ids", sa.Text)),
        saved_reply.c.deleted == sa.literal_column("0"),
    ),
)


class Named(msgspec.Struct, frozen=True):
    """Whatever conditions and actions name and is there, by id: owners and inboxes by what they are called."""

    owners: dict[int, str]
    tags: dict[int, TagRow]
    inboxes: dict[int, str]
    fields: dict[int, Field]
    replies: dict[int, SavedReply]
    webhooks: dict[int, Webhook]

    def name(self, kind: str, id: int) -> str:
        """What an owner, tag, inbox or field is called; what is gone goes by its id."""
        match kind:
            case "owner":
                found = self.owners.get(id)
            case "tag":
                found = self.tags[id].name if id in self.tags else None
            case "inbox":
                found = self.inboxes.get(id)
            case _:
                found = self.fields[id].name if id in self.fields else None
        return found or f"{kind} {id}"


def named_by(
    db: Reader,
    account_id: int,
    inbox_ids: Iterable[int],
    actions: Sequence[Action],
    conditions: Sequence[Condition] = (),
) -> Named:
    """What workflows of some inboxes name, as far as it is there; at most six statements."""
    ids: dict[str, set[int]] = {kind: set() for kind in ("owner", "tag", "inbox", "reply", "webhook")}
    for action in actions:
        match action:
            case Assign(int(owner)):
                ids["owner"].add(owner)
            case AddTags(listed) | RemoveTags(listed):
                ids["tag"].update(listed)
            case Move(inbox_id):
                ids["inbox"].add(inbox_id)
            case Reply(reply_id):
                ids["reply"].add(reply_id)
            case CallWebhook(webhook_id):
                ids["webhook"].add(webhook_id)
    targets = set(ids["inbox"])
    for condition in conditions:
        match condition:
            case HasAssignee(_, owners):
                ids["owner"].update(owner for owner in owners if owner is not None)
            case HasTag(_, listed):
                ids["tag"].update(listed)
            case InInbox(_, listed):
                ids["inbox"].update(listed)
    known: list[Field] = []
    if any(isinstance(one, SetField) for one in actions) or any(isinstance(one, FieldValue) for one in conditions):
        known = inboxes.fields_of(db, account_id, (*inbox_ids, *targets))
    staff = users.by_ids(db, account_id, ids["owner"])
    tags, replies, webhooks = (
        db.all(statement, account_id=account_id, ids=json.dumps(sorted(ids[kind]))) if ids[kind] else []
        for kind, statement in (("tag", _TAGS), ("reply", _REPLIES), ("webhook", _WEBHOOKS))
    )
    return Named(
        owners={
            id: f"{row.first_name} {row.last_name}".strip() for id, row in staff.items() if row.state != "inactive"
        },
        tags={row.id: row for row in tags},
        inboxes={id: row.name for id, row in inboxes.by_ids(db, account_id, ids["inbox"]).items()},
        fields={field.id: field for field in known},
        replies={row.id: row for row in replies},
        webhooks={row.id: row for row in webhooks},
    )


def condition_faults(inbox_id: int, groups: Groups, named: Named) -> list[FieldError]:
    """What is wrong with the conditions of a workflow of this inbox, each named as `conditions[i].any[j]`."""
    return [
        FieldError(f"conditions[{number}].any[{place}]", text, "ValidIdentifier")
        for number, group in enumerate(groups)
        for place, condition in enumerate(group.any)
        if (text := _condition_fault(inbox_id, condition, named))
    ]


def _condition_fault(inbox_id: int, condition: Condition, named: Named) -> str:
    match condition:
        case HasAssignee(_, owners):
            return _gone("user or team", [owner for owner in owners if owner is not None], named.owners)
        case HasTag(_, ids):
            return _gone("tag", ids, named.tags)
        case InInbox(_, ids):
            return _gone("inbox", ids, named.inboxes)
        case FieldValue(field=id):
            field = named.fields.get(id)
            return "" if field and field.inbox_id == inbox_id else f"there is no custom field {id} in inbox {inbox_id}"
    return ""


def _gone(what: str, ids: Iterable[int], there: Container[int]) -> str:
    gone = [str(id) for id in ids if id not in there]
    return f"there is no {what} {', '.join(gone)}" if gone else ""


def every_fault(inbox_id: int, groups: Groups, actions: Sequence[Action], named: Named) -> list[FieldError]:
    """What is wrong with a workflow of this inbox: with its conditions, then with its actions."""
    return [*condition_faults(inbox_id, groups, named), *faults(inbox_id, actions, named)]


def faults(inbox_id: int, actions: Sequence[Action], named: Named) -> list[FieldError]:
    """What is wrong with the actions of a workflow of this inbox, each named as `actions[i]`."""
    return list(_faults(inbox_id, actions, named))


def _faults(inbox_id: int, actions: Sequence[Action], named: Named) -> Iterator[FieldError]:
    for position, action in enumerate(actions):
        text = _fault(inbox_id, action, named)
        if text:
            yield FieldError(f"actions[{position}]", text, "ValidIdentifier")
        if isinstance(action, Move):
            inbox_id = action.value


def _fault(inbox_id: int, action: Action, named: Named) -> str:
    match action:
        case Assign(int(owner)) if owner not in named.owners:
            return f"there is no user or team {owner}"
        case AddTags(ids) | RemoveTags(ids):
            return _gone("tag", ids, named.tags)
        case Move(target) if target not in named.inboxes:
            return f"there is no inbox {target}"
        case SetField(id, value):
            field = named.fields.get(id)
            if field is None or field.inbox_id != inbox_id:
                return f"there is no custom field {id} in inbox {inbox_id}"
            problem = fields.read(field, value)[1] if value else ""
            return f"the value of {field.name} {problem}" if problem else ""
        case Reply(id):
            reply = named.replies.get(id)
            if reply is None or reply.inbox_id != inbox_id:
                return f"there is no saved reply {id} in inbox {inbox_id}"
            return "" if reply.text else f"the saved reply {reply.name} has no text for mail"
        case CallWebhook(id) if id not in named.webhooks:
            return f"there is no webhook {id}"
    return ""


def in_words(action: Action, named: Named) -> str:
    """What an action did, for line items; all that it names must be there."""
    match action:
        case SetStatus(status):
            return f"marked as {status}"
        case Assign(None):
            return "unassigned the conversation"
        case Assign(int(owner)):
            return f"assigned to {named.owners[owner]}"
        case AddTags(ids):
            return f"added {_tags(ids, named)}"
        case RemoveTags(ids):
            return f"removed {_tags(ids, named)}"
        case Move(target):
            return f"moved the conversation to {named.inboxes[target]}"
        case AddNote():
            return "added a note"
        case SetField(id, value):
            field = named.fields[id]
            return f"set {field.name} to {fields.read(field, value)[0]}" if value else f"cleared {field.name}"
        case Reply(id):
            return f"replied with {named.replies[id].name}"
        case Snooze():
            return f"snoozed the conversation for {action.words}"
        case Unsnooze():
            return "ended the snooze"
        case CallWebhook(id):
            return f"sent the conversation to the webhook {called(named.webhooks[id])}"
    raise TypeError(action)


def called(webhook: Webhook) -> str:
    """By its label, or else by its host: what follows in an address is often a secret, and many read line items."""
    return webhook.label or urlsplit(webhook.url).hostname or f"{webhook.id}"


def _tags(ids: Sequence[int], named: Named) -> str:
    return f"the tag{'s' if len(ids) > 1 else ''} {', '.join(named.tags[id].name for id in ids)}"
