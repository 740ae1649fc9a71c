"""Reading and writing what is known of mail that came: see `received_mail`."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import texts_in, unindexed
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.desk.conversations.tables import thread_mail
from deskhand.desk.inboxes.tables import inbox
from deskhand.mail.tables import received_mail


class NewReceived(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is kept now."""

    account_id: int
    inbox_id: int
    way: str
    place: str
    sha256: str
    size: int
    fingerprint: str
    message_id: str
    sender: str
    recipients: str
    state: str = "waiting"
    reason: str = ""
    received_at: str


class Received(msgspec.Struct, frozen=True):
    """A message that came, and what became of it; `recipients` is JSON."""

    id: int
    account_id: int
    inbox_id: int
    way: str
    sha256: str
    size: int
    fingerprint: str
    sender: str
    recipients: str
    state: str
    reason: str
    conversation_id: int | None
    thread_id: int | None
    received_at: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message; `domain` and `automatic` tell who wrote it."""

    state: str
    reason: str = ""
    conversation_id: int | None = None
    thread_id: int | None = None
    domain: str = ""
    automatic: int = 0


class Old(msgspec.Struct, frozen=True):
    """A message that was skipped long ago."""

    id: int
    account_id: int
    sha256: str


class InboxAddress(msgspec.Struct, frozen=True):
    """Where an inbox's mail comes to."""

    id: int
    account_id: int
    email: str


ADD = Insert(received_mail, NewReceived)
_KNOWN = value(
    int,
    sa.select(received_mail.c.id).where(
        received_mail.c.account_id == P("account_id"),
        received_mail.c.inbox_id == P("inbox_id"),
        received_mail.c.fingerprint == P("fingerprint"),
    ),
)
_ONE = sa.select(*columns(received_mail, *Received.__struct_fields__)).where(
    received_mail.c.account_id == P("account_id"), received_mail.c.id == P("id")
)
_READ = rows(Received, _ONE)
_LOCK = rows(Received, _ONE.with_for_update())
_ACCOUNT = value(int, sa.select(received_mail.c.account_id).where(received_mail.c.id == P("id")))
_SETTLE = command(
    sa.update(received_mail)
    .where(received_mail.c.account_id == P("for_account"), received_mail.c.id == P("id"))
    .values({name: P(name) for name in (*Outcome.__struct_fields__, "settled_at")})
)
_FORGET = command(
    sa.update(received_mail)
    .where(received_mail.c.account_id == P("for_account"), received_mail.c.id == P("id"))
    .values(
        sha256=sa.literal_column("''"),
        sender=sa.literal_column("''"),
        message_id=sa.literal_column("''"),
        recipients=sa.literal_column("'[]'"),
        domain=sa.literal_column("''"),
    )
)
# Of all accounts; what is forgotten is not found again, which is what the index for this is made of.
_SKIPPED_BEFORE = rows(
    Old,
    sa.select(*columns(received_mail, *Old.__struct_fields__))
    .where(
        received_mail.c.state == sa.literal_column("'skipped'"),
        received_mail.c.sha256 != sa.literal_column("''"),
        received_mail.c.received_at < P("before"),
    )
    .order_by(received_mail.c.received_at)
    .limit(P("most", sa.Integer)),
)
_WAIT_AGAIN = command(
    sa.update(received_mail)
    .where(
        received_mail.c.account_id == P("account_id"),
        received_mail.c.id == P("id"),
        received_mail.c.state == sa.literal_column("'failed'"),
    )
    .values(state=sa.literal_column("'waiting'"), settled_at=sa.null())
)
# Old mail has its place already; only what came before this one can be what it answers.
_AWAITED = value(
    int,
    sa.select(received_mail.c.id)
    .where(
        received_mail.c.account_id == P("account_id"),
        received_mail.c.state == sa.literal_column("'waiting'"),
        received_mail.c.id < P("before_id", sa.BigInteger),
        texts_in(received_mail.c.message_id, P("message_ids", sa.Text)),
    )
    .limit(sa.literal_column("1")),
)
_THERE_ALREADY = value(
    int,
    sa.select(thread_mail.c.thread_id)
    .join(
        received_mail,
        sa.and_(
            received_mail.c.thread_id == thread_mail.c.thread_id,
            unindexed(received_mail.c.account_id) == thread_mail.c.account_id,
        ),
    )
    .where(
        thread_mail.c.account_id == P("account_id"),
        thread_mail.c.conversation_id == P("conversation_id"),
        thread_mail.c.message_id == P("message_id"),
        received_mail.c.fingerprint == P("fingerprint"),
        received_mail.c.id != P("id"),
    )
    .limit(sa.literal_column("1")),
)
# Every account's: whose an address is has to be known before anything else is.
_INBOXES = rows(InboxAddress, sa.select(inbox.c.id, inbox.c.account_id, inbox.c.email).order_by(inbox.c.id))
_OF_ACCOUNT = rows(
    InboxAddress,
    sa.select(inbox.c.id, inbox.c.account_id, inbox.c.email)
    .where(inbox.c.account_id == P("account_id"))
    .order_by(inbox.c.id),
)


def known(db: Reader, account_id: int, inbox_id: int, fingerprint: str) -> int | None:
    """The id of a message that came before to the same inbox."""
    return db.one(_KNOWN, account_id=account_id, inbox_id=inbox_id, fingerprint=fingerprint)


def one(db: Reader, account_id: int, id: int) -> Received | None:
    """A message that came."""
    return db.one(_READ, account_id=account_id, id=id)


def to_settle(tx: Writer, account_id: int, id: int) -> Received | None:
    """A message that came, kept from other transactions."""
    return tx.one(_LOCK, account_id=account_id, id=id)


def account_of(db: Reader, id: int) -> int | None:
    """Whose message it is, for callers who have just kept it."""
    return db.one(_ACCOUNT, id=id)


def settle(tx: Writer, account_id: int, id: int, outcome: Outcome, now: str) -> None:
    """Write down what became of a message."""
    tx.run(_SETTLE, for_account=account_id, id=id, settled_at=now, **msgspec.structs.asdict(outcome))


def forget(tx: Writer, account_id: int, id: int) -> None:
    """Forget what a message was, but not that it came, so that it is known when it comes again."""
    tx.run(_FORGET, for_account=account_id, id=id)


def skipped_before(db: Reader, before: str, most: int) -> list[Old]:
    """Messages of any account that came before a moment, were skipped, and are still kept; the oldest first."""
    return db.all(_SKIPPED_BEFORE, before=before, most=most)


def wait_again(tx: Writer, account_id: int, id: int) -> bool:
    """Let a message that failed wait; False for any other."""
    return bool(tx.run(_WAIT_AGAIN, account_id=account_id, id=id))


def any_awaited(db: Reader, account_id: int, before_id: int, message_ids: list[str]) -> bool:
    """Whether one of these messages came earlier and is still to be read."""
    listed = msgspec.json.encode(message_ids).decode()
    return db.one(_AWAITED, account_id=account_id, before_id=before_id, message_ids=listed) is not None


def there_already(db: Reader, received: Received, conversation_id: int, message_id: str) -> int | None:
    """The thread of a conversation that this very message is already: it came to another inbox too."""
    return db.one(
        _THERE_ALREADY, account_id=received.account_id, conversation_id=conversation_id, message_id=message_id,
        fingerprint=received.fingerprint, id=received.id,
    )  # fmt: skip


def inboxes(db: Reader) -> list[InboxAddress]:
    """The addresses of all inboxes of all accounts, the oldest first."""
    return db.all(_INBOXES)


def inboxes_of(db: Reader, account_id: int) -> list[InboxAddress]:
    """The addresses of an account's inboxes."""
    return db.all(_OF_ACCOUNT, account_id=account_id)
