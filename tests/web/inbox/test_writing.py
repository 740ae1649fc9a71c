"""Writing in a conversation without script: replies, notes, what they set, what is cleaned, sent once."""

from __future__ import annotations

import pytest

from deskhand.desk.users.preferences import Preferences, prefer
from tests.desk.conversations.builders import start, wrote
from tests.desk.conversations.passing import ahead
from tests.web.inbox.forms import alerts, post, said, send_reply, status, thread_list, write_form
from tests.web.people import signed_in
from tests.world import Desk


def test_a_reply_is_sent_with_its_status_and_the_next_time_that_is_offered_first(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    answer = send_reply(person, id, text="Try another bulb.\nIt helps.\n\nBest, <Ada>", send="pending")
    assert said(answer) == "Sent."
    sent = thread_list(desk, id)[-1]
    assert sent["body"] == "<p>Try another bulb.<br>It helps.</p><p>Best, &lt;Ada&gt;</p>"
    assert (sent["type"], sent["state"], sent["createdBy"]["id"]) == ("message", "published", desk.user_id)
    assert status(desk, id) == "pending"
    buttons = person.page(f"/conversation/{id}").xpath("//form[@id='write-reply']//button[@data-send]")
    assert [one.get("value") for one in buttons] == ["pending"]


def test_html_is_cleaned_before_it_is_kept(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    html = (
        '<div onclick="x()">Hi <b style="position:fixed">you</b></div><script>alert(1)</script>'
        '<p><a href="javascript:x()">here</a> <a href="https://a.example">there</a></p>'
        '<img src="data:image/png;base64,x">'
    )
    send_reply(signed_in(desk), id, html=html, text="")
    assert thread_list(desk, id)[-1]["body"] == (
        '<p>Hi <b>you</b></p><p><a>here</a> <a href="https://a.example">there</a></p>'
    )


def test_copies_owner_and_address_are_those_of_the_form(desk: Desk) -> None:
    inbox = desk.add_inbox()
    lea = desk.add_user("Lea", inboxes=(inbox,))
    id = start(desk, inbox)
    send_reply(
        signed_in(desk), id, cc="Bo <bo@buyer.example>; cy@buyer.example", bcc="boss@desk.example", owner=str(lea)
    )
    sent = thread_list(desk, id)[-1]
    assert sent["cc"] == ["bo@buyer.example", "cy@buyer.example"]
    assert sent["bcc"] == ["boss@desk.example"]
    assert sent["assignedTo"]["id"] == lea


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "  \n "}, "There is nothing in the reply yet"),
        ({"cc": "nobody"}, "“nobody” is not an address"),
        ({"to": "else@buyer.example"}, "is not an address of this customer"),
        ({"text": "Hi {%customer.lastName%}"}, "{%customer.lastName%} can't be filled in"),
        ({"later": "own", "at": ""}, "must be a date and a time"),
    ],
)
def test_what_can_t_be_sent_says_why_and_keeps_the_text(desk: Desk, fields: dict[str, str], words: str) -> None:
    id = start(desk, desk.add_inbox())
    answer = send_reply(signed_in(desk), id, **{"text": "My text.", **fields})
    assert answer.status_code == 400
    assert words in alerts(answer)
    assert [one["state"] for one in thread_list(desk, id)] in (["published"], ["published", "draft"])
    if fields.get("text", "x").strip():
        assert fields.get("text", "My text.") in answer.text


def test_variables_are_filled_in_with_their_fall_backs(desk: Desk) -> None:
    id = start(desk, desk.add_inbox("Support"))
    send_reply(
        signed_in(desk), id, text="Hi {%customer.firstName,fallback=there%}, {%user.firstName%} of {%mailbox.name%}"
    )
    assert thread_list(desk, id)[-1]["body"] == "<p>Hi there, Ada of Support</p>"


def test_a_form_that_is_sent_twice_sends_once(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    fields = write_form(person, id) | {"text": "Once.", "send": "closed"}
    first, second = (post(person, f"/conversation/{id}/reply", fields) for _ in range(2))
    assert said(first) == said(second) == "Sent."
    assert [one["body"] for one in thread_list(desk, id)] == ["It flickers.", "<p>Once.</p>"]
    notes = write_form(person, id, "note") | {"text": "Noted once."}
    for _ in range(2):
        post(person, f"/conversation/{id}/note", notes)
    assert sum(one["type"] == "note" for one in thread_list(desk, id)) == 1


def test_a_reply_can_go_out_later_and_be_edited_before(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    answer = send_reply(person, id, text="See you then.", later=ahead(desk, days=2), until_answer="1")
    assert said(answer).startswith("It goes out on ")
    planned = thread_list(desk, id)[-1]
    assert planned["state"] == "draft"
    assert planned["scheduled"]["unscheduleOnCustomerReply"] is True
    assert write_form(person, id)["text"] == ""
    person.send(f"/conversation/{id}/draft/{planned['id']}/take")
    assert write_form(person, id)["text"] == "See you then."
    assert "scheduled" not in thread_list(desk, id)[-1]


def test_sending_leads_where_the_visitor_likes(desk: Desk) -> None:
    id, other = (start(desk, inbox) for inbox in [desk.add_inbox()] * 2)
    person = signed_in(desk)
    ways = {"next": f"/conversation/{other}", "list": "/account"}
    for wanted, path in (("next", f"/conversation/{other}"), ("list", "/account"), ("stay", f"/conversation/{id}")):
        chosen = Preferences(after_send=wanted)  # type: ignore[arg-type]
        desk.write(lambda tx, chosen=chosen: prefer(tx, desk.account_id, desk.user_id, chosen))  # type: ignore[misc]
        answer = send_reply(person, id, **ways)
        assert answer.url.removeprefix(person.server.url) == path
    assert send_reply(person, id, list="//evil.example/x").url.startswith(person.server.url)


def test_a_note_sets_a_status_and_says_who_will_hear_of_it(desk: Desk) -> None:
    inbox = desk.add_inbox()
    desk.add_user("Lea", "Storm", inboxes=(inbox,))
    desk.add_user("Max", "Quiet")
    desk.add_team("Tier Two")
    id = start(desk, inbox)
    person = signed_in(desk)
    fields = write_form(person, id, "note") | {"text": "@Lea Storm, @tier two and @Max, look", "send": "pending"}
    answer = post(person, f"/conversation/{id}/note", fields)
    assert said(answer) == "Note added. Lea Storm and Tier Two will hear of it by mail."
    note = thread_list(desk, id)[-1]
    assert (note["type"], note["body"]) == ("note", "<p>@Lea Storm, @tier two and @Max, look</p>")
    assert status(desk, id) == "pending"
    assert alerts(post(person, f"/conversation/{id}/note", fields | {"text": "", "token": ""})).startswith(
        "There is nothing"
    )


def test_a_light_user_writes_notes_and_nothing_else(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox, threads=[wrote()])
    light = signed_in(desk, desk.add_user("Lio", role="light user", inboxes=(inbox,)))
    page = light.page(f"/conversation/{id}")
    assert page.xpath("//form[@data-write-form]/@data-write-form") == ["note"]
    assert light.send(f"/conversation/{id}/reply", text="Hi").status_code == 403
    assert light.send("/new", text="Hi").status_code in (400, 403)
    assert len(thread_list(desk, id)) == 1
    assert light.send(f"/conversation/{id}/note", text="Seen.").status_code == 200
    assert len(thread_list(desk, id)) == 2
