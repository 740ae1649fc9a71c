"""Which mails of ours could not be delivered or came back, and sending them again."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, FieldError, NotFound, PreconditionFailed
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, Statement, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations.mail import mail_queries, mailing
from deskhand.desk.conversations.mail.mail_queries import Sending
from deskhand.desk.conversations.mail.mailing import SEND_ANSWER, SEND_EMAIL, Handover
from deskhand.desk.conversations.mail.received_listing import Turned
from deskhand.desk.conversations.tables import conversation, thread, thread_mail
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.desk.conversations.writing import take
from deskhand.outbox import jobs


class Undelivered(msgspec.Struct, frozen=True):
    """A mail that has not arrived, or not everywhere; `state` is waiting, sent, failed or bounced.

    `automatic` is 1 for automatic answers. `at` is when it came to be so. The recipients are JSON lists.
    """

    thread_id: int
    conversation_id: int
    number: int
    inbox_id: int
    subject: str
    recipients: str
    cc: str
    bcc: str
    state: str
    error: str
    automatic: int
    at: str


_OF_ACCOUNT = thread_mail.c.account_id == P("account_id")
_OUT = thread_mail.c.direction == sa.literal_column("'out'")
_UNDELIVERED = (
    sa.select(
        thread_mail.c.thread_id,
        thread_mail.c.conversation_id,
        *(conversation.c[name] for name in ("number", "inbox_id", "subject")),
        *(thread.c[name] for name in ("recipients", "cc", "bcc")),
        *(thread_mail.c[name] for name in ("state", "error", "automatic", "at")),
    )
    .join(thread, sa.and_(thread.c.id == thread_mail.c.thread_id, thread.c.account_id == thread_mail.c.account_id))
    .join(
        conversation,
        sa.and_(
            conversation.c.id == thread_mail.c.conversation_id, conversation.c.account_id == thread_mail.c.account_id
        ),
    )
    .where(_OF_ACCOUNT, _OUT, thread_mail.c.error != sa.literal_column("''"))
    .limit(P("most", sa.Integer))
)
_NEWEST_FIRST, _OLDEST_FIRST = thread_mail.c.thread_id.desc(), thread_mail.c.thread_id
_OF_ALL = rows(Undelivered, _UNDELIVERED.order_by(_NEWEST_FIRST))
_OF_ONE = _UNDELIVERED.where(conversation.c.inbox_id == P("inbox_id"))
_BEFORE = _OF_ONE.where(thread_mail.c.thread_id < P("before", sa.BigInteger))
_AFTER = _OF_ONE.where(thread_mail.c.thread_id > P("after", sa.BigInteger))
_OF_INBOX: dict[Turned, Statement[Undelivered]] = {
    "newest": rows(Undelivered, _OF_ONE.order_by(_NEWEST_FIRST)),
    "before": rows(Undelivered, _BEFORE.order_by(_NEWEST_FIRST)),
    "after": rows(Undelivered, _AFTER.order_by(_OLDEST_FIRST)),
}
_CONVERSATION = value(
    int, sa.select(thread_mail.c.conversation_id).where(_OF_ACCOUNT, _OUT, thread_mail.c.thread_id == P("thread_id"))
)


def undelivered(db: Reader, account_id: int, most: int) -> list[Undelivered]:
    """The mails of an account that have not arrived, or not everywhere, the newest first."""
    return db.all(_OF_ALL, account_id=account_id, most=most)


def undelivered_from(
    db: Reader, account_id: int, inbox_id: int, most: int, *, turned: Turned = "newest", thread_id: int | None = None
) -> list[Undelivered]:
    """As `undelivered`, of one inbox; with a thread those before it, or those after it and then the next one first."""
    given = {"account_id": account_id, "inbox_id": inbox_id, "most": most}
    if thread_id is None:
        return db.all(_OF_INBOX["newest"], **given)
    return db.all(_OF_INBOX[turned], **given | {turned: thread_id})


def resend_of(tx: Writer, account_id: int, thread_id: int, now: str) -> None:
    """As `resend`, by whoever administers the account; all that it needs is the thread."""
    conversation_id = tx.one(_CONVERSATION, account_id=account_id, thread_id=thread_id)
    if conversation_id is None:
        raise NotFound
    resend(tx, on_behalf_of(account_id, 0), conversation_id, thread_id, now)


def resend(tx: Writer, actor: Actor, conversation_id: int, thread_id: int, now: str) -> None:
    """Send a mail again, to those whom it did not reach; whoever got it knows it by its Message-ID.

    Raises NotFound, AccessDenied, and PreconditionFailed where nothing went wrong or it is still being tried.
    """
    if actor.role == "light user" or "outgoing" in actor.hide:
        raise AccessDenied
    head = take(tx, actor, conversation_id, now)
    found = mail_queries.sending(tx, actor.account_id, head.id, thread_id)
    if found is None:
        raise NotFound
    if found.state not in ("failed", "bounced") and not (found.state == "sent" and found.error):
        raise _refused("the mail is still being tried" if found.state == "waiting" else "the mail was delivered")
    begins = mailing.payload_begins(thread_id)
    for kind in (SEND_EMAIL, SEND_ANSWER):
        jobs.forget_failed(tx, actor.account_id, kind, begins)
        jobs.withdraw(tx, actor.account_id, kind, begins)
        if jobs.any_waiting(tx, actor.account_id, kind, begins):  # then some of its recipients would get it twice
            raise _refused("the mail is still being tried")
    mail_queries.once_more(tx, actor.account_id, thread_id, now)
    if found.automatic:
        mail_queries.say(tx, actor.account_id, thread_id, "waiting")
    handover = Handover(thread_id, head.inbox_id, _missed(found))
    mailing.send(tx, actor.account_id, [(handover, bool(found.automatic))], now)


def _refused(words: str) -> PreconditionFailed:
    return PreconditionFailed(FieldError("threadId", words, "precondition-failed", source="URI"))


def _missed(found: Sending) -> tuple[str, ...]:
    """The recipients that the words about the failure name; none where they name nobody, and then it goes to all."""
    listed = [*_list(found.recipients), *_list(found.cc), *_list(found.bcc)]
    error = f"; {found.error}".casefold()
    return tuple(dict.fromkeys(one for one in listed if f"; {one}:".casefold() in error))


def _list(addresses: str) -> list[str]:
    return msgspec.json.decode(addresses, type=list[str])
