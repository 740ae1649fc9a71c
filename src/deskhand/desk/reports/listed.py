"""Which conversations drilldowns list: those that the other reports count."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.catalogue.reports import UNTAGGED
from deskhand.catalogue.reports_conversations import (
    AskDrilldown,
    AskFieldsDrilldown,
    AskUserDrilldown,
    Drilldown,
)
from deskhand.db.engine import Reader
from deskhand.db.statements import P
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation, conversation_tag
from deskhand.desk.reports import drilldown, people
from deskhand.desk.reports.activity import with_saved_reply, with_workflow
from deskhand.desk.reports.drilldown import Source
from deskhand.desk.reports.selecting import Filters, active, answered, began, conditions, select, span_of


def with_activity(db: Reader, actor: Actor, query: AskDrilldown) -> Drilldown:
    """Conversations in which something happened; raises BadRequest for a span or filter that makes no sense."""
    return drilldown.page(db, actor, active, select(actor, query), span_of(query), query)


def new(db: Reader, actor: Actor, query: AskDrilldown) -> Drilldown:
    """Conversations that began; raises BadRequest for a span or filter that makes no sense."""
    return drilldown.page(db, actor, _new, select(actor, query), span_of(query), query)


def with_field(db: Reader, actor: Actor, query: AskFieldsDrilldown) -> Drilldown:
    """Conversations with one of the things that the conversations report lists; raises BadRequest as the others do."""
    source = _untagged if (query.field, query.fieldid) == ("tagid", UNTAGGED) else _BY_FIELD[query.field]
    return drilldown.page(db, actor, source, select(actor, query), span_of(query), query, key=query.fieldid)


def of_user(db: Reader, actor: Actor, query: AskUserDrilldown) -> Drilldown:
    """Conversations in which a user replied, or a member of a team; raises BadRequest for an unknown one too."""
    selection = people.working(select(actor, query), people.workers(db, actor, query.user))
    return drilldown.page(db, actor, answered, selection, span_of(query), query)


# -- In SQL


def _new(filters: Filters) -> sa.CTE:
    return sa.select(conversation.c.id).where(*began(), *conditions(filters)).cte("new")


def _tagged(filters: Filters) -> sa.CTE:
    seen = active(filters)
    return (
        sa.select(seen.c.id).where(_carries(seen, conversation_tag.c.tag_id == P("key", sa.BigInteger))).cte("tagged")
    )


def _untagged(filters: Filters) -> sa.CTE:
    seen = active(filters)
    return sa.select(seen.c.id).where(~_carries(seen)).cte("untagged")


def _carries(seen: sa.CTE, *wanted: sa.ColumnElement[bool]) -> sa.Exists:
    c = conversation_tag.c
    return sa.exists().where(c.account_id == P("account_id"), c.conversation_id == seen.c.id, *wanted)


def _of_customer(filters: Filters) -> sa.CTE:
    seen = active(filters)
    return sa.select(seen.c.id).where(seen.c.customer_id == P("key", sa.BigInteger)).cte("of_customer")


def _with_saved_reply(filters: Filters) -> sa.CTE:
    used = with_saved_reply(filters)
    chosen = sa.select(used.c.conversation_id.label("id")).where(used.c.key == P("key", sa.BigInteger))
    return chosen.distinct().cte("with_reply")


def _with_workflow(filters: Filters) -> sa.CTE:
    run = with_workflow(filters)
    chosen = sa.select(run.c.conversation_id.label("id")).where(run.c.key == P("key", sa.BigInteger))
    return chosen.distinct().cte("with_workflow")


_BY_FIELD: dict[str, Source] = {
    "tagid": _tagged,
    "replyid": _with_saved_reply,
    "workflowid": _with_workflow,
    "customerid": _of_customer,
}
