"""Doing what a workflow's actions say, inside the caller's transaction, and telling of it in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.conversations import GivenField, Patch, SnoozeConversation
from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.threads import NewNote, NewReply
from deskhand.catalogue.values import WireTime
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations import changing, fields, replying, tagging
from deskhand.desk.conversations import queries as conversations
from deskhand.desk.conversations.mail import answering, loops
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import conversation, thread, thread_mail
from deskhand.desk.conversations.timing import snoozing
from deskhand.desk.customers import queries as customers
from deskhand.desk.inboxes import queries as inboxes
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
from deskhand.desk.workflows.cases import SOURCE
from deskhand.desk.workflows.naming import Named, SavedReply, in_words
from deskhand.lib.clock import from_wire, to_wire
from deskhand.mail.variables import filled, people
from deskhand.outbox import events

WEBHOOK_CALLED = "workflow.webhook"
"""The event by which a workflow asks for a conversation to be sent to a webhook; nobody can subscribe to it."""
REPLIES_MOST = 10
"""Replies that workflows send a customer by themselves within a day: machines that do not say so come to rest."""


class Called(msgspec.Struct, frozen=True):
    """The particulars of such an event: which webhook, and which workflow asked for it."""

    webhook: int
    workflow: int


_NEWEST_BY_CUSTOMER = (
    sa.select(thread.c.id)
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.conversation_id == P("conversation_id"),
        thread.c.type == sa.literal_column("'customer'"),
        thread.c.state == sa.literal_column("'published'"),
    )
    .order_by(thread.c.created_at.desc(), thread.c.id.desc())
    .limit(sa.literal_column("1"))
    .scalar_subquery()
)
# Of their conversations only those that changed since are looked into.
_REPLIES = value(
    int,
    sa.select(sa.func.count())
    .select_from(conversation.join(thread, thread.c.conversation_id == conversation.c.id))
    .where(
        conversation.c.account_id == P("account_id"),
        conversation.c.customer_id == P("customer_id"),
        conversation.c.modified_at > P("since"),
        thread.c.created_at > P("since"),
        thread.c.source_type == sa.literal_column(f"'{SOURCE}'"),
    ),
)
_AUTOMATIC = value(
    int,
    sa.select(thread_mail.c.automatic).where(
        thread_mail.c.account_id == P("account_id"), thread_mail.c.thread_id == _NEWEST_BY_CUSTOMER
    ),
)


def carry_out(
    tx: Writer, actor: Actor, id: int, actions: Sequence[Action], named: Named, now: str, workflow_id: int
) -> str:
    """Do all of it, in order; gives what was done in words. Raises what the verbs of the conversations slice do.

    A workflow that acts by itself answers no machine: then its reply is left out, and the words say so.
    """
    done = []
    for action in actions:
        silent = ""
        if isinstance(action, Reply) and actor.chain:
            silent = why_silent(tx, conversations.head(tx, actor, id), now)
        if not silent:
            _carry_out(tx, actor, id, action, named, now, workflow_id)
        done.append(told(action, named, silent))
    return ", ".join(done) or "nothing to do"


def told(action: Action, named: Named, silent: str) -> str:
    """What became of an action, in words; `silent` says why there was no reply."""
    return f"sent no reply, because {silent}" if silent else in_words(action, named)


def why_silent(db: Reader, head: Head, now: str) -> str:
    """Why no machine may answer a conversation, in words; empty where it may."""
    if not head.customer_email:
        return "the customer has no address here"
    if head.status == "spam":
        return "it is spam"
    if not answering.is_answerable(head.customer_email):
        return "nobody reads mail to the customer's address"
    if answering.is_inbox(db, head.customer_email):
        return "the customer's address is an inbox here"
    if db.one(_AUTOMATIC, account_id=head.account_id, conversation_id=head.id):
        return "the customer's last message was sent by a machine"
    if loops.tripped(db, head.account_id, head.id, head.customer_email.rpartition("@")[2].lower(), now):
        return "too much mail came here within a few minutes"
    given = {"account_id": head.account_id, "customer_id": head.customer_id}
    if db.first(_REPLIES, **given, since=to_wire(from_wire(now) - timedelta(days=1))) >= REPLIES_MOST:
        return f"workflows sent the customer {REPLIES_MOST} within a day"
    return ""


def _carry_out(tx: Writer, actor: Actor, id: int, action: Action, named: Named, now: str, workflow_id: int) -> None:
    match action:
        case SetStatus(status):
            _patch(tx, actor, id, Patch(op="replace", path="/status", value=status), now)
        case Assign(None):
            _patch(tx, actor, id, Patch(op="remove", path="/assignTo"), now)
        case Assign(owner):
            _patch(tx, actor, id, Patch(op="replace", path="/assignTo", value=owner), now)
        case Move(inbox_id):
            _patch(tx, actor, id, Patch(op="move", path="/mailboxId", value=inbox_id), now)
        case AddTags(tag_ids):
            tagging.add_and_remove(tx, actor, id, [named.tags[tag_id] for tag_id in tag_ids], (), now)
        case RemoveTags(tag_ids):
            tagging.add_and_remove(tx, actor, id, (), tag_ids, now)
        case AddNote(text):
            replying.add_note(tx, actor, id, NewNote(text=text), (), now)
        case SetField(field_id, value):
            _set_field(tx, actor, id, GivenField(id=field_id, value=value), now)
        case Reply(reply_id):
            _reply(tx, actor, id, named.replies[reply_id], now)
        case Snooze():
            until = SnoozeConversation(snoozed_until=WireTime(to_wire(from_wire(now) + action.time)))
            snoozing.snooze(tx, actor, id, until, now, line_item=False)
        case Unsnooze():
            snoozing.unsnooze(tx, actor, id, now, line_item=False)
        case CallWebhook(webhook_id):
            _call(tx, actor, id, Called(webhook_id, workflow_id), now)


def _patch(tx: Writer, actor: Actor, id: int, patch: Patch, now: str) -> None:
    changing.change(tx, actor, id, [patch], now, line_items=False)


def _set_field(tx: Writer, actor: Actor, id: int, given: GivenField, now: str) -> None:
    """Set one field; the others keep their values."""
    kept = fields.from_json(conversations.head(tx, actor, id).custom_fields)
    others = [GivenField(id=one.id, value=one.value) for one in kept if one.id != given.id]
    changing.set_fields(tx, actor, id, [*others, given], now)


def _reply(tx: Writer, actor: Actor, id: int, saved: SavedReply, now: str) -> None:
    """Answer the conversation's customer; status and owner stay."""
    head = conversations.head(tx, actor, id)
    text = filled(saved.text or "", _values(tx, actor, head))
    new = NewReply(text=text, customer=CustomerReference(id=head.customer_id), status="all")
    source = SOURCE if actor.chain else "api"
    replying.reply(tx, actor, id, new, (), now, saved_reply_id=saved.id, source_type=source)


def _values(db: Reader, actor: Actor, head: Head) -> dict[str, str]:
    """What variables in a saved reply stand for; what a workflow sends by itself comes from the inbox."""
    inbox = inboxes.by_id(db, head.account_id, head.inbox_id)
    name, email = (inbox.name, inbox.email) if inbox else ("", "")
    author = people("user", name, "", email)
    if not actor.chain and (user := users.by_id(db, head.account_id, actor.user_id)):
        author = people("user", user.first_name, user.last_name, user.email)
    customer = customers.by_id(db, head.account_id, head.customer_id)
    first, last = (customer.first_name, customer.last_name) if customer else ("", "")
    return {
        **author,
        **people("customer", first, last, head.customer_email),
        "mailbox.name": name,
        "mailbox.email": email,
        "conversation.number": str(head.number),
        "conversation.subject": head.subject,
    }


def _call(tx: Writer, actor: Actor, id: int, called: Called, now: str) -> None:
    """The webhooks slice, which lies above this one, listens for it."""
    head = conversations.head(tx, actor, id)
    events.record(
        tx,
        events.Event(
            account_id=head.account_id,
            name=WEBHOOK_CALLED,
            subject_id=id,
            inbox_id=head.inbox_id,
            actor_id=actor.user_id,
            at=now,
            particulars=msgspec.json.encode(called).decode(),
        ),
    )
