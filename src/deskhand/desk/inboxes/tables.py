"""Inboxes, their custom fields and their mail. Folders are derived, see folders.py, and have no table."""

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
    remembered=True,
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
    remembered=True,
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
    remembered=True,
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
    sa.Column("last_user_id", Id),  # who got the last one; empty: nobody yet
    sa.Column("assigner_id", Id),  # the system user who gives them out; empty: none was given yet
)

# How an inbox's mail comes and goes; without a row as the settings say, and plainly.
inbox_mail = table(
    "inbox_mail",
    account_column(),
    sa.Column("inbox_id", Id, primary_key=True, autoincrement=False),
    sa.Column("smtp", Text, nullable=False),  # the URL of its own server, sealed; empty: that of the settings
    sa.Column("imap", Text, nullable=False),  # the URL of the mailbox that is read, sealed; empty: none is
    sa.Column("imap_folder", Text, nullable=False),
    sa.Column("signature", Text, nullable=False),  # HTML under each reply
    sa.Column("reply_token", Flag, nullable=False),  # 1: answers come to address+token, which its server must know
    sa.Column("subject_token", Flag, nullable=False),  # 1: subjects carry [#number]
    sa.Column("ratings", Flag, nullable=False),  # 1: replies ask how they were
    sa.Column("answer", Flag, nullable=False),  # 1: new conversations are answered automatically
    sa.Column("answer_subject", Text, nullable=False),
    sa.Column("answer_text", Text, nullable=False),  # HTML
    sa.Column("undo_s", sa.Integer, nullable=False),  # how long a reply written in the web can be taken back, 0 to 60
    sa.Column("changed_at", Moment, nullable=False),
)
