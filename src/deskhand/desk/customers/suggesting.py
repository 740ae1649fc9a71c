"""Customers to choose among while a name or an address is typed."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.statements import P, rows
from deskhand.desk.customers.queries import folded_email
from deskhand.desk.customers.tables import customer, customer_entry
from deskhand.lib.text import fold

MOST = 8
_SHORTEST = 2
_BEHIND_ALL = "\U0010ffff"


class Suggestion(msgspec.Struct, frozen=True):
    """A customer with the address that a mail would go to."""

    id: int
    first_name: str | None
    last_name: str | None
    email: str


def _begins(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """By the column's index."""
    return sa.and_(column >= P("begins"), column < P("beyond"))


def _by_name(column: sa.Column[str]) -> sa.Select[tuple[int, str | None, str | None, str]]:
    return (
        sa.select(customer.c.id, customer.c.first_name, customer.c.last_name, customer.c.email)
        .where(customer.c.account_id == P("account_id"), _begins(column), customer.c.email.is_not(None))
        .order_by(column, customer.c.id)
        .limit(sa.literal_column(str(MOST)))
    )


_BY_NAME = tuple(rows(Suggestion, _by_name(column)) for column in (customer.c.first_folded, customer.c.last_folded))
_BY_EMAIL = rows(
    Suggestion,
    sa.select(customer.c.id, customer.c.first_name, customer.c.last_name, customer_entry.c.value.label("email"))
    .join(customer, customer.c.id == customer_entry.c.customer_id)
    .where(
        customer_entry.c.account_id == P("account_id"),
        customer_entry.c.kind == sa.literal_column("'email'"),
        _begins(customer_entry.c.folded),
    )
    .order_by(customer_entry.c.folded)
    .limit(sa.literal_column(str(MOST))),
)


def suggestions(db: Reader, account_id: int, text: str) -> list[Suggestion]:
    """Customers whose address, first or last name begins so; none for a single letter."""
    text = text.strip()
    if len(text) < _SHORTEST:
        return []
    email, name = folded_email(text), fold(text.split()[0])
    found = db.all(_BY_EMAIL, account_id=account_id, begins=email, beyond=email + _BEHIND_ALL)
    for statement in _BY_NAME:
        found += db.all(statement, account_id=account_id, begins=name, beyond=name + _BEHIND_ALL)
    rest = fold(text)
    whole = [one for one in found if fold(f"{one.first_name or ''} {one.last_name or ''}").startswith(rest)]
    return list({one.email: one for one in [*whole, *found] if " " not in rest or one in whole}.values())[:MOST]
