"""Organizations, their domains, and the properties an account keeps of them."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.tables import Id, Json, Moment, Text, account_column, id_column, table

organization = table(
    "organization",
    id_column(),
    account_column(),
    sa.Column("name", Text, nullable=False),
    sa.Column("name_folded", Text, nullable=False),
    sa.Column("website", Text),
    sa.Column("description", Text),
    sa.Column("location", Text),  # a country's two letters
    sa.Column("logo_url", Text),
    sa.Column("note", Text),
    sa.Column("phones", Json, nullable=False),
    sa.Column("brand_color", Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("ix_organization_name", "account_id", "name_folded", "id"),
    first_id=41,
)

# Customers with an address of such a domain belong to the organization.
organization_domain = table(
    "organization_domain",
    account_column(),
    sa.Column("organization_id", Id, nullable=False),
    sa.Column("domain", Text, nullable=False),  # in lower case
    sa.Column("position", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("account_id", "domain"),
    sa.Index("ix_organization_domain_organization", "organization_id", "position"),
)

organization_property = table(
    "organization_property",
    id_column(),
    account_column(),
    sa.Column("slug", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("type", Text, nullable=False),  # text, number, url, date or dropdown
    sa.Column("options", Json, nullable=False),  # [{"label"}], for dropdowns
    sa.Index("uq_organization_property_slug", "account_id", "slug", unique=True),
    first_id=7,
)

organization_value = table(
    "organization_value",
    account_column(),
    sa.Column("organization_id", Id, nullable=False),
    sa.Column("property_id", Id, nullable=False),
    sa.Column("value", Text, nullable=False),
    sa.PrimaryKeyConstraint("organization_id", "property_id"),
    sa.Index("ix_organization_value_property", "property_id", "organization_id"),
)
