"""Mail both ways."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from deskhand.db.migrations.reply_facts import work_out_replies
from deskhand.db.tables import Id, Text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


# Of what a workflow did by itself to the same conversation more than once, the first remains.
_ONCE = """
DELETE FROM workflow_run WHERE user_id IS NULL AND EXISTS (
    SELECT 1 FROM workflow_run AS earlier
    WHERE earlier.user_id IS NULL AND earlier.workflow_id = workflow_run.workflow_id
    AND earlier.conversation_id = workflow_run.conversation_id AND earlier.id < workflow_run.id
)
"""


def upgrade() -> None:
    op.create_table(
        "automatic_answer",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("inbox_id", Id, nullable=False),
        sa.Column("address", Text, nullable=False),
        sa.Column("day", Text, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "inbox_id", "address", "day", name=op.f("pk_automatic_answer")),
        info={"first_id": 1},
        sqlite_autoincrement=False,
    )
    op.create_table(
        "deleted_message",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("message_hash", Text, nullable=False),
        sa.Column("deleted_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "message_hash", name=op.f("pk_deleted_message")),
        info={"first_id": 1},
        sqlite_autoincrement=False,
    )
    op.create_table(
        "imap_position",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("inbox_id", Id, autoincrement=False, nullable=False),
        sa.Column("folder", Text, nullable=False),
        sa.Column("uid_validity", Id, nullable=False),
        sa.Column("last_uid", Id, nullable=False),
        sa.Column("since", Text, nullable=True),
        sa.Column("on_server", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("reasons", Text, nullable=False),
        sa.Column("error", Text, nullable=False),
        sa.Column("checked_at", Text, nullable=False),
        sa.Column("due_at", Id, nullable=False),
        sa.Column("reader", Id, nullable=False),
        sa.PrimaryKeyConstraint("inbox_id", "folder", name=op.f("pk_imap_position")),
        info={"first_id": 1},
        sqlite_autoincrement=False,
    )
    op.create_table(
        "inbox_mail",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("inbox_id", Id, autoincrement=False, nullable=False),
        sa.Column("smtp", Text, nullable=False),
        sa.Column("imap", Text, nullable=False),
        sa.Column("imap_folder", Text, nullable=False),
        sa.Column("signature", Text, nullable=False),
        sa.Column("reply_token", sa.SmallInteger(), nullable=False),
        sa.Column("subject_token", sa.SmallInteger(), nullable=False),
        sa.Column("ratings", sa.SmallInteger(), nullable=False),
        sa.Column("answer", sa.SmallInteger(), nullable=False),
        sa.Column("answer_subject", Text, nullable=False),
        sa.Column("answer_text", Text, nullable=False),
        sa.Column("undo_s", sa.Integer(), nullable=False),
        sa.Column("changed_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_inbox_mail")),
        info={"first_id": 1},
        sqlite_autoincrement=False,
    )
    op.create_table(
        "received_mail",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("inbox_id", Id, nullable=False),
        sa.Column("way", Text, nullable=False),
        sa.Column("place", Text, nullable=False),
        sa.Column("sha256", Text, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("fingerprint", Text, nullable=False),
        sa.Column("message_id", Text, nullable=False),
        sa.Column("sender", Text, nullable=False),
        sa.Column("recipients", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("reason", Text, nullable=False),
        sa.Column("conversation_id", Id, nullable=True),
        sa.Column("thread_id", Id, nullable=True),
        sa.Column("domain", Text, server_default="", nullable=False),
        sa.Column("automatic", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("received_at", Text, nullable=False),
        sa.Column("settled_at", Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received_mail")),
        info={"first_id": 1},
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("received_mail", schema=None) as batch_op:
        batch_op.create_index(
            "ix_received_mail_automatic",
            ["account_id", "domain", "received_at"],
            unique=False,
            sqlite_where=sa.text("automatic = 1"),
            postgresql_where=sa.text("automatic = 1"),
        )
        batch_op.create_index(
            "ix_received_mail_failed",
            ["account_id", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'failed'"),
            postgresql_where=sa.text("state = 'failed'"),
        )
        batch_op.create_index("ix_received_mail_file", ["sha256"], unique=False)
        batch_op.create_index("ix_received_mail_inbox", ["account_id", "inbox_id", "received_at"], unique=False)
        batch_op.create_index("ix_received_mail_state", ["account_id", "state", "id"], unique=False)
        batch_op.create_index("ix_received_mail_thread", ["thread_id"], unique=False)
        batch_op.create_index(
            "ix_received_mail_waiting",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index("uq_received_mail", ["account_id", "inbox_id", "fingerprint"], unique=True)

    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("content_id", Text, nullable=True))

    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("replies", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("first_reply_at", Text, nullable=True))
        batch_op.create_index(
            "ix_conversation_closed",
            ["account_id", "closed_at", "created_at", "replies", "closed_by", "inbox_id", "type", "id"],
            unique=False,
            sqlite_where=sa.text(
                "merged_into IS NULL AND state = 'published' AND status <> 'spam' AND closed_at IS NOT NULL"
            ),
            postgresql_where=sa.text(
                "merged_into IS NULL AND state = 'published' AND status <> 'spam' AND closed_at IS NOT NULL"
            ),
        )

    with op.batch_alter_table("thread", schema=None) as batch_op:
        batch_op.add_column(sa.Column("waited_since", Text, nullable=True))
        batch_op.add_column(sa.Column("first_reply", sa.SmallInteger(), server_default="0", nullable=False))
        batch_op.create_index(
            "ix_thread_received",
            ["account_id", "created_at", "conversation_id"],
            unique=False,
            sqlite_where=sa.text("created_by_type = 'customer' AND state = 'published' AND type <> 'lineitem'"),
            postgresql_where=sa.text("created_by_type = 'customer' AND state = 'published' AND type <> 'lineitem'"),
        )
        batch_op.create_index(
            "ix_thread_reply",
            ["account_id", "created_at", "conversation_id", "created_by_id", "waited_since", "first_reply"],
            unique=False,
            sqlite_where=sa.text(
                "type = 'message' AND state = 'published' AND created_by_type = 'user' AND source_type <> 'workflows'"
            ),
            postgresql_where=sa.text(
                "type = 'message' AND state = 'published' AND created_by_type = 'user' AND source_type <> 'workflows'"
            ),
        )

    with op.batch_alter_table("thread_mail", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reply_token", Text, nullable=True))
        batch_op.add_column(sa.Column("automatic", sa.SmallInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("verdicts", Text, nullable=True))
        batch_op.add_column(sa.Column("quoted", Text, nullable=True))
        batch_op.create_index(
            "ix_thread_mail_token",
            ["reply_token"],
            unique=False,
            sqlite_where=sa.text("reply_token IS NOT NULL"),
            postgresql_where=sa.text("reply_token IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_thread_mail_troubled",
            ["account_id", "thread_id"],
            unique=False,
            sqlite_where=sa.text("error <> ''"),
            postgresql_where=sa.text("error <> ''"),
        )

    with op.batch_alter_table("workflow", schema=None) as batch_op:
        batch_op.add_column(sa.Column("invalid_because", Text, server_default="", nullable=False))
        batch_op.add_column(sa.Column("actor_id", Id, nullable=True))
        batch_op.add_column(sa.Column("looked_at", Text, nullable=True))
        batch_op.create_index(
            "ix_workflow_looked_at",
            ["id"],
            unique=False,
            sqlite_where=sa.text("looked_at IS NOT NULL"),
            postgresql_where=sa.text("looked_at IS NOT NULL"),
        )

    op.execute(_ONCE)
    with op.batch_alter_table("workflow_run", schema=None) as batch_op:
        batch_op.create_index(
            "uq_workflow_run_once",
            ["workflow_id", "conversation_id"],
            unique=True,
            sqlite_where=sa.text("user_id IS NULL"),
            postgresql_where=sa.text("user_id IS NULL"),
        )

    work_out_replies(op.execute)
