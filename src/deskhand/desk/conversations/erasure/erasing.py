"""Erasing conversations with everything that belongs to them, and customers with all their conversations.

Source: https://developer.helpscout.com/mailbox-api/endpoints/customers/delete
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.customers import ERASED_AT_ONCE_MOST
from deskhand.catalogue.problems import AccessDenied, FieldError
from deskhand.db.engine import Writer
from deskhand.db.portable import ids_in, texts_in, unindexed
from deskhand.db.statements import P, columns, command, rows, value
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations.drafts import staying
from deskhand.desk.conversations.erasure import files
from deskhand.desk.conversations.mail import tombstones
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import (
    attachment,
    bulk_item,
    conversation,
    conversation_field,
    conversation_tag,
    follower,
    mention,
    note_draft,
    presence,
    thread,
    thread_mail,
    unsent,
    unsent_file,
)
from deskhand.desk.conversations.writing import count
from deskhand.desk.customers import verbs as customers
from deskhand.desk.customers.queries import by_id_to_change, entries
from deskhand.desk.ratings.tables import rating
from deskhand.desk.search import index
from deskhand.mail.tables import automatic_answer, captured_mail, received_mail
from deskhand.outbox import jobs
from deskhand.outbox.events import Event, record

ERASE_CUSTOMER = "erase_customer"
"""The kind of jobs that erase a customer in the background."""
BATCH = 50
"""Conversations erased in one transaction; on SQLite others wait meanwhile."""

# Workflows are a higher slice, so theirs can't be imported; but what ran on a conversation goes with it.
_workflow_run = sa.table(
    "workflow_run", sa.column("account_id", sa.BigInteger), sa.column("conversation_id", sa.BigInteger)
)
_IDS = P("ids", sa.Text)
_THREADS = sa.select(thread.c.id).where(
    unindexed(thread.c.account_id) == P("account_id"), ids_in(thread.c.conversation_id, _IDS)
)
_DELETES = [
    command(
        sa.delete(automatic_answer).where(
            automatic_answer.c.account_id == P("account_id"),
            automatic_answer.c.address.in_(
                sa.select(sa.func.lower(conversation.c.customer_email)).where(
                    unindexed(conversation.c.account_id) == P("account_id"), ids_in(conversation.c.id, _IDS)
                )
            ),
        )
    ),
    command(
        sa.delete(captured_mail).where(
            unindexed(captured_mail.c.account_id) == P("account_id"), captured_mail.c.thread_id.in_(_THREADS)
        )
    ),
    command(
        sa.delete(received_mail).where(
            unindexed(received_mail.c.account_id) == P("account_id"), received_mail.c.thread_id.in_(_THREADS)
        )
    ),
    *(
        command(
            sa.delete(part).where(unindexed(part.c.account_id) == P("account_id"), ids_in(part.c.conversation_id, _IDS))
        )
        for part in (
            thread_mail,
            attachment,
            thread,
            conversation_tag,
            conversation_field,
            bulk_item,
            follower,
            mention,
            note_draft,
            presence,
            rating,
            unsent,
            unsent_file,
            _workflow_run,
        )  # fmt: skip
    ),
    command(
        sa.delete(conversation).where(
            unindexed(conversation.c.account_id) == P("account_id"), ids_in(conversation.c.id, _IDS)
        )
    ),
]
# Messages of theirs that belong to no conversation: those that were skipped, or could not even be shown.
_LOOSE = (
    received_mail.c.account_id == P("account_id"),
    received_mail.c.state.in_([sa.literal_column("'skipped'"), sa.literal_column("'failed'")]),
    received_mail.c.thread_id.is_(None),
    texts_in(sa.func.lower(received_mail.c.sender), P("sender", sa.Text)),
)
_LOOSE_FILES = value(str, sa.select(received_mail.c.sha256).where(*_LOOSE).order_by(received_mail.c.sha256))
_DELETE_LOOSE = command(sa.delete(received_mail).where(*_LOOSE))
_RATINGS = (rating.c.account_id == P("account_id"), rating.c.customer_id == P("customer_id"))
_DELETE_RATINGS = command(sa.delete(rating).where(*_RATINGS))
# Threads repeat their ratings, also in conversations that are somebody else's by now.
_UNRATE = command(
    sa.update(thread)
    .where(
        unindexed(thread.c.account_id) == P("account_id"),
        thread.c.id.in_(sa.select(rating.c.thread_id).where(*_RATINGS)),
    )
    .values(rating=sa.null(), rating_comments=sa.null(), rated_at=sa.null())
)
_THEIRS = (conversation.c.account_id == P("account_id"), conversation.c.customer_id == P("customer_id"))
_INBOXES = value(int, sa.select(conversation.c.inbox_id).where(*_THEIRS).distinct().order_by(conversation.c.inbox_id))
_SOME = rows(
    Head,
    sa.select(*columns(conversation, *Head.__struct_fields__))
    .where(*_THEIRS)
    .order_by(conversation.c.id)
    .limit(P("most", sa.Integer))
    .with_for_update(),
)


class Erasure(msgspec.Struct, frozen=True):
    """A customer to be erased, and the user who asked for it."""

    customer_id: int
    user_id: int


def erase(tx: Writer, heads: Sequence[Head], now: str, *, of_customer: bool = False) -> None:
    """Erase conversations of one account, which the caller keeps from others, with all that belongs to them.

    The files of their attachments and mails go a little later, unless somebody else has the same ones. Of the mails
    hashes are left, so that they don't come back. What users have sent there and has not left yet stays with them, see
    drafts/staying.py; `of_customer`: the customer is erased, too.
    """
    if not heads:
        return
    staying.outlive(tx, heads, now, erased=of_customer)
    account_id = heads[0].account_id
    ids = msgspec.json.encode([head.id for head in heads]).decode()
    files.remove_later(tx, account_id, ids, now)
    tombstones.bury(tx, account_id, ids, now)
    for statement in _DELETES:
        tx.run(statement, account_id=account_id, ids=ids)
    for head in heads:
        index.forget(tx, account_id, head.id)
        count(tx, head, -1)


def erase_customer(tx: Writer, actor: Actor, customer_id: int, now: str) -> None:
    """Erase a customer with their ratings and conversations at once.

    Each conversation is told of, as if it had been deleted by itself. Raises NotFound, and AccessDenied when the
    customer has more than 100 conversations or one that the caller may not see.
    """
    _require_access(tx, actor, customer_id)
    if customers.conversations(tx, actor.account_id, customer_id, ERASED_AT_ONCE_MOST + 1) > ERASED_AT_ONCE_MOST:
        text = f"has more than {ERASED_AT_ONCE_MOST} conversations; with async=true they are erased in the background"
        raise AccessDenied(FieldError("customerId", text, "access-denied", customer_id, "URI"))
    erasure = Erasure(customer_id, actor.user_id)
    erase_some(tx, actor.account_id, erasure, now, most=ERASED_AT_ONCE_MOST)
    _erase_rest(tx, actor.account_id, erasure, now)


def erase_later(tx: Writer, actor: Actor, customer_id: int, now: str) -> None:
    """Have a customer erased in the background; raises NotFound, and AccessDenied as `erase_customer` does."""
    _require_access(tx, actor, customer_id)
    _add_job(tx, actor.account_id, Erasure(customer_id, actor.user_id), now)


def erase_some(tx: Writer, account_id: int, erasure: Erasure, now: str, most: int = BATCH) -> bool:
    """Erase some of a customer's conversations; False when there were none left."""
    heads = tx.all(_SOME, account_id=account_id, customer_id=erasure.customer_id, most=most)
    erase(tx, heads, now, of_customer=True)
    for head in heads:
        if head.state != "draft" and head.merged_into is None:
            particulars = msgspec.json.encode({"number": head.number}).decode()
            event = Event(
                account_id=account_id, name=events.CONVERSATION_DELETED, subject_id=head.id, inbox_id=head.inbox_id,
                actor_id=erasure.user_id, at=now, particulars=particulars,
            )  # fmt: skip
            record(tx, event)
    return bool(heads)


def finish_or_go_on(tx: Writer, account_id: int, erasure: Erasure, now: str) -> None:
    """Erase the customer once all their conversations are gone; until then, add the job again."""
    # Whoever is writing a conversation of theirs keeps the customer until it is there, to be found below.
    by_id_to_change(tx, account_id, erasure.customer_id)
    if erase_some(tx, account_id, erasure, now):
        _add_job(tx, account_id, erasure, now)
    else:
        _erase_rest(tx, account_id, erasure, now)


def _erase_rest(tx: Writer, account_id: int, erasure: Erasure, now: str) -> None:
    tx.run(_UNRATE, account_id=account_id, customer_id=erasure.customer_id)
    tx.run(_DELETE_RATINGS, account_id=account_id, customer_id=erasure.customer_id)
    _erase_loose(tx, account_id, erasure.customer_id, now)
    customers.erase(tx, account_id, erasure.customer_id, erasure.user_id, now)


def _erase_loose(tx: Writer, account_id: int, customer_id: int, now: str) -> None:
    known = entries(tx, account_id, [customer_id])[customer_id]
    addresses = msgspec.json.encode([one.value.lower() for one in known if one.kind == "email"]).decode()
    if found := tx.all(_LOOSE_FILES, account_id=account_id, sender=addresses):
        files.remove_unnamed(tx, account_id, list(filter(None, found)), now)
        tx.run(_DELETE_LOOSE, account_id=account_id, sender=addresses)


def _add_job(tx: Writer, account_id: int, erasure: Erasure, now: str) -> None:
    target = f"customer:{erasure.customer_id}"
    jobs.add(tx, account_id=account_id, kind=ERASE_CUSTOMER, target=target, payload=erasure, now=now)


def _require_access(tx: Writer, actor: Actor, customer_id: int) -> None:
    if actor.role == "light user":
        raise AccessDenied
    customers.to_erase(tx, actor, customer_id)
    for inbox_id in tx.all(_INBOXES, account_id=actor.account_id, customer_id=customer_id):
        access.require_inbox(actor, inbox_id)
