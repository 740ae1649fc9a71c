"""Mail that came, where reading it stands, and messages that the sandbox caught instead of sending them."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Flag, Id, Json, Moment, Text, account_column, id_column, partial_index, table

_WAITING = sa.text("state = 'waiting'")
_FAILED = sa.text("state = 'failed'")
_SKIPPED = sa.text("state = 'skipped' AND sha256 <> ''")

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

# Every message that came, whichever way: its bytes are in the file store before its sender is told that it is ours.
received_mail = table(
    "received_mail",
    id_column(),
    account_column(),
    sa.Column("inbox_id", Id, nullable=False),
    sa.Column("way", Text, nullable=False),  # smtp, lmtp, imap or post
    sa.Column("place", Text, nullable=False),  # where a server of ours has it: folder, UIDVALIDITY and UID; else empty
    sa.Column("sha256", Text, nullable=False),  # the raw message, as it is kept; empty: it is not any more
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("fingerprint", Text, nullable=False),  # the same for the same message, whichever way it comes
    sa.Column("message_id", Text, nullable=False),  # with its angle brackets; empty: it has none
    sa.Column("sender", Text, nullable=False),  # of the envelope; empty: bounces, and where it is not known
    sa.Column("recipients", Json, nullable=False),  # of the envelope
    sa.Column("state", Text, nullable=False),  # waiting, taken, skipped or failed
    sa.Column("reason", Text, nullable=False),  # why it was skipped or failed, in words
    sa.Column("conversation_id", Id),
    sa.Column("thread_id", Id),
    sa.Column("domain", Text, nullable=False, server_default=sa.text("''")),  # who wrote it, once it is understood
    sa.Column("automatic", Flag, nullable=False, server_default=sa.text("0")),  # 1: no person wrote it
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("settled_at", Moment),
    sa.Index("uq_received_mail", "account_id", "inbox_id", "fingerprint", unique=True),
    sa.Index("ix_received_mail_state", "account_id", "state", "id"),
    sa.Index("ix_received_mail_inbox", "account_id", "inbox_id", "received_at"),
    sa.Index("ix_received_mail_inbox_state", "account_id", "inbox_id", "state", "received_at"),
    sa.Index("ix_received_mail_thread", "thread_id"),
    sa.Index("ix_received_mail_file", "sha256"),
    sa.Index("ix_received_mail_domain", "account_id", "domain", "received_at"),  # how much of it comes from one
    partial_index("ix_received_mail_skipped", "received_at", where=_SKIPPED),  # what is to be forgotten
    partial_index("ix_received_mail_waiting", "id", where=_WAITING),
    partial_index("ix_received_mail_failed", "account_id", "id", where=_FAILED),
)

# How far a folder on a mail server has been read, and what came of what lies there.
imap_position = table(
    "imap_position",
    account_column(),
    sa.Column("inbox_id", Id, primary_key=True, autoincrement=False),
    sa.Column("folder", Text, primary_key=True),
    sa.Column("uid_validity", Id, nullable=False),  # 0: it was never seen
    sa.Column("last_uid", Id, nullable=False),  # all up to this one are kept here
    sa.Column("since", Moment),  # what reached the server before is left there; empty: nothing is
    sa.Column("on_server", sa.Integer, nullable=False),
    sa.Column("taken", sa.Integer, nullable=False),  # since the UIDVALIDITY is what it is
    sa.Column("skipped", sa.Integer, nullable=False),
    sa.Column("reasons", Json, nullable=False),  # why they were skipped, and how many for each reason
    sa.Column("error", Text, nullable=False),  # why the last look failed, in words; empty: it did not
    sa.Column("checked_at", Moment, nullable=False),  # when reading last went well; before that, of the first try
    sa.Column("due_at", Id, nullable=False),  # of the next look, in milliseconds since 1970
    sa.Column("reader", Id, nullable=False),  # the process that looks, until `due_at` at most; 0: none does
)

# The messages of conversations that were deleted: they neither come back nor draw answers into what is gone.
deleted_message = table(
    "deleted_message",
    account_column(),
    sa.Column("message_hash", Text, nullable=False),  # SHA-256 of the fingerprint; if it went out, of the Message-ID
    sa.Column("deleted_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("account_id", "message_hash"),
)

# To whom an automatic answer went on which day: once is enough.
automatic_answer = table(
    "automatic_answer",
    account_column(),
    sa.Column("inbox_id", Id, nullable=False),
    sa.Column("address", Text, nullable=False),  # folded
    sa.Column("day", Text, nullable=False),  # 2026-11-23, in UTC
    sa.Column("n", sa.Integer, nullable=False),  # how often one would have gone
    sa.PrimaryKeyConstraint("account_id", "inbox_id", "address", "day"),
)
