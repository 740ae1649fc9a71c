"""The console's first page: agents as cards, making one, pausing."""

from __future__ import annotations

import pytest
from lxml import html

from tests.agents import AgentOf, add_agent, log_of, somebody
from tests.web.console.forms import said, words
from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk, unique

PAGES = (
    "/console", "/console/agents/new", "/console/matrix", "/console/explain", "/console/start", "/console/agents/{id}",
    "/console/agents/{id}/access", "/console/agents/{id}/history", "/console/agents/{id}/cedar",
    "/console/agents/{id}/versions/1",
)  # fmt: skip


def card(page: html.HtmlElement, agent: AgentOf) -> html.HtmlElement:
    """The card of an agent."""
    found: list[html.HtmlElement] = page.xpath(f"//li[.//h2/a[@href='/console/agents/{agent.id}']]")
    assert len(found) == 1
    return found[0]


def test_a_card_tells_what_an_agent_may_do_and_did(desk: Desk) -> None:
    inbox = desk.add_inbox("Orders")
    agent = add_agent(desk, "Sorter", preset="drafter", inboxes=[inbox])
    assert agent.get("/v2/conversations").status_code == 200
    assert agent.delete("/v2/conversations/1").status_code == 403
    desk.server.run(desk.server.app.gateway.audit.settle())
    text = words(card(signed_in(desk).page("/console"), agent))
    assert "Reads everything in Orders; writes threads in Orders; its replies become drafts" in text
    assert "Active" in text
    assert "Inboxes Orders" in text
    assert "2 calls, 1 refused" in text


def test_cards_tell_of_ends_and_of_what_is_stopped(desk: Desk) -> None:
    inbox = desk.add_inbox("Orders")
    ended = add_agent(desk, "Old", resources={"conversations": {"level": "read"}}, expires_at="2020-01-01T00:00:00Z")
    nothing = add_agent(desk, "Idle")
    person = signed_in(desk)
    page = person.page("/console")
    assert "Ended Wed 1 Jan 2020" in words(card(page, ended))
    assert "May do nothing." in words(card(page, nothing))
    assert "No inbox" in words(card(page, nothing))
    verbs = desk.server.app.gateway.administration
    desk.server.run(verbs.stops.add(somebody(desk), "inbox_writes", inbox))
    assert "Writes stopped in Orders" in words(card(person.page("/console"), nothing))
    desk.server.run(verbs.stops.add(somebody(desk), "agent", ended.id))
    page = person.page("/console")
    assert "Stopped" in words(card(page, ended))
    assert "Active" not in words(card(page, ended))
    desk.server.run(verbs.stops.lift_all(somebody(desk)))
    assert "topped" not in words(card(person.page("/console"), ended))


def test_an_account_without_agents_is_led_to_the_first_steps(desk: Desk) -> None:
    page = signed_in(desk).page("/console")
    assert page.xpath("//main//a[@href='/console/start']")
    assert "No agents yet" in words(page)


def test_a_new_agent_shows_its_secrets_once_and_they_work(desk: Desk) -> None:
    inbox, other = desk.add_inbox("Orders"), desk.add_inbox("Returns")
    person, name = signed_in(desk), unique("Helper")
    answer = person.send("/console/agents", name=name, preset="triage", scope="chosen", inboxes=str(inbox))
    assert answer.status_code == 200
    page = html.fromstring(answer.text)
    key, client, secret = (words(page.get_element_by_id(id)) for id in ("key", "client-id", "client-secret"))
    agent = AgentOf(desk, 0, name, key, client, secret)
    assert agent.get("/v2/conversations").status_code == 200
    assert agent.get(f"/v2/mailboxes/{other}").status_code != 200
    body = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
    assert person.http.post(f"{desk.server.url}/v2/oauth2/token", data=body, timeout=30).status_code == 200
    assert key in words(page.get_element_by_id("curl"))
    assert key in words(page.get_element_by_id("mcp-http"))
    assert desk.server.url in words(page.get_element_by_id("mcp-stdio"))
    logged = log_of(desk, type="admin")[0]
    assert name in logged.sentence
    assert logged.actor == {"type": "user", "id": desk.user_id}
    for path in ("/console", f"/console/start?agent={agent_id(person, name)}"):
        assert key not in person.get(path).text
        assert secret not in person.get(path).text


def agent_id(person: Person, name: str) -> int:
    """The id of the agent with this name, by its card."""
    (link,) = person.page("/console").xpath(f"//h2/a[text()='{name}']/@href")
    return int(link.rpartition("/")[2])


def test_what_cant_be_made_keeps_what_was_typed(desk: Desk) -> None:
    inbox, person = desk.add_inbox("Orders"), signed_in(desk)
    taken = add_agent(desk)
    answer = person.send("/console/agents", name=taken.name, preset="closer", scope="chosen", inboxes=str(inbox))
    assert answer.status_code == 409
    page = html.fromstring(answer.text)
    assert page.get_element_by_id("name").get("value") == taken.name
    assert page.get_element_by_id("name").get("aria-invalid") == "true"
    assert page.xpath("//input[@name='preset'][@value='closer']/@checked")
    assert page.xpath(f"//input[@name='inboxes'][@value='{inbox}']/@checked")
    assert "Another agent has this name" in words(page.xpath("//*[@role='alert']")[0])
    for fields in (
        {"name": ""}, {"name": "New", "preset": "drafter", "scope": "chosen"},
        {"name": "New", "preset": "drafter", "scope": "chosen", "inboxes": "999999"},
        {"name": "New", "preset": "no such"}, {"name": "New", "key_expires_at": "2020-01-01T00:00"},
        {"name": "New", "key_expires_at": "soon"},
        {"name": "New", "preset": "reader", "scope": "chosen", "inboxes": str(inbox), "connection": "1"},
    ):  # fmt: skip
        answer = person.send("/console/agents", **fields)
        assert answer.status_code == 400, fields
        assert html.fromstring(answer.text).xpath("//*[@role='alert']"), fields
    assert len(person.page("/console").xpath("//main//li")) == 1


def test_pausing_takes_effect_and_can_be_undone(desk: Desk) -> None:
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    answer = person.send(f"/console/agents/{agent.id}/pause")
    assert f"{agent.name} is paused" in answer.text
    assert "Paused" in words(card(html.fromstring(answer.text), agent))
    assert agent.get("/v2/conversations").json()["reason"] == "paused"
    person.send(f"/console/agents/{agent.id}/resume")
    assert agent.get("/v2/conversations").status_code == 200
    assert log_of(desk, type="admin")[0].actor == {"type": "user", "id": desk.user_id}


@pytest.mark.parametrize("path", PAGES)
def test_the_console_is_for_administrators_of_this_account(desk: Desk, path: str) -> None:
    agent = add_agent(desk, preset="reader")
    theirs = path.format(id=agent.id)
    assert signed_in(desk).get(theirs).status_code == 200
    assert signed_in(desk, desk.add_user(role="user")).get(theirs).status_code == 403
    other = signed_in(open_desk(desk.server))
    if "{id}" in path:
        assert other.get(theirs).status_code == 404
    else:
        assert agent.name not in other.get(theirs).text


@pytest.mark.parametrize(
    "change", ["pause", "resume", "keys", "secret", "name", "delete", "review", "grants", "edit", "difference"]
)
def test_another_accounts_agent_cant_be_changed(desk: Desk, change: str) -> None:
    agent = add_agent(desk, preset="reader")
    other = signed_in(open_desk(desk.server))
    answer = other.send(f"/console/agents/{agent.id}/{change}", name="Mine", typed=agent.name, grants="{}", version="1")
    assert answer.status_code == 404
    assert agent.get("/v2/conversations").status_code == 200
    assert agent.name in said(signed_in(desk).get("/console"))
