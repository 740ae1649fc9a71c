"""What the conversations report counts, in SQL.

Each statement depends only on which filters are present, so each combination is compiled once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_from, ids_in
from deskhand.db.statements import P, Statement, rows
from deskhand.desk.conversations.tables import conversation, conversation_tag, thread
from deskhand.desk.reports.hours import Quarter
from deskhand.desk.reports.selecting import Filters, Selection, Span, active, began, conditions, happened, within
from deskhand.desk.saved_replies.tables import saved_reply
from deskhand.desk.workflows.tables import workflow, workflow_run

TOP = 10
"""How many of the most frequent things are told. Source: our choice; the public sample shows the first few."""


class Count(msgspec.Struct, frozen=True):
    """One number: of what, of which of these (0: of all together), and how many conversations."""

    kind: str
    key: int
    n: int


class Frequency(msgspec.Struct, frozen=True):
    """How many conversations have any of a kind of thing, and how many have each."""

    any: int = 0
    each: dict[int, int] = {}

    def top(self) -> list[int]:
        """The most frequent ones; of equals the oldest."""
        return sorted(self.each, key=lambda id: (-self.each[id], id))[:TOP]


class Activity(msgspec.Struct, frozen=True):
    """What happened in a span. Of customers, `each` has only the most frequent, or those asked for."""

    conversations: int
    began: int
    distinct_customers: int
    tags: Frequency
    customers: Frequency
    replies: Frequency
    workflows: Frequency


def count(db: Reader, selection: Selection, span: Span, customers: Sequence[int] | None = None) -> Activity:
    """Count what happened; `customers` are those to be counted instead of the most frequent ones."""
    given = selection.parameters(span)
    if customers is not None:
        given["customers"] = msgspec.json.encode(customers).decode()
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for statement in _statements(selection.filters, customers is not None):
        for one in db.all(statement, **given):
            found[one.kind][one.key] = one.n
    alone = {kind: of.get(0, 0) for kind, of in found.items()}
    return Activity(
        conversations=alone["conversations"],
        began=alone["began"],
        distinct_customers=alone["customers"],
        tags=Frequency(alone["tagged"], found["tag"]),
        customers=Frequency(alone["conversations"], found["customer"]),
        replies=Frequency(alone["replied"], found["reply"]),
        workflows=Frequency(alone["worked on"], found["workflow"]),
    )


def quarters(db: Reader, selection: Selection, span: Span) -> list[Quarter]:
    """How many conversations began in each quarter of an hour."""
    return db.all(_quarters(selection.filters), **selection.parameters(span))


@lru_cache(maxsize=128)
def _statements(filters: Filters, chosen: bool) -> tuple[Statement[Count], ...]:
    used = with_saved_reply(filters)
    run = with_workflow(filters)
    return (
        rows(Count, _activity(filters, chosen), keep=False),
        rows(Count, sa.union_all(_any("replied", used), _each("reply", used)), keep=False),
        rows(Count, sa.union_all(_any("worked on", run), _each("workflow", run)), keep=False),
    )


def _activity(filters: Filters, chosen: bool) -> sa.CompoundSelect[Any]:
    seen = active(filters)
    customer = sa.select(
        _named("customer"), seen.c.customer_id.label("key"), sa.func.count().label("n")
    ).group_by(seen.c.customer_id)  # fmt: skip
    if chosen:
        customer = customer.where(ids_in(seen.c.customer_id, P("customers", sa.Text)))
    else:
        most = customer.order_by(sa.desc("n"), sa.text("key")).limit(sa.literal_column(str(TOP))).subquery("most")
        customer = sa.select(most.c.kind, most.c.key, most.c.n)
    carried = (
        sa.select(conversation_tag.c.tag_id.label("key"), conversation_tag.c.conversation_id)
        .where(ids_from(conversation_tag.c.conversation_id, sa.select(seen.c.id)))
        .cte("carried")
    )
    return sa.union_all(
        _total("conversations", sa.func.count()).select_from(seen),
        _total("began", sa.func.coalesce(sa.func.sum(seen.c.began), sa.literal_column("0"))),
        _total("customers", sa.func.count(seen.c.customer_id.distinct())),
        customer,
        _any("tagged", carried),
        # A conversation carries a tag once.
        sa.select(_named("tag"), carried.c.key, sa.func.count().label("n")).group_by(carried.c.key),
    )


def with_saved_reply(filters: Filters) -> sa.CTE:
    """Saved replies as `key` and the conversations in which they were used in the span."""
    return (
        sa.select(thread.c.saved_reply_id.label("key"), thread.c.conversation_id)
        .join(conversation, conversation.c.id == thread.c.conversation_id)
        .where(
            *happened(),
            thread.c.saved_reply_id > sa.literal_column("0"),
            *conditions(filters),
            *_known(filters, saved_reply, thread.c.saved_reply_id),
        )
        .cte("used")
    )


def with_workflow(filters: Filters) -> sa.CTE:
    """Workflows as `key` and the conversations on which they ran in the span."""
    return (
        sa.select(workflow_run.c.workflow_id.label("key"), workflow_run.c.conversation_id)
        .join(conversation, conversation.c.id == workflow_run.c.conversation_id)
        .where(
            workflow_run.c.account_id == P("account_id"),
            within(workflow_run.c.at),
            *conditions(filters),
            *_known(filters, workflow, workflow_run.c.workflow_id),
        )
        .cte("run")
    )


def _known(filters: Filters, table: sa.Table, id: sa.ColumnElement[Any]) -> list[sa.ColumnElement[bool]]:
    """What was used in a conversation that has moved since may belong to an inbox that an agent is not to know of."""
    if "known" not in filters:
        return []
    ids = sa.select(table.c.id).where(
        table.c.account_id == P("account_id"), ids_in(table.c.inbox_id, P("known", sa.Text))
    )
    return [id.in_(ids)]


def _named(kind: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{kind}'", sa.Text).label("kind")


def _total(kind: str, number: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(_named(kind), sa.literal_column("0").label("key"), number.label("n"))


def _any(kind: str, source: sa.CTE) -> sa.Select[Any]:
    return _total(kind, sa.func.count(source.c.conversation_id.distinct()))


def _each(kind: str, source: sa.CTE) -> sa.Select[Any]:
    number = sa.func.count(source.c.conversation_id.distinct())
    return sa.select(_named(kind), source.c.key, number.label("n")).group_by(source.c.key)


@lru_cache(maxsize=64)
def _quarters(filters: Filters) -> Statement[Quarter]:
    at = conversation.c.created_at
    hour = sa.func.substr(at, _number(1), _number(13)).label("hour")
    quarter = (sa.cast(sa.func.substr(at, _number(15), _number(2)), sa.Integer) // _number(15)).label("quarter")
    counted = sa.select(hour, quarter, sa.func.count().label("n")).where(*began(), *conditions(filters))
    return rows(Quarter, counted.group_by(hour, quarter), keep=False)


def _number(n: int) -> sa.ColumnElement[int]:
    """A number written into the statement."""
    return sa.literal_column(str(n), sa.Integer)
