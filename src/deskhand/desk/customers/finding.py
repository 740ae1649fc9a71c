"""Finding customers: filters, order and pages of the list.

The statement depends only on which filters are present, so each combination is compiled once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from deskhand.catalogue.customers import PAGE_SIZE
from deskhand.db.engine import Reader
from deskhand.db.statements import P, Statement, rows, value
from deskhand.desk.customers.queries import HAS_EMAIL, ROW, CustomerRow, conversation, folded_email
from deskhand.desk.customers.tables import customer
from deskhand.lib.text import fold

FARTHEST = 2**31

_SORTS = {
    "createdAt": customer.c.created_at,
    "firstName": customer.c.first_folded,
    "lastName": customer.c.last_folded,
    "modifiedAt": customer.c.updated_at,
    "score": customer.c.created_at,
}

_FILTERS: dict[str, sa.ColumnElement[bool]] = {
    "first_name": customer.c.first_folded == P("first_name"),
    "last_name": customer.c.last_folded == P("last_name"),
    "modified_since": customer.c.updated_at > P("modified_since"),
    "email": HAS_EMAIL,
    "inbox_id": sa.exists().where(
        conversation.c.account_id == P("account_id"),
        conversation.c.customer_id == customer.c.id,
        conversation.c.inbox_id == P("inbox_id"),
        conversation.c.merged_into.is_(None),
    ),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which customers, in which order; names and addresses in any case."""

    account_id: int
    first_name: str | None = None
    last_name: str | None = None
    modified_since: str | None = None
    email: str | None = None
    inbox_id: int | None = None
    search: sa.ColumnElement[bool] | None = field(default=None, compare=False)
    sort: str = "createdAt"
    descending: bool = True
    page: int = 1


def find(db: Reader, wanted: Wanted) -> tuple[list[CustomerRow], int]:
    """A page of customers, and how many there are in all."""
    present = tuple(name for name in _FILTERS if getattr(wanted, name) is not None)
    if wanted.search is None:
        page, count = _statements(present, wanted.sort, wanted.descending)
    else:
        page, count = _build(present, wanted.sort, wanted.descending, wanted.search)
    given = {
        "account_id": wanted.account_id,
        "first_name": fold(wanted.first_name or ""),
        "last_name": fold(wanted.last_name or ""),
        "modified_since": wanted.modified_since,
        "email": folded_email(wanted.email or ""),
        "inbox_id": wanted.inbox_id,
    }
    start = min((wanted.page - 1) * PAGE_SIZE, FARTHEST)
    found = db.all(page, **given, size=PAGE_SIZE, start=start)
    if wanted.page == 1 and len(found) < PAGE_SIZE:
        return found, len(found)
    return found, db.first(count, **given)


@lru_cache(maxsize=512)
def _statements(present: tuple[str, ...], sort: str, descending: bool) -> tuple[Statement[CustomerRow], Statement[int]]:
    return _build(present, sort, descending, None)


def _build(
    present: tuple[str, ...], sort: str, descending: bool, search: sa.ColumnElement[bool] | None
) -> tuple[Statement[CustomerRow], Statement[int]]:
    # The query comes first: SQLite's parser holds what stands before it while it reads the nested parts.
    conditions = [] if search is None else [search]
    conditions += [customer.c.account_id == P("account_id"), *(_FILTERS[name] for name in present)]
    column = _SORTS[sort]
    # Few customers fit a name or a query: they are found first and sorted then. An expression keeps SQLite, which has
    # no statistics, from walking through all customers in order instead.
    few = search is not None or "first_name" in present or "last_name" in present
    order = _ordered(column, descending)
    ids_order = _ordered(sa.func.coalesce(column, sa.literal_column("''")), descending) if few else order
    # Ids first, rows after: pages that lie deep are skipped in the index alone.
    ids = (
        sa.select(customer.c.id)
        .where(*conditions)
        .order_by(*ids_order)
        .limit(P("size", sa.Integer))
        .offset(P("start", sa.BigInteger))
        .subquery("page")
    )
    page = sa.select(*ROW).select_from(ids.join(customer, customer.c.id == ids.c.id)).order_by(*order)
    count = sa.select(sa.func.count()).select_from(customer).where(*conditions)
    return rows(CustomerRow, page, keep=False), value(int, count, keep=False)


def _ordered(column: sa.ColumnElement[str], descending: bool) -> list[sa.UnaryExpression[Any]]:
    return [part.desc() if descending else part.asc() for part in (column, customer.c.id)]
