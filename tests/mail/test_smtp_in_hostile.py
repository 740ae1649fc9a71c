"""Mail by SMTP from clients that send too much, too slowly, halfway, or nonsense."""

from __future__ import annotations

import smtplib
import socket
import time

import pytest

from deskhand.mail import smtp_in
from tests.mail.post_office import wait
from tests.mail.smtp_door import HELP, KB, MAIL, Listening, greets, listening


def test_a_message_announced_too_large_is_refused_at_once(smtp: Listening) -> None:
    with smtp.wire() as wire:
        wire.answer()
        wire.say("EHLO client.example")
        assert wire.say(f"MAIL FROM:<a@b.example> SIZE={KB**3}").startswith("552")
        assert wire.say("MAIL FROM:<a@b.example> SIZE=9999999999999999999999").startswith("552")
        assert wire.say("MAIL FROM:<a@b.example> SIZE=²").startswith(("501", "451"))
        assert wire.say("MAIL FROM:<a@b.example> SIZE=100").startswith("250")


def test_a_message_that_is_too_large_is_refused_in_the_end() -> None:
    with listening(largest=100 * KB) as here, here.client() as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.ehlo_or_helo_if_needed()
            client.esmtp_features.pop("size")
            client.sendmail("paul@buyer.example", [HELP], MAIL + b"x" * 120 * KB + b"\r\n")
        assert refused.value.smtp_code == 552
        just = MAIL + b"x" * (100 * KB - len(MAIL) - 2) + b"\r\n"
        client.sendmail("paul@buyer.example", [HELP], just)
    assert here.shelf.raw == [just]


@pytest.mark.parametrize("piece", [b"x" * 76 + b"\r\n", b"x" * 64])
def test_nobody_can_send_without_end(piece: bytes) -> None:
    with listening(largest=64 * KB) as here, here.wire() as wire:
        wire.begin(HELP)
        with pytest.raises(OSError):
            for _ in range(100_000):
                wire.send(piece * 100)
        assert here.shelf.kept == []


def test_lines_may_be_of_any_length(smtp: Listening) -> None:
    raw = b"Subject: long\r\n\r\n" + b"y" * 300 * KB + b"\r\nend\r\n"
    with smtp.client() as client:
        client.sendmail("paul@buyer.example", [HELP], raw)
    assert smtp.shelf.raw == [raw]


def test_commands_may_not(smtp: Listening) -> None:
    with smtp.wire() as wire:
        wire.answer()
        wire.say("EHLO client.example")
        assert wire.say("NOOP " + "x" * 300 * KB).startswith("500")
        assert wire.say(f"MAIL FROM:<{'x' * 3000}@b.example>").startswith("500")
        assert wire.say("NOOP").startswith("250")


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\n\n.\r\n", b"\r\n\0.\r\n"])
def test_nothing_but_the_one_end_ends_a_message(smtp: Listening, end: bytes) -> None:
    smuggled = (
        b"MAIL FROM:<admin@shop.example>\r\nRCPT TO:<sales@shop.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nhi\r\n"
    )
    with smtp.wire() as wire:
        wire.begin(HELP)
        wire.send(b"Subject: first\r\n\r\nbody" + end + smuggled + b".\r\n")
        assert wire.answer().startswith("250")
        assert wire.say("QUIT").startswith("221")
    ((place, delivery),) = smtp.shelf.kept
    assert place.inbox_id == 10
    assert b"smuggled" in delivery.raw


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_the_end_is_found_wherever_the_pieces_are_cut(smtp: Listening, size: int) -> None:
    text = b"a\r\n..b\r\n.\n\r\n.\r\nNOOP\r\n"
    with smtp.wire() as wire:
        wire.begin(HELP)
        for at in range(0, len(text), size):
            wire.send(text[at : at + size])
            time.sleep(0.002)
        assert wire.answer().startswith("250")
        assert wire.answer().startswith("250")
    assert smtp.shelf.raw == [b"a\r\n.b\r\n\n\r\n"]


def test_half_a_message_is_no_message(smtp: Listening) -> None:
    for cut in (1, len(MAIL) // 2, len(MAIL), len(MAIL) + 1, len(MAIL) + 2):
        with smtp.wire() as wire:
            wire.begin(HELP)
            wire.send((MAIL + b".\r\n")[:cut])
    time.sleep(0.2)
    assert smtp.shelf.kept == []


def test_a_message_sent_again_after_a_lost_answer_is_known(smtp: Listening) -> None:
    smtp.shelf.slow_s = 0.1
    with smtp.wire() as wire:
        wire.begin(HELP)
        wire.send(MAIL + b".\r\n")
    smtp.shelf.slow_s = 0
    with smtp.client() as client:
        client.sendmail("paul@buyer.example", [HELP], MAIL)
    time.sleep(0.2)
    assert smtp.shelf.raw == [MAIL]


def test_who_says_nothing_is_sent_away() -> None:
    with listening(silence_s=0.3) as here, here.wire() as wire:
        wire.answer()
        assert wire.answer() == ""


def test_who_sends_ever_so_slowly_is_sent_away() -> None:
    with listening(silence_s=10, data_s=0.5) as here, here.wire() as wire:
        wire.begin(HELP)
        with pytest.raises(OSError):
            for _ in range(2_000):
                wire.send(b"x\r\n")
                time.sleep(0.02)
        assert here.shelf.kept == []


def test_a_command_that_never_ends_is_not_waited_for() -> None:
    with listening(silence_s=0.5) as here, here.wire() as wire:
        wire.answer()
        with pytest.raises(OSError):
            for _ in range(2_000):
                wire.send(b"x")
                time.sleep(0.02)


@pytest.mark.parametrize("said", [b"", b"EHLO client.example\r\n", b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n"])
def test_who_hangs_up_halfway_leaves_nothing_behind(said: bytes) -> None:
    with listening(connections=1) as here:
        for _ in range(3):
            half = socket.create_connection(("127.0.0.1", here.port), timeout=30)
            half.sendall(said)
            half.shutdown(socket.SHUT_WR)
            while half.recv(4000):
                pass
            half.close()
        wait(lambda: greets(here))


def test_who_only_keeps_the_connection_is_sent_away() -> None:
    with listening(silence_s=10, idle_s=0.5) as here, here.wire() as wire:
        wire.answer()
        wire.say("EHLO client.example")
        began = time.monotonic()
        with pytest.raises((OSError, AssertionError)):
            while time.monotonic() - began < 30:
                assert wire.say("RSET")
                time.sleep(0.05)
        assert time.monotonic() - began < 20


def test_who_goes_on_delivering_is_not_sent_away() -> None:
    with listening(idle_s=60) as here, here.client() as client:
        client.ehlo()
        (talk,) = here.door._talks
        for number in range(3):
            time.sleep(0.05)
            began = time.monotonic()
            client.sendmail("paul@buyer.example", [HELP], MAIL + b"%d\r\n" % number)
            wait(lambda began=began: talk._until > began + 59.9)  # type: ignore[misc]
    assert len(here.shelf.raw) == 3


def test_nobody_can_find_out_addresses_by_the_thousand() -> None:
    with listening(strangers=5) as here:
        with here.wire() as wire:
            wire.answer()
            wire.say("EHLO client.example")
            wire.say("MAIL FROM:<a@b.example>")
            assert [wire.say(f"RCPT TO:<x{n}@shop.example>")[:3] for n in range(5)] == ["550"] * 5
            wire.send(b"".join(b"RCPT TO:<y%d@shop.example>\r\n" % number for number in range(500)))
            assert wire.answer()[:3] == "421"
            assert wire.answer() == ""
        assert len(here.shelf.asked) <= 6
        with here.client() as client:
            client.sendmail("paul@buyer.example", [HELP], MAIL)
    with listening("lmtp", strangers=5) as here, here.wire() as wire:  # our own mail server may ask for whatever came
        wire.answer()
        wire.say("LHLO client.example")
        wire.say("MAIL FROM:<a@b.example>")
        assert [wire.say(f"RCPT TO:<x{n}@shop.example>")[:3] for n in range(20)] == ["550"] * 20


def test_a_network_of_ipv6_is_one_client() -> None:
    addresses = ("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::1", "2001:db8:1:3::1", "::ffff:192.0.2.1", "192.0.2.1")
    found = [smtp_in.network((one, 25, 0, 0)) for one in addresses]
    assert found[0] == found[1] != found[2]
    assert found[3] == found[4] == "192.0.2.1"
    here = (("127.0.0.9", 1), ("::1", 1), ("::ffff:127.0.0.1", 1), "", None)
    assert [smtp_in.network(one) for one in here] == [""] * 5


def test_there_are_only_so_many_connections() -> None:
    with listening(connections=3) as here:
        wires = [here.wire() for _ in range(3)]
        assert all(wire.answer().startswith("220") for wire in wires)
        with here.wire() as fourth:
            assert fourth.answer().startswith("421")
            assert fourth.answer() == ""
        wires.pop().close()
        wait(lambda: greets(here))
        for wire in wires:
            wire.close()


def test_there_is_only_so_much_memory() -> None:
    with listening(memory=100 * KB) as here:
        with here.wire() as greedy:
            greedy.begin(HELP)
            greedy.send(b"x" * 90 * KB)
            wait(lambda: here.door._memory < 20 * KB)
            with here.client() as client:
                with pytest.raises(smtplib.SMTPDataError) as refused:
                    client.sendmail("paul@buyer.example", [HELP], MAIL + b"y" * 20 * KB)
                assert refused.value.smtp_code == 452
        with here.client() as client:
            wait(lambda: _taken(client))
    assert len(here.shelf.raw) == 1


def _taken(client: smtplib.SMTP) -> bool:
    try:
        client.sendmail("paul@buyer.example", [HELP], MAIL + b"y" * 20 * KB)
    except smtplib.SMTPDataError:
        return False
    return True


@pytest.mark.parametrize(
    "line",
    [
        b"MAIL FROM:<\xff\xfe@b.example>", b"RCPT TO:<\xff@shop.example>", b"RCPT TO:<a\0b@shop.example>", b"VRFY \xff",
        b"AUTH PLAIN AGEAYg==", b"EXPN all", b"DATA now", b"MAIL FROM:", b"RCPT TO:<>", b"\xff\xff", b"", b"HELP \xff",
        b"MAIL FROM:<a@b.example> BODY=BINARYMIME", b"RCPT TO:<@a,@b:help@shop.example>", b"RCPT TO:<<<<>>>>",
    ],
)  # fmt: skip
def test_nonsense_ends_nothing(smtp: Listening, line: bytes) -> None:
    with smtp.wire() as wire:
        wire.answer()
        wire.say("EHLO client.example")
        wire.say("MAIL FROM:<paul@buyer.example>")
        wire.send(line + b"\r\n")
        assert wire.answer()[:1] in ("2", "4", "5")
        assert wire.say("RSET").startswith("250")
    with smtp.client() as client:
        client.sendmail("paul@buyer.example", [HELP], MAIL)
    assert smtp.shelf.raw == [MAIL]


def test_a_sender_that_can_t_be_stored_is_made_storable(smtp: Listening) -> None:
    with smtp.wire() as wire:
        wire.answer()
        wire.send(b"EHLO x\r\nMAIL FROM:<p\xffl@b.example>\r\nRCPT TO:<help@shop.example>\r\nDATA\r\nx\r\n.\r\n")
        assert [wire.answer()[:3] for _ in range(5)] == ["250", "250", "250", "354", "250"]
    sender = smtp.shelf.kept[0][1].sender
    assert sender.encode()
    assert sender.isprintable()
