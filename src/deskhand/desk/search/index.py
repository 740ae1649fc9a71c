"""Keeping the words that conversations are found by, inside the transaction that changes the conversation.

Texts are plain, without HTML. Merged and deleted conversations have no rows here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command
from deskhand.db.tables import Id
from deskhand.desk.search.tables import FIRST_THREAD, LAST_THREAD, SUBJECT, conversation_search, row_id
from deskhand.desk.search.tokens import stored


class Texts(msgspec.Struct, frozen=True):
    """All that a conversation is found by; `body` is its only thread's text, or each thread's."""

    account_id: int
    conversation_id: int
    subject: str
    body: str | tuple[str, ...]


class Row(msgspec.Struct, frozen=True):
    """One searchable text."""

    id: int
    account_id: int
    text: str


_row = conversation_search.c
_OF_ACCOUNT = _row.account_id == P("account_id")
_OF_CONVERSATION = sa.and_(_OF_ACCOUNT, _row.id.between(P("first", Id), P("last", Id)))

_ADD = Insert(conversation_search, Row)
_SET = command(
    sa.update(conversation_search).where(_OF_ACCOUNT, _row.id == P("id"), _row.text != P("text")).values(text=P("text"))
)
# One row behind the last; none where the conversation is not in the index, or has all the rows it can have.
_APPEND = command(
    sa.insert(conversation_search).from_select(
        ["id", "account_id", "text"],
        sa.select(sa.func.max(_row.id) + sa.literal_column("1"), P("account_id", Id), P("text", sa.Text))
        .where(_OF_CONVERSATION)
        .having(sa.func.max(_row.id) < P("last", Id)),
    )
)
_FORGET = command(sa.delete(conversation_search).where(_OF_CONVERSATION))


def add(tx: Writer, account_id: int, conversation_id: int, subject: str, body: str | tuple[str, ...]) -> None:
    """Make a new conversation searchable."""
    add_many(tx, [Texts(account_id, conversation_id, subject, body)])


def add_many(tx: Writer, conversations: Iterable[Texts]) -> None:
    """Make many new conversations searchable, at best in the order of their ids."""
    tx.add_many(_ADD, (row for texts in conversations for row in _rows(texts)))


def append(tx: Writer, account_id: int, conversation_id: int, body: str) -> None:
    """Add the text of a new thread."""
    if text := stored(body):
        tx.run(_APPEND, text=text, account_id=account_id, **_span(conversation_id))


def set_subject(tx: Writer, account_id: int, conversation_id: int, subject: str) -> None:
    """Replace the words of the subject."""
    tx.run(_SET, id=row_id(conversation_id, SUBJECT), account_id=account_id, text=stored(subject))


def forget(tx: Writer, account_id: int, conversation_id: int) -> None:
    """Let a conversation be found no more. To replace its threads' texts, forget it and add it again."""
    tx.run(_FORGET, account_id=account_id, **_span(conversation_id))


def _rows(texts: Texts) -> Iterator[Row]:
    account_id, conversation_id = texts.account_id, texts.conversation_id
    yield Row(row_id(conversation_id, SUBJECT), account_id, stored(texts.subject))
    threads = (texts.body,) if isinstance(texts.body, str) else texts.body
    part = FIRST_THREAD
    for thread in threads:
        if part <= LAST_THREAD and (text := stored(thread)):
            yield Row(row_id(conversation_id, part), account_id, text)
            part += 1


def _span(conversation_id: int) -> dict[str, int]:
    return {"first": row_id(conversation_id, 0), "last": row_id(conversation_id, LAST_THREAD)}
