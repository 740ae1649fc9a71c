"""Finding a conversation by the number by which people call it."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, rows
from deskhand.desk.conversations.tables import conversation, thread


class Numbered(msgspec.Struct, frozen=True):
    """A conversation in a few words. `thread_id` is the first message in it, if there is one."""

    id: int
    number: int
    subject: str
    status: str
    inbox_id: int
    customer_id: int
    customer_email: str
    tags: str
    thread_id: int | None


_FIRST = (
    sa.select(sa.func.min(thread.c.id)).where(thread.c.conversation_id == conversation.c.id).scalar_subquery()
)  # fmt: skip
_FOUND = sa.select(
    *(conversation.c[name] for name in Numbered.__struct_fields__ if name != "thread_id"), _FIRST.label("thread_id")
).where(conversation.c.account_id == P("account_id"))
_BY_NUMBER = rows(Numbered, _FOUND.where(conversation.c.number == P("number")))
_BY_ID = rows(Numbered, _FOUND.where(conversation.c.id == P("id")))


def by_number(db: Reader, account_id: int, number: int) -> Numbered | None:
    """The conversation of an account that has a number, merged or not."""
    return db.one(_BY_NUMBER, account_id=account_id, number=number)


def by_id(db: Reader, account_id: int, id: int) -> Numbered | None:
    """A conversation of an account, merged or not."""
    return db.one(_BY_ID, account_id=account_id, id=id)
