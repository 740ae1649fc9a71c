"""The reports over time, one by one and about chats are what one gets by counting the rows by hand."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.desk.reports import by_hand, more_by_hand, work_by_hand
from tests.desk.reports.builders import OFFICE_HOURS, History, invent, set_office_hours
from tests.desk.reports.test_reports import answered, questions
from tests.desk.reports.work_by_hand import Book
from tests.live import LiveServer

REPORTS = "/v2/reports/"


@pytest.fixture(scope="module", params=["Europe/Berlin", "America/New_York"])
def history(request: pytest.FixtureRequest, server: LiveServer) -> History:
    """An account in a zone whose clocks change."""
    made = invent(server, request.param, seed=len(request.param) + 1)
    set_office_hours(made.desk, OFFICE_HOURS)
    return made


def with_view(pick: random.Random, params: dict[str, str]) -> dict[str, str]:
    """The same question by day, week or month, as its spans allow."""
    lengths = [more_by_hand.days(span) for span in more_by_hand.spans(params).values()]
    views = ["week"] + ["day"] * (max(lengths) <= 60) * 2 + ["month"] * (min(lengths) >= 61) * 2
    view = pick.choice(views)
    return params | ({"viewBy": view} if view != "day" or pick.random() < 0.5 else {})


def whose(pick: random.Random, history: History) -> tuple[int, tuple[int, ...]]:
    """A user or a team, and the users that are meant."""
    user = pick.choice((history.desk.user_id, *history.members, history.team))
    return user, history.members if user == history.team else (user,)


def people(history: History) -> dict[int, str]:
    return dict(zip((history.desk.user_id, *history.members), ("Ada Holm", "Ines Okafor", "Lea Brandt"), strict=True))


def test_series_are_what_one_counts_by_hand(history: History) -> None:
    pick, told = random.Random(5), 0
    for asking, asked, inboxes in questions(history, 6):
        params = with_view(pick, asked)
        known = more_by_hand.known_to(history, params, asking.user_id, inboxes)
        pieces = more_by_hand.over_time(history, params, more_by_hand.new(known))
        assert answered(asking, REPORTS + "conversations/new", params) == {
            name: [{"start": since, "count": len(types)} for since, types in found] for name, found in pieces.items()
        }
        assert answered(asking, REPORTS + "conversations/volume-by-channel", params) == {
            name: [
                {"date": since} | {type: types.count(type) for type in ("chat", "email", "phone")}
                for since, types in found
            ]
            for name, found in pieces.items()
        }
        pieces = more_by_hand.over_time(history, params, more_by_hand.received(history, known))
        assert answered(asking, REPORTS + "conversations/received-messages", params) == {
            name: [{"start": since, "count": len(ids)} for since, ids in found] for name, found in pieces.items()
        }
        told += sum(len(ids) for found in pieces.values() for _, ids in found)
    assert told > 100, "so that the questions are not all about nothing"


def test_customers_helped_are_those_who_got_a_reply(history: History) -> None:
    pick, told = random.Random(7), 0
    for asking, asked, inboxes in questions(history, 8):
        params = with_view(pick, asked)
        known = more_by_hand.known_to(history, params, asking.user_id, inboxes)
        user, members = whose(pick, history)
        for path, more, by in (("company", {}, None), ("user", {"user": str(user)}, members)):
            pieces = more_by_hand.over_time(history, params, more_by_hand.helped(history, known, by))
            assert answered(asking, f"{REPORTS}{path}/customers-helped", params | more) == {
                name: [{"date": since, "customers": len(set(of))} for since, of in found]
                for name, found in pieces.items()
            }
            told += sum(len(set(of)) for found in pieces.values() for _, of in found)
    assert told > 100


def test_busy_times_are_the_hours_in_which_conversations_began(history: History) -> None:
    for asking, params, inboxes in questions(history, 9):
        known = more_by_hand.known_to(history, params, asking.user_id, inboxes)
        found: Any = answered(asking, REPORTS + "conversations/busy-times", params)
        assert found == more_by_hand.busy_times(history, known, params["start"], params["end"])


def test_drilldowns_list_what_the_reports_count(history: History) -> None:
    pick, told = random.Random(10), 0
    for asking, params, inboxes in questions(history, 11):
        known = more_by_hand.known_to(history, params, asking.user_id, inboxes)
        span = params["start"], params["end"]
        user, members = whose(pick, history)
        touched = {
            one.conversation_id for one in more_by_hand.replies(history, known, members)
            if span[0] <= one.created_at <= span[1]
        }  # fmt: skip
        field = pick.choice(("tagid", "replyid", "workflowid", "customerid"))
        first = history.tags[0]
        id = pick.choice((first, first + 1, first + 2, 1 if field == "tagid" else first))
        expected = {
            "conversations/drilldown": ({}, more_by_hand.active(history, known, *span)),
            "conversations/new-drilldown": (
                {}, {row.id for row in known.values() if span[0] <= row.created_at <= span[1]},
            ),
            "conversations/fields-drilldown": (
                {"field": field, "fieldid": str(id)}, more_by_hand.with_field(history, known, *span, field, id),
            ),
            "user/drilldown": ({"user": str(user)}, touched),
        }  # fmt: skip
        for path, (more, ids) in expected.items():
            items = [more_by_hand.item(known[id], people(history)) for id in sorted(ids, reverse=True)]
            rows = pick.choice((None, 1, 7, 50))
            size = rows or (10 if path.startswith("user") else 25)
            page = pick.choice((1, 1, 2, 3))
            asked = params | more | ({"rows": str(rows)} if rows else {}) | ({"page": str(page)} if page > 1 else {})
            assert answered(asking, REPORTS + path, asked) == {
                "conversations": {
                    "results": items[(page - 1) * size : page * size], "page": page,
                    "pages": -(-len(items) // size), "count": len(items),
                },
            }, (path, asked)  # fmt: skip
            told += len(items)
    assert told > 500


def test_drilldowns_by_field_find_as_many_as_the_report_counts(history: History) -> None:
    params = {"start": "2026-09-01T00:00:00Z", "end": "2026-11-15T00:00:00Z"}
    report = answered(history.desk, REPORTS + "conversations", params)
    for kind, field in (
        ("tags", "tagid"),
        ("customers", "customerid"),
        ("replies", "replyid"),
        ("workflows", "workflowid"),
    ):
        for item in report[kind]["top"]:
            more = {"field": field, "fieldid": str(item["id"])}
            found = answered(history.desk, REPORTS + "conversations/fields-drilldown", params | more)
            assert found["conversations"]["count"] == item["count"] > 0


def test_a_users_happiness_is_that_of_the_replies_that_the_user_wrote(history: History) -> None:
    pick, told = random.Random(12), 0
    for asking, params, inboxes in questions(history, 13):
        known = more_by_hand.known_to(history, params, asking.user_id, inboxes)
        user, members = whose(pick, history)
        found = answered(asking, REPORTS + "user/happiness", params | {"user": str(user)})
        assert [tag["id"] for tag in found.pop("filterTags")] == [1, *history.tags]
        assert set(found) == {"current", "previous", "deltas"} if "previousStart" in params else {"current"}
        for name, span in more_by_hand.spans(params).items():
            mine = [
                one for one in history.ratings
                if one.user_id in members and one.conversation_id in known
                and span[0] <= one.created_at <= span[1] and one.rating != "unknown"
            ]  # fmt: skip
            counts = [sum(one.rating == opinion for one in mine) for opinion in ("great", "okay", "not_good")]
            raters = {one.customer_id for one in mine}
            replied = {
                customer for at, customer in more_by_hand.helped(history, known, members) if span[0] <= at <= span[1]
            }  # fmt: skip
            great, okay, not_good = (by_hand.share(n, len(mine)) for n in counts)
            assert found[name] == {
                "great": great, "okay": okay, "notGood": not_good, "greatCount": counts[0], "okayCount": counts[1],
                "notGoodCount": counts[2], "ratingsCount": len(mine), "totalCustomers": len(raters | replied),
                "totalCustomersWithRatings": len(raters),
                "ratingsPercent": by_hand.share(len(raters), len(raters | replied)), "happinessScore": great - not_good,
            }, params  # fmt: skip
            told += len(mine)
    assert told > 50


def test_a_users_ratings_are_those_of_the_replies_that_the_user_wrote(history: History) -> None:
    pick, told = random.Random(14), 0
    for asking, params, inboxes in questions(history, 15):
        user, members = whose(pick, history)
        expected = [
            one for one in by_hand.ratings(history, params, asking.user_id, inboxes) if one["ratingUserId"] in members
        ]  # fmt: skip
        found = answered(asking, REPORTS + "user/ratings", params | {"user": str(user)})
        for item in found["results"]:
            assert item.pop("ratingUserName") == people(history)[item["ratingUserId"]]
            assert item.pop("ratingCustomerName")
        assert (found["results"], found["count"]) == (expected[:25], len(expected))
        told += len(expected)
    assert told > 50


def test_chats_are_what_one_counts_by_hand(history: History) -> None:
    pick, told = random.Random(16), {"wait": 0, "response": 0, "missed": 0}
    for asking, asked, inboxes in questions(history, 17):
        left_out = pick.choice((("types",), ("types", "tags", "folders", "mailboxes")))
        params = {name: text for name, text in asked.items() if name not in left_out}
        known = more_by_hand.known_to(history, params, asking.user_id, inboxes)
        inside: Any = OFFICE_HOURS if params.get("officeHours") in ("1", "true") else None
        user, members = whose(pick, history)
        report = answered(asking, REPORTS + "chat", params | {"types": "email"})  # which has no meaning there
        mine = answered(asking, REPORTS + "user/chat", params | {"user": str(user)})
        for name, span in more_by_hand.spans(params).items():
            chats = more_by_hand.chats(history, known, *span, inside)
            whole = int(more_by_hand.days(span))
            assert report[name] == {
                "startDate": span[0], "endDate": span[1],
                "volume": {
                    "chatConversations": chats["began"], "completedChats": chats["answered"],
                    "missedChats": chats["began"] - chats["answered"],
                    "chatsPerDay": round(chats["began"] / (whole or 1), 6),
                },
                "responses": {"waitTime": chats["wait"], "responseTime": chats["response"]},
                "resolutions": {"messagesPerChat": chats["messages"], "duration": chats["duration"]},
            }, params  # fmt: skip
            told["wait"] += chats["wait"] is not None
            told["response"] += chats["response"] is not None
            told["missed"] += chats["began"] - chats["answered"]
            chats = more_by_hand.chats(history, known, *span, inside, members)
            assert mine[name] == {
                "startDate": span[0], "endDate": span[1], "totalDays": whole, "newConversations": chats["answered"],
                "messagesPerChat": chats["messages"], "responseTime": chats["response"], "waitTime": chats["wait"],
                "duration": chats["duration"],
            }, params  # fmt: skip
        if "previous" in report:
            assert report["deltas"] == {
                part: more_by_hand.changes(report["current"][part], report["previous"][part])
                for part in ("volume", "responses", "resolutions")
            }
            changed = more_by_hand.changes(mine["current"], mine["previous"])
            changed.pop("totalDays")
            assert mine["deltas"] == changed
        else:
            assert (set(report), set(mine)) == ({"current"}, {"current"})
    assert min(told.values()) > 5, told


def test_the_phone_report_is_that_about_email_of_calls(history: History) -> None:
    told = 0
    for asking, params, inboxes in questions(history, 19):
        of_calls = work_by_hand.email(Book(history, params | {"types": "phone"}, asking.user_id, inboxes))
        for part in of_calls.values():
            volume = part["volume"]
            part["volume"] = {
                "phoneConversations": volume["emailConversations"], "phonesCreated": volume["emailsCreated"],
            }  # fmt: skip
            told += volume["emailsCreated"] > 0
        params.pop("types", None)
        assert answered(asking, REPORTS + "phone", params) == of_calls, params
    assert told > 10
