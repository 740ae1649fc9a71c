"""Reading conversations one by one: as they are shown, and what a change needs to know of them."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader
from deskhand.db.statements import P, columns, rows
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations import narrowing
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.customers.tables import customer
from deskhand.desk.users.tables import staff


class Shown(msgspec.Struct, gc=False):
    """A conversation with the people in it, as lists and single reads show it."""

    id: int
    number: int
    threads: int
    type: str
    folder_id: int
    status: str
    state: str
    subject: str
    preview: str
    inbox_id: int
    created_by_type: str
    created_by_id: int
    created_at: str
    closed_by: int | None
    closed_at: str | None
    user_updated_at: str
    waiting_since: str | None
    latest_reply_from: str | None
    source_type: str
    source_via: str
    tags: str
    cc: str
    bcc: str
    customer_id: int
    customer_email: str
    custom_fields: str
    snoozed_by: int | None
    snoozed_until: str | None
    unsnooze_on_reply: int | None
    scheduled_for: str | None
    scheduled_by: int | None
    unschedule_on_reply: int | None
    merged_into: int | None
    merged_at: str | None
    assignee_id: int | None
    customer_first: str | None
    customer_last: str | None
    customer_photo: str | None
    assignee_type: str | None
    assignee_first: str | None
    assignee_last: str | None
    assignee_email: str | None
    closer_type: str | None
    closer_first: str | None
    closer_last: str | None
    closer_photo: str | None
    closer_email: str | None
    creator_type: str | None
    creator_email: str | None
    creating_customer_email: str | None


_assignee = staff.alias("assignee")
_closer = staff.alias("closer")
_creator = staff.alias("creator")
_creating_customer = customer.alias("creating_customer")

_OWN = Shown.__struct_fields__[: Shown.__struct_fields__.index("customer_first")]
_PEOPLE: list[sa.ColumnElement[Any]] = [
    customer.c.first_name.label("customer_first"),
    customer.c.last_name.label("customer_last"),
    customer.c.photo_url.label("customer_photo"),
    _assignee.c.type.label("assignee_type"),
    _assignee.c.first_name.label("assignee_first"),
    _assignee.c.last_name.label("assignee_last"),
    _assignee.c.email.label("assignee_email"),
    _closer.c.type.label("closer_type"),
    _closer.c.first_name.label("closer_first"),
    _closer.c.last_name.label("closer_last"),
    _closer.c.photo_url.label("closer_photo"),
    _closer.c.email.label("closer_email"),
    _creator.c.type.label("creator_type"),
    _creator.c.email.label("creator_email"),
    _creating_customer.c.email.label("creating_customer_email"),
]


def shown(source: Any = conversation) -> sa.Select[Any]:
    """The columns of Shown, the people joined by their ids."""
    by = conversation.c.created_by_type
    joined = (
        source.outerjoin(customer, customer.c.id == conversation.c.customer_id)
        .outerjoin(_assignee, _assignee.c.id == conversation.c.assignee_id)
        .outerjoin(_closer, _closer.c.id == conversation.c.closed_by)
        .outerjoin(
            _creator, sa.and_(_creator.c.id == conversation.c.created_by_id, by != sa.literal_column("'customer'"))
        )
        .outerjoin(
            _creating_customer,
            sa.and_(_creating_customer.c.id == conversation.c.created_by_id, by == sa.literal_column("'customer'")),
        )
    )
    return sa.select(*columns(conversation, *_OWN), *_PEOPLE).select_from(joined)


class Opened(Shown, gc=False):
    """A conversation as its page shows it."""

    account_id: int
    modified_at: str


_THIS = (conversation.c.id == P("id"), conversation.c.account_id == P("account_id"))
_ONE = rows(Shown, shown().where(*_THIS))
_OPENED = rows(Opened, shown().add_columns(conversation.c.account_id, conversation.c.modified_at).where(*_THIS))


class Head(msgspec.Struct, frozen=True):
    """All of a conversation that changes: what verbs decide by, and what `changing.save` writes."""

    id: int
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
    snoozed_by: int | None
    snoozed_until: str | None
    unsnooze_on_reply: int | None
    scheduled_for: str | None
    scheduled_by: int | None
    unschedule_on_reply: int | None
    merged_into: int | None


_HEAD = sa.select(*columns(conversation, *Head.__struct_fields__)).where(*_THIS)
_READ_HEAD = rows(Head, _HEAD)
_LOCK_HEAD = rows(Head, _HEAD.with_for_update())


def one(db: Reader, actor: Actor, id: int) -> Shown:
    """A conversation as shown, also a merged one; raises NotFound or AccessDenied.

    A narrowed agent may know of a merged one what it leads to, and so where that lies.
    """
    found = db.one(_ONE, id=id, account_id=actor.account_id)
    if found is None:
        raise NotFound
    if actor.only is None or found.merged_into is None:
        access.require_inbox(actor, found.inbox_id)
    elif not narrowing.known(db, actor.account_id, actor.only, (id,)):
        raise NotFound
    return found


def opened(db: Reader, actor: Actor, id: int) -> Opened:
    """A conversation for its page, also a merged one; raises NotFound or AccessDenied."""
    found = db.one(_OPENED, id=id, account_id=actor.account_id)
    if found is None:
        raise NotFound
    access.require_inbox(actor, found.inbox_id)
    return found


def head(db: Reader, actor: Actor, id: int, *, lock: bool = False) -> Head:
    """A conversation's head; raises NotFound (also for a merged one) or AccessDenied. `lock` keeps it for a change."""
    found = db.one(_LOCK_HEAD if lock else _READ_HEAD, id=id, account_id=actor.account_id)
    if found is None or found.merged_into is not None:
        raise NotFound
    access.require_inbox(actor, found.inbox_id)
    return found
