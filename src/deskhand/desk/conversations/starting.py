"""Starting a conversation through the API: its customer, threads, tags and fields, all at once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from deskhand.catalogue import events
from deskhand.catalogue.conversations import NewConversation
from deskhand.catalogue.problems import (
    AccessDenied,
    BadRequest,
    FieldError,
    PreconditionFailed,
    empty,
    invalid,
    unknown_id,
)
from deskhand.catalogue.threads import MOST
from deskhand.db.engine import Writer
from deskhand.db.statements import Insert
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations import fields, new_rows
from deskhand.desk.conversations.mail import mailing
from deskhand.desk.conversations.owners import require_author, require_owner, to_own
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.replying import Files
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.conversations.tagging import attach, tags_as_json
from deskhand.desk.conversations.writing import ThreadRow, add_thread, count, tell
from deskhand.desk.customers import verbs as customers
from deskhand.desk.customers.queries import CustomerRow
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.folders import folder_id, home
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.search import index
from deskhand.desk.tags import verbs as tags
from deskhand.lib.blobs import Blob
from deskhand.lib.text import plain, preview, sort_key

_ADD = Insert(conversation, new_rows.ConversationRow)


def start(tx: Writer, actor: Actor, new: NewConversation, stored: Sequence[Blob], now: str) -> int:
    """Start a conversation; gives its id.

    Raises BadRequest naming the fields at fault, AccessDenied for an inbox the caller may not see, and
    PreconditionFailed for more than 100 threads.
    """
    if actor.role == "light user":
        raise AccessDenied
    _check_threads(new)
    inbox = _inbox(tx, actor, new.mailbox_id)
    author = require_author(tx, actor, new.user)
    owner = require_owner(tx, actor, new.assign_to, _default_owner(tx, inbox, new))
    values = fields.checked(tx, actor.account_id, inbox.id, new.fields or ())
    customer = customers.find_or_create(tx, actor.account_id, new.customer, actor, now, keep=True)
    tag_rows = tags.named(tx, actor.account_id, new.tags or (), now, actor_id=actor.user_id)
    threads = new_rows.threads(tx, actor, new, inbox, customer, author, owner, now)
    facts = new_rows.facts(threads)
    row = new_rows.row(tx, actor, new, inbox, customer, author, owner, threads, facts, now)
    row = msgspec.structs.replace(row, tags=tags_as_json(tag_rows), custom_fields=fields.as_json(values))
    id = tx.add(_ADD, row)
    replies = []
    files = iter(stored)
    for position, (given, thread) in enumerate(zip(new.threads, threads, strict=True)):
        with_files: Files = [(file, next(files)) for file in given.attachments or ()]
        since, first = facts.threads.get(position, (None, 0))
        thread = msgspec.structs.replace(thread, conversation_id=id, waited_since=since, first_reply=first)
        thread_id = add_thread(tx, thread, with_files)
        if thread.type == "message":
            replies.append(thread_id)
    attach(tx, actor.account_id, id, tag_rows)
    if values:
        fields.write(tx, actor.account_id, id, values)
    body = tuple(plain(thread.text) for thread in new.threads)
    index.add(tx, actor.account_id, id, row.subject, body)
    head = new_rows.head(id, row)
    count(tx, head, 1)
    mailing.queue(tx, head, replies, now)
    if row.state != "draft":
        tell(tx, actor, head, events.CONVERSATION_CREATED, now, imported=bool(new.imported))
    return id


def start_by_mail(
    tx: Writer, inbox: InboxRow, customer: CustomerRow, email: str, subject: str, first: ThreadRow, now: str
) -> Head:
    """Start a conversation that a customer's mail begins; its `first` thread is to be added, and it to be told of."""
    kind = home(state="published", status="active", assigned=False, snoozed=False)
    row = new_rows.ConversationRow(
        account_id=inbox.account_id,
        number=tx.first(new_rows.NEXT_NUMBER, id=inbox.account_id),
        inbox_id=inbox.id,
        folder_id=folder_id(inbox.id, kind),
        type="email",
        status="active",
        state="published",
        subject=subject,
        subject_key=sort_key(subject),
        preview=preview(first.body or ""),
        threads=1,
        capped_threads=1,
        customer_id=customer.id,
        customer_email=email,
        customer_name=customers.folded_name(customer.first_name, customer.last_name),
        assignee_id=None,
        created_by_type="customer",
        created_by_id=customer.id,
        source_type="email",
        source_via="customer",
        created_at=first.created_at,
        modified_at=now,
        user_updated_at=first.created_at,
        closed_at=None,
        closed_by=None,
        waiting_since=first.created_at,
        replies=0,
        first_reply_at=None,
        latest_reply_from="customer",
        cc=first.cc,
        bcc="[]",
        tags="[]",
        custom_fields="[]",
        attachments=int(first.attachments > 0),
    )
    head = new_rows.head(tx.add(_ADD, row), row)
    index.add(tx, inbox.account_id, head.id, subject, (plain(first.body or ""),))
    count(tx, head, 1)
    return head


def _check_threads(new: NewConversation) -> None:
    if len(new.threads) > MOST:
        text = f"a conversation can have at most {MOST} threads"
        raise PreconditionFailed(FieldError("threads", text, "precondition-failed"))
    faults: list[FieldError] = [] if new.threads else [empty("threads")]
    for position, thread in enumerate(new.threads):
        path = f"threads[{position}]"
        if thread.customer is None and thread.type != "note":
            faults.append(empty(f"{path}.customer"))
        if thread.created_at and not (thread.imported or new.imported):
            text = "is only allowed with imported true"
            faults.append(FieldError(f"{path}.createdAt", text, "DateFormat", str(thread.created_at)))
    if faults:
        raise BadRequest(*faults)
    if new.created_at and not new.imported:
        raise invalid("createdAt", "is only allowed with imported true", "DateFormat", str(new.created_at))
    if new.closed_at and not (new.imported and new.status == "closed"):
        text = "is only allowed with imported true and status closed"
        raise invalid("closedAt", text, "DateFormat", str(new.closed_at))


def _inbox(tx: Writer, actor: Actor, id: int) -> InboxRow:
    inbox = inboxes.by_id(tx, actor.account_id, id)
    if inbox is None or not access.may_know(actor, id):
        raise unknown_id("mailboxId", id, "inbox")
    access.require_inbox(actor, inbox.id)
    return inbox


def _default_owner(tx: Writer, inbox: InboxRow, new: NewConversation) -> int | None:
    """Without a word about the owner, a conversation with a reply goes to whom the inbox's setting names."""
    replied = any(thread.type == "reply" for thread in new.threads)
    if not replied or new.assign_to is not UNSET or inbox.default_assignee_id is None:
        return None
    owner = to_own(tx, inbox.account_id, inbox.default_assignee_id)
    return None if owner is None else owner.id
