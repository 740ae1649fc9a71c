"""Ratings: what customers thought of replies. The thread repeats it, so that reading threads needs no join."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, Moment, Text, account_column, id_column, table

rating = table(
    "rating",
    id_column(),
    account_column(),
    sa.Column("thread_id", Id, nullable=False),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("inbox_id", Id, nullable=False),
    sa.Column("customer_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),  # whose reply was rated
    sa.Column("rating", Text, nullable=False),  # great, okay, not_good or unknown
    sa.Column("comments", Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("modified_at", Moment, nullable=False),
    sa.Index("uq_rating_thread", "thread_id", unique=True),
    sa.Index("ix_rating_created", "account_id", "created_at", "id"),
    sa.Index("ix_rating_conversation", "conversation_id"),
    sa.Index("ix_rating_customer", "account_id", "customer_id"),
    first_id=55_001,
)
