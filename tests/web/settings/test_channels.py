"""An inbox's mail in the settings: servers and their test, what replies carry, what came, what did not arrive."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from lxml import html
from lxml.html import HtmlElement

from deskhand.db.statements import P, command
from deskhand.desk.conversations.mail import received_listing, received_queries
from deskhand.desk.conversations.tables import thread_mail
from deskhand.desk.inboxes import mail_servers
from deskhand.desk.inboxes.mail_servers import Channel
from deskhand.mail import trying
from deskhand.mail.trying import advice
from deskhand.oauth import sessions, throttle
from deskhand.settings import ImapServer, SmtpServer
from deskhand.web.settings import channel_log
from deskhand.web.settings.plain_html import as_html, as_text
from tests import dovecot
from tests.desk.conversations.builders import start
from tests.dovecot import Dovecot
from tests.mail.post_office import make_certificate, post_office
from tests.web.people import Person, signed_in
from tests.world import Desk, open_desk, unique

PASSWORD = "hunter2 :@/"
USER = "help@shop.example"


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[Dovecot]:
    with dovecot.running(USER) as server:
        yield server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def text(element: HtmlElement) -> str:
    return re.sub(r"\s+", " ", element.text_content()).strip()


def channel(desk: Desk, inbox: int) -> Channel:
    sealer = desk.server.app.gateway.sealer
    return desk.server.app.database.read_now(
        lambda db: mail_servers.channel(db, desk.account_id, inbox, sealer)
    )  # fmt: skip


def path(inbox: int) -> str:
    return f"/settings/inboxes/{inbox}/mail"


def own_smtp(port: int, **fields: Any) -> dict[str, Any]:
    return {
        "smtp_own": "own", "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": "none", "smtp_user": "desk",
        "smtp_password": PASSWORD, "imap_own": "none", "imap_folder": "INBOX", "undo_s": "10",
    } | fields  # fmt: skip


def own_imap(port: int, **fields: Any) -> dict[str, Any]:
    return {
        "smtp_own": "shared", "imap_own": "own", "imap_host": "127.0.0.1", "imap_port": port, "imap_tls": "none",
        "imap_user": USER, "imap_password": "s3cret", "imap_folder": "INBOX", "undo_s": "10",
    } | fields  # fmt: skip


def steps(answer: str, title: str) -> list[tuple[str, str, str]]:
    """State, name and words of each step of a test."""
    page = html.fromstring(answer)
    box = next(one for one in page.cssselect(".attempt") if text(one.cssselect("h3")[0]).startswith(title))
    found = []
    for one in box.cssselect("li"):
        name = text(one.cssselect(".strong")[0])
        found.append((one.get("class", ""), name, text(one).removeprefix(name).strip()))
    return found


def test_what_is_saved_is_kept_sealed_and_shown_without_its_password(desk: Desk) -> None:
    person, inbox = signed_in(desk), desk.add_inbox("Orders")
    texts = {"signature": "Yours,\n{%user.firstName%} & team\n\nNorthwind", "answer": "1", "answer_text": "We got it."}
    flags = {"ratings": "1", "subject_token": "1", "answer_subject": "Thank you", "undo_s": "20"}
    answer = person.send(path(inbox), **own_smtp(2525) | texts | flags)
    assert answer.status_code == 200 and "The mail settings are saved." in answer.text
    kept = channel(desk, inbox)
    assert kept.smtp == SmtpServer("127.0.0.1", 2525, "none", "desk", PASSWORD)
    assert PASSWORD not in kept.settings.smtp and PASSWORD not in person.get(path(inbox)).text
    assert kept.settings.signature == "<p>Yours,<br>{%user.firstName%} &amp; team</p><p>Northwind</p>"
    assert (kept.settings.ratings, kept.settings.subject_token, kept.settings.reply_token) == (True, True, False)
    assert (kept.settings.answer, kept.settings.answer_subject, kept.settings.undo_s) == (True, "Thank you", 20)
    page = person.page(path(inbox))
    assert (
        str(page.get_element_by_id("signature").text).lstrip("\n") == "Yours,\n{%user.firstName%} & team\n\nNorthwind"
    )
    assert page.get_element_by_id("smtp_host").get("value") == "127.0.0.1"
    assert page.get_element_by_id("smtp_password").get("value") == ""


def test_an_empty_password_keeps_it_unless_another_server_would_get_it(desk: Desk) -> None:
    person, inbox = signed_in(desk), desk.add_inbox()
    person.send(path(inbox), **own_smtp(2525))
    person.send(path(inbox), **own_smtp(2526, smtp_password=""))
    kept = channel(desk, inbox).smtp
    assert kept is not None and (kept.port, kept.password) == (2526, PASSWORD)
    answer = person.send(path(inbox), **own_smtp(2526, smtp_password="", smtp_host="localhost"))
    assert answer.status_code == 400
    page = html.fromstring(answer.text)
    assert text(page.get_element_by_id("smtp_password-hint")).startswith("Type the password again")
    assert page.get_element_by_id("smtp_host").get("value") == "localhost"
    kept = channel(desk, inbox).smtp
    assert kept is not None and kept.host == "127.0.0.1"
    person.send(path(inbox), **own_smtp(1) | {"smtp_own": "shared"})
    assert channel(desk, inbox).smtp is None


def test_each_fault_stands_at_its_field_and_nothing_is_saved(desk: Desk) -> None:
    person, inbox = signed_in(desk), desk.add_inbox()
    wrong = own_imap(0, imap_host="a b", imap_user="", imap_folder="", undo_s="99", answer="1", answer_text="")
    answer = person.send(path(inbox), **wrong | {"smtp_own": "own", "smtp_host": "mail.example.com", "smtp_user": "x",
                                                 "smtp_password": "y", "smtp_tls": "none"})  # fmt: skip
    assert answer.status_code == 400
    page = html.fromstring(answer.text)
    for field in ("imap_host", "imap_port", "imap_user", "imap_folder", "undo_s", "smtp_tls"):
        assert page.get_element_by_id(field).get("aria-invalid") == "true", field
    assert page.get_element_by_id("imap_host").get("value") == "a b"
    assert channel(desk, inbox).settings.changed_at is None
    empty = person.send(path(inbox), **own_smtp(25) | {"answer": "1", "answer_text": ""})
    assert "Write what the automatic answer says." in empty.text and channel(desk, inbox).smtp is None


def test_the_test_ticks_each_step_and_sends_nothing(desk: Desk) -> None:
    email = f"{unique('orders')}@shop.example"
    person, inbox = signed_in(desk), desk.add_inbox("Orders", email=email)
    with post_office(asks=True) as office:
        answer = person.send(path(inbox), **own_smtp(office.port), do="test")
        assert [(state, name) for state, name, _ in steps(answer.text, "Outgoing")] == [
            ("well", "Name"), ("well", "Connection"), ("well", "Encryption"), ("well", "Sign-in"), ("well", "Sending"),
        ]  # fmt: skip
        assert f"takes mail from {email}" in answer.text and "settings are saved" in answer.text
        assert not office.attempts
        sent = person.send(f"{path(inbox)}/trial")
        assert "A test mail is on its way to" in sent.text
        mail = office.wait_for(1)[0]
    assert mail.sender == email and mail.message["Subject"] == "Test of Orders"


def test_the_test_says_what_is_wrong_and_what_to_do(desk: Desk, certificate: Path) -> None:
    person, inbox = signed_in(desk), desk.add_inbox()

    def tested(port: int, **fields: Any) -> list[tuple[str, str, str]]:
        return steps(person.send(path(inbox), **own_smtp(port, **fields), do="test").text, "Outgoing")

    with post_office(asks=True) as office:
        found = tested(office.port, smtp_password="another one")
        assert [state for state, _, _ in found] == ["well", "well", "well", "wrong", "left"]
        assert "refused the sign-in" in found[3][2] and "app password" in found[3][2]
        assert "another one" not in str(found)
        found = tested(office.port, smtp_user="", smtp_password="")
        assert found[-1][0] == "wrong" and "fill in user and password" in found[-1][2]
        found = tested(office.port, smtp_tls="implicit")
        assert found[2][0] == "wrong" and "do not fit together" in found[2][2]
        found = tested(office.port, smtp_tls="starttls")
        assert found[2][0] == "wrong" and "offers no STARTTLS" in found[2][2]
    with post_office("implicit", certificate) as office:
        found = tested(office.port, smtp_tls="implicit", smtp_user="", smtp_password="")
        assert found[2][0] == "wrong" and "certificate" in found[2][2]
    with socket.socket() as bound:  # and listens not
        bound.bind(("127.0.0.1", 0))
        found = tested(bound.getsockname()[1])
    assert found[1][0] == "wrong" and "refused" in found[1][2] and "Usual ones" in found[1][2]
    found = tested(25, smtp_host="no-such-host.invalid", smtp_tls="starttls")
    assert found[0][0] == "wrong" and "there is no host" in found[0][2]
    assert [state for state, _, _ in found] == ["wrong", "left", "left", "left", "left"]
    assert "did not leave" in person.send(f"{path(inbox)}/trial").text


def test_a_server_that_says_nothing_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    person, inbox = signed_in(desk), desk.add_inbox()
    monkeypatch.setattr(trying.try_smtp, "__defaults__", (2,))
    monkeypatch.setattr(trying.try_imap, "__defaults__", (2,))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        both = own_smtp(port) | own_imap(port) | {"smtp_own": "own"}
        answer = person.send(path(inbox), **both, do="test").text
    for title in ("Outgoing", "Incoming"):
        assert "no answer within 2 seconds" in steps(answer, title)[2][2]


def test_a_mailbox_is_tested_read_and_compared(desk: Desk, mailboxes: Dovecot) -> None:
    person, inbox = signed_in(desk), desk.add_inbox()
    for number in range(2):
        mailboxes.lay(USER, f"Message-ID: <{unique('m')}@a>\r\nFrom: a@b.example\r\n\r\nHi {number}".encode())
    answer = person.send(path(inbox), **own_imap(mailboxes.port), begin="all", do="test")
    found = steps(answer.text, "Incoming")
    assert [(state, name) for state, name, _ in found] == [
        ("well", "Name"), ("well", "Connection"), ("well", "Encryption"), ("well", "Sign-in"), ("well", "Folder"),
    ]  # fmt: skip
    assert re.search(r"INBOX has \d+ messages", found[4][2])
    assert channel(desk, inbox).position is not None
    wrong = person.send(path(inbox), **own_imap(mailboxes.port, imap_folder="No such"), do="test")
    assert steps(wrong.text, "Incoming")[4][0] == "wrong"
    person.send(path(inbox), **own_imap(mailboxes.port, imap_password=""))
    compared = html.fromstring(person.send(f"{path(inbox)}/check").text)
    sums = {text(row.cssselect("th")[0]): text(row.cssselect("td")[0]) for row in compared.cssselect("section tr")}
    assert int(sums["Messages there"]) >= 2
    assert "will be read anew" in person.send(f"{path(inbox)}/again").text


def arrived(desk: Desk, inbox: int, state: str, reason: str) -> int:
    new = received_queries.NewReceived(
        account_id=desk.account_id, inbox_id=inbox, way="smtp", place="", sha256="x" * 64, size=2048,
        fingerprint=unique("print"), message_id="<a@b>", sender="paul@buyer.example", recipients="[]", state=state,
        reason=reason, received_at=desk.now,
    )  # fmt: skip
    return desk.write(lambda tx: tx.add(received_queries.ADD, new))


def test_what_came_is_listed_with_its_reason_and_read_again(desk: Desk) -> None:
    person, inbox, other = signed_in(desk), desk.add_inbox(), desk.add_inbox()
    failed, _, elsewhere = (
        arrived(desk, inbox, "failed", "it took longer than 60 s to read"),
        arrived(desk, inbox, "skipped", "an automatic answer"),
        arrived(desk, other, "failed", "of another inbox"),
    )
    page = person.page(f"{path(inbox)}/received?state=failed")
    assert [text(one) for one in page.cssselect(".things li .wrong")] == ["It took longer than 60 s to read"]
    assert "An automatic answer" in person.get(f"{path(inbox)}/received").text
    check = text(person.page(f"{path(inbox)}/check"))
    assert "skipped: an automatic answer1" in check and "failed: it took longer than 60 s to read1" in check
    assert "1 message will be read again." in person.send(f"{path(inbox)}/received/again", id=failed).text
    person.send(f"{path(inbox)}/received/again")  # all of this inbox
    stays = desk.server.app.database.read_now(lambda db: received_listing.failed(db, desk.account_id, 10))
    assert elsewhere in [one.id for one in stays]


def turned(person: Person, at: str, named: str) -> tuple[list[str], str, str]:
    """What a page of the log lists, and the addresses of the newer and the older page."""
    page = person.page(at)
    newer, older = (
        "".join(page.xpath(f"//nav[@aria-label='Pages']/a[@rel='{one}']/@href")) for one in ("prev", "next")
    )
    return [text(one) for one in page.cssselect(named)], newer, older


@pytest.mark.parametrize("query", ["", "?state=skipped"])
def test_what_came_is_turned_page_by_page(desk: Desk, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    monkeypatch.setattr(channel_log, "LISTED_MOST", 3)
    person, inbox, other = signed_in(desk), desk.add_inbox(), desk.add_inbox()
    for number in range(7):  # all within a second, so that ids decide
        arrived(desk, inbox, "skipped", f"reason {number}")
        arrived(desk, other, "skipped", "of another inbox")
    if query:
        arrived(desk, inbox, "taken", "")
    seen, at = [], f"{path(inbox)}/received{query}"
    for newer_there in (False, True, True):
        found, newer, at = turned(person, at, ".things li .quiet:not(.small)")
        seen.append(found)
        assert bool(newer) is newer_there
    assert [one[-1] for page in seen for one in page] == list("6543210") and at == ""
    found, newer, older = turned(person, newer, ".things li .quiet:not(.small)")  # one page back
    assert (found, bool(older)) == (seen[1], True)
    assert turned(person, newer, ".things li .quiet:not(.small)")[:2] == (seen[0], "")
    assert turned(person, f"{path(inbox)}/received?before=nonsense", ".things li")[0]


def test_what_did_not_arrive_is_turned_page_by_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_log, "LISTED_MOST", 2)
    person, inbox = signed_in(desk), desk.add_inbox()
    ids = [start(desk, inbox, subject=f"Subject {number}") for number in range(5)]
    customer = {"email": "paul@buyer.example"}
    for id in ids:
        assert desk.post(f"/v2/conversations/{id}/reply", {"text": "Here", "customer": customer}).status_code == 201
    deadline = time.monotonic() + 60
    spoil = sa.update(thread_mail).where(thread_mail.c.account_id == P("account_id"), thread_mail.c.direction == "out")
    bounced = command(spoil.values(state="bounced", error="came back"), keep=False)
    while desk.write(lambda tx: tx.run(bounced, account_id=desk.account_id)) < 5:
        assert time.monotonic() < deadline
    seen, at, newer = [], f"{path(inbox)}/undelivered", ""
    while at:
        found, newer, at = turned(person, at, ".things li a.strong")
        seen.append([one[-1] for one in found])
    assert seen == [["4", "3"], ["2", "1"], ["0"]]
    found, newer, _ = turned(person, newer, ".things li a.strong")
    assert [one[-1] for one in found] == ["2", "1"]
    found, newer, _ = turned(person, newer, ".things li a.strong")
    assert [one[-1] for one in found] == ["4", "3"] and newer == ""


def test_what_did_not_arrive_is_tried_again(desk: Desk) -> None:
    person, inbox = signed_in(desk), desk.add_inbox()
    customer = {"email": "paul@buyer.example"}
    body = {
        "subject": "Where is it?", "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
        "threads": [{"type": "customer", "text": "Hi", "customer": customer},
                    {"type": "reply", "text": "Here", "customer": customer}],
    }  # fmt: skip
    assert desk.post("/v2/conversations", body).status_code == 201
    spoil = sa.update(thread_mail).where(thread_mail.c.account_id == P("account_id"), thread_mail.c.direction == "out")
    found = None
    deadline = time.monotonic() + 60
    while not found:  # until the worker has found that there is no server
        assert time.monotonic() < deadline
        found = person.page(f"{path(inbox)}/undelivered").cssselect(".things li")
        time.sleep(0.05)
    bounced = command(spoil.values(state="bounced", error="came back: no such user"), keep=False)
    desk.write(lambda tx: tx.run(bounced, account_id=desk.account_id))
    page = person.page(f"{path(inbox)}/undelivered")
    assert "Came back: no such user" in text(page) and "paul@buyer.example" in text(page)
    thread = page.cssselect("button[name=thread]")[0].get("value")
    assert "It is tried again." in person.send(f"{path(inbox)}/undelivered/again", thread=thread).text


def test_nothing_of_other_accounts(desk: Desk) -> None:
    inbox = desk.add_inbox()
    failed = arrived(desk, inbox, "failed", "secret reason")
    stranger: Person = signed_in(open_desk(desk.server))
    for more in ("", "/received", "/undelivered", "/check"):
        assert stranger.get(path(inbox) + more).status_code == 404, more
        assert signed_in(desk, desk.add_user(inboxes=(inbox,))).get(path(inbox) + more).status_code == 403
    for more in ("", "/test", "/trial", "/check", "/again", "/received/again"):
        assert stranger.send(path(inbox) + more, **own_smtp(25), id=failed).status_code == 404, more
    own = open_desk(desk.server)
    mine = own.add_inbox()
    assert "again already" in signed_in(own).send(f"{path(mine)}/received/again", id=failed).text


@pytest.mark.parametrize("written", ["<p>Hello<br>there</p><p>&lt;b&gt;</p>", ""])
def test_plain_paragraphs_are_edited_as_text(written: str) -> None:
    shown, is_html = as_text(written)
    assert not is_html and as_html(shown) == written


def test_more_than_paragraphs_stays_html() -> None:
    assert as_text("<p>Hello <b>there</b></p>") == ("<p>Hello <b>there</b></p>", True)


def test_advice_names_usual_ports() -> None:
    server = ImapServer("imap.example.com", 1143, "implicit", "a", "b")
    assert "993 (TLS)" in advice("Connection", server, "port 1143 does not answer")
    usual = ImapServer("imap.example.com", 993, "implicit", "a", "b")
    assert "firewall" in advice("Connection", usual, "port 993 does not answer")


def test_servers_are_tried_a_few_times_in_ten_minutes(desk: Desk) -> None:
    person, inbox, other = signed_in(desk), desk.add_inbox("Orders"), open_desk(desk.server)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for _ in range(throttle.SERVER.by_email):
        assert steps(person.send(path(inbox), **own_smtp(port), do="test").text, "Outgoing")
    late = person.send(path(inbox), **own_smtp(port, smtp_host="localhost"), do="test")
    assert "Too many attempts" in late.text and "attempt" not in late.text.partition("<main")[2].partition("</main")[0]
    assert channel(desk, inbox).smtp.host == "localhost"  # type: ignore[union-attr] # it is saved all the same
    for again in ("/test", "/trial", "/check"):
        assert "Too many attempts" in person.send(path(inbox) + again).text
    theirs = other.add_inbox("Orders")
    assert "Too many" not in signed_in(other).send(f"{path(theirs)}/test").text  # another account's own affair


@pytest.mark.parametrize("banner", [b"SSH-2.0-OpenSSH_9.6p1 Ubuntu-3\r\n", b"HTTP/1.1 400 No\r\n\r\n", b"-ERR no\r\n"])
def test_what_is_no_mail_server_is_not_quoted(desk: Desk, banner: bytes) -> None:
    person, inbox = signed_in(desk), desk.add_inbox("Orders")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            with suppress(OSError):
                while True:
                    talk, _ = listener.accept()
                    with talk, suppress(OSError):
                        talk.sendall(banner)
                        talk.recv(100)

        threading.Thread(target=speak, daemon=True).start()
        port = listener.getsockname()[1]
        both = own_smtp(port, smtp_user="", smtp_password="") | {
            name: value for name, value in own_imap(port).items() if name.startswith("imap")
        }  # fmt: skip
        answer = person.send(path(inbox), **both, do="test").text
    for title, kind in (("Outgoing", "SMTP"), ("Incoming", "IMAP")):
        assert any(f"is no {kind} server" in words for _, _, words in steps(answer, title))
    assert "OpenSSH" not in answer and "HTTP/1.1" not in answer and "-ERR" not in answer


def test_another_server_for_mail_takes_the_password_once_more(desk: Desk) -> None:
    boss, inbox = signed_in(desk), desk.add_inbox("Orders")
    before = desk.server.clock.offset
    try:
        desk.server.clock.advance(sessions.CONFIRMED_FOR)
        moved = boss.send(path(inbox), **own_smtp(2525, smtp_tls="starttls"))
        assert moved.status_code == 403 and "Changing the server" in moved.text and channel(desk, inbox).smtp is None
        assert boss.send(path(inbox), smtp_own="shared", imap_own="none", undo_s="20").status_code == 200
    finally:
        desk.server.clock.offset = before
    assert channel(desk, inbox).settings.undo_s == 20
