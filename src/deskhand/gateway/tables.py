"""Agents with their keys, tokens and grants; the audit chain; calls that wait or are remembered; ways to remote desks.

Secrets are kept as SHA-256; those that must be sent on (of remote desks) are encrypted with a key outside the database.
"""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, Json, Moment, Text, account_column, id_column, partial_index, table

# A remote desk. Its secrets are encrypted as one JSON object.
connection = table(
    "gateway_connection",
    id_column(),
    account_column(),
    sa.Column("name", Text, nullable=False),
    sa.Column("base_url", Text, nullable=False),
    sa.Column("link_base", Text, nullable=False),  # what its own links begin with, which may be another name of it
    sa.Column("grant_type", Text, nullable=False),  # client_credentials or authorization_code
    sa.Column("client_id", Text, nullable=False),
    sa.Column("secrets", Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("last_ok_at", Moment),
    sa.Column("last_error_at", Moment),
    sa.Column("last_error", Text),
    sa.Index("ix_gateway_connection_account", "account_id", "id"),
)

agent = table(
    "agent",
    id_column(),
    account_column(),
    sa.Column("name", Text, nullable=False),
    sa.Column("folded", Text),  # the name without regard to case, unique; empty once deleted, so that it is free again
    sa.Column("state", Text, nullable=False),  # active, paused or deleted
    sa.Column("user_id", Id),  # the system user it is on the desk here; empty: it acts on a remote desk
    sa.Column("connection_id", Id),
    sa.Column("client_id", Text, nullable=False, unique=True),
    sa.Column("secret_hash", Text, nullable=False),
    sa.Column("grant_version", sa.Integer, nullable=False),  # 0: nothing was ever granted
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("ix_agent_account", "account_id", "id"),
    sa.Index("uq_agent_folded", "account_id", "folded", unique=True),
    remembered=True,
)

agent_key = table(
    "agent_key",
    id_column(),
    account_column(),
    sa.Column("agent_id", Id, nullable=False),
    sa.Column("prefix", Text, nullable=False),  # what people see of it
    sa.Column("key_hash", Text, nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment),
    sa.Column("last_used_at", Moment),
    sa.Index("ix_agent_key_agent", "account_id", "agent_id"),
)

# What the token endpoints give out for an agent; `client_id` is an MCP client's, empty for the agent's own.
agent_token = table(
    "agent_token",
    id_column(),
    account_column(),
    sa.Column("agent_id", Id, nullable=False),
    sa.Column("client_id", Text),
    sa.Column("access_hash", Text, nullable=False, unique=True),
    sa.Column("refresh_hash", Text, unique=True),
    sa.Column("expires_at", Moment, nullable=False),  # of the access token
    sa.Column("refresh_until", Moment),
    sa.Column("family", Text, unique=True),  # hash of what an MCP client's refresh tokens have in common
    sa.Index("ix_agent_token_agent", "account_id", "agent_id"),
    sa.Index("ix_agent_token_expires", "expires_at"),
)

# Programs that registered themselves to ask for an agent's access (RFC 7591), and the codes on their way to them.
mcp_client = table(
    "mcp_client",
    id_column(),
    sa.Column("client_id", Text, nullable=False, unique=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("redirect_uris", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("ix_mcp_client_created", "created_at"),
)

mcp_code = table(
    "mcp_code",
    id_column(),
    account_column(),
    sa.Column("agent_id", Id, nullable=False),
    sa.Column("client_id", Text, nullable=False),
    sa.Column("code_hash", Text, nullable=False, unique=True),
    sa.Column("redirect_uri", Text, nullable=False),
    sa.Column("challenge", Text, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("spent_at", Moment),  # kept until it expires, so that spending it again shows
)

# Every version an agent's grants ever had.
grant_version = table(
    "grant_version",
    account_column(),
    sa.Column("agent_id", Id, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("grants", Json, nullable=False),
    sa.Column("made_by", Json, nullable=False),  # {"type": "user" | "admin_token" | "agent", "id"}
    sa.Column("made_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("account_id", "agent_id", "version"),
)

# What stops agents at once. `target_id` is an agent's or an inbox's id.
stop = table(
    "gateway_stop",
    id_column(),
    account_column(),
    sa.Column("scope", Text, nullable=False),  # agent, inbox_writes, writes or all
    sa.Column("target_id", Id),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("made_by", Json, nullable=False),
    sa.Index("ix_gateway_stop_account", "account_id", "id"),
    remembered=True,
)

admin_token = table(
    "admin_token",
    id_column(),
    account_column(),
    sa.Column("name", Text, nullable=False),
    sa.Column("prefix", Text, nullable=False),
    sa.Column("token_hash", Text, nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment),
    sa.Column("last_used_at", Moment),
    sa.Index("ix_admin_token_account", "account_id", "id"),
)

_COMPLETES = sa.text('"of" IS NOT NULL')
_OF_AN_AGENT = sa.text("agent_id IS NOT NULL")
_OF_A_CONVERSATION = sa.text("conversation_id IS NOT NULL")

# The chain. `content` is the record as canonical JSON, with all of its fields but `hash`; the columns beside it repeat
# what lists filter by.
audit_record = table(
    "audit_record",
    account_column(),
    sa.Column("number", Id, nullable=False),
    sa.Column("type", Text, nullable=False),  # decision, completion, admin or checkpoint
    sa.Column("at", Moment, nullable=False),
    sa.Column("content", Json, nullable=False),
    sa.Column("hash", Text, nullable=False),
    sa.Column("of", Id),  # the decision that a completion is about
    sa.Column("agent_id", Id),
    sa.Column("operation", Text),
    sa.Column("resource", Text),
    sa.Column("decision", Text),  # allowed, held or refused
    sa.Column("inbox_id", Id),
    sa.Column("conversation_id", Id),
    sa.PrimaryKeyConstraint("account_id", "number"),
    # Each record is in as few indexes as lists need: writing them is most of what an entry costs.
    partial_index("ix_audit_record_of", "account_id", "of", where=_COMPLETES),
    partial_index(
        "ix_audit_record_agent", "account_id", "agent_id", "number",
        where=_OF_AN_AGENT,
    ),
    partial_index(
        "ix_audit_record_conversation", "account_id", "conversation_id", "number",
        where=_OF_A_CONVERSATION,
    ),
    sa.Index("ix_audit_record_at", "account_id", "at", "number"),
)  # fmt: skip

# Where each account's chain ends; whoever appends holds this row.
audit_head = table(
    "audit_head",
    sa.Column("account_id", Id, primary_key=True, autoincrement=False),
    sa.Column("number", Id, nullable=False),
    sa.Column("hash", Text, nullable=False),
    sa.Column("signed_number", Id, nullable=False),  # of the newest signed checkpoint
    sa.Column("signed_at", Moment, nullable=False),
)

# Calls that wait for a person, and what became of them. `call` is the call as it will be sent.
approval = table(
    "approval",
    id_column(),
    account_column(),
    sa.Column("agent_id", Id, nullable=False),
    sa.Column("state", Text, nullable=False),  # waiting, executing, executed, failed, denied, expired or returned
    sa.Column("operation", Text, nullable=False),
    sa.Column("call", Json, nullable=False),
    sa.Column("arguments_hash", Text, nullable=False),
    sa.Column("grant_version", sa.Integer, nullable=False),
    sa.Column("audit_number", Id, nullable=False),
    sa.Column("inbox_id", Id),
    sa.Column("conversation_id", Id),
    sa.Column("mark", Text, nullable=False),  # how the conversation stood when the call was held
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("decided_at", Moment),
    sa.Column("decided_by", Json),
    sa.Column("reason", Text),
    sa.Column("edited_text", Text),
    sa.Column("status", sa.Integer),  # what the desk answered
    sa.Column("resource_id", Id),
    sa.Index("ix_approval_state", "account_id", "state", "id"),
    sa.Index("ix_approval_conversation", "account_id", "conversation_id"),
)

# Drafts that agents wrote, until a person sent them, and how much of the text that person changed.
agent_draft = table(
    "agent_draft",
    account_column(),
    sa.Column("connection_id", Id, nullable=False),  # the desk that has the thread; 0: the one here
    sa.Column("thread_id", Id, nullable=False),
    sa.Column("agent_id", Id, nullable=False),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("text", Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("sent_at", Moment),
    sa.Column("sent_by", Id),
    sa.Column("edits", sa.Integer),  # words that were changed
    sa.Column("dropped_at", Moment),
    sa.PrimaryKeyConstraint("account_id", "connection_id", "thread_id"),
    sa.Index("ix_agent_draft_agent", "account_id", "agent_id"),
    sa.Index("ix_agent_draft_conversation", "account_id", "connection_id", "conversation_id"),
)

# Answers to writes that may come twice: by `Idempotency-Key`, and by the reply's own text.
remembered_call = table(
    "remembered_call",
    account_column(),
    sa.Column("agent_id", Id, nullable=False),
    sa.Column("key", Text, nullable=False),
    sa.Column("arguments_hash", Text, nullable=False),
    sa.Column("audit_number", Id, nullable=False),
    sa.Column("answer", Json),  # {"status", "headers", "body"}; empty while the call is under way
    sa.Column("made_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("account_id", "agent_id", "key"),
    sa.Index("ix_remembered_call_made", "made_at"),
)

# Units of a minute that agents were given by any process: see budget.py. `leased` is units by the agent's id.
budget_lease = table(
    "budget_lease",
    account_column(),
    sa.Column("connection_id", Id, nullable=False),  # 0: the desk here
    sa.Column("minute", Id, nullable=False),  # since 1970
    sa.Column("leased", Json, nullable=False),
    sa.PrimaryKeyConstraint("account_id", "connection_id", "minute"),
)
