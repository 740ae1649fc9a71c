"""What the tests of agents that write share: who they are, what they may do, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from tests.agents import AgentOf
from tests.proof.bypass_world import BOTH, World, everything_in

WHO = {"email": BOTH}


def written(world: World, **actions: Any) -> dict[str, Any]:
    """Grants to write in the own inbox, with settings of actions."""
    return {"resources": everything_in(world.own.inbox), "actions": actions}


def worker(world: World) -> AgentOf:
    """An agent that could read and write until just now."""
    agent = world.agent(resources=everything_in(world.own.inbox))
    assert agent.get(f"/v2/conversations/{world.own.conversation}").status_code == 200
    return agent


def begun(world: World, customer: Any = None, threads: Any = None) -> dict[str, Any]:
    """A new conversation that names somebody as its customer, or as a thread's."""
    thread = {"type": "phone", "text": "x", "customer": threads or WHO}
    return {
        "subject": "x", "type": "email", "mailboxId": world.own.inbox, "status": "active", "customer": customer or WHO,
        "threads": [thread],
    }  # fmt: skip


def messages(world: World, conversation: int) -> list[tuple[str, str]]:
    """The replies of a conversation: their state and text, the newest first."""
    return [(one["state"], one["body"]) for one in world.threads(conversation) if one["type"] == "message"]


@contextmanager
def later(world: World, by: timedelta) -> Iterator[None]:
    """So much later, for the gateway; afterwards it is now again."""
    clock = world.home.server.clock
    clock.advance(by)
    try:
        yield
    finally:
        clock.advance(-by)
