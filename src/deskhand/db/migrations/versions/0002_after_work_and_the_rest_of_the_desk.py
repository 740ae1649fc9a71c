"""after-work and the rest of the desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from deskhand.db.migrate import start_ids
from deskhand.db.tables import Id, Text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FIRST_IDS = {
    "customer_property": 31,
    "organization": 41,
    "organization_property": 7,
    "rating": 55001,
    "saved_reply": 7001,
    "webhook": 12,
    "workflow": 901,
}


def upgrade() -> None:
    op.create_table(
        "captured_mail",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("message_id", Text, nullable=False),
        sa.Column("in_reply_to", Text, nullable=True),
        sa.Column("references_", Text, nullable=False),
        sa.Column("sender", Text, nullable=False),
        sa.Column("recipients", Text, nullable=False),
        sa.Column("cc", Text, nullable=False),
        sa.Column("subject", Text, nullable=False),
        sa.Column("text", Text, nullable=False),
        sa.Column("html", Text, nullable=False),
        sa.Column("raw", Text, nullable=False),
        sa.Column("sent_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captured_mail")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("captured_mail", schema=None) as batch_op:
        batch_op.create_index("ix_captured_mail_thread", ["thread_id"], unique=False)
        batch_op.create_index("uq_captured_mail_message", ["account_id", "message_id"], unique=True)

    op.create_table(
        "customer_property",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("slug", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("type", Text, nullable=False),
        sa.Column("options", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_property")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("customer_property", schema=None) as batch_op:
        batch_op.create_index("uq_customer_property_slug", ["account_id", "slug"], unique=True)

    op.create_table(
        "customer_value",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("property_id", Id, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.Column("source", Text, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "property_id", name=op.f("pk_customer_value")),
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("customer_value", schema=None) as batch_op:
        batch_op.create_index("ix_customer_value_property", ["property_id", "customer_id"], unique=False)

    op.create_table(
        "job",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("target", Text, nullable=False),
        sa.Column("payload", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("due_at", Id, nullable=False),
        sa.Column("claim", Id, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(
            "ix_job_due",
            ["due_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index("ix_job_state", ["account_id", "state", "kind", "id"], unique=False)

    op.create_table(
        "organization",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("name_folded", Text, nullable=False),
        sa.Column("website", Text, nullable=True),
        sa.Column("description", Text, nullable=True),
        sa.Column("location", Text, nullable=True),
        sa.Column("logo_url", Text, nullable=True),
        sa.Column("note", Text, nullable=True),
        sa.Column("phones", Text, nullable=False),
        sa.Column("brand_color", Text, nullable=True),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("updated_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.create_index("ix_organization_name", ["account_id", "name_folded", "id"], unique=False)

    op.create_table(
        "organization_domain",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("organization_id", Id, nullable=False),
        sa.Column("domain", Text, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "domain", name=op.f("pk_organization_domain")),
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("organization_domain", schema=None) as batch_op:
        batch_op.create_index("ix_organization_domain_organization", ["organization_id", "position"], unique=False)

    op.create_table(
        "organization_property",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("slug", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("type", Text, nullable=False),
        sa.Column("options", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_property")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("organization_property", schema=None) as batch_op:
        batch_op.create_index("uq_organization_property_slug", ["account_id", "slug"], unique=True)

    op.create_table(
        "organization_value",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("organization_id", Id, nullable=False),
        sa.Column("property_id", Id, nullable=False),
        sa.Column("value", Text, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "property_id", name=op.f("pk_organization_value")),
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("organization_value", schema=None) as batch_op:
        batch_op.create_index("ix_organization_value_property", ["property_id", "organization_id"], unique=False)

    op.create_table(
        "rating",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("thread_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("inbox_id", Id, nullable=False),
        sa.Column("customer_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("rating", Text, nullable=False),
        sa.Column("comments", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("modified_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("rating", schema=None) as batch_op:
        batch_op.create_index("ix_rating_conversation", ["conversation_id"], unique=False)
        batch_op.create_index("ix_rating_created", ["account_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_rating_customer", ["account_id", "customer_id"], unique=False)
        batch_op.create_index("uq_rating_thread", ["thread_id"], unique=True)

    op.create_table(
        "reassignment",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("enabled", sa.SmallInteger(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_reassignment")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "routing",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("inbox_id", Id, autoincrement=False, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("assignment_limit", sa.Integer(), nullable=False),
        sa.Column("assignment_method", Text, nullable=False),
        sa.Column("user_ids", Text, nullable=False),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_routing")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "saved_reply",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("inbox_id", Id, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("text", Text, nullable=True),
        sa.Column("chat_text", Text, nullable=True),
        sa.Column("deleted", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("updated_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_reply")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("saved_reply", schema=None) as batch_op:
        batch_op.create_index("ix_saved_reply_inbox", ["account_id", "inbox_id", "deleted", "id"], unique=False)

    op.create_table(
        "thread_mail",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("thread_id", Id, autoincrement=False, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("direction", Text, nullable=False),
        sa.Column("message_id", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("error", Text, nullable=False),
        sa.Column("at", Text, nullable=False),
        sa.Column("source_sha256", Text, nullable=True),
        sa.PrimaryKeyConstraint("thread_id", name=op.f("pk_thread_mail")),
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("thread_mail", schema=None) as batch_op:
        batch_op.create_index("ix_thread_mail_conversation", ["conversation_id", "thread_id"], unique=False)
        batch_op.create_index("ix_thread_mail_message", ["account_id", "message_id"], unique=False)
        batch_op.create_index(
            "ix_thread_mail_source",
            ["source_sha256"],
            unique=False,
            sqlite_where=sa.text("source_sha256 IS NOT NULL"),
            postgresql_where=sa.text("source_sha256 IS NOT NULL"),
        )

    op.create_table(
        "user_status",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("user_id", Id, autoincrement=False, nullable=False),
        sa.Column("status", Text, nullable=False),
        sa.Column("updated_at", Text, nullable=False),
        sa.Column("performed_by", Id, nullable=False),
        sa.Column("source", Text, nullable=False),
        sa.Column("custom_text", Text, nullable=True),
        sa.Column("emoji", Text, nullable=True),
        sa.Column("emoji_name", Text, nullable=True),
        sa.Column("chat_status", Text, nullable=False),
        sa.Column("chat_inboxes", Text, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_status")),
        sqlite_autoincrement=False,
    )
    with op.batch_alter_table("user_status", schema=None) as batch_op:
        batch_op.create_index("ix_user_status_account", ["account_id", "user_id"], unique=False)

    op.create_table(
        "webhook",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("url", Text, nullable=False),
        sa.Column("secret", Text, nullable=False),
        sa.Column("events", Text, nullable=False),
        sa.Column("notification", sa.SmallInteger(), nullable=False),
        sa.Column("payload_version", Text, nullable=False),
        sa.Column("label", Text, nullable=True),
        sa.Column("inbox_ids", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("disabled_because", Text, nullable=False),
        sa.Column("discarded", sa.Integer(), nullable=False),
        sa.Column("created_by", Id, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("updated_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.create_index("ix_webhook_account", ["account_id", "id"], unique=False)

    op.create_table(
        "webhook_attempt",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("delivery_id", Id, nullable=False),
        sa.Column("at", Text, nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", Text, nullable=False),
        sa.Column("error", Text, nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempt")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("webhook_attempt", schema=None) as batch_op:
        batch_op.create_index("ix_webhook_attempt_delivery", ["delivery_id", "id"], unique=False)

    op.create_table(
        "webhook_delivery",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("webhook_id", Id, nullable=False),
        sa.Column("event_id", Id, nullable=False),
        sa.Column("event", Text, nullable=False),
        sa.Column("key", Text, nullable=False),
        sa.Column("body", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("finished_at", Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.create_index("ix_webhook_delivery_webhook", ["account_id", "webhook_id", "id"], unique=False)

    op.create_table(
        "workflow",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("inbox_id", Id, nullable=False),
        sa.Column("type", Text, nullable=False),
        sa.Column("status", Text, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("actions", Text, nullable=False),
        sa.Column("conditions", Text, nullable=False),
        sa.Column("created_at", Text, nullable=False),
        sa.Column("modified_at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("workflow", schema=None) as batch_op:
        batch_op.create_index("ix_workflow_account", ["account_id", "id"], unique=False)

    op.create_table(
        "workflow_run",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.Column("workflow_id", Id, nullable=False),
        sa.Column("conversation_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("at", Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_run")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("workflow_run", schema=None) as batch_op:
        batch_op.create_index("ix_workflow_run_at", ["account_id", "at", "workflow_id"], unique=False)
        batch_op.create_index("ix_workflow_run_conversation", ["conversation_id", "workflow_id"], unique=False)

    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("office_hours", Text, nullable=True))

    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index("ix_attachment_file", ["sha256"], unique=False)

    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_conversation_copied",
            ["account_id", "id"],
            unique=False,
            sqlite_where=sa.text("cc <> '[]' OR bcc <> '[]'"),
            postgresql_where=sa.text("cc <> '[]' OR bcc <> '[]'"),
        )
        batch_op.create_index(
            "ix_conversation_report",
            ["account_id", "created_at", "inbox_id", "type", "customer_id", "id"],
            unique=False,
            sqlite_where=sa.text("merged_into IS NULL AND state = 'published' AND status <> 'spam'"),
            postgresql_where=sa.text("merged_into IS NULL AND state = 'published' AND status <> 'spam'"),
        )

    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.create_index(
            "ix_customer_organization",
            ["account_id", "organization_id", "id"],
            unique=False,
            sqlite_where=sa.text("organization_id IS NOT NULL"),
            postgresql_where=sa.text("organization_id IS NOT NULL"),
        )

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("handled", sa.SmallInteger(), server_default=sa.text("1"), nullable=False))
        batch_op.create_index(
            "ix_event_unhandled",
            ["id"],
            unique=False,
            sqlite_where=sa.text("handled = 0"),
            postgresql_where=sa.text("handled = 0"),
        )

    with op.batch_alter_table("thread", schema=None) as batch_op:
        batch_op.add_column(sa.Column("original_body", Text, nullable=True))
        batch_op.create_index(
            "ix_thread_activity",
            ["account_id", "created_at", "conversation_id", "saved_reply_id"],
            unique=False,
            sqlite_where=sa.text("state <> 'draft'"),
            postgresql_where=sa.text("state <> 'draft'"),
        )
    for table, first_id in FIRST_IDS.items():
        start_ids(op.get_bind(), table, first_id)
