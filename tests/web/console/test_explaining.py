"""What an agent could do to a conversation: the page says what its calls are answered with."""

from __future__ import annotations

import pytest
from lxml import html

from tests.agents import add_agent
from tests.web.console.forms import said, words
from tests.web.people import signed_in
from tests.world import Desk, open_desk

STATES = {"Allowed": (200, 201, 204), "As a draft": (201,), "Held": (202,), "Refused": (403, 404)}


def start(desk: Desk, inbox: int) -> tuple[int, int]:
    """The id and number of a new conversation."""
    customer = {"email": "ada@buyer.example"}
    body = {
        "subject": "Where is it?", "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
        "tags": ["vip"], "threads": [{"type": "customer", "text": "Where?", "customer": customer}],
    }  # fmt: skip
    id = int(desk.post("/v2/conversations", body).headers["Resource-ID"])
    return id, desk.get(f"/v2/conversations/{id}").json()["number"]


def decisions(page: html.HtmlElement) -> dict[str, tuple[str, str]]:
    """The decision and the reason, by what was asked."""
    rows = page.xpath("//table[contains(@class, 'explain-answers')]/tbody/tr")
    return {row[0].text.strip(): (words(row[1]), words(row[2])) for row in rows}


def test_the_table_says_what_would_become_of_each_call(desk: Desk) -> None:
    inbox, other = desk.add_inbox("Orders"), desk.add_inbox("Returns")
    id, number = start(desk, inbox)
    agent = add_agent(desk, preset="drafter", inboxes=[inbox])
    person = signed_in(desk)
    page = person.page(f"/console/explain?agent={agent.id}&number=%23{number}")
    found = decisions(page)
    assert found["read it"][0] == "Allowed"
    assert found["reply to the customer"][0] == "As a draft"
    assert found["set its tags"][0] == "Held"
    assert found["rewrite what was said"][0] == "Held"
    assert found["close it"] == ("Refused", "Its access to conversations is read, writing needs write.")
    assert found["delete it"][0] == "Refused"
    assert page.xpath(f"//main//a[@href='/conversation/{id}']")
    assert agent.get(f"/v2/conversations/{id}").status_code in STATES[found["read it"][0]]
    assert agent.put(f"/v2/conversations/{id}/tags", {"tags": ["vip"]}).status_code in STATES["Held"]
    assert agent.delete(f"/v2/conversations/{id}").status_code in STATES["Refused"]
    _, foreign = start(desk, other)
    found = decisions(person.page(f"/console/explain?agent={agent.id}&number={foreign}"))
    assert {what for what, (one, _) in found.items() if one != "Refused"} == {"read about the customer"}
    assert "not in this inbox" in found["read it"][1]
    by_id = person.page(f"/console/explain?agent={agent.id}&number={id}")
    assert "Where is it?" in words(by_id)


def test_nothing_is_logged_by_asking(desk: Desk) -> None:
    _, number = start(desk, desk.add_inbox())
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)
    person.page(f"/console/explain?agent={agent.id}&number={number}")
    assert agent.get("/v2/tags").status_code == 200
    assert [one for one in agent.sentences() if "conversation" in one] == []
    assert len([one for one in agent.sentences() if "tags" in one]) == 1


@pytest.mark.parametrize("number", ["99999999999", "x", "-1", "9" * 40, "#"])
def test_an_unknown_number_is_said_to_be(desk: Desk, number: str) -> None:
    add_agent(desk)
    answer = signed_in(desk).get("/console/explain", params={"number": number})
    assert answer.status_code == 200
    if number != "#":
        assert "There is no conversation" in said(answer)


def test_another_accounts_conversation_is_not_there(desk: Desk) -> None:
    id, _ = start(desk, desk.add_inbox())
    theirs = open_desk(desk.server)
    add_agent(theirs)
    assert "There is no conversation" in said(signed_in(theirs).get("/console/explain", params={"number": str(id)}))


def test_any_call_can_be_asked_about(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id, _ = start(desk, inbox)
    agent, person = add_agent(desk, preset="reader"), signed_in(desk)

    def ask(method: str, path: str, body: str = "") -> str:
        sent = {"csrf": person.csrf, "agent": agent.id, "method": method, "path": path, "body": body}
        answer = person.http.post(f"{desk.server.url}/console/explain", data=sent, timeout=30)
        assert answer.status_code in (200, 400)
        return said(answer)

    assert "Allowed" in ask("GET", f"/v2/conversations?mailbox={inbox}&status=all")
    text = ask("POST", f"/v2/conversations/{id}/notes", '{"text": "Hi"}')
    assert "Its access to threads is read, writing needs write." in text
    assert "It would be told:" in text
    assert "It is no operation of the desk." in ask("GET", "/v9/wonders")
    assert "The body is not JSON." in ask("POST", f"/v2/conversations/{id}/notes", "{")
    assert "begins with a slash" in ask("GET", "conversations")
    assert "Allowed" in ask("GET", f"{desk.server.url}/v2/conversations/{id}")
