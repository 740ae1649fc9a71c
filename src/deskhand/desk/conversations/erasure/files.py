"""Removing the files of attachments and mails that are gone, unless somebody else has the same ones.

Files are kept under the hash of their content, so a file may be that of several attachments, of any account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.portable import ids_in, texts_in, unindexed
from deskhand.db.statements import P, value
from deskhand.desk.conversations.tables import attachment, thread, thread_mail, unsent_file
from deskhand.lib.blobs import YOUNG_S, BlobStore
from deskhand.lib.clock import Clock
from deskhand.mail.tables import received_mail
from deskhand.outbox import jobs
from deskhand.outbox.jobs import Work
from deskhand.outbox.worker import Carrier, Then

REMOVE_FILES = "remove_files"
"""The kind of jobs that remove files."""

_IDS = P("ids", sa.Text)
_OF_CONVERSATIONS = value(
    str,
    sa.union(
        sa.select(attachment.c.sha256.label("file")).where(
            unindexed(attachment.c.account_id) == P("account_id"), ids_in(attachment.c.conversation_id, _IDS)
        ),
        sa.select(unsent_file.c.sha256.label("file")).where(
            unindexed(unsent_file.c.account_id) == P("account_id"), ids_in(unsent_file.c.conversation_id, _IDS)
        ),
        sa.select(thread_mail.c.source_sha256.label("file")).where(
            unindexed(thread_mail.c.account_id) == P("account_id"),
            ids_in(thread_mail.c.conversation_id, _IDS),
            thread_mail.c.source_sha256.is_not(None),
        ),
        sa.select(received_mail.c.sha256.label("file")).where(
            unindexed(received_mail.c.account_id) == P("account_id"),
            received_mail.c.thread_id.in_(
                sa.select(thread.c.id).where(
                    unindexed(thread.c.account_id) == P("account_id"), ids_in(thread.c.conversation_id, _IDS)
                )
            ),
        ),
    ).order_by("file"),
)
# Of any account: they share the files.
_NAMED = value(
    str,
    sa.union(
        sa.select(attachment.c.sha256.label("file")).where(texts_in(attachment.c.sha256, P("files", sa.Text))),
        sa.select(unsent_file.c.sha256.label("file")).where(texts_in(unsent_file.c.sha256, P("files", sa.Text))),
        sa.select(thread_mail.c.source_sha256.label("file")).where(
            thread_mail.c.source_sha256.is_not(None), texts_in(thread_mail.c.source_sha256, P("files", sa.Text))
        ),
        sa.select(received_mail.c.sha256.label("file")).where(texts_in(received_mail.c.sha256, P("files", sa.Text))),
    ).order_by("file"),
)


def remove_later(tx: Writer, account_id: int, conversations: str, now: str) -> None:
    """Have the files of conversations removed that are about to be erased; `conversations` is the JSON of their ids."""
    found = tx.all(_OF_CONVERSATIONS, account_id=account_id, ids=conversations)
    if found:
        remove_unnamed(tx, account_id, found, now)


def remove_unnamed(tx: Writer, account_id: int, files: Sequence[str], now: str) -> None:
    """Have those of some files removed that nothing names once this transaction has ended.

    The name of a mail's file may be empty: it has none any more.
    """
    files = [file for file in files if file]
    jobs.add(tx, account_id=account_id, kind=REMOVE_FILES, target="files", payload=files, now=now)


def removing(database: Database, clock: Clock, blobs: BlobStore, *, keep: bool = False) -> Carrier:
    """Carries out the jobs. A file that is gone, or that somebody names, is passed over; so a second time is harmless.

    One that was stored lately may be about to be named, so it is looked at again in an hour. With `keep` all stay.
    """

    async def carry(work: Work) -> Then | None:
        if keep:
            return None
        files = msgspec.json.decode(work.payload, type=list[str])
        named = await database.read(lambda db: _named(db, files), "slow")
        left = await asyncio.to_thread(lambda: [file for file in files if file not in named and not blobs.remove(file)])
        if not left:
            return None
        now = clock.now()
        return lambda tx: jobs.add(
            tx, account_id=work.account_id, kind=REMOVE_FILES, target="files", payload=left,
            now=now, due=now + timedelta(seconds=YOUNG_S),
        )  # fmt: skip

    return carry


def _named(db: Reader, files: Sequence[str]) -> set[str]:
    return set(db.all(_NAMED, files=msgspec.json.encode(files).decode()))
