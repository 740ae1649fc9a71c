"""Reports as clients read them: shapes, parameters, who may see them. Their numbers: tests/desk/reports.

Facts: §10 and facts 79-85 of the wire contract's half B
(https://developer.helpscout.com/mailbox-api/endpoints/reports/conversations/reports-conversations-overall).
"""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.db.statements import P, command
from deskhand.desk.conversations.tables import thread as thread_table
from deskhand.desk.conversations.threads.rating import Opinion, rate
from tests.live import LiveServer
from tests.world import Desk, open_desk

CONVERSATIONS, HAPPINESS, RATINGS = (
    "/v2/reports/conversations",
    "/v2/reports/happiness",
    "/v2/reports/happiness/ratings",
)
ALWAYS = {"start": "2000-01-01T00:00:00Z", "end": "2099-12-31T23:59:59Z"}
BEFORE = {"previousStart": "1990-01-01T00:00:00Z", "previousEnd": "1999-12-31T23:59:59Z"}

_USE = command(
    sa.update(thread_table)
    .where(thread_table.c.account_id == P("for_account"), thread_table.c.id == P("id"))
    .values(saved_reply_id=P("reply_id")),
    keep=False,
)

each = pytest.mark.parametrize("path", [CONVERSATIONS, HAPPINESS, RATINGS])


def start(desk: Desk, inbox: int, email: str = "mira@buyer.example", **changes: Any) -> dict[str, Any]:
    """A conversation with a reply, as it is read."""
    customer = {"email": email, "firstName": "Mira", "lastName": "Okafor"}
    body = {
        "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
        "threads": [{"type": "reply", "text": "Here", "customer": customer}],
    } | changes  # fmt: skip
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = desk.get(f"/v2/conversations/{answer.headers['Resource-ID']}", embed="threads").json()
    return found


def rate_it(desk: Desk, conversation: dict[str, Any], opinion: Opinion, comments: str = "") -> None:
    thread = conversation["_embedded"]["threads"][-1]["id"]
    desk.write(lambda tx: rate(tx, desk.account_id, thread, opinion, comments, desk.now))


def report(desk: Desk, path: str, **params: Any) -> Any:
    answer = desk.get(path, **(ALWAYS | params))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


# -- Shapes


def test_without_a_previous_span_nothing_is_compared(desk: Desk) -> None:
    start(desk, desk.add_inbox(), tags=["billing"])
    found = report(desk, CONVERSATIONS)
    assert list(found) == [
        "filterTags", "busiestDay", "busyTimeStart", "busyTimeEnd", "current", "tags", "customers", "replies",
        "workflows",
    ]  # fmt: skip
    assert set(found["tags"]["top"][0]) == {"name", "id", "count", "percent"}
    assert list(report(desk, HAPPINESS)) == ["filterTags", "current"]


def test_with_a_previous_span_all_is_compared(desk: Desk) -> None:
    start(desk, desk.add_inbox(), tags=["billing"])
    found = report(desk, CONVERSATIONS, **BEFORE)
    assert found["current"] == {
        "startDate": ALWAYS["start"], "endDate": ALWAYS["end"], "totalConversations": 1, "conversationsCreated": 1,
        "newConversations": 1, "customers": 1, "conversationsPerDay": 0,
    }  # fmt: skip
    assert list(found["previous"]) == list(found["current"])
    assert found["deltas"] == {
        "newConversations": 0.0, "totalConversations": 0.0, "customers": 0.0, "conversationsCreated": 0.0,
        "conversationsPerDay": 0.0,
    }  # fmt: skip
    (tag,) = found["tags"]["top"]
    assert found["filterTags"] == [{"id": 1, "name": "untagged"}, {"id": tag["id"], "name": "billing"}]
    assert tag == {
        "name": "billing", "id": tag["id"], "count": 1, "previousCount": 0, "percent": 100.0, "previousPercent": 0.0,
        "deltaPercent": 100.0,
    }  # fmt: skip


def test_where_nothing_happened_there_is_no_busiest_time(desk: Desk) -> None:
    found = report(desk, CONVERSATIONS)
    assert (found["busiestDay"], found["busyTimeStart"], found["busyTimeEnd"]) == (None, None, None)
    for kind in ("tags", "customers", "replies", "workflows"):
        assert found[kind] == {"count": 0, "top": []}


def test_a_saved_reply_is_told_with_its_inbox_and_untagged_as_a_tag(desk: Desk) -> None:
    inbox = desk.add_inbox()
    answer = desk.post(f"/v2/mailboxes/{inbox}/saved-replies", {"name": "Refunds", "text": "Here"})
    saved = int(answer.headers["Resource-ID"])
    first = start(desk, inbox)
    customer, thread = start(desk, inbox)["primaryCustomer"]["id"], first["_embedded"]["threads"][0]["id"]
    # Only the desk's own pages insert saved replies: the API takes finished texts.
    assert desk.write(lambda tx: tx.run(_USE, for_account=desk.account_id, id=thread, reply_id=saved)) == 1
    found = report(desk, CONVERSATIONS)
    (told,) = found["replies"]["top"]
    assert told == {"name": "Refunds", "id": saved, "mailboxId": inbox, "count": 1, "percent": 50.0}
    assert found["tags"] == {"count": 0, "top": [{"name": "untagged", "id": 1, "count": 2, "percent": 100.0}]}
    assert found["customers"]["top"] == [{"name": "Mira Okafor", "id": customer, "count": 2, "percent": 100.0}]


def test_happiness_is_counted_as_documented(desk: Desk) -> None:
    """Fact 83 at a fifth of its size: 10 great, 6 okay and 4 not good of 80 customers, 16 of whom rate."""
    inbox = desk.add_inbox()
    opinions: list[Opinion] = [
        "great",
        "great",
        "great",
        "great",
        "great",
        "okay",
        "okay",
        "okay",
        "not_good",
        "not_good",
    ]
    for number, opinion in enumerate(opinions):
        rate_it(desk, start(desk, inbox, f"c{number % 8}@buyer.example"), opinion)
    for number in range(8, 40):
        start(desk, inbox, f"c{number}@buyer.example")
    found = report(desk, HAPPINESS, **BEFORE)
    assert found["current"] == {
        "great": 50.0, "okay": 30.0, "notGood": 20.0, "greatCount": 5, "okayCount": 3, "notGoodCount": 2,
        "ratingsCount": 10, "totalCustomers": 40, "totalCustomersWithRatings": 8, "ratingsPercent": 20.0,
        "happinessScore": 30.0,
    }  # fmt: skip
    assert found["deltas"] == {
        "great": 50.0, "okay": 30.0, "notGood": 20.0, "greatCount": 0.0, "okayCount": 0.0, "notGoodCount": 0.0,
        "happinessScore": 30.0,
    }  # fmt: skip
    assert found["previous"]["happinessScore"] == 0.0


def test_ratings_are_listed_as_documented(desk: Desk) -> None:
    inbox = desk.add_inbox()
    conversation = start(desk, inbox)
    rate_it(desk, conversation, "not_good", "Too slow")
    rate_it(desk, start(desk, inbox), "great")
    found = report(desk, RATINGS, rating="not-good", sortField="rating", sortOrder="ASC")
    (item,) = found.pop("results")
    assert found == {"facets": {}, "page": 1, "count": 1, "pages": 1}
    assert item.pop("threadCreatedAt") <= item.pop("ratingCreatedAt")
    assert item == {
        "number": conversation["number"], "threadid": conversation["_embedded"]["threads"][-1]["id"],
        "id": conversation["id"], "type": "email", "ratingId": 3,
        "ratingCustomerId": conversation["primaryCustomer"]["id"], "ratingComments": "Too slow",
        "ratingCustomerName": "Mira Okafor", "ratingUserId": desk.user_id, "ratingUserName": "Ada Holm",
    }  # fmt: skip
    assert report(desk, RATINGS, page=2)["results"] == []


def test_the_php_clients_name_for_sorting_is_known(desk: Desk) -> None:
    inbox = desk.add_inbox()
    first, second = start(desk, inbox), start(desk, inbox)
    for conversation in (second, first):
        rate_it(desk, conversation, "okay")
    for name in ("sortField", "sortFieldRatings"):
        found = report(desk, RATINGS, **{name: "number"}, sortOrder="ASC")["results"]
        assert [item["number"] for item in found] == [first["number"], second["number"]]


# -- Parameters


@each
@pytest.mark.parametrize("missing", ["start", "end"])
def test_a_report_needs_a_span(desk: Desk, path: str, missing: str) -> None:
    given = {name: moment for name, moment in ALWAYS.items() if name != missing}
    refused(desk, path, given, missing, "may not be empty")


@each
def test_a_report_without_any_parameter_is_refused(desk: Desk, path: str) -> None:
    errors = desk.get(path).json()["_embedded"]["errors"]
    assert [error["path"] for error in errors] == ["start", "end"]


@each
@pytest.mark.parametrize(
    ("params", "at_fault", "message"),
    [
        ({"end": "1999-12-31T23:59:59Z"}, "end", "may not lie before start"),
        ({"previousStart": BEFORE["previousStart"]}, "previousEnd", "previousStart and previousEnd go together"),
        ({"previousEnd": BEFORE["previousEnd"]}, "previousStart", "previousStart and previousEnd go together"),
        (BEFORE | {"previousEnd": "1989-12-31T23:59:59Z"}, "previousEnd", "may not lie before previousStart"),
        ({"types": "email,fax"}, "types", "Expected one of these: 'email', 'chat', 'phone'"),
        ({"mailboxes": "1,x"}, "mailboxes", "must be ids joined by commas"),
        ({"tags": "-1"}, "tags", "must be ids joined by commas"),
        ({"folders": "a"}, "folders", "must be ids joined by commas"),
        ({"officeHours": "perhaps"}, "officeHours", "must be true or false"),
        ({"start": "2026-10-01"}, "start", "must be an ISO 8601 date yyyy-MM-dd'T'HH:mm:ss'Z'"),
        ({"start": "2026-13-01T00:00:00Z"}, "start", "must be an ISO 8601 date yyyy-MM-dd'T'HH:mm:ss'Z'"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    desk: Desk, path: str, params: dict[str, str], at_fault: str, message: str
) -> None:
    refused(desk, path, ALWAYS | params, at_fault, message)


@pytest.mark.parametrize(
    ("name", "given"), [("rating", "okay"), ("sortField", "name"), ("sortOrder", "up"), ("page", "0")]
)
def test_what_is_no_choice_of_the_ratings_is_refused(desk: Desk, name: str, given: str) -> None:
    refused(desk, RATINGS, ALWAYS | {name: given}, name, None)


def refused(desk: Desk, path: str, params: dict[str, str], at_fault: str, message: str | None) -> None:
    answer = desk.get(path, **params)
    assert answer.status_code == 400, answer.text
    (error,) = answer.json()["_embedded"]["errors"]
    assert (error["path"], error["source"]) == (at_fault, "QUERY")
    assert message in (None, error["message"])


# -- Who may see what


@each
def test_the_standard_plan_has_no_reports(server: LiveServer, path: str) -> None:
    answer = open_desk(server, plan="standard").get(path, **ALWAYS)
    assert answer.status_code == 403
    assert answer.json()["message"] == "Access denied"
    assert open_desk(server, plan="pro").get(path, **ALWAYS).status_code == 200


def test_only_what_a_user_sees_is_counted(server: LiveServer) -> None:
    """Of three inboxes, one of them another account's, a user sees one."""
    desk, stranger = open_desk(server), open_desk(server)
    seen, hidden, foreign = desk.add_inbox(), desk.add_inbox(), stranger.add_inbox()
    for whose, inbox in ((desk, seen), (desk, hidden), (desk, hidden), (stranger, foreign)):
        rate_it(whose, start(whose, inbox, f"{inbox}@buyer.example", tags=["vip"]), "great")
    somebody = desk.as_user(desk.add_user(inboxes=(seen,)))
    nobody = desk.as_user(desk.add_user())
    for who, narrowed, count in (
        (desk, {}, 3), (somebody, {}, 1), (nobody, {}, 0), (somebody, {"mailboxes": f"{seen},{hidden}"}, 1),
        (somebody, {"mailboxes": str(hidden)}, 0), (desk, {"mailboxes": str(foreign)}, 0),
        (desk, {"mailboxes": str(hidden)}, 2),
    ):  # fmt: skip
        found = report(who, CONVERSATIONS, **narrowed)
        assert found["current"]["totalConversations"] == found["current"]["conversationsCreated"] == count
        assert sum(tag["count"] for tag in found["tags"]["top"]) == count
        assert report(who, HAPPINESS, **narrowed)["current"]["ratingsCount"] == count
        assert report(who, RATINGS, **narrowed)["count"] == len(report(who, RATINGS, **narrowed)["results"]) == count


def test_spam_drafts_and_what_was_deleted_do_not_count(desk: Desk) -> None:
    inbox = desk.add_inbox()
    start(desk, inbox, status="spam")
    gone = start(desk, inbox)
    start(desk, inbox, threads=[{"type": "reply", "text": "x", "draft": True, "customer": {"email": "m@b.example"}}])
    assert report(desk, CONVERSATIONS)["current"]["totalConversations"] == 1
    assert desk.delete(f"/v2/conversations/{gone['id']}").status_code == 204
    assert report(desk, CONVERSATIONS)["current"]["totalConversations"] == 0


def test_what_was_touched_in_a_span_counts_though_it_began_before(desk: Desk) -> None:
    """A status that changes is enough. Source: https://docs.helpscout.com/article/46-reporting"""
    inbox = desk.add_inbox()
    old: dict[str, Any] = {"createdAt": "2020-01-01T00:00:00Z", "imported": True}
    body = {"type": "customer", "text": "x", "customer": {"email": "mira@buyer.example"}, **old}
    id = start(desk, inbox, **old, threads=[body])["id"]
    later = {"start": "2021-01-01T00:00:00Z"}
    assert report(desk, CONVERSATIONS, **later)["current"]["totalConversations"] == 0
    close = {"op": "replace", "path": "/status", "value": "closed"}
    assert desk.patch(f"/v2/conversations/{id}", close).status_code == 204
    current = report(desk, CONVERSATIONS, **later)["current"]
    assert (current["totalConversations"], current["conversationsCreated"]) == (1, 0)


def test_head_and_repeated_parameters_work(desk: Desk) -> None:
    first, second = desk.add_inbox(), desk.add_inbox()
    for inbox in (first, second):
        start(desk, inbox)
    given = "&".join(f"{name}={moment}" for name, moment in ALWAYS.items())
    answer = desk.request("GET", f"{CONVERSATIONS}?{given}&mailboxes={first}&mailboxes={second}")
    assert answer.json()["current"]["totalConversations"] == 2
    assert desk.request("HEAD", f"{CONVERSATIONS}?{given}").status_code == 200
