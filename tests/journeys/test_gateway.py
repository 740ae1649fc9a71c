"""An agent with the preset drafter on one inbox, from its making to the story in the log: here, and on a remote desk.

It is driven by an unmodified Help Scout client and by the official MCP client.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests
from helpscout.client import HelpScout
from helpscout.exceptions import HelpScoutException
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from deskhand.gateway.verifying import verify_file
from tests.agents import somebody
from tests.live import LiveServer
from tests.world import Desk, open_desk


@dataclass
class Story:
    """The gateway's account, the desk that its agent works on, and an administrator's token."""

    gateway: Desk
    desk: Desk
    admin_token: str
    connection_id: int | None
    orders: int
    billing: int

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the administration, which must succeed."""
        url = f"{self.gateway.server.url}/admin/v1{path}"
        answer = requests.request(
            method, url, json=body, headers={"Authorization": f"Bearer {self.admin_token}"}, timeout=30
        )
        assert answer.ok, answer.text
        return answer.text if path.startswith("/audit/export") else answer.json()

    def conversation(self, inbox: int, subject: str) -> int:
        """A customer writes."""
        customer = {"email": "ann@buyer.example"}
        body = {
            "subject": subject, "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
            "threads": [{"type": "customer", "text": f"{subject}, please.", "customer": customer}],
        }  # fmt: skip
        return int(self.desk.post("/v2/conversations", body).headers["Resource-ID"])


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A second Deskhand, which stands for any remote desk."""
    live = LiveServer(tmp_path_factory.mktemp("elsewhere"))
    yield live
    live.stop()


@pytest.fixture(params=["here", "remote"])
def story(request: pytest.FixtureRequest, desk: Desk, elsewhere: LiveServer) -> Story:
    gateway = desk.server.app.gateway
    token = desk.server.run(gateway.administration.tokens.make(somebody(desk), "ops")).token
    story = Story(desk, desk, token, None, 0, 0)
    if request.param == "remote":
        story.desk = open_desk(elsewhere)
        given = {
            "name": "Elsewhere", "base_url": elsewhere.url,
            "client_id": story.desk.client_id, "client_secret": story.desk.client_secret,
        }  # fmt: skip
        story.connection_id = story.admin("POST", "/connections", given)["id"]
    story.orders, story.billing = story.desk.add_inbox("Orders"), story.desk.add_inbox("Billing")
    return story


def test_a_drafter_works_in_its_inbox_and_the_log_tells_it_as_a_story(story: Story, tmp_path: Path) -> None:
    own, foreign = story.conversation(story.orders, "Where is my lamp"), story.conversation(story.billing, "My bill")
    made = story.admin(
        "POST", "/agents", {"name": "Drafter", "preset": "drafter", "inboxes": [story.orders]} | _there(story)
    )
    client = HelpScout(made["client_id"], made["client_secret"], base_url=f"{story.gateway.server.url}/v2/")

    # It reads its inbox and can't see the other.
    assert [one.id for one in client.conversations.get(params={"status": "all"})] == [own]
    assert [one.name for one in client.mailboxes.get()] == ["Orders"]
    for id in (foreign, 987654321):
        with pytest.raises(HelpScoutException, match="may not read conversations"):
            client.conversations.get(resource_id=id)

    # Its reply becomes a draft, whatever it asks for.
    client.conversations[own].reply.post(
        data={"text": "It left us today.", "customer": {"email": "ann@buyer.example"}, "draft": False}
    )
    newest = story.desk.get(f"/v2/conversations/{own}/threads").json()["_embedded"]["threads"][0]
    assert (newest["body"], newest["state"]) == ("It left us today.", "draft")

    # By MCP it is the same agent, with the same answers.
    refused, held = story.gateway.server.run(_by_mcp(story, made["key"], own))
    assert refused.is_error
    assert json.loads(refused.content[0].text)["reason"] in ("missing_grant", "unknown_operation")
    assert held.structured_content["state"] == "held"
    assert story.desk.get(f"/v2/conversations/{own}").json()["tags"] == []

    # A person lets the change of tags go.
    [waiting] = story.admin("GET", "/approvals?state=waiting")["approvals"]
    assert waiting["id"] == held.structured_content["approval_id"]
    outcome = story.admin("POST", f"/approvals/{waiting['id']}/approve", {})
    assert (outcome["state"], outcome["status"]) == ("executed", 204)
    assert [tag["tag"] for tag in story.desk.get(f"/v2/conversations/{own}").json()["tags"]] == ["vip"]

    # The log reads as a story, and it is whole.
    number = story.desk.get(f"/v2/conversations/{own}").json()["number"]
    told = [one["sentence"] for one in reversed(story.admin("GET", f"/audit?agent={made['id']}")["entries"])]
    for sentence in (
        "Drafter was allowed to list conversations in Orders",
        f"Drafter was allowed to reply to conversation #{number} in Orders, as a draft",
        f"Drafter was refused to delete conversation #{number} in Orders: "
        "its access to conversations is read, deleting needs full",
        f"Drafter asks to set the tags of conversation #{number} in Orders",
        f"Drafter was allowed to set the tags of conversation #{number} in Orders",
    ):
        assert sentence in told, "\n".join(told)
    assert story.admin("GET", "/audit/verify")["ok"]
    export = tmp_path / "chain.jsonl"
    export.write_text(story.admin("GET", "/audit/export?format=jsonl"))
    assert verify_file(export).ok


def _there(story: Story) -> dict[str, Any]:
    return {} if story.connection_id is None else {"connection_id": story.connection_id}


async def _by_mcp(story: Story, key: str, conversation: int) -> tuple[Any, Any]:
    """A deletion and a change of tags through the official client."""
    headers = {"Authorization": f"Bearer {key}"}
    url = f"{story.gateway.server.url}/mcp"
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        streamable_http_client(url, http_client=http) as streams,
        ClientSession(*streams[:2]) as session,
    ):
        await session.initialize()
        names = {tool.name for tool in (await session.list_tools()).tools}
        assert {"get_conversation", "reply_to_conversation", "read_conversation"} <= names
        assert "delete_conversation" not in names
        refused = await session.call_tool("delete_conversation", {"conversation_id": conversation})
        held = await session.call_tool("set_conversation_tags", {"conversation_id": conversation, "tags": ["vip"]})
        return refused, held
