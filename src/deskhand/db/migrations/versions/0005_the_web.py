"""the web."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from deskhand.db.tables import Id, Text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("action", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("undone", sa.Integer(), nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("bulk", schema=None) as batch_op:
        batch_op.create_index("ix_bulk_user", ["account_id", "user_id", "created_at"], unique=False)

    op.create_table(
        "bulk_item",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("bulk_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("before", Text, nullable=True),
        sa.Column("after", Text, nullable=True),
        sa.Column("fault", Text, nullable=False),
        sa.PrimaryKeyConstraint("bulk_id", "conversation_id", name=op.f("pk_bulk_item")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("bulk_item", schema=None) as batch_op:
        batch_op.create_index("ix_bulk_item_state", ["bulk_id", "state", "conversation_id"], unique=False)
        batch_op.create_index(
            "ix_bulk_item_waiting",
            ["conversation_id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "departed",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("made", Id, nullable=True),
        sa.Column("at", Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "user_id", "key", name=op.f("pk_departed")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=False,
    )
    op.create_table(
        "follower",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "user_id", name=op.f("pk_follower")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("follower", schema=None) as batch_op:
        batch_op.create_index("ix_follower_user", ["account_id", "user_id", "conversation_id"], unique=False)

    op.create_table(
        "last_snooze",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("choice", Text, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_last_snooze")),
        info={"first_id": 1, "remembered": True},
        sqlite_autoincrement=False,
    )
    op.create_table(
        "mention",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("staff_id", Id, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("thread_id", "staff_id", name=op.f("pk_mention")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("mention", schema=None) as batch_op:
        batch_op.create_index("ix_mention_conversation", ["conversation_id"], unique=False)
        batch_op.create_index("ix_mention_staff", ["account_id", "staff_id", "thread_id"], unique=False)

    op.create_table(
        "note_draft",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("body", Text, nullable=False),
        sa.Column("at", Text, nullable=False),
        sa.Column("form", Text, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "user_id", name=op.f("pk_note_draft")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=False,
    )
    op.create_table(
        "presence",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("doing", Text, nullable=False),
        sa.Column("changed_ms", Id, nullable=False),
        sa.Column("seen_ms", Id, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "user_id", name=op.f("pk_presence")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("presence", schema=None) as batch_op:
        batch_op.create_index("ix_presence_changed", ["changed_ms"], unique=False)
        batch_op.create_index("ix_presence_seen", ["seen_ms"], unique=False)
        batch_op.create_index("ix_presence_user", ["account_id", "user_id", "seen_ms"], unique=False)

    op.create_table(
        "provider_identity",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("issuer", Text, nullable=False),
        sa.Column("subject", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_identity")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("provider_identity", schema=None) as batch_op:
        batch_op.create_index("ix_provider_identity_user", ["user_id"], unique=False)
        batch_op.create_index("uq_provider_identity", ["issuer", "subject", "account_id"], unique=True)

    op.create_table(
        "recovery_code",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("code_hash", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.create_index("ix_recovery_code_user", ["user_id"], unique=False)

    op.create_table(
        "saved_view",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("name", Text, nullable=False),
        sa.Column("query", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        info={"first_id": 1, "remembered": True},
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("saved_view", schema=None) as batch_op:
        batch_op.create_index("ix_saved_view_account", ["account_id", "user_id"], unique=False)

    op.create_table(
        "second_factor",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("sealed", Text, nullable=False),
        sa.Column("last_step", Id, nullable=False),
        sa.Column("on_since", Text, nullable=True),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factor")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=False,
    )
    op.create_table(
        "sent_form",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("token", Text, nullable=False),
        sa.Column("led_to", Text, nullable=False),
        sa.Column("at", Text, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "user_id", "token", name=op.f("pk_sent_form")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("sent_form", schema=None) as batch_op:
        batch_op.create_index("ix_sent_form_at", ["at"], unique=False)

    op.create_table(
        "sign_in_link",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("purpose", Text, nullable=False),
        sa.Column("mark", Text, nullable=False),
        sa.Column("token_hash", Text, nullable=True),
        sa.Column("expires_at", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_link_token_hash")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("sign_in_link", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_link_expires", ["expires_at"], unique=False)
        batch_op.create_index("ix_sign_in_link_user", ["user_id"], unique=False)

    op.create_table(
        "sign_in_step",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("step_hash", Text, nullable=False),
        sa.Column("expires_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_step")),
        sa.UniqueConstraint("step_hash", name=op.f("uq_sign_in_step_step_hash")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("sign_in_step", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_step_expires", ["expires_at"], unique=False)
        batch_op.create_index("ix_sign_in_step_user", ["user_id"], unique=False)

    op.create_table(
        "unsent",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("conversation_id", Id, nullable=True),
        sa.Column("recipients", Text, nullable=False),
        sa.Column("subject", Text, nullable=False),
        sa.Column("body", Text, nullable=False),
        sa.Column("fields", Text, nullable=False),
        sa.Column("form", Text, nullable=False),
        sa.Column("ready", Text, nullable=True),
        sa.Column("fault", Text, nullable=False),
        sa.Column("at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsent")),
        sa.UniqueConstraint("account_id", "user_id", "key", name=op.f("uq_unsent_account_id_user_id_key")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("unsent", schema=None) as batch_op:
        batch_op.create_index("ix_unsent_conversation", ["conversation_id"], unique=False)
        batch_op.create_index(
            "ix_unsent_staying",
            ["account_id", "user_id", "fault"],
            unique=False,
            sqlite_where=sa.text("ready IS NULL"),
            postgresql_where=sa.text("ready IS NULL"),
        )

    op.create_table(
        "unsent_file",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("unsent_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=True),
        sa.Column("filename", Text, nullable=False),
        sa.Column("mime_type", Text, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", Text, nullable=False),
        sa.Column("content_id", Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsent_file")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("unsent_file", schema=None) as batch_op:
        batch_op.create_index("ix_unsent_file_conversation", ["conversation_id"], unique=False)
        batch_op.create_index("ix_unsent_file_file", ["sha256"], unique=False)
        batch_op.create_index("ix_unsent_file_unsent", ["unsent_id", "id"], unique=False)

    op.create_table(
        "user_preference",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("theme", Text, nullable=False),
        sa.Column("undo_s", sa.Integer(), nullable=True),
        sa.Column("after_send", Text, nullable=False),
        sa.Column("send_status", Text, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_preference")),
        info={"first_id": 1, "remembered": False},
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_conversation_folder_modified",
            ["account_id", "folder_id", "modified_at", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL"),
            postgresql_where=sa.text("merged_into IS NULL"),
        )
        batch_op.create_index(
            "ix_conversation_folder_waiting",
            ["account_id", "folder_id", "waiting_since", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL"),
            postgresql_where=sa.text("merged_into IS NULL"),
        )
        batch_op.create_index(
            "ix_conversation_mine",
            ["account_id", "assignee_id", "folder_id", "modified_at", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL AND assignee_id IS NOT NULL"),
            postgresql_where=sa.text("merged_into IS NULL AND assignee_id IS NOT NULL"),
        )

    with op.batch_alter_table("received_mail", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_received_mail_automatic"), sqlite_where=sa.text("automatic = 1"))
        batch_op.create_index("ix_received_mail_domain", ["account_id", "domain", "received_at"], unique=False)
        batch_op.create_index(
            "ix_received_mail_inbox_state", ["account_id", "inbox_id", "state", "received_at"], unique=False
        )
        batch_op.create_index(
            "ix_received_mail_skipped",
            ["received_at"],
            unique=False,
            sqlite_where=sa.text("state = 'skipped' AND sha256 <> ''"),
            postgresql_where=sa.text("state = 'skipped' AND sha256 <> ''"),
        )

    with op.batch_alter_table("routing", schema=None) as batch_op:
        batch_op.add_column(sa.Column("last_user_id", Id, nullable=True))
        batch_op.add_column(sa.Column("assigner_id", Id, nullable=True))

    with op.batch_alter_table("thread", schema=None) as batch_op:
        batch_op.create_index(
            "ix_thread_saved_reply",
            ["account_id", "saved_reply_id", "created_at"],
            unique=False,
            sqlite_where=sa.text("saved_reply_id > 0"),
            postgresql_where=sa.text("saved_reply_id > 0"),
        )

    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("user_agent", Text, nullable=True))
        batch_op.add_column(sa.Column("address", Text, nullable=True))
        batch_op.add_column(sa.Column("seen_at", Text, nullable=True))
        batch_op.add_column(sa.Column("confirmed_at", Text, nullable=True))

    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_webhook_delivery_discarded",
            ["account_id", "webhook_id", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'discarded'"),
            postgresql_where=sa.text("state = 'discarded'"),
        )

    with op.batch_alter_table("workflow_run", schema=None) as batch_op:
        batch_op.create_index("ix_workflow_run_workflow", ["workflow_id", "id"], unique=False)
