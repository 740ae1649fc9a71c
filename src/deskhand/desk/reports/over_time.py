"""Reports that tell one number by day, week or month: new conversations, messages received, customers helped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import UNSET

from deskhand.catalogue.reports import AskSeries
from deskhand.catalogue.reports_conversations import (
    ChannelVolume,
    ChannelVolumes,
    CustomersHelped,
    CustomersHelpedReport,
    StartCount,
    StartCounts,
)
from deskhand.db.engine import Reader
from deskhand.db.portable import for_each, in_order
from deskhand.db.statements import Statement, rows
from deskhand.desk.call import Actor
from deskhand.desk.conversations.tables import conversation, thread
from deskhand.desk.reports import series
from deskhand.desk.reports.people import Workers, working
from deskhand.desk.reports.selecting import Filters, Selection, Span, conditions, received, replied, reported, select
from deskhand.desk.reports.series import Pieces

T = TypeVar("T")


class _Counted(msgspec.Struct, frozen=True):
    """How many there were of a kind in the piece of time that begins there."""

    since: str
    kind: str
    n: int


Count = Callable[[Filters], Statement[_Counted]]


def volumes(db: Reader, actor: Actor, query: AskSeries) -> ChannelVolumes:
    """How many conversations of each type began; raises BadRequest as `series` does."""

    def one(since: str, n: dict[str, int]) -> ChannelVolume:
        return ChannelVolume(date=since, chat=n.get("chat", 0), email=n.get("email", 0), phone=n.get("phone", 0))

    current, previous = _both(db, actor, query, select(actor, query), _new, one)
    return ChannelVolumes(current=current, previous=UNSET if previous is None else previous)


def new_conversations(db: Reader, actor: Actor, query: AskSeries) -> StartCounts:
    """How many conversations began; raises BadRequest as `series` does."""
    current, previous = _both(db, actor, query, select(actor, query), _new, _start_count)
    return StartCounts(current=current, previous=UNSET if previous is None else previous)


def received_messages(db: Reader, actor: Actor, query: AskSeries) -> StartCounts:
    """How many messages came from customers; raises BadRequest as `series` does."""
    current, previous = _both(db, actor, query, select(actor, query), _received, _start_count)
    return StartCounts(current=current, previous=UNSET if previous is None else previous)


def customers_helped(db: Reader, actor: Actor, query: AskSeries, by: Workers | None = None) -> CustomersHelpedReport:
    """How many customers got a reply, or one of some users; raises BadRequest as `series` does."""

    def one(since: str, n: dict[str, int]) -> CustomersHelped:
        return CustomersHelped(date=since, customers=sum(n.values()))

    selection = select(actor, query)
    current, previous = _both(db, actor, query, working(selection, by) if by else selection, _helped, one)
    return CustomersHelpedReport(current=current, previous=UNSET if previous is None else previous)


def _start_count(since: str, n: dict[str, int]) -> StartCount:
    return StartCount(start=since, count=sum(n.values()))


def _both(
    db: Reader,
    actor: Actor,
    query: AskSeries,
    selection: Selection,
    count: Count,
    make: Callable[[str, dict[str, int]], T],
) -> tuple[list[T], list[T] | None]:
    """The numbers of the span asked for and of the one it is compared with, made from a piece's counts by kind."""

    def numbers(span: Span, pieces: Pieces) -> list[T]:
        given = selection.parameters(span) | {"pieces": pieces.parameter()}
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for one in db.all(count(selection.filters), **given):
            found[one.since][one.kind] = one.n
        return [make(since, found.get(since, {})) for since in pieces.starts]

    now, before = series.series(actor, query)
    return numbers(*now), numbers(*before) if before else None


# -- In SQL


@lru_cache(maxsize=64)
def _new(filters: Filters) -> Statement[_Counted]:
    """Conversations that began, by type; nearly all from the index made for reports."""
    piece, c = series.pieces(), conversation.c
    inside = sa.and_(c.created_at >= piece.c.since, c.created_at <= piece.c.until, *reported())
    return _grouped(
        piece, sa.func.count(), for_each(piece, conversation, inside), *conditions(filters), kind=c.type
    )  # fmt: skip


@lru_cache(maxsize=64)
def _received(filters: Filters) -> Statement[_Counted]:
    """Published messages of customers."""
    return _by_thread(filters, sa.func.count(), *received())


@lru_cache(maxsize=64)
def _helped(filters: Filters) -> Statement[_Counted]:
    """Customers of conversations in which somebody of the staff replied, each once in a piece of time."""
    return _by_thread(filters, sa.func.count(conversation.c.customer_id.distinct()), *replied(filters))


def _by_thread(filters: Filters, number: sa.ColumnElement[Any], *wanted: sa.ColumnElement[bool]) -> Statement[_Counted]:
    """A number of the threads of each piece of time and their conversations."""
    piece, t = series.pieces(), thread.c
    inside = sa.and_(t.created_at >= piece.c.since, t.created_at <= piece.c.until, *wanted)
    joined = in_order(for_each(piece, thread, inside), conversation, conversation.c.id == t.conversation_id)
    return _grouped(piece, number, joined, *conditions(filters))


def _grouped(
    piece: sa.TableValuedAlias,
    number: sa.ColumnElement[Any],
    joined: sa.Join,
    *wanted: sa.ColumnElement[bool],
    kind: sa.ColumnElement[Any] | None = None,
) -> Statement[_Counted]:
    groups = [piece.c.since] if kind is None else [piece.c.since, kind]
    of = sa.literal_column("''", sa.Text) if kind is None else kind
    counted = sa.select(piece.c.since.label("since"), of.label("kind"), number.label("n")).select_from(joined)
    return rows(_Counted, counted.where(*wanted).group_by(*groups), keep=False)
