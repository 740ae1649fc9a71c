"""the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from deskhand.db.migrate import start_ids
from deskhand.db.migrations import search_tables
from deskhand.db.tables import Id, Text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FIRST_IDS = {
    "attachment": 640001,
    "conversation": 3100000001,
    "custom_field": 11,
    "customer": 88001,
    "customer_entry": 90001,
    "field_option": 901,
    "inbox": 501,
    "staff": 2,
    "tag": 301,
    "thread": 9100000001,
}


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("plan", Text, nullable=False),
        sa.Column("timezone", Text, nullable=False),
        sa.Column("rate_limit", sa.Integer(), nullable=False),
        sa.Column("lock_after_days", sa.Integer(), nullable=False),
        sa.Column("thread_editing", sa.SmallInteger(), nullable=False),
        sa.Column("next_number", Id, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "attachment",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("filename", Text, nullable=False),
        sa.Column("mime_type", Text, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("state", Text, nullable=False),
        sa.Column("sha256", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index("ix_attachment_conversation", ["conversation_id", "id"], unique=False)
        batch_op.create_index("ix_attachment_thread", ["thread_id", "id"], unique=False)

    op.create_table(
        "conversation",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("number", Id, nullable=False),
        sa.Column("inbox_id", Id, nullable=False),
        sa.Column("folder_id", Id, nullable=False),
        sa.Column("type", Text, nullable=False),
        sa.Column("status", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("subject", Text, nullable=False),
        sa.Column("subject_key", Text, nullable=False),
        sa.Column("preview", Text, nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("capped_threads", sa.Integer(), nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("customer_email", Text, nullable=False),
        sa.Column("customer_name", Text, nullable=False),
        sa.Column("assignee_id", Id, nullable=True),
        sa.Column("created_by_type", Text, nullable=False),
        sa.Column("created_by_id", Id, nullable=False),
        sa.Column("source_type", Text, nullable=False),
        sa.Column("source_via", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("modified_at", Text, nullable=False),
        sa.Column("user_updated_at", Text, nullable=False),
        sa.Column("closed_at", Text, nullable=True),
        sa.Column("closed_by", Id, nullable=True),
        sa.Column("waiting_since", Text, nullable=True),
        sa.Column("latest_reply_from", Text, nullable=True),
        sa.Column("cc", Text, nullable=False),
        sa.Column("bcc", Text, nullable=False),
        sa.Column("tags", Text, nullable=False),
        sa.Column("custom_fields", Text, nullable=False),
        sa.Column("attachments", sa.SmallInteger(), nullable=False),
        sa.Column("snoozed_by", Id, nullable=True),
        sa.Column("snoozed_until", Text, nullable=True),
        sa.Column("unsnooze_on_reply", sa.SmallInteger(), nullable=True),
        sa.Column("scheduled_for", Text, nullable=True),
        sa.Column("scheduled_by", Id, nullable=True),
        sa.Column("unschedule_on_reply", sa.SmallInteger(), nullable=True),
        sa.Column("merged_into", Id, nullable=True),
        sa.Column("merged_at", Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_conversation_assignee", ["account_id", "assignee_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_conversation_created",
            ["account_id", "created_at", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL"),
            postgresql_where=sa.text("merged_into IS NULL"),
        )
        batch_op.create_index("ix_conversation_customer", ["account_id", "customer_id", "inbox_id"], unique=False)
        batch_op.create_index(
            "ix_conversation_email",
            ["account_id", "customer_email", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL"),
            postgresql_where=sa.text("merged_into IS NULL"),
        )
        batch_op.create_index(
            "ix_conversation_folder",
            ["account_id", "folder_id", "created_at", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL"),
            postgresql_where=sa.text("merged_into IS NULL"),
        )
        batch_op.create_index(
            "ix_conversation_inbox",
            ["account_id", "inbox_id", "status", "created_at", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL"),
            postgresql_where=sa.text("merged_into IS NULL"),
        )
        batch_op.create_index(
            "ix_conversation_modified",
            ["account_id", "modified_at", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL"),
            postgresql_where=sa.text("merged_into IS NULL"),
        )
        batch_op.create_index(
            "ix_conversation_name",
            ["account_id", "customer_name", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL"),
            postgresql_where=sa.text("merged_into IS NULL"),
        )
        batch_op.create_index(
            "ix_conversation_status",
            ["account_id", "status", "created_at", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL"),
            postgresql_where=sa.text("merged_into IS NULL"),
        )
        batch_op.create_index(
            "ix_conversation_subject",
            ["account_id", "subject_key", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL"),
            postgresql_where=sa.text("merged_into IS NULL"),
        )
        batch_op.create_index(
            "ix_conversation_waiting",
            ["account_id", "waiting_since", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL"),
            postgresql_where=sa.text("merged_into IS NULL"),
        )
        batch_op.create_index("uq_conversation_number", ["account_id", "number"], unique=True)

    op.create_table(
        "conversation_field",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("field_id", Id, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "field_id", name=op.f("pk_conversation_field")),
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("conversation_field", schema=None) as batch_op:
        batch_op.create_index("ix_conversation_field_field", ["field_id", "conversation_id"], unique=False)

    op.create_table(
        "conversation_search",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("text", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_search")),
    )
    op.create_table(
        "conversation_tag",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("tag_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "tag_id", name=op.f("pk_conversation_tag")),
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("conversation_tag", schema=None) as batch_op:
        batch_op.create_index("ix_conversation_tag_tag", ["tag_id", "conversation_id"], unique=False)

    op.create_table(
        "counter",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("key", Id, nullable=False),
        sa.Column("inbox_id", Id, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "kind", "key", "inbox_id", name=op.f("pk_counter")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "custom_field",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("inbox_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("type", Text, nullable=False),
        sa.Column("required", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_field")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("custom_field", schema=None) as batch_op:
        batch_op.create_index("ix_custom_field_inbox", ["inbox_id", "position"], unique=False)

    op.create_table(
        "customer",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("first_name", Text, nullable=True),
        sa.Column("last_name", Text, nullable=True),
        sa.Column("first_folded", Text, nullable=False),
        sa.Column("last_folded", Text, nullable=False),
        sa.Column("email", Text, nullable=True),
        sa.Column("gender", Text, nullable=True),
        sa.Column("job_title", Text, nullable=True),
        sa.Column("location", Text, nullable=True),
        sa.Column("organization", Text, nullable=True),
        sa.Column("organization_folded", Text, nullable=False),
        sa.Column("organization_id", Id, nullable=True),
        sa.Column("photo_type", Text, nullable=True),
        sa.Column("photo_url", Text, nullable=True),
        sa.Column("age", Text, nullable=True),
        sa.Column("background", Text, nullable=True),
        sa.Column("address", Text, nullable=True),
        sa.Column("archived_conversations", sa.Integer(), nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("updated_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.create_index("ix_customer_created", ["account_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_customer_first_name", ["account_id", "first_folded", "id"], unique=False)
        batch_op.create_index("ix_customer_last_name", ["account_id", "last_folded", "id"], unique=False)
        batch_op.create_index("ix_customer_updated", ["account_id", "updated_at", "id"], unique=False)

    op.create_table(
        "customer_entry",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("type", Text, nullable=True),
        sa.Column("value", Text, nullable=False),
        sa.Column("folded", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_entry")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("customer_entry", schema=None) as batch_op:
        batch_op.create_index("ix_customer_entry_customer", ["customer_id", "kind", "id"], unique=False)
        batch_op.create_index(
            "uq_customer_entry_email",
            ["account_id", "folded"],
            unique=True,
            sqlite_where=sa.text("kind = 'email'"),
            postgresql_where=sa.text("kind = 'email'"),
        )

    op.create_table(
        "event",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("inbox_id", Id, nullable=True),
        sa.Column("thread_id", Id, nullable=True),
        sa.Column("actor_type", Text, nullable=False),
        sa.Column("actor_id", Id, nullable=False),
        sa.Column("at", Text, nullable=False),
        sa.Column("particulars", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_subject", ["account_id", "subject_id", "id"], unique=False)

    op.create_table(
        "failed_sign_in",
        sa.Column("who", Text, nullable=False),
        sa.Column("minute", Id, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("who", "minute", name=op.f("pk_failed_sign_in")),
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("failed_sign_in", schema=None) as batch_op:
        batch_op.create_index("ix_failed_sign_in_minute", ["minute"], unique=False)

    op.create_table(
        "field_option",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("field_id", Id, nullable=False),
        sa.Column("label", Text, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_option")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("field_option", schema=None) as batch_op:
        batch_op.create_index("ix_field_option_field", ["field_id", "position"], unique=False)

    op.create_table(
        "inbox",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("email", Text, nullable=False),
        sa.Column("slug", Text, nullable=False),
        sa.Column("default_assignee_id", Id, nullable=True),
        sa.Column("default_status", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("updated_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_account", ["account_id", "id"], unique=False)

    op.create_table(
        "inbox_access",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("inbox_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "inbox_id", name=op.f("pk_inbox_access")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "oauth_application",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("client_id", Text, nullable=False),
        sa.Column("secret_hash", Text, nullable=False),
        sa.Column("redirect_url", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_application")),
        sa.UniqueConstraint("client_id", name=op.f("uq_oauth_application_client_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "oauth_code",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("application_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("code_hash", Text, nullable=False),
        sa.Column("expires_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_oauth_code_code_hash")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "oauth_token",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("application_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("access_hash", Text, nullable=False),
        sa.Column("refresh_hash", Text, nullable=True),
        sa.Column("expires_at", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_token")),
        sa.UniqueConstraint("access_hash", name=op.f("uq_oauth_token_access_hash")),
        sa.UniqueConstraint("refresh_hash", name=op.f("uq_oauth_token_refresh_hash")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("oauth_token", schema=None) as batch_op:
        batch_op.create_index(
            "ix_oauth_token_expires",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("refresh_hash IS NULL"),
            postgresql_where=sa.text("refresh_hash IS NULL"),
        )
        batch_op.create_index("ix_oauth_token_user", ["user_id"], unique=False)

    op.create_table(
        "rate_lease",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("minute", Id, nullable=False),
        sa.Column("leased", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "minute", name=op.f("pk_rate_lease")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "staff",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("type", Text, nullable=False),
        sa.Column("first_name", Text, nullable=False),
        sa.Column("last_name", Text, nullable=False),
        sa.Column("email", Text, nullable=True),
        sa.Column("role", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("timezone", Text, nullable=False),
        sa.Column("photo_url", Text, nullable=True),
        sa.Column("job_title", Text, nullable=False),
        sa.Column("phone", Text, nullable=False),
        sa.Column("alternate_emails", Text, nullable=False),
        sa.Column("mention", Text, nullable=False),
        sa.Column("password_hash", Text, nullable=True),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("updated_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.create_index("ix_staff_account", ["account_id", "type", "id"], unique=False)
        batch_op.create_index("ix_staff_email", ["email"], unique=False)
        batch_op.create_index("uq_staff_email", ["account_id", "email"], unique=True)

    op.create_table(
        "tag",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("folded", Text, nullable=False),
        sa.Column("slug", Text, nullable=False),
        sa.Column("color", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("updated_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("tag", schema=None) as batch_op:
        batch_op.create_index("uq_tag_folded", ["account_id", "folded"], unique=True)

    op.create_table(
        "team_member",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("team_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_member")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "thread",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("type", Text, nullable=False),
        sa.Column("status", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("action_type", Text, nullable=False),
        sa.Column("action_text", Text, nullable=False),
        sa.Column("associated", Text, nullable=False),
        sa.Column("body", Text, nullable=True),
        sa.Column("source_type", Text, nullable=False),
        sa.Column("source_via", Text, nullable=False),
        sa.Column("customer_id", Id, nullable=True),
        sa.Column("created_by_type", Text, nullable=False),
        sa.Column("created_by_id", Id, nullable=False),
        sa.Column("assigned_to", Id, nullable=True),
        sa.Column("saved_reply_id", Id, nullable=False),
        sa.Column("recipients", Text, nullable=False),
        sa.Column("cc", Text, nullable=False),
        sa.Column("bcc", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("opened_at", Text, nullable=True),
        sa.Column("linked_conversation_id", Id, nullable=True),
        sa.Column("rating", Text, nullable=True),
        sa.Column("rating_comments", Text, nullable=True),
        sa.Column("rated_at", Text, nullable=True),
        sa.Column("scheduled_by", Id, nullable=True),
        sa.Column("scheduled_at", Text, nullable=True),
        sa.Column("scheduled_for", Text, nullable=True),
        sa.Column("unschedule_on_reply", sa.SmallInteger(), nullable=True),
        sa.Column("send_as_id", Id, nullable=True),
        sa.Column("on_publish", Text, nullable=False),
        sa.Column("imported", sa.SmallInteger(), nullable=False),
        sa.Column("attachments", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thread")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("thread", schema=None) as batch_op:
        batch_op.create_index("ix_thread_conversation", ["conversation_id", "created_at", "id"], unique=False)

    op.create_table(
        "web_session",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("session_hash", Text, nullable=False),
        sa.Column("csrf_token", Text, nullable=False),
        sa.Column("expires_at", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_session")),
        sa.UniqueConstraint("session_hash", name=op.f("uq_web_session_session_hash")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("web_session", schema=None) as batch_op:
        batch_op.create_index("ix_web_session_expires", ["expires_at"], unique=False)
        batch_op.create_index("ix_web_session_user", ["user_id"], unique=False)
    for table, first_id in FIRST_IDS.items():
        start_ids(op.get_bind(), table, first_id)
    search_tables.create(op)
