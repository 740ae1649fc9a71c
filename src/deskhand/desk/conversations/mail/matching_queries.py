"""Looking up what a mail refers to: tokens, Message-IDs, numbers, and who is in a conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, texts_in, unindexed
from deskhand.db.statements import P, rows, value
from deskhand.desk.conversations.mail.keeping import folded
from deskhand.desk.conversations.mail.matching import Mail, People
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import conversation, thread, thread_mail
from deskhand.desk.customers import queries as customers
from deskhand.desk.users.tables import account

MOST_MAILS = 300
"""Mails that are looked at of those that have the same ids."""
_LONGEST_CHAIN = 1_000


class _Token(msgspec.Struct, frozen=True):
    reply_token: str
    conversation_id: int


class _Number(msgspec.Struct, frozen=True):
    number: int
    id: int


class _Place(msgspec.Struct, frozen=True):
    id: int
    merged_into: int | None


class _Named(msgspec.Struct, frozen=True):
    customer_id: int | None
    recipients: str
    cc: str
    bcc: str


_OUT = thread_mail.c.direction == sa.literal_column("'out'")
_BY_TOKEN = rows(
    _Token,
    sa.select(thread_mail.c.reply_token, thread_mail.c.conversation_id).where(
        unindexed(thread_mail.c.account_id) == P("account_id"),
        thread_mail.c.reply_token.is_not(None),
        texts_in(thread_mail.c.reply_token, P("reply_tokens", sa.Text)),
    ),
)
_MAIL = sa.select(
    thread_mail.c.message_id,
    thread_mail.c.direction,
    thread_mail.c.thread_id,
    thread_mail.c.conversation_id,
    conversation.c.inbox_id,
).join(conversation, conversation.c.id == thread_mail.c.conversation_id)
_BY_MESSAGE_ID = rows(
    Mail,
    _MAIL.where(
        thread_mail.c.account_id == P("account_id"), texts_in(thread_mail.c.message_id, P("message_ids", sa.Text))
    )
    .order_by(thread_mail.c.direction.desc(), thread_mail.c.thread_id)
    .limit(P("most", sa.Integer)),
)
_OUT_BY_TOKEN = rows(
    Mail,
    _MAIL.where(
        unindexed(thread_mail.c.account_id) == P("account_id"),
        thread_mail.c.reply_token.is_not(None),
        texts_in(thread_mail.c.reply_token, P("reply_tokens", sa.Text)),
        _OUT,
    ).order_by(thread_mail.c.thread_id.desc()),
)
_BY_NUMBER = rows(
    _Number,
    sa.select(conversation.c.number, conversation.c.id).where(
        conversation.c.account_id == P("account_id"), ids_in(conversation.c.number, P("numbers", sa.Text))
    ),
)
_PLACE = rows(
    _Place,
    sa.select(conversation.c.id, conversation.c.merged_into).where(
        conversation.c.account_id == P("account_id"), conversation.c.id == P("id")
    ),
)
_GOES_ON_IN = value(
    int,
    sa.select(thread.c.linked_conversation_id)
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.conversation_id == P("conversation_id"),
        thread.c.type == sa.literal_column("'lineitem'"),
        thread.c.linked_conversation_id > thread.c.conversation_id,
    )
    .order_by(thread.c.id.desc())
    .limit(sa.literal_column("1")),
)
_NAMED = rows(
    _Named,
    sa.select(thread.c.customer_id, thread.c.recipients, thread.c.cc, thread.c.bcc)
    .where(thread.c.account_id == P("account_id"), thread.c.conversation_id == P("conversation_id"))
    .distinct(),
)
_LOCK_AFTER = value(int, sa.select(account.c.lock_after_days).where(account.c.id == P("account_id")))


def by_token(db: Reader, account_id: int, tokens: Sequence[str]) -> Mapping[str, int]:
    """The conversations that reply tokens lead to."""
    if not tokens:
        return {}
    found = db.all(_BY_TOKEN, account_id=account_id, reply_tokens=_json(tokens))
    return {one.reply_token: one.conversation_id for one in found}


def by_message_id(db: Reader, account_id: int, message_ids: Sequence[str]) -> list[Mail]:
    """The mails that have one of these Message-IDs: ours first, then the oldest; of very many only some."""
    if not message_ids:
        return []
    return db.all(_BY_MESSAGE_ID, account_id=account_id, message_ids=_json(message_ids), most=MOST_MAILS)


def went_out(db: Reader, account_id: int, tokens: Sequence[str]) -> list[Mail]:
    """The mails that went out with one of these reply tokens, the newest first."""
    return db.all(_OUT_BY_TOKEN, account_id=account_id, reply_tokens=_json(tokens)) if tokens else []


def by_number(db: Reader, account_id: int, numbers: Sequence[int]) -> Mapping[int, int]:
    """The conversations with these numbers."""
    if not numbers:
        return {}
    return {one.number: one.id for one in db.all(_BY_NUMBER, account_id=account_id, numbers=_json(numbers))}


def survivor(db: Reader, account_id: int, id: int) -> int | None:
    """The conversation that a merged one lives on in, over any number of merges; None where there is none any more."""
    for _ in range(_LONGEST_CHAIN):
        found = db.one(_PLACE, account_id=account_id, id=id)
        if found is None or found.merged_into is None:
            return None if found is None else found.id
        id = found.merged_into
    return None


def goes_on_in(db: Reader, account_id: int, id: int) -> int | None:
    """The conversation that continues one which took no more."""
    return db.one(_GOES_ON_IN, account_id=account_id, conversation_id=id)


def people(db: Reader, head: Head) -> People:
    """Who is in a conversation: its customer, whoever else wrote, and whoever got a mail or a copy of one."""
    named = db.all(_NAMED, account_id=head.account_id, conversation_id=head.id)
    ids = {head.customer_id, *(one.customer_id for one in named if one.customer_id is not None)}
    entries = customers.entries(db, head.account_id, sorted(ids))
    addresses = {id: {folded(one.value) for one in of if one.kind == "email"} for id, of in entries.items()}
    customer = addresses[head.customer_id] | ({folded(head.customer_email)} if head.customer_email else set())
    lists = [head.cc, head.bcc, *(text for one in named for text in (one.recipients, one.cc, one.bcc))]
    copied = {folded(email) for text in lists for email in msgspec.json.decode(text, type=list[str])}
    return People(customer, customer.union(copied, *addresses.values()))


def lock_after_days(db: Reader, account_id: int) -> int:
    """After how many days conversations of an account take nothing more; 0: never."""
    return db.one(_LOCK_AFTER, account_id=account_id) or 0


def _json(wanted: Sequence[str] | Sequence[int]) -> str:
    return msgspec.json.encode(wanted).decode()
