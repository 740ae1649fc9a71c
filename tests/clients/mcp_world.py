"""What MCP clients meet: a live desk with two inboxes, and an agent that drafts in one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.agents import AgentOf, add_agent, log_of, somebody
from tests.entrance.rpc import add_conversation
from tests.live import LiveServer
from tests.world import Desk, open_desk


@dataclass
class World:
    """The drafter of the first inbox, a conversation there, and one that it must not see."""

    desk: Desk
    agent: AgentOf
    conversation_id: int
    foreign_id: int

    @property
    def url(self) -> str:
        return self.desk.server.url

    def approve(self, approval_id: int) -> dict[str, Any]:
        """Let a held call go, as an administrator's program does."""
        made = self.desk.server.run(
            self.desk.server.app.gateway.administration.tokens.make(somebody(self.desk), "Test")
        )
        url = f"{self.url}/admin/v1/approvals/{approval_id}/approve"
        answer = requests.post(url, json={}, headers={"Authorization": f"Bearer {made.token}"}, timeout=30)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def tags(self) -> list[str]:
        return [tag["tag"] for tag in self.desk.get(f"/v2/conversations/{self.conversation_id}").json()["tags"]]

    def drafts(self) -> list[str]:
        """The texts of unsent replies, the newest first."""
        found = self.desk.get(f"/v2/conversations/{self.conversation_id}/threads").json()["_embedded"]["threads"]
        return [thread["body"] for thread in found if thread["state"] == "draft"]

    def doors(self) -> set[str | None]:
        """The doors by which the agent's logged calls came."""
        return {one.door for one in log_of(self.desk, agent=self.agent.id) if one.decision}


@contextmanager
def live_world(folder: Path) -> Iterator[World]:
    """A world on a server of its own."""
    live = LiveServer(folder)
    try:
        desk = open_desk(live)
        inbox_id, other = desk.add_inbox("Orders"), desk.add_inbox("Products")
        agent = add_agent(desk, preset="drafter", inboxes=[inbox_id])
        own = add_conversation(desk, inbox_id, "<p>Where is it?</p>", "And when?")
        yield World(desk, agent, own, add_conversation(desk, other))
    finally:
        live.stop()
