"""Every number about what the staff did is what one gets by counting the rows by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.desk.reports import work_by_hand
from tests.desk.reports.builders import OFFICE_HOURS, History, invent, set_office_hours
from tests.desk.reports.test_reports import a_question, answered
from tests.desk.reports.work_by_hand import Book, days
from tests.live import LiveServer
from tests.world import Desk

ROUNDS = 15
REPORTS = "/v2/reports/"


@pytest.fixture(scope="module", params=["Europe/Berlin", "Asia/Kathmandu", "America/New_York"])
def history(request: pytest.FixtureRequest, server: LiveServer) -> History:
    made = invent(server, request.param, seed=len(request.param) + 1)
    set_office_hours(made.desk, OFFICE_HOURS)
    return made


def questions(history: History, seed: int, rounds: int = ROUNDS) -> Iterator[tuple[Desk, dict[str, str], Any]]:
    """Random questions, each with who asks it and the inboxes that they see."""
    pick = random.Random(seed)
    for _ in range(rounds):
        asking = pick.choice((history.desk, history.somebody))
        yield asking, a_question(pick, history), history.inboxes if asking is history.desk else history.seen


def someone(history: History, pick: random.Random) -> tuple[int, tuple[int, ...]]:
    """A user or the team, and whose work is counted."""
    user = pick.choice((history.desk.user_id, *history.members, history.team))
    return user, history.members if user == history.team else (user,)


def without_tags(history: History, found: dict[str, Any]) -> dict[str, Any]:
    assert [tag["id"] for tag in found.pop("filterTags")] == [1, *history.tags]
    return found


def test_the_productivity_report_is_what_one_counts_by_hand(history: History) -> None:
    told = 0
    for asking, params, inboxes in questions(history, 11):
        found = without_tags(history, answered(asking, REPORTS + "productivity", params))
        assert found == work_by_hand.productivity(Book(history, params, asking.user_id, inboxes)), params
        told += found["responseTime"]["count"]
    assert told > 30, "so that the questions are not all about nothing"


def test_the_company_report_is_what_one_counts_by_hand(history: History) -> None:
    told = 0
    for asking, params, inboxes in questions(history, 12):
        params.pop("officeHours", None)
        found = without_tags(history, answered(asking, REPORTS + "company", params))
        for user in found["users"]:
            assert user.pop("name") in ("Ada Holm", "Ines Okafor", "Lea Brandt")
        assert found == work_by_hand.company(Book(history, params, asking.user_id, inboxes)), params
        told += len(found["users"])
    assert told > 10


def test_a_users_report_is_what_one_counts_by_hand(history: History) -> None:
    pick, told = random.Random(5), 0
    for asking, params, inboxes in questions(history, 13, 2 * ROUNDS):
        user, of = someone(history, pick)
        found = without_tags(history, answered(asking, REPORTS + "user", params | {"user": str(user)}))
        who = found.pop("user")
        assert (who["id"], who["totalCustomersHelped"]) == (user, found["current"]["customersHelped"])
        assert found == work_by_hand.user(Book(history, params, asking.user_id, inboxes, of)), params
        told += found["current"]["totalReplies"]
    assert told > 30


def test_a_users_history_is_what_one_picks_by_hand(history: History) -> None:
    pick, told = random.Random(6), 0
    for asking, params, inboxes in questions(history, 14, 2 * ROUNDS):
        user, of = someone(history, pick)
        if pick.random() < 0.3:
            params["status"] = pick.choice(("active", "pending", "closed"))
        params["sortField"] = pick.choice(("number", "repliesSent", "responseTime", "resolveTime"))
        params["sortOrder"] = pick.choice(("ASC", "DESC", "asc", "desc"))
        expected = work_by_hand.history(Book(history, params, asking.user_id, inboxes, of))
        pages = -(-len(expected) // 25)
        for page in range(1, pages + 2):
            asked = params | {"user": str(user), "page": str(page)}
            found = answered(asking, REPORTS + "user/conversation-history", asked)
            assert (found["page"], found["count"], found["pages"]) == (page, len(expected), pages)
            for item in found["results"]:
                assert "ustomer" in item["customers"][0].pop("name")
            assert found["results"] == expected[(page - 1) * 25 : page * 25], params
            told += len(found["results"])
    assert told > 30


@pytest.mark.parametrize(
    "kind", ["first-response-time", "response-time", "resolution-time", "replies-sent", "resolved"]
)
def test_times_by_day_week_or_month_are_what_one_counts_by_hand(history: History, kind: str) -> None:
    told = 0
    for asking, params in with_view(history, 15):
        inboxes = history.inboxes if asking is history.desk else history.seen
        book = Book(history, params, asking.user_id, inboxes)
        found = answered(asking, f"{REPORTS}productivity/{kind}", params)
        told += compare(book, kind, found)
    assert told > 5


@pytest.mark.parametrize("kind", ["replies", "resolutions"])
def test_a_users_work_by_day_week_or_month_is_what_one_counts_by_hand(history: History, kind: str) -> None:
    pick, told = random.Random(7), 0
    for asking, params in with_view(history, 16):
        inboxes = history.inboxes if asking is history.desk else history.seen
        user, of = someone(history, pick)
        params.pop("officeHours", None)
        book = Book(history, params, asking.user_id, inboxes, of)
        told += compare(book, kind, answered(asking, f"{REPORTS}user/{kind}", params | {"user": str(user)}))
    assert told > 0


def with_view(history: History, seed: int) -> Iterator[tuple[Desk, dict[str, str]]]:
    """Questions that may be asked by day, week or month."""
    pick = random.Random(seed)
    for asking, params, _ in questions(history, seed, 12):
        lengths = [days(params["start"], params["end"])]
        if "previousStart" in params:
            lengths.append(days(params["previousStart"], params["previousEnd"]))
        fitting = ["week", *(["day"] if max(lengths) < 60 else []), *(["month"] if min(lengths) > 61 else [])]
        params["viewBy"] = pick.choice(fitting)
        yield asking, params


def compare(book: Book, kind: str, found: dict[str, Any]) -> int:
    expected = [work_by_hand.over_time(book, kind, *span) for span in book.spans()]
    assert [found["current"], *([found["previous"]] if "previous" in found else [])] == expected, book.params
    return sum(bool(value) for one in found["current"] for name, value in one.items() if name != "date")


def test_the_email_report_is_what_one_counts_by_hand(history: History) -> None:
    told = 0
    for asking, params, inboxes in questions(history, 17):
        params["types"] = "email"
        by_hand = work_by_hand.email(Book(history, params, asking.user_id, inboxes))
        del params["types"]
        found = without_tags(history, answered(asking, REPORTS + "email", params))
        assert found == by_hand, params
        told += found["current"]["volume"]["messagesReceived"]
    assert told > 10


def test_the_company_drilldown_lists_what_the_histograms_count(history: History) -> None:
    pick, told = random.Random(8), 0
    for asking, params, inboxes in questions(history, 18, 2 * ROUNDS):
        for name in ("officeHours", "previousStart", "previousEnd"):
            params.pop(name, None)
        kind = pick.choice(
            ("", "replies", "firstReplyResolved", "resolved", "responseTime", "firstResponseTime", "handleTime")
        )
        given = {"range": kind} if kind else {}
        id = pick.randint(1, 5 if kind == "replies" else 10) if kind and pick.random() < 0.6 else None
        expected = work_by_hand.behind(Book(history, params, asking.user_id, inboxes), kind, id)
        if id is not None:
            given["rangeId"] = str(id)
        for page in (1, 2):
            asked = params | given | {"page": str(page), "rows": "10"}
            found = answered(asking, REPORTS + "company/drilldown", asked)["conversations"]
            assert found["count"] == len(expected), asked
            assert [item["id"] for item in found["results"]] == expected[(page - 1) * 10 : page * 10], asked
        told += len(expected)
    assert told > 30
