"""The whole way: agents with presets work on one inbox of a second Deskhand, through the gateway's doors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from deskhand.gateway import admin_tokens
from deskhand.gateway.administering.who import Who
from deskhand.gateway.audit import By
from deskhand.gateway.connections import read_given
from deskhand.gateway.passing_back import relinked
from tests.desk.conversations.builders import add, merge, start, threads
from tests.gateway.fake_desk import FakeDesk, Says, error, faking
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique


@dataclass
class Agent:
    """An agent as its client sees the world."""

    url: str
    key: str

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        url = path if path.startswith("http") else self.url + path
        return requests.request(
            method, url, json=body, params=params, headers=headers, timeout=30, allow_redirects=False
        )  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The account that has agents; its own desk has nothing to do with it."""
    live = LiveServer(tmp_path_factory.mktemp("here"))
    yield open_desk(live)
    live.stop()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    live = LiveServer(tmp_path_factory.mktemp("there"))
    yield open_desk(live, rate_limit=400)
    live.stop()


def agent_on(here: Desk, base_url: str, client_id: str, client_secret: str, **made: Any) -> Agent:
    parts = here.server.app.gateway
    given = read_given({"name": "There", "base_url": base_url, "client_id": client_id, "client_secret": client_secret})
    who = Who(here.account_id, By("command_line"), "A test")

    async def make() -> Any:
        connection = await parts.remotes.connections.make(here.account_id, given)
        name = f"Drafter {connection.id}"
        return await parts.administration.agents.create(who, name, connection_id=connection.id, **made)

    return Agent(here.server.url, here.server.run(make()).key)


def begun(desk: Desk, inbox: int) -> int:
    return start(desk, inbox, subject="Where is it?")


def test_a_drafter_reads_its_inbox_drafts_replies_and_waits_with_tags(here: Desk, there: Desk) -> None:
    own, other = there.add_inbox("Orders"), there.add_inbox("Returns")
    mine, foreign = begun(there, own), begun(there, other)
    agent = agent_on(
        here, there.server.url, there.client_id, there.client_secret, preset="drafter", inboxes=[own]
    )  # fmt: skip
    page = agent.ask("GET", "/v2/conversations", status="all").json()
    assert [one["id"] for one in page["_embedded"]["conversations"]] == [mine]
    assert there.server.url not in json.dumps(page["_links"])
    followed = agent.ask("GET", page["_embedded"]["conversations"][0]["_links"]["threads"]["href"])
    assert followed.status_code == 200 and followed.url.startswith(here.server.url)

    refusals = [agent.ask("GET", f"/v2/conversations/{id}") for id in (foreign, 10**12)]
    assert [one.status_code for one in refusals] == [403, 403]
    bodies = [one.json() for one in refusals]
    assert [{**body, "logRef": ""} for body in bodies] == [{**bodies[0], "logRef": ""}] * 2

    customer = page["_embedded"]["conversations"][0]["primaryCustomer"]["id"]
    drafted = agent.ask("POST", f"/v2/conversations/{mine}/reply", {"text": "On its way", "customer": {"id": customer}})
    assert drafted.status_code == 201, drafted.text
    made = next(one for one in threads(there, mine) if one.id == int(drafted.headers["Resource-ID"]))
    assert made.state == "draft"
    assert drafted.headers["Location"].startswith(here.server.url)
    assert drafted.headers["X-RateLimit-Limit-Minute"] == "400"

    deleting = agent.ask("DELETE", f"/v2/conversations/{mine}")
    assert (deleting.status_code, deleting.json()["reason"]) == (403, "missing_grant")
    waiting = agent.ask("PUT", f"/v2/conversations/{mine}/tags", {"tags": ["vip"]})
    assert (waiting.status_code, waiting.json()["state"]) == (202, "held")
    assert tags(there, mine) == []
    let_go = approve(here, waiting.json()["approval_id"])
    assert (let_go.status_code, let_go.json()["state"]) == (200, "executed"), let_go.text
    assert tags(there, mine) == ["vip"]


def tags(desk: Desk, id: int) -> list[str]:
    return [one["tag"] for one in desk.get(f"/v2/conversations/{id}").json()["tags"]]


def approve(here: Desk, id: int) -> requests.Response:
    token = here.write(lambda tx: admin_tokens.create(tx, here.account_id, unique("Tests"), datetime.now(UTC))).token
    url = f"{here.server.url}/admin/v1/approvals/{id}/approve"
    return requests.post(url, json={}, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def test_what_waits_is_not_done_once_the_customer_wrote(here: Desk, there: Desk) -> None:
    own = there.add_inbox("Waiting")
    mine = begun(there, own)
    agent = agent_on(here, there.server.url, there.client_id, there.client_secret, preset="drafter", inboxes=[own])
    waiting = agent.ask("PUT", f"/v2/conversations/{mine}/tags", {"tags": ["vip"]})
    customer = there.get(f"/v2/conversations/{mine}").json()["primaryCustomer"]["id"]
    assert add(there, mine, "customer", customer={"id": customer}, text="Never mind").status_code == 201
    assert approve(here, waiting.json()["approval_id"]).status_code == 409
    assert tags(there, mine) == []


def test_merged_conversations_lead_on_through_the_gateway(here: Desk, there: Desk) -> None:
    own = there.add_inbox("Merging")
    gone, left = begun(there, own), begun(there, own)
    merge(there, gone, left)
    agent = agent_on(here, there.server.url, there.client_id, there.client_secret, preset="reader", inboxes=[own])
    answer = agent.ask("GET", f"/v2/conversations/{gone}")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{here.server.url}/v2/conversations/{left}")


def test_what_can_not_be_narrowed_is_refused_and_says_so(here: Desk, there: Desk) -> None:
    agent = agent_on(
        here, there.server.url, there.client_id, there.client_secret, preset="reader", inboxes=[there.add_inbox()]
    )  # fmt: skip
    answer = agent.ask("GET", "/v3/customers")
    assert (answer.status_code, answer.json()["reason"]) == (403, "unanswerable")


def test_links_lead_here_but_for_those_of_another_host() -> None:
    def linked(url: str) -> bytes:
        return json.dumps({"_links": {"next": {"href": url}}, "text": f"see {url}"}).encode()

    there, here = "http://127.0.0.1:80", "https://gateway.example"
    for rest in ("/v2/tags", "", "?page=2", "{?page}"):
        assert relinked(linked(there + rest), there, here).count(here.encode()) == 1
    for other in (f"{there}80/v2/tags", f"{there}.example/v2/tags"):
        assert relinked(linked(other), there, here) == linked(other)


@pytest.fixture
def fake() -> Iterator[FakeDesk]:
    with faking() as fake:
        yield fake


@pytest.mark.parametrize(
    ("says", "status"), [(error(500), 502), (error(401), 502), (Says(body=b"<html>"), 502), (Says(cut=True), 502)]
)
def test_a_desk_that_is_not_well_is_the_gateways_affair(here: Desk, fake: FakeDesk, says: Says, status: int) -> None:
    fake.answer = lambda _: says
    for preset, inboxes in (("reader", "all"), ("reader", [501])):  # found out by the call itself, or by the look-up
        agent = agent_on(here, fake.url, "client", "secret", preset=preset, inboxes=inboxes)
        answer = agent.ask("GET", "/v2/conversations/5")
        assert (answer.status_code, answer.json()["reason"]) == (status, "upstream")
        assert "WWW-Authenticate" not in answer.headers


def test_a_conversation_that_moves_after_the_look_up_is_answered_like_a_foreign_one(here: Desk, fake: FakeDesk) -> None:
    def conversation(inbox: int) -> Says:
        return Says(
            content={"id": 5, "number": 1, "mailboxId": inbox, "status": "active", "subject": "hush", "threads": 1}
        )

    def moving(_: Any) -> Says:
        return conversation(501 if len(fake.calls("/v2/conversations/5")) == 1 else 502)

    fake.answer = moving
    agent = agent_on(here, fake.url, "client", "secret", preset="reader", inboxes=[501])
    moved = agent.ask("GET", "/v2/conversations/5")
    fake.answer = lambda _: conversation(502)
    foreign = agent.ask("GET", "/v2/conversations/5")
    assert (moved.status_code, foreign.status_code) == (403, 403)
    assert {**moved.json(), "logRef": ""} == {**foreign.json(), "logRef": ""}
    assert b"hush" not in moved.content


def test_a_foreign_and_an_unknown_conversation_take_the_same_requests(here: Desk, fake: FakeDesk) -> None:
    page = {"size": 50, "totalElements": 1, "totalPages": 1, "number": 1}

    def answer(asked: Any) -> Says:
        if asked.path == "/v2/mailboxes":
            return Says(content={"_embedded": {"mailboxes": [{"id": 502, "name": "Returns"}]}, "page": page})
        foreign = asked.path == "/v2/conversations/5"
        return Says(content={"id": 5, "number": 1, "mailboxId": 502}) if foreign else error(404)

    fake.answer = answer
    took = []
    for id in (5, 6):  # for each the gateway knows nothing yet
        agent = agent_on(here, fake.url, "client", "secret", preset="reader", inboxes=[501])
        fake.asked.clear()
        assert agent.ask("GET", f"/v2/conversations/{id}").status_code == 403
        took.append([one.path.replace(str(id), "id") for one in fake.calls()])
    assert sorted(took[0]) == sorted(took[1])
