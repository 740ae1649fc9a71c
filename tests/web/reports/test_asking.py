"""What a report's page is asked for."""

from __future__ import annotations

from datetime import date

import pytest
from starlette.datastructures import QueryParams

from deskhand.catalogue.reports import AskReport, AskSeries
from deskhand.web.reports.asking import Asking, asking

TODAY = date(2026, 11, 23)


def asked(query: str = "", zone: str = "Europe/Berlin") -> Asking:
    return asking(QueryParams(query), TODAY, zone)


def test_the_last_four_weeks_are_asked_for_otherwise() -> None:
    found = asked()
    assert (found.first, found.last, found.days, found.compare) == (date(2026, 10, 27), TODAY, 28, True)
    assert found.words == "Tue 27 Oct 2026 to Mon 23 Nov 2026"


def test_days_begin_and_end_by_the_accounts_clocks() -> None:
    question = asked("period=own&from=2026-11-01&to=2026-11-02").ask(AskReport)
    assert (str(question.start), str(question.end)) == ("2026-10-31T23:00:00Z", "2026-11-02T22:59:59Z")
    assert (str(question.previous_start), str(question.previous_end)) == (
        "2026-10-29T23:00:00Z",
        "2026-10-31T22:59:59Z",
    )


def test_a_day_on_which_clocks_change_is_whole() -> None:
    question = asked("period=own&from=2026-10-25&to=2026-10-25&compare=none").ask(AskReport)
    assert (str(question.start), str(question.end)) == ("2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z")
    assert question.previous_start is None


@pytest.mark.parametrize(
    ("query", "by"), [("period=7", "day"), ("period=90", "week"), ("period=own&from=2020-01-01&to=2026-01-01", "month")]
)
def test_numbers_over_time_come_in_fitting_pieces(query: str, by: str) -> None:
    assert asked(query).ask(AskSeries).view_by == by


def test_an_inbox_and_office_hours_are_passed_on() -> None:
    question = asked("inbox=501&hours=office").ask(AskReport)
    assert (question.mailboxes, question.office_hours) == ((501,), True)


@pytest.mark.parametrize(
    "query",
    ["period=x", "period=own&from=no&to=never", "inbox=abc", "period=own&from=0001-01-01&to=9999-12-31", "compare=%00"],
)
def test_what_makes_no_sense_falls_back(query: str) -> None:
    found = asked(query)
    assert 1 <= found.days <= 3_651 and found.inbox_id is None


def test_days_the_wrong_way_round_are_turned_and_it_is_said() -> None:
    found = asked("period=own&from=2026-11-20&to=2026-11-10")
    assert (found.first, found.last) == (date(2026, 11, 10), date(2026, 11, 20))
    assert "the other way round" in found.fault


def test_days_that_were_typed_count_although_the_choice_above_them_was_left() -> None:
    shown = "shown=2026-10-27+2026-11-23"
    typed = asked(f"period=28&from=2026-11-01&to=2026-11-23&{shown}")
    assert (typed.period, typed.first, typed.last) == ("own", date(2026, 11, 1), TODAY)
    chosen = asked(f"period=7&from=2026-10-27&to=2026-11-23&{shown}")
    assert (chosen.period, chosen.days) == ("7", 7)


def test_the_query_asks_for_the_same_again() -> None:
    for query in ("period=90&inbox=7&compare=none", "period=own&from=2026-01-01&to=2026-02-01&hours=office"):
        assert asked(asked(query).query) == asked(query)
