"""The rows that a new conversation begins with: itself and its threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.conversations import NewConversation, NewThread
from deskhand.catalogue.customers import CustomerReference
from deskhand.db.engine import Writer
from deskhand.db.statements import P, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations import reply_facts
from deskhand.desk.conversations.owners import require_author
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.reply_facts import ReplyFacts, ThreadFacts
from deskhand.desk.conversations.replying import listed
from deskhand.desk.conversations.writing import ThreadRow
from deskhand.desk.customers import verbs as customers
from deskhand.desk.customers.queries import CustomerRow, folded_email
from deskhand.desk.inboxes.folders import folder_id, home
from deskhand.desk.inboxes.queries import InboxRow
from deskhand.desk.users.tables import account
from deskhand.lib.text import preview, sort_key


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


NEXT_NUMBER = value(
    int,
    sa.update(account)
    .where(account.c.id == P("id"))
    .values(next_number=account.c.next_number + sa.literal_column("1"))
    .returning(account.c.next_number - sa.literal_column("1")),
)
_BY_CUSTOMER = ("customer", "chat")


def threads(
    tx: Writer,
    actor: Actor,
    new: NewConversation,
    inbox: InboxRow,
    customer: CustomerRow,
    author: int,
    owner: int | None,
    now: str,
) -> list[ThreadRow]:
    """The threads, which know their conversation only once it is there."""
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
                status=status(new),
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


def status(new: NewConversation) -> str:
    """The status that it begins with."""
    return "active" if new.status == "open" else new.status


def row(
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
    """The conversation, without tags and fields."""
    begins_as = status(new)
    published = [thread for thread in threads if thread.state == "published"]
    state = "draft" if len(published) < len(threads) else "published"
    created_at = str(new.created_at or now)
    waiting, latest = _waiting(published)
    by_customer = threads[0].created_by_type == "customer"
    last = max(reversed(threads), key=lambda thread: thread.created_at)
    kind = home(state=state, status=begins_as, assigned=owner is not None, snoozed=False)
    copies = [thread for thread in threads if thread.cc != "[]" or thread.bcc != "[]"]
    closed = begins_as == "closed"
    return ConversationRow(
        account_id=actor.account_id,
        # Last of the reads, because the account's row stays locked until the end of the transaction.
        number=tx.first(NEXT_NUMBER, id=actor.account_id),
        inbox_id=inbox.id,
        folder_id=folder_id(inbox.id, kind),
        type=new.type,
        status=begins_as,
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


def facts(threads: Sequence[ThreadRow]) -> ReplyFacts:
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


def head(id: int, row: ConversationRow) -> Head:
    known: dict[str, Any] = msgspec.structs.asdict(row)
    fields_of_head: dict[str, Any] = {name: known.get(name) for name in Head.__struct_fields__}
    return Head(**fields_of_head | {"id": id})
