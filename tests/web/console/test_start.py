"""First steps: until the first call of a new agent has arrived."""

from __future__ import annotations

import json

import pytest

from tests.agents import add_agent
from tests.web.console.forms import words
from tests.web.people import signed_in
from tests.world import Desk


def test_without_agents_it_begins_with_making_one(desk: Desk) -> None:
    page = signed_in(desk).page("/console/start")
    assert [one for one in page.forms if one.get("action") == "/console/agents"]
    assert "as soon as there is an agent" in words(page)


def test_what_is_to_be_copied_works_with_the_real_address(desk: Desk) -> None:
    agent = add_agent(desk)
    page = signed_in(desk).page("/console/start")
    base = desk.server.url
    assert f"{base}/v2/conversations" in words(page.get_element_by_id("curl"))
    by_http = json.loads(page.get_element_by_id("mcp-http").text_content())["mcpServers"]["deskhand"]
    assert by_http["url"] == f"{base}/mcp"
    assert by_http["headers"]["Authorization"].startswith("Bearer dh_agent_")
    by_program = json.loads(page.get_element_by_id("mcp-stdio").text_content())["mcpServers"]["deskhand"]
    assert by_program["args"] == ["mcp", "--url", base]
    assert agent.key not in page.text_content()


@pytest.mark.parametrize(
    ("resources", "path", "note"),
    [
        ({"tags": {"level": "read"}}, "/v2/tags", False),
        ({"customers": {"level": "read", "inboxes": "all"}}, "/v2/customers", False),
        ({}, "/v2/conversations?status=active", True),
    ],
)
def test_the_first_call_is_one_that_the_agent_may_make(
    desk: Desk, resources: dict[str, object], path: str, note: bool
) -> None:
    agent = add_agent(desk)
    agent.grant(resources=resources)
    page = signed_in(desk).page(f"/console/start?agent={agent.id}")
    assert f'curl "{desk.server.url}{path}"' in words(page.get_element_by_id("curl"))
    assert agent.get(path).ok is not note
    assert ("may not read anything" in words(page)) is note


def test_it_turns_green_once_the_agent_has_called(desk: Desk) -> None:
    agent, other, person = add_agent(desk, preset="reader"), add_agent(desk, preset="reader"), signed_in(desk)
    path = f"/console/start?agent={agent.id}"
    (called,) = person.page(path).xpath("//*[@data-live='called']")
    assert called.get("data-poll")
    assert other.get("/v2/conversations").status_code == 200
    assert agent.delete("/v2/conversations/1").status_code == 403
    desk.server.run(desk.server.app.gateway.audit.settle())
    (called,) = person.page(path).xpath("//*[@data-live='called']")
    assert not called.get("data-poll")
    assert f"{agent.name} has called. It asked to delete a conversation" in words(called)
    assert "that was refused" in words(called)
