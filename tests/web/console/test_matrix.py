"""The matrix of resources and agents: every cell says what the grants say."""

from __future__ import annotations

from lxml import html

from deskhand.gateway.policy import LEVELS
from deskhand.web.console.knowing import RESOURCES
from tests.agents import AgentOf, add_agent
from tests.web.console.forms import words
from tests.web.people import signed_in
from tests.world import Desk


def cells(page: html.HtmlElement, anchor: str) -> dict[int, str]:
    """The cells of a row by agent, found by where they lead."""
    found = page.xpath(f"//td/a[substring-after(@href, '#')='{anchor}']")
    return {int(one.get("href").rpartition("/")[2].partition("#")[0]): words(one).rpartition(",")[0] for one in found}


def test_every_level_of_every_agent_is_there(desk: Desk) -> None:
    orders, returns, wholesale = (desk.add_inbox(name) for name in ("Orders", "Returns", "Wholesale"))
    agents: list[AgentOf] = []
    for level in LEVELS:
        held: dict[str, dict[str, object]] = {one.key: {"level": level} for one in RESOURCES}
        held["conversations"] = {"level": level, "inboxes": [orders, returns, wholesale]}
        agents.append(add_agent(desk, level, resources=held))
    page = signed_in(desk).page("/console/matrix")
    for one in RESOURCES:
        row = cells(page, f"resources.{one.key}")
        where = " in Orders and 2 more" if one.key == "conversations" else ""
        expected = {
            agent.id: level + (where if level != "off" else "") for agent, level in zip(agents, LEVELS, strict=True)
        }
        assert row == expected, one
    heads = [words(one) for one in page.xpath("//thead//th[@scope='col']")]
    assert heads == ["Resource", *(one.name for one in agents)]
    assert len(page.xpath("//tbody//th[@scope='row']")) == len(page.xpath("//tbody/tr[td]"))


def test_actions_say_whether_they_are_set_or_follow_the_level(desk: Desk) -> None:
    inbox = desk.add_inbox("Orders")
    held = {name: {"level": "write", "inboxes": [inbox]} for name in ("conversations", "threads")}
    actions = {
        "reply_to_conversation": "draft", "set_conversation_tags": "hold", "update_thread": "off",
        "add_note": {"setting": "allow", "limits": {"max_text": 5}}, "list_tags": "off",
    }  # fmt: skip
    agent, other = add_agent(desk, resources=held, actions=actions), add_agent(desk)
    page = signed_in(desk).page("/console/matrix")
    expected = {
        "reply_to_conversation": "draft in Orders", "set_conversation_tags": "hold in Orders", "update_thread": "off",
        "add_note": "allow with limits", "update_conversation": "allow by its level in Orders",
        "delete_conversation": "off by its level", "list_tags": "off",
    }  # fmt: skip
    for name, cell in expected.items():
        row = cells(page, f"actions.{name}")
        assert row[agent.id] == cell, name
        assert row[other.id] == "off by its level", name
    assert not cells(page, "actions.get_tag")  # nobody set it apart


def test_a_cell_leads_to_its_place_in_the_editor(desk: Desk) -> None:
    add_agent(desk, preset="triage")
    person = signed_in(desk)
    links = person.page("/console/matrix").xpath("//td/a/@href")
    page = person.page(links[0].partition("#")[0])
    ids = set(page.xpath("//form//@id"))
    assert {one.partition("#")[2] for one in links} <= ids


def test_what_is_stopped_or_paused_shows_in_its_head(desk: Desk) -> None:
    agent, person = add_agent(desk), signed_in(desk)
    person.send(f"/console/agents/{agent.id}/pause")
    (head,) = person.page("/console/matrix").xpath("//thead//th[a]")
    assert words(head) == f"{agent.name} Paused"
