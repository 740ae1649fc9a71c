"""Keeping answers of a remote desk to some inboxes: the table of ways, and what a strange answer can't smuggle in."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from deskhand.catalogue.operation import AnyOperation, Resource
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from deskhand.gateway import narrowing
from deskhand.gateway.narrowing import HOW, How
from deskhand.gateway.policy import Grants
from deskhand.gateway.upstream import Foreign, UpstreamDown
from tests.gateway.remote_world import granted

DOCUMENT = Path(__file__).parents[2] / "docs" / "remote-desks.md"
A, B, C = 501, 502, 503
URL = "https://desk.example/v2/conversations"


def conversation(id: int, inbox: Any, **more: Any) -> dict[str, Any]:
    return {"id": id, "mailboxId": inbox, "_embedded": {"threads": []}} | more


def page(items: list[Any], key: str = "conversations", total: int | None = None) -> dict[str, Any]:
    total = len(items) if total is None else total
    numbers = {"size": 25, "totalElements": total, "totalPages": -(-total // 25), "number": 1}
    return {"_embedded": {key: items}, "_links": {}, "page": numbers}


# -- The table


def test_every_operation_has_its_way() -> None:
    assert HOW.keys() == BY_NAME.keys()


def test_the_document_tells_the_same() -> None:
    rows = re.findall(r"^\| ([^|`]+) \| ((?:`\w+`,? ?)+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    documented = {name: words.strip() for words, names in rows for name in re.findall(r"`(\w+)`", names)}
    told = {name: how for name, how in HOW.items() if how not in (How.LOOKED_UP, How.OPEN)}
    assert documented == {name: how.value for name, how in told.items()}


def test_what_is_not_in_the_table_is_refused() -> None:
    class Unknown:
        name = "read_everything"
        phrase = "read everything"

    unknown: AnyOperation = Unknown()  # type: ignore[assignment]
    assert narrowing.how(unknown, frozenset({A})) is How.REFUSED
    assert narrowing.refusal(unknown, frozenset({A}))
    assert narrowing.refusal(unknown, None) is None


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_no_list_over_all_inboxes_passes_unnarrowed(operation: AnyOperation) -> None:
    """A read that spans every inbox by what it says of itself must be narrowed, counted anew or refused."""
    paths = re.findall(r"{(\w+)}", operation.path)
    if operation.method != "GET" or HOW[operation.name] is not How.LOOKED_UP:
        return
    assert paths and paths[0] in ("customer_id", "inbox_id"), "nothing that could have been looked up is named"


def test_a_refusal_says_what_can_be_asked_instead() -> None:
    words = narrowing.refusal(BY_NAME["list_customers_v3"], frozenset({A}))
    assert words is not None and "GET /v2/customers" in words
    assert "{" not in str(narrowing.refusal(BY_NAME["list_organization_conversations"], frozenset({A})))


# -- Requests


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "mailbox=501,502"),
        ("status=all&page=2", "status=all&page=2&mailbox=501,502"),
        ("mailbox=502&status=all", "status=all&mailbox=502"),
        ("mailbox=502,503", "mailbox=502"),
        ("query=%28email%3A%22a%2Bb%40x.example%22%29", "query=%28email%3A%22a%2Bb%40x.example%22%29&mailbox=501,502"),
    ],
)
def test_a_query_names_granted_inboxes_alone(query: str, expected: str) -> None:
    assert narrowing.narrowed(BY_NAME["list_conversations"], query, {A, B}) == expected


def test_a_query_for_foreign_inboxes_alone_is_foreign() -> None:
    with pytest.raises(Foreign):
        narrowing.narrowed(BY_NAME["list_conversations"], "mailbox=503", {A, B})
    with pytest.raises(Foreign):
        narrowing.narrowed(BY_NAME["list_conversations"], "", frozenset())


# -- Lists


def test_what_does_not_lie_in_a_granted_inbox_is_dropped_and_not_counted() -> None:
    strange = [conversation(1, A), conversation(2, C), conversation(3, None), {"id": 4}, conversation(5, "501"),
               conversation(6, True), conversation(7, float(A)), conversation(8, B)]  # fmt: skip
    checked = narrowing.checked_conversations(page(strange, total=60), {A, B}, URL, "status=all")
    assert [one["id"] for one in checked["_embedded"]["conversations"]] == [1, 8]
    assert checked["page"] == {"size": 25, "totalElements": 54, "totalPages": 3, "number": 1}


@pytest.mark.parametrize(
    "content",
    [
        [], None, "x", {}, {"_embedded": []}, {"_embedded": {"conversations": {}}}, page([1]),
        page([[conversation(1, A)]]),
        {"_embedded": {"conversations": []}}, page([]) | {"page": {"size": 25, "totalElements": -1, "totalPages": 1}},
        page([]) | {"page": {"size": "25", "totalElements": 0, "totalPages": 0}},
    ],
)  # fmt: skip
def test_what_is_no_list_is_no_answer(content: Any) -> None:
    with pytest.raises(UpstreamDown):
        narrowing.checked_conversations(content, {A}, URL, "")


def test_an_empty_list_may_be_left_out() -> None:
    content = {"_embedded": {}, "page": {"size": 25, "totalElements": 0, "totalPages": 0, "number": 1}}
    assert narrowing.checked_conversations(content, {A}, URL, "")["_embedded"] == {"conversations": []}


def test_customers_of_several_inboxes_are_each_there_once_in_order() -> None:
    one = [{"id": 3, "createdAt": "3", "firstName": "b"}, {"id": 1, "createdAt": "1", "firstName": None}]
    other = [{"id": 3, "createdAt": "3", "firstName": "b"}, {"id": 2, "createdAt": "2", "firstName": "A"}]
    assert [each["id"] for each in narrowing.gathered([one, other], "")] == [3, 2, 1]
    by_name = narrowing.gathered([one, other], "sortField=firstName&sortOrder=asc")
    assert [each["id"] for each in by_name] == [1, 2, 3]


# -- Single things


@pytest.mark.parametrize("name", [name for name, how in HOW.items() if how is How.CHECKED])
def test_a_single_thing_that_does_not_tell_its_inbox_is_foreign(name: str) -> None:
    strange: list[Any] = [{}, [], None, {"mailboxId": C}, {"mailboxId": None}, {"mailboxId": str(A)}, {"id": C}]
    for content in strange:
        with pytest.raises(Foreign):
            narrowing.require_own(BY_NAME[name], content, {A})


@pytest.mark.parametrize(
    ("inboxes", "events", "mine"),
    [
        ([A], ["convo.created"], True),
        ([A, B], ["convo.created"], True),
        ([A, C], ["convo.created"], False),
        ([], ["convo.created"], False),
        ([A], ["convo.created", "customer.created"], False),
        ([A], ["satisfaction.ratings"], False),
        ([A], "convo.created", False),
        (None, ["convo.created"], False),
        (["501"], ["convo.created"], False),
    ],
)
def test_a_webhook_is_the_agents_where_it_tells_of_its_inboxes_alone(inboxes: Any, events: Any, mine: bool) -> None:
    assert narrowing.tells_only_of({"mailboxIds": inboxes, "events": events}, {A, B}) is mine


# -- What is left out


def tidied(name: str, content: Any, *hide: str, inboxes: set[int] | None = None) -> Any:
    only = {A} if inboxes is None else inboxes
    return narrowing.tidied(BY_NAME[name], content, set(hide), granted(only), only)


def line_item(kind: str, text: str, **about: int) -> dict[str, Any]:
    return {"id": 1, "type": "lineitem", "action": {"type": kind, "text": text, "associatedEntities": about}}


def test_line_items_and_links_tell_nothing_of_elsewhere() -> None:
    threads = [
        line_item("moved-from-mailbox", "moved it to Returns", mailbox=B),
        line_item("movedFromMailbox", "moved it to Returns"),
        line_item("manual-workflow", "ran Escalate to Press", workflow=9),
        line_item("default", "closed it", user=4),
        line_item("moved-from-mailbox", "moved it to Returns", mailbox=A),
        line_item("merged", "merged another", originalConversation=7),
        {"id": 2, "type": "message", "body": "Hi", "linkedConversationId": "77"},
        {"id": 3, "type": "lineitem", "action": None},
        {"id": 4, "type": "lineitem", "action": {"type": None, "associatedEntities": []}},
    ]
    found = tidied("list_threads", page(threads, "threads"))["_embedded"]["threads"]
    assert [one.get("action") for one in found[:6]] == [
        {"type": "moved-from-mailbox", "associatedEntities": {}},
        {"type": "movedFromMailbox", "associatedEntities": {}},
        {"type": "manual-workflow", "associatedEntities": {}},
        {"type": "default", "text": "closed it", "associatedEntities": {"user": 4}},
        {"type": "moved-from-mailbox", "associatedEntities": {"mailbox": A}},
        {"type": "merged", "text": "merged another", "associatedEntities": {"originalConversation": 7}},
    ]
    assert found[6] == {"id": 2, "type": "message", "body": "Hi"}


def test_embedded_threads_are_tidied_too() -> None:
    item = line_item("moved-from-mailbox", "moved it to Returns", mailbox=B)
    whole = conversation(1, A, preview="Hello", _embedded={"threads": [item]})
    found = tidied("get_conversation", whole, "preview")
    assert "preview" not in found
    assert found["_embedded"]["threads"][0]["action"] == {"type": "moved-from-mailbox", "associatedEntities": {}}


def test_a_users_status_in_other_inboxes_is_left_out() -> None:
    status = {"userId": 4, "chat": {"status": "custom", "mailboxStatuses": {str(A): "assign", str(B): "available"}}}
    found = tidied("list_user_statuses", page([status], "userStatuses"))["_embedded"]["userStatuses"]
    assert found[0]["chat"]["mailboxStatuses"] == {str(A): "assign"}


def test_saved_replies_of_other_inboxes_are_left_out_of_reports() -> None:
    top = [{"id": 1, "mailboxId": A}, {"id": 2, "mailboxId": B}, {"id": 3}]
    found = tidied("get_conversations_report", {"replies": {"count": 3, "top": top}, "workflows": {"top": []}})
    assert found["replies"]["top"] == [{"id": 1, "mailboxId": A}]


def test_reports_name_no_workflow_and_no_tag_that_may_be_another_inboxs() -> None:
    tags = [{"id": 1, "name": "vip"}, {"id": 2, "name": "secret"}]
    report = {"filterTags": tags, "tags": {"top": tags[:1]}, "workflows": {"count": 1, "top": [{"id": 3, "name": "x"}]}}
    all_tags = tidied("get_conversations_report", deepcopy(report))
    assert (all_tags["filterTags"], all_tags["workflows"]) == (tags, {"count": 1, "top": []})
    no_tags = Grants(1, {one: held for one, held in granted({A}).resources.items() if one is not Resource.TAGS})
    for name, left in (("get_conversations_report", tags[:1]), ("get_happiness_report", [])):
        content = report if left else {"filterTags": tags}
        assert narrowing.tidied(BY_NAME[name], content, set(), no_tags, {A})["filterTags"] == left


@pytest.mark.parametrize(
    "name", [name for name in HOW if name.endswith("_drilldown")]
)  # fmt: skip
def test_conversations_of_other_inboxes_are_left_out_of_drilldowns(name: str) -> None:
    items = [{"id": 1, "mailboxid": A, "preview": "Hi"}, {"id": 2, "mailboxid": B}, {"id": 3}]
    page = {"results": items, "page": 1, "pages": 1, "count": 12}
    found = tidied(name, {"conversations": deepcopy(page)})["conversations"]
    assert found == page | {"results": items[:1], "count": 10}
    blind = tidied(name, {"conversations": deepcopy(page)}, "preview")["conversations"]
    assert blind["results"] == [{"id": 1, "mailboxid": A}]
    with pytest.raises(UpstreamDown):
        tidied(name, {"conversations": {"results": None}})


def test_an_agent_of_all_inboxes_sees_all() -> None:
    everything = granted(None)
    content = page([{"id": 1, "name": "vip", "ticketCount": 4}], "tags")
    assert not narrowing.needs_tidying(BY_NAME["list_tags"], frozenset(), everything, None)
    assert narrowing.tidied(BY_NAME["list_tags"], content, frozenset(), everything, None) == content


def test_the_limit_is_that_of_any_limited_resource() -> None:
    assert narrowing.limit(granted(None)) is None
    assert narrowing.limit(granted({A})) == frozenset({A})
    assert narrowing.limit(granted({A}, customers={B})) == frozenset({A, B})
    assert narrowing.limit(granted({A}, customers=None), Resource.CUSTOMERS) is None
