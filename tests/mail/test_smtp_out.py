"""Mail leaves by real SMTP, encrypted and signed in where its server asks, and says in words when it can't."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from deskhand.mail import smtp_out
from deskhand.mail.compose import Outgoing, compose
from deskhand.mail.headers import Address
from deskhand.mail.post import Envelope, Refusal, Undelivered
from deskhand.mail.smtp_out import SmtpPost
from deskhand.settings import SmtpServer
from tests.mail.post_office import PostOffice, make_certificate, post_office
from tests.mail.test_compose import mail

HERE = "127.0.0.1"
PASSWORD = "hunter2 :@/"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """Which authorities are trusted is read anew for each test."""
    smtp_out._tls.cache_clear()
    yield
    smtp_out._tls.cache_clear()


def send(
    server: SmtpServer | None, one: Outgoing | None = None, by_inbox: Mapping[str, SmtpServer] | None = None
) -> tuple[Refusal, ...]:
    one = one or mail()
    post = SmtpPost(server, by_inbox or {}, "http://127.0.0.1:8080")
    envelope = Envelope(1, 7, one.sender.email, one.recipients)

    async def sending() -> tuple[Refusal, ...]:
        try:
            return (await post.send(one, compose(one), envelope)).refused
        finally:
            await asyncio.sleep(0.01)  # until the last transports are closed

    return asyncio.run(sending())


def undelivered(server: SmtpServer | None, one: Outgoing | None = None) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        send(server, one)
    assert PASSWORD not in caught.value.reason
    return caught.value


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as running:
        yield running


def test_a_mail_arrives_as_it_was_composed_and_hidden_copies_only_in_the_envelope(office: PostOffice):
    one = mail(text=".\n..dots\n.", cc=(Address("lea@x.example"),), bcc=(Address("boss@x.example"),))
    assert send(SmtpServer(HERE, office.port), one) == ()
    (received,) = office.received
    assert received.sender == "help@desk.example"
    assert received.recipients == ["paul@buyer.example", "lea@x.example", "boss@x.example"]
    assert b"boss" not in received.raw
    body = received.message.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == ".\n..dots\n.\n"


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("asks", [False, True])
def test_connections_are_encrypted_and_signed_in(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, tls: Literal["starttls", "implicit"], asks: bool
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with post_office(tls, certificate, asks=asks) as office:
        server = SmtpServer(HERE, office.port, tls, "desk" if asks else "", PASSWORD if asks else "")
        assert send(server) == ()
        assert len(office.received) == 1
        assert office.signed_in == (["desk"] if asks else [])


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_that_nobody_vouches_for_is_refused_unless_that_is_allowed(
    certificate: Path, tls: Literal["starttls", "implicit"]
):
    with post_office(tls, certificate) as office:
        problem = undelivered(SmtpServer(HERE, office.port, tls))
        assert "its certificate is not accepted (self-signed certificate)" in problem.reason
        assert not problem.final
        assert office.attempts == []
        assert send(SmtpServer(HERE, office.port, tls, verify=False)) == ()


def test_a_certificate_of_another_host_is_refused(monkeypatch: pytest.MonkeyPatch, certificate: Path):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with post_office("implicit", certificate) as office:
        problem = undelivered(SmtpServer("localhost", office.port, "implicit"))
        assert "its certificate is not accepted (Hostname mismatch" in problem.reason
        assert office.attempts == []


def test_a_server_without_tls_gets_nothing_that_was_to_be_encrypted(office: PostOffice):
    problem = undelivered(SmtpServer(HERE, office.port, "starttls", "desk", PASSWORD))
    assert f"the SMTP server 127.0.0.1 port {office.port} can't be used" in problem.reason
    assert (office.attempts, office.signed_in) == ([], [])


def test_a_wrong_password_is_told_without_showing_it_and_tried_again(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with post_office(asks=True) as office:
        with pytest.raises(Undelivered) as caught:
            send(SmtpServer(HERE, office.port, user="desk", password="wrong-hunter3"))
        assert not caught.value.final
        assert "refused the sign-in" in caught.value.reason
        assert "(535)" in caught.value.reason
        assert "hunter3" not in caught.value.reason + caplog.text
        assert office.attempts == []


def test_each_inbox_may_have_a_server_of_its_own(office: PostOffice):
    with post_office() as other:
        everybody, by_inbox = SmtpServer(HERE, office.port), {"Sales@Bücher.example": SmtpServer(HERE, other.port)}
        send(everybody, mail(), by_inbox)
        send(everybody, mail(sender=Address("sales@xn--bcher-kva.example")), by_inbox)
        assert [one.sender for one in office.received] == ["help@desk.example"]
        assert [one.sender for one in other.received] == ["sales@xn--bcher-kva.example"]


def test_without_a_server_it_is_said_what_to_set():
    problem = undelivered(None)
    assert problem.reason == "no SMTP server is set up for help@desk.example; set DESKHAND_SMTP_URL"
    assert problem.final


@pytest.mark.parametrize(("answer", "final"), [("451 4.3.0 Come back", False), ("554 5.6.0 Never", True)])
def test_an_answer_of_4xx_is_for_now_and_of_5xx_for_good(office: PostOffice, answer: str, final: bool):
    office.answers = [answer]
    problem = undelivered(SmtpServer(HERE, office.port))
    assert problem.final is final
    assert problem.reason == f"the SMTP server 127.0.0.1 port {office.port} answered {answer}"


@pytest.mark.parametrize(
    ("answers", "final"),
    [(["550 No", "550 No"], True), (["450 Later", "550 No"], False), (["450 Later", "450 Later"], False)],
)
def test_where_nobody_is_accepted_it_is_final_only_if_it_is_for_all(
    office: PostOffice, answers: list[str], final: bool
):
    office.refusals = {"paul@buyer.example": answers[:1], "lea@x.example": answers[1:]}
    problem = undelivered(SmtpServer(HERE, office.port), mail(cc=(Address("lea@x.example"),)))
    assert problem.final is final
    assert problem.reason == f"paul@buyer.example: {answers[0]}; lea@x.example: {answers[1]}"


def test_where_some_are_accepted_the_others_are_named(office: PostOffice):
    office.refusals = {"lea@x.example": ["550 No such user"], "max@x.example": ["450 Greylisted"]}
    copies = (Address("lea@x.example"), Address("max@x.example"))
    assert send(SmtpServer(HERE, office.port), mail(cc=copies)) == (
        Refusal("lea@x.example", "550 No such user", final=True),
        Refusal("max@x.example", "450 Greylisted", final=False),
    )
    assert office.received[0].recipients == ["paul@buyer.example"]


def test_addresses_with_other_letters_need_a_server_that_knows_them(office: PostOffice):
    one = mail(to=(Address("jörg@buyer.example", "Jörg"),))
    send(SmtpServer(HERE, office.port), one)
    assert office.received[0].recipients == ["jörg@buyer.example"]
    assert "<jörg@buyer.example>".encode() in office.received[0].raw
    with post_office(letters=False) as plain:
        problem = undelivered(SmtpServer(HERE, plain.port), one)
        assert problem.final
        assert "SMTPUTF8" in problem.reason


def test_a_server_that_is_away_is_tried_again():
    with socket.create_server((HERE, 0)) as taken:
        port = taken.getsockname()[1]
    problem = undelivered(SmtpServer(HERE, port))
    assert not problem.final
    assert f"the SMTP server 127.0.0.1 port {port} can't be used" in problem.reason


def test_a_name_that_leads_nowhere_is_tried_again():
    problem = undelivered(SmtpServer("nowhere.invalid", 25))
    assert not problem.final
    assert "nowhere.invalid" in problem.reason


def test_a_silent_server_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(smtp_out, "STEP_S", 0.2)
    with socket.create_server((HERE, 0)) as silent:
        problem = undelivered(SmtpServer(HERE, silent.getsockname()[1]))
    assert not problem.final
    assert "took too long to answer" in problem.reason


def test_a_server_that_hangs_up_is_tried_again():
    with socket.create_server((HERE, 0)) as listener:
        listener.settimeout(30)

        async def talk() -> None:
            post = SmtpPost(SmtpServer(HERE, listener.getsockname()[1]), {}, "")
            sending = asyncio.create_task(
                post.send(mail(), compose(mail()), Envelope(1, 7, "a@x.example", ("b@x.example",)))
            )
            connection, _ = await asyncio.to_thread(listener.accept)
            connection.close()
            await sending

        with pytest.raises(Undelivered) as caught:
            asyncio.run(talk())
    assert not caught.value.final


def test_a_server_may_think_for_long_about_a_mail_that_it_takes(office: PostOffice, monkeypatch: pytest.MonkeyPatch):
    """Who hangs up before the answer sends it again, and the customer gets it twice."""
    monkeypatch.setattr(smtp_out, "STEP_S", 3.0)  # in which we are let in, however busy the machine is
    take = office.handle_DATA

    async def slowly(*given: Any) -> str:
        await asyncio.sleep(4)
        return await take(*given)

    monkeypatch.setattr(office, "handle_DATA", slowly)
    assert send(SmtpServer(HERE, office.port)) == ()
    assert len(office.received) == 1


def test_a_mail_that_was_taken_is_sent_however_the_two_part(office: PostOffice, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(smtp_out, "WHOLE_S", 4.0)
    monkeypatch.setattr(smtp_out, "GOODBYE_S", 5.0)

    async def never(*_: Any) -> str:
        await asyncio.sleep(30)
        return "221 Bye"

    monkeypatch.setattr(office, "handle_QUIT", never, raising=False)
    assert send(SmtpServer(HERE, office.port)) == ()
    assert len(office.received) == 1


@pytest.mark.parametrize("ways", ["PLAIN", "LOGIN"])
def test_a_server_that_repeats_how_it_was_signed_in_to_gives_no_password_away(ways: str):
    def talk() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb", 0) as wire:
            wire.write(b"220 Hello\r\n")
            for line in wire:
                said = line.decode().strip()
                if said.startswith("EHLO"):
                    wire.write(f"250-echo.example\r\n250 AUTH {ways}\r\n".encode())
                elif said.startswith("AUTH LOGIN"):
                    wire.write(b"334 UGFzc3dvcmQ6\r\n")
                else:
                    wire.write(f"535 I do not know {said}\r\n".encode())

    with socket.create_server((HERE, 0)) as listener:
        threading.Thread(target=talk, daemon=True).start()
        problem = undelivered(SmtpServer(HERE, listener.getsockname()[1], user="desk", password=PASSWORD))
    assert "I do not know" in problem.reason
    for secret in (PASSWORD, f"\0desk\0{PASSWORD}"):
        assert b64encode(secret.encode()).decode() not in problem.reason


# Trying a server -----------------------------------------------------------------------------------------------------


def test_a_server_can_be_tried_without_sending_anything(monkeypatch: pytest.MonkeyPatch, certificate: Path):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with post_office("implicit", certificate, asks=True) as office:
        server = SmtpServer(HERE, office.port, "implicit", "desk", PASSWORD)
        words = asyncio.run(smtp_out.test_smtp(server, sender="help@desk.example"))
        assert words.startswith(f"the SMTP server {HERE} port {office.port} answers, encrypted with TLSv1.")
        assert words.endswith(", signed in as desk, takes mail from help@desk.example")
        assert office.attempts == []
    with post_office() as office:
        assert asyncio.run(smtp_out.test_smtp(SmtpServer(HERE, office.port))).endswith("answers, not encrypted")
    with pytest.raises(Undelivered, match="can't be used"):
        asyncio.run(smtp_out.test_smtp(SmtpServer(HERE, office.port)))
