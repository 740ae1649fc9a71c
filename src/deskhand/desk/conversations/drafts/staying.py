"""What becomes of kept forms when what they are about goes: conversations that are deleted or merged, users who leave.

What somebody has sent is never lost: it stays with them as what could not be sent. What was only being written goes.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.conversations import owners
from deskhand.desk.conversations.drafts import kept_back
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.unsent import Unsent
from deskhand.desk.conversations.mail.mail_queries import HELD
from deskhand.desk.conversations.queries import Head
from deskhand.desk.conversations.tables import attachment, conversation, thread, thread_mail, unsent, unsent_file
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.desk.users.tables import staff
from deskhand.outbox import events


class _HeldReply(msgspec.Struct, frozen=True):
    """A reply that has not left yet."""

    id: int
    user_id: int
    body: str | None
    recipients: str
    cc: str
    bcc: str
    subject: str
    inbox_id: int
    status: str
    customer_email: str


class _New(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    user_id: int
    key: str
    kind: str = "new"
    recipients: str
    subject: str
    body: str
    fields: str
    form: str = ""
    fault: str
    at: str


_IDS = P("ids", sa.Text)
_FORMS = sa.select(*columns(unsent, *Unsent.__struct_fields__))
_SENT = sa.or_(unsent.c.ready.is_not(None), unsent.c.fault != sa.literal_column("''"))
_OF_CONVERSATIONS = rows(
    Unsent,
    _FORMS.where(unindexed(unsent.c.account_id) == P("account_id"), ids_in(unsent.c.conversation_id, _IDS), _SENT)
    .order_by(unsent.c.id)
    .with_for_update(),
)
_OF_ONE = rows(
    Unsent,
    _FORMS.where(unindexed(unsent.c.account_id) == P("account_id"), unsent.c.conversation_id == P("conversation_id"))
    .order_by(unsent.c.id)
    .with_for_update(),
)
_OF_USER = rows(
    Unsent,
    _FORMS.where(unsent.c.account_id == P("account_id"), unsent.c.user_id == P("user_id"))
    .order_by(unsent.c.id)
    .with_for_update(),
)
_HELD_REPLIES = rows(
    _HeldReply,
    sa.select(
        thread.c.id,
        thread.c.created_by_id.label("user_id"),
        thread.c.body,
        thread.c.recipients,
        thread.c.cc,
        thread.c.bcc,
        conversation.c.subject,
        conversation.c.inbox_id,
        conversation.c.status,
        conversation.c.customer_email,
    )
    .join(thread_mail, sa.and_(thread_mail.c.thread_id == thread.c.id, thread_mail.c.account_id == thread.c.account_id))
    .join(conversation, conversation.c.id == thread.c.conversation_id)
    .where(
        unindexed(thread.c.account_id) == P("account_id"),
        ids_in(thread.c.conversation_id, _IDS),
        thread.c.type == sa.literal_column("'message'"),
        thread.c.state == sa.literal_column("'published'"),
        HELD,
    )
    .order_by(thread.c.id),
)
_ADD = Insert(unsent, _New)
_ADD_FILES = command(
    sa.insert(unsent_file).from_select(
        ["account_id", "unsent_id", "filename", "mime_type", "size", "sha256", "content_id"],
        sa.select(
            attachment.c.account_id,
            P("unsent_id", sa.BigInteger),
            attachment.c.filename,
            attachment.c.mime_type,
            attachment.c.size,
            attachment.c.sha256,
            attachment.c.content_id,
        )
        .where(
            attachment.c.account_id == P("account_id"),
            attachment.c.thread_id == P("thread_id"),
            attachment.c.state == sa.literal_column("'valid'"),
        )
        .order_by(attachment.c.id),
    )
)
_MOVE = command(
    sa.update(unsent)
    .where(unsent.c.account_id == P("for_account"), unsent.c.id == P("id"))
    .values(conversation_id=P("to_id"), key=P("to_key"))
)
_MOVE_FILES = command(
    sa.update(unsent_file)
    .where(unsent_file.c.account_id == P("for_account"), unsent_file.c.unsent_id == P("id"))
    .values(conversation_id=P("to_id"))
)
_OWNER = value(
    int,
    sa.select(staff.c.id)
    .where(
        staff.c.account_id == P("account_id"),
        staff.c.role == sa.literal_column("'owner'"),
        staff.c.state == sa.literal_column("'active'"),
    )
    .order_by(staff.c.id)
    .limit(sa.literal_column("1")),
)


def outlive(tx: Writer, heads: Collection[Head], now: str, *, erased: bool = False) -> None:
    """Keep what was sent in conversations that are about to be erased, and has not left yet or could not.

    A reply becomes the form of a new conversation, as a forward does. With `erased` their customers are to be forgotten
    altogether: so only what its writer wrote is kept, and not to whom and about what.
    """
    account_id = next(iter(heads)).account_id
    ids = msgspec.json.encode([head.id for head in heads]).decode()
    nameless = {head.customer_email.lower() for head in heads if head.customer_email} if erased else set()
    gone = "its customer was erased" if erased else "its conversation was deleted"
    for one in tx.all(_OF_CONVERSATIONS, account_id=account_id, ids=ids):
        if one.ready is not None:
            kept_back.withdraw(tx, account_id, one)
        kept_back.detach(tx, account_id, one, f"{gone} before it left", now, nameless=nameless)
    for reply in tx.all(_HELD_REPLIES, account_id=account_id, ids=ids):
        id = tx.add(_ADD, _as_form(account_id, reply, f"{gone} before it left", now, nameless=erased))
        tx.run(_ADD_FILES, account_id=account_id, unsent_id=id, thread_id=reply.id)
        tx.changed(events.PAGES)


def _as_form(account_id: int, reply: _HeldReply, fault: str, now: str, *, nameless: bool) -> _New:
    to, cc, bcc = (
        ", ".join(msgspec.json.decode(one, type=list[str])) for one in (reply.recipients, reply.cc, reply.bcc)
    )
    fields = {"kind": "email", "inbox": str(reply.inbox_id), "status": reply.status}
    if not nameless:
        fields |= {"cc": cc, "bcc": bcc}
    subject = reply.subject if reply.subject.lower().startswith("re:") else f"Re: {reply.subject}".strip()
    return _New(
        account_id=account_id,
        user_id=reply.user_id,
        key=f"detached-{secrets.token_urlsafe(12)}",
        recipients="" if nameless else to or reply.customer_email,
        subject="" if nameless else subject,
        body=reply.body or "",
        fields=msgspec.json.encode({name: given for name, given in fields.items() if given}).decode(),
        fault=fault,
        at=now,
    )


def follow(tx: Writer, account_id: int, gone: Head, stays: Head, now: str) -> None:
    """Let what forwards a conversation forward another, into which it is merged.

    Who is forwarding that already has two then: one of them goes on by itself.
    """
    key = forms.forward_key(stays.id)
    for one in tx.all(_OF_ONE, account_id=account_id, conversation_id=gone.id):
        if one.ready is None and forms.of(tx, on_behalf_of(account_id, one.user_id), key) is not None:
            fault = one.fault or f"its conversation was merged into #{stays.number}, which you are forwarding already"
            kept_back.detach(tx, account_id, one, fault, now)
            continue
        # What is about to leave keeps its key, by which it can be taken back; see kept_back.stay for what then.
        tx.run(_MOVE, for_account=account_id, id=one.id, to_id=stays.id, to_key=one.key if one.ready else key)
        tx.run(_MOVE_FILES, for_account=account_id, id=one.id, to_id=stays.id)


def inherit(tx: Writer, actor: Actor, user_id: int, now: str) -> None:
    """See to the forms of somebody who has left: what they had sent goes to who deleted them, the rest is forgotten."""
    who = owners.by_id(tx, actor.account_id, user_id)
    heir = _heir(tx, actor)
    for one in tx.all(_OF_USER, account_id=actor.account_id, user_id=user_id):
        if one.ready is None and not one.fault or heir is None:
            forms.drop(tx, actor, one, now)
            continue
        if one.ready is not None:
            kept_back.withdraw(tx, actor.account_id, one)
        fault = f"{who.name if who else 'its writer'}, who sent it, was deleted before it left"
        kept_back.stay(tx, actor.account_id, one, fault, now, heir=heir)


def _heir(db: Reader, actor: Actor) -> int | None:
    """Who deletes somebody; the account's owner where no person did it."""
    found = access.actor(db, actor.user_id)
    if found is not None and found.account_id == actor.account_id and found.role in access.SEES_ALL:
        return found.user_id
    return db.one(_OWNER, account_id=actor.account_id)
