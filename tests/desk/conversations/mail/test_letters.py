"""What customers find in their mail: an answer as a person writes it, and nothing that is not meant for them."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.db.statements import P, command
from deskhand.desk.conversations.mail import letters
from deskhand.desk.conversations.mail.letters import Letter
from deskhand.desk.conversations.mail.mail_queries import Reply
from deskhand.desk.inboxes.tables import inbox_mail
from deskhand.lib.clock import from_wire
from deskhand.mail import smtp_out
from deskhand.mail.body import QUOTED_LENGTH, Said
from deskhand.mail.compose import AUTOMATIC, LOOP_FIELD, File, loop_mark
from tests.desk.conversations.builders import add, created
from tests.desk.conversations.mail.leaving import Case, mails, set_up, settled
from tests.mail.post_office import make_certificate, post_office, wait
from tests.world import unique

QUESTION = "<p>It <b>flickers</b> für mich, and so does the other one that I bought in May.</p>"
ANSWER = "<p>Turn it off and on again. If that does not help, please tell us and we send another.</p>"

_SWAP = command(
    sa.update(inbox_mail)
    .where(inbox_mail.c.account_id == P("account"), inbox_mail.c.inbox_id == P("inbox"))
    .values(smtp=P("smtp")),
    keep=False,
)


def whole(message: EmailMessage, kind: str = "plain") -> str:
    """All that a mail says in one of its forms."""
    part = message.get_body((kind,))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")  # type: ignore[no-any-return]


def later(case: Case) -> None:
    case.desk.server.clock.advance(timedelta(seconds=2))


def test_what_was_said_before_is_quoted_as_mail_programs_do(case: Case) -> None:
    case.start(threads=[{"type": "customer", "text": "<p>It flickers.</p><p>Since May.</p>"}])
    later(case)
    case.reply("<p>Turn it off.</p>")
    case.arrived(1)
    later(case)
    case.reply("<p>And on again.</p>")
    message = case.message(2)
    text = whole(message)
    assert re.fullmatch(
        r"And on again\.\n\n"
        r"On \w{3}, \d+ \w{3} \d{4} at \d\d:\d\d, Ada Holm <\S+@desk\.example> wrote:\n\n"
        r"> Turn it off\.\n(?:>\n)+"
        r"> On \w{3}, \d+ \w{3} \d{4} at \d\d:\d\d, Paul Grün, jr\. <\S+@buyer\.example> wrote:\n>\n"
        r"> > It flickers\.\n> >\n> > Since May\.\n",
        text,
    ), text
    assert whole(message, "html").count("<blockquote") == 2


def test_only_so_much_is_quoted(case: Case) -> None:
    case.start(threads=[{"type": "customer", "text": f"<p>first</p><table><tr><td>{'long ' * 4000}<i>"}])
    for number in range(4):
        later(case)
        case.reply(f"Answer {number}")
        case.arrived(number + 1)
    html = whole(case.message(4), "html")
    assert [one in html for one in ("Answer 3", "Answer 2", "Answer 1", "Answer 0", "first")] == [True] * 4 + [False]
    later(case)
    created(add(case.desk, case.id, "customer", text="x" * 20_000, customer={"email": case.customer["email"]}))
    later(case)
    case.reply("Last")
    html = whole(case.message(5), "html")
    assert QUOTED_LENGTH <= html.count("x") < QUOTED_LENGTH + 50
    assert "[…]" in html


def test_nothing_is_quoted_that_was_said_among_the_team_or_to_others(case: Case) -> None:
    case.start(threads=[{"type": "customer", "text": "It flickers."}])
    created(add(case.desk, case.id, "notes", text="He is a liar"))
    other = {"email": f"{unique('eve')}@x.example"}
    created(add(case.desk, case.id, "customer", text="My IBAN is 42", customer=other))
    created(add(case.desk, case.id, "reply", text="Your secret is safe", customer=other))
    later(case)
    case.reply("Turn it off.")
    text = whole(case.message())
    assert "> It flickers." in text
    for hidden in ("liar", "IBAN", "secret"):
        assert hidden not in text


def test_nobody_finds_in_a_copy_what_was_not_sent_to_them_before(case: Case) -> None:
    lea, max_ = f"{unique('lea')}@x.example", f"{unique('max')}@x.example"
    case.start(threads=[{"type": "customer", "text": "My IBAN is 42."}])
    later(case)
    copies: tuple[dict[str, Any], ...] = ({"cc": [lea]}, {"cc": [lea.upper()]}, {"cc": [lea], "bcc": [max_]}, {})
    for number, to in enumerate(copies, 1):
        case.reply(f"Answer {number}", **to)
        case.arrived(number)
        later(case)
    first, second, third, last = (whole(one.message) for one in case.arrived(4))
    assert ("IBAN" in first, "IBAN" in second) == (False, False)
    assert "> Answer 1" in second
    assert ">" not in third
    assert "> Answer 3" in last


def test_the_signature_stands_below_with_its_variables_filled(case: Case) -> None:
    set_up(
        case.desk, case.inbox_id,
        signature="<p>{%user.firstName%} of {%mailbox.name%}<script>x</script></p>"
        "<p>Dear {%customer.firstName,fallback=friend%} {%nonsense%} #{%conversation.number%}</p>",
    )  # fmt: skip
    case.customer["firstName"] = "<b>Paul"
    case.start(subject="Lamp")
    case.reply("Turn it off.")
    text, html = whole(case.message()), whole(case.message(), "html")
    assert "Turn it off.\n\nAda of" in text
    assert re.search(r"Dear <b>Paul \{%nonsense%\} #\d+\n", text)
    assert "&lt;b&gt;Paul" in html
    assert "script" not in html


def test_what_programs_send_is_cleaned_before_it_goes_out(case: Case) -> None:
    case.start()
    case.reply(
        '<div onclick="x()">Hi<img src="https://a.example/x.png"><iframe src="https://b"></iframe>'
        '<a href="javascript:alert(1)">there</a><form action="https://evil.example"><input></form><style>p{}</style>'
    )
    html = whole(case.message(), "html")
    assert '<img src="https://a.example/x.png">' in html
    for bad in ("onclick", "iframe", "javascript", "<form", "<input", "<style", "evil"):
        assert bad not in html


def test_an_ordinary_reply_looks_like_a_person_s_mail(case: Case) -> None:
    case.start()
    case.reply()
    message = case.message()
    inbox = case.desk.get(f"/v2/mailboxes/{case.inbox_id}").json()["email"]
    assert message["Subject"] == "Re: A lamp that flickers"
    assert message["Reply-To"] == inbox
    for name in ("Auto-Submitted", "Precedence", "X-Auto-Response-Suppress", "List-Unsubscribe"):
        assert message[name] is None
    assert message[LOOP_FIELD] == loop_mark(inbox)


def test_answers_come_to_an_address_that_nobody_can_guess_where_that_is_wanted(case: Case) -> None:
    set_up(case.desk, case.inbox_id, reply_token=True, subject_token=True)
    number = case.desk.get(f"/v2/conversations/{case.start()}").json()["number"]
    case.reply("One")
    case.reply("Two")
    one, two = (each.message for each in case.arrived(2))
    tokens = {each["Reply-To"].addresses[0].username.rpartition("+")[2] for each in (one, two)}
    assert len(tokens) == 2
    assert all(re.fullmatch("[a-z2-7]{24}", token) for token in tokens)
    assert one["From"].addresses[0].addr_spec == one["Reply-To"].addresses[0].addr_spec.replace(
        "+" + one["Reply-To"].addresses[0].username.rpartition("+")[2], ""
    )
    assert one["Subject"] == f"Re: A lamp that flickers [#{number}]"
    assert [len(mail.message_id) > 24 for mail in settled(case.desk, "sent", "sent")] == [True, True]


def test_an_inbox_s_own_server_comes_before_all_others(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    smtp_out._tls.cache_clear()
    with post_office("implicit", certificate, asks=True) as own:
        set_up(case.desk, case.inbox_id, smtp=f"smtps://desk:hunter2%20%3A%40%2F@127.0.0.1:{own.port}")
        case.start()
        case.reply()
        assert own.wait_for(1)[0].recipients == [case.customer["email"]]
        assert own.signed_in == ["desk"]
        set_up(case.desk, case.inbox_id, smtp=None)
        case.reply()
        assert len(case.arrived()) == 1
    smtp_out._tls.cache_clear()


def test_a_lost_key_lets_mail_wait_and_says_so(case: Case) -> None:
    set_up(case.desk, case.inbox_id, smtp="smtp://127.0.0.1:1")
    other = case.desk.add_inbox()
    moved = set_up(case.desk, other, smtp="smtp://127.0.0.1:1").smtp

    # A secret that was sealed for another inbox is like one of another key.
    case.desk.write(lambda tx: tx.run(_SWAP, account=case.desk.account_id, inbox=case.inbox_id, smtp=moved))
    case.start()
    case.reply()
    wait(lambda: any(one.error for one in mails(case.desk)))
    (waiting,) = mails(case.desk)
    assert waiting.state == "waiting"
    assert "is not the key that this was encrypted with" in waiting.error


def test_composing_takes_next_to_no_time() -> None:
    """A reply with a signature, ratings and three quoted messages: 2 ms of CPU."""
    letter = Letter(1, 501, _reply(), said=[_said()] * 3, rating_url="https://desk.example/rate/1/a")
    files = [File("a.txt", "text/plain", b"x" * 1000)]
    letters.composed(letter, letters.outgoing(letter), files)
    best = min(_seconds(letter, files) for _ in range(5))  # others may have the machine's caches meanwhile
    assert best < 0.01  # of which most is for a busy machine


def _seconds(letter: Letter, files: list[File]) -> float:
    began = time.thread_time()
    for _ in range(20):
        letters.composed(letter, letters.outgoing(letter), files)
    return (time.thread_time() - began) / 20


def test_automatic_mail_says_what_it_is() -> None:
    reply = _reply(answer_text="<p>We got it, {%customer.firstName,fallback=friend%}.</p>", answer_subject="Got it")
    mail = letters.outgoing(Letter(1, 501, reply, automatic=True))
    composed, _ = letters.composed(Letter(1, 501, reply, automatic=True), mail, [])
    assert mail.headers[:3] == AUTOMATIC
    assert (mail.subject, mail.sender.name) == ("Got it", "Help")
    assert composed.text.startswith("We got it, Paul.\n\nAda")


def test_what_a_workflow_sent_by_itself_asks_for_no_rating() -> None:
    for by_itself in (0, 1):
        letter = Letter(1, 501, _reply(by_itself=by_itself), rating_url="https://desk.example/rate/1/1-ab")
        composed, raw = letters.composed(letter, letters.outgoing(letter), [])
        assert ("/rate/" in composed.text, b"/rate/" in raw) == (not by_itself, not by_itself)


def _said() -> Said:
    return Said(
        "Paul",
        "p@x.example",
        from_wire("2026-11-23T09:00:00Z"),
        QUESTION * 12,
    )


def _reply(**changes: object) -> Reply:
    given = {
        "id": 1, "conversation_id": 2, "state": "published", "body": ANSWER * 6,
        "customer_id": 3, "by_itself": 0, "recipients": '["p@x.example"]', "cc": "[]", "bcc": "[]", "attachments": 0,
        "created_at": "2026-11-23T10:00:00Z", "subject": "A lamp", "number": 7, "customer_email": "p@x.example",
        "zone": "Europe/Lisbon", "author_first": "Ada", "author_last": "Holm", "author_email": "ada@desk.example",
        "customer_first": "Paul", "customer_last": "Gruen", "inbox_name": "Help", "inbox_email": "help@desk.example",
        "message_id": "<a@desk.example>", "mail_state": "waiting", "reply_token": None, "first": 0, "smtp": None,
        "signature": "<p>Ada</p>", "subject_token": 0, "ratings": 1, "answer": 1, "answer_subject": "",
        "answer_text": "",
    }  # fmt: skip
    return Reply(**given | changes)  # type: ignore[arg-type]
