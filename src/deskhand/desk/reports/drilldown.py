"""Drilldowns: pages of the conversations that a report counts, the newest first.

A page's ids are found first, in indexes alone where that is possible; only those conversations are then read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from deskhand.catalogue.reports_conversations import Drilldown, DrilldownItem, DrilldownPage, DrilldownTag
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_from
from deskhand.db.statements import P, Statement, columns, rows, value
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation
from deskhand.desk.customers.tables import customer
from deskhand.desk.reports.names import person
from deskhand.desk.reports.selecting import Filters, Selection, Span
from deskhand.desk.users.tables import staff

Source = Callable[[Filters], sa.FromClause]
"""Which conversations: a function at the top of a module that gives a CTE with each id once, in the column `id`."""

_FARTHEST = 2**31


class AsksPage(Protocol):
    """A query that asks for a page of so many rows."""

    page: int
    rows: int


class _Row(msgspec.Struct, frozen=True):
    id: int
    number: int
    type: str
    inbox_id: int
    attachments: int
    subject: str
    status: str
    threads: int
    preview: str
    customer_id: int
    customer_email: str
    modified_at: str
    assignee_id: int | None
    tags: str
    customer_first: str | None
    customer_last: str | None
    assignee_first: str | None
    assignee_last: str | None


class _Tag(msgspec.Struct):
    id: int
    color: str
    tag: str


_read_tags = msgspec.json.Decoder(list[_Tag]).decode


def page(
    db: Reader, actor: Actor, source: Source, selection: Selection, span: Span, query: AsksPage, **more: Any
) -> Drilldown:
    """One page of a source's conversations, `more` being what its statement wants besides selection and span."""
    given = selection.parameters(span) | more
    of_page, count = _statements(source, selection.filters)
    found = db.all(of_page, **given, size=query.rows, start_at=min((query.page - 1) * query.rows, _FARTHEST))
    total = len(found) if query.page == 1 and len(found) < query.rows else db.first(count, **given)
    return Drilldown(
        conversations=DrilldownPage(
            results=[_item(row, actor.hide) for row in found],
            page=query.page,
            pages=-(-total // query.rows),
            count=total,
        )
    )


def _item(row: _Row, hide: frozenset[str]) -> DrilldownItem:
    return DrilldownItem(
        id=row.id,
        number=row.number,
        type=row.type,
        mailboxid=row.inbox_id,
        attachments=bool(row.attachments),
        subject=row.subject,
        status=row.status,
        thread_count=row.threads,
        preview=UNSET if "preview" in hide else row.preview,
        customer_name=person(row.customer_first, row.customer_last, row.customer_email),
        customer_email=row.customer_email,
        customer_ids=[row.customer_id],
        modified_at=row.modified_at,
        assignedid=row.assignee_id,
        tags=[DrilldownTag(id=one.id, name=one.tag, color=one.color) for one in _read_tags(row.tags)],
        assigned_name=person(row.assignee_first, row.assignee_last, None),
    )


@lru_cache(maxsize=256)
def _statements(source: Source, filters: Filters) -> tuple[Statement[_Row], Statement[int]]:
    wanted = source(filters)
    ids = sa.select(wanted.c.id).order_by(wanted.c.id.desc())
    ids = ids.limit(P("size", sa.Integer)).offset(P("start_at", sa.BigInteger))
    shown = (
        sa.select(
            *columns(conversation, *_Row.__struct_fields__[:14]),
            customer.c.first_name.label("customer_first"),
            customer.c.last_name.label("customer_last"),
            staff.c.first_name.label("assignee_first"),
            staff.c.last_name.label("assignee_last"),
        )
        .select_from(conversation)
        .outerjoin(customer, customer.c.id == conversation.c.customer_id)
        .outerjoin(staff, staff.c.id == conversation.c.assignee_id)
        .where(conversation.c.account_id == P("account_id"), ids_from(conversation.c.id, ids))
        .order_by(conversation.c.id.desc())
    )
    return rows(_Row, shown, keep=False), value(int, sa.select(sa.func.count()).select_from(wanted), keep=False)
