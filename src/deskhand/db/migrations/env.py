"""Run by Alembic: hands it the connection that `db/migrate.py` opened."""

from __future__ import annotations

from alembic import context

from deskhand.db.migrate import is_described

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes.get("metadata"),
    include_name=is_described,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
