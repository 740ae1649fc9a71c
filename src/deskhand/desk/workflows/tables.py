"""Workflows, and which ones ran on which conversations."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, Json, Moment, Text, account_column, id_column, partial_index, table

_BY_ITSELF = sa.text("user_id IS NULL")
_BY_THE_CLOCK = sa.text("looked_at IS NOT NULL")

workflow = table(
    "workflow",
    id_column(),
    account_column(),
    sa.Column("inbox_id", Id, nullable=False),
    sa.Column("type", Text, nullable=False),  # manual or automatic
    sa.Column("status", Text, nullable=False),  # active, inactive or invalid
    sa.Column("position", sa.Integer, nullable=False),  # `order` on the wire
    sa.Column("name", Text, nullable=False),
    sa.Column("actions", Json, nullable=False),  # [{"do": "status", "value": "closed"}, …], carried out in order
    sa.Column("conditions", Json, nullable=False),  # an automatic one's: [{"any": [{"about": "subject", …}, …]}, …]
    sa.Column("invalid_because", Text, nullable=False, server_default=sa.text("''")),  # in words
    sa.Column("actor_id", Id),  # the system user as whom it acts by itself; empty: it never did
    sa.Column("looked_at", Moment),  # until when time has been looked at; empty: its conditions do not ask for it
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("modified_at", Moment, nullable=False),
    sa.Index("ix_workflow_account", "account_id", "id"),
    partial_index("ix_workflow_looked_at", "id", where=_BY_THE_CLOCK),
    first_id=901,
    remembered=True,
)

workflow_run = table(
    "workflow_run",
    id_column(),
    account_column(),
    sa.Column("workflow_id", Id, nullable=False),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("user_id", Id),  # who ran it; empty: it ran by itself
    sa.Column("at", Moment, nullable=False),
    sa.Index("ix_workflow_run_at", "account_id", "at", "workflow_id"),
    sa.Index("ix_workflow_run_conversation", "conversation_id", "workflow_id"),
    sa.Index("ix_workflow_run_workflow", "workflow_id", "id"),
    partial_index(  # by itself a workflow runs on a conversation once
        "uq_workflow_run_once",
        "workflow_id",
        "conversation_id",
        unique=True,
        where=_BY_ITSELF,
    ),
)
