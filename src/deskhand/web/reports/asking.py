"""What a report's page is asked for: which days, which inbox, and how the API's reports take that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import QueryParams

from deskhand.catalogue.matching import read_id
from deskhand.catalogue.reports import AskCompared, ViewBy
from deskhand.catalogue.values import Ids
from deskhand.lib.clock import to_wire
from deskhand.web import words

A = TypeVar("A", bound=AskCompared)

PERIODS = {"7": "Last 7 days", "28": "Last 28 days", "90": "Last 90 days", "365": "Last 12 months"}
_BY_DAY_MOST, _BY_WEEK_MOST = 62, 370
_LONGEST = timedelta(days=3_650)

Compare = Literal["before", "none"]


class Asking(msgspec.Struct, frozen=True):
    """The days asked for, both included, in the account's time zone. `fault` says what was wrong with them."""

    period: str
    first: date
    last: date
    compare: bool
    office_hours: bool
    inbox_id: int | None
    zone: str
    fault: str = ""

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def by(self) -> ViewBy:
        """Pieces in which numbers over time are told, so that there are neither too few nor too many."""
        return "day" if self.days <= _BY_DAY_MOST else "week" if self.days <= _BY_WEEK_MOST else "month"

    @property
    def words(self) -> str:
        """The days in words."""
        return f"{_day(self.first)} to {_day(self.last)}" if self.days > 1 else _day(self.first)

    def given(self) -> dict[str, str]:
        """The parameters that ask for the same."""
        found = {"period": self.period}
        if self.period == "own":
            found |= {"from": self.first.isoformat(), "to": self.last.isoformat()}
        if self.inbox_id is not None:
            found["inbox"] = str(self.inbox_id)
        if not self.compare:
            found["compare"] = "none"
        if self.office_hours:
            found["hours"] = "office"
        return found

    @property
    def query(self) -> str:
        """The same as a query string."""
        return urlencode(self.given())

    def ask(self, shape: type[A], **more: Any) -> A:
        """The question as the API's reports take it."""
        known = set(shape.__struct_fields__)
        values: Mapping[str, Any] = {
            "start": self._moment(self.first),
            "end": self._moment(self.last + timedelta(days=1), seconds=-1),
            "previous_start": self._moment(self.first - timedelta(days=self.days)) if self.compare else None,
            "previous_end": self._moment(self.first, seconds=-1) if self.compare else None,
            "mailboxes": None if self.inbox_id is None else Ids((self.inbox_id,)),
            "office_hours": self.office_hours,
            "view_by": self.by,
            **more,
        }
        return shape(**{name: value for name, value in values.items() if name in known})

    def _moment(self, day: date, *, seconds: int = 0) -> Any:
        """The beginning of a day, as it is on the wire."""
        begins = datetime(day.year, day.month, day.day, tzinfo=words.zone(self.zone))
        return to_wire(begins + timedelta(seconds=seconds))


def asking(query: QueryParams, today: date, zone: str) -> Asking:
    """What the query of a page asks for; what makes no sense falls back to the last 28 days."""
    period = query.get("period", "28")
    compare, inbox = query.get("compare") != "none", read_id(query.get("inbox", ""))
    office = query.get("hours") == "office"
    if period == "own" or _typed(query):
        first, last, fault = _own(query.get("from", ""), query.get("to", ""), today)
        return Asking("own", first, last, compare, office, inbox, zone, fault)
    period = period if period in PERIODS else "28"
    return Asking(period, today - timedelta(days=int(period) - 1), today, compare, office, inbox, zone)


def _typed(query: QueryParams) -> bool:
    """Whether somebody typed other days than those that the page showed, whatever it says above them."""
    shown = query.get("shown", "")
    return bool(shown) and shown != f"{query.get('from', '')} {query.get('to', '')}"


def _own(first: str, last: str, today: date) -> tuple[date, date, str]:
    ends = _date(last) or today
    begins = _date(first) or ends - timedelta(days=27)
    if begins > ends:
        return ends, begins, "The first day comes after the last, so they were taken the other way round."
    if ends - begins > _LONGEST:
        return ends - _LONGEST, ends, "That is more than ten years; these are the last ten."
    return begins, ends, ""


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if date(1990, 1, 1) <= found <= date(2100, 1, 1) else None


def _day(at: date) -> str:
    return words.full_time(datetime(at.year, at.month, at.day)).rpartition(",")[0]  # noqa: DTZ001 - only its words
