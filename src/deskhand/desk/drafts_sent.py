"""What became of a draft: its text as it was sent, where, and who sent it."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, rows
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.users.tables import staff


class SentDraft(msgspec.Struct, frozen=True):
    """A draft that was published."""

    text: str
    number: int
    first_name: str
    last_name: str


_SENT = rows(
    SentDraft,
    sa.select(thread.c.body.label("text"), conversation.c.number, staff.c.first_name, staff.c.last_name)
    .select_from(thread)
    .join(conversation, conversation.c.id == thread.c.conversation_id)
    .join(staff, sa.and_(staff.c.account_id == thread.c.account_id, staff.c.id == P("user_id")))
    .where(
        thread.c.account_id == P("account_id"),
        thread.c.id == P("thread_id"),
        thread.c.state == sa.literal_column("'published'"),
    ),
)


def sent_draft(db: Reader, account_id: int, thread_id: int, user_id: int) -> SentDraft | None:
    """A draft as it was sent by a user; None while it is one still."""
    return db.one(_SENT, account_id=account_id, thread_id=thread_id, user_id=user_id)
