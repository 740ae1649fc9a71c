"""Saved replies: texts that an inbox's users answer with again and again."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Flag, Id, Moment, Text, account_column, id_column, table

saved_reply = table(
    "saved_reply",
    id_column(),
    account_column(),
    sa.Column("inbox_id", Id, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("text", Text),  # for e-mail, HTML; empty: none
    sa.Column("chat_text", Text),
    sa.Column("deleted", Flag, nullable=False),  # threads written with it still name it
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_saved_reply_inbox", "account_id", "inbox_id", "deleted", "id"),
    first_id=7001,
)
