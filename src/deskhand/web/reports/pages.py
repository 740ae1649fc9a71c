"""Reports with their charts: conversations, productivity, happiness, busy times, the team."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET
from starlette.responses import RedirectResponse, Response

from deskhand.catalogue.reports import AskCompared, AskRatings, AskReport, AskSeries
from deskhand.catalogue.reports_productivity import AskTimes, Times
from deskhand.db.engine import Reader
from deskhand.desk.inboxes import queries as inboxes
from deskhand.desk.reports import busy_times, company, conversations, happiness, over_time, productivity, ratings
from deskhand.desk.reports.selecting import require_plan
from deskhand.lib.clock import from_wire
from deskhand.web import words
from deskhand.web.pages import HEADERS, Asked, Pages
from deskhand.web.reports import charts
from deskhand.web.reports.asking import PERIODS, Asking, asking
from deskhand.web.reports.charts import Bars, Point

PAGES = Pages()
TABS = (
    ("/reports/conversations", "Conversations"),
    ("/reports/productivity", "Productivity"),
    ("/reports/happiness", "Happiness"),
    ("/reports/busy-times", "Busy times"),
    ("/reports/team", "Team"),
)
RANGES = (
    "under 15 min", "15 to 30 min", "30 to 60 min", "1 to 2 h", "2 to 3 h", "3 to 6 h", "6 to 12 h", "12 to 24 h",
    "1 to 2 days", "over 2 days",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHOWN = 8


class Tile(msgspec.Struct, frozen=True):
    """A number to be seen first.

    `change` is against the days before; `good` is whether that is good news, None where it is neither.
    """

    label: str
    value: str
    change: str = ""
    good: bool | None = None


@PAGES.get("/reports")
async def first(asked: Asked) -> Response:
    """The first of them."""
    return RedirectResponse(TABS[0][0], 303, HEADERS)


@PAGES.get("/reports/conversations")
async def show_conversations(asked: Asked) -> Response:
    """How much there was to do."""
    want = _asking(asked)

    def read(db: Reader) -> dict[str, Any]:
        found = conversations.report(db, asked.actor, want.ask(AskReport))
        began = over_time.new_conversations(db, asked.actor, want.ask(AskSeries))
        came = over_time.received_messages(db, asked.actor, want.ask(AskSeries))
        types = over_time.volumes(db, asked.actor, want.ask(AskSeries)).current
        return {
            "tiles": [
                _tile("Conversations", "total_conversations", found),
                _tile("New", "conversations_created", found),
                _tile("Customers", "customers", found),
                _tile("A day", "conversations_per_day", found),
            ],
            "began": _chart(want, [one.start for one in began.current], [one.count for one in began.current],
                             None if began.previous is UNSET else [one.count for one in began.previous]),
            "came": _chart(want, [one.start for one in came.current], [one.count for one in came.current],
                            None if came.previous is UNSET else [one.count for one in came.previous]),
            "types": charts.shares([
                ("email", "E-mail", sum(one.email for one in types)),
                ("chat", "Chat", sum(one.chat for one in types)),
                ("phone", "Phone", sum(one.phone for one in types)),
            ]),
            "tops": [("Tags", found.tags, "No tag"), ("Customers", found.customers, "Somebody"),
                     ("Saved replies", found.replies, "A saved reply"), ("Workflows", found.workflows, "A workflow")],
        }  # fmt: skip

    return await _page(asked, want, "conversations", read)


@PAGES.get("/reports/productivity")
async def show_productivity(asked: Asked) -> Response:
    """How quickly customers were answered."""
    want = _asking(asked)

    def read(db: Reader) -> dict[str, Any]:
        found = productivity.report(db, asked.actor, want.ask(AskReport))
        sent = productivity.replies_sent(db, asked.actor, want.ask(AskSeries))
        times = productivity.response_times(db, asked.actor, want.ask(AskTimes), first=True)
        now = found.current
        return {
            "tiles": [
                _tile("Replies sent", "replies_sent", found),
                _tile("Resolved", "resolved", found),
                _tile("First response", "first_response_time", found, less=True),
                _tile("Response", "response_time", found, less=True),
                _tile("Resolution", "resolution_time", found, less=True),
                Tile("Resolved with the first reply", f"{now.percent_resolved_on_first_reply:.0f} %"),
            ],
            "sent": _chart(want, [one.date for one in sent.current], [one.replies for one in sent.current],
                            None if sent.previous is UNSET else [one.replies for one in sent.previous]),
            "times": _chart(want, [one.date for one in times.current], [one.time for one in times.current],
                            None if times.previous is UNSET else [one.time for one in times.previous], lasting=True),
            "ranges": _ranges(found.response_time),
            "first_ranges": _ranges(found.first_response_time),
        }  # fmt: skip

    return await _page(asked, want, "productivity", read)


@PAGES.get("/reports/happiness")
async def show_happiness(asked: Asked) -> Response:
    """How customers rated replies."""
    want = _asking(asked)
    page = min(100_000, max(1, int(text))) if (text := asked.query("page")[:9]).isdecimal() else 1

    def read(db: Reader) -> dict[str, Any]:
        found = happiness.report(db, asked.actor, want.ask(AskCompared))
        given = ratings.report(db, asked.actor, want.ask(AskRatings, page=page, sort_field="modifiedAt"))
        now, deltas = found.current, found.deltas
        change = "" if deltas is UNSET else f"{deltas.happiness_score:+.0f} points".replace("-", "−")
        return {
            "tiles": [
                Tile("Happiness score", f"{now.happiness_score:.0f}", change,
                     None if deltas is UNSET or not deltas.happiness_score else deltas.happiness_score > 0),
                Tile("Ratings", f"{now.ratings_count:,}"),
                Tile("Customers who rated", f"{now.ratings_percent:.0f} %"),
            ],
            "shares": charts.shares([
                ("great", "Great", now.great_count), ("okay", "Okay", now.okay_count),
                ("not_good", "Not good", now.not_good_count),
            ]),
            "ratings": given,
            "names": {1: ("great", "Great"), 2: ("okay", "Okay"), 3: ("not_good", "Not good")},
        }  # fmt: skip

    return await _page(asked, want, "happiness", read)


@PAGES.get("/reports/busy-times")
async def show_busy_times(asked: Asked) -> Response:
    """When conversations begin."""
    want = _asking(asked)

    def read(db: Reader) -> dict[str, Any]:
        found = busy_times.report(db, asked.actor, want.ask(AskCompared))
        week = charts.week((one.day, one.hour, one.count) for one in found)
        busiest = max(found, key=lambda one: one.count, default=None)
        days = [(name, sum(cell.count for cell in cells)) for name, cells in zip(WEEKDAYS, week, strict=True)]
        return {"week": list(zip(WEEKDAYS, week, strict=True)), "busiest": busiest, "days": days}

    return await _page(asked, want, "busy-times", read, weekdays=WEEKDAYS)


@PAGES.get("/reports/team")
async def show_team(asked: Asked) -> Response:
    """What the staff did, together and one by one."""
    want = _asking(asked)

    def read(db: Reader) -> dict[str, Any]:
        found = company.report(db, asked.actor, want.ask(AskCompared))
        now = found.current
        return {
            "tiles": [
                _tile("Customers helped", "customers_helped", found),
                _tile("Replies", "total_replies", found),
                _tile("Closed", "closed", found),
                Tile("Replies a day by each", f"{now.replies_per_day_per_user:.1f}"),
            ],
            "users": sorted(found.users, key=lambda one: -one.replies),
            "most": max((one.replies for one in found.users), default=0),
        }

    return await _page(asked, want, "team", read)


async def _page(asked: Asked, want: Asking, name: str, read: Any, **more: Any) -> Response:
    require_plan(asked.actor)
    if want.inbox_id is not None:
        inbox_id = want.inbox_id
        await asked.read(lambda db: inboxes.seen_by(db, asked.actor, inbox_id))
    values = await asked.read(read, "slow")
    return await asked.page(
        f"reports/{name}.html", want=want, periods=PERIODS, tabs=TABS, shown=_SHOWN, **values, **more
    )


def _asking(asked: Asked) -> Asking:
    zone = asked.actor.policy.timezone
    today = asked.web.clock.now().astimezone(words.zone(zone)).date()
    return asking(asked.request.query_params, today, zone)


def _tile(label: str, name: str, report: Any, *, less: bool = False) -> Tile:
    """A number of a report with its change in percent; `less`: it is a time, and a shorter one is better."""
    value: float | None = getattr(report.current, name)
    if less:
        text = "–" if value is None else words.lasting(value)
    else:
        text = f"{value or 0:,.0f}"
    if report.previous is UNSET or not value:
        return Tile(label, text)
    if not getattr(report.previous, name):
        return Tile(label, text, "none in the days before")
    change: float = getattr(report.deltas, name)
    good = None if not less or not change else change < 0
    return Tile(label, text, "as before" if not change else f"{change:+,.0f} %", good)


def _chart(
    want: Asking, starts: Sequence[str], now: Sequence[float | None], before: Sequence[float | None] | None,
    *, lasting: bool = False,
) -> Bars:  # fmt: skip
    """Numbers over time beside those of the days before; of the last, which may be fewer or more, what there is."""
    earlier = list(before or ())
    points = [
        Point(_label(want, start), value, earlier[index] if index < len(earlier) else None)
        for index, (start, value) in enumerate(zip(starts, now, strict=True))
    ]
    return charts.bars(points, words.lasting if lasting else _whole, compared=before is not None)


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _label(want: Asking, start: str) -> str:
    """The day, week or month that begins then."""
    at: datetime = from_wire(start).astimezone(words.zone(want.zone))
    if want.by == "month":
        return f"{at:%b %Y}"
    if want.by == "week":
        last = at + timedelta(days=7 - at.isoweekday())
        return f"{at.day}{'' if at.month == last.month else f' {at:%b}'} – {last.day} {last:%b}"
    return f"{at.day} {at:%b}"


def _ranges(times: Times) -> list[tuple[str, int, float]]:
    """How many took how long, in words."""
    return [(RANGES[one.id - 1], one.count, one.percent) for one in times.ranges]
