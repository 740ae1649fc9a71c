"""Automatic answers to new conversations that came by mail: at most one a day to each sender from each inbox.

Machines get none, nor does anybody while a breaker is tripped, so that two desks can't keep each other busy. The answer
is no thread that customers' replies are counted by: a line item tells of it, and its mail belongs to that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import add_missing
from deskhand.db.statements import P, command, rows, value
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.mail import loops, mail_queries, mailing
from deskhand.desk.conversations.replying import listed
from deskhand.desk.conversations.tables import conversation, thread, thread_mail
from deskhand.desk.conversations.timing.later import on_behalf_of
from deskhand.desk.conversations.writing import ThreadRow, add_thread
from deskhand.desk.inboxes.tables import inbox, inbox_mail
from deskhand.lib.clock import Clock, from_wire, to_wire
from deskhand.mail.addresses import BadAddress, routable
from deskhand.mail.tables import automatic_answer
from deskhand.outbox.events import Fact
from deskhand.outbox.worker import Listener

TOO_OLD = timedelta(days=1)
"""How old mail is that is not answered by itself any more: nobody expects it, or an old mailbox was moved here."""

# Who reads no answer: machines, lists, and addresses that say so.
_NOBODY = re.compile(
    r"(?:no|do[-_.]?not|never)[-_.]?reply|mailer[-_.]?daemon|postmaster|daemon|nobody|root|null|undisclosed"
    r"|bounces?|notifications?|alerts?|auto(?:mated|matic)?[-_.]?(?:reply|answer|responder|mail)?"
    r"|list(?:serv|s|-manager)?"
    r"|majordomo|mailman|newsletter|msprvs1",
    re.IGNORECASE,
)
_BY_LIST = re.compile(
    r"owner-.+|.+-(?:request|owner|bounces?|errors|admin|relay)|(?:bounces?|prvs|btv1)[-+=].+"
    r"|.*[-_.+](?:no|do[-_.]?not)[-_.]?reply|(?:no|do[-_.]?not)[-_.]?reply[-_.+].*",
    re.IGNORECASE,
)


class _Question(msgspec.Struct, frozen=True):
    """A conversation that a mail began, in an inbox that answers by itself; `automatic` is the mail's (0 or 1)."""

    customer_email: str
    status: str
    created_at: str
    automatic: int
    verdicts: str | None
    inbox_email: str
    reply_token: int


_QUESTION = rows(
    _Question,
    sa.select(
        conversation.c.customer_email,
        conversation.c.status,
        thread.c.created_at,
        thread_mail.c.automatic,
        thread_mail.c.verdicts,
        inbox.c.email.label("inbox_email"),
        inbox_mail.c.reply_token,
    )
    .join(thread, sa.and_(thread.c.conversation_id == conversation.c.id, thread.c.account_id == P("account_id")))
    .join(thread_mail, sa.and_(thread_mail.c.thread_id == thread.c.id, thread_mail.c.account_id == P("account_id")))
    .join(inbox, sa.and_(inbox.c.id == conversation.c.inbox_id, inbox.c.account_id == P("account_id")))
    .join(inbox_mail, sa.and_(inbox_mail.c.inbox_id == inbox.c.id, inbox_mail.c.account_id == P("account_id")))
    .where(
        conversation.c.account_id == P("account_id"),
        conversation.c.id == P("id"),
        conversation.c.source_type == sa.literal_column("'email'"),
        thread.c.type == sa.literal_column("'customer'"),
        thread_mail.c.direction == sa.literal_column("'in'"),
        inbox_mail.c.answer == sa.literal_column("1"),
    )
    .order_by(thread.c.created_at, thread.c.id)
    .limit(sa.literal_column("1")),
)
# Of all accounts: inboxes of two accounts here shall not answer each other either.
_OURS = value(
    int,
    sa.select(inbox.c.id).where(sa.func.lower(inbox.c.email) == P("email")).limit(sa.literal_column("1")),
)
_FIRST = add_missing(automatic_answer, "account_id", "inbox_id", "address", "day", "n")
_AGAIN = command(
    sa.update(automatic_answer)
    .where(
        automatic_answer.c.account_id == P("account_id"),
        automatic_answer.c.inbox_id == P("inbox_id"),
        automatic_answer.c.address == P("address"),
        automatic_answer.c.day == P("day"),
    )
    .values(n=automatic_answer.c.n + sa.literal_column("1"))
)
_FORGET_OLD = command(
    sa.delete(automatic_answer).where(
        automatic_answer.c.account_id == P("account_id"),
        automatic_answer.c.inbox_id == P("inbox_id"),
        automatic_answer.c.address == P("address"),
        automatic_answer.c.day < P("before"),
    )
)
_KEPT_FOR = timedelta(days=30)


def listener(clock: Clock) -> Listener:
    """To be told of events: conversations that a customer's mail began are answered."""

    def listen(tx: Writer, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if fact.name == events.CONVERSATION_CREATED and fact.actor_type == "customer":
                answer(tx, fact.account_id, fact.subject_id, to_wire(clock.now()))

    return listen


def answer(tx: Writer, account_id: int, conversation_id: int, now: str) -> bool:
    """Answer a conversation that a mail began, unless its inbox does not do so or its sender is not to get an answer.

    Twice does no harm: the second time there has been one today.
    """
    question = tx.one(_QUESTION, account_id=account_id, id=conversation_id)
    if question is None or not _deserves_one(question, now):
        return False
    address = _folded(question.customer_email)
    if is_inbox(tx, address):
        return False
    try:
        head = queries.head(tx, on_behalf_of(account_id, 0), conversation_id)
    except NotFound:  # merged or deleted meanwhile
        return False
    if loops.tripped(tx, account_id, head.id, address.rpartition("@")[2], now):
        return False
    if not _first_today(tx, account_id, head.inbox_id, address, now):
        return False
    row = ThreadRow(
        account_id=account_id,
        conversation_id=head.id,
        type="lineitem",
        action_text=mail_queries.ANSWER_WORDS["waiting"],
        source_type="email",
        customer_id=head.customer_id,
        created_by_id=0,
        recipients=listed([question.customer_email]),
        created_at=now,
    )
    thread_id = add_thread(tx, row)
    tokened = bool(question.reply_token)
    mail = mailing.new_mail(head, thread_id, question.inbox_email, now, tokened=tokened, automatic=True)
    mailing.hand_over(tx, head, [mail], now)
    return True


def _deserves_one(question: _Question, now: str) -> bool:
    """Whether a person wrote it just now, from an address that can be answered."""
    if question.automatic or question.status == "spam":
        return False
    if from_wire(now) - from_wire(question.created_at) > TOO_OLD:
        return False
    if _is_forged(msgspec.json.decode(question.verdicts or "{}", type=dict[str, str])):
        return False
    return is_answerable(question.customer_email)


def _is_forged(verdicts: Mapping[str, str]) -> bool:
    """Whether the receiving server found that the sender's address is somebody else's, who did not ask anything.

    SPF alone fails for all that was forwarded, so a signature that holds is enough where the domain has no DMARC.
    """
    dmarc = verdicts.get("dmarc", "none")
    if dmarc in ("pass", "fail"):
        return dmarc == "fail"
    return verdicts.get("spf") == "fail" and verdicts.get("dkim") != "pass"


def is_answerable(address: str) -> bool:
    """Whether somebody may read what goes to an address, as far as it tells by itself."""
    try:
        local, _, domain = routable(address).rpartition("@")
    except BadAddress:
        return False
    if domain.endswith(".invalid"):
        return False
    return not _NOBODY.fullmatch(local) and not _BY_LIST.fullmatch(local)


def is_inbox(db: Reader, address: str) -> bool:
    """Whether an address is that of an inbox here, of whatever account."""
    return db.one(_OURS, email=address.lower()) is not None


def _first_today(tx: Writer, account_id: int, inbox_id: int, address: str, now: str) -> bool:
    """Whether this is the first answer today; of several at the same time exactly one is."""
    key = {"account_id": account_id, "inbox_id": inbox_id, "address": address}
    if not tx.run(_FIRST, **key, day=now[:10], n=1):
        tx.run(_AGAIN, **key, day=now[:10])
        return False
    tx.run(_FORGET_OLD, **key, before=to_wire(from_wire(now) - _KEPT_FOR)[:10])
    return True


def _folded(address: str) -> str:
    return routable(address).lower()
