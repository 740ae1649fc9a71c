"""Finding customers: filters, order and pages of the list.

The statement depends only on which filters are present, so each combination is compiled once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.customers import PAGE_SIZE
from deskhand.db.engine import Reader
from deskhand.db.statements import P, Statement, rows, value
from deskhand.desk.customers.queries import HAS_EMAIL, ROW, WROTE_TO, WROTE_TO_ONE, CustomerRow, folded_email
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
    "created_since": customer.c.created_at > P("created_since"),
    "modified_since": customer.c.updated_at > P("modified_since"),
    "email": HAS_EMAIL,
    "inbox_id": WROTE_TO_ONE,
    "several_inboxes": WROTE_TO,
    "organization_id": customer.c.organization_id == P("organization_id"),
}
_AFTER = sa.tuple_(customer.c.created_at, customer.c.id) < sa.tuple_(P("after_time"), P("after_id", sa.BigInteger))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which customers, in which order; names and addresses in any case. `inboxes` None means whoever there is."""

    account_id: int
    first_name: str | None = None
    last_name: str | None = None
    created_since: str | None = None
    modified_since: str | None = None
    email: str | None = None
    inboxes: tuple[int, ...] | None = None
    organization_id: int | None = None
    search: sa.ColumnElement[bool] | None = field(default=None, compare=False)
    sort: str = "createdAt"
    descending: bool = True
    page: int = 1

    @property
    def inbox_id(self) -> int | None:
        """The inbox, where it is one alone."""
        return self.inboxes[0] if self.inboxes and len(self.inboxes) == 1 else None

    @property
    def several_inboxes(self) -> tuple[int, ...] | None:
        """The inboxes, where they are several or none."""
        return self.inboxes if self.inbox_id is None else None


def find(db: Reader, wanted: Wanted) -> tuple[list[CustomerRow], int]:
    """A page of customers, and how many there are in all."""
    present = _present(wanted)
    if wanted.search is None:
        page, count = _statements(present, wanted.sort, wanted.descending)
    else:
        page, count = _build(present, wanted.sort, wanted.descending, wanted.search)
    given = _parameters(wanted)
    start = min((wanted.page - 1) * PAGE_SIZE, FARTHEST)
    found = db.all(page, **given, size=PAGE_SIZE, start=start)
    if wanted.page == 1 and len(found) < PAGE_SIZE:
        return found, len(found)
    return found, db.first(count, **given)


class Cursor(msgspec.Struct, frozen=True, rename="camel"):
    """Where a walk goes on: behind this customer."""

    created_at: str
    id: int


def walk(db: Reader, wanted: Wanted, after: Cursor | None) -> tuple[list[CustomerRow], Cursor | None]:
    """The next customers behind a cursor, newest first, and the cursor behind them; None when these are the last."""
    present, begun = _present(wanted), after is not None
    stretch = _walk(present, begun) if wanted.search is None else _build_walk(present, begun, wanted.search)
    place = {} if after is None else {"after_time": after.created_at, "after_id": after.id}
    found = db.all(stretch, **_parameters(wanted), **place, size=PAGE_SIZE + 1)
    if len(found) <= PAGE_SIZE:
        return found, None
    last = found[PAGE_SIZE - 1]
    return found[:PAGE_SIZE], Cursor(last.created_at, last.id)


def _present(wanted: Wanted) -> tuple[str, ...]:
    return tuple(name for name in _FILTERS if getattr(wanted, name) is not None)


def _parameters(wanted: Wanted) -> dict[str, Any]:
    return {
        "account_id": wanted.account_id,
        "first_name": fold(wanted.first_name or ""),
        "last_name": fold(wanted.last_name or ""),
        "created_since": wanted.created_since,
        "modified_since": wanted.modified_since,
        "email": folded_email(wanted.email or ""),
        "inbox_id": wanted.inbox_id,
        "inboxes": msgspec.json.encode(wanted.inboxes).decode(),
        "organization_id": wanted.organization_id,
    }


@lru_cache(maxsize=512)
def _walk(present: tuple[str, ...], begun: bool) -> Statement[CustomerRow]:
    return _build_walk(present, begun, None)


def _build_walk(present: tuple[str, ...], begun: bool, search: sa.ColumnElement[bool] | None) -> Statement[CustomerRow]:
    conditions = _conditions(present, search)
    if begun:
        conditions.append(_AFTER)
    order = _order("createdAt", True, few=_few(present, search))
    stretch = sa.select(*ROW).where(*conditions).order_by(*order).limit(P("size", sa.Integer))
    return rows(CustomerRow, stretch, keep=False)


@lru_cache(maxsize=512)
def _statements(present: tuple[str, ...], sort: str, descending: bool) -> tuple[Statement[CustomerRow], Statement[int]]:
    return _build(present, sort, descending, None)


def _build(
    present: tuple[str, ...], sort: str, descending: bool, search: sa.ColumnElement[bool] | None
) -> tuple[Statement[CustomerRow], Statement[int]]:
    conditions = _conditions(present, search)
    order = _order(sort, descending, few=False)
    # Ids first, rows after: pages that lie deep are skipped in the index alone.
    ids = (
        sa.select(customer.c.id)
        .where(*conditions)
        .order_by(*_order(sort, descending, few=_few(present, search)))
        .limit(P("size", sa.Integer))
        .offset(P("start", sa.BigInteger))
        .subquery("page")
    )
    page = sa.select(*ROW).select_from(ids.join(customer, customer.c.id == ids.c.id)).order_by(*order)
    count = sa.select(sa.func.count()).select_from(customer).where(*conditions)
    return rows(CustomerRow, page, keep=False), value(int, count, keep=False)


def _conditions(present: tuple[str, ...], search: sa.ColumnElement[bool] | None) -> list[sa.ColumnElement[bool]]:
    # The query comes first: SQLite's parser holds what stands before it while it reads the nested parts.
    first = [] if search is None else [search]
    return [*first, customer.c.account_id == P("account_id"), *(_FILTERS[name] for name in present)]


def _few(present: tuple[str, ...], search: sa.ColumnElement[bool] | None) -> bool:
    """Whether few customers fit: a name, an organization or a query."""
    return search is not None or not {"first_name", "last_name", "organization_id"}.isdisjoint(present)


def _order(sort: str, descending: bool, *, few: bool) -> list[sa.UnaryExpression[Any]]:
    """Few are found first and sorted then.

    An expression keeps SQLite, which has no statistics, from walking through all customers in order instead.
    """
    column: sa.ColumnElement[Any] = _SORTS[sort]
    if few:
        column = sa.func.coalesce(column, sa.literal_column("''"))
    return [part.desc() if descending else part.asc() for part in (column, customer.c.id)]
