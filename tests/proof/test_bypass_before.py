"""What came before opens no door: keys of idempotency, and approvals."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from deskhand.catalogue.problems import Problem
from deskhand.gateway.held_calls import NotReleased, Outcome
from tests.agents import AgentOf, somebody
from tests.proof.bypass_world import OF_THE_ACCOUNT, World
from tests.proof.writing import WHO, later, messages, worker, written
from tests.world import unique

# -- Keys of idempotency


def test_a_key_of_idempotency_is_each_agents_own(world: World) -> None:
    first, second = world.wide, world.narrow
    conversation, elsewhere = world.begin(), world.begin()
    key = {"Idempotency-Key": unique("key")}
    body = {"text": unique("Once "), "customer": WHO}
    path = f"/v2/conversations/{conversation}/reply"
    with world.watched(first, may_see=OF_THE_ACCOUNT, writes=True) as attempt:
        made = attempt.send("POST", path, body, headers=key)
        again = attempt.send("POST", path, body, headers=key)
        assert (made.headers["resource-id"], again.headers["idempotent-replayed"]) == (
            again.headers["resource-id"], "true",
        )  # fmt: skip
        other = attempt.send("POST", f"/v2/conversations/{elsewhere}/reply", body, headers=key)
        assert (other.status, other.reason) == (422, "idempotency_key_reused")
        third = attempt.send("POST", path, body | {"text": "Twice"}, headers=key)
        assert (third.status, third.reason) == (422, "idempotency_key_reused")
    with world.watched(second, writes=True) as attempt:
        answer = attempt.send("POST", f"/v2/conversations/{elsewhere}/reply", body, headers=key)
        assert answer.status == 201
        assert "idempotent-replayed" not in answer.headers
    with world.watched(second) as attempt:
        for bad in ("", "a b", "\u00e9".encode().decode("latin-1"), "x" * 256):
            answer = attempt.send("POST", path, body, headers={"Idempotency-Key": bad})
            assert answer.status == 400, answer.everything


def test_what_was_answered_once_is_not_told_again_after_the_grant_is_gone(world: World) -> None:
    agent, conversation = worker(world), world.begin()
    key = {"Idempotency-Key": unique("key")}
    path, body = f"/v2/conversations/{conversation}/notes", {"text": unique("Once ")}
    assert agent.request("POST", path, json=body, headers=key).status_code == 201
    assert world.desk.patch(
        f"/v2/conversations/{conversation}", {"op": "move", "path": "/mailboxId", "value": world.foreign.inbox}
    ).ok
    with world.watched(agent) as attempt:
        answer = attempt.send("POST", path, body, headers=key)
        assert (answer.status, answer.reason) == (403, "missing_grant")


# -- Approvals


def held(world: World, agent: AgentOf, conversation: int, text: str = "Please wait") -> int:
    body = {"text": unique(text), "customer": WHO}
    answer = agent.post(f"/v2/conversations/{conversation}/reply", body)
    assert answer.status_code == 202, answer.text
    return int(answer.json()["approval_id"])


def approve(world: World, id: int, edited_text: str | None = None) -> Outcome:
    who = somebody(world.home)
    approvals = world.home.server.app.gateway.approvals
    return world.home.server.run(approvals.approve(world.home.account_id, id, who.by, who.words, edited_text))


def test_an_approval_is_used_once_however_many_give_it(world: World) -> None:
    agent, conversation = world.standing("held", **written(world, reply_to_conversation="hold")), world.begin()
    id, mails = held(world, agent, conversation), world.mails()

    def one(_: int) -> str:
        try:
            return approve(world, id).state
        except Problem as problem:
            return str(problem.status)

    with ThreadPoolExecutor(6) as pool:
        found = sorted(pool.map(one, range(6)))
    assert found == ["409"] * 5 + ["executed"]
    assert [state for state, _ in messages(world, conversation)] == ["published"]
    assert world.mails() == mails + 1


AFTERWARDS: list[tuple[str, Callable[[World, AgentOf, int], Any]]] = [
    ("the conversation was moved away", lambda world, agent, id: world.desk.patch(
        f"/v2/conversations/{id}", {"op": "move", "path": "/mailboxId", "value": world.foreign.inbox})),
    ("the customer wrote again", lambda world, agent, id: world.desk.post(
        f"/v2/conversations/{id}/customer", {"text": "Never mind", "customer": WHO})),
    ("somebody answered", lambda world, agent, id: world.desk.post(
        f"/v2/conversations/{id}/reply", {"text": "Done", "customer": WHO, "imported": True})),
    ("somebody closed it", lambda world, agent, id: world.desk.patch(
        f"/v2/conversations/{id}", {"op": "replace", "path": "/status", "value": "closed"})),
    ("it was deleted", lambda world, agent, id: world.desk.delete(f"/v2/conversations/{id}")),
    ("the agent lost its grants", lambda world, agent, id: agent.grant()),
    ("the agent may only draft now", lambda world, agent, id: agent.grant(
        **written(world, reply_to_conversation="draft"))),
    ("the agent may write less now", lambda world, agent, id: agent.grant(
        **written(world, reply_to_conversation="hold"), limits={"max_text": 3})),
    ("the agent is paused", lambda world, agent, id: world.home.server.run(
        world.home.server.app.gateway.administration.agents.pause(somebody(world.home), agent.id))),
    ("the agent was deleted", lambda world, agent, id: world.home.server.run(
        world.home.server.app.gateway.administration.agents.delete(somebody(world.home), agent.id))),
]  # fmt: skip


@pytest.mark.parametrize("change", [one for _, one in AFTERWARDS], ids=[words for words, _ in AFTERWARDS])
def test_an_approval_is_worth_nothing_once(
    world: World, change: Callable[[World, AgentOf, int], Any]
) -> None:  # fmt: skip
    agent, conversation = world.agent(**written(world, reply_to_conversation="hold")), world.begin()
    id, mails = held(world, agent, conversation), world.mails()
    changed = change(world, agent, conversation)
    assert changed is None or getattr(changed, "status_code", 200) < 300, changed.text
    with pytest.raises(Problem):
        approve(world, id)
    assert world.mails() == mails


def test_an_approval_is_worth_nothing_after_a_day(world: World) -> None:
    agent, conversation = world.agent(**written(world, reply_to_conversation="hold")), world.begin()
    id = held(world, agent, conversation)
    with later(world, timedelta(hours=24)), pytest.raises(NotReleased):
        approve(world, id)
    with pytest.raises(NotReleased):
        approve(world, id)
    assert messages(world, conversation) == []


def test_another_text_is_read_as_if_the_agent_had_written_it(world: World) -> None:
    limited = written(world, reply_to_conversation="hold") | {"limits": {"max_text": 30}}
    agent, conversation = world.agent(**limited), world.begin()
    id = held(world, agent, conversation)
    for text in ("x" * 31, "", "a\0b"):
        with pytest.raises(Problem):
            approve(world, id, text)
    assert messages(world, conversation) == []
    assert approve(world, id, "Short").state == "executed"
    assert messages(world, conversation) == [("published", "Short")]


def test_what_is_held_can_not_be_changed_by_holding_it_again(world: World) -> None:
    agent, conversation = world.standing("held", **written(world, reply_to_conversation="hold")), world.begin()
    body = {"text": unique("First "), "customer": WHO}
    path = f"/v2/conversations/{conversation}/reply"
    first = agent.post(path, body).json()["approval_id"]
    assert agent.post(path, body).json()["approval_id"] == first
    assert agent.post(path, body | {"text": "Second"}).json()["approval_id"] != first
    assert approve(world, first).state == "executed"
    assert messages(world, conversation) == [("published", body["text"])]
