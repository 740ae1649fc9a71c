"""New conversations and forwards that are being written: kept with their files, shown again, sent, taken back."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from lxml import html

from deskhand.db.statements import P, command, value
from deskhand.desk.conversations.drafts import departing
from deskhand.desk.conversations.drafts.ready import BEGIN_CONVERSATION
from deskhand.desk.conversations.erasure import files as stored_files
from deskhand.desk.conversations.tables import unsent, unsent_file
from deskhand.desk.inboxes import mail_settings
from deskhand.desk.inboxes.mail_settings import MailChange
from deskhand.desk.inboxes.tables import inbox as inbox_table
from deskhand.desk.users.preferences import Preferences, prefer
from deskhand.outbox.tables import job
from tests.desk.conversations.builders import read, start, told
from tests.desk.conversations.passing import eventually, jobs_left, let_pass
from tests.web.inbox.forms import alerts, fields_of, post, said, thread_list, write_form
from tests.web.inbox.test_drafts import PNG
from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk, unique

TYPED = {
    "to": "Ann <ann@buyer.example>", "cc": "bo@buyer.example", "name": "Ann Bee", "subject": "Your lamp",
    "html": "<p>It is <b>ready</b>.</p>", "tags": "vip", "status": "pending", "kind": "email",
}  # fmt: skip

_LAST_TRY = command(sa.update(job).where(job.c.account_id == P("for_account")).values(attempts=10), keep=False)
_NO_INBOX = command(sa.delete(inbox_table).where(inbox_table.c.account_id == P("account_id")), keep=False)

_WRITERS = value(
    int,
    sa.union_all(
        sa.select(unsent.c.user_id).where(unsent.c.account_id == P("account_id")),
        sa.select(unsent.c.user_id)
        .join(unsent_file, unsent_file.c.unsent_id == unsent.c.id)
        .where(unsent_file.c.account_id == P("account_id")),
    ),
    keep=False,
)


def new_form(person: Person, path: str = "/new") -> dict[str, Any]:
    """The fields of the form for a new conversation, without any button."""
    (form,) = person.page(path).xpath("//form[@data-write-form='new']")
    return dict(form.form_values())


def attach(person: Person, fields: dict[str, Any], name: str, content: bytes, kind: str, **more: str) -> Any:
    """Add a file as the script does."""
    return post(person, "/new/files", fields | more, files={"file": (name, io.BytesIO(content), kind)}, script=True)


def undo(person: Person, answer: requests.Response) -> requests.Response:
    """Press what a page offers to take back what was sent."""
    (form,) = html.fromstring(answer.text).xpath("//*[@id='said']//form")
    return post(person, form.get("action"), dict(form.form_values()))


def total(desk: Desk) -> int:
    return int(desk.get("/v2/conversations", status="all").json()["page"]["totalElements"])


def waits(desk: Desk) -> int:
    return jobs_left(desk, BEGIN_CONVERSATION)


def test_a_form_comes_back_in_another_browser_with_its_files(desk: Desk) -> None:
    desk.add_inbox()
    person, elsewhere = signed_in(desk), signed_in(desk)
    fields = new_form(person) | TYPED
    assert post(person, "/new/draft", fields, script=True).json()["at"]
    made = attach(person, fields, "terms.txt", b"Terms", "text/plain").json()
    picture = attach(person, fields, "p.png", PNG, "image/png", shown="1").json()
    assert (made["name"], picture["picture"]) == ("terms.txt", True)
    text = f'<p>See <img src="{picture["url"]}" alt=""></p>'
    post(person, "/new/draft", fields | {"html": text}, script=True)
    page = elsewhere.page("/new")
    (link,) = page.xpath("//*[contains(@class, 'unsent-line')]")
    assert link.xpath("span/text()")[:2] == ["Your lamp", "Ann <ann@buyer.example>"]
    again = new_form(elsewhere, link.get("href"))
    assert {name: again[name] for name in TYPED if name != "html"} == {n: v for n, v in TYPED.items() if n != "html"}
    page = elsewhere.page(link.get("href"))
    assert page.xpath("//textarea[@id='new-text']/@data-html") == [f'<p>See <img src="{picture["url"]}" alt=""></p>']
    assert page.xpath("//*[@data-files]//a/text()") == ["terms.txt"]
    assert not page.xpath("//*[contains(@class, 'unsent-line')]")
    assert elsewhere.get(made["url"]).content == b"Terms"
    assert total(desk) == 0 and desk.get("/v2/customers").json()["page"]["totalElements"] == 0


def test_what_somebody_writes_is_theirs_alone(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox)
    person, lea = signed_in(desk), signed_in(desk, desk.add_user("Lea", inboxes=(inbox,)))
    stranger = signed_in(open_desk(desk.server))
    fields = new_form(person) | TYPED
    post(person, "/new/draft", fields, script=True)
    url = attach(person, fields, "a.txt", b"Secret", "text/plain").json()["url"]
    for other in (lea, stranger):
        assert other.get(url).status_code == 404
        assert "Your lamp" not in other.get(f"/new?unsent={fields['unsent']}").text
        assert "Your lamp" not in other.get("/new").text
        other.send("/new/discard", unsent=fields["unsent"])
    hidden = {"csrf": stranger.csrf, "unsent": f"forward-{id}", "forward_to": "a@b.example", "text": "Hi"}
    assert post(stranger, "/new/draft", hidden, script=True).status_code == 404
    assert post(stranger, f"/conversation/{id}/forward", hidden).status_code == 404
    assert new_form(person, f"/new?unsent={fields['unsent']}")["subject"] == "Your lamp"
    light = signed_in(desk, desk.add_user("Light", role="light user", inboxes=(inbox,)))
    refused = post(light, "/new/draft", {"csrf": light.csrf, "unsent": fields["unsent"], "text": "Hi"}, script=True)
    assert refused.status_code == 403


def test_of_nothing_nothing_is_kept_and_what_is_emptied_goes(desk: Desk) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    fields = new_form(person)
    lines = "//*[contains(@class, 'unsent-line')]"
    post(person, "/new/draft", fields, script=True)
    assert not person.page("/new").xpath(lines)
    post(person, "/new/draft", fields | {"text": "x"}, script=True)
    assert person.page("/new").xpath(lines)
    post(person, "/new/draft", fields, script=True)
    assert not person.page("/new").xpath(lines)
    post(person, "/new/draft", fields | {"text": "x"}, script=True)
    attach(person, fields | {"text": "x"}, "a.txt", b"A", "text/plain")
    answer = post(person, "/new/discard", fields | {"back": "/search"})
    assert (said(answer), answer.url.endswith("/search")) == ("Discarded.", True)
    assert post(person, "/new/draft", fields | {"text": "late"}, script=True).json()["sent"]
    assert not person.page("/new").xpath(lines)
    assert jobs_left(desk, stored_files.REMOVE_FILES) == 1


def test_it_all_works_without_script(desk: Desk) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    files = {"files": ("a.txt", io.BytesIO(b"A"), "text/plain")}
    answer = post(person, "/new/draft", new_form(person) | {"to": "ann@buyer.example", "text": "Hi"}, files=files)
    assert said(answer).startswith("Saved.")
    page = html.fromstring(answer.text)
    (remove,) = page.xpath("//button[@data-remove]")
    (form,) = page.xpath("//form[@data-write-form='new']")
    fields = dict(form.form_values()) | {"subject": "Typed before it was pressed"}
    answer = post(person, remove.get("formaction"), fields | {"file": remove.get("value")})
    page = html.fromstring(answer.text)
    assert not page.xpath("//button[@data-remove]")
    (form,) = page.xpath("//form[@data-write-form='new']")
    assert (dict(form.form_values())["subject"], dict(form.form_values())["text"]) == (
        "Typed before it was pressed", "Hi",
    )  # fmt: skip


def test_two_windows_lose_nothing_of_each_other(desk: Desk) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    path = f"/new?unsent={new_form(person)['unsent']}"
    one, two = new_form(person, path) | TYPED, new_form(person, path) | TYPED | {"html": "<p>Mine</p>"}
    post(person, "/new/draft", one, script=True)
    kept = post(person, "/new/draft", two, script=True).json()
    assert (kept["at"], kept["other"]["html"]) == ("", "<p>It is <b>ready</b>.</p>")
    shown = post(person, "/new", two | {"send": "closed"})
    assert shown.status_code == 400
    page = html.fromstring(shown.text)
    assert "It is ready." in page.xpath("//p[@class='as-written']/text()")
    assert page.xpath("//textarea[@id='new-text']/@data-html") == ["<p>Mine</p>"]
    (form,) = page.xpath("//form[@data-write-form='new']")
    assert said(post(person, "/new", dict(form.form_values()) | {"send": "closed"})) == "Sent."


def test_a_new_conversation_is_taken_back_as_it_was(desk: Desk) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    fields = new_form(person) | TYPED
    url = attach(person, fields, "terms.txt", b"Terms", "text/plain").json()["url"]
    person.http.headers["Referer"] = f"{desk.server.url}/search?query=lamp"
    fields = new_form(person, f"/new?unsent={fields['unsent']}") | TYPED | {"back": "/search?query=lamp"}
    answer = post(person, "/new", fields | {"send": "closed"})
    assert (said(answer), answer.url.partition("/search")[2]) == ("Sent.", "?query=lamp")
    assert (total(desk), waits(desk), desk.get("/v2/customers").json()["page"]["totalElements"]) == (0, 1, 0)
    assert "It is about to leave" in person.get(f"/new?unsent={fields['unsent']}").text
    assert "This has been sent" in alerts(post(person, "/new/files", fields | {"token": "x"}, script=True, files={
        "file": ("b.txt", io.BytesIO(b"B"), "text/plain")}))  # fmt: skip
    answer = undo(person, answer)
    assert said(answer) == "Taken back. Nothing was sent."
    page = html.fromstring(answer.text)
    (form,) = page.xpath("//form[@data-write-form='new']")
    again = dict(form.form_values())
    assert {name: again[name] for name in ("to", "cc", "name", "subject", "tags", "status")} == {
        **{name: TYPED[name] for name in ("to", "cc", "name", "subject", "tags")}, "status": "closed",
    }  # fmt: skip
    assert page.xpath("//textarea[@id='new-text']/@data-html") == [TYPED["html"]]
    assert page.xpath("//*[@data-files]//a/@href") == [url]
    let_pass(desk, BEGIN_CONVERSATION, seconds=60)
    assert (total(desk), waits(desk)) == (0, 0)
    assert post(person, "/new/draft", fields, script=True).json()["sent"]
    post(person, "/new", again | {"html": "<p>Now.</p>", "send": "closed"})
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    id = desk.get("/v2/conversations", status="all").json()["_embedded"]["conversations"][0]["id"]
    (sent,) = thread_list(desk, id)
    assert (sent["body"], sent["to"]) == ("<p>Now.</p>", ["ann@buyer.example"])
    assert [one["filename"] for one in sent["_embedded"]["attachments"]] == ["terms.txt"]
    assert told(desk, id) == ["convo.created"]
    assert not person.page("/new").xpath("//*[contains(@class, 'unsent-line')]")
    assert person.get(url).status_code == 404
    refused = person.send("/new/undo", unsent=fields["unsent"])
    assert (refused.status_code, "has left" in alerts(refused)) == (412, True)


def test_a_forward_is_kept_and_taken_back(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), subject="Broken")
    person = signed_in(desk)
    fields = write_form(person, id, "forward")
    fields |= {"forward_to": "maker@parts.example", "html": "<p>Please <i>look</i>.</p>"}
    fields.pop("with_files")
    post(person, "/new/draft", fields, script=True)
    attach(person, fields, "terms.txt", b"Terms", "text/plain")
    picture = attach(person, fields, "p.png", PNG, "image/png", shown="1").json()
    fields["html"] += f'<p><img src="{picture["url"]}"></p>'
    post(person, "/new/draft", fields, script=True)
    page = signed_in(desk).page(f"/conversation/{id}")
    assert page.xpath("//*[@data-writing]/@data-mode") == ["forward"]
    again = fields_of(page, "write-forward")
    assert (again["forward_to"], "with_files" in again) == ("maker@parts.example", False)
    assert page.xpath("//form[@id='write-forward']//*[@data-files]//a/text()") == ["terms.txt"]
    assert person.page("/new").xpath("//*[contains(@class, 'unsent-line')]/@href") == [
        f"/conversation/{id}?write=forward#writing"
    ]
    answer = post(person, f"/conversation/{id}/forward", again | {"html": fields["html"], "csrf": person.csrf})
    assert said(answer) == "Forwarded to maker@parts.example.", alerts(answer)
    answer = undo(person, answer)
    page = html.fromstring(answer.text)
    assert (total(desk), waits(desk), page.xpath("//*[@data-writing]/@data-mode")) == (1, 0, ["forward"])
    (text,) = page.xpath("//textarea[@id='forward-text']/@data-html")
    assert text == f'<p>Please <i>look</i>.</p><p><img src="{picture["url"]}"></p>'
    post(person, f"/conversation/{id}/forward", fields_of(page, "write-forward") | {"html": text})
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    (made,) = [
        one["id"] for one in desk.get("/v2/conversations", status="all").json()["_embedded"]["conversations"]
        if one["id"] != id
    ]  # fmt: skip
    (sent,) = thread_list(desk, made)
    assert sent["body"].startswith("<p>Please <i>look</i>.</p>") and 'src="cid:' in sent["body"]
    assert {one["filename"] for one in sent["_embedded"]["attachments"]} == {"terms.txt", "p.png"}
    assert write_form(person, id, "forward")["forward_to"] == ""


def test_what_is_wrong_is_said_when_it_is_sent_and_not_later(desk: Desk) -> None:
    desk.add_inbox()
    answer = post(person := signed_in(desk), "/new", new_form(person) | TYPED | {"owner": "999999", "send": "closed"})
    assert answer.status_code == 400 and "o such user or team" in answer.text
    assert waits(desk) == total(desk) == 0


def test_one_that_can_t_be_begun_any_more_is_there_again_and_says_why(desk: Desk) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    post(person, "/new", new_form(person) | TYPED | {"send": "closed"})
    desk.write(lambda tx: tx.run(_NO_INBOX, account_id=desk.account_id))
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    desk.add_inbox()
    (link,) = person.page("/new").xpath("//*[contains(@class, 'unsent-line')]")
    assert "Could not be sent" in " ".join(link.itertext())
    assert new_form(person, link.get("href"))["subject"] == "Your lamp"


def breaks(*_: object) -> None:
    raise RuntimeError("the disk is on fire")


def test_one_that_is_tried_again_can_still_be_taken_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    answer = post(person, "/new", new_form(person) | TYPED | {"send": "closed"})
    monkeypatch.setattr(departing, "begin", breaks)
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    monkeypatch.undo()
    assert waits(desk) == 1
    assert said(undo(person, answer)) == "Taken back. Nothing was sent."
    assert (waits(desk), total(desk)) == (0, 0)


def test_one_that_was_tried_in_vain_is_there_again_and_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    post(person, "/new", new_form(person) | TYPED | {"send": "closed"})
    desk.write(lambda tx: tx.run(_LAST_TRY, for_account=desk.account_id))
    monkeypatch.setattr(departing, "begin", breaks)
    desk.server.clock.advance(timedelta(seconds=11))
    eventually(lambda: bool(person.page("/new").xpath("//*[contains(@class, 'unsent-line')]")), seconds=30)
    monkeypatch.undo()
    (link,) = person.page("/new").xpath("//*[contains(@class, 'unsent-line')]")
    assert "Could not be sent" in " ".join(link.itertext()) and "fire" not in " ".join(link.itertext())
    again = new_form(person, link.get("href"))
    assert again["subject"] == "Your lamp"
    post(person, "/new", again | {"html": TYPED["html"], "send": "closed"})
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    assert total(desk) == 1


def test_a_file_that_comes_when_all_is_sent_makes_no_new_form(desk: Desk) -> None:
    desk.add_inbox()
    desk.write(lambda tx: prefer(tx, desk.account_id, desk.user_id, Preferences(undo_s=0)))
    person = signed_in(desk)
    fields = new_form(person) | TYPED
    post(person, "/new", fields | {"send": "closed"})
    assert total(desk) == 1
    late = attach(person, fields, "a.txt", b"A", "text/plain")
    assert (late.status_code, "sent" in alerts(late)) == (412, True)
    assert not person.page("/new").xpath("//*[contains(@class, 'unsent-line')]")


def test_forms_go_with_who_wrote_them(desk: Desk) -> None:
    inbox = desk.add_inbox()
    lea_id = desk.add_user("Lea", inboxes=(inbox,))
    lea, other = signed_in(desk, lea_id), signed_in(desk)
    for person in (lea, other):
        fields = new_form(person) | TYPED
        post(person, "/new/draft", fields, script=True)
        attach(person, fields, "a.txt", unique("a").encode(), "text/plain")
    assert desk.delete(f"/v2/users/{lea_id}").status_code == 204
    kept = desk.server.app.database.read_now(lambda db: db.all(_WRITERS, account_id=desk.account_id))
    assert kept == [desk.user_id, desk.user_id]
    assert jobs_left(desk, stored_files.REMOVE_FILES) == 1


@pytest.mark.parametrize(("chosen", "of_inbox", "seconds"), [(None, 25, 25), (5, 25, 5), (None, 0, 0), (0, 25, 0)])
def test_the_user_s_own_time_wins_over_the_inbox_s(
    desk: Desk, chosen: int | None, of_inbox: int, seconds: int
) -> None:  # fmt: skip
    inbox = desk.add_inbox()
    sealer = desk.server.app.gateway.sealer
    change = MailChange(undo_s=of_inbox)
    desk.write(lambda tx: mail_settings.change(tx, desk.account_id, inbox, change, sealer, desk.now))
    desk.write(lambda tx: prefer(tx, desk.account_id, desk.user_id, Preferences(undo_s=chosen)))
    person, id = signed_in(desk), start(desk, inbox)
    reply = post(person, f"/conversation/{id}/reply", write_form(person, id) | {"text": "Hi", "send": "closed"})
    began = post(person, "/new", new_form(person) | TYPED | {"send": "closed"})
    for answer in (reply, began):
        forms = html.fromstring(answer.text).xpath("//*[@id='said']//form/@data-seconds")
        assert forms == ([str(seconds)] if seconds else [])
    assert waits(desk) == (1 if seconds else 0)
    if not seconds:
        assert read(desk, int(began.url.rpartition("/")[2]))["subject"] == "Your lamp"


def test_forms_go_with_the_conversation_that_they_forward(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    person = signed_in(desk)
    fields = write_form(person, id, "forward") | {"forward_to": "maker@parts.example", "text": "Look"}
    url = attach(person, fields, "a.txt", unique("a").encode(), "text/plain").json()["url"]
    assert person.get(url).status_code == 200
    assert desk.delete(f"/v2/conversations/{id}").status_code == 204
    assert person.get(url).status_code == 404
    assert not person.page("/new").xpath("//*[contains(@class, 'unsent-line')]")


def test_forms_go_on_in_the_conversation_into_which_theirs_is_merged(desk: Desk) -> None:
    inbox = desk.add_inbox()
    gone, stays = start(desk, inbox), start(desk, inbox)
    person, lea = signed_in(desk), signed_in(desk, desk.add_user("Lea", inboxes=(inbox,)))
    for one, id, to in ((person, gone, "maker"), (lea, gone, "other"), (lea, stays, "kept")):
        fields = write_form(one, id, "forward") | {"forward_to": f"{to}@parts.example", "text": "Look"}
        attach(one, fields, f"{to}.txt", unique(to).encode(), "text/plain")
    assert person.send(f"/conversation/{gone}/merge", into=str(stays)).status_code == 200
    (path,) = person.page("/new").xpath("//*[contains(@class, 'unsent-line')]/@href")
    page = person.page(path)
    assert fields_of(page, "write-forward")["forward_to"] == "maker@parts.example"
    assert page.xpath("//form[@id='write-forward']//*[@data-files]//a/text()") == ["maker.txt"]
    assert write_form(lea, stays, "forward")["forward_to"] == "kept@parts.example"  # she has one there already
    url = page.xpath("//form[@id='write-forward']//*[@data-files]//a/@href")[0]
    assert desk.delete(f"/v2/conversations/{stays}").status_code == 204
    assert person.get(url).status_code == 404
