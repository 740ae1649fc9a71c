"""What leads from an own inbox into another one: moves, merges, links, customers, counts, reports, files, ids."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from deskhand.desk.workflows.actions import Move, SetStatus
from tests.contract.isolation.sides import created, new_webhook
from tests.proof.bypass_world import (
    ALWAYS,
    BOTH,
    OF_THE_ACCOUNT,
    UNKNOWN,
    World,
    alike,
    everything_in,
)

Ids = Callable[[World], int]

GONE_ELSEWHERE: list[tuple[str, Ids]] = [
    ("lies in another inbox", lambda world: world.foreign.conversation),
    ("was moved away", lambda world: world.moved_away),
    ("was merged into one that lies elsewhere", lambda world: world.merged_away),
    ("was merged, all of it elsewhere", lambda world: world.foreign.merged),
    ("was deleted, elsewhere", lambda world: world.foreign.gone),
    ("was deleted here", lambda world: world.own.gone),
]

CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/v2/conversations/{id}", None),
    ("GET", "/v2/conversations/{id}?embed=threads", None),
    ("GET", "/v3/conversations/{id}", None),
    ("GET", "/v2/conversations/{id}/threads", None),
    ("GET", "/v3/conversations/{id}/threads?page=2", None),
    ("GET", "/v2/conversations/{id}/threads/{thread}/original-source", None),
    ("GET", "/v2/conversations/{id}/attachments/{attachment}/data", None),
    ("DELETE", "/v2/conversations/{id}", None),
    ("DELETE", "/v2/conversations/{id}/snooze", None),
    ("DELETE", "/v2/conversations/{id}/attachments/{attachment}", None),
    ("PUT", "/v2/conversations/{id}/tags", {"tags": ["stolen"]}),
    ("PUT", "/v2/conversations/{id}/fields", {"fields": []}),
    ("PUT", "/v2/conversations/{id}/snooze", {"snoozedUntil": "2099-01-01T00:00:00Z"}),
    ("PATCH", "/v2/conversations/{id}", {"op": "replace", "path": "/subject", "value": "stolen"}),
    ("PATCH", "/v2/conversations/{id}", [{"op": "move", "path": "/mailboxId", "value": "{a}"}]),
    ("POST", "/v2/conversations/{id}/reply", {"text": "x", "customer": {"email": BOTH}}),
    ("POST", "/v2/conversations/{id}/notes", {"text": "x"}),
    ("POST", "/v2/conversations/{id}/customer", {"text": "x", "customer": {"email": BOTH}}),
    ("PATCH", "/v2/conversations/{id}/threads/{thread}", {"op": "replace", "path": "/text", "value": "stolen"}),
    ("PUT", "/v2/conversations/{id}/threads/{thread}/schedule",
     {"scheduledFor": "2099-01-01T00:00:00Z", "unscheduleOnCustomerReply": False}),
    ("POST", "/v2/conversations/{id}/threads/{thread}/attachments",
     {"fileName": "a.txt", "mimeType": "text/plain", "data": "YQ=="}),
]  # fmt: skip


@pytest.mark.parametrize("of", [of for _, of in GONE_ELSEWHERE], ids=[words for words, _ in GONE_ELSEWHERE])
def test_a_conversation_is_answered_like_one_that_never_was_if_it(world: World, of: Ids) -> None:
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        for method, path, body in CALLS:
            asked = {"thread": world.foreign.thread_of_customer, "attachment": world.foreign.attachment}
            given = [body[0] | {"value": world.own.inbox}] if isinstance(body, list) else body
            there = attempt.send(method, path.format(id=of(world), **asked), given)
            nowhere = attempt.send(method, path.format(id=UNKNOWN, **asked), given)
            assert there.status == 403, (method, path, there.everything)
            assert alike(there) == alike(nowhere)


def test_threads_and_files_of_a_foreign_conversation_are_not_reached_through_an_own_one(world: World) -> None:
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        for method, path, body in CALLS:
            if "{thread}" not in path and "{attachment}" not in path:
                continue
            foreign = {"thread": world.foreign.thread_of_customer, "attachment": world.foreign.attachment}
            unknown = {"thread": UNKNOWN, "attachment": UNKNOWN}
            there = attempt.send(method, path.format(id=world.own.conversation, **foreign), body)
            nowhere = attempt.send(method, path.format(id=world.own.conversation, **unknown), body)
            assert there.status in (400, 404), there.everything
            assert alike(there) == alike(nowhere)


def test_what_came_from_elsewhere_does_not_tell_from_where(world: World) -> None:
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        for path in ("/v2/conversations/{id}/threads", "/v3/conversations/{id}/threads"):
            found = attempt.get(path.format(id=world.moved_here)).json()["_embedded"]["threads"]
            assert [one["type"] for one in found].count("lineitem") == 2
        for path in ("/v2/conversations/{id}", "/v3/conversations/{id}"):
            assert attempt.get(path.format(id=world.moved_here), embed="threads").status == 200
        assert attempt.get("/v2/conversations", embed="threads", status="all").status == 200


def test_a_linked_conversation_is_not_told_if_it_lies_elsewhere(world: World) -> None:
    with world.watched(world.narrow) as attempt:
        shown = [
            attempt.get(f"/v2/conversations/{world.linking}/threads"),
            attempt.get(f"/v3/conversations/{world.linking}/threads"),
            attempt.get(f"/v2/conversations/{world.linking}", embed="threads"),
        ]
        for answer in shown:
            assert answer.status == 200
            assert str(world.foreign.conversation) not in answer.text


def test_every_link_that_an_agent_is_given_leads_no_further_than_itself(world: World) -> None:
    agent, host = world.wide, urlsplit(world.home.server.url).netloc
    begin = (
        "/v2/conversations?status=all&embed=threads", "/v2/customers", "/v2/mailboxes", "/v2/workflows",
        "/v2/webhooks", "/v2/tags", "/v2/organizations", "/v2/users", "/v2/teams", "/v3/customers",
        f"/v2/ratings/{world.own.rating}",
    )  # fmt: skip
    seen: set[str] = set()
    left = list(begin)
    with world.watched(agent, may_see=OF_THE_ACCOUNT) as attempt:
        while left:
            url = left.pop()
            place = re.sub(r"\d+", "N", url)
            if url in seen or "{" in url or sum(re.sub(r"\d+", "N", one) == place for one in seen) >= 6:
                continue
            seen.add(url)
            answer = attempt.get(url)
            # Whoever only wrote into a conversation of somebody else's is known by name there, and no further.
            assert answer.status in (200, 403, 404), answer.everything
            for found in re.findall(r'"href":"([^"]+)"', answer.text):
                parts = urlsplit(found)
                if parts.path.startswith(("/v2/", "/v3/")):
                    assert parts.netloc in (host, "developer.helpscout.net"), found
                    left.append(found.removeprefix(world.home.server.url))
    assert len(seen) > 40


def test_a_customer_of_both_inboxes_shows_conversations_of_one(world: World) -> None:
    with world.watched(world.narrow) as attempt:
        assert attempt.get(f"/v2/customers/{world.both}").status == 200
        found = attempt.get("/v2/conversations", query=f"(customerIds:{world.both})", status="all").json()
        expected = world.desk.get(
            "/v2/conversations", query=f"(customerIds:{world.both})", status="all", mailbox=world.own.inbox
        ).json()
        assert found["page"] == expected["page"]
        refused = attempt.send("DELETE", f"/v2/customers/{world.both}")
        assert (refused.status, refused.reason) == (403, "missing_grant")
        refused = attempt.send("DELETE", f"/v2/customers/{world.both}?async=true")
        assert (refused.status, refused.reason) == (403, "missing_grant")


CUSTOMERS: list[dict[str, Any]] = [
    {"email": "{word[email]}@buyer.example"}, {"email": "{word[email]}@BUYER.example"}, {"firstName": "{word[first]}"},
    {"lastName": "{word[last]}"}, {"query": '(email:"{word[email]}@buyer.example")'},
    {"query": "(firstName:{word[first]})"}, {"query": "{word[first]}"},
    {"query": "(organization:{word[organization]})"},
    {"query": "(firstName:{word[first]} OR firstName:*)"}, {"query": "*"}, {"query": "(NOT firstName:nobody)"},
    {"modifiedSince": "1970-01-01T00:00:00Z"}, {"sortField": "lastName", "sortOrder": "asc"}, {"mailbox": "{inbox}"},
    {"cursor": "1"}, {"cursor": "e30="}, {"cursor": "../1"},
]  # fmt: skip


@pytest.mark.parametrize("given", CUSTOMERS, ids=str)
@pytest.mark.parametrize("path", ["/v2/customers", "/v3/customers"])
def test_customers_of_elsewhere_are_not_found(world: World, path: str, given: dict[str, str]) -> None:
    def asked(side: Any) -> dict[str, str]:
        return {name: value.format(word=side.words, inbox=side.inbox) for name, value in given.items()}

    with world.watched(world.narrow, may_see=frozenset({"property"})) as attempt:
        there, nowhere = attempt.get(path, **asked(world.foreign)), attempt.get(path, **asked(world.nothing))
        assert there.status == nowhere.status
        if there.status == 200:
            found, none = there.json(), nowhere.json()
            people = {one["id"] for one in found["_embedded"]["customers"]}
            assert not people & {world.foreign.customer}
            assert people == {one["id"] for one in none["_embedded"]["customers"]}
            assert found.get("page") == none.get("page")
        else:
            assert alike(there) == alike(nowhere)


def test_the_owners_cursor_leads_an_agent_no_further(world: World) -> None:
    for number in range(3):
        world.begin(world.foreign.inbox, email=f"walk{number}@writes.example")
    whole = world.desk.get("/v3/customers").json()
    cursors = re.findall(r"cursor=([^&\"]+)", str(whole))
    with world.watched(world.narrow, may_see=frozenset({"property"})) as attempt:
        for cursor in (*cursors, "null", "0", "-1", "9" * 30, "%00", "WyIiLDFd"):
            answer = attempt.send("GET", f"/v3/customers?cursor={cursor}")
            assert answer.status in (200, 400, 403), answer.everything


REPORTS = ("/v2/reports/conversations", "/v2/reports/happiness", "/v2/reports/happiness/ratings")
FILTERS: list[tuple[str, dict[str, Any], bool]] = [
    ("no filter", {}, True),
    ("the own inbox", {"mailboxes": "{a}"}, True),
    ("a foreign inbox", {"mailboxes": "{b}"}, False),
    ("both inboxes", {"mailboxes": "{a},{b}"}, False),
    ("a foreign folder", {"folders": "{b_folder}"}, False),
    ("an own and a foreign folder", {"folders": "{a_folder},{b_folder}"}, False),
    ("a foreign folder in an own inbox", {"mailboxes": "{a}", "folders": "{b_folder}"}, False),
    ("a foreign tag", {"tags": "{b_tag}"}, True),
    ("an earlier span", {"previousStart": "1990-01-01T00:00:00Z", "previousEnd": "1999-12-31T23:59:59Z"}, True),
    ("other types", {"types": "email,chat,phone"}, True),
    ("the good ratings", {"rating": "great"}, True),
    ("a page behind the last", {"page": 99}, True),
    ("the hours of the office", {"officeHours": "true"}, True),
]


@pytest.mark.parametrize(("given", "answered"), [one[1:] for one in FILTERS], ids=[one[0] for one in FILTERS])
@pytest.mark.parametrize("path", REPORTS)
def test_reports_count_nothing_that_lies_elsewhere(
    world: World, path: str, given: dict[str, Any], answered: bool
) -> None:
    def asked(side: Any) -> dict[str, Any]:
        names = {
            "a": world.own.inbox, "b": side.inbox, "a_folder": world.own.folder, "b_folder": side.folder,
            "b_tag": side.tag,
        }  # fmt: skip
        return ALWAYS | {name: str(value).format(**names) for name, value in given.items()}

    with world.watched(world.narrow) as attempt:
        there = attempt.get(path, **asked(world.foreign))
        if answered:
            assert there.status == 200, there.everything
            own = asked(world.foreign) | {"mailboxes": world.own.inbox}
            expected = world.desk.get(path, **own).json()
            for name in ("filterTags", "replies", "workflows"):  # all that may be told of other inboxes is left out
                expected.pop(name, None)
            assert expected == {name: value for name, value in there.json().items() if name in expected}
        else:
            assert (there.status, there.reason) == (403, "missing_grant")
            assert alike(there) == alike(attempt.get(path, **asked(world.nothing)))


RUNS: list[tuple[str, Callable[[World], list[Any]]]] = [
    ("a foreign conversation", lambda world: [world.foreign.conversation]),
    ("an own and a foreign one", lambda world: [world.own.conversation, world.foreign.conversation]),
    ("a foreign one in front of an own one", lambda world: [world.foreign.conversation, world.own.conversation]),
    ("one that was moved away", lambda world: [world.own.conversation, world.moved_away]),
    ("one that was merged away", lambda world: [world.merged_away]),
    ("a foreign one, many times", lambda world: [world.foreign.conversation] * 50),
    ("fifty own and a foreign one", lambda world: [world.own.conversation] * 50 + [world.foreign.conversation]),
    ("a foreign one as a text", lambda world: [str(world.foreign.conversation)]),
    ("a list within the list", lambda world: [[world.foreign.conversation]]),
    ("a fraction", lambda world: [world.foreign.conversation + 0.5]),
    ("nothing", lambda world: []),
    ("yes", lambda world: [True]),
]  # fmt: skip


@pytest.mark.parametrize("ids", [ids for _, ids in RUNS], ids=[words for words, _ in RUNS])
def test_a_workflow_runs_on_nothing_that_lies_elsewhere(world: World, ids: Callable[[World], list[Any]]) -> None:
    replaced = {world.foreign.conversation, world.moved_away, world.merged_away}
    with world.watched(world.narrow) as attempt:
        given = ids(world)
        unknown = [UNKNOWN if type(one) is int and one in replaced else one for one in given]
        there = attempt.send("POST", f"/v2/workflows/{world.own.workflow}/run", {"conversationIds": given})
        nowhere = attempt.send("POST", f"/v2/workflows/{world.own.workflow}/run", {"conversationIds": unknown})
        assert there.status in (400, 403), there.everything
        if given != unknown or there.status == 403:
            assert alike(there) == alike(nowhere)


def test_a_workflow_that_moves_elsewhere_is_not_run(world: World) -> None:
    moving = world.desk.add_workflow(world.own.inbox, Move(world.foreign.inbox), SetStatus("closed"), name="Away")
    with world.watched(world.narrow) as attempt:
        body = {"conversationIds": [world.own.conversation]}
        for workflow in (moving, world.foreign.workflow):
            assert attempt.send("POST", f"/v2/workflows/{workflow}/run", body).status == 403


def test_webhooks_that_tell_of_more_than_the_own_inbox_are_not_seen(world: World) -> None:
    a, b = world.own.inbox, world.foreign.inbox
    wider = [
        created(world.desk, "/v2/webhooks", new_webhook(label=world.foreign.words["webhook"], **more))
        for more in ({}, {"mailboxIds": [a, b]}, {"mailboxIds": [b]})
    ]
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        listed = attempt.get("/v2/webhooks").json()["_embedded"]["webhooks"]
        assert not {one["id"] for one in listed} & set(wider)
        for id in wider:
            for method, body in (("GET", None), ("PUT", new_webhook(mailboxIds=[a])), ("DELETE", None)):
                there = attempt.send(method, f"/v2/webhooks/{id}", body)
                assert there.status == 403
                assert alike(there) == alike(attempt.send(method, f"/v2/webhooks/{UNKNOWN}", body))


TOLD: list[tuple[str, dict[str, Any]]] = [
    ("of all inboxes", {}),
    ("of no inbox, which means all", {"mailboxIds": []}),
    ("of a foreign inbox", {"mailboxIds": ["{b}"]}),
    ("of both", {"mailboxIds": ["{a}", "{b}"]}),
    ("of customers", {"mailboxIds": ["{a}"], "events": ["customer.created"]}),
    ("of tags", {"mailboxIds": ["{a}"], "events": ["tag.created"]}),
    ("of organizations", {"mailboxIds": ["{a}"], "events": ["organization.created"]}),
    ("of users", {"mailboxIds": ["{a}"], "events": ["user.status.changed"]}),
    ("of what there is not", {"mailboxIds": ["{a}"], "events": ["convo.everything"]}),
    ("of own conversations and of customers", {"mailboxIds": ["{a}"], "events": ["convo.created", "customer.updated"]}),
    ("of a foreign inbox, given as a text", {"mailboxIds": "{b}"}),
    ("of a foreign inbox under another name", {"mailboxes": ["{b}"]}),
]


@pytest.mark.parametrize("given", [given for _, given in TOLD], ids=[words for words, _ in TOLD])
def test_a_webhook_can_not_be_made_or_changed_to_tell(world: World, given: dict[str, Any]) -> None:
    def asked(side: Any) -> Any:
        ids = {"{a}": world.own.inbox, "{b}": side.inbox}
        listed = {
            name: [ids.get(one, one) for one in value] if isinstance(value, list) else ids.get(value, value)
            for name, value in given.items()
        }
        return new_webhook(**listed)

    with world.watched(world.narrow) as attempt:
        for method, path in (("POST", "/v2/webhooks"), ("PUT", f"/v2/webhooks/{world.own.webhook}")):
            there, nowhere = (attempt.send(method, path, asked(side)) for side in (world.foreign, world.nothing))
            assert there.status in (400, 403), there.everything
            assert alike(there) == alike(nowhere)


def test_counts_over_all_inboxes_are_left_out(world: World) -> None:
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        tags = attempt.get("/v2/tags").json()["_embedded"]["tags"]
        assert tags and not any("ticketCount" in one for one in tags)
        assert "ticketCount" not in attempt.get(f"/v2/tags/{world.own.tag}").text
        for path in ("/v2/organizations", f"/v2/organizations/{world.foreign.organization}"):
            shown = attempt.get(path, includeCounts="true")
            if shown.status == 200:
                counts = re.findall(r'"(?:customerCount|conversationCount)":(\d+)', shown.text)
                assert world.remote is False or counts == []


def test_customers_and_conversations_of_an_organization_end_at_the_own_inbox(world: World) -> None:
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        for part in ("customers", "conversations"):
            shown = attempt.get(f"/v2/organizations/{world.foreign.organization}/{part}")
            if shown.status == 200:
                assert shown.json()["_embedded"][part] == []
            else:
                assert shown.reason == "unanswerable"


def test_users_do_not_tell_of_foreign_inboxes(world: World) -> None:
    with world.watched(world.wide, may_see=OF_THE_ACCOUNT) as attempt:
        there = attempt.get("/v2/users", mailbox=world.foreign.inbox)
        assert there.status == 403
        assert alike(there) == alike(attempt.get("/v2/users", mailbox=UNKNOWN))
        for path in ("/v2/users/status", f"/v2/users/{world.foreign.user}/status", "/v2/users", "/v2/users/me"):
            shown = attempt.get(path)
            assert f'"{world.foreign.inbox}"' not in shown.text
        rotation = attempt.get(f"/v2/mailboxes/{world.own.inbox}/routing")
        assert rotation.status == 200


def test_an_agents_folders_count_its_own_inbox_alone(world: World) -> None:
    with world.watched(world.narrow) as attempt:
        shown = attempt.get(f"/v2/mailboxes/{world.own.inbox}/folders").json()["_embedded"]["folders"]
        known = world.desk.get(f"/v2/mailboxes/{world.own.inbox}/folders").json()["_embedded"]["folders"]

        def counts(folders: Any) -> dict[int, int]:
            return {one["id"]: one["totalCount"] for one in folders if one["type"] != "mytickets"}

        assert counts(shown) == counts(known)


def test_threads_are_read_where_both_are_granted(world: World) -> None:
    a = world.own.inbox
    agent = world.standing(
        "conversations everywhere",
        resources={"conversations": {"level": "read"}, "threads": {"level": "read", "inboxes": [a]}},
    )
    shown = frozenset((*world.foreign.words, "ids")) - {"body", "note", "reply", "draft", "content", "mail"}
    with world.watched(agent, may_see=shown) as attempt:
        listed = attempt.get("/v2/conversations", status="all")
        assert listed.status == 200
        assert not any("preview" in one for one in listed.json()["_embedded"]["conversations"])
        assert attempt.get(f"/v2/conversations/{world.foreign.conversation}").status == 200
        refused = [
            attempt.get(f"/v2/conversations/{world.foreign.conversation}", embed="threads"),
            attempt.get(f"/v2/conversations/{world.foreign.conversation}/threads"),
            attempt.get("/v2/conversations", embed="threads", mailbox=world.foreign.inbox),
            attempt.get("/v2/conversations", query=world.foreign.words["body"], mailbox=world.foreign.inbox),
        ]
        assert [one.status for one in refused] == [403] * 4
        embedded = attempt.get("/v2/conversations", embed="threads", status="all").json()
        assert {one["mailboxId"] for one in embedded["_embedded"]["conversations"]} == {a}
        found = attempt.get("/v2/conversations", query=world.foreign.words["body"], status="all").json()
        assert found["page"]["totalElements"] == 0


def test_an_approval_of_another_agent_is_one_that_there_is_not(world: World) -> None:
    other = world.standing("drafter", preset="drafter", inboxes=[world.own.inbox])
    held = other.put(f"/v2/conversations/{world.own.conversation}/tags", {"tags": ["held"]})
    assert held.status_code == 202
    number = held.json()["approval_id"]
    with world.watched(world.narrow) as attempt:
        there, nowhere = (attempt.get(f"/v2/approvals/{id}") for id in (number, UNKNOWN))
        assert there.status == 404
        assert alike(there) == alike(nowhere)
        for path in (
            f"/v2/approvals/0{number}",
            f"/v2/approvals/{number}/",
            f"/v2/approvals/{number}?x",
            "/v2/approvals",
        ):
            assert attempt.get(path).status in (403, 404)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert attempt.send(method, f"/v2/approvals/{number}", {"state": "executed"}).status == 403


TOOLS: list[tuple[str, str, dict[str, Any]]] = [
    ("a foreign conversation", "read_conversation", {"conversation_id": "{foreign}"}),
    ("a path in an id", "get_conversation", {"conversation_id": "{own}/../{foreign}"}),
    ("a query in an id", "get_conversation", {"conversation_id": "{foreign}?embed=threads"}),
    ("an encoded slash in an id", "get_conversation", {"conversation_id": "{own}%2f..%2f{foreign}"}),
    ("a list of ids", "get_conversation", {"conversation_id": ["{foreign}"]}),
    ("an object for an id", "get_conversation", {"conversation_id": {"id": "{foreign}"}}),
    ("digits of another script", "get_conversation", {"conversation_id": "\uff11"}),
    ("both inboxes in a list", "list_conversations", {"mailbox": ["{a}", "{b}"]}),
    ("both inboxes in a text", "list_conversations", {"mailbox": "{a},{b}"}),
    ("a second parameter in a text", "list_conversations", {"mailbox": "{a}&mailbox={b}"}),
    ("a search", "list_conversations", {"query": "(mailboxid:{b})"}),
    ("an argument that there is not", "list_conversations", {"inbox": "{b}"}),
    ("the next in a foreign inbox", "next_conversations", {"inbox_id": "{b}"}),
    ("a foreign customer", "read_customer", {"customer_id": "{customer}"}),
    ("the customer of both", "read_customer", {"customer_id": "{both}"}),
    ("a tool that is not granted", "list_users", {}),
    ("a tool that there is not", "steal", {}),
    ("a method for a name", "__class__", {}),
    ("a conversation moved into another inbox", "update_conversation",
     {"conversation_id": "{own}", "body": [{"op": "move", "path": "/mailboxId", "value": "{b}"}]}),
    ("a workflow on a foreign one", "run_workflow", {"workflow_id": "{workflow}", "conversationIds": ["{foreign}"]}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), [one[1:] for one in TOOLS], ids=[one[0] for one in TOOLS])
def test_no_tool_reaches(world: World, name: str, arguments: dict[str, Any]) -> None:
    ids = {
        "own": world.own.conversation, "foreign": world.foreign.conversation, "a": world.own.inbox,
        "b": world.foreign.inbox, "customer": world.foreign.customer, "both": world.both,
        "workflow": world.own.workflow,
    }  # fmt: skip

    def given(value: Any) -> Any:
        if isinstance(value, list):
            return [given(one) for one in value]
        if isinstance(value, dict):
            return {key: given(one) for key, one in value.items()}
        text = value.format(**ids) if isinstance(value, str) else value
        return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else text

    agent = world.narrow
    before = world.logged(agent)
    with world.watched(agent) as attempt:
        answer = attempt.tool(name, **{key: given(value) for key, value in arguments.items()})
        assert answer.status == 200, answer.everything
        result = answer.json()["result"]
        allowed = name in ("list_conversations", "read_customer") and not result.get("isError")
        assert result.get("isError") or allowed
        # A tool may be several calls, each with an entry of its own.
        made = world.logged(agent) - before
        assert made >= 1
        attempt.unseen = made - 1


def test_refusals_of_tools_tell_foreign_and_unknown_things_alike(world: World) -> None:
    with world.watched(world.narrow) as attempt:
        for name, argument in (
            ("read_conversation", "conversation_id"), ("get_conversation", "conversation_id"),
            ("read_customer", "customer_id"), ("get_workflow", "workflow_id"), ("get_webhook", "webhook_id"),
            ("get_inbox", "inbox_id"),
        ):  # fmt: skip
            foreign = getattr(world.foreign, argument.removesuffix("_id"))
            there, nowhere = (attempt.tool(name, **{argument: id}).json() for id in (foreign, UNKNOWN))
            assert told(there) == told(nowhere)


def told(answer: Any) -> Any:
    """A tool's answer without the number of its entry in the log."""
    return re.sub(r"\d+", "N", str(answer["result"]["content"])), answer["result"].get("isError")


def test_everything_narrow_is_refused_to_an_agent_of_no_inbox_at_all(world: World) -> None:
    agent = world.standing("inbox that there is not", resources=everything_in(world.own.inbox, level="off"))
    with world.watched(agent) as attempt:
        for method, path, body in CALLS:
            asked = {"thread": world.own.thread_of_customer, "attachment": world.own.attachment}
            there = attempt.send(method, path.format(id=world.own.conversation, **asked), body)
            assert there.status == 403, there.everything
        for path in ("/v2/conversations", "/v2/customers", "/v2/mailboxes", "/v2/workflows", "/v2/webhooks", *REPORTS):
            assert attempt.get(path, **(ALWAYS if "reports" in path else {})).status == 403
