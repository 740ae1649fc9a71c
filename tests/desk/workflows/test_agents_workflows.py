"""Agents do by workflows nothing that they might not do themselves."""

from __future__ import annotations

from typing import Any

import pytest

from deskhand.desk.workflows.actions import AddTags, CallWebhook, Move, Reply, Snooze
from tests.agents import add_agent
from tests.desk.conversations.builders import created, start, threads
from tests.desk.workflows.waiting import REFUND, automatic, saved, tag, tags
from tests.world import Desk


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def test_an_agent_runs_only_what_it_might_do_itself(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    hook = {"url": "http://127.0.0.1:9/", "events": ["convo.merged"], "secret": "x"}
    webhook = created(desk.post("/v2/webhooks", hook))
    answering = desk.add_workflow(inbox, Reply(saved(desk, inbox)), Snooze(1, "days"))
    calling = desk.add_workflow(inbox, CallWebhook(webhook))
    held: dict[str, Any] = {
        name: {"level": "write", "inboxes": [inbox]} for name in ("conversations", "threads", "workflows")
    }
    agent = add_agent(desk, resources=held, actions={"reply_to_conversation": "off"})

    def run(workflow: int) -> Any:
        return agent.post(f"/v2/workflows/{workflow}/run", {"conversationIds": [id]})

    assert (run(answering).status_code, run(calling).status_code) == (403, 403)
    agent.grant(resources=held)
    assert (run(answering).status_code, run(calling).status_code) == (204, 403)
    agent.grant(resources=held | {"webhooks": {"level": "write", "inboxes": [inbox]}})
    assert run(calling).status_code == 204
    switching = automatic(desk, inbox, REFUND, Reply(saved(desk, inbox)))
    agent.grant(resources=held, actions={"reply_to_conversation": "off"})
    off = {"op": "replace", "path": "/status", "value": "inactive"}
    assert agent.patch(f"/v2/workflows/{switching}", off).status_code == 403
    agent.grant(resources=held)
    assert agent.patch(f"/v2/workflows/{switching}", off).status_code == 204


def test_an_agent_does_by_a_workflow_nothing_beyond_its_limits(desk: Desk, inbox: int) -> None:
    id, vip = start(desk, inbox), tag(desk, inbox, "vip")
    tagging = desk.add_workflow(inbox, AddTags([vip]))
    switching = automatic(desk, inbox, REFUND, AddTags([vip]), status="inactive")
    held: dict[str, Any] = {
        name: {"level": "write", "inboxes": [inbox]} for name in ("conversations", "threads", "workflows")
    }
    on = {"op": "replace", "path": "/status", "value": "active"}
    agent = add_agent(desk, resources=held, limits={"tags": ["lamp"]})

    def answers() -> tuple[int, int]:
        ran = agent.post(f"/v2/workflows/{tagging}/run", {"conversationIds": [id]})
        return ran.status_code, agent.patch(f"/v2/workflows/{switching}", on).status_code

    assert answers() == (403, 403)
    limited = {"set_conversation_tags": {"setting": "allow", "limits": {"tags": ["lamp"]}}}
    agent.grant(resources=held, actions=limited)
    assert answers() == (403, 403)
    assert tags(desk, id) == set()
    agent.grant(resources=held, limits={"statuses": ["pending"]})  # which tagging has nothing to do with
    assert answers() == (204, 204)


def test_an_agent_replies_by_a_workflow_only_in_inboxes_where_it_may(desk: Desk, inbox: int) -> None:
    sales = desk.add_inbox("Sales")
    id = start(desk, inbox)
    workflow = desk.add_workflow(inbox, Move(sales), Reply(saved(desk, sales)))
    both: dict[str, Any] = {
        name: {"level": "write", "inboxes": [inbox, sales]} for name in ("conversations", "workflows")
    }
    agent = add_agent(desk, resources=both | {"threads": {"level": "write", "inboxes": [inbox]}})
    run = {"conversationIds": [id]}
    assert agent.post(f"/v2/workflows/{workflow}/run", run).status_code in (403, 404)
    assert [one.type for one in threads(desk, id)] == ["customer"]
