"""What the things that reports list are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.reports import UNTAGGED, FilterTag
from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, Statement, rows
from deskhand.desk.call import Actor
from deskhand.desk.counters import counter
from deskhand.desk.customers.tables import customer
from deskhand.desk.saved_replies.tables import saved_reply
from deskhand.desk.tags.tables import tag
from deskhand.desk.workflows.tables import workflow


class Named(msgspec.Struct, frozen=True):
    """A thing and its name; a saved reply also has its inbox."""

    id: int
    name: str
    inbox_id: int | None = None


class _Customer(msgspec.Struct, frozen=True):
    id: int
    first: str | None
    last: str | None
    email: str | None


class _Reply(msgspec.Struct, frozen=True):
    id: int
    name: str
    inbox_id: int


class _Plain(msgspec.Struct, frozen=True):
    id: int
    name: str


def _chosen(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.account_id == P("account_id"), ids_in(table.c.id, P("ids", sa.Text))


_TAGS = rows(_Plain, sa.select(tag.c.id, tag.c.name).where(tag.c.account_id == P("account_id")).order_by(tag.c.folded))
_TAGS_IN = rows(
    _Plain,
    sa.select(tag.c.id, tag.c.name)
    .where(
        tag.c.account_id == P("account_id"),
        sa.exists().where(
            counter.c.account_id == P("account_id"),
            counter.c.kind == sa.literal_column("'tag'"),
            counter.c.key == tag.c.id,
            ids_in(counter.c.inbox_id, P("inboxes", sa.Text)),
            counter.c.n > sa.literal_column("0"),
        ),
    )
    .order_by(tag.c.folded),
)
_CUSTOMERS = rows(
    _Customer,
    sa.select(
        customer.c.id, customer.c.first_name.label("first"), customer.c.last_name.label("last"), customer.c.email
    ).where(*_chosen(customer)),
)
_REPLIES = rows(
    _Reply, sa.select(saved_reply.c.id, saved_reply.c.name, saved_reply.c.inbox_id).where(*_chosen(saved_reply))
)
_WORKFLOWS = rows(_Plain, sa.select(workflow.c.id, workflow.c.name).where(*_chosen(workflow)))


def tags(db: Reader, actor: Actor) -> list[FilterTag]:
    """The tags that reports can be narrowed to: first the one that stands for none, then all by name.

    An agent narrowed to some inboxes is told those that conversations carry there.
    """
    if actor.only is None:
        found = db.all(_TAGS, account_id=actor.account_id)
    else:
        found = db.all(_TAGS_IN, account_id=actor.account_id, inboxes=msgspec.json.encode(actor.inboxes).decode())
    return [FilterTag(id=UNTAGGED, name="untagged"), *(FilterTag(id=row.id, name=row.name) for row in found)]


def customers(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, Named]:
    """Customers by id: their names, or else their addresses."""
    return {
        row.id: Named(row.id, person(row.first, row.last, row.email)) for row in _of(db, _CUSTOMERS, account_id, ids)
    }


def replies(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, Named]:
    """Saved replies by id, deleted ones too."""
    return {row.id: Named(row.id, row.name, row.inbox_id) for row in _of(db, _REPLIES, account_id, ids)}


def workflows(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, Named]:
    """Workflows by id."""
    return {row.id: Named(row.id, row.name) for row in _of(db, _WORKFLOWS, account_id, ids)}


def person(first: str | None, last: str | None, email: str | None) -> str:
    """What somebody is called in a list."""
    return " ".join(part for part in (first, last) if part) or email or ""


def _of(db: Reader, statement: Statement[Any], account_id: int, ids: Iterable[int]) -> list[Any]:
    wanted = sorted(ids)
    return db.all(statement, account_id=account_id, ids=msgspec.json.encode(wanted).decode()) if wanted else []
