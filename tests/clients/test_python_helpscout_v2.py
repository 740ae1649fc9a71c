"""The PyPI package python-helpscout-v2, as it is, pointed at a sandbox by its own `base_url`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from helpscout.client import HelpScout
from helpscout.exceptions import (
    HelpScoutAuthenticationException,
    HelpScoutException,
    HelpScoutRateLimitExceededException,
)

from deskhand.catalogue.operation import AnyOperation, Resource
from deskhand.catalogue.operations import OPERATIONS
from tests.clients.live_sandbox import CONVERSATIONS, LiveSandbox

A_MINUTE = "2026-12-01T09:00:00Z"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSandbox]:
    live = LiveSandbox(tmp_path_factory.mktemp("sandbox"))
    yield live
    live.stop()


@pytest.fixture
def sandbox(running: LiveSandbox) -> LiveSandbox:
    """The sandbox as it began."""
    running.control("reset")
    return running


@pytest.fixture
def client(sandbox: LiveSandbox) -> Any:
    return client_of(sandbox)


def client_of(sandbox: LiveSandbox, **options: Any) -> Any:
    app_id, secret = sandbox.credentials
    return HelpScout(app_id, secret, base_url=f"{sandbox.url}/v2/", rate_limit_sleep=0.05, **options)


def newest(client: Any) -> Any:
    """What was created last; the client itself gives no id back."""
    return client.conversations.get(params={"status": "all", "sortField": "number", "sortOrder": "desc", "page": 1})[0]


# Reading -------------------------------------------------------------------------------------------------------------


REPORTS = [one for one in OPERATIONS if one.resource is Resource.REPORTS]


@pytest.mark.parametrize("report", REPORTS, ids=lambda one: one.name)
def test_it_reads_every_report(client: Any, report: AnyOperation) -> None:
    params = {
        "start": "2026-09-01T00:00:00Z", "end": "2026-10-30T23:59:59Z", "user": client.users.get()[0].id,
        "field": "tagid", "fieldid": 1,
    }  # fmt: skip
    told = client.hit(report.path.removeprefix("/v2/"), "get", params=params)
    assert told
    if report.path.endswith("drilldown") and "user" not in report.path:
        assert told[0]["conversations"]["count"] > 0


def test_it_signs_in_once_and_keeps_its_token(client: Any) -> None:
    tokens = [client.access_token]
    for _ in range(3):
        client.mailboxes.get()
        tokens.append(client.access_token)
    assert tokens[0] is None
    assert len(set(tokens[1:])) == 1


def test_wrong_credentials_are_refused_in_its_own_words(sandbox: LiveSandbox) -> None:
    client = HelpScout(sandbox.credentials[0], "wrong", base_url=f"{sandbox.url}/v2/")
    with pytest.raises(HelpScoutAuthenticationException, match="Invalid client authentication"):
        client.conversations.get()


def test_it_lists_all_pages_of_conversations(client: Any, sandbox: LiveSandbox) -> None:
    listed = client.conversations.get(params={"status": "all"})
    merged = CONVERSATIONS - len(listed)
    assert 0 < merged < 5  # lists never show merged conversations
    assert len({one.id for one in listed}) == len(listed) > 7 * 25
    assert {one.status for one in listed} == {"active", "pending", "closed", "spam"}
    assert type(listed[0]).__name__ == "Conversation"
    assert [one.createdAt for one in listed] == sorted((one.createdAt for one in listed), reverse=True)


def test_filters_are_kept_on_every_page(client: Any) -> None:
    listed = client.conversations.get(params="status=closed&sortField=number&sortOrder=asc")
    assert len(listed) > 25
    assert {one.status for one in listed} == {"closed"}
    numbers = [one.number for one in listed]
    assert numbers == sorted(numbers)


def test_it_reads_one_conversation_and_its_threads(client: Any, sandbox: LiveSandbox) -> None:
    id = sandbox.description["examples"]["merged"]["into"]
    shown = client.conversations.get(id)
    assert (shown.id, shown.status in ("active", "pending", "closed")) == (id, True)
    threads = client.conversations[id].threads.get()
    assert shown.threads == len([one for one in threads if one.type != "lineitem" and one.state == "published"])
    assert all(one.body for one in threads if one.type != "lineitem")
    embedded = client.conversations[id].get(params={"embed": "threads"})
    assert [one["id"] for one in embedded._embedded["threads"]] == [one.id for one in threads]


def test_it_follows_a_merged_conversation(client: Any, sandbox: LiveSandbox) -> None:
    merged = sandbox.description["examples"]["merged"]
    assert client.conversations.get(merged["id"]).id == merged["into"]


def test_it_lists_customers_inboxes_users_and_tags(client: Any, sandbox: LiveSandbox) -> None:
    customers = client.customers.get()
    assert len(customers) > 50
    assert len({one.id for one in customers}) == len(customers)
    assert client.customers.get(customers[0].id).firstName == customers[0].firstName
    inboxes = client.mailboxes.get()
    assert [(one.id, one.name) for one in inboxes] == [
        (one["id"], one["name"]) for one in sandbox.description["inboxes"]
    ]
    assert {one.type for one in client.mailboxes[inboxes[0].id].folders.get()} >= {"open", "assigned", "closed", "spam"}
    assert len(client.mailboxes[inboxes[0].id].fields.get()) > 0
    users = client.users.get()
    assert {one.email for one in users} >= {one["email"] for one in sandbox.description["users"]}
    (me,) = client.users.me.get()
    assert me.id == sandbox.description["apps"][0]["user_id"]
    tags = client.tags.get()
    assert len(tags) > 3
    assert {one.name for one in tags} == {one.name for one in client.tags.get()}


def test_what_is_not_there_raises(client: Any) -> None:
    with pytest.raises(HelpScoutException, match="Not found"):
        client.conversations.get(987_654_321)
    with pytest.raises(HelpScoutException, match="Bad request"):
        client.conversations.get(params={"status": "Wrong"})


# Writing -------------------------------------------------------------------------------------------------------------


def test_a_conversation_from_beginning_to_end(client: Any, sandbox: LiveSandbox) -> None:
    inbox, owner = sandbox.description["inboxes"][0], sandbox.description["users"][1]
    customer = {"email": "new@buyer.example", "firstName": "Nora"}
    body = {
        "subject": "A new lamp", "type": "email", "mailboxId": inbox["id"], "status": "active", "customer": customer,
        "threads": [{"type": "customer", "text": "It arrived broken.", "customer": {"email": customer["email"]}}],
        "tags": ["broken"],
    }  # fmt: skip
    assert client.conversations.post(data=body) is None
    made = newest(client)
    assert (made.subject, made.primaryCustomer["first"], made.tags[0]["tag"]) == ("A new lamp", "Nora", "broken")
    one, to = client.conversations[made.id], {"id": made.primaryCustomer["id"]}
    assert one.reply.post(data={"text": "We are sorry.", "customer": to, "status": "pending"}) is None
    assert one.notes.post(data={"text": "Packed badly."}) is None
    assert one.patch(data={"op": "replace", "path": "/assignTo", "value": owner["id"]}) is None
    assert one.patch(data={"op": "replace", "path": "/subject", "value": "A broken lamp"}) is None
    assert one.tags.put(data={"tags": ["broken", "replacement"]}) is None
    shown = client.conversations.get(made.id)
    assert (shown.status, shown.assignee["id"], shown.subject) == ("pending", owner["id"], "A broken lamp")
    assert [tag["tag"] for tag in shown.tags] == ["broken", "replacement"]
    threads = [(thread.type, thread.body) for thread in one.threads.get() if thread.type != "lineitem"]
    assert threads == [
        ("note", "Packed badly."), ("message", "We are sorry."), ("customer", "It arrived broken."),
    ]  # fmt: skip
    assert one.patch(data={"op": "replace", "path": "/status", "value": "closed"}) is None
    assert client.conversations.get(made.id).closedBy == sandbox.description["apps"][0]["user_id"]
    assert one.delete() is None
    with pytest.raises(HelpScoutException, match="Not found"):
        client.conversations.get(made.id)


def test_a_customer_is_created_and_changed(client: Any) -> None:
    body = {"firstName": "Nora", "lastName": "Quill", "emails": [{"type": "work", "value": "nora@buyer.example"}]}
    assert client.customers.post(data=body) is None
    (nora,) = client.customers.get(params={"query": '(email:"nora@buyer.example")'})
    assert client.customers[nora.id].put(data={"firstName": "Nora", "lastName": "Vane"}) is None
    assert client.customers.get(nora.id).lastName == "Vane"


def test_a_refused_write_raises_and_changes_nothing(client: Any) -> None:
    before = newest(client).number
    with pytest.raises(HelpScoutException, match="mailboxId"):
        client.conversations.post(data={"subject": "Nowhere"})
    assert newest(client).number == before


# Tokens that expire --------------------------------------------------------------------------------------------------


def test_an_expired_token_is_renewed(client: Any, sandbox: LiveSandbox) -> None:
    before = len(client.mailboxes.get())
    token = client.access_token
    sandbox.control("clock", {"advance": "3d"})
    assert len(client.mailboxes.get()) == before
    assert client.access_token != token


def test_a_token_that_expires_between_two_pages_is_renewed(client: Any, sandbox: LiveSandbox) -> None:
    pages = client.hit_("conversations", "get", params={"status": "all"})
    first = next(pages)["conversations"]
    token = client.access_token
    sandbox.control("clock", {"advance": "3d"})
    rest = [one for page in pages for one in page["conversations"]]
    assert client.access_token != token
    ids = [one["id"] for one in first + rest]
    assert len(ids) == len(set(ids)) > 7 * 25


def test_a_write_with_an_expired_token_is_done_once(client: Any, sandbox: LiveSandbox) -> None:
    id = sandbox.description["examples"]["merged"]["into"]
    before = len(client.conversations[id].threads.get())
    sandbox.control("clock", {"advance": "3d"})
    client.conversations[id].notes.post(data={"text": "Once."})
    assert len(client.conversations[id].threads.get()) == before + 1


# The rate limit ------------------------------------------------------------------------------------------------------


def spend_all(client: Any, sandbox: LiveSandbox) -> None:
    """Use up the account's units of a minute that has just begun."""
    sandbox.control("clock", {"set": A_MINUTE})
    client.access_token = None
    client.mailboxes.get()
    with requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {client.access_token}"
        for number in range(500):
            if number % 20 == 0:  # the minute stays the same, however slow the machine is
                sandbox.control("clock", {"set": A_MINUTE})
            answer = http.get(f"{sandbox.url}/v2/mailboxes", timeout=30)
            if answer.status_code == 429:
                assert 1 <= int(answer.headers["X-RateLimit-Retry-After"]) <= 60
                return
    raise AssertionError("there was no limit")


def test_over_the_limit_it_raises_when_told_not_to_sleep(sandbox: LiveSandbox) -> None:
    client = client_of(sandbox, sleep_on_rate_limit_exceeded=False)
    spend_all(client, sandbox)
    with pytest.raises(HelpScoutRateLimitExceededException):
        client.users.get()


def test_over_the_limit_it_sleeps_and_goes_on_in_the_next_minute(client: Any, sandbox: LiveSandbox) -> None:
    spend_all(client, sandbox)
    next_minute = threading.Timer(0.5, sandbox.control, ("clock", {"advance": "1m"}))
    began = time.monotonic()
    next_minute.start()
    try:
        assert len(client.users.get()) > 3
    finally:
        next_minute.join()
    assert 0.4 < time.monotonic() - began < 20


def test_a_limit_between_two_pages_is_slept_out(client: Any, sandbox: LiveSandbox) -> None:
    pages = client.hit_("conversations", "get", params={"status": "all"})
    first = next(pages)["conversations"]
    sandbox.control("faults", {"operation": "list_conversations", "status": 429, "times": 2})
    rest = [one for page in pages for one in page["conversations"]]
    assert len({one["id"] for one in first + rest}) > 7 * 25


def test_other_faults_reach_the_caller(client: Any, sandbox: LiveSandbox) -> None:
    sandbox.control("faults", {"operation": "list_tags", "status": 503})
    with pytest.raises(HelpScoutException):
        client.tags.get()
    assert len(client.tags.get()) > 3
    sandbox.control("faults", {"operation": "list_tags", "cut": True})
    with pytest.raises(requests.RequestException):
        client.tags.get()
