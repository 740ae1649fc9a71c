"""From a word or a phrase to a condition on conversations.

- A word is there as it stands; `refun*` is any token that begins so. A word that is several tokens, such as an e-mail
  address, is those tokens in a row.
- A phrase is its words in a row, in one thread or the subject; asked of the subject alone, its words in any order.
- A bare word of nothing but punctuation, as in `salt & pepper`, sets no condition. Any other value without a letter or
  digit matches nothing.

What people typed reaches a database as folded letters and digits only, so never as syntax of its search.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from deskhand.db.portable import by_database, contains
from deskhand.desk.search.language import ANY, Phrase, Word
from deskhand.desk.search.tables import (
    FIRST_THREAD,
    LAST_THREAD,
    PART_BITS,
    PEOPLE,
    SUBJECT,
    conversation_search,
)
from deskhand.desk.search.tokens import wanted

Column: TypeAlias = Literal["subject", "body", "people"] | None
"""Where to look; None is the subject or any thread."""

Condition: TypeAlias = sa.ColumnElement[bool]
Bind: TypeAlias = Callable[[str], sa.ColumnElement[Any]]

CONVERSATION_ID: sa.ColumnElement[int] = sa.literal_column("conversation.id", sa.BigInteger)
MOST_WORDS = 50
"""Of a phrase in any order; what follows must stand in a row."""

_PARTS = {"people": (PEOPLE, PEOPLE), "subject": (SUBJECT, SUBJECT), "body": (FIRST_THREAD, LAST_THREAD)}
_KINDS = {"people": "p", "subject": "s", "body": "b"}
_ANYWHERE = (SUBJECT, LAST_THREAD)

_row = conversation_search.c
_index = sa.table("conversation_search_index", sa.column("rowid", sa.BigInteger))
_fresh = sa.table("conversation_search_fresh", sa.column("id", sa.BigInteger))


def text_matches(
    value: Word | Phrase,
    column: Column,
    account_id: int,
    *,
    id: sa.ColumnElement[int] = CONVERSATION_ID,
    bind: Bind = sa.literal,
) -> Condition:
    """Whether a conversation's text has the value in it, by the index.

    `id` is the conversation's; `bind` makes a parameter of a text. ANY sets no condition.
    """
    pieces = _pieces(value, column)
    if not pieces:
        return _without_tokens(value, column)
    return by_database(
        sqlite=id.in_(_found_by_sqlite(pieces, column, account_id, bind)),
        postgresql=id.in_(_found_by_postgresql(pieces, column, account_id, bind)),
    )


def text_contains(
    value: Word | Phrase, column: Column, *, id: sa.ColumnElement[int] = CONVERSATION_ID, bind: Bind = sa.literal
) -> Condition:
    """The same without the index, by reading the conversation's text: for few conversations only."""
    pieces = _pieces(value, column)
    if not pieces:
        return _without_tokens(value, column)
    first, last = _parts(column)
    base = id * _number(2**PART_BITS)
    of_conversation = _row.id.between(base + _number(first), base + _number(last))
    return sa.exists(
        sa.select(_number(1)).where(of_conversation, _has(pieces, bind)).correlate_except(conversation_search)
    )


def _pieces(value: Word | Phrase, column: Column) -> list[str]:
    """What must be in a text, each piece's tokens in a row: see `tokens.wanted`."""
    if isinstance(value, Word):
        pieces = [wanted(value.text, value.prefix)]
    elif column == "subject":
        pieces = [wanted(word) for word in value.text.split(maxsplit=MOST_WORDS)]
    else:
        pieces = [wanted(value.text)]
    return [piece for piece in dict.fromkeys(pieces) if piece]


def _without_tokens(value: Word | Phrase, column: Column) -> Condition:
    return sa.true() if value == ANY or (column is None and isinstance(value, Word)) else sa.false()


def _found_by_sqlite(pieces: list[str], column: Column, account_id: int, bind: Bind) -> sa.CompoundSelect[Any]:
    match = _in_each_kind(column, account_id, pieces, _fts5_piece, " AND ", " OR ")
    settled = sa.select(_index.c.rowid.bitwise_rshift(_number(PART_BITS))).where(
        sa.literal_column("conversation_search_index").op("MATCH")(bind(match))
    )
    first, last = _parts(column)
    waiting = sa.select(_row.id.bitwise_rshift(_number(PART_BITS))).where(
        _row.id.in_(sa.select(_fresh.c.id)),
        _row.id.bitwise_and(_number(LAST_THREAD)).between(_number(first), _number(last)),
        _has(pieces, bind),
    )
    return settled.union_all(waiting)


def _found_by_postgresql(pieces: list[str], column: Column, account_id: int, bind: Bind) -> sa.Select[Any]:
    query = _in_each_kind(column, account_id, pieces, _tsquery_piece, " & ", " | ")
    words = sa.func.conversation_search_words(_row.text, _row.account_id, _row.id)
    found: Condition = words.op("@@")(sa.cast(bind(query), TSQUERY))
    in_a_row = [piece for piece in pieces if len(piece.split()) > 1]
    if in_a_row:
        found = sa.and_(found, _has(in_a_row, bind))
    ids = sa.select(_row.id.bitwise_rshift(_number(PART_BITS))).where(found)
    # As an array it is found once and taken for short. Taken for long, it would be found anew for each row below an OR.
    return sa.select(sa.func.unnest(sa.func.array(ids.scalar_subquery())))


def _in_each_kind(
    column: Column, account_id: int, pieces: list[str], of_piece: Callable[[str, str], str], both: str, either: str
) -> str:
    kinds = ["s", "b"] if column is None else [_KINDS[column]]
    return either.join(f"({both.join(of_piece(piece, f'{account_id}{kind}.') for piece in pieces)})" for kind in kinds)


def _fts5_piece(piece: str, mark: str) -> str:
    phrase = " ".join(mark + token for token in piece.split())
    return f'"{phrase}"' if piece.endswith(" ") else f'"{phrase}" *'


def _tsquery_piece(piece: str, mark: str) -> str:
    query = " & ".join(f"'{mark}{token}'" for token in piece.split())
    return query if piece.endswith(" ") else f"{query}:*"


def _has(pieces: list[str], bind: Bind) -> Condition:
    text = _row.text + sa.literal_column("' '", sa.Text)
    return sa.and_(*(contains(text, bind(piece)) for piece in pieces))


def _parts(column: Column) -> tuple[int, int]:
    return _ANYWHERE if column is None else _PARTS[column]


def _number(number: int) -> sa.ColumnElement[int]:
    """A number written into the statement, so that indexes and planners see it."""
    return sa.literal_column(str(number), sa.BigInteger)
