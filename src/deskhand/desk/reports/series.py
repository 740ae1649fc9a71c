"""Numbers by day, week or month, as the account's clocks show them.

A span is cut at the midnights of the account's zone (of Mondays, of first days of months). Its pieces go to a
statement as one JSON text, `pieces()` is that as a table, so each piece is looked up by an index of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.catalogue.reports import AskSeries, ViewBy
from deskhand.db.portable import pairs_of
from deskhand.db.statements import P
from deskhand.desk.call import Actor
from deskhand.desk.reports.hours import zone
from deskhand.desk.reports.selecting import Span, spans
from deskhand.lib.clock import from_wire, to_wire

LONGEST = {"day": 60, "week": 366, "month": 36_525}
"""The longest spans in days; of months our choice. Source: reports/company/reports-company-customers-helped."""
SHORTEST = {"day": 0, "week": 0, "month": 61}
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


class Pieces(msgspec.Struct, frozen=True):
    """A span in pieces: the first second of each, and the last second of the whole."""

    starts: tuple[str, ...]
    end: str

    def parameter(self) -> str:
        """The value of the parameter `pieces`: the first and the last second of each."""
        lasts = [*(to_wire(from_wire(start) - _SECOND) for start in self.starts[1:]), self.end]
        return msgspec.json.encode(list(zip(self.starts, lasts, strict=True))).decode()

    def position(self, moment: str) -> int:
        """In which piece a moment of the span lies."""
        return bisect_right(self.starts, moment) - 1


def series(actor: Actor, query: AskSeries) -> tuple[tuple[Span, Pieces], tuple[Span, Pieces] | None]:
    """The span asked for and the one it is compared with, in pieces.

    Raises BadRequest as `spans` does, and naming `viewBy` where that is not for spans of such a length.
    """
    span, earlier = spans(query)
    faults = [fault for one in (span, earlier) if one for fault in _unfit(one, query.view_by)]
    if faults:
        raise BadRequest(faults[0])
    where = zone(actor.policy.timezone)
    before = (earlier, cut(earlier, query.view_by, where)) if earlier else None
    return (span, cut(span, query.view_by, where)), before


def _unfit(span: Span, view_by: ViewBy) -> Iterator[FieldError]:
    days = -((from_wire(span.start) - from_wire(span.end)) // _DAY)
    if not SHORTEST[view_by] <= days <= LONGEST[view_by]:
        least = f"at least {SHORTEST[view_by]} and " if SHORTEST[view_by] else ""
        text = f"'{view_by}' is for {least}at most {LONGEST[view_by]:,} days, these are {days:,}"
        yield FieldError("viewBy", text, "Range", view_by, "QUERY")


def cut(span: Span, view_by: ViewBy, where: tzinfo) -> Pieces:
    """A span in days, weeks or months; the first begins with the span, the others at midnight in the zone."""
    starts = [span.start]
    for midnight in _midnights(_local(from_wire(span.start), where), view_by, where):
        if midnight > span.end:
            break
        if midnight > starts[-1]:  # zones have left out a day
            starts.append(midnight)
    return Pieces(tuple(starts), span.end)


def _midnights(day: date, view_by: ViewBy, where: tzinfo) -> Iterator[str]:
    """When the days, weeks or months after a day begin, in UTC."""
    while True:
        try:
            day = _next(day, view_by)
            yield to_wire(datetime(day.year, day.month, day.day, tzinfo=where))
        except (OverflowError, ValueError):  # the calendar has no more days
            return


def _next(day: date, view_by: ViewBy) -> date:
    if view_by == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=1 if view_by == "day" else 8 - day.isoweekday())


def _local(moment: datetime, where: tzinfo) -> date:
    try:
        return moment.astimezone(where).date()
    except OverflowError:  # in the first and the last hours that there are
        return moment.astimezone(UTC).date()


def pieces() -> sa.TableValuedAlias:
    """The pieces of the parameter `pieces` as a table: `since` and `until`, both included."""
    return pairs_of(P("pieces", sa.Text)).table_valued(
        sa.column("since", sa.Text), sa.column("until", sa.Text), name="piece"
    )


def inside(moment: sa.ColumnElement[Any], piece: sa.TableValuedAlias) -> sa.ColumnElement[bool]:
    """A moment in a piece, its first and its last second included."""
    return sa.and_(moment >= piece.c.since, moment <= piece.c.until)
