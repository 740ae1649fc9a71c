"""The kill switch in the console: confirmed by typing, shown on every page of the console, lifted one by one or all."""

from __future__ import annotations

import pytest
from lxml import html

from tests.agents import log_of
from tests.web.console.overseen import Overseen, first, oversee, words
from tests.web.people import signed_in
from tests.world import Desk, open_desk


@pytest.fixture
def world(desk: Desk) -> Overseen:
    return oversee(desk)


def test_nothing_is_stopped_without_the_word(world: Overseen) -> None:
    for fields, wrong in (
        ({"scope": "all", "word": ""}, "#word-wrong"),
        ({"scope": "all", "word": "halt"}, "#word-wrong"),
        ({"scope": "", "word": "stop"}, "#scope-wrong"),
        ({"scope": "agent", "word": "stop"}, "#agent-wrong"),
        ({"scope": "inbox_writes", "word": "stop"}, "#inbox-wrong"),
        ({"scope": "agent", "agent": "999999", "word": "stop"}, "#agent-wrong"),
        ({"scope": "inbox_writes", "inbox": "999999", "word": "stop"}, "#inbox-wrong"),
    ):
        answer = world.person.send("/console/stops", **fields)
        assert answer.status_code == 400, fields
        assert html.fromstring(answer.text).cssselect(wrong), fields
    assert world.agent.get("/v2/tags").status_code == 403  # for want of a grant
    assert world.agent.get("/v2/conversations").ok


def test_stopping_an_agent_shows_on_every_page_until_it_is_lifted(world: Overseen) -> None:
    page = html.fromstring(
        world.person.send("/console/stops", scope="agent", agent=str(world.agent.id), word=" Stop ").text
    )
    assert f"{world.agent.name} is stopped" in words(page, ".stop-row")
    assert "by Ada Holm" in words(page, ".stop-row")
    assert world.agent.get("/v2/conversations").json()["reason"] == "stopped"
    assert log_of(world.desk, type="admin")[0].sentence == f"Ada Holm stopped agent {world.agent.name}"
    for path in ("/console/log", "/console/approvals", "/console/budget", "/console/connections", "/console"):
        banner = world.person.page(path).cssselect(".stopped-now .message.bad")
        assert banner, path
        assert f"{world.agent.name} is stopped" in " ".join(banner[0].text_content().split())
    lift = first(page, ".stop-row form").get("action")
    page = html.fromstring(world.person.send(lift).text)
    assert "Nothing. Agents do what their grants allow." in words(page)
    assert not page.cssselect(".stopped-now .message")
    assert world.agent.get("/v2/conversations").ok
    assert world.person.send(lift).status_code == 404


def test_an_inbox_all_writes_and_everything(world: Overseen) -> None:
    for fields in ({"scope": "inbox_writes", "inbox": str(world.inbox)}, {"scope": "writes"}, {"scope": "all"}):
        assert world.person.send("/console/stops", **fields, word="stop").ok
    page = world.person.page("/console/stops")
    assert [" ".join(one.text_content().split()) for one in page.cssselect(".stop-row strong")] == [
        "Agents’ writes in Orders are stopped", "All agents’ writes are stopped", "All agents are stopped",
    ]  # fmt: skip
    assert "Lift all 3" in words(page)
    page = html.fromstring(world.person.send("/console/stops/lift").text)
    assert not page.cssselect(".stop-row")
    assert log_of(world.desk, type="admin")[0].sentence == "Ada Holm lifted every stop"


def test_an_agent_named_in_the_address_is_chosen(world: Overseen) -> None:
    page = world.person.page(f"/console/stops?agent={world.agent.id}")
    assert first(page, "select#agent option[selected]").get("value") == str(world.agent.id)
    assert first(page, "input[value=agent]").get("checked") is not None


def test_others_can_not(world: Overseen) -> None:
    world.person.send("/console/stops", scope="all", word="stop")
    lift = first(world.person.page("/console/stops"), ".stop-row form").get("action")
    user, stranger = signed_in(world.desk, world.desk.add_user()), signed_in(open_desk(world.desk.server))
    assert user.get("/console/stops").status_code == 403
    assert user.send("/console/stops", scope="all", word="stop").status_code == 403
    assert stranger.send(lift).status_code == 404
    assert stranger.send("/console/stops/lift").ok
    assert not stranger.page("/console/stops").cssselect(".stopped-now .message")
    assert world.agent.get("/v2/conversations").json()["reason"] == "stopped"
    answer = world.person.http.post(f"{world.desk.url}{lift}", data={"csrf": "x"}, timeout=30)
    assert answer.status_code == 403
