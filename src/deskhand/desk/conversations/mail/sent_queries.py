"""What customers have in their hands: the mails of a conversation, and one that went out with a reply."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, rows, value
from deskhand.desk.conversations.tables import conversation, thread, thread_mail
from deskhand.desk.customers.tables import customer
from deskhand.desk.inboxes.tables import inbox

MOST_IDS = 100
"""Message ids of a conversation that are looked at, the newest first."""


class Newest(msgspec.Struct, frozen=True):
    """The mail of a conversation that its customer would answer: the last that went out, else the last that came."""

    thread_id: int
    message_id: str
    direction: str
    body: str | None
    at: str
    subject: str
    inbox_id: int
    inbox_email: str
    inbox_name: str
    customer_email: str | None
    first_name: str | None
    last_name: str | None


class SentMail(msgspec.Struct, frozen=True):
    """The mail of a reply; `recipients` is a JSON list."""

    thread_id: int
    conversation_id: int
    message_id: str
    recipients: str
    at: str
    subject: str
    inbox_id: int
    inbox_email: str


_OUT = thread_mail.c.direction == sa.literal_column("'out'")
_OF_CONVERSATION = (
    thread_mail.c.account_id == P("account_id"),
    thread_mail.c.conversation_id == P("conversation_id"),
)
_LATEST_FIRST = (thread.c.created_at.desc(), thread.c.id.desc())
_NEWEST = rows(
    Newest,
    sa.select(
        thread.c.id.label("thread_id"),
        thread_mail.c.message_id,
        thread_mail.c.direction,
        thread.c.body,
        thread.c.created_at.label("at"),
        conversation.c.subject,
        inbox.c.id.label("inbox_id"),
        inbox.c.email.label("inbox_email"),
        inbox.c.name.label("inbox_name"),
        conversation.c.customer_email,
        customer.c.first_name,
        customer.c.last_name,
    )
    .select_from(thread_mail)
    .join(thread, thread.c.id == thread_mail.c.thread_id)
    .join(conversation, conversation.c.id == thread_mail.c.conversation_id)
    .join(inbox, inbox.c.id == conversation.c.inbox_id)
    .outerjoin(customer, customer.c.id == conversation.c.customer_id)
    .where(*_OF_CONVERSATION)
    .order_by(sa.case((_OUT, sa.literal_column("0")), else_=sa.literal_column("1")), *_LATEST_FIRST)
    .limit(sa.literal_column("1")),
)
_MESSAGE_IDS = value(
    str,
    sa.select(thread_mail.c.message_id)
    .join(thread, thread.c.id == thread_mail.c.thread_id)
    .where(*_OF_CONVERSATION)
    .order_by(*_LATEST_FIRST)
    .limit(P("most", sa.Integer)),
)
_SENT_MAIL = (
    sa.select(
        thread_mail.c.thread_id,
        thread_mail.c.conversation_id,
        thread_mail.c.message_id,
        thread.c.recipients,
        thread.c.created_at.label("at"),
        conversation.c.subject,
        inbox.c.id.label("inbox_id"),
        inbox.c.email.label("inbox_email"),
    )
    .select_from(thread_mail)
    .join(thread, thread.c.id == thread_mail.c.thread_id)
    .join(conversation, conversation.c.id == thread_mail.c.conversation_id)
    .join(inbox, inbox.c.id == conversation.c.inbox_id)
    .where(thread_mail.c.account_id == P("account_id"), _OUT)
)
_SENT = rows(SentMail, _SENT_MAIL.where(thread_mail.c.thread_id == P("thread_id")))
_REPLIES = rows(
    SentMail,
    _SENT_MAIL.where(
        thread_mail.c.state == sa.literal_column("'sent'"),
        thread_mail.c.automatic == sa.literal_column("0"),
        thread_mail.c.thread_id > P("after"),
        conversation.c.state == sa.literal_column("'published'"),
        conversation.c.status != sa.literal_column("'spam'"),
    )
    .order_by(thread_mail.c.thread_id.desc())
    .limit(P("most", sa.Integer)),
)


def newest(db: Reader, account_id: int, conversation_id: int) -> Newest | None:
    """The mail that a conversation's customer would answer; None where there is no mail or no such conversation."""
    return db.one(_NEWEST, account_id=account_id, conversation_id=conversation_id)


def message_ids(db: Reader, account_id: int, conversation_id: int) -> list[str]:
    """The Message-IDs of a conversation's mails, the oldest first."""
    return db.all(_MESSAGE_IDS, account_id=account_id, conversation_id=conversation_id, most=MOST_IDS)[::-1]


def sent(db: Reader, account_id: int, thread_id: int) -> SentMail | None:
    """The mail that a reply went out with, or is to go out with."""
    return db.one(_SENT, account_id=account_id, thread_id=thread_id)


def replies(db: Reader, account_id: int, after: int, most: int) -> list[SentMail]:
    """The mails that people's replies went out with whose threads' ids are greater than `after`, the newest first."""
    return db.all(_REPLIES, account_id=account_id, after=after, most=most)
