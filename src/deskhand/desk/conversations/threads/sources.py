"""The mails that threads came by, as they were received.

Source: https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/thread-source-json
"""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader
from deskhand.db.statements import P, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.tables import thread_mail
from deskhand.lib.blobs import BlobStore

_FILE = value(
    str,
    sa.select(thread_mail.c.source_sha256).where(
        thread_mail.c.account_id == P("account_id"),
        thread_mail.c.conversation_id == P("conversation_id"),
        thread_mail.c.thread_id == P("thread_id"),
        thread_mail.c.direction == sa.literal_column("'in'"),
        thread_mail.c.source_sha256.is_not(None),
    ),
)


def original(db: Reader, actor: Actor, blobs: BlobStore, id: int, thread_id: int) -> bytes:
    """The mail that a thread came by; raises NotFound (also when none is kept) and AccessDenied."""
    head = queries.head(db, actor, id)
    name = db.one(_FILE, account_id=actor.account_id, conversation_id=head.id, thread_id=thread_id)
    if name is None:
        raise NotFound
    try:
        return blobs.path(name).read_bytes()
    except FileNotFoundError:
        raise NotFound from None


def as_text(mail: bytes) -> str:
    """A mail as a text. Old ones have bytes that are no UTF-8; those are kept as characters of Latin-1."""
    try:
        return mail.decode()
    except UnicodeDecodeError:
        return mail.decode("latin-1")
