"""Accounts, and the staff of an account: users, teams and system users share one sequence of ids.

They share it because a conversation's owner may be any of them.
"""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Flag, Id, Json, Moment, Text, account_column, id_column, table

account = table(
    "account",
    id_column(),
    sa.Column("name", Text, nullable=False),
    sa.Column("plan", Text, nullable=False),  # standard, plus or pro
    sa.Column("timezone", Text, nullable=False),
    sa.Column("rate_limit", sa.Integer, nullable=False),  # units a minute, 0 for none
    sa.Column("lock_after_days", sa.Integer, nullable=False),  # older conversations can't be written to; 0 for never
    sa.Column("thread_editing", Flag, nullable=False),  # 1: not only administrators may edit threads
    sa.Column("next_number", Id, nullable=False),  # of the next conversation
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("office_hours", Json),  # [[from, to] in minutes or null] from Monday to Sunday; empty: none are set
)

staff = table(
    "staff",
    id_column(),
    account_column(),
    sa.Column("type", Text, nullable=False),  # user, team or system_user
    sa.Column("first_name", Text, nullable=False),  # a team's name
    sa.Column("last_name", Text, nullable=False),
    sa.Column("email", Text),
    sa.Column("role", Text, nullable=False),  # owner, admin, user or light user
    sa.Column("state", Text, nullable=False),  # active, invited or inactive
    sa.Column("timezone", Text, nullable=False),
    sa.Column("photo_url", Text),
    sa.Column("job_title", Text, nullable=False),
    sa.Column("phone", Text, nullable=False),
    sa.Column("alternate_emails", Text, nullable=False),  # a JSON list
    sa.Column("mention", Text, nullable=False),
    sa.Column("password_hash", Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_staff_account", "account_id", "type", "id"),
    sa.Index("uq_staff_email", "account_id", "email", unique=True),
    sa.Index("ix_staff_email", "email"),  # people sign in by their address alone
    first_id=2,
    remembered=True,
)

# Which inboxes a user sees; owners and administrators see all and need no rows.
inbox_access = table(
    "inbox_access",
    account_column(),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("inbox_id", Id, nullable=False),
    sa.PrimaryKeyConstraint("user_id", "inbox_id"),
    remembered=True,
)

# A user without a row is active, and not available for chats.
user_status = table(
    "user_status",
    account_column(),
    sa.Column("user_id", Id, primary_key=True, autoincrement=False),
    sa.Column("status", Text, nullable=False),  # active or away
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("performed_by", Id, nullable=False),
    sa.Column("source", Text, nullable=False),  # ui, api or presence_detection
    sa.Column("custom_text", Text),  # empty: no status of their own words
    sa.Column("emoji", Text),
    sa.Column("emoji_name", Text),
    sa.Column("chat_status", Text, nullable=False),  # unavailable, available, assign or custom
    sa.Column("chat_inboxes", Json, nullable=False),  # {"<inbox id>": status}
    sa.Index("ix_user_status_account", "account_id", "user_id"),
)

# What becomes of a user's conversations while they are away; without a row nothing.
reassignment = table(
    "reassignment",
    account_column(),
    sa.Column("user_id", Id, primary_key=True, autoincrement=False),
    sa.Column("enabled", Flag, nullable=False),
    sa.Column("hours", sa.Integer, nullable=False),
    sa.Column("minutes", sa.Integer, nullable=False),
)

# How the web pages are for a user; without a row as they are for everybody.
user_preference = table(
    "user_preference",
    account_column(),
    sa.Column("user_id", Id, primary_key=True, autoincrement=False),
    sa.Column("theme", Text, nullable=False),  # system, light or dark
    sa.Column("undo_s", sa.Integer),  # how long what was sent can be taken back; empty: as the inbox says
    sa.Column("after_send", Text, nullable=False),  # next, stay or list
    sa.Column("send_status", Text, nullable=False, server_default=""),  # of the last reply; empty: the inbox's
)

# Links that are mailed to a user so that they can choose a password; gone once one was chosen.
sign_in_link = table(
    "sign_in_link",
    id_column(),
    account_column(),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("purpose", Text, nullable=False),  # reset or welcome
    sa.Column("mark", Text, nullable=False),  # random: with the key outside the database, the token follows from it
    sa.Column("token_hash", Text, unique=True),  # SHA-256; empty until the mail is made
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("ix_sign_in_link_user", "user_id"),
    sa.Index("ix_sign_in_link_expires", "expires_at"),
)
