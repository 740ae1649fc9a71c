"""For an agent narrowed to some inboxes, nothing outside them exists: for every operation there is.

The tests walk the catalogue with the cases of tests/contract/isolation. What is foreign must be answered
exactly like what there is not, whatever the gateway in front has decided.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
import requests
from msgspec import inspect

from deskhand.catalogue.operation import AnyOperation, ListOf
from deskhand.catalogue.operations import BY_NAME, OPERATIONS
from tests.contract.isolation.cases import CASES, conversation_filters
from tests.contract.isolation.sides import EVERYBODY, Side, created, furnish, new_webhook, plain
from tests.contract.isolation.walking import NO_FILTERS, all_of, changes, everything_of, filled, nothing
from tests.desk.as_agent import as_agent
from tests.live import LiveServer
from tests.world import Desk, open_desk

UNKNOWN = 8_000_000_000_001
"""An id that nothing has."""

BODIES: dict[str, Callable[[Side], Any]] = {
    "create_webhook": lambda side: new_webhook(mailboxIds=[side.inbox]),
    "update_webhook": lambda side: new_webhook(label=side.word, mailboxIds=[side.inbox]),
}
"""Where an agent must say more than a user."""

OF_NO_INBOX = {
    operation.name for operation in OPERATIONS
    if {"user_id", "team_id", "tag_id", "organization_id", "system_user_id", "slug"} & set(operation.parameters)
} | {
    "list_users", "create_user", "get_me", "list_user_statuses", "list_system_users", "list_teams", "list_tags",
    "list_organizations", "create_organization", "list_organization_properties", "create_organization_property",
    "list_customer_properties", "create_customer_property",
}  # fmt: skip
"""What belongs to the whole account: the gateway grants it whole or not at all."""

FREE = {"user", "team", "organization", "word", "slug"}
"""What of a side belongs to no inbox."""


def pair_of(desk: Desk) -> tuple[Side, Side]:
    """Two inboxes of an account: one as an agent sees it that is narrowed to it, one as the owner sees it."""
    seen, hidden = (tells_of_its_inbox(furnish(desk)) for _ in range(2))
    return replace(seen, desk=as_agent(desk, seen.inbox)), hidden


def tells_of_its_inbox(side: Side) -> Side:
    body = new_webhook(label=side.word, mailboxIds=[side.inbox])
    return replace(side, webhook=created(side.desk, "/v2/webhooks", body))


@pytest.fixture(scope="module")
def lasting_pair(server: LiveServer) -> tuple[Side, Side]:
    """The two inboxes, for tests that leave them much as they are."""
    return pair_of(open_desk(server))


@pytest.fixture
def pair(request: pytest.FixtureRequest, server: LiveServer, lasting_pair: tuple[Side, Side]) -> tuple[Side, Side]:
    return pair_of(open_desk(server)) if changes(request) else lasting_pair


@pytest.fixture
def seen(pair: tuple[Side, Side]) -> Side:
    """The inbox that the agent is narrowed to, as it sees it."""
    return pair[0]


@pytest.fixture
def hidden(pair: tuple[Side, Side]) -> Side:
    """The other inbox of the account, as its owner sees it."""
    return pair[1]


def nowhere(side: Side) -> Side:
    """A side of which there is nothing."""
    numbers: dict[str, Any] = {
        name: UNKNOWN for name in (
            "inbox", "folder", "field", "option", "conversation", "number", "thread", "attachment", "customer", "tag",
            "system_user", "workflow", "saved_reply", "webhook", "rating", "organization", "user", "team",
        )
    }  # fmt: skip
    return replace(side, word="nosuchword", entries=dict.fromkeys(side.entries, UNKNOWN), **numbers)


def body_of(operation: AnyOperation) -> Callable[[Side], Any]:
    return BODIES.get(operation.name) or CASES[operation.name].body or nothing


def alike(answer: requests.Response) -> tuple[Any, ...]:
    """An answer without what differs from call to call."""
    headers = {name: value for name, value in answer.headers.items() if name != "correlation-id"}
    headers.pop("content-length", None)  # of a running number in the body
    body = json.loads(answer.text)
    del body["logRef"]
    for error in body.get("_embedded", {}).get("errors", ()):
        error.pop("rejectedValue", None)
    return answer.status_code, headers, body


with_place = pytest.mark.parametrize(
    "operation",
    [one for one in OPERATIONS if one.parameters and one.name not in OF_NO_INBOX],
    ids=lambda operation: operation.name,
)
each_list = pytest.mark.parametrize(
    "operation",
    [one for one in OPERATIONS if isinstance(one.returns, ListOf) and one.name not in OF_NO_INBOX],
    ids=lambda operation: operation.name,
)


@with_place
def test_what_lies_elsewhere_is_answered_like_what_there_is_not(
    seen: Side, hidden: Side, operation: AnyOperation
) -> None:
    body, none = body_of(operation), nowhere(hidden)
    for side in (replace(seen, desk=hidden.desk), hidden):
        CASES[operation.name].ready(side)
    before = everything_of(hidden, operation.method)
    parts = len(operation.parameters)
    for given in (body(seen), body(hidden)):
        for path, unknown in {
            (filled(operation, *[hidden] * parts), filled(operation, *[none] * parts)),
            (filled(operation, seen, *[hidden] * (parts - 1)), filled(operation, seen, *[none] * (parts - 1))),
        }:
            if parts == 1 and path == filled(operation, seen):
                continue
            answer = seen.desk.request(operation.method, path, json=given)
            assert answer.status_code == 404, answer.text
            assert alike(answer) == alike(seen.desk.request(operation.method, unknown, json=given))
            assert hidden.word not in answer.text
    assert everything_of(hidden, operation.method) == before
    own = seen.desk.request(operation.method, all_of(operation, seen), json=body(seen))
    assert own.status_code == operation.returns.status, f"so 404 was not for all: {own.text}"


class Touched:
    """In the place of a side, to see what a body names of it."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.used.add(name)
        return defaultdict(int) if name == "entries" else 0


def names_what_is_tied(name: str, number: int) -> bool:
    """Whether a body with another's id names something that lies in an inbox."""
    mine, other = Touched(), Touched()
    CASES[name].ids[number][1](cast(Side, mine), cast(Side, other))
    return not other.used <= FREE


with_tied_ids = pytest.mark.parametrize(
    ("name", "number"),
    [
        (name, number) for name, case in CASES.items() for number in range(len(case.ids))
        if names_what_is_tied(name, number)
    ],
)  # fmt: skip


@with_tied_ids
def test_an_id_of_elsewhere_in_a_body_is_answered_like_one_of_nothing(
    seen: Side, hidden: Side, name: str, number: int
) -> None:
    operation, (place, body) = BY_NAME[name], CASES[name].ids[number]
    path, before = all_of(operation, seen), everything_of(hidden)
    answer = seen.desk.request(operation.method, path, json=body(seen, hidden))
    assert answer.status_code == 400, answer.text
    assert [error["path"] for error in answer.json()["_embedded"]["errors"]] == [place]
    unknown = seen.desk.request(operation.method, path, json=body(seen, nowhere(hidden)))
    assert alike(answer) == alike(unknown)
    assert everything_of(hidden) == before


@each_list
def test_lists_are_as_if_there_was_nothing_else(seen: Side, hidden: Side, operation: AnyOperation) -> None:
    assert isinstance(operation.returns, ListOf)
    answer = seen.desk.get(all_of(operation, seen), status="all", embed="threads")
    assert answer.status_code == 200, answer.text
    assert hidden.word not in answer.text
    body = answer.json()
    found = body["_embedded"][operation.returns.key]
    assert found
    assert body.get("page", {}).get("totalElements", len(found)) == len(found)
    whole = as_agent(hidden.desk, seen.inbox, hidden.inbox).get(all_of(operation, seen), status="all").json()
    if not operation.parameters:
        assert len(whole["_embedded"][operation.returns.key]) > len(found), "so there is more to be seen"


@each_list
def test_no_filter_finds_what_lies_elsewhere(seen: Side, hidden: Side, operation: AnyOperation) -> None:
    assert isinstance(operation.returns, ListOf)
    key, filters = operation.returns.key, CASES[operation.name].filters
    fields = inspect.type_info(operation.query)
    assert isinstance(fields, inspect.StructType)
    names = {field.encode_name for field in fields.fields} - NO_FILTERS - {"includeChatReplies"}
    assert names <= {name for one in filters(seen) for name in one}, "each filter is tried"
    for wanted, own in zip(filters(hidden), filters(seen), strict=True):
        answer = seen.desk.get(operation.path, **wanted)
        assert answer.status_code == 200, (wanted, answer.text)
        body = answer.json()
        assert (body["_embedded"][key], body.get("page", {}).get("totalElements", 0)) == ([], 0), wanted
        assert seen.desk.get(operation.path, **own).json()["_embedded"][key], f"so {own} does find something"


def test_no_query_crosses_inboxes(seen: Side, hidden: Side) -> None:
    both = f"{hidden.inbox},{seen.inbox}"
    crossing = (
        {"mailbox": both}, {"query": f"(subject:{seen.word} OR subject:{hidden.word})"},
        {"query": f"NOT subject:{hidden.word}"}, {"query": f"(mailboxid:[1 TO 99999999] AND NOT body:{hidden.word})"},
        {"query": f'-email:"{hidden.email}"'}, {"tag": f"{seen.word},{hidden.word}"}, {"sortField": "mailboxid"},
    )  # fmt: skip
    for wanted in crossing:
        body = seen.desk.get("/v2/conversations", status="all", **wanted).json()
        assert [one["id"] for one in body["_embedded"]["conversations"]] == [seen.conversation], wanted
        assert body["page"]["totalElements"] == 1, wanted
    for wanted in conversation_filters(hidden):
        body = seen.desk.get("/v2/conversations", **{**wanted, "mailbox": both}).json()
        assert body["page"]["totalElements"] == (wanted.keys() == {"mailbox", "status"}), wanted


def test_everybody_can_be_seen_once_they_wrote_here(seen: Side, hidden: Side) -> None:
    """Somebody who wrote to both inboxes is a customer of both."""
    created(hidden.desk, "/v2/conversations", plain(hidden.inbox))
    assert seen.desk.get("/v2/customers", email=EVERYBODY).json()["page"]["totalElements"] == 0
    created(hidden.desk, "/v2/conversations", plain(seen.inbox))
    (found,) = seen.desk.get("/v2/customers", email=EVERYBODY).json()["_embedded"]["customers"]
    assert seen.desk.get(f"/v2/customers/{found['id']}").status_code == 200
    both = as_agent(hidden.desk, seen.inbox, hidden.inbox)
    assert both.get("/v2/conversations", query=f'email:"{EVERYBODY}"').json()["page"]["totalElements"] == 2
    listed = seen.desk.get("/v2/conversations", query=f'email:"{EVERYBODY}"').json()
    assert [one["mailboxId"] for one in listed["_embedded"]["conversations"]] == [seen.inbox]
