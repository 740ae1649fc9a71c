"""Customers whose name or address begins with what somebody types, quickly: an index is read for each way."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import unindexed
from deskhand.db.statements import P, rows
from deskhand.desk.customers.tables import customer, customer_entry
from deskhand.lib.text import fold

MOST = 6
_LAST = "\U0010ffff"


class Found(msgspec.Struct, frozen=True):
    """A customer, as short as one can be told."""

    id: int
    first_name: str
    last_name: str
    email: str | None


_ADDRESS = (
    sa.select(sa.func.min(customer_entry.c.value))
    .where(
        customer_entry.c.customer_id == customer.c.id,
        unindexed(customer_entry.c.account_id) == customer.c.account_id,
        customer_entry.c.kind == sa.literal_column("'email'"),
    )
    .correlate(customer)
    .scalar_subquery()
    .label("email")
)
_FOUND = sa.select(customer.c.id, customer.c.first_name, customer.c.last_name, _ADDRESS)
_LIMIT: sa.ColumnElement[int] = sa.literal_column(str(MOST))


def _begins(column: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[bool], ...]:
    return column >= P("begins", sa.Text), column < P("beyond", sa.Text)


_OURS = customer.c.account_id == P("account_id")
_BY_FIRST = rows(
    Found, _FOUND.where(_OURS, *_begins(customer.c.first_folded)).order_by(customer.c.first_folded).limit(_LIMIT)
)
_BY_LAST = rows(
    Found, _FOUND.where(_OURS, *_begins(customer.c.last_folded)).order_by(customer.c.last_folded).limit(_LIMIT)
)
_BY_BOTH = rows(
    Found,
    _FOUND.where(_OURS, customer.c.first_folded == P("given", sa.Text), *_begins(customer.c.last_folded))
    .order_by(customer.c.last_folded)
    .limit(_LIMIT),
)
_BY_EMAIL = rows(
    Found,
    _FOUND.join(
        customer_entry,
        sa.and_(customer_entry.c.customer_id == customer.c.id, customer_entry.c.account_id == customer.c.account_id),
    )
    .where(
        customer_entry.c.account_id == P("account_id"),
        customer_entry.c.kind == sa.literal_column("'email'"),
        *_begins(customer_entry.c.folded),
    )
    .order_by(customer_entry.c.folded)
    .limit(_LIMIT),
)


def beginning_with(db: Reader, account_id: int, text: str) -> list[Found]:
    """Some customers whose first name, last name, both, or address begin so."""
    typed = fold(text.strip())
    if not typed:
        return []
    first, _, last = typed.partition(" ")
    if last:
        return db.all(_BY_BOTH, account_id=account_id, given=first, begins=last.strip(), beyond=last.strip() + _LAST)
    given = {"account_id": account_id, "begins": typed, "beyond": typed + _LAST}
    found = [one for query in (_BY_FIRST, _BY_LAST, _BY_EMAIL) for one in db.all(query, **given)]
    return list({one.id: one for one in found}.values())[:MOST]
