"""Reports over time, one by one and about chats as clients read them. Their numbers: tests/desk/reports.

Facts: §10 of the wire contract's half B
(https://developer.helpscout.com/mailbox-api/endpoints/reports/conversations/reports-conversations-overall).
"""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.catalogue.operation import AnyOperation, Resource
from deskhand.catalogue.operations import OPERATIONS
from tests.contract.test_reports import ALWAYS, BEFORE, rate_it, refused, start
from tests.desk.as_agent import as_agent
from tests.live import LiveServer
from tests.world import Desk, open_desk

REPORTS = [one for one in OPERATIONS if one.resource is Resource.REPORTS]
ABOUT_INBOXES = [one for one in REPORTS if one.name != "get_docs_report"]
DRILLDOWNS = [one for one in REPORTS if one.path.endswith("drilldown")]

named = pytest.mark.parametrize("report", REPORTS, ids=lambda one: one.name)
about_inboxes = pytest.mark.parametrize("report", ABOUT_INBOXES, ids=lambda one: one.name)


def asked(desk: Desk, **more: Any) -> dict[str, Any]:
    """Parameters with which every report answers."""
    return ALWAYS | {"viewBy": "month", "user": desk.user_id, "field": "tagid", "fieldid": 1} | more


def has(report: AnyOperation, *names: str) -> bool:
    return any(name in report.query.__struct_fields__ for name in names)


# -- Every report


@named
def test_its_span_must_be_given_and_make_sense(desk: Desk, report: AnyOperation) -> None:
    given = asked(desk)
    for name in ("start", "end"):
        refused(desk, report.path, {key: value for key, value in given.items() if key != name}, name, None)
    refused(desk, report.path, given | {"end": "1999-12-31T23:59:59Z"}, "end", "may not lie before start")
    if has(report, "previous_start"):
        refused(desk, report.path, given | {"previousStart": BEFORE["previousStart"]}, "previousEnd", None)
    if has(report, "types"):
        refused(desk, report.path, given | {"types": "fax"}, "types", None)


@named
def test_the_standard_plan_has_none(server: LiveServer, report: AnyOperation) -> None:
    desk = open_desk(server, plan="standard")
    assert desk.get(report.path, **asked(desk)).status_code == 403


@named
def test_it_is_plain_json_without_links(desk: Desk, report: AnyOperation) -> None:
    start(desk, desk.add_inbox(), tags=["billing"])
    answer = desk.get(report.path, **asked(desk))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert not {"_links", "_embedded", "previous", "deltas"} & set(answer.json() if answer.text[0] == "{" else ())
    if "current" in answer.json():
        assert "previous" in desk.get(report.path, **asked(desk), **BEFORE).json()


@about_inboxes
def test_a_user_without_inboxes_is_told_of_nothing(desk: Desk, report: AnyOperation) -> None:
    rate_it(desk, start(desk, desk.add_inbox(), tags=["billing"]), "great")
    nobody, of_owner = desk.as_user(desk.add_user()), {"user": desk.user_id}
    told = nobody.get(report.path, **asked(nobody) | of_owner)
    assert told.json() == nobody.get(report.path, **asked(nobody, mailboxes=999_999) | of_owner).json()
    if report in DRILLDOWNS:
        assert told.json()["conversations"]["count"] == 0


@about_inboxes
def test_an_agent_is_told_what_the_owner_is_told_of_its_inboxes_alone(desk: Desk, report: AnyOperation) -> None:
    """Also where other inboxes have the same customers, users and tags, and a conversation came from one of them."""
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    ines = desk.add_user()
    for inbox in (seen, seen, hidden):
        rate_it(desk, start(desk, inbox, tags=["billing"], assignTo=ines, user=ines), "great", "Thanks")
        start(desk, inbox, type="chat", status="closed", tags=["secret"] * (inbox == hidden))
    moved = start(desk, hidden, "lea@buyer.example", type="phone")["id"]
    step = {"op": "move", "path": "/mailboxId", "value": seen}
    assert desk.patch(f"/v2/conversations/{moved}", step).status_code == 204
    start(desk, hidden, "nils@buyer.example", user=desk.add_user("Nils"))
    given = asked(desk, user=ines) | {name: text for name, text in BEFORE.items() if has(report, "previous_start")}
    told, expected = (
        asking.get(report.path, **given | more).json()
        for asking, more in ((as_agent(desk, seen), {}), (desk, {"mailboxes": seen}))
    )
    tags = [expected.pop("filterTags", []), told.pop("filterTags", [])] if isinstance(told, dict) else [[], []]
    assert told == expected
    assert "secret" not in str(tags[1])
    if tags[0]:
        assert [tag["name"] for tag in tags[1]] == ["untagged", "billing"]


@pytest.mark.parametrize("report", [one for one in REPORTS if has(one, "user")], ids=lambda one: one.name)
def test_a_user_must_be_one_of_the_account(server: LiveServer, desk: Desk, report: AnyOperation) -> None:
    for user in (999_999_999, open_desk(server).user_id):
        refused(desk, report.path, asked(desk, user=user), "user", None)
    missing = {name: value for name, value in asked(desk).items() if name != "user"}
    refused(desk, report.path, missing, "user", "may not be empty")


# -- Over time


@pytest.mark.parametrize(
    ("view", "end", "fits"),
    [
        ("day", "2026-03-02T00:00:00Z", True), ("day", "2026-03-02T00:00:01Z", False),
        ("week", "2026-12-31T00:00:00Z", True), ("week", "2027-03-01T00:00:00Z", False),
        ("month", "2026-02-28T00:00:00Z", False), ("month", "2026-03-05T00:00:00Z", True), ("year", None, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "path", ["conversations/new", "conversations/volume-by-channel", "company/customers-helped"]
)  # fmt: skip
def test_days_weeks_and_months_are_for_spans_of_their_size(
    desk: Desk, path: str, view: str, end: str | None, fits: bool
) -> None:
    params = {"start": "2026-01-01T00:00:00Z", "end": end or "2026-01-05T00:00:00Z", "viewBy": view}
    if fits:
        assert desk.get(f"/v2/reports/{path}", **params).status_code == 200
    else:
        refused(desk, f"/v2/reports/{path}", params, "viewBy", None)


def test_pieces_of_time_begin_at_midnight_where_the_account_is(server: LiveServer) -> None:
    desk = open_desk(server, timezone="Europe/Berlin")
    params = {"start": "2026-10-24T12:00:00Z", "end": "2026-10-26T12:00:00Z"}
    found = desk.get("/v2/reports/conversations/new", **params).json()
    begin = ("2026-10-24T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")  # clocks go back on the 25th
    assert found == {"current": [{"start": moment, "count": 0} for moment in begin]}


def test_busy_times_are_a_bare_array(desk: Desk) -> None:
    assert desk.get("/v2/reports/conversations/busy-times", **ALWAYS).json() == []
    start(desk, desk.add_inbox())
    (cell,) = desk.get("/v2/reports/conversations/busy-times", **ALWAYS).json()
    assert list(cell) == ["day", "hour", "count"]
    assert cell["count"] == 1


# -- One by one


def test_a_drilldown_spells_its_fields_as_documented(desk: Desk) -> None:
    made = start(desk, desk.add_inbox(), tags=["billing"], assignTo=desk.user_id)
    found = desk.get("/v2/reports/conversations/drilldown", **ALWAYS).json()
    (item,) = found["conversations"]["results"]
    assert found == {"conversations": {"results": [item], "page": 1, "pages": 1, "count": 1}}
    tag = made["tags"][0]
    assert item.pop("modifiedAt") >= made["createdAt"]
    assert item == {
        "id": made["id"], "number": made["number"], "type": "email", "mailboxid": made["mailboxId"],
        "attachments": False, "subject": "Refund", "status": "active", "threadCount": 1, "preview": "Here",
        "customerName": "Mira Okafor", "customerEmail": "mira@buyer.example",
        "customerIds": [made["primaryCustomer"]["id"]], "assignedid": desk.user_id,
        "tags": [{"id": tag["id"], "name": "billing", "color": tag["color"]}], "assignedName": "Ada Holm",
    }  # fmt: skip


def test_nobody_is_assigned_where_nobody_is(desk: Desk) -> None:
    start(desk, desk.add_inbox())
    (item,) = desk.get("/v2/reports/conversations/drilldown", **ALWAYS).json()["conversations"]["results"]
    assert (item["assignedid"], item["assignedName"]) == (None, "")


@pytest.mark.parametrize("report", DRILLDOWNS, ids=lambda one: one.name)
def test_a_page_has_from_1_to_50_rows(desk: Desk, report: AnyOperation) -> None:
    for rows in ("0", "51", "x"):
        refused(desk, report.path, asked(desk, rows=rows), "rows", None)
    refused(desk, report.path, asked(desk, page="0"), "page", None)
    far = desk.get(report.path, **asked(desk, page=10**9)).json()["conversations"]
    assert (far["results"], far["page"], far["count"]) == ([], 10**9, 0)


@pytest.mark.parametrize("missing", ["field", "fieldid"])
def test_a_drilldown_by_field_needs_to_know_which(desk: Desk, missing: str) -> None:
    params = {name: value for name, value in asked(desk).items() if name != missing}
    refused(desk, "/v2/reports/conversations/fields-drilldown", params, missing, "may not be empty")
    refused(desk, "/v2/reports/conversations/fields-drilldown", asked(desk, field="color"), "field", None)


@pytest.mark.parametrize("report", DRILLDOWNS, ids=lambda one: one.name)
def test_an_agent_without_threads_sees_no_preview_and_nothing_of_other_inboxes(
    desk: Desk, report: AnyOperation
) -> None:
    seen, hidden = desk.add_inbox(), desk.add_inbox()
    for inbox in (seen, hidden):
        start(desk, inbox)
    for hide in ((), ("preview",)):
        agent = as_agent(desk, seen, hide=hide)
        page = agent.get(report.path, **asked(desk)).json()["conversations"]
        assert [one["mailboxid"] for one in page["results"]] == [seen]
        assert page["count"] == 1
        assert [one.get("preview") for one in page["results"]] == [None if hide else "Here"]


# -- The rest


def test_there_is_no_documentation_site(desk: Desk) -> None:
    found = desk.get("/v2/reports/docs", **ALWAYS, **BEFORE, sites="1,2").json()
    zeros = {
        "visitors": 0, "browseAction": 0.0, "searchAction": 0.0, "foundAnAnswerResult": 0.0, "sentAnEmailResult": 0.0,
        "failedResult": 0.0, "docsViewedPerVisit": 0.0,
    }  # fmt: skip
    assert found == {
        "current": {"startDate": ALWAYS["start"], "endDate": ALWAYS["end"], **zeros},
        "previous": {"startDate": BEFORE["previousStart"], "endDate": BEFORE["previousEnd"], **zeros},
        "popularSearches": [], "failedSearches": [], "topArticles": [], "topCategories": [], "deltas": zeros,
    }  # fmt: skip


def test_where_there_were_no_chats_averages_are_null(desk: Desk) -> None:
    current = desk.get("/v2/reports/chat", **ALWAYS).json()["current"]
    assert current["volume"] == {"chatConversations": 0, "completedChats": 0, "missedChats": 0, "chatsPerDay": 0.0}
    assert current["responses"] == {"waitTime": None, "responseTime": None}
    assert current["resolutions"] == {"messagesPerChat": None, "duration": None}
    mine = desk.get("/v2/reports/user/chat", **asked(desk)).json()["current"]
    assert mine == {
        "startDate": ALWAYS["start"], "endDate": ALWAYS["end"], "totalDays": 36524, "newConversations": 0,
        "messagesPerChat": None, "responseTime": None, "waitTime": None, "duration": None,
    }  # fmt: skip


def test_a_chat_that_was_answered_by_mail_counts_as_completed(desk: Desk) -> None:
    inbox, customer = desk.add_inbox(), {"email": "mira@buyer.example"}
    chat = {"type": "chat", "text": "Hello?", "customer": customer}
    made = [start(desk, inbox, type="chat", threads=[chat])["id"] for _ in range(2)]
    assert desk.post(f"/v2/conversations/{made[0]}/reply", {"text": "Yes", "customer": customer}).status_code == 201
    volume = desk.get("/v2/reports/chat", **ALWAYS).json()["current"]["volume"]
    assert (volume["chatConversations"], volume["completedChats"], volume["missedChats"]) == (2, 1, 1)
