"""Mail that comes by SMTP and LMTP, as well-behaved servers send it."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
import time
from pathlib import Path

import pytest

from deskhand.db.engine import Unavailable
from deskhand.mail.inbound import Delivery, Place
from tests.mail.post_office import make_certificate, wait
from tests.mail.smtp_door import HELP, KB, MAIL, SALES, Listening, greets, listening

# -- What well-behaved servers do


def test_a_message_is_kept_as_it_came(smtp: Listening) -> None:
    with smtp.client() as client:
        assert client.sendmail("paul@buyer.example", [HELP], MAIL) == {}
    ((place, delivery),) = smtp.shelf.kept
    assert place == Place(1, 10, HELP)
    assert delivery == Delivery(MAIL, "smtp", "paul@buyer.example", (HELP,))


def test_what_it_can_do_is_said(smtp: Listening) -> None:
    with smtp.client() as client:
        client.ehlo()
        assert set(client.esmtp_features) >= {"size", "8bitmime", "smtputf8", "pipelining"}
        assert client.esmtp_features["size"] == str(50 * KB * KB)
        assert "auth" not in client.esmtp_features
        assert "starttls" not in client.esmtp_features


def test_nobody_can_send_on_through_here(smtp: Listening) -> None:
    with smtp.client() as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.sendmail(HELP, ["somebody@else.example", "root", "help@shop.example@else.example"], MAIL)
        assert {code for code, _ in refused.value.recipients.values()} <= {550, 553}
    assert smtp.shelf.kept == []


def test_unknown_recipients_don_t_stop_the_known(smtp: Listening) -> None:
    with smtp.client() as client:
        refused = client.sendmail("paul@buyer.example", [HELP, "nobody@shop.example"], MAIL)
    assert list(refused) == ["nobody@shop.example"]
    assert smtp.shelf.kept[0][1].recipients == (HELP,)


def test_an_address_with_a_reply_token_is_kept_as_it_was(smtp: Listening) -> None:
    with smtp.client() as client:
        client.sendmail("paul@buyer.example", ["help+TOKEN@shop.example"], MAIL)
    assert smtp.shelf.kept[0][1].recipients == ("help+TOKEN@shop.example",)


def test_bounces_have_no_sender(smtp: Listening) -> None:
    with smtp.client() as client:
        client.sendmail("", [HELP], MAIL)
    assert smtp.shelf.kept[0][1].sender == ""


def test_two_inboxes_get_a_message_each(smtp: Listening) -> None:
    with smtp.client() as client:
        client.sendmail("paul@buyer.example", [HELP, SALES, "help+token@shop.example"], MAIL)
    kept = {place.inbox_id: delivery.recipients for place, delivery in smtp.shelf.kept}
    assert kept == {10: (HELP, "help+token@shop.example"), 11: (SALES,)}


def test_many_messages_come_by_one_connection(smtp: Listening) -> None:
    with smtp.client() as client:
        for number in range(20):
            client.sendmail("paul@buyer.example", [HELP], MAIL + b"%d\r\n" % number)
    assert smtp.shelf.raw == [MAIL + b"%d\r\n" % number for number in range(20)]


def test_what_was_reset_is_forgotten(smtp: Listening) -> None:
    with smtp.client() as client:
        client.ehlo()
        client.mail("paul@buyer.example")
        client.rcpt(HELP)
        client.rset()
        assert client.docmd("DATA")[0] == 503
        client.sendmail("lea@buyer.example", [SALES], MAIL)
    ((place, delivery),) = smtp.shelf.kept
    assert (place.inbox_id, delivery.sender) == (11, "lea@buyer.example")


@pytest.mark.parametrize(
    "sender",
    ["a.b+c@buyer.example", "A=b/c{d}@Buyer.EXAMPLE", "x@y", '"paul van dyk"@buyer.example', "a@[127.0.0.1]", ""],
)
def test_an_address_is_taken_as_it_stands(smtp: Listening, sender: str) -> None:
    with smtp.client() as client:
        client.ehlo()
        assert client.docmd("MAIL", f"FROM: <{sender}> SIZE=10")[0] == 250
        assert client.docmd("RCPT", f"TO:<{HELP}>")[0] == 250
        client.data(MAIL)
    assert smtp.shelf.kept[0][1].sender == sender


@pytest.mark.parametrize("sender", ["<@buyer.example>", "<a@b..c>"])
def test_what_is_no_address_is_refused(smtp: Listening, sender: str) -> None:
    with smtp.client() as client:
        client.ehlo()
        assert client.docmd("MAIL", f"FROM:{sender}")[0] in (501, 553, 555)


def test_letters_beyond_ascii_are_taken(smtp: Listening) -> None:
    raw = "Subject: Grüße\r\n\r\nÄpfel\r\n".encode()
    with smtp.client() as client:
        client.sendmail("päul@käufer.example", [HELP], raw, ["SMTPUTF8", "BODY=8BITMIME"])
    assert smtp.shelf.kept[0][1] == Delivery(raw, "smtp", "päul@käufer.example", (HELP,))


def test_pipelined_commands_are_answered_in_order(smtp: Listening) -> None:
    both = b"".join(
        b"MAIL FROM:<%s>\r\nRCPT TO:<help@shop.example>\r\nRCPT TO:<x@y.example>\r\nDATA\r\n" % who
        for who in (b"a@buyer.example",)
    )
    with smtp.wire() as wire:
        wire.answer()
        wire.send(b"EHLO client.example\r\n" + both)
        answers = [wire.answer()[:3] for _ in range(5)]
        assert answers == ["250", "250", "250", "550", "354"]
        # The data, and the next message behind it in the same piece.
        wire.send(MAIL + b".\r\n" + both + b"")
        assert [wire.answer()[:3] for _ in range(5)] == ["250", "250", "250", "550", "354"]
        wire.send(b"second\r\n.\r\nQUIT\r\n")
        assert [wire.answer()[:3] for _ in range(3)] == ["250", "221", ""]
    assert smtp.shelf.raw == [MAIL, b"second\r\n"]


def test_dots_stay_as_they_were(smtp: Listening) -> None:
    raw = b"Subject: dots\r\n\r\n.\r\n..\r\n...\r\n.hidden\r\nend.\r\n"
    with smtp.client() as client:
        client.sendmail("paul@buyer.example", [HELP], raw)
    assert smtp.shelf.raw == [raw]


def test_a_message_may_be_empty(smtp: Listening) -> None:
    with smtp.wire() as wire:
        wire.begin(HELP)
        assert wire.say(".").startswith("250")
    assert smtp.shelf.raw == [b""]


def test_the_connection_can_be_encrypted(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = make_certificate(tmp_path)
    context.load_cert_chain(certificate)
    big = MAIL + b"x" * 60 + b"\r\n" * 50_000
    with listening(tls=context, connections=1) as here:
        with here.client() as client:
            client.ehlo()
            assert "starttls" in client.esmtp_features
            client.starttls(context=ssl.create_default_context(cafile=certificate))
            client.ehlo()
            assert "starttls" not in client.esmtp_features
            assert "auth" not in client.esmtp_features
            client.sendmail("paul@buyer.example", [HELP], MAIL)
            client.sendmail("paul@buyer.example", [HELP], big)
        wait(lambda: greets(here))
    assert here.shelf.raw == [MAIL, big]


def test_what_was_sent_before_encryption_is_not_obeyed_after(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = make_certificate(tmp_path)
    context.load_cert_chain(certificate)
    with listening(tls=context) as here:
        plain = socket.create_connection(("127.0.0.1", here.port), timeout=30)
        plain.recv(1000)
        plain.sendall(b"EHLO client.example\r\n")
        plain.recv(1000)
        plain.sendall(b"STARTTLS\r\nMAIL FROM:<evil@buyer.example>\r\n")
        assert plain.recv(1000).startswith(b"220")
        with ssl.create_default_context(cafile=certificate).wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
            wrapped.sendall(b"EHLO client.example\r\nRCPT TO:<help@shop.example>\r\n")
            with wrapped.makefile("rb") as answers:
                assert next(line for line in answers if not line.startswith(b"250")).startswith(b"503")


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.0\r\n\r\n"])
def test_encryption_that_fails_is_no_alarm_and_leaves_nothing_behind(
    tmp_path: Path, said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate(tmp_path))
    with listening(tls=context, connections=1) as here:
        for _ in range(3):
            with here.wire() as wire:
                wire.answer()
                wire.say("EHLO client.example")
                assert wire.say("STARTTLS").startswith("220")
                wire.send(said)
            wait(lambda: greets(here))
    assert [one for one in caplog.records if one.levelname in ("ERROR", "CRITICAL")] == []


# -- What can't be kept


@pytest.mark.parametrize(
    "problem", [Unavailable("the database is away"), OSError(28, "disk full"), ValueError("what?")]
)
def test_what_can_t_be_kept_is_to_be_sent_again(smtp: Listening, problem: Exception) -> None:
    with smtp.client() as client:
        client.ehlo()
        client.mail("paul@buyer.example")
        client.rcpt(HELP)
        smtp.shelf.problem = problem
        assert client.data(MAIL)[0] == 451
        smtp.shelf.problem = None
        client.sendmail("paul@buyer.example", [HELP], MAIL)
    assert smtp.shelf.raw == [MAIL]


def test_addresses_that_can_t_be_looked_up_are_not_refused_for_good(smtp: Listening) -> None:
    smtp.shelf.problem = Unavailable("the database is away")
    with smtp.client() as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("paul@buyer.example", [HELP], MAIL)
    assert refused.value.recipients[HELP][0] == 451


def test_keeping_may_not_take_for_ever() -> None:
    with listening(keep_s=0.1) as here, here.client() as client:
        here.shelf.slow_s = 5
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("paul@buyer.example", [HELP], MAIL)
        assert refused.value.smtp_code == 451


def test_nothing_is_acknowledged_before_it_is_kept(smtp: Listening) -> None:
    smtp.shelf.slow_s = 0.5
    with smtp.wire() as wire:
        wire.begin(HELP)
        began = time.monotonic()
        wire.send(MAIL + b".\r\n")
        assert wire.answer().startswith("250")
        assert time.monotonic() - began > 0.4
        assert smtp.shelf.raw == [MAIL]


def test_one_inbox_of_two_that_fails_lets_the_whole_be_sent_again(smtp: Listening) -> None:
    smtp.shelf.problem, smtp.shelf.problem_of = OSError(28, "disk full"), 11
    with smtp.client() as client:
        with pytest.raises(smtplib.SMTPDataError):
            client.sendmail("paul@buyer.example", [HELP, SALES], MAIL)
        smtp.shelf.problem = None
        client.sendmail("paul@buyer.example", [HELP, SALES], MAIL)
    assert [place.inbox_id for place, _ in smtp.shelf.kept] == [10, 11]


# -- LMTP


def test_lmtp_answers_for_each_recipient() -> None:
    with listening("lmtp") as here, here.wire() as wire:
        here.shelf.problem, here.shelf.problem_of = OSError(28, "disk full"), 11
        wire.begin(HELP, SALES, "help+token@shop.example", greeting="LHLO")
        wire.send(MAIL + b".\r\n")
        assert [wire.answer()[:3] for _ in range(3)] == ["250", "451", "250"]
        assert wire.say("QUIT").startswith("221")
    assert [(place.inbox_id, delivery.way) for place, delivery in here.shelf.kept] == [(10, "lmtp")]


def test_a_real_lmtp_client_can_deliver() -> None:
    with listening("lmtp") as here, here.lmtp() as client:
        assert client.sendmail("paul@buyer.example", [HELP], MAIL) == {}
        assert client.docmd("EHLO", "x")[0] == 500
    assert here.shelf.raw == [MAIL]


# -- The end


def test_who_waits_for_the_answer_still_gets_it_when_the_server_stops(smtp: Listening) -> None:
    smtp.shelf.slow_s = 0.5
    with smtp.wire() as waiting, smtp.wire() as idle:
        idle.answer()
        waiting.begin(HELP)
        waiting.send(MAIL + b".\r\n")
        wait(lambda: smtp.shelf.begun == 1)
        closing = asyncio.run_coroutine_threadsafe(smtp.door.close(), smtp.loop)
        assert idle.answer().startswith("421")
        assert waiting.answer().startswith("250")
        assert waiting.answer().startswith("421")
        closing.result(60)
