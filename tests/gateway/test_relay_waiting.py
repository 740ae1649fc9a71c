"""Calls that had to wait, or could not be logged: what was decided before must not be carried out after all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from deskhand.db.engine import Unavailable
from deskhand.gateway.audit import AuditUnavailable
from tests.agents import AgentOf, add_agent, log_of, somebody
from tests.world import Desk

Act = Callable[[Desk, AgentOf], Awaitable[Any]]
WRITES = {"conversations": {"level": "write"}, "threads": {"level": "write"}}


def begun(desk: Desk) -> int:
    customer = {"email": "ann@a.example"}
    body = {
        "subject": "My order", "type": "email", "mailboxId": desk.add_inbox(), "status": "active", "customer": customer,
        "threads": [{"type": "customer", "text": "Where is my lamp?", "customer": customer}],
    }  # fmt: skip
    return int(desk.post("/v2/conversations", body).headers["Resource-ID"])


def writes(agent: AgentOf, conversation: int, key: str | None = None) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return agent.request("PUT", f"/v2/conversations/{conversation}/tags", json={"tags": ["vip"]}, headers=headers)


def tags(desk: Desk, conversation: int) -> list[str]:
    return [one["tag"] for one in desk.get(f"/v2/conversations/{conversation}").json()["tags"]]


def verbs(desk: Desk) -> Any:
    return desk.server.app.gateway.administration


async def stop_all(desk: Desk, agent: AgentOf) -> None:
    await verbs(desk).stops.add(somebody(desk), "all")


async def pause(desk: Desk, agent: AgentOf) -> None:
    await verbs(desk).agents.pause(somebody(desk), agent.id)


async def delete(desk: Desk, agent: AgentOf) -> None:
    await verbs(desk).agents.delete(somebody(desk), agent.id)


async def regrant(desk: Desk, agent: AgentOf) -> None:
    await verbs(desk).grants.put(somebody(desk), agent.id, {})


async def revoke(desk: Desk, agent: AgentOf) -> None:
    (key,) = (await verbs(desk).agents.one(desk.account_id, agent.id)).keys
    await verbs(desk).credentials.revoke_key(somebody(desk), agent.id, key.id)


@pytest.mark.parametrize(
    ("act", "status", "reason"),
    [
        (stop_all, 403, "stopped"), (pause, 403, "paused"), (revoke, 429, "budget"), (delete, 429, "budget"),
        (regrant, 429, "budget"),
    ],
)  # fmt: skip
def test_what_ends_an_agent_s_access_ends_calls_that_stand_in_line(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, act: Act, status: int, reason: str
) -> None:
    """A call waits up to two seconds for its units; the kill switch takes one."""
    agent, conversation = add_agent(desk, resources=WRITES), begun(desk)
    budget = desk.server.app.gateway.budget
    admit = budget.admit

    async def later(*given: Any, **more: Any) -> Any:
        spent = await admit(*given, **more)
        await act(desk, agent)
        await asyncio.sleep(0.6)
        return spent

    monkeypatch.setattr(budget, "admit", later)
    answer = writes(agent, conversation)
    monkeypatch.undo()
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert tags(desk, conversation) == []
    assert log_of(desk, agent=agent.id, decision="refused")[0].reason == reason
    desk.server.run(verbs(desk).stops.lift_all(somebody(desk)))


def test_a_call_that_waited_goes_on_where_nothing_changed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    agent, conversation = add_agent(desk, resources=WRITES), begun(desk)
    budget = desk.server.app.gateway.budget
    admit = budget.admit

    async def later(*given: Any, **more: Any) -> Any:
        await asyncio.sleep(0.6)
        return await admit(*given, **more)

    monkeypatch.setattr(budget, "admit", later)
    started = time.monotonic()
    assert writes(agent, conversation).status_code == 204
    assert time.monotonic() - started >= 0.6


@pytest.mark.parametrize("setting", ["hold", "allow"])
def test_a_call_that_could_not_be_logged_may_come_again_with_its_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    agent, conversation = add_agent(desk, resources=WRITES, actions={"set_conversation_tags": setting}), begun(desk)
    audit = desk.server.app.gateway.audit

    async def full(entry: Any) -> int:
        raise AuditUnavailable("the disk is full")

    monkeypatch.setattr(audit, "decided", full)
    answer = writes(agent, conversation, "k1")
    assert (answer.status_code, answer.json()["reason"]) == (503, "audit_unavailable")
    monkeypatch.undo()
    assert writes(agent, conversation, "k1").status_code == (202 if setting == "hold" else 204)


def test_while_nothing_can_be_written_calls_with_a_key_are_told_so_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key is written down before the call is logged, so that the log is not the first to fail."""
    agent, conversation = add_agent(desk, resources=WRITES), begun(desk)

    async def away(work: Any) -> Any:
        raise Unavailable("database is locked")

    monkeypatch.setattr(desk.server.app.database, "write", away)
    answer = writes(agent, conversation, "k1")
    monkeypatch.undo()
    assert (answer.status_code, answer.json()["reason"]) == (503, "audit_unavailable")
    assert answer.headers["Deskhand-Decision"] == "refused"
    assert tags(desk, conversation) == []
