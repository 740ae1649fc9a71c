"""Workflows, and which ones ran on which conversations."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, Json, Moment, Text, account_column, id_column, table

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
    sa.Column("conditions", Json, nullable=False),  # an automatic one's
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("modified_at", Moment, nullable=False),
    sa.Index("ix_workflow_account", "account_id", "id"),
    first_id=901,
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
)
