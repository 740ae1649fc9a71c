"""What is being written is kept: it comes back in any browser, with its files, and can be taken over or discarded."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from lxml import html

from deskhand.db.engine import Writer
from deskhand.db.statements import P, value
from deskhand.desk.conversations import presence
from deskhand.desk.conversations.tables import conversation
from deskhand.gateway import drafts as agents_drafts
from tests.agents import add_agent
from tests.desk.conversations.builders import add, created, read, start
from tests.desk.conversations.passing import eventually
from tests.web.inbox.forms import alerts, fields_of, post, said, send_reply, thread_list, write_form
from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c626000000000060005ae426082"
)


_COUNTED = value(int, sa.select(conversation.c.capped_threads).where(conversation.c.id == P("id")), keep=False)


def value_of(tx: Writer, id: int) -> int:
    """How many threads of a conversation count towards its limit."""
    return tx.first(_COUNTED, id=id)


def keep(person: Person, id: int, **changed: Any) -> Any:
    """Keep a reply or a note as the script does."""
    fields = write_form(person, id, changed.get("kind", "reply")) | changed
    return post(person, f"/conversation/{id}/draft", fields, script=True)


def attach(person: Person, id: int, name: str, content: bytes, kind: str, **fields: str) -> Any:
    files = {"file": (name, io.BytesIO(content), kind)}
    return post(person, f"/conversation/{id}/files", {"csrf": person.csrf, **fields}, files=files, script=True)


def test_what_was_written_in_another_window_is_neither_overwritten_nor_sent_over(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    url = f"/conversation/{id}/draft"
    one, two = write_form(person, id) | {"text": "A long text"}, write_form(person, id) | {"text": "x"}
    assert post(person, url, one, script=True).json()["at"]
    kept = post(person, url, two, script=True).json()
    assert (kept["at"], kept["other"]["html"]) == ("", "<p>A long text</p>")
    refused = post(person, f"/conversation/{id}/reply", two, script=True)
    assert refused.status_code == 412
    assert "another window" in alerts(refused)
    assert write_form(person, id)["text"] == "A long text"
    chosen = two | {"known_form": kept["other"]["form"]}
    assert post(person, url, chosen, script=True).json()["at"]
    assert post(person, url, chosen | {"text": "x y"}, script=True).json()["at"]
    assert post(person, url, one, script=True).json()["other"]["html"] == "<p>x y</p>"
    assert post(person, url, write_form(person, id) | {"text": "z"}, script=True).json()["at"]


def test_so_is_a_note(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    url = f"/conversation/{id}/draft"
    one = write_form(person, id, "note") | {"text": "A long note"}
    two = write_form(person, id, "note") | {"text": "x"}
    assert post(person, url, one, script=True).json()["at"]
    assert post(person, url, one | {"text": "A longer note"}, script=True).json()["at"]
    kept = post(person, url, two, script=True).json()
    assert (kept["at"], kept["other"]["html"]) == ("", "<p>A longer note</p>")
    refused = post(person, f"/conversation/{id}/note", two, script=True)
    assert (refused.status_code, "another window" in alerts(refused)) == (412, True)
    assert write_form(person, id, "note")["text"] == "A longer note"
    chosen = two | {"known_form": kept["other"]["form"]}
    assert post(person, url, chosen, script=True).json()["at"]
    assert post(person, url, one, script=True).json()["other"]["html"] == "<p>x</p>"
    assert said(post(person, f"/conversation/{id}/note", chosen)).startswith("Note added.")


@pytest.mark.parametrize(
    ("kind", "goes"), [("reply", "reply"), ("note", "note"), ("reply", "draft"), ("note", "draft")]
)
def test_without_script_both_texts_are_shown_and_the_next_sending_decides(desk: Desk, kind: str, goes: str) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    one, two = (write_form(person, id, kind) | {"text": text} for text in ("A long text", "x"))
    post(person, f"/conversation/{id}/draft", one)
    path = f"/conversation/{id}/{kind if goes == 'sent' else goes}"
    answer = post(person, path, two | {"send": "closed"})
    assert (answer.status_code, "another window" in alerts(answer)) == (412, True)
    page = html.fromstring(answer.text)
    assert page.xpath("//p[@class='as-written']/text()") == ["A long text"]
    fields = fields_of(page, f"write-{kind}")
    assert (fields["text"], write_form(person, id, kind)["text"]) == ("x", "A long text")
    post(person, f"/conversation/{id}/{kind}", fields | {"send": "closed"})
    assert thread_list(desk, id)[-1]["body"] == "<p>x</p>"


def test_keeping_says_of_what_was_sent_that_it_was(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    fields = write_form(person, id) | {"text": "Gone."}
    post(person, f"/conversation/{id}/reply", fields)
    assert post(person, f"/conversation/{id}/draft", fields, script=True).json()["sent"]


def test_a_reply_and_a_note_come_back_in_another_browser_until_they_are_sent(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person, elsewhere = signed_in(desk), signed_in(desk)
    assert keep(person, id, html="<p>Half a <b>sent", cc="bo@buyer.example").json()["at"]
    keep(person, id, html="<p>Half a <b>sentence</b></p>", cc="bo@buyer.example")
    keep(person, id, kind="note", html="<p>Half a note</p>")
    reply, note = write_form(elsewhere, id), write_form(elsewhere, id, "note")
    assert (reply["text"], reply["cc"], note["text"]) == ("Half a sentence", "bo@buyer.example", "Half a note")
    editor = elsewhere.page(f"/conversation/{id}").xpath("//textarea[@id='reply-text']/@data-html")
    assert editor == ["<p>Half a <b>sentence</b></p>"]
    assert [one["state"] for one in thread_list(desk, id)] == ["published", "draft"]
    send_reply(elsewhere, id, text="Whole.")
    post(elsewhere, f"/conversation/{id}/note", note)
    assert [one["body"] for one in thread_list(desk, id)][1:] == ["<p>Whole.</p>", "<p>Half a note</p>"]
    assert write_form(person, id)["text"] == write_form(person, id, "note")["text"] == ""


def test_what_is_kept_too_late_does_not_come_back(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    fields = write_form(person, id)
    post(person, f"/conversation/{id}/reply", fields | {"text": "Sent."})
    post(person, f"/conversation/{id}/draft", fields | {"text": "Sent"}, script=True)
    fields = write_form(person, id)
    post(person, f"/conversation/{id}/discard", fields)
    post(person, f"/conversation/{id}/draft", fields | {"text": "Gone"}, script=True)
    assert [one["state"] for one in thread_list(desk, id)] == ["published", "published"]


def test_nothing_is_kept_of_nothing_and_writing_shows(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    keep(signed_in(desk), id, text="  ")
    assert len(thread_list(desk, id)) == 1
    at = desk.server.clock.now()
    here = desk.write(lambda tx: presence.here(tx, desk.account_id, [id], at))
    assert [(one.user_id, one.doing) for one in here[id]] == [(desk.user_id, "writing")]


def test_discarding_leaves_nothing_behind(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    attach(person, id, "a.txt", b"Hello", "text/plain")
    keep(person, id, text="Never mind")
    assert said(post(person, f"/conversation/{id}/discard", write_form(person, id))) == "Discarded."
    assert len(thread_list(desk, id)) == 1
    assert desk.get("/v2/conversations", query='body:"Never mind"').json()["page"]["totalElements"] == 0
    for number in range(3):  # the limit of threads counts no draft that is gone
        keep(person, id, text=f"Again {number}")
        post(person, f"/conversation/{id}/discard", write_form(person, id))
    assert desk.write(lambda tx: value_of(tx, id)) == 1


def test_files_are_kept_with_the_draft_and_go_with_the_reply(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    first = attach(person, id, "..\\bill.pdf", b"%PDF", "application/pdf").json()
    attach(person, id, "gone.txt", b"Oops", "text/plain")
    names = person.page(f"/conversation/{id}").xpath("//form[@id='write-reply']//li[@class='draft-file']/a/text()")
    assert names == ["bill.pdf", "gone.txt"]
    gone = person.page(f"/conversation/{id}").xpath("//button[@name='file']/@value")[-1]
    assert post(person, f"/conversation/{id}/files/remove", {"csrf": person.csrf, "file": gone}).status_code == 200
    picture = attach(person, id, "plan.png", PNG, "image/png", shown="1").json()
    assert picture["picture"]
    assert not attach(person, id, "x.svg", b"<svg/>", "image/svg+xml", shown="1").json()["picture"]
    send_reply(person, id, text="", html=f'<p>See <img src="{picture["url"]}"> <img src="/attachments/1"></p>')
    sent = thread_list(desk, id)[-1]
    assert [one["filename"] for one in sent["_embedded"]["attachments"]] == ["bill.pdf", "plan.png", "x.svg"]
    assert sent["body"].startswith('<p>See <img src="cid:') and sent["body"].count("<img") == 1
    assert first["name"] == "bill.pdf"


def test_files_that_are_too_large_are_refused_in_words(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    answer = attach(signed_in(desk), id, "film.mp4", b"x" * (10 * 1024 * 1024 + 1), "video/mp4")
    assert answer.status_code == 413
    assert "“film.mp4” is larger than 10 MB" in alerts(answer)
    assert len(thread_list(desk, id)) == 1


def test_without_script_a_file_comes_with_the_form(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    files = {"files": ("a.txt", io.BytesIO(b"Hello"), "text/plain")}
    answer = post(person, f"/conversation/{id}/reply", write_form(person, id), files=files)
    assert said(answer) == "Sent."
    (file,) = thread_list(desk, id)[-1]["_embedded"]["attachments"]
    assert (file["filename"], file["size"]) == ("a.txt", 5)


@pytest.mark.parametrize(
    ("text", "outcome"), [("Turn it off and on.", (1, 0, 0)), ("Turn it off twice.", (0, 1, 0)), (None, (0, 0, 1))]
)
def test_an_agents_draft_is_taken_over_and_measured(
    desk: Desk, text: str | None, outcome: tuple[int, int, int]
) -> None:
    id = start(desk, desk.add_inbox())
    agent = add_agent(desk, preset="drafter", inboxes="all")
    customer = {"id": read(desk, id)["primaryCustomer"]["id"]}
    answer = agent.post(f"/v2/conversations/{id}/reply", {"text": "Turn it off and on.", "customer": customer})
    draft = created(answer)
    person = signed_in(desk)
    if text is None:
        person.send(f"/conversation/{id}/draft/{draft}/discard")
        assert len(thread_list(desk, id)) == 1
    else:
        person.send(f"/conversation/{id}/draft/{draft}/take")
        fields = write_form(person, id)
        assert fields["text"] == "Turn it off and on."
        post(person, f"/conversation/{id}/reply", fields | {"text": text, "send": "closed"})
        sent = thread_list(desk, id)[-1]
        assert (sent["id"], sent["createdBy"]["id"], sent["state"]) == (draft, desk.user_id, "published")
        desk.server.clock.advance(timedelta(seconds=11))

    def tally() -> tuple[int, int, int]:
        found = desk.server.app.database.read_now(lambda db: agents_drafts.tally(db, desk.account_id, agent.id))
        return found.sent_unchanged, found.sent_edited, found.dropped

    eventually(lambda: tally() == outcome)


def test_a_draft_is_sent_as_it_stands_by_whoever_sees_it(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    keep(signed_in(desk, desk.add_user("Lea", inboxes=(inbox,))), id, text="From Lea")
    draft = thread_list(desk, id)[-1]["id"]
    person = signed_in(desk)
    assert said(person.send(f"/conversation/{id}/draft/{draft}/send")) == "Sent."
    sent = thread_list(desk, id)[-1]
    assert (sent["body"], sent["createdBy"]["id"]) == ("<p>From Lea</p>", desk.user_id)


def test_taking_over_does_not_overwrite_what_one_is_writing(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    lea, person = signed_in(desk, desk.add_user("Lea", inboxes=(inbox,))), signed_in(desk)
    keep(lea, id, text="From Lea")
    theirs = thread_list(desk, id)[-1]["id"]
    keep(person, id, text="Mine")
    answer = person.send(f"/conversation/{id}/draft/{theirs}/take")
    assert (answer.status_code, "send or discard it first" in alerts(answer)) == (412, True)
    assert (write_form(person, id)["text"], write_form(lea, id)["text"]) == ("Mine", "From Lea")


def test_drafts_of_another_account_or_hidden_inbox_are_out_of_reach(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person, stranger = signed_in(desk), signed_in(open_desk(desk.server))
    colleague = signed_in(desk, desk.add_user("Max"))
    keep(person, id, text="Secret")
    draft = thread_list(desk, id)[-1]["id"]
    for path in (
        f"draft/{draft}/take",
        f"draft/{draft}/send",
        f"draft/{draft}/discard",
        "draft",
        "reply",
        "note",
        "forward",
    ):
        assert stranger.send(f"/conversation/{id}/{path}", text="x", forward_to="a@b.example").status_code == 404
        assert colleague.send(f"/conversation/{id}/{path}", text="x", forward_to="a@b.example").status_code == 403
    assert [one["state"] for one in thread_list(desk, id)] == ["published", "draft"]
    assert add(desk, id, "notes").status_code == 201
