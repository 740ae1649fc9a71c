"""What is left of mails whose conversations were deleted: hashes, so that the same mail does not come back.

Mails that came are known by their fingerprints: their Message-IDs may be others' too, by mistake or on purpose. Mails
that went out are known by their Message-IDs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in, texts_in, unindexed
from deskhand.db.statements import Insert, P, value
from deskhand.desk.conversations.tables import thread, thread_mail
from deskhand.mail.tables import deleted_message, received_mail


class _Tombstone(msgspec.Struct, frozen=True):
    account_id: int
    message_hash: str
    deleted_at: str


_MESSAGE_IDS = value(
    str,
    sa.select(thread_mail.c.message_id)
    .where(
        unindexed(thread_mail.c.account_id) == P("account_id"),
        ids_in(thread_mail.c.conversation_id, P("ids", sa.Text)),
        thread_mail.c.direction == sa.literal_column("'out'"),
    )
    .order_by(thread_mail.c.message_id),
)
_FINGERPRINTS = value(
    str,
    sa.select(received_mail.c.fingerprint)
    .where(
        unindexed(received_mail.c.account_id) == P("account_id"),
        received_mail.c.thread_id.in_(
            sa.select(thread.c.id).where(
                unindexed(thread.c.account_id) == P("account_id"),
                ids_in(thread.c.conversation_id, P("ids", sa.Text)),
            )
        ),
    )
    .order_by(received_mail.c.fingerprint),
)
_ADD = Insert(deleted_message, _Tombstone)
_KNOWN = value(
    str,
    sa.select(deleted_message.c.message_hash).where(
        deleted_message.c.account_id == P("account_id"),
        texts_in(deleted_message.c.message_hash, P("message_hashes", sa.Text)),
    ),
)


def bury(tx: Writer, account_id: int, conversations: str, now: str) -> None:
    """Remember the mails of conversations that are about to be erased; `conversations` is the JSON of their ids."""
    found = (tx.all(each, account_id=account_id, ids=conversations) for each in (_FINGERPRINTS, _MESSAGE_IDS))
    hashes = {_hash(name) for names in found for name in names}
    if not hashes:
        return
    known = _known(tx, account_id, hashes)
    tx.add_many(_ADD, (_Tombstone(account_id, each, now) for each in sorted(hashes.difference(known))))


def is_buried(db: Reader, account_id: int, fingerprint: str, message_id: str) -> bool:
    """Whether a mail that comes now was deleted, or went out from a conversation that was."""
    return bool(_known(db, account_id, {_hash(fingerprint), _hash(message_id)}))


def _known(db: Reader, account_id: int, hashes: Collection[str]) -> list[str]:
    listed = msgspec.json.encode(sorted(hashes)).decode()
    return db.all(_KNOWN, account_id=account_id, message_hashes=listed)


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
