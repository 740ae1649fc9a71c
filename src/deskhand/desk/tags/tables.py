"""Tags; which conversations carry them is the conversations' table."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Moment, Text, account_column, id_column, table

tag = table(
    "tag",
    id_column(),
    account_column(),
    sa.Column("name", Text, nullable=False),
    sa.Column("folded", Text, nullable=False),  # the name without regard to case, by which tags are found
    sa.Column("slug", Text, nullable=False),
    sa.Column("color", Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("uq_tag_folded", "account_id", "folded", unique=True),
    first_id=301,
    remembered=True,
)
