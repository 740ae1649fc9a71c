"""Applications, authorization codes, tokens, sign-in sessions and failed sign-ins. Secrets are kept as SHA-256."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, Moment, Text, account_column, id_column, table

application = table(
    "oauth_application",
    id_column(),
    account_column(),
    sa.Column("user_id", Id, nullable=False),  # whom client credentials act as
    sa.Column("name", Text, nullable=False),
    sa.Column("client_id", Text, nullable=False, unique=True),
    sa.Column("secret_hash", Text, nullable=False),
    sa.Column("redirect_url", Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
)

# A code lives for minutes and is gone once exchanged, so the table stays tiny.
code = table(
    "oauth_code",
    id_column(),
    account_column(),
    sa.Column("application_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("code_hash", Text, nullable=False, unique=True),
    sa.Column("expires_at", Moment, nullable=False),
)

_NOT_REFRESHABLE = sa.text("refresh_hash IS NULL")
token = table(
    "oauth_token",
    id_column(),
    account_column(),
    sa.Column("application_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("access_hash", Text, nullable=False, unique=True),
    sa.Column("refresh_hash", Text, unique=True),  # only tokens of the authorization code flow, until it is used
    sa.Column("expires_at", Moment, nullable=False),  # of the access token; a refresh token has no end
    sa.Column("created_at", Moment, nullable=False),
    # What may be deleted once expired: a row with a refresh token is still of use.
    sa.Index("ix_oauth_token_expires", "expires_at", sqlite_where=_NOT_REFRESHABLE, postgresql_where=_NOT_REFRESHABLE),
    sa.Index("ix_oauth_token_user", "user_id"),
)

web_session = table(
    "web_session",
    id_column(),
    account_column(),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("session_hash", Text, nullable=False, unique=True),
    sa.Column("csrf_token", Text, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("ix_web_session_expires", "expires_at"),
    sa.Index("ix_web_session_user", "user_id"),
)

# What throttles guessing of passwords: how many sign-ins failed in each minute, by e-mail and by network address.
failed_sign_in = table(
    "failed_sign_in",
    sa.Column("who", Text, nullable=False),  # SHA-256 of the e-mail address or the network address
    sa.Column("minute", Id, nullable=False),  # since 1970
    sa.Column("failures", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("who", "minute"),
    sa.Index("ix_failed_sign_in_minute", "minute"),
)
