"""Events: facts about what happened, written in the transaction that made them true and never changed."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, Json, Moment, Text, account_column, id_column, table

event = table(
    "event",
    id_column(),
    account_column(),
    sa.Column("name", Text, nullable=False),  # as in webhooks: convo.created, customer.updated, …
    sa.Column("subject_id", Id, nullable=False),  # the conversation, customer, … it is about
    sa.Column("inbox_id", Id),
    sa.Column("thread_id", Id),
    sa.Column("actor_type", Text, nullable=False),  # user, customer or system_user
    sa.Column("actor_id", Id, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("particulars", Json, nullable=False),
    sa.Index("ix_event_subject", "account_id", "subject_id", "id"),
)
