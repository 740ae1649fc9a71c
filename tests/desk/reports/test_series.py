"""Spans in days, weeks and months, by the account's clocks."""

from __future__ import annotations

import json

from deskhand.desk.reports.hours import zone
from deskhand.desk.reports.selecting import Span
from deskhand.desk.reports.series import cut
from tests.live import LiveServer
from tests.world import Desk, open_desk

REPORT = "/v2/reports/productivity/replies-sent"


def test_days_begin_at_local_midnight_also_where_clocks_change() -> None:
    span = Span("2026-10-24T00:00:00Z", "2026-10-26T12:00:00Z")
    pieces = cut(span, "day", zone("Europe/Berlin"))
    assert json.loads(pieces.parameter()) == [
        ["2026-10-24T00:00:00Z", "2026-10-24T21:59:59Z"],
        ["2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"],
        ["2026-10-25T23:00:00Z", "2026-10-26T12:00:00Z"],
    ]
    assert [pieces.position(moment) for moment in ("2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z", span.end)] == [
        0,
        1,
        2,
    ]


def test_weeks_begin_on_mondays_and_months_on_their_first_day() -> None:
    span = Span("2026-10-07T00:00:00Z", "2026-12-07T00:00:00Z")
    assert cut(span, "week", zone("UTC")).starts[:3] == (span.start, "2026-10-12T00:00:00Z", "2026-10-19T00:00:00Z")
    assert cut(span, "month", zone("UTC")).starts == (span.start, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")


def test_a_span_that_begins_at_midnight_has_no_empty_piece() -> None:
    assert cut(Span("2026-10-05T00:00:00Z", "2026-10-05T23:59:59Z"), "week", zone("UTC")).starts == (
        "2026-10-05T00:00:00Z",
    )


def test_a_day_that_a_zone_left_out_is_no_piece() -> None:
    """In Samoa 30 December 2011 did not take place."""
    starts = cut(Span("2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z"), "day", zone("Pacific/Apia")).starts
    assert starts == ("2011-12-29T12:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z")


def test_the_calendar_may_end() -> None:
    pieces = cut(Span("9999-12-30T00:00:00Z", "9999-12-31T23:59:59Z"), "day", zone("America/New_York"))
    assert pieces.starts == ("9999-12-30T00:00:00Z", "9999-12-30T05:00:00Z", "9999-12-31T05:00:00Z")
    first = cut(Span("0001-01-01T00:00:00Z", "0001-01-02T23:59:59Z"), "day", zone("America/New_York"))
    assert first.starts[0] == "0001-01-01T00:00:00Z"


def refused(desk: Desk, view_by: str, start: str, end: str, **more: str) -> str | None:
    answer = desk.get(REPORT, start=f"{start}T00:00:00Z", end=f"{end}T00:00:00Z", viewBy=view_by, **more)
    if answer.status_code == 200:
        return None
    assert answer.status_code == 400, answer.text
    [error] = answer.json()["_embedded"]["errors"]
    return str(error["path"])


def test_each_way_of_viewing_is_for_spans_of_some_lengths(server: LiveServer) -> None:
    desk = open_desk(server)
    assert refused(desk, "day", "2026-08-01", "2026-09-30") is None, "60 days"
    assert refused(desk, "day", "2026-08-01", "2026-10-01") == "viewBy"
    assert refused(desk, "week", "2025-08-01", "2026-08-01") is None
    assert refused(desk, "week", "2025-08-01", "2026-08-03") == "viewBy"
    assert refused(desk, "month", "2026-08-01", "2026-10-01") is None, "61 days"
    assert refused(desk, "month", "2026-08-01", "2026-09-30") == "viewBy"
    assert refused(desk, "month", "1900-01-01", "2026-09-30") == "viewBy", "so that no answer is endless"
    assert refused(desk, "year", "2026-08-01", "2026-09-30") == "viewBy"
    earlier = {"previousStart": "2026-01-01T00:00:00Z", "previousEnd": "2026-05-01T00:00:00Z"}
    assert refused(desk, "day", "2026-08-01", "2026-09-01", **earlier) == "viewBy"
