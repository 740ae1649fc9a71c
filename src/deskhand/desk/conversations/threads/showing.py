"""What a page shows of threads beyond what the API does: how their mail went, what they repeat, their files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, unindexed
from deskhand.db.statements import P, columns, rows
from deskhand.desk.conversations.mail.mail_queries import HELD
from deskhand.desk.conversations.tables import attachment, thread, thread_mail


class More(msgspec.Struct, frozen=True):
    """More of a thread. `direction` None: it neither came nor went by mail; `held` 1: it can still be taken back.

    `verdicts` is JSON, `quoted` HTML as it came. `has_source` 1: the mail it came by is kept.
    """

    thread_id: int
    imported: int
    edited: int
    direction: str | None
    state: str | None
    error: str | None
    automatic: int | None
    verdicts: str | None
    quoted: str | None
    has_source: int
    held: int


class File(msgspec.Struct, frozen=True):
    """An attachment; with a `content_id` its thread's text shows it in place."""

    id: int
    conversation_id: int
    thread_id: int
    filename: str
    mime_type: str
    size: int
    width: int | None
    height: int | None
    state: str
    sha256: str
    content_id: str | None


def _flag(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((condition, sa.literal_column("1")), else_=sa.literal_column("0"))


_OF_THREADS = ids_in(thread.c.id, P("thread_ids", sa.Text))
_MORE = rows(
    More,
    sa.select(
        thread.c.id.label("thread_id"),
        thread.c.imported,
        _flag(thread.c.original_body.is_not(None)).label("edited"),
        *columns(thread_mail, "direction", "state", "error", "automatic", "verdicts", "quoted"),
        _flag(thread_mail.c.source_sha256.is_not(None)).label("has_source"),
        _flag(HELD).label("held"),
    )
    .select_from(
        thread.outerjoin(
            thread_mail,
            sa.and_(thread_mail.c.thread_id == thread.c.id, thread_mail.c.account_id == thread.c.account_id),
        )
    )
    .where(unindexed(thread.c.account_id) == P("account_id"), _OF_THREADS),
)
_FILE = columns(attachment, *File.__struct_fields__)
_FILES = rows(
    File,
    sa.select(*_FILE)
    .where(
        unindexed(attachment.c.account_id) == P("account_id"),
        ids_in(attachment.c.thread_id, P("thread_ids", sa.Text)),
    )
    .order_by(attachment.c.id),
)
_ONE_FILE = rows(File, sa.select(*_FILE).where(attachment.c.account_id == P("account_id"), attachment.c.id == P("id")))


def more_of(db: Reader, account_id: int, thread_ids: Sequence[int]) -> dict[int, More]:
    """More of some threads, by thread; one statement for all."""
    if not thread_ids:
        return {}
    found = db.all(_MORE, account_id=account_id, thread_ids=msgspec.json.encode(thread_ids).decode())
    return {one.thread_id: one for one in found}


def files_of(db: Reader, account_id: int, thread_ids: Sequence[int]) -> dict[int, list[File]]:
    """The attachments of some threads, by thread; no statement where there are no threads."""
    found: defaultdict[int, list[File]] = defaultdict(list)
    if thread_ids:
        for one in db.all(_FILES, account_id=account_id, thread_ids=msgspec.json.encode(thread_ids).decode()):
            found[one.thread_id].append(one)
    return found


def one_file(db: Reader, account_id: int, id: int) -> File | None:
    """An attachment of the account; whoever asks has to look whether its conversation may be seen."""
    return db.one(_ONE_FILE, account_id=account_id, id=id)
