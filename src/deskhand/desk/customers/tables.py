"""Customers, and the ways to reach them."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, Json, Moment, Text, account_column, id_column, partial_index, table

customer = table(
    "customer",
    id_column(),
    account_column(),
    sa.Column("first_name", Text),
    sa.Column("last_name", Text),
    sa.Column("first_folded", Text, nullable=False),  # for comparing and sorting whatever the case; empty: no name
    sa.Column("last_folded", Text, nullable=False),
    sa.Column("email", Text),  # the first of their addresses, kept here for lists of conversations
    sa.Column("gender", Text),
    sa.Column("job_title", Text),
    sa.Column("location", Text),
    sa.Column("organization", Text),
    sa.Column("organization_folded", Text, nullable=False),
    sa.Column("organization_id", Id),
    sa.Column("photo_type", Text),
    sa.Column("photo_url", Text),
    sa.Column("age", Text),
    sa.Column("background", Text),
    sa.Column("address", Json),  # in its wire form: city, state, postalCode, country, lines; empty: none
    sa.Column("archived_conversations", sa.Integer, nullable=False),  # not in the desk, but counted for the limit
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_customer_created", "account_id", "created_at", "id"),
    sa.Index("ix_customer_updated", "account_id", "updated_at", "id"),
    sa.Index("ix_customer_first_name", "account_id", "first_folded", "id"),
    sa.Index("ix_customer_last_name", "account_id", "last_folded", "id"),
    partial_index(
        "ix_customer_organization",
        "account_id",
        "organization_id",
        "id",
        where=sa.text("organization_id IS NOT NULL"),
    ),
    first_id=88001,
)

customer_entry = table(
    "customer_entry",
    id_column(),
    account_column(),
    sa.Column("customer_id", Id, nullable=False),
    sa.Column("kind", Text, nullable=False),  # email, phone, chat, social_profile or website
    sa.Column("type", Text),  # work, home, …; websites have none
    sa.Column("value", Text, nullable=False),
    sa.Column("folded", Text, nullable=False),  # an e-mail address in lower case; empty for the other kinds
    sa.Index("ix_customer_entry_customer", "customer_id", "kind", "id"),
    partial_index(
        "uq_customer_entry_email",
        "account_id",
        "folded",
        unique=True,
        where=sa.text("kind = 'email'"),
    ),
    first_id=90001,
)

# What an account wants to know of its customers. `options` is [{"id","label"}], for dropdowns.
customer_property = table(
    "customer_property",
    id_column(),
    account_column(),
    sa.Column("slug", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("type", Text, nullable=False),  # number, text, url, date or dropdown
    sa.Column("options", Json, nullable=False),
    sa.Index("uq_customer_property_slug", "account_id", "slug", unique=True),
    first_id=31,
    remembered=True,
)

customer_value = table(
    "customer_value",
    account_column(),
    sa.Column("customer_id", Id, nullable=False),
    sa.Column("property_id", Id, nullable=False),
    sa.Column("value", Text, nullable=False),  # a dropdown's: the option's id
    sa.Column("source", Text, nullable=False),  # by which way it was set, such as api
    sa.PrimaryKeyConstraint("customer_id", "property_id"),
    sa.Index("ix_customer_value_property", "property_id", "customer_id"),
)
