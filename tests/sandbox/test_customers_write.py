"""Customers of the sandbox: they write real mails, answer them, and some of ours never reach them."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
import requests

from deskhand.mail.headers import Address
from deskhand.sandbox.customers_write import Letter, as_bytes
from deskhand.testing import SandboxDesk
from tests.receiver import receiving

LEA = "lea@buyer.example"


def post(desk: SandboxDesk, path: str, **given: Any) -> requests.Response:
    return requests.post(f"{desk.base_url}/sandbox/{path}", timeout=30, **given)


def threads(desk: SandboxDesk, conversation: int | None) -> list[Any]:
    found: list[Any] = desk.get(f"/v2/conversations/{conversation}/threads")["_embedded"]["threads"]
    return found


def reply(desk: SandboxDesk, conversation: int | None, text: str = "It is on its way.", email: str = LEA) -> int:
    answer = desk.call("POST", f"/v2/conversations/{conversation}/reply", {"text": text, "customer": {"email": email}})
    assert answer.status == 201, answer.text
    return answer.id


def test_a_customer_writes_and_the_desk_has_a_conversation(fresh: SandboxDesk) -> None:
    with receiving() as receiver:
        fresh.call("POST", "/v2/webhooks", {"url": receiver.url, "events": ["convo.created"], "secret": "x"})
        made = fresh.customer_writes(
            "Wo ist sie?\n\nGrüße,\nLea", email=LEA, name="Lea Müller", subject="Meine Lampe «Heron»", inbox_id=502
        )
        assert (made.state, made.inbox_id) == ("taken", 502)
        receiver.first("convo.created")
    shown = fresh.get(f"/v2/conversations/{made.conversation_id}")
    assert (shown["subject"], shown["mailboxId"], shown["status"]) == ("Meine Lampe «Heron»", 502, "active")
    assert (shown["primaryCustomer"]["email"], shown["primaryCustomer"]["first"]) == (LEA, "Lea")
    [thread] = threads(fresh, made.conversation_id)
    assert (thread["id"], thread["type"]) == (made.thread_id, "customer")
    assert "Grüße" in thread["body"]


def test_a_customer_answers_a_reply_in_its_conversation(fresh: SandboxDesk) -> None:
    made = fresh.customer_writes(email=LEA)
    fresh.call(
        "PATCH", f"/v2/conversations/{made.conversation_id}", {"op": "replace", "path": "/status", "value": "closed"}
    )
    reply(fresh, made.conversation_id)
    [mail] = fresh.mails()
    again = fresh.customer_writes("Thank you, it has come.", conversation_id=made.conversation_id)
    assert again.conversation_id == made.conversation_id
    newest = threads(fresh, made.conversation_id)[0]
    assert newest["id"] == again.thread_id
    assert "Thank you, it has come." in newest["body"]
    source = fresh.call("GET", f"/v2/conversations/{made.conversation_id}/threads/{again.thread_id}/original-source")
    assert mail["message_id"] in source.text, "threaded as a mail program threads"
    assert fresh.get(f"/v2/conversations/{made.conversation_id}")["status"] == "active"


def test_of_the_invented_past_customers_can_answer_too(fresh: SandboxDesk) -> None:
    found = fresh.get("/v2/conversations", status="closed", embed="threads")["_embedded"]["conversations"]
    old = next(one for one in found if one["type"] == "email" and any(
        thread["type"] == "message" for thread in one["_embedded"]["threads"]
    ))  # fmt: skip
    written = fresh.customer_writes("And the second one?", conversation_id=old["id"])
    assert written.conversation_id == old["id"]
    assert fresh.get(f"/v2/conversations/{old['id']}")["status"] == "active"


@pytest.mark.parametrize(("final", "words"), [(True, "was not delivered: "), (False, "was not delivered yet; ")])
def test_a_reply_bounces_into_its_conversation(fresh: SandboxDesk, final: bool, words: str) -> None:
    made = fresh.customer_writes(email=LEA)
    thread = reply(fresh, made.conversation_id)
    assert fresh.settle()
    bounced = fresh.bounce(thread, final=final, reason="mailbox full, try paper")
    assert (bounced.conversation_id, bounced.state) == (made.conversation_id, "taken")
    told = threads(fresh, made.conversation_id)[0]
    assert told["id"] == bounced.thread_id
    assert words in told["action"]["text"]
    assert "mailbox full, try paper" in told["action"]["text"]


def test_of_the_invented_past_mails_can_bounce_too(fresh: SandboxDesk) -> None:
    thread = fresh.description["examples"]["rated_thread"]
    bounced = fresh.bounce(thread)
    assert bounced.state == "taken"
    assert thread in [one["id"] for one in threads(fresh, bounced.conversation_id)]


@pytest.mark.parametrize("path", ["bounce", "rate"])
def test_what_never_left_can_not_come_back(fresh: SandboxDesk, path: str) -> None:
    made = fresh.customer_writes()
    body = {"thread_id": made.thread_id} | ({"rating": "great"} if path == "rate" else {})
    answer = post(fresh, path, json=body)
    assert answer.status_code == 404
    assert "thread" in answer.json()["message"]


def test_a_rating_of_a_reply_is_in_the_api(fresh: SandboxDesk) -> None:
    made = fresh.customer_writes(email=LEA)
    id = fresh.rate(reply(fresh, made.conversation_id), "okay", "Well")
    assert fresh.get(f"/v2/ratings/{id}")["comments"] == "Well"


# -- A raw message


def raw(**fields: str) -> bytes:
    mail = EmailMessage()
    given = {"From": f"Lea <{LEA}>", "To": "orders@brindlewick.example", "Subject": "Hi", "Message_ID": "<1@x.example>"}
    for name, value in (given | fields).items():
        if value:
            mail[name.replace("_", "-")] = value
    mail.set_content("Where is it?")
    return mail.as_bytes()


def inbound(desk: SandboxDesk, data: bytes, **query: Any) -> requests.Response:
    return post(desk, "mail/inbound", data=data, params=query)


def test_a_raw_message_goes_to_the_inbox_that_it_names(fresh: SandboxDesk) -> None:
    answer = inbound(fresh, raw())
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert (body["inbox_id"], body["state"]) == (501, "taken")
    assert fresh.get(f"/v2/conversations/{body['conversation_id']}")["subject"] == "Hi"
    assert inbound(fresh, raw()).json()["conversation_id"] == body["conversation_id"], "the same message is known"
    assert len(threads(fresh, body["conversation_id"])) == 1


def test_an_envelope_without_a_sender_wants_no_answer(fresh: SandboxDesk) -> None:
    id = fresh.customer_writes("Where is it?", email=LEA).conversation_id
    body = {"text": "It is on its way.", "customer": {"email": LEA}, "status": "closed"}
    fresh.call("POST", f"/v2/conversations/{id}/reply", body)
    (sent,) = fresh.mails()
    for number, (query, status) in enumerate([({"from": ""}, "closed"), ({"from": LEA}, "active")]):
        data = raw(Message_ID=f"<{number}@x.example>", In_Reply_To=sent["message_id"])
        assert inbound(fresh, data, **query).json()["conversation_id"] == id
        assert fresh.get(f"/v2/conversations/{id}")["status"] == status


def test_the_envelope_wins_over_the_header_and_cc_counts(fresh: SandboxDesk) -> None:
    by_envelope = inbound(fresh, raw(), to="help@brindlewick.example").json()
    assert by_envelope["inbox_id"] == 502
    by_cc = inbound(
        fresh, raw(To="someone@else.example", Cc="Wholesale <WHOLESALE@Brindlewick.example>", Message_ID="<2@x>")
    )
    assert by_cc.json()["inbox_id"] == 503


def test_a_message_for_two_inboxes_comes_to_both(fresh: SandboxDesk) -> None:
    answer = inbound(fresh, raw(To="orders@brindlewick.example, help@brindlewick.example")).json()
    assert [answer["inbox_id"], *(one["inbox_id"] for one in answer["others"])] == [501, 502]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (raw(To="nobody@else.example"), "to"),
        (raw(To=""), "to"),
        (b"", "body"),
        (b"\r\n", "body"),
        (b"\xff\x00\xfe", "to"),
    ],
)
def test_mail_for_nobody_is_refused_in_words(fresh: SandboxDesk, data: bytes, field: str) -> None:
    answer = inbound(fresh, data)
    assert answer.status_code == 400, answer.text
    [error] = answer.json()["errors"]
    assert error["path"] == field
    assert error["message"]


def test_what_can_not_be_read_is_shown_all_the_same(fresh: SandboxDesk) -> None:
    answer = inbound(fresh, b"\xff\xfe no header at all", to="orders@brindlewick.example")
    assert answer.status_code == 202, answer.text
    assert answer.json()["conversation_id"]


# -- Bad input


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": LEA, "inbox_id": 501, "subject": "x"}, "text"),
        ({"text": "x", "inbox_id": 501, "subject": "x"}, "email"),
        ({"text": "x", "email": "nobody", "inbox_id": 501, "subject": "x"}, "email"),
        ({"text": "x", "email": "a@b.example\nBcc: x@y.example", "inbox_id": 501, "subject": "x"}, "email"),
        ({"text": "x", "email": LEA, "inbox_id": 9, "subject": "x"}, "inbox_id"),
        ({"text": "x", "email": LEA, "inbox_id": "x", "subject": "x"}, "inbox_id"),
        ({"text": "x", "email": LEA, "subject": "x"}, "inbox_id"),
        ({"text": "x", "email": LEA, "inbox_id": 501}, "subject"),
        ({"text": "x\0", "email": LEA, "inbox_id": 501, "subject": "x"}, "text"),
        ({"text": "x", "conversation_id": 1}, "conversation_id"),
        ({"text": "x", "conversation_id": 2**64}, "conversation_id"),
        ({"text": "x", "colour": "red"}, "colour"),
        ([], "body"),
    ],
)
def test_a_customer_who_can_not_write_is_refused_with_the_field(fresh: SandboxDesk, body: Any, field: str) -> None:
    answer = post(fresh, "customer-writes", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["path"] == field


def test_names_and_subjects_write_no_header_fields_of_their_own(fresh: SandboxDesk) -> None:
    evil = "Lea\r\nBcc: all@world.example"
    made = fresh.customer_writes("x", email=LEA, name=evil, subject=evil)
    source = fresh.call(
        "GET", f"/v2/conversations/{made.conversation_id}/threads/{made.thread_id}/original-source"
    ).text
    assert "\nBcc:" not in source.replace("\\r\\n", "\n").replace("\\n", "\n")


def test_an_answer_has_the_form_that_mail_programs_write() -> None:
    mail = message_from_bytes(
        as_bytes(
            Letter(
                message_id="<2@x>", sender=Address(LEA, "Lea"), to=Address("orders@brindlewick.example", "Orders"),
                subject="Re: Hi", text="Danke & Grüße", date=datetime(2026, 11, 23, 9, tzinfo=UTC),
                references=("<0@x>", "<1@x>"), quoted="Here.\nYours", quoted_by="On Monday, Orders wrote:",
            )
        ),
        policy=default,
    )  # fmt: skip
    assert (mail["In-Reply-To"], mail["References"]) == ("<1@x>", "<0@x> <1@x>")
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert text.replace("\r\n", "\n") == "Danke & Grüße\n\nOn Monday, Orders wrote:\n\n> Here.\n> Yours\n"
    assert "Danke &amp; Grüße" in html
    assert '<blockquote class="gmail_quote"' in html
