"""Nobody answers what they have not read: sending stops when something arrived, and the text is not lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from lxml import html

from tests.agents import add_agent
from tests.desk.conversations.builders import add, created, read, reply, start
from tests.web.inbox.forms import alerts, fields_of, post, said, thread_list, write_form
from tests.web.people import signed_in
from tests.world import Desk


def arrive(desk: Desk, id: int, kind: str) -> str:
    """Let something come to a conversation by somebody else's hand; gives what it says."""
    customer = {"id": read(desk, id)["primaryCustomer"]["id"]}
    inbox = read(desk, id)["mailboxId"]
    if kind == "agent":
        agent = add_agent(desk, preset="drafter", inboxes="all")
        created(agent.post(f"/v2/conversations/{id}/reply", {"text": "It came meanwhile.", "customer": customer}))
    elif kind == "customer":
        created(add(desk, id, "customer", text="It came meanwhile.", customer=customer))
    else:
        lea = desk.as_user(desk.add_user("Lea", "Storm", inboxes=(inbox,)))
        if kind == "note":
            created(add(lea, id, "notes", text="It came meanwhile."))
        else:
            reply(lea, id, text="It came meanwhile.")
    return "It came meanwhile."


@pytest.mark.parametrize("kind", ["customer", "note", "reply", "agent"])
@pytest.mark.parametrize("script", [False, True])
def test_sending_stops_and_goes_on_once_it_was_seen(desk: Desk, kind: str, script: bool) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    fields = write_form(person, id) | {
        "html": "<p>My <b>long</b> answer</p>",
        "cc": "bo@buyer.example",
        "send": "closed",
    }
    text = arrive(desk, id, kind)
    stopped = post(person, f"/conversation/{id}/reply", fields, script=script)
    assert stopped.status_code == (200 if script else 412)
    assert "while you were writing" in alerts(stopped)
    page = html.fromstring(stopped.text)
    assert [one.text_content() for one in page.cssselect(".arrival p:last-child")] == [text]
    assert not [one for one in thread_list(desk, id) if one["state"] == "published" and "long" in one["body"]]
    again = fields_of(page, "write-reply")
    assert (again["text"], again["cc"]) == ("My long answer", "bo@buyer.example")
    assert page.xpath("//textarea/@data-html") == ["<p>My <b>long</b> answer</p>"]
    assert write_form(person, id)["text"] == "My long answer"
    assert (
        said(post(person, f"/conversation/{id}/reply", again | {"html": fields["html"], "send": "closed"})) == "Sent."
    )
    assert thread_list(desk, id)[-1]["state"] == "published"


def test_ones_own_note_stops_nothing(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    fields = write_form(person, id) | {"text": "Second."}
    desk.server.clock.advance(timedelta(seconds=5))
    created(add(desk, id, "notes"))
    assert said(post(person, f"/conversation/{id}/reply", fields)) == "Sent."


@pytest.mark.parametrize("script", [False, True])
def test_a_reply_is_not_sent_from_two_windows(desk: Desk, script: bool) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    keep = write_form(person, id) | {"text": "Only once."}
    post(person, f"/conversation/{id}/draft", keep, script=True)
    one, two = write_form(person, id), write_form(person, id)
    assert one["text"] == two["text"] == "Only once."
    desk.server.clock.advance(timedelta(seconds=5))
    assert said(post(person, f"/conversation/{id}/reply", one)) == "Sent."
    stopped = post(person, f"/conversation/{id}/reply", two, script=script)
    assert "You replied from another window" in alerts(stopped)
    assert [one["state"] for one in thread_list(desk, id) if one["type"] == "message"].count("published") == 1


def test_a_draft_that_a_colleague_sends_stops_it_too(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    lea, person = signed_in(desk, desk.add_user("Lea", inboxes=(inbox,))), signed_in(desk)
    post(lea, f"/conversation/{id}/draft", write_form(lea, id) | {"text": "From Lea"}, script=True)
    fields = write_form(person, id) | {"text": "Mine", "send": "closed"}
    assert int(fields["seen"]) < thread_list(desk, id)[-1]["id"]
    desk.server.clock.advance(timedelta(seconds=2))
    post(lea, f"/conversation/{id}/reply", write_form(lea, id) | {"text": "From Lea"})
    assert post(person, f"/conversation/{id}/reply", fields).status_code == 412
