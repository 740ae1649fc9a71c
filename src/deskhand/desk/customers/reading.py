"""Customers with all that is shown of them, a few statements for as many as there are."""

from __future__ import annotations

from collections.abc import Sequence

from deskhand.catalogue.customers import Customer
from deskhand.db.engine import Reader
from deskhand.desk.call import Actor
from deskhand.desk.customers import properties, queries, represent
from deskhand.desk.customers.queries import CustomerRow


def whole(db: Reader, account_id: int, rows: Sequence[CustomerRow], base: str) -> list[Customer]:
    """Customers as the API shows them, with the ways to reach them and their properties."""
    ids = [row.id for row in rows]
    entries, values = queries.entries(db, account_id, ids), properties.values(db, account_id, ids)
    return [represent.customer(row, entries[row.id], base, values[row.id]) for row in rows]


def by_id(db: Reader, actor: Actor, id: int, base: str) -> Customer | None:
    """A customer as the API shows them; None for one whom there is not, or whom the caller may not know of."""
    row = queries.by_id(db, actor.account_id, id, actor.only)
    return None if row is None else whole(db, actor.account_id, [row], base)[0]
