"""Reports about what the staff did, as clients read them: names, units, what is null, what is refused.

Facts: §10 of the wire contract's half B. The numbers themselves: tests/desk/reports/test_work_reports.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.desk.conversations.threads.rating import rate
from tests.contract.test_reports import ALWAYS, BEFORE, report
from tests.desk.reports.builders import set_office_hours
from tests.live import LiveServer
from tests.world import Desk, open_desk

REPORTS = "/v2/reports/"
DATES = {"startDate", "endDate"}
VERA = {"email": "vera@shop.example", "firstName": "Vera", "lastName": "Lund"}
PATHS = (
    "company", "company/drilldown", "productivity", "productivity/first-response-time", "productivity/response-time",
    "productivity/resolution-time", "productivity/replies-sent", "productivity/resolved", "user",
    "user/conversation-history", "user/replies", "user/resolutions", "email",
)  # fmt: skip
OCTOBER = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-31T23:59:59Z", "viewBy": "day"}
each = pytest.mark.parametrize("path", PATHS)


def asked(desk: Desk, path: str, **params: Any) -> dict[str, Any]:
    """What a report needs beside what is asked."""
    span = OCTOBER if path.split("/")[-1] in ("resolutions", "replies") or path.startswith("productivity/") else ALWAYS
    return span | ({"user": desk.user_id} if path.startswith("user") else {}) | params


def read(desk: Desk, path: str, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = report(desk, REPORTS + path, **asked(desk, path, **params))
    return found


def exchange(desk: Desk, inbox: int, **changes: Any) -> dict[str, Any]:
    """In October the customer wrote at 10 o'clock, got a reply at 10:20, and it was closed at noon."""
    body = {
        "subject": "Order", "type": "email", "mailboxId": inbox, "customer": VERA, "imported": True,
        "status": "closed", "createdAt": "2026-10-05T10:00:00Z", "closedAt": "2026-10-05T12:00:00Z",
        "threads": [
            {"type": "customer", "customer": VERA, "text": "Where?", "createdAt": "2026-10-05T10:00:00Z"},
            {"type": "reply", "customer": VERA, "text": "Here", "createdAt": "2026-10-05T10:20:00Z"},
        ],
    } | changes  # fmt: skip
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = desk.get(f"/v2/conversations/{answer.headers['Resource-ID']}", embed="threads").json()
    return found


@pytest.fixture
def shop(desk: Desk) -> Desk:
    exchange(desk, desk.add_inbox())
    return desk


def test_the_productivity_report(shop: Desk) -> None:
    found = read(shop, "productivity", **BEFORE)
    assert set(found) == {
        "filterTags", "current", "previous", "deltas", "responseTime", "handleTime", "firstResponseTime",
        "repliesToResolve",
    }  # fmt: skip
    assert found["current"] == ALWAYS_DATES | {
        "totalConversations": 1, "resolutionTime": 7200.0, "repliesToResolve": 1.0, "responseTime": 1200.0,
        "firstResponseTime": 1200.0, "resolved": 1, "resolvedOnFirstReply": 1, "closed": 1, "repliesSent": 1,
        "handleTime": 0.0, "percentResolvedOnFirstReply": 100.0,
    }  # fmt: skip
    assert found["deltas"].keys() == found["current"].keys() - DATES - {"percentResolvedOnFirstReply"}
    nothing = {"id": 1, "count": 0, "previousCount": 0, "percent": 0.0, "previousPercent": 0.0}
    assert found["responseTime"]["ranges"] == found["firstResponseTime"]["ranges"] == [
        nothing | {"id": id} | ({"count": 1, "percent": 100.0} if id == 2 else {}) for id in range(1, 11)
    ]  # fmt: skip
    assert (found["responseTime"]["count"], found["responseTime"]["previousCount"]) == (1, 0)
    assert found["handleTime"] == {"count": 0, "previousCount": 0, "ranges": []}
    one = nothing | {"count": 1, "percent": 100.0, "resolutionTime": 7200.0}
    assert found["repliesToResolve"]["ranges"][0] == one
    assert found["repliesToResolve"]["ranges"][4] == nothing | {"id": 5, "resolutionTime": None}


ALWAYS_DATES = {"startDate": ALWAYS["start"], "endDate": ALWAYS["end"]}


def test_averages_of_nothing_are_null(shop: Desk) -> None:
    previous = read(shop, "productivity", **BEFORE)["previous"]
    assert {name for name, value in previous.items() if value is None} == {
        "resolutionTime", "repliesToResolve", "responseTime", "firstResponseTime",
    }  # fmt: skip
    times = read(shop, "productivity/response-time")["current"]
    assert [one["time"] for one in times] == [None] * 4 + [1200.0] + [None] * 26


@each
def test_without_an_earlier_span_nothing_is_compared(shop: Desk, path: str) -> None:
    found = read(shop, path)
    assert not {"previous", "deltas"} & found.keys()
    assert "revious" not in str(found)


@each
def test_one_half_of_the_earlier_span_is_not_enough(shop: Desk, path: str) -> None:
    if path == "company/drilldown":
        return  # it compares nothing
    answer = shop.get(REPORTS + path, **asked(shop, path, previousStart="2026-09-01T00:00:00Z"))
    assert answer.status_code == 400
    assert answer.json()["_embedded"]["errors"][0]["path"] == "previousEnd"


@each
def test_only_some_plans_have_it(server: LiveServer, path: str) -> None:
    desk = open_desk(server, plan="standard")
    assert desk.get(REPORTS + path, **asked(desk, path)).status_code == 403


@each
def test_inboxes_that_a_user_does_not_see_are_not_counted(shop: Desk, path: str) -> None:
    mine = shop.add_inbox("Sales")
    ines = shop.as_user(shop.add_user(inboxes=(mine,)))
    about = {"user": shop.user_id} if path.startswith("user") else {}
    quiet = read(ines, path, **about)
    exchange(shop, mine)
    assert read(ines, path, **about) != quiet
    numbers = str(read(ines, path, **about))
    exchange(shop, shop.add_inbox("Hidden"), type="email")
    assert str(read(ines, path, **about)) == numbers


def test_the_company_report(shop: Desk) -> None:
    threads = exchange(shop, shop.add_inbox())["_embedded"]["threads"]
    reply = next(one["id"] for one in threads if one["type"] == "message")
    shop.write(lambda tx: rate(tx, shop.account_id, reply, "great", "", shop.now))
    assert [user["happinessScore"] for user in read(shop, "company")["users"]] == [100.0]
    found = read(shop, "company", start="2026-10-01T00:00:00Z", end="2026-10-31T23:59:59Z", **BEFORE)
    assert found["current"] == {
        "startDate": "2026-10-01T00:00:00Z", "endDate": "2026-10-31T23:59:59Z", "customersHelped": 1, "closed": 2,
        "totalReplies": 2, "totalUsers": 1, "totalDays": 30, "repliesPerDayPerUser": 2 / 30, "repliesPerDay": 2 / 30,
        "resolvedPerDay": 2 / 30,
    }  # fmt: skip
    assert found["deltas"].keys() == {
        "customersHelped", "totalReplies", "repliesPerDay", "closed", "totalUsers", "repliesPerDayPerUser",
    }  # fmt: skip
    assert found["users"] == [
        {
            "user": str(shop.user_id), "name": "Ada Holm", "customersHelped": 1, "replies": 2, "happinessScore": 0.0,
            "handleTime": 0.0, "previousCustomersHelped": 0, "previousReplies": 0, "previousHappinessScore": 0.0,
            "previousHandleTime": 0.0,
        }
    ]  # fmt: skip


def test_the_report_of_a_user(shop: Desk) -> None:
    found = read(shop, "user", **BEFORE)
    assert set(found) == {"filterTags", "user", "current", "previous", "deltas"}
    who = found["user"]
    assert set(who) == {"id", "name", "hasPhoto", "photoUrl", "createdAt", "totalCustomersHelped"}
    assert (who["id"], who["name"], who["hasPhoto"], who["totalCustomersHelped"]) == (
        shop.user_id,
        "Ada Holm",
        False,
        1,
    )
    assert found["current"].keys() - found["deltas"].keys() == DATES | {
        "totalDays", "percentResolvedOnFirstReply", "busiestDay",
    }  # fmt: skip
    assert found["current"]["busiestDay"] == 1, "5 October 2026 is a Monday"


def test_a_teams_figures_are_those_of_its_members(shop: Desk) -> None:
    ines = shop.add_user("Ines")
    exchange(shop, shop.add_inbox(), user=ines)
    counts = [
        read(shop, "user", user=user)["current"]["totalReplies"]
        for user in (ines, shop.add_team(members=(ines,)), shop.add_team(members=(ines, shop.user_id)), shop.add_team())
    ]
    assert counts == [1, 1, 2, 0]


@pytest.mark.parametrize("path", [path for path in PATHS if path.startswith("user")])
def test_a_user_that_is_none_or_unknown_is_refused(shop: Desk, path: str) -> None:
    for user in (None, 999_999, "x", open_desk(shop.server).user_id):
        params = {name: value for name, value in asked(shop, path, user=user).items() if value is not None}
        answer = shop.get(REPORTS + path, **params)
        assert answer.status_code == 400, (path, user)
        assert answer.json()["_embedded"]["errors"][0]["path"] == "user"


def test_a_users_history(shop: Desk) -> None:
    [item] = read(shop, "user/conversation-history")["results"]
    assert item["customers"][0].pop("name") == "Vera Lund"
    assert set(item) == {
        "id", "number", "status", "customers", "avgHandleTime", "firstResponseTime", "repliesSent", "responseTime",
        "resolveTime",
    }  # fmt: skip
    assert (item["firstResponseTime"], item["responseTime"], item["resolveTime"]) == (1200.0, 1200.0, 7200.0)


def test_the_email_report_tells_the_share_of_first_replies_as_a_fraction(shop: Desk) -> None:
    exchange(shop, shop.add_inbox(), type="phone")
    found = read(shop, "email", **BEFORE)
    assert set(found) == {"filterTags", "current", "previous", "deltas"}
    current = found["current"]
    assert current["volume"] == {
        "emailConversations": 1, "emailsCreated": 1, "repliesSent": 1, "messagesReceived": 1,
    }  # fmt: skip
    assert current["resolutions"] == {
        "resolved": 1, "resolvedOnFirstReply": 1, "percentResolvedOnFirstReply": 1.0, "resolutionTime": 7200.0,
        "repliesToResolve": 1.0, "handleTime": 0.0, "closed": 1,
    }  # fmt: skip
    assert current["responses"] == {"responseTime": 1200.0, "firstResponseTime": 1200.0}
    assert found["deltas"].keys() == {"volume", "resolutions", "responses"}


@pytest.mark.parametrize(
    "given",
    [
        {"rangeId": 1}, {"range": "responseTime", "rangeId": 11}, {"range": "responseTime", "rangeId": 0},
        {"range": "replies", "rangeId": 6},
    ],
)  # fmt: skip
def test_a_range_that_there_is_not_is_refused(shop: Desk, given: dict[str, Any]) -> None:
    answer = shop.get(REPORTS + "company/drilldown", **ALWAYS, **given)
    assert answer.status_code == 400
    assert answer.json()["_embedded"]["errors"][0]["path"] == "rangeId"


def test_office_hours_count_only_the_time_in_which_the_office_is_open(server: LiveServer) -> None:
    shop = open_desk(server, timezone="Europe/Berlin")
    exchange(shop, shop.add_inbox())
    assert read(shop, "productivity", officeHours="true")["current"]["responseTime"] == 1200.0, "none are set yet"
    set_office_hours(shop, [[735, 1020], *[None] * 6])  # on Mondays from 12:15 on, which is 10:15 UTC
    current = read(shop, "productivity", officeHours="true")["current"]
    assert (current["responseTime"], current["resolutionTime"]) == (300.0, 6300.0)
    assert read(shop, "productivity")["current"]["responseTime"] == 1200.0
