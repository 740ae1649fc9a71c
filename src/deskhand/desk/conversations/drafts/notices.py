"""Telling users by mail that they were named in a note, or that something was written in what they follow.

Each is told once of a thread, and nobody of their own doing. The job may be carried out twice: the mail keeps its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec
import sqlalchemy as sa

from deskhand.catalogue import events
from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.statements import P, rows, value
from deskhand.desk import access
from deskhand.desk.conversations.mail.history import name_of
from deskhand.desk.conversations.tables import conversation, follower, mention, thread
from deskhand.desk.customers.tables import customer
from deskhand.desk.inboxes import mail_settings
from deskhand.desk.inboxes.tables import inbox
from deskhand.desk.teams.tables import team_member
from deskhand.desk.users.tables import staff
from deskhand.lib.clock import Clock
from deskhand.lib.sealing import Sealer, SealingError
from deskhand.lib.text import preview
from deskhand.mail.addresses import BadAddress, new_message_id, routable
from deskhand.mail.compose import AUTOMATIC, Outgoing, compose, document
from deskhand.mail.headers import Address
from deskhand.mail.post import Envelope, NoServer, Post, Undelivered
from deskhand.outbox import jobs
from deskhand.outbox.events import Fact
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Failed, Kind, Listener, Then

TELL_USER = "tell_user"
"""The kind of job that tells one user of one thread."""
_TOLD_OF = (events.NOTE_CREATED, events.AGENT_REPLY_CREATED, events.CUSTOMER_REPLY_CREATED)


class Notice(msgspec.Struct, frozen=True):
    """Whom to tell of what, and whether they were named in it."""

    thread_id: int
    user_id: int
    named: bool
    message_id: str


class _Told(msgspec.Struct, frozen=True):
    """What the mail tells of."""

    conversation_id: int
    number: int
    subject: str
    type: str
    body: str | None
    by_type: str
    author_first: str | None
    author_last: str | None
    customer_first: str | None
    customer_last: str | None
    inbox_id: int
    inbox_name: str
    inbox_email: str
    user_email: str | None


_OF_THREAD = (mention.c.account_id == P("account_id"), mention.c.thread_id == P("thread_id"))
_NAMED = value(
    int,
    sa.union(
        sa.select(mention.c.staff_id.label("id")).where(*_OF_THREAD),
        sa.select(team_member.c.user_id.label("id"))
        .join(mention, mention.c.staff_id == team_member.c.team_id)
        .where(*_OF_THREAD, team_member.c.account_id == P("account_id")),
    ).order_by("id"),
)
_FOLLOWERS = value(
    int,
    sa.select(follower.c.user_id)
    .where(follower.c.account_id == P("account_id"), follower.c.conversation_id == P("conversation_id"))
    .order_by(follower.c.user_id),
)
_INBOX_EMAIL = value(
    str, sa.select(inbox.c.email).where(inbox.c.account_id == P("account_id"), inbox.c.id == P("inbox_id"))
)
_author, _reader = staff.alias("author"), staff.alias("reader")
_BY_CUSTOMER = thread.c.created_by_type == sa.literal_column("'customer'")
_TOLD = rows(
    _Told,
    sa.select(
        thread.c.conversation_id,
        conversation.c.number,
        conversation.c.subject,
        thread.c.type,
        thread.c.body,
        thread.c.created_by_type.label("by_type"),
        _author.c.first_name.label("author_first"),
        _author.c.last_name.label("author_last"),
        customer.c.first_name.label("customer_first"),
        customer.c.last_name.label("customer_last"),
        conversation.c.inbox_id,
        inbox.c.name.label("inbox_name"),
        inbox.c.email.label("inbox_email"),
        _reader.c.email.label("user_email"),
    )
    .select_from(thread)
    .join(conversation, sa.and_(conversation.c.id == thread.c.conversation_id, conversation.c.merged_into.is_(None)))
    .join(inbox, inbox.c.id == conversation.c.inbox_id)
    .join(_reader, sa.and_(_reader.c.id == P("user_id"), _reader.c.account_id == P("account_id")))
    .outerjoin(_author, sa.and_(_author.c.id == thread.c.created_by_id, sa.not_(_BY_CUSTOMER)))
    .outerjoin(customer, sa.and_(customer.c.id == thread.c.created_by_id, _BY_CUSTOMER))
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.id == P("thread_id"),
        thread.c.state == sa.literal_column("'published'"),
    ),
)


def listen(tx: Writer, facts: Sequence[Fact]) -> None:
    """To be told of events: those whom a new thread concerns are to be told of it."""
    for fact in facts:
        if fact.name in _TOLD_OF and fact.thread_id is not None and not _is_imported(fact):
            _tell(tx, fact, fact.thread_id)


listener: Listener = listen


def _is_imported(fact: Fact) -> bool:
    return bool(msgspec.json.decode(fact.particulars).get("imported"))


def _tell(tx: Writer, fact: Fact, thread_id: int) -> None:
    named = tx.all(_NAMED, account_id=fact.account_id, thread_id=thread_id) if fact.name == events.NOTE_CREATED else []
    followers = tx.all(_FOLLOWERS, account_id=fact.account_id, conversation_id=fact.subject_id)
    own = fact.actor_id if fact.actor_type == "user" else 0
    wanted = [id for id in dict.fromkeys([*named, *followers]) if id != own]
    if not wanted:
        return
    address = tx.one(_INBOX_EMAIL, account_id=fact.account_id, inbox_id=fact.inbox_id or 0) or ""
    for user_id in wanted:
        notice = Notice(thread_id, user_id, user_id in named, new_message_id(address, thread_id))
        jobs.add(
            tx, account_id=fact.account_id, kind=TELL_USER, target=f"user:{user_id}", payload=notice, now=fact.at
        )  # fmt: skip


def kind(database: Database, clock: Clock, post: Post, sealer: Sealer | None, base_url: str) -> Kind:
    """How the jobs are carried out."""

    async def carry(work: Work) -> Then | None:
        notice = msgspec.json.decode(work.payload, type=Notice)
        found = await database.read(lambda db: _read(db, work.account_id, notice))
        if found is None:
            return None  # it is gone, or no longer theirs to see
        told, smtp = found
        try:
            mail = _mail(told, notice, clock, base_url)
            server = mail_settings.smtp_of(sealer, work.account_id, told.inbox_id, smtp) if smtp and sealer else None
            envelope = Envelope(work.account_id, notice.thread_id, mail.sender.email, mail.recipients, server)
            sent = await post.send(mail, compose(mail), envelope)
        except NoServer:
            return None  # where no mail leaves, none of these is waited for
        except (Undelivered, BadAddress, SealingError) as problem:
            final = isinstance(problem, BadAddress) or (isinstance(problem, Undelivered) and problem.final)
            raise Failed(str(problem), final=final) from problem
        then = sent.then

        def write(tx: Writer) -> None:
            if then:
                then(tx)

        return write

    return Kind(carry)


def _read(db: Reader, account_id: int, notice: Notice) -> tuple[_Told, str] | None:
    """What to tell, and the inbox's own server as it is stored."""
    told = db.one(_TOLD, account_id=account_id, thread_id=notice.thread_id, user_id=notice.user_id)
    actor = access.actor(db, notice.user_id)
    if told is None or actor is None or not told.user_email or not access.may_see(actor, told.inbox_id):
        return None
    return told, mail_settings.read(db, account_id, told.inbox_id).smtp


def _mail(told: _Told, notice: Notice, clock: Clock, base_url: str) -> Outgoing:
    """A few lines: who wrote, how it begins, and where to read it."""
    if told.by_type == "customer":
        who = name_of(told.customer_first, told.customer_last) or "The customer"
    else:
        who = name_of(told.author_first, told.author_last) or told.inbox_name
    did = "mentioned you" if notice.named else "wrote a note" if told.type == "note" else "replied"
    subject = told.subject or "(no subject)"
    url = f"{base_url}/conversation/{told.conversation_id}"
    begins = preview(told.body or "")
    why = "" if notice.named else "You get this mail because you follow the conversation."
    sender = Address(routable(told.inbox_email), f"{who} in {told.inbox_name}")
    html = (
        f"<p>{escape(who)} {did} in #{told.number} {escape(subject)}:</p>\n<blockquote>{escape(begins)}</blockquote>\n"
        f'<p><a href="{escape(url)}">Open the conversation</a></p>' + (f"\n<p>{why}</p>" if why else "")
    )
    text = f"{who} {did} in #{told.number} {subject}:\n\n> {begins}\n\n{url}" + (f"\n\n{why}" if why else "")
    return Outgoing(
        message_id=notice.message_id,
        sender=sender,
        reply_to=Address(sender.email),
        to=(Address(routable(told.user_email or "")),),
        subject=f"{who} {did}: {subject}",
        html=document(html),
        text=text,
        date=clock.now(),
        headers=AUTOMATIC,
    )
