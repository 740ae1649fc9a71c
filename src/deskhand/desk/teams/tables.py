"""Who is in which team; the teams themselves are staff rows of type `team`."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, account_column, table

team_member = table(
    "team_member",
    account_column(),
    sa.Column("team_id", Id, nullable=False),
    sa.Column("user_id", Id, nullable=False),
    sa.PrimaryKeyConstraint("team_id", "user_id"),
)
