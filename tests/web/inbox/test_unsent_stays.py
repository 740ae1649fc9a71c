"""What was sent and could not leave stays with who sent it: its text, its files, and why in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from lxml import html

from deskhand.db.statements import P, command, rows
from deskhand.desk.conversations.drafts import room
from deskhand.desk.conversations.drafts import unsent as forms
from deskhand.desk.conversations.drafts.ready import BEGIN_CONVERSATION
from deskhand.desk.conversations.tables import unsent, unsent_file
from deskhand.desk.users.preferences import Preferences, prefer
from deskhand.desk.users.tables import staff
from deskhand.desk.users.verbs import set_inboxes
from deskhand.lib.clock import to_wire
from tests.desk.conversations.builders import start
from tests.desk.conversations.passing import let_pass
from tests.web.inbox.forms import alerts, fields_of, post, said, send_reply, thread_list, write_form
from tests.web.inbox.test_unsent import TYPED, attach, new_form, total, undo, waits
from tests.web.people import Person, signed_in
from tests.world import Desk

_CARDS = "//*[contains(@class, 'unsent-form')]"
_ROWS = rows(
    forms.Unsent, sa.select(*(unsent.c[name] for name in forms.Unsent.__struct_fields__)).where(
        unsent.c.account_id == P("account_id")
    ), keep=False,
)  # fmt: skip
_LIGHT = command(
    sa.update(staff).where(staff.c.account_id == P("for_account"), staff.c.id == P("id")).values(role="light user"),
    keep=False,
)
_BIG = command(
    sa.update(unsent_file).where(unsent_file.c.account_id == P("for_account")).values(size=P("size")), keep=False
)
_OLD = command(sa.update(unsent).where(unsent.c.account_id == P("for_account")).values(at=P("at")), keep=False)


def cards(person: Person) -> list[str]:
    """What was not sent, in words."""
    return [" ".join(" ".join(one.itertext()).split()) for one in person.page("/unsent").xpath(_CARDS)]


def badge(person: Person, path: str = "/search") -> str:
    """The number of these beside any page, with an exclamation mark where one could not be sent."""
    found = person.page(path).xpath("//*[@id='side']//a[@href='/unsent']/*[contains(@class, 'number')]")
    loud = person.page(path).xpath("//*[@id='side']//a[@href='/unsent']//*[contains(@class, 'loud')]")
    return "".join(one.text_content().strip() for one in found) + "!" * len(loud)


def opened(person: Person, at: int = 0) -> Any:
    """The page on which one of them is gone on with."""
    return person.page(person.page("/unsent").xpath(_CARDS)[at].xpath(".//a/@href")[0])


def press(person: Person, label: str, at: int = 0) -> requests.Response:
    """Press a button of one of them."""
    form = person.page("/unsent").xpath(f"{_CARDS}//form[.//button[contains(., '{label}')]]")[at]
    return post(person, form.get("action"), dict(form.form_values()))


def forwarded(person: Person, id: int, **more: Any) -> requests.Response:
    """Forward a conversation with a file of one's own."""
    fields = write_form(person, id, "forward") | {"forward_to": "maker@parts.example", "html": "<p>Please look.</p>"}
    attach(person, fields, "plan.txt", b"Plan", "text/plain")
    return post(person, f"/conversation/{id}/forward", fields | more)


def let_see(desk: Desk, user_id: int, inboxes: tuple[int, ...]) -> None:
    desk.write(lambda tx: set_inboxes(tx, desk.account_id, user_id, inboxes))


def ids(desk: Desk) -> list[int]:
    return [one["id"] for one in desk.get("/v2/conversations", status="all").json()["_embedded"]["conversations"]]


# -- What it was about has gone


def test_a_forward_outlives_its_conversation(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), subject="Broken")
    person = signed_in(desk)
    forwarded(person, id)
    assert desk.delete(f"/v2/conversations/{id}").status_code == 204
    assert waits(desk) == 0
    (card,) = cards(person)
    assert "conversation was deleted before it left" in card and "maker@parts.example" in card
    assert badge(person) == "1!"
    page = opened(person)
    (form,) = page.xpath("//form[@data-write-form='new']")
    fields = dict(form.form_values())
    assert (fields["to"], fields["subject"]) == ("maker@parts.example", "Fwd: Broken")
    assert page.xpath("//textarea[@id='new-text']/@data-html") == ["<p>Please look.</p>"]
    assert page.xpath("//*[@data-files]//a/text()") == ["plan.txt"]
    let_pass(desk, BEGIN_CONVERSATION, seconds=60)
    assert total(desk) == 0
    assert said(press(person, "Try again")) == "Sent."
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    (made,) = ids(desk)
    (sent,) = thread_list(desk, made)
    assert (sent["body"], sent["to"]) == ("<p>Please look.</p>", ["maker@parts.example"])
    assert [one["filename"] for one in sent["_embedded"]["attachments"]] == ["plan.txt"]
    assert (cards(person), badge(person)) == ([], "")


def test_a_reply_outlives_its_conversation(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), subject="Broken")
    person = signed_in(desk)
    files = {"files": ("plan.txt", b"Plan", "text/plain")}
    fields = write_form(person, id) | {"html": "<p>Try <b>another</b>.</p>", "cc": "bo@buyer.example", "send": "closed"}
    assert said(post(person, f"/conversation/{id}/reply", fields, files=files)) == "Sent."
    assert desk.delete(f"/v2/conversations/{id}").status_code == 204
    (card,) = cards(person)
    assert "conversation was deleted before it left" in card
    page = opened(person)
    (form,) = page.xpath("//form[@data-write-form='new']")
    typed = dict(form.form_values())
    assert (typed["to"], typed["cc"], typed["subject"]) == (fields["to"], "bo@buyer.example", "Re: Broken")
    assert page.xpath("//textarea[@id='new-text']/@data-html") == ["<p>Try <b>another</b>.</p>"]
    (url,) = page.xpath("//*[@data-files]//a/@href")
    assert person.get(url).content == b"Plan"
    let_pass(desk, BEGIN_CONVERSATION, seconds=60)
    assert total(desk) == 0


def test_what_has_left_or_was_never_sent_goes_with_its_conversation(desk: Desk) -> None:
    inbox = desk.add_inbox()
    left, drafted = start(desk, inbox), start(desk, inbox)
    person = signed_in(desk)
    send_reply(person, left)
    let_pass(desk, "send_email", seconds=11)
    let_pass(desk, "announce_reply", seconds=1)
    post(person, f"/conversation/{drafted}/draft", write_form(person, drafted) | {"text": "Half"}, script=True)
    post(person, "/new/draft", write_form(person, drafted, "forward") | {"forward_to": "a@b.example"}, script=True)
    for id in (left, drafted):
        assert desk.delete(f"/v2/conversations/{id}").status_code == 204
    assert cards(person) == []


def test_of_an_erased_customer_only_what_the_writer_wrote_stays(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = start(desk, inbox, subject="Divorce of Mira", email="mira@buyer.example")
    person = signed_in(desk)
    send_reply(person, id, text="Try another bulb.")
    forwarded(person, id)
    customer = desk.get(f"/v2/conversations/{id}").json()["primaryCustomer"]["id"]
    assert desk.delete(f"/v2/customers/{customer}").status_code == 204
    found = cards(person)
    assert len(found) == 2 and all("customer was erased before it left" in one for one in found)
    kept = desk.server.app.database.read_now(lambda db: db.all(_ROWS, account_id=desk.account_id))
    assert {one.body for one in kept} == {"<p>Please look.</p>", "<p>Try another bulb.</p>"}
    assert not any("Mira" in str(one) or "mira" in str(one) for one in kept)


def test_a_forward_whose_conversation_is_merged_leaves_or_stays_where_it_is_found(desk: Desk) -> None:
    inbox = desk.add_inbox()
    gone, stays = start(desk, inbox), start(desk, inbox)
    person, lea = signed_in(desk), signed_in(desk, desk.add_user("Lea", role="admin"))
    answer = forwarded(person, gone)
    forwarded(lea, gone)
    post(lea, "/new/draft", write_form(lea, stays, "forward") | {"forward_to": "kept@parts.example"}, script=True)
    assert person.send(f"/conversation/{gone}/merge", into=str(stays)).status_code == 200
    page = html.fromstring(undo(person, answer).text)
    assert fields_of(page, "write-forward")["forward_to"] == "maker@parts.example"
    desk.write(lambda tx: tx.run(_LIGHT, for_account=desk.account_id, id=lea_id(desk)))
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    desk.write(lambda tx: tx.run(_ADMIN, for_account=desk.account_id, id=lea_id(desk)))
    found = cards(lea)
    assert len(found) == 2 and sum("light user" in one for one in found) == 1
    forms_open = "//form[@data-write-form='new'] | //form[@id='write-forward']"
    fields = [dict(opened(lea, at).xpath(forms_open)[-1].form_values()) for at in range(2)]
    assert sorted(one.get("to") or one["forward_to"] for one in fields) == ["kept@parts.example", "maker@parts.example"]


_ADMIN = command(
    sa.update(staff).where(staff.c.account_id == P("for_account"), staff.c.id == P("id")).values(role="admin"),
    keep=False,
)


def lea_id(desk: Desk) -> int:
    (found,) = [one["id"] for one in desk.get("/v2/users").json()["_embedded"]["users"] if one["firstName"] == "Lea"]
    return int(found)


@pytest.mark.parametrize("both", [False, True])
def test_a_note_in_the_making_follows_a_merge(desk: Desk, both: bool) -> None:
    inbox = desk.add_inbox()
    gone, stays = start(desk, inbox), start(desk, inbox)
    person = signed_in(desk)
    post(person, f"/conversation/{gone}/draft", write_form(person, gone, "note") | {"text": "Of one", "kind": "note"})
    if both:
        fields = write_form(person, stays, "note") | {"text": "Of two", "kind": "note"}
        post(person, f"/conversation/{stays}/draft", fields)
    assert signed_in(desk).send(f"/conversation/{gone}/merge", into=str(stays)).status_code == 200
    text = write_form(person, stays, "note")["text"]
    assert "Of one" in text and ("Of two" in text) == both
    if both:  # a window that knows only its own text does not write over the other
        kept = post(person, f"/conversation/{stays}/draft", fields | {"text": "Of two."}, script=True).json()
        assert "Of one" in kept["other"]["html"]


# -- What its writer may do no more


def test_rights_are_looked_at_once_more_when_it_leaves(desk: Desk) -> None:
    inbox, other = desk.add_inbox(), desk.add_inbox("Other")
    lea_id, max_id = (desk.add_user(name, inboxes=(inbox, other)) for name in ("Lea", "Max"))
    lea, max = signed_in(desk, lea_id), signed_in(desk, max_id)
    for person in (lea, max):
        post(person, "/new", new_form(person) | TYPED | {"inbox": str(inbox), "send": "closed"})
    forwarded(lea, start(desk, inbox))
    assert waits(desk) == 3
    let_see(desk, lea_id, (other,))
    desk.write(lambda tx: tx.run(_LIGHT, for_account=desk.account_id, id=max_id))
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    assert total(desk) == 1 and waits(desk) == 0
    found = cards(lea)
    assert len(found) == 2 and all("you no longer see" in one for one in found)
    assert "you are a light user now" in cards(max)[0]
    assert "light user" in alerts(press(max, "Try again"))
    let_see(desk, lea_id, (inbox, other))
    assert {said(press(lea, "Try again")) for _ in found} == {"Sent.", "Forwarded to maker@parts.example."}
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    assert (total(desk), badge(lea)) == (3, "")
    assert said(press(max, "Discard")) == "Discarded."
    assert cards(max) == []


def test_what_somebody_sent_who_was_deleted_goes_to_who_deleted_them(desk: Desk) -> None:
    inbox = desk.add_inbox()
    lea_id = desk.add_user("Lea", inboxes=(inbox,))
    lea, person = signed_in(desk, lea_id), signed_in(desk)
    id = start(desk, inbox)
    post(lea, "/new", new_form(lea) | TYPED | {"send": "closed"})
    forwarded(lea, id)
    post(person, "/new/draft", write_form(person, id, "forward") | {"forward_to": "own@parts.example"}, script=True)
    assert desk.delete(f"/v2/users/{lea_id}").status_code == 204
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    assert total(desk) == 1
    found = cards(person)
    assert len(found) == 3 and sum("Lea" in one and "was deleted before it left" in one for one in found) == 2
    assert any("maker@parts.example" in one for one in found) and any("own@parts.example" in one for one in found)


# -- Telling of it


def test_whoever_sent_it_is_told_on_every_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = desk.add_inbox()
    lea_id = desk.add_user("Lea", inboxes=(inbox,))
    lea, other = signed_in(desk, lea_id), signed_in(desk)
    fields = new_form(lea) | TYPED
    post(lea, "/new/draft", fields, script=True)
    assert (badge(lea), badge(other)) == ("1", "")
    post(lea, "/new", fields | {"send": "closed"})
    assert badge(lea) == ""
    let_see(desk, lea_id, ())
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    assert (badge(lea, "/account"), badge(lea, "/side"), badge(other)) == ("1!", "1!", "")
    page = opened(lea)
    assert "Make an inbox" not in page.text_content()
    assert other.send("/unsent/again", unsent=fields["unsent"]).status_code == 404
    assert lea.send("/unsent/again", unsent="no-such-form").status_code == 404
    press(lea, "Discard")
    assert badge(lea) == ""


def test_trying_again_says_what_is_still_wrong(desk: Desk) -> None:
    inbox = desk.add_inbox()
    lea_id = desk.add_user("Lea", inboxes=(inbox,))
    lea = signed_in(desk, lea_id)
    post(lea, "/new", new_form(lea) | TYPED | {"send": "closed"})
    let_see(desk, lea_id, ())
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    answer = press(lea, "Try again")
    assert answer.status_code in (400, 403, 412) and alerts(answer)
    assert len(cards(lea)) == 1


# -- Sending the same one twice


def test_a_new_conversation_leaves_once_from_two_windows(desk: Desk) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    path = f"/new?unsent={new_form(person)['unsent']}"
    one, two = new_form(person, path) | TYPED, new_form(person, path) | TYPED
    post(person, "/new", one | {"send": "closed"})
    held = post(person, "/new", two | {"html": "<p>Mine.</p>", "send": "closed"})
    assert held.status_code == 412 and "sent already" in alerts(held) and "about to leave" in alerts(held)
    (aside,) = html.fromstring(held.text).xpath("//form[@data-write-form='new']")
    post(person, "/new/discard", dict(aside.form_values()))
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    (made,) = ids(desk)
    post(person, "/new/draft", two | {"html": "<p>Mine.</p>"}, script=True)
    again = post(person, "/new", two | {"html": "<p>Mine.</p>", "send": "closed"})
    assert again.status_code == 412 and "sent already" in alerts(again) and "Your lamp" in alerts(again)
    page = html.fromstring(again.text)
    assert page.xpath(f"//*[@role='alert']//a[@href='/conversation/{made}']")
    (form,) = page.xpath("//form[@data-write-form='new']")
    assert page.xpath("//textarea[@id='new-text']/@data-html") == ["<p>Mine.</p>"]
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    assert len(ids(desk)) == 1
    wanted = dict(form.form_values()) | {"html": "<p>Mine.</p>", "send": "closed"}
    assert wanted["unsent"] != two["unsent"]
    assert said(post(person, "/new", wanted)) == "Sent."
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    assert (len(ids(desk)), cards(person)) == (2, [])
    assert person.get(path).url.endswith(f"/conversation/{made}")


def test_a_forward_leaves_once_from_two_windows(desk: Desk) -> None:
    id = start(desk, desk.add_inbox(), subject="Broken")
    person = signed_in(desk)
    desk.write(lambda tx: prefer(tx, desk.account_id, desk.user_id, Preferences(undo_s=0)))
    typed = {"forward_to": "maker@parts.example", "html": "<p>Please look.</p>"}
    one, two = (write_form(person, id, "forward") | typed for _ in range(2))
    assert said(post(person, f"/conversation/{id}/forward", one)).startswith("Forwarded")
    again = post(person, f"/conversation/{id}/forward", two)
    assert again.status_code == 412 and "sent already" in alerts(again)
    assert len(ids(desk)) == 2
    wanted = fields_of(html.fromstring(again.text), "write-forward") | {"html": "<p>Please look.</p>"}
    assert wanted["forward_to"] == "maker@parts.example"
    assert said(post(person, f"/conversation/{id}/forward", wanted)).startswith("Forwarded")
    anew = write_form(person, id, "forward") | typed
    assert said(post(person, f"/conversation/{id}/forward", anew)).startswith("Forwarded")
    assert len(ids(desk)) == 4


def test_what_was_taken_back_may_be_sent_from_any_window(desk: Desk) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    path = f"/new?unsent={new_form(person)['unsent']}"
    one, two = new_form(person, path) | TYPED, new_form(person, path) | TYPED
    undo(person, post(person, "/new", one | {"send": "closed"}))
    assert said(post(person, "/new", two | {"send": "closed"})) == "Sent."
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    assert len(ids(desk)) == 1


# -- How many there may be


def test_there_is_an_end_to_forms_and_files(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    monkeypatch.setattr(room, "FORMS_MOST", 2)
    kept = [new_form(person) | TYPED for _ in range(3)]
    for fields in kept[:2]:
        assert post(person, "/new/draft", fields, script=True).json()["at"]
    refused = post(person, "/new/draft", kept[2], script=True)
    assert refused.status_code == 412 and "2 forms that were not sent" in alerts(refused)
    assert post(person, "/new/draft", kept[0] | {"subject": "Changed"}, script=True).json()["at"]
    assert attach(person, kept[0], "a.txt", b"Limits", "text/plain").status_code == 201
    desk.write(lambda tx: tx.run(_BIG, for_account=desk.account_id, size=room.BYTES_MOST))
    refused = attach(person, kept[1], "b.txt", b"B", "text/plain")
    assert refused.status_code == 412 and "100 MB" in alerts(refused)
    lea = signed_in(desk, desk.add_user("Lea", role="admin"))
    assert attach(lea, kept[1] | {"csrf": lea.csrf}, "b.txt", b"B", "text/plain").ok


def test_what_nobody_touches_for_half_a_year_is_forgotten(desk: Desk) -> None:
    desk.add_inbox()
    person = signed_in(desk)
    post(person, "/new/draft", new_form(person) | TYPED, script=True)
    before = to_wire(desk.server.clock.now() - timedelta(days=forms.FORGOTTEN_DAYS, seconds=1))
    desk.write(lambda tx: tx.run(_OLD, for_account=desk.account_id, at=before))
    post(person, "/new/draft", new_form(person) | TYPED | {"subject": "Newer"}, script=True)
    (card,) = cards(person)
    assert "Newer" in card


# -- Where sending leads


@pytest.mark.parametrize(
    ("back", "more", "goal"),
    [
        ("/search?query=lamp", {}, "/search?query=lamp"),
        ("/settings", {"send": "closed"}, "/folder/{inbox}6"),
        ("/settings", {"send": "active"}, "/folder/{inbox}1"),
        ("/", {"send": "active", "owner": "{me}"}, "/folder/{inbox}2"),
    ],
)
def test_a_new_conversation_leads_back_or_to_its_folder(desk: Desk, back: str, more: dict[str, str], goal: str) -> None:
    inbox = desk.add_inbox()
    person = signed_in(desk)
    more = {name: value.format(me=desk.user_id) for name, value in more.items()}
    answer = post(person, "/new", new_form(person) | TYPED | {"send": "closed", "back": back} | more)
    assert answer.url == desk.url + goal.format(inbox=inbox)
    assert said(answer) == "Sent." and html.fromstring(answer.text).xpath("//*[@id='said']//form")


def test_who_wants_to_stay_sees_it_leave(desk: Desk) -> None:
    desk.add_inbox()
    desk.write(lambda tx: prefer(tx, desk.account_id, desk.user_id, Preferences(after_send="stay")))
    person = signed_in(desk)
    fields = new_form(person) | TYPED
    answer = post(person, "/new", fields | {"send": "closed", "back": "/settings"})
    path = f"/unsent/form?unsent={fields['unsent']}"
    assert answer.url == desk.url + path and said(answer) == "Sent."
    page = html.fromstring(answer.text)
    assert "It is ready." in page.text_content() and page.xpath("//main//form[@action='/new/undo']")
    let_pass(desk, BEGIN_CONVERSATION, seconds=11)
    (made,) = ids(desk)
    assert person.page(path).xpath("//main//a/@href")[-1] == f"/conversation/{made}"
    assert person.get("/unsent/form?unsent=no-such-form").url.endswith("/unsent")
