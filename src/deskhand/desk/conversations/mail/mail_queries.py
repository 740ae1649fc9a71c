"""Reading and writing what is known of the mail that threads came by or went out with."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in
from deskhand.db.statements import Insert, P, command, rows, value
from deskhand.desk.conversations.tables import attachment, conversation, thread, thread_mail
from deskhand.desk.customers.tables import customer
from deskhand.desk.inboxes.tables import inbox, inbox_mail
from deskhand.desk.users.tables import account, staff


class MailRow(msgspec.Struct, frozen=True, kw_only=True):
    """The mail of a thread, to be added."""

    account_id: int
    thread_id: int
    conversation_id: int
    direction: str = "out"
    message_id: str
    state: str = "waiting"
    error: str = ""
    at: str
    reply_token: str | None = None
    automatic: int = 0


class Published(msgspec.Struct, frozen=True):
    """A published reply, where mail of its inbox comes from, and whether answers are to come by a token (0 or 1).

    The recipients are JSON lists.
    """

    id: int
    recipients: str
    cc: str
    bcc: str
    inbox_email: str
    reply_token: int


class Reply(msgspec.Struct, frozen=True):
    """All that the mail of a reply, or an automatic answer, is made of, but for what came before it and its files.

    `first`: nothing came before it; `by_itself`: a workflow sent it. `mail_state` is waiting, sent, failed or bounced.
    All from `smtp` on is as the inbox's mail settings have it; None where nobody decided anything.
    """

    id: int
    conversation_id: int
    state: str
    body: str | None
    customer_id: int | None
    recipients: str
    cc: str
    bcc: str
    created_at: str
    attachments: int
    subject: str
    number: int
    customer_email: str
    zone: str
    author_first: str | None
    author_last: str | None
    author_email: str | None
    customer_first: str | None
    customer_last: str | None
    inbox_name: str
    inbox_email: str
    message_id: str
    mail_state: str
    reply_token: str | None
    first: int
    by_itself: int
    smtp: str | None
    signature: str | None
    subject_token: int | None
    ratings: int | None
    answer: int | None
    answer_subject: str | None
    answer_text: str | None


class HeldReply(msgspec.Struct, frozen=True):
    """A reply whose mail has not left because it may be taken back: where it is, and who wrote it."""

    conversation_id: int
    user_id: int


class Earlier(msgspec.Struct, frozen=True):
    """A mail that came or went before in the same conversation; `direction` is in or out."""

    message_id: str
    direction: str


class AttachedFile(msgspec.Struct, frozen=True):
    """A file that goes with a reply; with a `content_id` its text shows it in place."""

    filename: str
    mime_type: str
    sha256: str
    content_id: str | None


class Failure(msgspec.Struct, frozen=True):
    """A reply whose mail has not arrived, or not everywhere; `state` is waiting, sent, failed or bounced."""

    thread_id: int
    state: str
    error: str

    @property
    def words(self) -> str:
        """What to tell the team."""
        if self.state == "waiting":
            return f"not delivered yet, it will be tried again: {self.error}"
        if self.state == "bounced":
            return f"came back: {self.error}"
        return f"could not be delivered{' to all' if self.state == 'sent' else ''}: {self.error}"


class Sending(msgspec.Struct, frozen=True):
    """How a thread's mail stands, with its thread's kind and recipients (JSON lists)."""

    type: str
    state: str
    error: str
    automatic: int
    recipients: str
    cc: str
    bcc: str


ADD = Insert(thread_mail, MailRow)
_SETTINGS = sa.and_(inbox_mail.c.inbox_id == inbox.c.id, inbox_mail.c.account_id == inbox.c.account_id)
_PUBLISHED: sa.ColumnElement[str] = sa.literal_column("'published'")
_OUT = thread_mail.c.direction == sa.literal_column("'out'")
HELD = sa.and_(
    _OUT,
    thread_mail.c.state == sa.literal_column("'waiting'"),
    thread_mail.c.error == sa.literal_column("''"),
    sa.func.substr(thread.c.on_publish, sa.literal_column("1"), sa.literal_column("8"))
    == sa.literal_column("""'{"asked"'"""),
)
"""That a reply's mail has not left because the reply may still be taken back, see undoing.py: nobody may know of it."""
ANSWER_WORDS = {
    "waiting": "An automatic answer is on its way",
    "sent": "The automatic answer was sent",
    "failed": "The automatic answer could not be sent",
}
"""What the line item of an automatic answer says, by the state of its mail."""
_TO_MAIL = rows(
    Published,
    sa.select(
        thread.c.id,
        thread.c.recipients,
        thread.c.cc,
        thread.c.bcc,
        inbox.c.email.label("inbox_email"),
        sa.func.coalesce(inbox_mail.c.reply_token, sa.literal_column("0")).label("reply_token"),
    )
    .join(inbox, sa.and_(inbox.c.id == P("inbox_id"), inbox.c.account_id == thread.c.account_id))
    .outerjoin(inbox_mail, _SETTINGS)
    .where(
        thread.c.account_id == P("account_id"),
        ids_in(thread.c.id, P("thread_ids", sa.Text)),
        thread.c.type == sa.literal_column("'message'"),
        thread.c.state == _PUBLISHED,
        thread.c.imported == sa.literal_column("0"),
    )
    .order_by(thread.c.id),
)

_before = thread.alias("before")
_SAID_BEFORE = (
    sa.exists()
    .where(
        _before.c.conversation_id == thread.c.conversation_id,
        _before.c.account_id == thread.c.account_id,
        _before.c.type != sa.literal_column("'lineitem'"),
        _before.c.type != sa.literal_column("'note'"),
        _before.c.state == _PUBLISHED,
        sa.or_(
            _before.c.created_at < thread.c.created_at,
            sa.and_(_before.c.created_at == thread.c.created_at, _before.c.id < thread.c.id),
        ),
    )
    .correlate(thread)
)
_author = staff.alias("author")
_OWN = ("id", "conversation_id", "state", "body", "customer_id", "recipients", "cc", "bcc", "created_at", "attachments")
# What a workflow sent though nobody ran it.
_BY_ITSELF = sa.and_(
    thread.c.source_type == sa.literal_column("'workflows'"), _author.c.type == sa.literal_column("'system_user'")
)
_OF_SETTINGS = Reply.__struct_fields__[Reply.__struct_fields__.index("smtp") :]
_COLUMNS: list[sa.ColumnElement[Any]] = [
    *(thread.c[name] for name in _OWN),
    *(conversation.c[name] for name in ("subject", "number", "customer_email")),
    account.c.timezone.label("zone"),
    _author.c.first_name.label("author_first"),
    _author.c.last_name.label("author_last"),
    _author.c.email.label("author_email"),
    customer.c.first_name.label("customer_first"),
    customer.c.last_name.label("customer_last"),
    inbox.c.name.label("inbox_name"),
    inbox.c.email.label("inbox_email"),
    thread_mail.c.message_id,
    thread_mail.c.state.label("mail_state"),
    thread_mail.c.reply_token,
    sa.case((_SAID_BEFORE, sa.literal_column("0")), else_=sa.literal_column("1")).label("first"),
    sa.case((_BY_ITSELF, sa.literal_column("1")), else_=sa.literal_column("0")).label("by_itself"),
    *(inbox_mail.c[name] for name in _OF_SETTINGS),
]
_REPLY = rows(
    Reply,
    sa.select(*_COLUMNS)
    .select_from(thread)
    .join(thread_mail, sa.and_(thread_mail.c.thread_id == thread.c.id, _OUT))
    .join(conversation, conversation.c.id == thread.c.conversation_id)
    .join(inbox, sa.and_(inbox.c.id == P("inbox_id"), inbox.c.account_id == thread.c.account_id))
    .join(account, account.c.id == thread.c.account_id)
    .outerjoin(inbox_mail, _SETTINGS)
    .outerjoin(_author, _author.c.id == sa.func.coalesce(thread.c.send_as_id, thread.c.created_by_id))
    .outerjoin(customer, customer.c.id == sa.func.coalesce(thread.c.customer_id, conversation.c.customer_id))
    .where(thread.c.account_id == P("account_id"), thread.c.id == P("id")),
)
_EARLIER = rows(
    Earlier,
    sa.select(thread_mail.c.message_id, thread_mail.c.direction)
    .join(thread, thread.c.id == thread_mail.c.thread_id)
    .where(
        thread_mail.c.account_id == P("account_id"),
        thread_mail.c.conversation_id == P("conversation_id"),
        sa.or_(
            thread.c.created_at < P("created_at"),
            sa.and_(thread.c.created_at == P("created_at"), thread.c.id < P("id")),
        ),
        sa.not_(HELD),
    )
    .order_by(thread.c.created_at, thread.c.id),
)
_FILES = rows(
    AttachedFile,
    sa.select(attachment.c.filename, attachment.c.mime_type, attachment.c.sha256, attachment.c.content_id)
    .where(
        attachment.c.account_id == P("account_id"),
        attachment.c.thread_id == P("thread_id"),
        attachment.c.state == sa.literal_column("'valid'"),
    )
    .order_by(attachment.c.id),
)
_THIS = (thread_mail.c.account_id == P("account_id"), thread_mail.c.thread_id == P("thread_id"), _OUT)
_SETTLE = command(
    sa.update(thread_mail)
    .where(*_THIS, thread_mail.c.state != sa.literal_column("'bounced'"))
    .values(state=P("to_state"), error=P("reason"), at=P("now"))
)
_ONCE_MORE = command(
    sa.update(thread_mail)
    .where(*_THIS)
    .values(state=sa.literal_column("'waiting'"), error=sa.literal_column("''"), at=P("now"))
)
_SAY = command(
    sa.update(thread)
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.id == P("thread_id"),
        thread.c.type == sa.literal_column("'lineitem'"),
    )
    .values(action_text=P("text"))
)
_SENDING = rows(
    Sending,
    sa.select(
        thread.c.type,
        thread_mail.c.state,
        thread_mail.c.error,
        thread_mail.c.automatic,
        thread.c.recipients,
        thread.c.cc,
        thread.c.bcc,
    )
    .join(thread, sa.and_(thread.c.id == thread_mail.c.thread_id, thread.c.account_id == thread_mail.c.account_id))
    .where(
        thread_mail.c.account_id == P("account_id"),
        thread_mail.c.conversation_id == P("conversation_id"),
        thread_mail.c.thread_id == P("thread_id"),
        _OUT,
    ),
)
_FORGET = command(
    sa.delete(thread_mail).where(
        thread_mail.c.account_id == P("account_id"), thread_mail.c.thread_id == P("thread_id"), _OUT
    )
)
_HELD_REPLY = rows(
    HeldReply,
    sa.select(thread.c.conversation_id, thread.c.created_by_id.label("user_id"))
    .join(thread_mail, sa.and_(thread_mail.c.thread_id == thread.c.id, thread_mail.c.account_id == thread.c.account_id))
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.id == P("thread_id"),
        thread.c.state == _PUBLISHED,
        HELD,
    ),
)
_LEAVING = value(
    int,
    sa.select(thread_mail.c.thread_id)
    .where(
        thread_mail.c.account_id == P("account_id"),
        thread_mail.c.thread_id == P("thread_id"),
        _OUT,
        sa.or_(thread_mail.c.state != sa.literal_column("'sent'"), thread_mail.c.error != sa.literal_column("''")),
    )
    .limit(sa.literal_column("1")),
)
_FAILURES = rows(
    Failure,
    sa.select(thread_mail.c.thread_id, thread_mail.c.state, thread_mail.c.error)
    .where(
        thread_mail.c.account_id == P("account_id"),
        thread_mail.c.conversation_id == P("conversation_id"),
        _OUT,
        thread_mail.c.error != sa.literal_column("''"),
    )
    .order_by(thread_mail.c.thread_id),
)


def held(db: Reader, account_id: int, thread_id: int) -> HeldReply | None:
    """A reply whose mail has not left because it may be taken back; None for all others."""
    return db.one(_HELD_REPLY, account_id=account_id, thread_id=thread_id)


def is_leaving(db: Reader, account_id: int, thread_id: int) -> bool:
    """Whether a reply's mail is still to be sent, or may be sent again, to anybody."""
    return db.one(_LEAVING, account_id=account_id, thread_id=thread_id) is not None


def to_mail(db: Reader, account_id: int, inbox_id: int, thread_ids: list[int]) -> list[Published]:
    """Those of some threads that are replies which mail is made of."""
    ids = msgspec.json.encode(thread_ids).decode()
    return db.all(_TO_MAIL, account_id=account_id, inbox_id=inbox_id, thread_ids=ids)


def reply(db: Reader, account_id: int, inbox_id: int, thread_id: int) -> Reply | None:
    """A reply that was queued; None when it has been deleted since."""
    return db.one(_REPLY, account_id=account_id, inbox_id=inbox_id, id=thread_id)


def earlier(db: Reader, account_id: int, reply: Reply) -> list[Earlier]:
    """The mails before a reply, oldest first; of two in the same second the one with the smaller id is the older."""
    return db.all(
        _EARLIER, account_id=account_id, conversation_id=reply.conversation_id, created_at=reply.created_at, id=reply.id
    )


def files(db: Reader, account_id: int, reply: Reply) -> list[AttachedFile]:
    """A reply's attachments; no query when it has none."""
    return db.all(_FILES, account_id=account_id, thread_id=reply.id) if reply.attachments else []


def sending(db: Reader, account_id: int, conversation_id: int, thread_id: int) -> Sending | None:
    """How the mail of a thread stands; None where there is none that goes out."""
    return db.one(_SENDING, account_id=account_id, conversation_id=conversation_id, thread_id=thread_id)


def forget(tx: Writer, account_id: int, thread_id: int) -> None:
    """Let there be no mail of a thread, which never left."""
    tx.run(_FORGET, account_id=account_id, thread_id=thread_id)


def settle(tx: Writer, account_id: int, thread_id: int, state: str, error: str, now: str) -> None:
    """Write down how it went; what has come back meanwhile stays so."""
    tx.run(_SETTLE, account_id=account_id, thread_id=thread_id, to_state=state, reason=error, now=now)


def once_more(tx: Writer, account_id: int, thread_id: int, now: str) -> None:
    """Forget how it went, because it is sent again."""
    tx.run(_ONCE_MORE, account_id=account_id, thread_id=thread_id, now=now)


def say(tx: Writer, account_id: int, thread_id: int, state: str) -> None:
    """Let the line item of an automatic answer tell how its mail stands."""
    tx.run(_SAY, account_id=account_id, thread_id=thread_id, text=ANSWER_WORDS[state])


def failures(db: Reader, account_id: int, conversation_id: int) -> list[Failure]:
    """The replies of a conversation whose mail has not arrived, or not everywhere."""
    return db.all(_FAILURES, account_id=account_id, conversation_id=conversation_id)
