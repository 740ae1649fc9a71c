"""Access that has ended: keys, tokens, pauses, the kill switch and grants, also while an agent writes without pause."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests

from deskhand.lib.clock import to_wire
from tests.agents import AgentOf, somebody
from tests.proof.bypass_world import World, everything_in
from tests.proof.writing import begun, later, worker
from tests.world import unique

# -- Keys, pauses, the kill switch


def refused(world: World, agent: AgentOf, status: int, reason: str | None) -> None:
    """Reading and writing are both refused, for this reason, and change nothing."""
    with world.watched(agent) as attempt:
        for answer in (
            attempt.get(f"/v2/conversations/{world.own.conversation}"),
            attempt.send("POST", f"/v2/conversations/{world.own.conversation}/notes", {"text": unique("late")}),
            attempt.get(f"/v2/conversations/{world.foreign.conversation}"),
        ):
            assert (answer.status, answer.reason) == (status, reason), answer.everything


def test_the_key_of_a_deleted_agent_is_no_key(world: World) -> None:
    agent, verbs = worker(world), world.home.server.app.gateway.administration
    world.home.server.run(verbs.agents.delete(somebody(world.home), agent.id))
    refused(world, agent, 401, None)


def test_a_revoked_key_and_one_that_expired_are_no_keys(world: World) -> None:
    agent, server = worker(world), world.home.server
    verbs, who = server.app.gateway.administration, somebody(world.home)
    [key] = server.run(verbs.agents.one(who.account_id, agent.id)).keys
    second = server.run(verbs.credentials.add_key(who, agent.id, to_wire(server.clock.now() + timedelta(minutes=5))))
    server.run(verbs.credentials.revoke_key(who, agent.id, key.id))
    refused(world, agent, 401, None)
    agent.key = second.key
    assert agent.get("/v2/mailboxes").status_code == 200
    with later(world, timedelta(minutes=6)):
        refused(world, agent, 401, None)


def test_a_token_ends_with_the_agents_secret_and_with_its_time(world: World) -> None:
    agent, server = worker(world), world.home.server
    form = {"grant_type": "client_credentials", "client_id": agent.client_id, "client_secret": agent.client_secret}

    def token() -> requests.Response:
        return requests.post(server.url + "/v2/oauth2/token", data=form, timeout=30)

    agent.key = token().json()["access_token"]
    assert agent.get("/v2/mailboxes").status_code == 200
    with later(world, timedelta(days=3)):
        refused(world, agent, 401, None)
    agent.key = token().json()["access_token"]
    server.run(server.app.gateway.administration.credentials.renew_secret(somebody(world.home), agent.id))
    refused(world, agent, 401, None)
    assert token().status_code in (400, 401)


def test_a_paused_agent_does_nothing(world: World) -> None:
    agent, server = worker(world), world.home.server
    verbs, who = server.app.gateway.administration, somebody(world.home)
    server.run(verbs.agents.pause(who, agent.id))
    refused(world, agent, 403, "paused")
    agent.grant(resources=everything_in(world.own.inbox))
    refused(world, agent, 403, "paused")


@pytest.mark.parametrize("scope", ["agent", "all", "writes", "inbox_writes"])
def test_the_kill_switch_stops(world: World, scope: Any) -> None:
    agent, server = worker(world), world.home.server
    verbs, who = server.app.gateway.administration, somebody(world.home)
    target = {"agent": agent.id, "inbox_writes": world.own.inbox}.get(scope)
    stop = server.run(verbs.stops.add(who, scope, target))
    try:
        if scope in ("agent", "all"):
            refused(world, agent, 403, "stopped")
        with world.watched(agent) as attempt:
            own, note = world.own, {"text": "x"}
            writes = [
                attempt.send("POST", f"/v2/conversations/{own.conversation}/notes", note),
                attempt.send("PUT", f"/v2/conversations/{own.conversation}/tags", {"tags": ["x"]}),
                attempt.send("POST", f"/v2/workflows/{own.workflow}/run", {"conversationIds": [own.conversation]}),
                attempt.send("POST", "/v2/conversations", begun(world)),
                attempt.send("PUT", f"/v2/customers/{own.customer}", {"firstName": "x"}),
                attempt.send("POST", f"/v2/mailboxes/{own.inbox}/saved-replies", {"name": "x", "text": "x"}),
                attempt.send("PUT", f"/v2/webhooks/{own.webhook}", {}),
                attempt.send("DELETE", f"/v2/conversations/{own.conversation}"),
            ]
            for one in writes:
                # A remote desk's workflow may do anything anywhere, so that running one is refused in any case.
                assert one.reason in ("stopped", "missing_grant" if world.remote else "stopped") or one.status == 400
    finally:
        server.run(verbs.stops.lift(who, stop.id))
    assert agent.get(f"/v2/conversations/{world.own.conversation}").status_code == 200


def test_grants_that_were_taken_away_or_ended_are_gone_at_once(world: World) -> None:
    agent = worker(world)
    agent.grant(resources={"conversations": {"level": "off"}})
    with world.watched(agent) as attempt:
        assert attempt.get(f"/v2/conversations/{world.own.conversation}").reason == "missing_grant"
    ends = to_wire(world.home.server.clock.now() + timedelta(minutes=5))
    agent.grant(resources=everything_in(world.own.inbox), expires_at=ends)
    assert agent.get(f"/v2/conversations/{world.own.conversation}").status_code == 200
    with later(world, timedelta(minutes=6)):
        refused(world, agent, 403, "missing_grant")


# -- Races


Sent = list[tuple[float, int, str, int]]
"""Notes: when each was begun, where, its text, and the status it was answered with."""


def flooding(agent: AgentOf, conversations: list[int], until: threading.Event, sent: Sent) -> None:
    """Write notes until it is enough."""
    with requests.Session() as http:
        while not until.is_set():
            for conversation in conversations:
                began, text = time.monotonic(), unique("Flood ")
                answer = http.post(
                    f"{agent.desk.server.url}/v2/conversations/{conversation}/notes", json={"text": text},
                    headers={"Authorization": f"Bearer {agent.key}"}, timeout=30,
                )  # fmt: skip
                sent.append((began, conversation, text, answer.status_code))


def flooded(agent: AgentOf, conversations: list[int], change: Callable[[], Any]) -> tuple[float, Sent]:
    """Let three clients write while something is changed; when that was done, and all they sent."""
    until, sent = threading.Event(), Sent()
    with ThreadPoolExecutor(3) as pool:
        clients = [pool.submit(flooding, agent, conversations, until, sent) for _ in range(3)]
        try:
            soon(lambda: len(sent) >= 3)
            change()
            done = time.monotonic()
            soon(lambda: any(began > done for began, *_ in sent))
        finally:
            until.set()
        for client in clients:
            client.result(60)
        return done, sent


def soon(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_after_a_key_is_revoked_no_write_begins(world: World) -> None:
    agent, server = worker(world), world.home.server
    verbs, who = server.app.gateway.administration, somebody(world.home)
    [key] = server.run(verbs.agents.one(who.account_id, agent.id)).keys
    conversations = [world.begin() for _ in range(2)]
    done, sent = flooded(agent, conversations, lambda: server.run(verbs.credentials.revoke_key(who, agent.id, key.id)))
    assert {status for began, _, _, status in sent if began > done} == {401}
    there = {one["body"] for id in conversations for one in world.threads(id) if one["type"] == "note"}
    assert there == {text for _, _, text, status in sent if status == 201} & there
    assert not there & {text for began, _, text, _ in sent if began > done}


def test_after_the_kill_switch_no_write_begins(world: World) -> None:
    agent, server = worker(world), world.home.server
    verbs, who = server.app.gateway.administration, somebody(world.home)
    stops: list[Any] = []
    conversations = [world.begin()]
    try:
        done, sent = flooded(
            agent, conversations, lambda: stops.append(server.run(verbs.stops.add(who, "agent", agent.id)))
        )  # fmt: skip
    finally:
        server.run(verbs.stops.lift(who, stops[0].id))
    assert {status for began, _, _, status in sent if began > done} == {403}


def test_nothing_is_written_in_a_conversation_once_it_has_moved_away(world: World) -> None:
    """In one process that holds to the row; over the wire some milliseconds are left between looking and writing."""
    agent, conversation = worker(world), world.begin()
    away = {"op": "move", "path": "/mailboxId", "value": world.foreign.inbox}

    def move() -> None:
        assert world.desk.patch(f"/v2/conversations/{conversation}", away).ok

    done, sent = flooded(agent, [conversation], move)
    statuses = {status for began, _, _, status in sent if began > done}
    assert statuses == {403}
    order = [one["type"] for one in reversed(world.threads(conversation))]
    if not world.remote and "lineitem" in order:
        assert "note" not in order[order.index("lineitem") :]
