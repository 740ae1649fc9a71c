"""Events: facts about what happened, written in the transaction that made them true. Jobs: work that follows."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Flag, Id, Json, Moment, Text, account_column, id_column, partial_index, table

_UNHANDLED = sa.text("handled = 0")
_WAITING = sa.text("state = 'waiting'")

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
    sa.Column("handled", Flag, nullable=False, server_default=sa.text("1")),  # 0: the worker has yet to look at it
    sa.Index("ix_event_subject", "account_id", "subject_id", "id"),
    partial_index("ix_event_unhandled", "id", where=_UNHANDLED),
)

# A job that is done is removed; one that gave up stays, so that somebody can see why and run it again.
job = table(
    "job",
    id_column(),
    account_column(),
    sa.Column("kind", Text, nullable=False),
    sa.Column("target", Text, nullable=False),  # what it waits for, such as webhook:12; a slow one delays no other
    sa.Column("payload", Json, nullable=False),
    sa.Column("state", Text, nullable=False),  # waiting or failed
    sa.Column("due_at", Id, nullable=False),  # milliseconds since 1970; once claimed, when the claim ends
    sa.Column("claim", Id, nullable=False),  # a number that only the worker knows that has it; 0: nobody
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_error", Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    partial_index("ix_job_due", "due_at", "id", where=_WAITING),
    sa.Index("ix_job_state", "account_id", "state", "kind", "id"),
)
