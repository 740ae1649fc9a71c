"""Deleting what has expired, a few rows at a time, as part of the work that adds new ones."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.statements import P, Statement, command

AT_ONCE = 20
"""Rows deleted each time a row is added, so that the past goes faster than it comes and no call waits for it."""


def delete_expired(table: sa.Table, *also: sa.ColumnElement[bool]) -> Statement[None]:
    """A statement that deletes some rows whose `expires_at` is not after `now`, those in use elsewhere left out."""
    some = sa.select(table.c.id).where(table.c.expires_at <= P("now"), *also).limit(AT_ONCE)
    return command(sa.delete(table).where(table.c.id.in_(some.with_for_update(skip_locked=True))))
