"""Starting a conversation through the API: its customer, threads, tags and fields, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from deskhand.catalogue import events
from deskhand.catalogue.conversations import NewConversation, NewThread
from deskhand.catalogue.customers import CustomerReference
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
from deskhand.db.statements import Insert, P, value
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations import fields, reply_facts
from deskhand.desk.conversations.mail import mailing
from deskhand.desk.conversations.owners import require_author, require_owner, to_own
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.reply_facts import ReplyFacts, ThreadFacts
from deskhand.desk.conversations.replying import Files, listed
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.conversations.tagging import attach, tags_as_json
from deskhand.desk.conversations.writing import ThreadRow, add_thread, count, tell
from deskhand.desk.customers import verbs as customers
from deskhand.desk.customers.queries import CustomerRow, folded_email
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.inboxes.folders import folder_id, home
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.search import index
from deskhand.desk.tags import verbs as tags
from deskhand.desk.users.tables import account
from deskhand.lib.blobs import Blob
from deskhand.lib.text import plain, preview, sort_key


class ConversationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation to be added; what is not named here begins empty."""

    account_id: int
    number: int
    inbox_id: int
    folder_id: int
    type: str
    status: str
    state: str
    subject: str
    subject_key: str
    preview: str
    threads: int
    capped_threads: int
    customer_id: int
    customer_email: str
    customer_name: str
    assignee_id: int | None
    created_by_type: str
    created_by_id: int
    source_type: str
    source_via: str
    created_at: str
    modified_at: str
    user_updated_at: str
    closed_at: str | None
    closed_by: int | None
    waiting_since: str | None
    replies: int
    first_reply_at: str | None
    latest_reply_from: str | None
    cc: str
    bcc: str
    tags: str
    custom_fields: str
    attachments: int


_ADD = Insert(conversation, ConversationRow)
_NEXT_NUMBER = value(
    int,
    sa.update(account)
    .where(account.c.id == P("id"))
    .values(next_number=account.c.next_number + sa.literal_column("1"))
    .returning(account.c.next_number - sa.literal_column("1")),
)
_BY_CUSTOMER = ("customer", "chat")


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
    threads = _threads(tx, actor, new, inbox, customer, author, owner, now)
    facts = _facts(threads)
    row = _row(tx, actor, new, inbox, customer, author, owner, threads, facts, now)
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
    head = _head(id, row)
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
    row = ConversationRow(
        account_id=inbox.account_id,
        number=tx.first(_NEXT_NUMBER, id=inbox.account_id),
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
    head = _head(tx.add(_ADD, row), row)
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


def _threads(
    tx: Writer,
    actor: Actor,
    new: NewConversation,
    inbox: InboxRow,
    customer: CustomerRow,
    author: int,
    owner: int | None,
    now: str,
) -> list[ThreadRow]:
    rows = []
    # Whoever is made here is in no inbox yet, so an agent narrowed to some could not refer to them a second time.
    known = {_key(new.customer): customer}
    for position, given in enumerate(new.threads):
        who = customer
        if given.customer is not None:
            path, key = f"threads[{position}].customer", _key(given.customer)
            if key not in known:
                known[key] = customers.find_or_create(tx, actor.account_id, given.customer, actor, now, path=path)
            who = known[key]
        by_customer = given.type in _BY_CUSTOMER
        writer = author if given.user is None else require_author(tx, actor, given.user, f"threads[{position}].user")
        rows.append(
            ThreadRow(
                account_id=actor.account_id,
                conversation_id=0,
                type="message" if given.type == "reply" else given.type,
                status=_status(new),
                state="draft" if given.type == "reply" and given.draft else "published",
                body=given.text,
                source_via="customer" if by_customer else "user",
                customer_id=who.id,
                created_by_type="customer" if by_customer else "user",
                created_by_id=who.id if by_customer else writer,
                assigned_to=owner,
                recipients=listed(_addressed(given, new, who) if given.type == "reply" else []),
                cc=listed(given.cc),
                bcc=listed(given.bcc),
                created_at=str(given.created_at or new.created_at or now),
                imported=int(bool(given.imported or new.imported)),
                attachments=len(given.attachments or ()),
            )
        )
    return rows


def _addressed(given: NewThread, new: NewConversation, who: CustomerRow) -> list[str]:
    """Where a reply goes: to the address that was given, else the customer's first."""
    named = given.customer or new.customer
    address: str | None = named.email if named.id is None else None
    address = address or who.email
    return [str(address)] if address else []


def _key(given: CustomerReference) -> tuple[int | None, str | None]:
    """What a reference means somebody by: an id wins over an address."""
    if given.id is not None or given.email is None:
        return given.id, None
    return None, folded_email(given.email)


def _status(new: NewConversation) -> str:
    return "active" if new.status == "open" else new.status


def _row(
    tx: Writer,
    actor: Actor,
    new: NewConversation,
    inbox: InboxRow,
    customer: CustomerRow,
    author: int,
    owner: int | None,
    threads: Sequence[ThreadRow],
    facts: ReplyFacts,
    now: str,
) -> ConversationRow:
    status = _status(new)
    published = [thread for thread in threads if thread.state == "published"]
    state = "draft" if len(published) < len(threads) else "published"
    created_at = str(new.created_at or now)
    waiting, latest = _waiting(published)
    by_customer = threads[0].created_by_type == "customer"
    last = max(reversed(threads), key=lambda thread: thread.created_at)
    kind = home(state=state, status=status, assigned=owner is not None, snoozed=False)
    copies = [thread for thread in threads if thread.cc != "[]" or thread.bcc != "[]"]
    closed = status == "closed"
    return ConversationRow(
        account_id=actor.account_id,
        # Last of the reads, because the account's row stays locked until the end of the transaction.
        number=tx.first(_NEXT_NUMBER, id=actor.account_id),
        inbox_id=inbox.id,
        folder_id=folder_id(inbox.id, kind),
        type=new.type,
        status=status,
        state=state,
        subject=new.subject,
        subject_key=sort_key(new.subject),
        preview=preview(last.body or ""),
        threads=len(published),
        capped_threads=len(threads),
        customer_id=customer.id,
        customer_email=(new.customer.email if new.customer.id is None else None) or customer.email or "",
        customer_name=customers.folded_name(customer.first_name, customer.last_name),
        assignee_id=owner,
        created_by_type="customer" if by_customer else "user",
        created_by_id=threads[0].created_by_id if by_customer else author,
        source_type="api",
        source_via="customer" if by_customer else "user",
        created_at=created_at,
        modified_at=now,
        user_updated_at=created_at,
        closed_at=str(new.closed_at or now) if closed else None,
        closed_by=author if closed else None,
        waiting_since=None if closed else waiting,
        replies=facts.replies,
        first_reply_at=facts.first_reply_at,
        latest_reply_from=latest,
        cc=copies[-1].cc if copies else "[]",
        bcc=copies[-1].bcc if copies else "[]",
        tags="[]",
        custom_fields="[]",
        attachments=int(any(thread.attachments for thread in threads)),
    )


def _facts(threads: Sequence[ThreadRow]) -> ReplyFacts:
    """What there is to say of the replies, by their positions, which are in the order of the ids to come."""
    return reply_facts.of(
        ThreadFacts(position, one.type, one.state, one.created_by_type, one.created_at, one.source_type)
        for position, one in enumerate(threads)
    )


def _waiting(threads: Sequence[ThreadRow]) -> tuple[str | None, str | None]:
    """Since when the customer waits after these threads, and who wrote last."""
    since, latest = None, None
    for thread in threads:
        if thread.type == "customer":
            since, latest = since or thread.created_at, "customer"
        elif thread.type == "message":
            since, latest = None, "user"
    return since, latest


def _head(id: int, row: ConversationRow) -> Head:
    known: dict[str, Any] = msgspec.structs.asdict(row)
    fields_of_head: dict[str, Any] = {name: known.get(name) for name in Head.__struct_fields__}
    return Head(**fields_of_head | {"id": id})
