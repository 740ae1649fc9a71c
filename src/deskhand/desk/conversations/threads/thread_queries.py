"""Reading threads and attachments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, columns, rows, value
from deskhand.desk.conversations.tables import attachment, thread
from deskhand.desk.customers.tables import customer
from deskhand.desk.users.tables import staff

PAGE_SIZE = 50


class ShownThread(msgspec.Struct, gc=False):
    """A thread with the people in it."""

    id: int
    conversation_id: int
    type: str
    status: str
    state: str
    action_type: str
    action_text: str
    associated: str
    body: str | None
    source_type: str
    source_via: str
    customer_id: int | None
    created_by_type: str
    created_by_id: int
    assigned_to: int | None
    saved_reply_id: int
    recipients: str
    cc: str
    bcc: str
    created_at: str
    opened_at: str | None
    linked_conversation_id: int | None
    rating: str | None
    rating_comments: str | None
    scheduled_by: int | None
    scheduled_at: str | None
    scheduled_for: str | None
    unschedule_on_reply: int | None
    send_as_id: int | None
    attachments: int
    customer_first: str | None
    customer_last: str | None
    customer_photo: str | None
    customer_email: str | None
    author_type: str | None
    author_first: str | None
    author_last: str | None
    author_photo: str | None
    author_email: str | None
    author_customer_first: str | None
    author_customer_last: str | None
    author_customer_photo: str | None
    author_customer_email: str | None
    owner_type: str | None
    owner_first: str | None
    owner_last: str | None
    owner_email: str | None


class AttachmentRow(msgspec.Struct, frozen=True):
    """An attachment as stored."""

    id: int
    conversation_id: int
    thread_id: int
    filename: str
    mime_type: str
    size: int
    width: int | None
    height: int | None
    state: str
    sha256: str


class ThreadHead(msgspec.Struct, frozen=True):
    """What changing one thread needs to know of it."""

    id: int
    type: str
    state: str
    body: str | None
    created_by_type: str
    created_by_id: int
    cc: str
    bcc: str
    scheduled_by: int | None
    scheduled_for: str | None
    send_as_id: int | None
    on_publish: str
    imported: int
    attachments: int


_author = staff.alias("author")
_author_customer = customer.alias("author_customer")
_owner = staff.alias("owner")
_OWN = ShownThread.__struct_fields__[: ShownThread.__struct_fields__.index("customer_first")]


def _person(source: Any, prefix: str, *fields: str) -> list[sa.ColumnElement[Any]]:
    names = {"type": "type", "first": "first_name", "last": "last_name", "photo": "photo_url", "email": "email"}
    return [source.c[names[name]].label(f"{prefix}_{name}") for name in fields]


def _shown() -> sa.Select[Any]:
    by = thread.c.created_by_type
    author, by_customer = thread.c.created_by_id, by == sa.literal_column("'customer'")
    return (
        sa.select(
            *columns(thread, *_OWN),
            *_person(customer, "customer", "first", "last", "photo", "email"),
            *_person(_author, "author", "type", "first", "last", "photo", "email"),
            *_person(_author_customer, "author_customer", "first", "last", "photo", "email"),
            *_person(_owner, "owner", "type", "first", "last", "email"),
        )
        .outerjoin(customer, customer.c.id == thread.c.customer_id)
        .outerjoin(_author, sa.and_(_author.c.id == author, sa.not_(by_customer)))
        .outerjoin(_author_customer, sa.and_(_author_customer.c.id == author, by_customer))
        .outerjoin(_owner, _owner.c.id == thread.c.assigned_to)
        .where(thread.c.account_id == P("account_id"))
    )


_NEWEST = (thread.c.created_at.desc(), thread.c.id.desc())
_OF_ONE = thread.c.conversation_id == P("conversation_id")
_PAGE = rows(
    ShownThread,
    _shown().where(_OF_ONE).order_by(*_NEWEST).limit(P("size", sa.Integer)).offset(P("start", sa.BigInteger)),
)
_COUNT = value(int, sa.select(sa.func.count()).where(_OF_ONE, thread.c.account_id == P("account_id")))
_OF_ALL = rows(
    ShownThread, _shown().where(ids_in(thread.c.conversation_id, P("conversation_ids", sa.Text))).order_by(*_NEWEST)
)
_SHOWN = rows(ShownThread, _shown().where(_OF_ONE, thread.c.id == P("id")))
_ATTACHMENTS = rows(
    AttachmentRow,
    sa.select(*columns(attachment, *AttachmentRow.__struct_fields__))
    .where(attachment.c.account_id == P("account_id"), ids_in(attachment.c.thread_id, P("thread_ids", sa.Text)))
    .order_by(attachment.c.id),
)
_ATTACHMENT = rows(
    AttachmentRow,
    sa.select(*columns(attachment, *AttachmentRow.__struct_fields__)).where(
        attachment.c.account_id == P("account_id"),
        attachment.c.conversation_id == P("conversation_id"),
        attachment.c.id == P("id"),
    ),
)


_HEAD = rows(
    ThreadHead,
    sa.select(*columns(thread, *ThreadHead.__struct_fields__)).where(
        thread.c.account_id == P("account_id"), _OF_ONE, thread.c.id == P("id")
    ),
)


def page(db: Reader, account_id: int, conversation_id: int, number: int) -> tuple[list[ShownThread], int]:
    """A page of a conversation's threads, newest first, and how many it has."""
    start = min((number - 1) * PAGE_SIZE, 2**31)
    found = db.all(_PAGE, account_id=account_id, conversation_id=conversation_id, size=PAGE_SIZE, start=start)
    if number == 1 and len(found) < PAGE_SIZE:
        return found, len(found)
    return found, db.first(_COUNT, account_id=account_id, conversation_id=conversation_id)


def shown(db: Reader, account_id: int, conversation_id: int, id: int) -> ShownThread | None:
    """One thread of a conversation with the people in it."""
    return db.one(_SHOWN, account_id=account_id, conversation_id=conversation_id, id=id)


def of_conversations(db: Reader, account_id: int, ids: Sequence[int]) -> dict[int, list[ShownThread]]:
    """All threads of some conversations by conversation, newest first."""
    by_conversation: dict[int, list[ShownThread]] = defaultdict(list)
    for row in db.all(_OF_ALL, account_id=account_id, conversation_ids=msgspec.json.encode(ids).decode()):
        by_conversation[row.conversation_id].append(row)
    return by_conversation


def attachments_of(db: Reader, account_id: int, threads: Sequence[ShownThread]) -> dict[int, list[AttachmentRow]]:
    """The attachments of some threads by thread; no query when none has any."""
    ids = [row.id for row in threads if row.attachments]
    if not ids:
        return {}
    by_thread: dict[int, list[AttachmentRow]] = defaultdict(list)
    for row in db.all(_ATTACHMENTS, account_id=account_id, thread_ids=msgspec.json.encode(ids).decode()):
        by_thread[row.thread_id].append(row)
    return by_thread


def head(db: Reader, account_id: int, conversation_id: int, id: int) -> ThreadHead:
    """A thread of a conversation; raises NotFound. Whoever changes it has locked the conversation."""
    found = db.one(_HEAD, account_id=account_id, conversation_id=conversation_id, id=id)
    if found is None:
        raise NotFound
    return found


def one_attachment(db: Reader, account_id: int, conversation_id: int, id: int) -> AttachmentRow | None:
    """One attachment of a conversation."""
    return db.one(_ATTACHMENT, account_id=account_id, conversation_id=conversation_id, id=id)
