"""Every number of the reports is what one gets by counting the rows by hand, whatever the filters, zone and caller."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from deskhand.lib.clock import to_wire
from tests.desk.reports import by_hand
from tests.desk.reports.builders import BEGINNING, DAYS, OFFICE_HOURS, History, invent, set_office_hours
from tests.live import LiveServer
from tests.world import Desk

ROUNDS = 40


@pytest.fixture(scope="module", params=["Europe/Berlin", "Asia/Kathmandu", "America/New_York"])
def history(request: pytest.FixtureRequest, server: LiveServer) -> History:
    """An account in a zone whose clocks change, or one that is off by 5 hours and 45 minutes."""
    made = invent(server, request.param, seed=len(request.param))
    set_office_hours(made.desk, OFFICE_HOURS)
    return made


def a_span(pick: random.Random, *names: str) -> dict[str, str]:
    """A random start and end, whole months among them."""
    start = BEGINNING + timedelta(hours=pick.randrange(DAYS * 24 + 200) - 100)
    length = timedelta(hours=pick.choice((0, 7, 3 * 24, 31 * 24, 61 * 24, 90 * 24, 90 * 24)))
    return dict(zip(names, (to_wire(start), to_wire(start + length - timedelta(seconds=bool(length)))), strict=True))


def a_question(pick: random.Random, history: History) -> dict[str, str]:
    """Random parameters of a report."""
    params = a_span(pick, "start", "end")
    if pick.random() < 0.5:
        params |= a_span(pick, "previousStart", "previousEnd")
    if pick.random() < 0.25:
        params["mailboxes"] = joined(pick.sample((*history.inboxes, 999_999), pick.randint(1, 3)))
    if pick.random() < 0.2:
        params["types"] = joined(pick.sample(("email", "chat", "phone"), pick.randint(1, 2)))
    if pick.random() < 0.25:
        params["tags"] = joined(pick.sample((1, 1, *history.tags), pick.randint(1, 4)))
    if pick.random() < 0.2:
        kinds = range(1, 9)
        params["folders"] = joined(
            pick.sample([inbox * 10 + kind for inbox in history.inboxes for kind in kinds], pick.randint(2, 9))
        )
    if pick.random() < 0.4:
        params["officeHours"] = pick.choice(("1", "true", "false"))
    return params


def joined(values: Any) -> str:
    return ",".join(str(value) for value in values)


def questions(history: History, seed: int) -> Any:
    """Random questions, each with who asks it and the inboxes that they see."""
    pick = random.Random(seed)
    for _ in range(ROUNDS):
        asking = pick.choice((history.desk, history.somebody))
        yield asking, a_question(pick, history), history.inboxes if asking is history.desk else history.seen


def answered(asking: Desk, path: str, params: dict[str, str]) -> dict[str, Any]:
    answer = asking.get(path, **params)
    assert answer.status_code == 200, (params, answer.text)
    found: dict[str, Any] = answer.json()
    return found


def test_the_conversations_report_is_what_one_counts_by_hand(history: History) -> None:
    told = 0
    for asking, params, inboxes in questions(history, 1):
        found = answered(asking, "/v2/reports/conversations", params)
        assert [tag["id"] for tag in found.pop("filterTags")] == [1, *history.tags]
        for kind, begins in (("tags", "Tag"), ("customers", ""), ("replies", "Answer"), ("workflows", "Workflow")):
            for item in found[kind]["top"]:
                name = item.pop("name")
                assert name.startswith(begins) if item["id"] != 1 else name == "untagged"
                assert (item.pop("mailboxId", None) == history.inboxes[0]) == (kind == "replies")
        by_counting = by_hand.conversations_report(history, params, asking.user_id, inboxes, OFFICE_HOURS)
        assert found == by_counting, params
        told += found["current"]["totalConversations"]
    assert told > 300, "so that the questions are not all about nothing"


def test_the_happiness_report_is_what_one_counts_by_hand(history: History) -> None:
    told = 0
    for asking, params, inboxes in questions(history, 2):
        found = answered(asking, "/v2/reports/happiness", params)
        assert [tag["id"] for tag in found.pop("filterTags")] == [1, *history.tags]
        assert found == by_hand.happiness_report(history, params, asking.user_id, inboxes), params
        told += found["current"]["ratingsCount"]
    assert told > 50


def test_the_ratings_are_those_that_one_picks_by_hand(history: History) -> None:
    pick, told = random.Random(4), 0
    for asking, params, inboxes in questions(history, 3):
        params["rating"] = pick.choice(("great", "ok", "not-good", "all"))
        params[pick.choice(("sortField", "sortFieldRatings"))] = pick.choice(("number", "modifiedAt", "rating"))
        params["sortOrder"] = pick.choice(("ASC", "DESC", "asc", "desc"))
        expected = by_hand.ratings(history, params, asking.user_id, inboxes)
        pages = -(-len(expected) // 25)
        for page in range(1, pages + 2):
            found = answered(asking, "/v2/reports/happiness/ratings", params | {"page": str(page)})
            assert (found["facets"], found["page"], found["count"], found["pages"]) == ({}, page, len(expected), pages)
            for item in found["results"]:
                assert item.pop("ratingUserName") in ("Ada Holm", "Ines Okafor", "Lea Brandt")
                name = f"Customer{item['ratingCustomerId']}"
                email = f"customer{item['ratingCustomerId']}@buyer.example"
                assert item.pop("ratingCustomerName") in (name, f"{name} Meyer", email)
            assert found["results"] == expected[(page - 1) * 25 : page * 25], params
            told += len(found["results"])
    assert told > 50


def test_office_hours_that_an_account_has_not_set_are_passed_over(server: LiveServer) -> None:
    made = invent(server, "UTC", seed=3)
    params = {"start": "2026-08-01T00:00:00Z", "end": "2026-11-30T23:59:59Z"}
    with_them, without = (
        answered(made.desk, "/v2/reports/conversations", params | {"officeHours": given}) for given in ("1", "0")
    )
    assert with_them == without
    assert without["busiestDay"]["count"] > 0


def test_an_account_in_no_known_zone_is_told_in_utc(server: LiveServer) -> None:
    nowhere, utc = (invent(server, zone, seed=4).desk for zone in ("Mars/Olympus", "UTC"))
    params = {"start": "0001-01-01T00:00:00Z", "end": "9999-12-31T23:59:59Z"}
    names = ("busiestDay", "busyTimeStart", "busyTimeEnd")
    first, second = (answered(desk, "/v2/reports/conversations", params) for desk in (nowhere, utc))
    assert [first[name] for name in names] == [second[name] for name in names]
