"""Taking back a reply in the web: nothing is sent, and the editor has the text again."""

from __future__ import annotations

from datetime import timedelta

from lxml import html

from deskhand.desk.conversations.mail import announcing, mailing
from deskhand.desk.users.preferences import Preferences, prefer
from tests.desk.conversations.builders import counted, read, recounted, start, told
from tests.desk.conversations.passing import jobs_left, let_pass
from tests.web.inbox.forms import alerts, fields_of, post, said, send_reply, status, thread_list, write_form
from tests.web.people import signed_in
from tests.world import Desk


def test_undo_brings_back_text_status_and_editor(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    answer = send_reply(person, id, html="<p>Too <i>early</i></p>", cc="bo@buyer.example", send="closed")
    assert jobs_left(desk, mailing.SEND_EMAIL) == 1
    page = html.fromstring(answer.text)
    (undo,) = page.xpath("//*[@id='said']//form")
    assert undo.xpath(".//button/text()") == ["Undo"]
    answer = post(person, undo.get("action"), dict(undo.form_values()))
    assert said(answer) == "Taken back. Nothing was sent."
    assert jobs_left(desk, mailing.SEND_EMAIL) == 0
    page = html.fromstring(answer.text)
    assert page.xpath("//*[@data-writing]/@data-mode") == ["reply"]
    assert page.xpath("//textarea[@id='reply-text']/@data-html") == ["<p>Too <i>early</i></p>"]
    assert fields_of(page, "write-reply")["cc"] == "bo@buyer.example"
    assert status(desk, id) == "active"
    assert "convo.agent.reply.created" not in told(desk, id)
    post(person, f"/conversation/{id}/reply", write_form(person, id) | {"send": "closed"})
    assert [one["body"] for one in thread_list(desk, id)][1:] == ["<p>Too early</p>"]


def test_undo_makes_a_conversation_that_was_a_draft_one_again(desk: Desk) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    (form,) = person.page("/new").xpath("//form[@data-write-form='new']")
    fields = dict(form.form_values()) | {"to": "ann@buyer.example", "subject": "Lamp", "text": "Ready.", "keep": "1"}
    id = int(post(person, "/new", fields).url.rpartition("/")[2])
    before = read(desk, id)
    answer = post(person, f"/conversation/{id}/reply", write_form(person, id) | {"send": "closed"})
    assert (said(answer), read(desk, id)["state"], told(desk, id)) == ("Sent.", "published", [])
    (undo,) = html.fromstring(answer.text).xpath("//*[@id='said']//form")
    answer = post(person, undo.get("action"), dict(undo.form_values()))
    after = read(desk, id)
    assert (after["state"], after["folderId"], after["status"]) == (
        before["state"], before["folderId"], before["status"],
    )  # fmt: skip
    assert (jobs_left(desk, mailing.SEND_EMAIL), write_form(person, id)["text"]) == (0, "Ready.")
    assert counted(desk) == recounted(desk)
    post(person, f"/conversation/{id}/reply", write_form(person, id) | {"send": "closed"})
    let_pass(desk, announcing.ANNOUNCE_REPLY, seconds=11)
    assert told(desk, id)[:1] == ["convo.created"] and "convo.agent.reply.created" not in told(desk, id)


def test_after_its_time_a_reply_can_t_be_taken_back(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    desk.write(lambda tx: prefer(tx, desk.account_id, desk.user_id, Preferences(undo_s=0)))
    answer = send_reply(person, id)
    assert not html.fromstring(answer.text).xpath("//*[@id='said']//form")
    desk.server.clock.advance(timedelta(seconds=1))
    refused = person.send(f"/conversation/{id}/undo", thread=str(thread_list(desk, id)[-1]["id"]))
    assert (refused.status_code, "has left" in alerts(refused)) == (412, True)
    assert thread_list(desk, id)[-1]["state"] == "published"
