"""From a word or a phrase to a condition on conversations.

- A word is there as it stands; `refun*` is any token that begins so. A word that is several tokens, such as an e-mail
  address, is those tokens in a row.
- A phrase is its words in a row, in one thread or the subject; asked of the subject alone, its words in any order.
- A bare word of nothing but punctuation, as in `salt & pepper`, sets no condition. Any other value without a letter or
  digit matches nothing.

What people typed reaches a database as folded letters and digits only, so never as syntax of its search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple, TypeAlias

import sqlalchemy as sa

from deskhand.db.portable import by_database, contains, tsquery
from deskhand.db.statements import Dialect, P
from deskhand.desk.search.language import ANY, Phrase, Word
from deskhand.desk.search.tables import FIRST_THREAD, LAST_THREAD, PART_BITS, SUBJECT, conversation_search
from deskhand.desk.search.tokens import is_paired, wanted

Column: TypeAlias = Literal["subject", "body"] | None
"""Where to look; None is the subject or any thread."""

Condition: TypeAlias = sa.ColumnElement[bool]
Bind: TypeAlias = Callable[[str], sa.ColumnElement[Any]]
"""Gives the parameter for one of the values of an Asked."""

CONVERSATION_ID: sa.ColumnElement[int] = sa.literal_column("conversation.id", sa.BigInteger)
MOST_WORDS = 50
"""Of a phrase in any order; what follows must stand in a row."""

_PARTS = {"subject": (SUBJECT, SUBJECT), "body": (FIRST_THREAD, LAST_THREAD), None: (SUBJECT, LAST_THREAD)}
_KINDS = {"subject": ["s"], "body": ["b"], None: ["s", "b"]}

_row = conversation_search.c
_index = sa.table("conversation_search_index", sa.column("rowid", sa.BigInteger))
_fresh = sa.table("conversation_search_fresh", sa.column("id", sa.BigInteger))


class Shape(NamedTuple):
    """What a statement's text depends on: where to look, and of each piece whether it is several tokens in a row."""

    column: Column
    rows: tuple[bool, ...]


class Asked(NamedTuple):
    """A value to look for: its shape, and the texts that a statement of this shape is given by name."""

    shape: Shape
    values: dict[str, str]


def asked(value: Word | Phrase, column: Column, account_id: int) -> Asked | bool:
    """Take a value apart; where it has no tokens, the answer is the same for all conversations."""
    pieces = _pieces(value, column)
    if not pieces:
        return value == ANY or (column is None and isinstance(value, Word))
    values = {f"piece{number}": piece for number, piece in enumerate(pieces)}
    values["fts5"] = _in_each_kind(column, account_id, pieces, _fts5_piece, " AND ", " OR ")
    values["tsquery"] = _in_each_kind(column, account_id, pieces, _tsquery_piece, " & ", " | ")
    return Asked(Shape(column, tuple(len(piece.split()) > 1 for piece in pieces)), values)


def begins_too_much(value: Word) -> bool:
    """Whether very many words begin so: with one letter, but for scripts that are cut in pairs."""
    tokens = wanted(value.text, value.prefix).split()
    return value.prefix and len(tokens) == 1 and _is_letter(tokens[0])


def _is_letter(token: str) -> bool:
    return len(token) == 1 and not is_paired(token)


def text_matches(shape: Shape, bind: Bind, id: sa.ColumnElement[int] = CONVERSATION_ID) -> Condition:
    """Whether the text of the conversation with this id has in it what is asked, by the index."""
    sqlite, postgresql = found_ids(shape, bind, "sqlite"), found_ids(shape, bind, "postgresql")
    return by_database(sqlite=id.in_(sqlite), postgresql=id.in_(at_once(postgresql)))


def text_contains(shape: Shape, bind: Bind, id: sa.ColumnElement[int] = CONVERSATION_ID) -> Condition:
    """The same without the index, by reading the conversation's text: for few conversations only."""
    first, last = _PARTS[shape.column]
    begin = id * _number(2**PART_BITS)
    of_conversation = _row.id.between(begin + _number(first), begin + _number(last))
    every = range(len(shape.rows))
    return sa.exists(
        sa.select(_number(1)).where(of_conversation, _has(every, bind)).correlate_except(conversation_search)
    )


def found_ids(shape: Shape, bind: Bind, dialect: Dialect) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """The ids of all conversations that have it, by the index, some of them several times."""
    return _found_by_sqlite(shape, bind) if dialect == "sqlite" else _found_by_postgresql(shape, bind)


def at_once(ids: sa.Select[Any] | sa.CompoundSelect[Any]) -> sa.Select[Any]:
    """For PostgreSQL: ids that are found once and taken for few.

    Taken for many, they would be found anew for each row below an OR, and the rows would be read before them.
    """
    return sa.select(sa.func.unnest(sa.func.array(ids.scalar_subquery())).label("id"))


def _pieces(value: Word | Phrase, column: Column) -> list[str]:
    """What must be in a text, each piece's tokens in a row: see `tokens.wanted`."""
    if isinstance(value, Word):
        pieces = [wanted(value.text, value.prefix)]
    elif column == "subject":
        pieces = [wanted(word) for word in value.text.split(maxsplit=MOST_WORDS)]
    else:
        pieces = [wanted(value.text)]
    return [piece for piece in dict.fromkeys(pieces) if piece]


def _found_by_sqlite(shape: Shape, bind: Bind) -> sa.CompoundSelect[Any]:
    settled = sa.select(_index.c.rowid.bitwise_rshift(_number(PART_BITS)).label("id")).where(
        sa.literal_column("conversation_search_index").op("MATCH")(bind("fts5"))
    )
    first, last = _PARTS[shape.column]
    waiting = sa.select(_row.id.bitwise_rshift(_number(PART_BITS))).where(
        _row.id.in_(sa.select(_fresh.c.id)),
        _row.account_id == P("account_id"),
        _row.id.bitwise_and(_number(LAST_THREAD)).between(_number(first), _number(last)),
        _has(range(len(shape.rows)), bind),
    )
    return settled.union_all(waiting)


def _found_by_postgresql(shape: Shape, bind: Bind) -> sa.Select[Any]:
    words = sa.func.conversation_search_words(_row.text, _row.account_id, _row.id)
    found: Condition = words.op("@@")(sa.cast(bind("tsquery"), tsquery))
    in_a_row = [number for number, several in enumerate(shape.rows) if several]
    if in_a_row:
        found = sa.and_(found, _has(in_a_row, bind))
    return sa.select(_row.id.bitwise_rshift(_number(PART_BITS)).label("id")).where(found)


def _in_each_kind(
    column: Column, account_id: int, pieces: list[str], of_piece: Callable[[str, str], str], both: str, either: str
) -> str:
    marks = [f"{account_id}{kind}." for kind in _KINDS[column]]
    return either.join(f"({both.join(of_piece(piece, mark) for piece in pieces)})" for mark in marks)


def _fts5_piece(piece: str, mark: str) -> str:
    phrase = " ".join(mark + token for token in piece.split())
    return f'"{phrase}"' if piece.endswith(" ") else f'"{phrase}" *'


def _tsquery_piece(piece: str, mark: str) -> str:
    tokens = piece.split()
    begun = not piece.endswith(" ")
    if begun and len(tokens) > 1 and _is_letter(tokens[-1]):
        # Very many words begin so. The others narrow it down enough; what stands in a row is read in the texts anyway.
        tokens, begun = tokens[:-1], False
    query = " & ".join(f"'{mark}{token}'" for token in tokens)
    return f"{query}:*" if begun else query


def _has(pieces: Iterable[int], bind: Bind) -> Condition:
    text = _row.text + sa.literal_column("' '", sa.Text)
    return sa.and_(*(contains(text, bind(f"piece{number}")) for number in pieces))


def _number(number: int) -> sa.ColumnElement[int]:
    """A number written into the statement, so that indexes and planners see it."""
    return sa.literal_column(str(number), sa.BigInteger)
