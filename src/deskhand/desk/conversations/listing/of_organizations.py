"""Organizations with their numbers, and the conversations of their customers.

The numbers are counted when they are asked for, so nothing has to be kept; whoever may not see all inboxes gets those
of the ones they see. An agent narrowed to some is told of their customers alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.organizations import PAGE_SIZE
from deskhand.catalogue.problems import BadRequest, FieldError, shown
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in, in_order
from deskhand.db.statements import P, Statement, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations import queries
from deskhand.desk.conversations.queries import Shown
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.customers.queries import WROTE_TO
from deskhand.desk.customers.tables import customer
from deskhand.desk.organizations.queries import ROW, OrganizationRow
from deskhand.desk.organizations.tables import organization

FARTHEST = 2**31

Column = Literal["name", "customerCount", "conversationCount", "lastInteractionAt"]
COLUMNS: tuple[Column, ...] = ("name", "customerCount", "conversationCount", "lastInteractionAt")


class Sort(NamedTuple):
    """By what organizations are sorted, and which way."""

    column: Column
    descending: bool


_ZERO: sa.ColumnElement[int] = sa.literal_column("0")
_NEVER: sa.ColumnElement[str] = sa.literal_column("''")
_LINKED = (customer.c.account_id == P("account_id"), customer.c.organization_id.is_not(None))
_THEIR_CUSTOMERS = (customer.c.account_id == P("account_id"), customer.c.organization_id == P("organization_id"))
_WITH_CONVERSATIONS = in_order(
    customer,
    conversation,
    sa.and_(
        conversation.c.account_id == P("account_id"),
        conversation.c.customer_id == customer.c.id,
        conversation.c.merged_into.is_(None),
    ),
)
_VISIBLE = ids_in(conversation.c.inbox_id, P("inboxes", sa.Text))
_TOTAL = value(
    int, sa.select(sa.func.count()).select_from(organization).where(organization.c.account_id == P("account_id"))
)
_CUSTOMERS = value(int, sa.select(sa.func.count()).select_from(customer).where(*_THEIR_CUSTOMERS))
_CUSTOMERS_KNOWN = value(int, sa.select(sa.func.count()).select_from(customer).where(*_THEIR_CUSTOMERS, WROTE_TO))


def _theirs(*selected: Any) -> sa.Select[Any]:
    return sa.select(*selected).select_from(_WITH_CONVERSATIONS).where(*_THEIR_CUSTOMERS)


_CONVERSATIONS = value(int, _theirs(sa.func.count()))
_CONVERSATIONS_SEEN = value(int, _theirs(sa.func.count()).where(_VISIBLE))


def _page(ids: sa.Select[Any]) -> Statement[Shown]:
    # Ids first, rows after: what is skipped is never joined to its people.
    order = (conversation.c.created_at.desc(), conversation.c.id.desc())
    some = ids.order_by(*order).limit(P("size", sa.Integer)).offset(P("start", sa.BigInteger)).subquery("page")
    joined = some.join(conversation, conversation.c.id == some.c.id)
    return rows(Shown, queries.shown(joined).order_by(*order))


_PAGE = _page(_theirs(conversation.c.id))
_PAGE_SEEN = _page(_theirs(conversation.c.id).where(_VISIBLE))


def read_sort(text: str) -> Sort:
    """What a `sort` parameter means; raises BadRequest. Without a direction it is descending, `name` too.

    Source: https://developer.helpscout.com/mailbox-api/endpoints/organizations/list
    """
    name, _, direction = text.partition(",")
    for column in COLUMNS:
        if name == column and direction in ("", "asc", "desc"):
            return Sort(column, direction != "asc")
    listed = ", ".join(f"'{column}'" for column in COLUMNS)
    problem = f"Expected one of these: {listed}, and after a comma 'asc' or 'desc'"
    raise BadRequest(FieldError("sort", problem, "EnumValue", shown(text), "QUERY"))


def find(db: Reader, actor: Actor, sort: Sort, page: int) -> tuple[list[OrganizationRow], int]:
    """A page of organizations, and how many there are in all."""
    statement = _list(sort, actor.inboxes is not None, actor.only is not None)
    start = min((page - 1) * PAGE_SIZE, FARTHEST)
    found = db.all(statement, **_given(actor), size=PAGE_SIZE, start=start)
    if page == 1 and len(found) < PAGE_SIZE:
        return found, len(found)
    return found, db.first(_TOTAL, account_id=actor.account_id)


def counts(db: Reader, actor: Actor, organization_id: int) -> tuple[int, int]:
    """How many customers and how many conversations an organization has."""
    customers = db.first(
        _CUSTOMERS if actor.only is None else _CUSTOMERS_KNOWN, **_given(actor), organization_id=organization_id
    )
    return customers, _conversation_count(db, actor, organization_id)


def conversations(db: Reader, actor: Actor, organization_id: int, page: int) -> tuple[list[Shown], int]:
    """A page of an organization's conversations, newest first, and how many there are in all."""
    statement = _PAGE if actor.inboxes is None else _PAGE_SEEN
    start = min((page - 1) * PAGE_SIZE, FARTHEST)
    found = db.all(statement, **_given(actor), organization_id=organization_id, size=PAGE_SIZE, start=start)
    if page == 1 and len(found) < PAGE_SIZE:
        return found, len(found)
    return found, _conversation_count(db, actor, organization_id)


def _conversation_count(db: Reader, actor: Actor, organization_id: int) -> int:
    statement = _CONVERSATIONS if actor.inboxes is None else _CONVERSATIONS_SEEN
    return db.first(statement, **_given(actor), organization_id=organization_id)


def _given(actor: Actor) -> dict[str, Any]:
    return {"account_id": actor.account_id, "inboxes": msgspec.json.encode(actor.inboxes or ()).decode()}


@lru_cache(maxsize=16)
def _list(sort: Sort, narrowed: bool, knowing_some: bool) -> Statement[OrganizationRow]:
    """Only the number that the list is sorted by is counted, for all organizations at once."""
    source, key = _sorted_by(sort.column, narrowed, knowing_some)
    order = [part.desc() if sort.descending else part.asc() for part in (key, organization.c.id)]
    page = (
        sa.select(*ROW)
        .select_from(source)
        .where(organization.c.account_id == P("account_id"))
        .order_by(*order)
        .limit(P("size", sa.Integer))
        .offset(P("start", sa.BigInteger))
    )
    return rows(OrganizationRow, page, keep=False)


def _sorted_by(column: Column, narrowed: bool, knowing_some: bool) -> tuple[sa.FromClause, sa.ColumnElement[Any]]:
    if column == "name":
        return organization, organization.c.name_folded
    owner = customer.c.organization_id.label("owner")
    if column == "customerCount":
        numbers = sa.select(owner, sa.func.count().label("number")).where(*_LINKED).group_by(owner)
        if knowing_some:
            numbers = numbers.where(WROTE_TO)
    else:
        newest = column == "lastInteractionAt"
        number = sa.func.max(conversation.c.modified_at) if newest else sa.func.count()
        of_all = sa.select(owner, number.label("number")).select_from(_WITH_CONVERSATIONS)
        numbers = of_all.where(*_LINKED).group_by(owner)
        if narrowed:
            numbers = numbers.where(_VISIBLE)
    counted = numbers.subquery("counted")
    least = _NEVER if column == "lastInteractionAt" else _ZERO
    source = organization.outerjoin(counted, counted.c.owner == organization.c.id)
    return source, sa.func.coalesce(counted.c.number, least)
