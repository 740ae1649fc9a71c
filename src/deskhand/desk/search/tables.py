"""What conversations are found by: the words of their subject and of each thread, a row for each.

A row's id is its conversation's id and twelve bits that say which of them it is. That leads from a found row to the
conversation without another look-up, keeps a conversation's rows side by side, and a new thread only adds a row.
The indexes over this table differ by database: see db/migrations/search_tables.py.
"""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, Text, account_column, metadata

PART_BITS = 12
SUBJECT = 1
FIRST_THREAD = 2
LAST_THREAD = 2**PART_BITS - 1

conversation_search = sa.Table(
    "conversation_search",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),
    account_column(),
    sa.Column("text", Text, nullable=False),  # tokens, each after a space
)


def row_id(conversation_id: int, part: int) -> int:
    """The id of one of a conversation's rows."""
    return conversation_id << PART_BITS | part
