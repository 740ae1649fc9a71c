"""Adding to a conversation: replies, notes, chats, phone calls and what the customer wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import UNSET

from deskhand.catalogue import events
from deskhand.catalogue.attachments import NewAttachment
from deskhand.catalogue.customers import CustomerReference
from deskhand.catalogue.problems import AccessDenied, invalid
from deskhand.catalogue.threads import NewChat, NewCustomerThread, NewNote, NewReply
from deskhand.db.engine import Writer
from deskhand.desk.call import Actor
from deskhand.desk.conversations import owners, reply_facts
from deskhand.desk.conversations.mail import announcing, mailing
from deskhand.desk.conversations.mail.undoing import remembered
from deskhand.desk.conversations.owners import require_author, require_owner
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.threads.thread_queries import ThreadHead
from deskhand.desk.conversations.timing import schedules
from deskhand.desk.conversations.writing import ThreadRow, add_thread, require_room, save, take, tell
from deskhand.desk.customers import verbs as customers
from deskhand.desk.customers.queries import CustomerRow
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.search import index
from deskhand.lib.blobs import Blob
from deskhand.lib.text import plain, preview

Files = Sequence[tuple[NewAttachment, Blob]]


def reply(
    tx: Writer,
    actor: Actor,
    id: int,
    new: NewReply,
    files: Files,
    now: str,
    *,
    saved_reply_id: int = 0,
    source_type: str = "api",
    hold_s: int = 0,
) -> int:
    """Add a reply of the support staff; a draft changes nothing else until it is published.

    Its mail leaves after `hold_s` seconds; until then it can be taken back, see mail/undoing.py, and nobody is told.

    Raises NotFound, AccessDenied, PreconditionFailed (100 threads, locked) and BadRequest. Gives the thread's id.
    """
    if actor.role == "light user":
        raise AccessDenied
    head = take(tx, actor, id, now)
    require_room(head)
    created_at = _created_at(new.created_at, new.imported, now)
    author = require_author(tx, actor, new.user)
    owner = require_owner(tx, actor, new.assign_to, head.assignee_id)
    customer = customers.find_or_create(tx, actor.account_id, new.customer, actor, now)
    status = wanted_status(tx, head, new.status, otherwise="active")
    draft = bool(new.draft)
    row = ThreadRow(
        account_id=head.account_id,
        conversation_id=head.id,
        type="message",
        status=head.status if draft else status if status != head.status else "nochange",
        state="draft" if draft else "published",
        body=new.text,
        source_type=source_type,
        saved_reply_id=saved_reply_id,
        customer_id=customer.id,
        created_by_id=author,
        assigned_to=head.assignee_id if draft else owner,
        recipients=listed(_addressed(new.customer, customer, head)),
        cc=listed(new.cc),
        bcc=listed(new.bcc),
        created_at=created_at,
        on_publish=_on_publish(new, status, owner) if draft else remembered(head, status, owner) if hold_s else "{}",
        imported=int(bool(new.imported)),
        attachments=len(files),
    )
    thread_id = add_thread(tx, row, files)
    index.append(tx, head.account_id, head.id, plain(new.text))
    if draft:
        save(tx, head, _with_thread(head, now, files))
        return thread_id
    after = _published(head, row, now, files, status=status, assignee_id=owner, by=author)
    if not actor.chain:  # what a workflow sends by itself is no answer yet: the customer goes on waiting
        after = msgspec.structs.replace(after, waiting_since=None, latest_reply_from="user")
    after = save(tx, head, reply_facts.kept(tx, after))
    if hold_s:
        announcing.later(tx, head, after, thread_id, actor.user_id, now, hold_s)
    else:
        tell(tx, actor, after, events.AGENT_REPLY_CREATED, now, thread_id=thread_id, imported=bool(new.imported))
        tell_changes(tx, actor, head, after, now)
    mailing.queue(tx, after, [thread_id], now, hold_s=hold_s)
    return thread_id


def _on_publish(new: NewReply, status: str, owner: int | None) -> str:
    """What a draft sets once it is published: its status, and its owner if one was named."""
    asked = {"status": status} if new.assign_to is UNSET else {"status": status, "owner": owner}
    return msgspec.json.encode(asked).decode()


def asked_for(tx: Writer, head: Head, on_publish: str) -> tuple[str, int | None]:
    """The status and the owner that publishing a draft sets; an owner who has left since counts as not named."""
    asked = msgspec.json.decode(on_publish)
    status, owner = asked.get("status", head.status), asked.get("owner", head.assignee_id)
    if owner not in (None, head.assignee_id) and owners.to_own(tx, head.account_id, owner) is None:
        owner = head.assignee_id
    return status, owner


def _addressed(given: CustomerReference, customer: CustomerRow, head: Head) -> list[str]:
    """Where a reply goes: to the address that was given, else the one used in this conversation, else the first."""
    address: str | None = given.email if given.id is None else None
    if address is None and customer.id == head.customer_id:
        address = head.customer_email or None
    address = address or customer.email
    return [str(address)] if address else []


def add_note(tx: Writer, actor: Actor, id: int, new: NewNote, files: Files, now: str) -> int:
    """Add an internal note; raises as `reply` does. Gives the thread's id."""
    head = take(tx, actor, id, now)
    require_room(head)
    created_at = _created_at(new.created_at, new.imported, now)
    author = require_author(tx, actor, new.user)
    status = wanted_status(tx, head, new.status, otherwise=head.status)
    row = ThreadRow(
        account_id=head.account_id,
        conversation_id=head.id,
        type="note",
        status=status if status != head.status else "nochange",
        body=new.text,
        customer_id=head.customer_id,
        created_by_id=author,
        assigned_to=head.assignee_id,
        created_at=created_at,
        imported=int(bool(new.imported)),
        attachments=len(files),
    )
    thread_id = add_thread(tx, row, files)
    index.append(tx, head.account_id, head.id, plain(new.text))
    after = save(tx, head, _published(head, row, now, files, status=status, assignee_id=head.assignee_id, by=author))
    tell(tx, actor, after, events.NOTE_CREATED, now, thread_id=thread_id, imported=bool(new.imported))
    tell_changes(tx, actor, head, after, now)
    return thread_id


def add_chat_or_phone(
    tx: Writer, actor: Actor, id: int, new: NewChat, kind: Literal["chat", "phone"], files: Files, now: str
) -> int:
    """Add a chat or a phone call with the customer; raises as `reply` does. Gives the thread's id."""
    head = take(tx, actor, id, now)
    require_room(head)
    created_at = _created_at(new.created_at, new.imported, now)
    customer = customers.find_or_create(tx, actor.account_id, new.customer, actor, now)
    by_customer = kind == "chat"
    row = ThreadRow(
        account_id=head.account_id,
        conversation_id=head.id,
        type=kind,
        body=new.text,
        source_via="customer" if by_customer else "user",
        customer_id=customer.id,
        created_by_type="customer" if by_customer else "user",
        created_by_id=customer.id if by_customer else actor.user_id,
        assigned_to=head.assignee_id,
        created_at=created_at,
        imported=int(bool(new.imported)),
        attachments=len(files),
    )
    thread_id = add_thread(tx, row, files)
    index.append(tx, head.account_id, head.id, plain(new.text))
    after = _published(head, row, now, files, status=head.status, assignee_id=head.assignee_id, by=actor.user_id)
    save(tx, head, after)
    return thread_id


def add_customer_thread(tx: Writer, actor: Actor, id: int, new: NewCustomerThread, files: Files, now: str) -> int:
    """Add what the customer wrote; reopens the conversation unless it is imported. Raises as `reply` does."""
    head = take(tx, actor, id, now)
    require_room(head)
    created_at = _created_at(new.created_at, new.imported, now)
    customer = customers.find_or_create(tx, actor.account_id, new.customer, actor, now)
    status = head.status if new.imported else "active"
    row = ThreadRow(
        account_id=head.account_id,
        conversation_id=head.id,
        type="customer",
        status=status if status != head.status else "nochange",
        body=new.text,
        source_via="customer",
        customer_id=customer.id,
        created_by_type="customer",
        created_by_id=customer.id,
        assigned_to=head.assignee_id,
        cc=listed(new.cc),
        bcc=listed(new.bcc),
        created_at=created_at,
        imported=int(bool(new.imported)),
        attachments=len(files),
    )
    thread_id = add_thread(tx, row, files)
    customer_wrote(tx, actor, head, row, thread_id, files, now, status=status, imported=bool(new.imported))
    return thread_id


def customer_wrote(
    tx: Writer,
    actor: Actor,
    head: Head,
    row: ThreadRow,
    thread_id: int,
    files: Sequence[object],
    now: str,
    *,
    status: str,
    waits: bool = True,
    **particulars: bool,
) -> Head:
    """What follows for the conversation from a customer's new thread: saved, found by its words, and told of.

    With `waits` false nobody waits for an answer, and what was to end with the customer's answer goes on.
    """
    index.append(tx, head.account_id, head.id, plain(row.body or ""))
    after = published(
        _with_thread(head, now, files), row, now, status=status, assignee_id=head.assignee_id, by=actor.user_id
    )
    if waits:
        after = _answered_by_customer(tx, after, row)
    after = save(tx, head, reply_facts.with_message(tx, after, row.created_at, now))
    tell(
        tx, actor, after, events.CUSTOMER_REPLY_CREATED, now,
        thread_id=thread_id, by_customer=row.created_by_id, **particulars,
    )  # fmt: skip
    tell_changes(tx, actor, head, after, now)
    return after


def _answered_by_customer(tx: Writer, head: Head, row: ThreadRow) -> Head:
    after = msgspec.structs.replace(
        head, waiting_since=head.waiting_since or row.created_at, latest_reply_from="customer"
    )
    if row.imported:
        return after
    if after.unsnooze_on_reply:
        after = awake(after)
    return schedules.drop_on_reply(tx, after)


def awake(head: Head) -> Head:
    """A conversation that is not snoozed."""
    return msgspec.structs.replace(head, snoozed_by=None, snoozed_until=None, unsnooze_on_reply=None)


def _published(
    head: Head, row: ThreadRow, now: str, files: Files, *, status: str, assignee_id: int | None, by: int
) -> Head:
    """The conversation with what a new published thread changes in it; not saved yet."""
    return published(_with_thread(head, now, files), row, now, status=status, assignee_id=assignee_id, by=by)


def published(
    head: Head, row: ThreadRow | ThreadHead, now: str, *, status: str, assignee_id: int | None, by: int
) -> Head:
    """The conversation with what publishing a thread changes in it, whether that was a draft or is new; not saved."""
    return msgspec.structs.replace(
        with_status(head, status, by, now),
        assignee_id=assignee_id,
        preview=preview(row.body or ""),
        threads=head.threads + 1,
        cc=row.cc if row.cc != "[]" else head.cc,
        bcc=row.bcc if row.bcc != "[]" else head.bcc,
        modified_at=now,
        user_updated_at=head.user_updated_at if row.created_by_type == "customer" else now,
    )


def _with_thread(head: Head, now: str, files: Sequence[object]) -> Head:
    attachments = 1 if files else head.attachments
    return msgspec.structs.replace(
        head, modified_at=now, capped_threads=head.capped_threads + 1, attachments=attachments
    )


def with_status(head: Head, status: str, by: int, now: str) -> Head:
    """A conversation with another status, and with what closing and reopening mean for it."""
    if status == head.status:
        return head
    if status == "closed":
        return msgspec.structs.replace(head, status=status, closed_at=now, closed_by=by)
    return msgspec.structs.replace(head, status=status, closed_at=None, closed_by=None)


def wanted_status(tx: Writer, head: Head, given: str | None, *, otherwise: str) -> str:
    """The status a new thread asks for. Source: conversations/threads/reply (the list of values)."""
    if given is None:
        return otherwise
    if given == "all":
        return head.status
    if given == "open":
        return "active"
    if given == "inbox_predefined":
        inbox = inboxes.by_id(tx, head.account_id, head.inbox_id)
        return inbox.default_status if inbox is not None else otherwise
    return given


def tell_changes(tx: Writer, actor: Actor, before: Head, after: Head, now: str) -> None:
    """Record the events that follow from what a change did to status and owner."""
    if after.status != before.status:
        tell(tx, actor, after, events.CONVERSATION_STATUS, now, before=before.status, after=after.status)
    if after.assignee_id != before.assignee_id:
        tell(
            tx, actor, after, events.CONVERSATION_ASSIGNED, now,
            before=before.assignee_id or 0, after=after.assignee_id or 0,
        )  # fmt: skip


def _created_at(given: str | None, imported: bool | None, now: str) -> str:
    if given is None:
        return now
    if not imported:
        raise invalid("createdAt", "is only allowed with imported true", "DateFormat", given)
    return str(given)


def listed(addresses: Sequence[str] | None) -> str:
    """Addresses as the JSON list that is stored."""
    return msgspec.json.encode([str(address) for address in addresses or ()]).decode()
