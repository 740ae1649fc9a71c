"""Published replies reach their recipients by mail: once, threaded, and with the reason told where they can't."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import cast

import pytest
import sqlalchemy as sa

from deskhand.db.statements import P, command
from deskhand.desk.conversations.mail import letters, mailing
from deskhand.desk.conversations.mail.mail_queries import ADD, MailRow
from deskhand.desk.conversations.tables import thread
from deskhand.desk.users import verbs as users
from deskhand.outbox import jobs
from deskhand.outbox.jobs import Chosen
from tests.desk.conversations.builders import add, created, done, given, patch, read, start, threads, wrote
from tests.desk.conversations.mail.leaving import SALES, Case, Offices, left, mails, settled, text, tried
from tests.live import LiveServer
from tests.mail.post_office import wait
from tests.oauth.doors import Door, add_person, signed_in
from tests.world import Desk, open_desk, unique

_HIDE = command(sa.update(thread).where(thread.c.id == P("id")).values(state="hidden"), keep=False)


@pytest.fixture
def desk(mailing_desk: Desk) -> Desk:
    return mailing_desk


# What a reply becomes ------------------------------------------------------------------------------------------------


def test_a_reply_arrives_with_all_that_a_mail_has(case: Case) -> None:
    case.start()
    author = case.desk.add_user("Änne", "Ibáñez", inboxes=(case.inbox_id,))
    case.reply(
        "<p>Turn it <b>off</b> 🚀</p><p>Then on.</p>", user=author, cc=["lea@buyer.example"], bcc=["boss@desk.example"]
    )
    (received,) = case.arrived()
    (mail,) = settled(case.desk, "sent")
    message = received.message
    inbox = case.desk.get(f"/v2/mailboxes/{case.inbox_id}").json()["email"]
    assert received.sender == inbox
    assert received.recipients == [case.customer["email"], "lea@buyer.example", "boss@desk.example"]
    assert message["From"].addresses[0].display_name == "Änne Ibáñez"
    assert message["From"].addresses[0].addr_spec == inbox == message["Reply-To"].addresses[0].addr_spec
    assert message["To"].addresses[0].display_name == "Paul Grün, jr."
    assert message["To"].addresses[0].addr_spec == case.customer["email"]
    assert message["Cc"] == "lea@buyer.example"
    assert b"boss" not in received.raw
    assert message["Subject"] == "Re: A lamp that flickers"
    assert message["Message-ID"] == mail.message_id
    assert mail.message_id.endswith(f".{mail.thread_id}@desk.example>")
    assert (message["In-Reply-To"], message["References"]) == (None, None)
    assert text(message) == "Turn it off 🚀\n\nThen on.\n"
    assert "<p>Turn it <b>off</b> 🚀</p><p>Then on.</p>" in text(message, "html")
    assert text(message, "html").startswith("<!doctype html>")
    assert abs((message["Date"].datetime - case.desk.server.clock.now()).total_seconds()) < 60
    assert (mail.error, left(case.desk)) == ("", [])


def test_plain_text_keeps_its_lines_in_both_forms(case: Case) -> None:
    case.start()
    case.reply("Hello,\n\nturn it off.\nBye")
    assert text(case.message()) == "Hello,\n\nturn it off.\nBye\n"
    assert "Hello,<br>\n<br>\nturn it off.<br>\nBye" in text(case.message(), "html")


def test_attachments_go_along(case: Case) -> None:
    case.start()
    data = bytes(range(256)) * 40
    file = {"fileName": "rückgabe 🚀.pdf", "mimeType": "application/pdf", "data": base64.b64encode(data).decode()}
    case.reply(attachments=[file])
    (part,) = case.message().iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == ("rückgabe 🚀.pdf", "application/pdf")
    assert part.get_content() == data


def test_hostile_subjects_and_names_stay_in_their_headers(case: Case) -> None:
    subject = "Hello\r\nBcc: evil@x.example\r\n\r\n😀 שלום " + "x" * 200
    case.customer |= {"firstName": 'Paul" <evil@x.example>,\r\n', "lastName": "X-Evil: 1"}
    case.start(subject=subject)
    case.reply()
    (received,) = case.arrived()
    assert received.recipients == [case.customer["email"]]
    assert received.message["Subject"] == "Re: " + " ".join(subject.split())
    assert (received.message["Bcc"], received.message["X-Evil"]) == (None, None)
    assert [one.addr_spec for one in received.message["To"].addresses] == [case.customer["email"]]


def test_answers_are_chained_to_what_came_before(case: Case) -> None:
    id = case.start()
    (first,) = [one.id for one in threads(case.desk, id)]
    came_by_mail(case.desk, id, first, "<1@buyer.example>")
    case.reply("One")
    case.arrived(1)
    case.desk.server.clock.advance(timedelta(seconds=2))
    case.reply("Two")
    case.arrived(2)
    case.desk.server.clock.advance(timedelta(seconds=2))
    second = created(add(case.desk, id, "customer", text="No.", customer={"email": case.customer["email"]}))
    came_by_mail(case.desk, id, second, "<2@buyer.example>")
    case.desk.server.clock.advance(timedelta(seconds=2))
    case.reply("Three")
    one, two, three = (case.message(n) for n in (1, 2, 3))
    assert (one["In-Reply-To"], one["References"]) == ("<1@buyer.example>", "<1@buyer.example>")
    assert two["In-Reply-To"] == "<1@buyer.example>"
    assert two["References"].split() == ["<1@buyer.example>", one["Message-ID"]]
    assert three["In-Reply-To"] == "<2@buyer.example>"
    assert three["References"].split() == [
        "<1@buyer.example>", one["Message-ID"], two["Message-ID"], "<2@buyer.example>",
    ]  # fmt: skip
    assert {message["Subject"] for message in (one, two, three)} == {"Re: A lamp that flickers"}


def came_by_mail(desk: Desk, conversation_id: int, thread_id: int, message_id: str) -> None:
    row = MailRow(
        account_id=desk.account_id, thread_id=thread_id, conversation_id=conversation_id, direction="in",
        message_id=message_id, state="received", at=desk.now,
    )  # fmt: skip
    desk.write(lambda tx: tx.add_many(ADD, (row,)))


def test_without_mail_from_the_customer_an_answer_follows_the_one_before(case: Case) -> None:
    case.start()
    case.reply("One")
    first = case.message(1)["Message-ID"]
    case.desk.server.clock.advance(timedelta(seconds=2))
    case.reply("Two")
    assert (case.message(2)["In-Reply-To"], case.message(2)["References"]) == (first, first)


# What is mailed and what not -----------------------------------------------------------------------------------------


def test_nothing_else_is_mailed(case: Case) -> None:
    desk, customer = case.desk, {"email": case.customer["email"]}
    id = case.start(threads=[wrote(), {"type": "note", "text": "x"}, {"type": "chat", "text": "x"}])
    case.start(imported=True, threads=[wrote(), {"type": "reply", "text": "old"}])
    created(desk.post("/v2/conversations", given(case.inbox_id, threads=[{"type": "phone", "text": "x"}])))
    for kind in ("notes", "chats", "phones", "customer"):
        created(add(desk, id, kind, **({} if kind == "notes" else {"customer": customer})))
    case.id = id
    case.reply(draft=True)
    case.reply(imported=True, createdAt="2020-01-01T00:00:00Z")
    assert (mails(desk), left(desk)) == ([], [])


def test_a_customer_without_an_address_gets_nothing_but_copies_go_out(case: Case) -> None:
    customer = created(case.desk.post("/v2/customers", {"firstName": "Nameless"}))
    id = start(case.desk, case.inbox_id, customer={"id": customer})
    created(add(case.desk, id, "reply", customer={"id": customer}))
    assert (mails(case.desk), left(case.desk)) == ([], [])
    created(add(case.desk, id, "reply", customer={"id": customer}, cc=[case.customer["email"]]))
    assert case.message()["To"] == "undisclosed-recipients:;"
    assert case.message()["Cc"] == case.customer["email"]


def test_each_published_reply_of_a_new_conversation_is_mailed(case: Case) -> None:
    case.start(
        threads=[{"type": "reply", "text": "One"}, {"type": "note", "text": "x"}, {"type": "reply", "text": "Two"}]
    )
    settled(case.desk, "sent", "sent")
    by_text = {text(one.message).strip(): one.message for one in case.arrived(2)}
    assert by_text["One"]["Subject"] == "A lamp that flickers"
    assert by_text["Two"]["Subject"] == "Re: A lamp that flickers"
    assert by_text["Two"]["References"] == by_text["One"]["Message-ID"]


def test_publishing_drafts_mails_them_once(case: Case) -> None:
    id = case.start(threads=[wrote(), {"type": "reply", "text": "Draft", "draft": True, "cc": ["lea@buyer.example"]}])
    case.reply("Another draft", draft=True)
    assert (mails(case.desk), read(case.desk, id)["state"]) == ([], "draft")
    done(patch(case.desk, id, "/draft", False))
    assert {text(one.message).strip() for one in case.arrived(2)} == {"Draft", "Another draft"}
    done(patch(case.desk, id, "/draft", False))
    case.reply("Third")
    settled(case.desk, "sent", "sent", "sent")
    assert len(case.arrived(3)) == 3


def test_a_refused_reply_is_not_mailed(case: Case) -> None:
    case.start()
    assert add(case.desk, case.id, "reply", customer={"email": case.customer["email"]}, user=999_999).status_code == 400
    assert (mails(case.desk), left(case.desk)) == ([], [])


def test_mail_leaves_by_the_server_of_its_inbox(desk: Desk, offices: Offices) -> None:
    case = Case(desk, offices.sales, email=SALES)
    case.start()
    case.reply()
    assert case.message()["From"].addresses[0].addr_spec == SALES
    assert offices.everybody.to(case.customer["email"]) == []


def test_a_reply_comes_from_the_inbox_it_was_written_in(case: Case) -> None:
    case.start()
    case.office.answers = ["451 Later"]
    case.reply()
    tried(case.desk, 1)
    done(patch(case.desk, case.id, "/mailboxId", case.desk.add_inbox("Elsewhere")))
    case.desk.server.clock.advance(timedelta(minutes=2))
    inbox = case.desk.get(f"/v2/mailboxes/{case.inbox_id}").json()["email"]
    assert case.message()["From"].addresses[0].addr_spec == inbox


# What goes wrong -----------------------------------------------------------------------------------------------------


def test_an_answer_of_4xx_is_tried_again_with_the_same_message_id(case: Case) -> None:
    case.start()
    case.office.answers = ["451 Come back", "421 Too busy"]
    case.reply()
    tried(case.desk, 1)
    (waiting,) = mails(case.desk)
    assert (waiting.state, waiting.error.endswith("answered 451 Come back")) == ("waiting", True)
    case.desk.server.clock.advance(timedelta(minutes=2))
    tried(case.desk, 2)
    assert case.office.to(case.customer["email"]) == []
    case.desk.server.clock.advance(timedelta(minutes=3))
    case.arrived()
    (sent,) = settled(case.desk, "sent")
    assert [one.message["Message-ID"] for one in case.attempts()] == [sent.message_id] * 3
    assert (sent.error, left(case.desk)) == ("", [])


def test_an_answer_of_5xx_is_final_and_can_be_run_again(case: Case) -> None:
    case.start()
    case.office.answers = ["554 No <b>never</b>"]
    thread_id = case.reply()
    (failed,) = settled(case.desk, "failed")
    assert failed.error.endswith("answered 554 No <b>never</b>")
    assert [one.last_error for one in left(case.desk)] == [failed.error]
    database, now = case.desk.server.app.database, case.desk.server.clock.now()
    (shown,) = database.read_now(lambda db: mailing.failures(db, case.desk.account_id, case.id))
    assert (shown.thread_id, shown.words) == (thread_id, f"could not be delivered: {failed.error}")
    other = open_desk(case.desk.server)
    assert database.read_now(lambda db: mailing.failures(db, other.account_id, case.id)) == []
    database.write_now(lambda tx: jobs.run_again(tx, Chosen(kind=mailing.SEND_EMAIL), now))
    case.arrived()
    (sent,) = settled(case.desk, "sent")
    assert (sent.message_id, sent.error) == (failed.message_id, "")
    assert database.read_now(lambda db: mailing.failures(db, case.desk.account_id, case.id)) == []


def test_what_gave_up_long_ago_is_not_sent_to_anybody_s_surprise(case: Case) -> None:
    """Whoever sets up a server at last, and runs again what failed, means the replies of these days."""
    case.start()
    for subject in ("old", "new"):
        case.office.answers = ["554 No"]
        case.reply(subject)
        wait(lambda: all(one.state == "failed" for one in mails(case.desk)) and not case.office.answers)
        case.desk.server.clock.advance(timedelta(days=4))
        case.desk = case.desk.as_user(case.desk.user_id)  # signs in anew, for tokens end
    case.desk.write(lambda tx: jobs.run_again(tx, Chosen(kind=mailing.SEND_EMAIL), case.desk.server.clock.now()))
    old, _ = settled(case.desk, "failed", "sent")
    assert old.error == "it gave up, and the reply is more than 7 days old by now: write a new one"
    assert [text(one.message) for one in case.arrived()] == ["new\n"]


def test_who_was_not_accepted_at_first_gets_it_later_and_nobody_twice(case: Case) -> None:
    case.start()
    lea, max_ = f"{unique('lea')}@x.example", f"{unique('max')}@x.example"
    case.office.refusals = {lea: ["450 Greylisted", "450 Greylisted"], max_: ["550 Who?"]}
    case.reply(cc=[lea, max_])
    case.arrived()
    wait(lambda: [one.state for one in mails(case.desk)] == ["sent"])
    assert mails(case.desk)[0].error == f"{max_}: 550 Who?; {lea}: 450 Greylisted"
    case.desk.server.clock.advance(timedelta(minutes=1, seconds=5))
    tried(case.desk, 1)
    case.desk.server.clock.advance(timedelta(minutes=2))
    wait(lambda: bool(case.office.to(lea)))
    (sent,) = settled(case.desk, "sent")
    assert sent.error == f"{max_}: 550 Who?"
    assert [one.recipients for one in case.office.received if one.message["Message-ID"] == sent.message_id] == [
        [case.customer["email"]], [lea],
    ]  # fmt: skip


def test_an_address_that_no_mail_can_go_to_is_told(case: Case) -> None:
    case.start()
    case.reply(cc=["lea@-x-.example"])
    (failed,) = settled(case.desk, "failed")
    assert failed.error == "no mail can be sent to 'lea@-x-.example': it is not an address that mail servers take"
    assert case.attempts() == []


def test_a_file_that_is_gone_is_told(case: Case) -> None:
    case.start()
    case.office.answers = ["451 Later"]
    file = {"fileName": "a.txt", "mimeType": "text/plain", "data": base64.b64encode(unique("x").encode()).decode()}
    case.reply(attachments=[file])
    tried(case.desk, 1)
    for path in (case.desk.server.app.settings.data_dir / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    case.desk.server.clock.advance(timedelta(minutes=2))
    assert settled(case.desk, "failed")[0].error == "the file of an attachment is missing"


@contextmanager
def held(case: Case) -> Iterator[int]:
    """A reply that can't be sent until the end of the block."""
    case.start()
    case.office.answers = ["451 Later"]
    thread_id = case.reply()
    tried(case.desk, 1)
    yield thread_id
    case.desk.server.clock.advance(timedelta(minutes=2))


def test_what_goes_wrong_here_is_told_and_tried_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.start()
    with monkeypatch.context() as patched:
        patched.setattr(letters, "composed", lambda *_: 1 / 0)
        case.reply()
        tried(case.desk, 1)
        (waiting,) = mails(case.desk)
        words = "something went wrong here, see the log (ZeroDivisionError)"
        assert (waiting.state, waiting.error) == ("waiting", words)
    case.desk.server.clock.advance(timedelta(minutes=2))
    case.arrived()
    assert settled(case.desk, "sent")[0].error == ""


def test_a_deleted_reply_is_not_sent_any_more(case: Case) -> None:
    with held(case):
        done(case.desk.delete(f"/v2/conversations/{case.id}"))
    wait(lambda: left(case.desk) == [])
    assert (case.office.to(case.customer["email"]), len(case.attempts())) == ([], 1)


def test_a_hidden_reply_is_not_sent_any_more(case: Case) -> None:
    with held(case) as thread_id:
        case.desk.write(lambda tx: tx.run(_HIDE, id=thread_id))
    assert settled(case.desk, "failed")[0].error == "the reply was hidden before it could be sent"
    assert len(case.attempts()) == 1


def test_without_any_server_a_reply_fails_at_once_in_words(server: LiveServer) -> None:
    desk = open_desk(server)
    inbox_id = desk.add_inbox()
    id = start(desk, inbox_id)
    created(add(desk, id, "reply", customer={"id": read(desk, id)["primaryCustomer"]["id"]}))
    (failed,) = settled(desk, "failed")
    inbox = desk.get(f"/v2/mailboxes/{inbox_id}").json()["email"]
    assert failed.error == f"no SMTP server is set up for {inbox}; set DESKHAND_SMTP_URL"
    assert [(one.state, one.attempts) for one in left(desk)] == [("failed", 1)]


def test_the_page_of_a_conversation_tells_what_was_not_delivered(case: Case) -> None:
    case.start()
    case.office.answers = ["554 No <b>never</b>", "451 Later"]
    case.reply()
    settled(case.desk, "failed")
    person = add_person(case.desk)
    case.desk.write(lambda tx: users.set_inboxes(tx, case.desk.account_id, person.user_id, (case.inbox_id,)))
    page = signed_in(cast(Door, case.desk.server), person).get(f"/conversation/{case.id}").text
    assert "Could not be delivered: the SMTP server 127.0.0.1" in page
    assert "answered 554 No &lt;b&gt;never&lt;/b&gt;" in page
    assert "<b>never" not in page
    shown = case.desk.get(f"/v2/conversations/{case.id}", embed="threads").json()
    assert "554" not in json.dumps(shown)  # the wire has no field for it


def test_a_reply_goes_to_the_address_that_was_given_or_else_to_the_one_used_before(desk: Desk) -> None:
    """Not to the customer's first one: they wrote from the other, maybe because nobody reads the first any more."""
    inbox, old, new = desk.add_inbox(), f"{unique('old')}@buyer.example", f"{unique('new')}@buyer.example"
    emails = [{"type": "work", "value": address} for address in (old, new)]
    customer_id = int(desk.post("/v2/customers", {"emails": emails}).headers["Resource-ID"])
    body = {
        "subject": "Refund", "type": "email", "mailboxId": inbox, "status": "active", "customer": {"email": new},
        "threads": [
            {"type": "customer", "text": "Where?", "customer": {"email": new}},
            {"type": "reply", "text": "Here", "customer": {"email": new}},
        ],
    }  # fmt: skip
    id = int(desk.post("/v2/conversations", body).headers["Resource-ID"])
    for customer in ({"id": customer_id}, {"email": new}, {"email": old}):
        assert desk.post(f"/v2/conversations/{id}/reply", {"text": "Hi", "customer": customer}).status_code == 201

    threads = desk.get(f"/v2/conversations/{id}/threads").json()["_embedded"]["threads"]
    assert [one["to"] for one in reversed(threads) if one["type"] == "message"] == [[new], [new], [new], [old]]
