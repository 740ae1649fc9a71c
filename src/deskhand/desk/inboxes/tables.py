"""Inboxes and their custom fields. Folders are derived, see folders.py, and have no table."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Flag, Id, Json, Moment, Text, account_column, id_column, table

inbox = table(
    "inbox",
    id_column(),
    account_column(),
    sa.Column("name", Text, nullable=False),
    sa.Column("email", Text, nullable=False),
    sa.Column("slug", Text, nullable=False),  # 16 hex characters
    sa.Column("default_assignee_id", Id),  # who owns a conversation that is created with a reply; empty: nobody
    sa.Column("default_status", Text, nullable=False),  # of a conversation after a reply: active, pending or closed
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_inbox_account", "account_id", "id"),
    first_id=501,
)

custom_field = table(
    "custom_field",
    id_column(),
    account_column(),
    sa.Column("inbox_id", Id, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("type", Text, nullable=False),  # dropdown, singleline, multiline, number or date
    sa.Column("required", Flag, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Index("ix_custom_field_inbox", "inbox_id", "position"),
    first_id=11,
)

field_option = table(
    "field_option",
    id_column(),
    account_column(),
    sa.Column("field_id", Id, nullable=False),
    sa.Column("label", Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Index("ix_field_option_field", "field_id", "position"),
    first_id=901,
)

# How new conversations of an inbox are given to users; without a row nobody gets any.
routing = table(
    "routing",
    account_column(),
    sa.Column("inbox_id", Id, primary_key=True, autoincrement=False),
    sa.Column("state", Text, nullable=False),  # enabled or disabled
    sa.Column("assignment_limit", sa.Integer, nullable=False),
    sa.Column("assignment_method", Text, nullable=False),  # round_robin or balanced
    sa.Column("user_ids", Json, nullable=False),
)
