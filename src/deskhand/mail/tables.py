"""Messages that the sandbox caught instead of sending them."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, Json, Moment, Text, account_column, id_column, table

captured_mail = table(
    "captured_mail",
    id_column(),
    account_column(),
    sa.Column("thread_id", Id, nullable=False),
    sa.Column("message_id", Text, nullable=False),
    sa.Column("in_reply_to", Text),
    sa.Column("references_", Json, nullable=False),
    sa.Column("sender", Text, nullable=False),
    sa.Column("recipients", Json, nullable=False),
    sa.Column("cc", Json, nullable=False),
    sa.Column("subject", Text, nullable=False),
    sa.Column("text", Text, nullable=False),
    sa.Column("html", Text, nullable=False),
    sa.Column("raw", Text, nullable=False),
    sa.Column("sent_at", Moment, nullable=False),
    sa.Index("uq_captured_mail_message", "account_id", "message_id", unique=True),
    sa.Index("ix_captured_mail_thread", "thread_id"),
)
