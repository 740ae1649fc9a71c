"""The log in the console: sentences, narrowed by what people look for; entries with all facts; proof; exports."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from lxml import html

from deskhand.db.statements import P, command
from deskhand.gateway.tables import audit_record
from deskhand.gateway.verifying import verify_lines
from tests.agents import add_agent, log_of
from tests.web.console.overseen import Overseen, first, oversee, words
from tests.web.people import signed_in
from tests.world import Desk, open_desk

_TAMPER = command(
    sa.update(audit_record)
    .where(audit_record.c.account_id == P("account_id"), audit_record.c.number == P("number"))
    .values(content=P("text")),
    keep=False,
)


@pytest.fixture
def world(desk: Desk) -> Overseen:
    return oversee(desk)


def sentences(page: html.HtmlElement) -> list[str]:
    """The sentences that a page of the log shows, in order."""
    return ["".join(one.itertext()) for one in page.cssselect(".entry .tells")]


def test_the_log_tells_the_newest_first_with_a_sign_for_each_decision(world: Overseen) -> None:
    world.agent.get("/v2/conversations")
    world.reply()
    world.agent.delete(f"/v2/conversations/{world.conversation}")
    page = world.person.page("/console/log")
    told = sentences(page)
    assert told[:4] == [one.sentence for one in log_of(world.desk)][:4]
    assert "was refused to delete conversation" in told[0]
    signs = [one.get("title") for one in page.cssselect(".entry .sign")]
    assert signs[:4] == ["Refused", "Held", "Allowed", "Change"]
    assert first(page, "[data-log]").get("data-log-after").isdigit()


NARROWED = [
    ("decision=refused", ["was refused to delete conversation"]),
    ("operation=list_conversations", ["was allowed to list conversations"]),
    ("resource=threads&decision=held", ["asks to reply to conversation"]),
    ("conversation={conversation}", ["was refused to delete", "asks to reply"]),
    ("conversation=%23{conversation}", ["was refused to delete", "asks to reply"]),
    ("inbox={inbox}&decision=held", ["asks to reply"]),
    ("agent={agent}&decision=allowed", ["was allowed to list conversations"]),
    ("text=REPLY+to", ["asks to reply"]),
    ("type=admin&agent={agent}", ["Ada Holm made agent"]),
    ("since=2200-01-01T00:00", []),
    ("until=2020-01-01", []),
    ("since=2020-01-01T00:00&decision=held", ["asks to reply"]),
]


def test_narrowing(world: Overseen) -> None:
    world.agent.get("/v2/conversations")
    world.reply()
    world.agent.delete(f"/v2/conversations/{world.conversation}")
    other = add_agent(world.desk, "Other")
    other.get("/v2/tags")
    for query, left in NARROWED:
        asked = query.format(conversation=world.conversation, inbox=world.inbox, agent=world.agent.id)
        page = world.person.page(f"/console/log?{asked}")
        told = [one for one in sentences(page) if other.name not in one]
        assert len(told) == len(left), (query, told)
        assert all(part in one for part, one in zip(left, told, strict=True)), (query, told)
        assert len(page.cssselect(".narrowed a.tag")) == len(asked.split("&"))


def test_a_conversation_is_looked_for_by_the_number_that_people_know(world: Overseen) -> None:
    world.agent.delete(f"/v2/conversations/{world.conversation}")
    world.agent.get("/v2/tags")
    number = world.desk.get(f"/v2/conversations/{world.conversation}").json()["number"]
    for asked in (f"%23{number}", str(number)):
        page = world.person.page(f"/console/log?conversation={asked}")
        assert ["was refused to delete" in one for one in sentences(page)] == [True], asked
    exported = world.person.get(f"/console/log/export?format=csv&conversation={number}")
    assert len(exported.text.splitlines()) == 2, exported.text  # with the heads
    assert not sentences(world.person.page(f"/console/log?conversation={number + 5000}"))


def test_what_can_not_be_looked_for_is_said_at_its_field(world: Overseen) -> None:
    answer = world.person.get("/console/log?since=yesterday&operation=Ä&agent=x")
    assert answer.status_code == 400
    page = html.fromstring(answer.text)
    assert page.cssselect("#log-since-wrong")
    assert first(page, "#log-since").get("value") == "yesterday"
    assert not sentences(page)
    answer = world.person.get("/console/log?operation=Not+a+name")
    assert answer.status_code == 400
    assert html.fromstring(answer.text).cssselect("#log-operation-wrong")
    assert world.person.get("/console/log?cursor=rubbish").status_code == 400


def test_times_are_those_of_the_visitor(world: Overseen) -> None:
    world.agent.get("/v2/conversations")
    now = world.desk.server.clock.now()
    for minutes, there in ((-2, True), (2, False)):
        since = (now + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M")
        assert bool(sentences(world.person.page(f"/console/log?since={since}"))) is there


def test_older_pages_follow_by_cursor(world: Overseen) -> None:
    for _ in range(60):
        world.agent.get("/v2/tags")
    page = world.person.page(f"/console/log?agent={world.agent.id}&operation=list_tags")
    assert len(sentences(page)) == 50
    older = first(page, "[data-log-older]").get("href")
    assert f"agent={world.agent.id}" in older
    page = world.person.page(older)
    assert len(sentences(page)) == 10
    assert not page.cssselect("[data-log-older]")
    assert first(page, "[data-log]").get("data-log-after") is None


def test_new_entries_come_as_a_piece(world: Overseen) -> None:
    after = first(world.person.page("/console/log"), "[data-log]").get("data-log-after")
    world.agent.get("/v2/conversations")
    world.agent.delete(f"/v2/conversations/{world.conversation}")
    piece = html.fromstring(world.person.get(f"/console/log/new?after={after}").text)
    assert [" ".join(one.split()) for one in sentences(piece)] == [one.sentence for one in log_of(world.desk)][:2]
    newest = piece.get("data-newest")
    assert not sentences(html.fromstring(world.person.get(f"/console/log/new?after={newest}").text))
    narrowed = html.fromstring(world.person.get(f"/console/log/new?after={after}&decision=refused").text)
    assert len(sentences(narrowed)) == 1
    for _ in range(51):
        world.agent.get("/v2/tags")
    many = html.fromstring(world.person.get(f"/console/log/new?after={newest}").text)
    assert many.get("data-many") is not None
    assert not sentences(many)


def test_an_entry_shows_all_facts_and_leads_on(world: Overseen) -> None:
    id = world.reply()
    entry = log_of(world.desk, decision="held")[0]
    page = world.person.page(f"/console/log/{entry.id}")
    text = words(page)
    for fact in (entry.hash, entry.previous_hash, entry.arguments_hash, "reply_to_conversation", "202", entry.rule):
        assert str(fact) in text
    links = {one.get("href") for one in page.cssselect("main a")}
    assert f"/console/approvals/{id}" in links
    assert f"/conversation/{world.conversation}" in links
    assert f"/console/log?agent={world.agent.id}" in links
    version = f"/console/agents/{world.agent.id}/versions/{entry.grant_version}"
    assert version in links
    assert world.person.get(version).ok
    world.person.send(f"/console/approvals/{id}/deny", reason="Not so")
    denied = log_of(world.desk, type="admin")[0]
    links = {one.get("href") for one in world.person.page(f"/console/log/{denied.id}").cssselect("dl a")}
    assert {f"/console/approvals/{id}", f"/conversation/{world.conversation}", f"/console/log/{entry.id}"} <= links
    change = log_of(world.desk, type="admin")[1]
    page = world.person.page(f"/console/log/{change.id}")
    assert "Changed by Ada Holm" in words(page)
    assert json.loads(first(page, "pre").text)["change"] == "agent_created"


def test_entries_of_others_and_none_are_not_there(world: Overseen) -> None:
    stranger = signed_in(open_desk(world.desk.server))
    last = log_of(world.desk)[0].id
    assert stranger.get(f"/console/log/{last}").status_code == 404
    assert not sentences(stranger.page("/console/log"))
    for path in ("0", "x", str(last + 1000), str(2**62)):
        assert world.person.get(f"/console/log/{path}").status_code == 404
    user = signed_in(world.desk, world.desk.add_user())
    for path in ("", "/new?after=0", f"/{last}", "/verify", "/export?format=csv"):
        assert user.get(f"/console/log{path}").status_code == 403


def test_a_name_that_is_markup_stays_text(world: Overseen) -> None:
    add_agent(world.desk, "<img src=x onerror=alert(1)>")
    page = world.person.page("/console/log")
    assert not page.cssselect("main img")
    assert any("<img src=x" in one for one in sentences(page))


def test_verifying_finds_nothing_and_then_what_was_changed(world: Overseen) -> None:
    world.agent.get("/v2/tags")
    assert "Verify the chain" in words(world.person.page("/console/log/verify"))
    page = html.fromstring(world.person.send("/console/log/verify").text)
    assert "Nothing was changed." in words(page, ".message.good")
    number = log_of(world.desk)[0].id
    world.desk.write(
        lambda tx: tx.run(_TAMPER, account_id=world.desk.account_id, number=number, text='{"sentence":"nothing"}')
    )
    page = html.fromstring(world.person.send("/console/log/verify").text)
    assert page.cssselect(f"td a[href='/console/log/{number}']")
    assert "Somebody changed this record" in words(world.person.page(f"/console/log/{number}"))


def test_verifying_tells_a_script_how_far_it_is(world: Overseen) -> None:
    answer = world.person.send("/console/log/verify/told")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[0]["words"] == "Reading the chain"
    assert lines[-1]["words"] == "Done"
    assert "Nothing was changed" in lines[-1]["html"]
    answer = world.person.http.post(f"{world.desk.url}/console/log/verify/told", timeout=30)
    assert answer.status_code == 403


def test_exports(world: Overseen) -> None:
    world.reply()
    answer = world.person.get("/console/log/export?format=jsonl")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.jsonl"'
    result = verify_lines(answer.content.splitlines(), {world.desk.server.app.gateway.signing_key.public})
    assert result.ok, result
    answer = world.person.get("/console/log/export?format=csv&decision=held")
    assert answer.headers["Content-Type"].startswith("text/csv")
    lines = answer.text.splitlines()
    assert len(lines) == 2
    assert "asks to reply" in lines[1]
    assert world.person.get("/console/log/export?format=csv&decision=x").status_code == 400


def test_refused_and_broken_arguments_of_the_piece(world: Overseen) -> None:
    assert world.person.get("/console/log/new?after=x").status_code == 200
    assert world.person.get("/console/log/new?after=1&since=x").status_code == 400


def test_people_are_called_by_their_names_of_today(desk: Desk) -> None:
    ines, stranger = desk.add_user("Ines Marie"), open_desk(desk.server).user_id
    limits = {"assign_to": [ines, stranger]}
    grants: dict[str, Any] = {"resources": {"conversations": {"level": "write", "inboxes": "all"}}, "limits": limits}
    agent = add_agent(desk, "user 2 bot", **grants)
    [stored] = [one.sentence for one in log_of(desk) if "may assign to" in one.sentence]
    assert f"user {ines}" in stored
    page = signed_in(desk).page("/console/log")
    [told] = [one for one in sentences(page) if "may assign to" in one]
    assert "Ines Marie" in told and f"user {ines}" not in told
    assert f"user {stranger}" in told  # of another account nothing is known
    assert agent.name in told and "user 2 bot" in told
    [path] = {one.get("href") for one in page.cssselect(".entry") if "may assign to" in one.text_content()} or {""}
    assert path and "Ines Marie" in signed_in(desk).page(path).cssselect("h1")[0].text_content()
