"""Applications, authorization codes, tokens; sign-in sessions, second factors, failed sign-ins.

Secrets are kept as SHA-256, but for that of a second factor, which is sealed because codes are computed from it.
"""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, Moment, Text, account_column, id_column, partial_index, table

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
    partial_index("ix_oauth_token_expires", "expires_at", where=_NOT_REFRESHABLE),
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
    sa.Column("user_agent", Text),  # what the browser calls itself; empty: nobody asked
    sa.Column("address", Text),  # of the network, when it was seen last
    sa.Column("seen_at", Moment),  # written every few minutes at most
    sa.Column("confirmed_at", Moment),  # when somebody showed last that it is the user who sits there
    sa.Index("ix_web_session_expires", "expires_at"),
    sa.Index("ix_web_session_user", "user_id"),
)

# Who has given the right password and has yet to give a code: good for minutes, and for nothing else.
sign_in_step = table(
    "sign_in_step",
    id_column(),
    account_column(),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("step_hash", Text, nullable=False, unique=True),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("ix_sign_in_step_expires", "expires_at"),
    sa.Index("ix_sign_in_step_user", "user_id"),
)

# A user's app that makes codes. Without `on_since` it was shown but never proved to work, and is not asked for.
second_factor = table(
    "second_factor",
    account_column(),
    sa.Column("user_id", Id, primary_key=True, autoincrement=False),
    sa.Column("sealed", Text, nullable=False),  # the secret that app and server share
    sa.Column("last_step", Id, nullable=False),  # of the last code that was taken: none is taken twice
    sa.Column("on_since", Moment),
    sa.Column("created_at", Moment, nullable=False),
)

# What stands in for a lost app; a row is gone once its code was used.
recovery_code = table(
    "recovery_code",
    id_column(),
    account_column(),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("code_hash", Text, nullable=False),
    sa.Index("ix_recovery_code_user", "user_id"),
)

# Users as an OpenID provider knows them.
provider_identity = table(
    "provider_identity",
    id_column(),
    account_column(),
    sa.Column("user_id", Id, nullable=False),
    sa.Column("issuer", Text, nullable=False),
    sa.Column("subject", Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("uq_provider_identity", "issuer", "subject", "account_id", unique=True),
    sa.Index("ix_provider_identity_user", "user_id"),
)

# What throttles guessing of passwords and codes, and mails to reset passwords: how many were tried in each minute, by
# whom they are about and by network address.
failed_sign_in = table(
    "failed_sign_in",
    sa.Column("who", Text, nullable=False),  # SHA-256 of what is tried, and the e-mail or the network address
    sa.Column("minute", Id, nullable=False),  # since 1970
    sa.Column("failures", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("who", "minute"),
    sa.Index("ix_failed_sign_in_minute", "minute"),
)
