"""Mail in by SMTP and LMTP, with real clients and hostile ones against a real listener."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop

from deskhand.db.engine import Unavailable
from deskhand.mail import smtp_in
from deskhand.mail.inbound import Delivery, Kept, Place
from deskhand.mail.smtp_in import Bounds, Door
from tests.mail.post_office import make_certificate, wait

MAIL = b"From: Paul <paul@buyer.example>\r\nSubject: Hello\r\n\r\nWhere is my lamp?\r\n"
HELP, SALES = "help@shop.example", "sales@shop.example"
KB = 1024


@dataclass
class Shelf:
    """A keeper in memory, that can be told to fail or to take its time."""

    kept: list[tuple[Place, Delivery]] = field(default_factory=list)
    problem: Exception | None = None
    problem_of: int | None = None
    slow_s: float = 0.0
    asked: list[str] = field(default_factory=list)

    async def place_of(self, address: str) -> Place | None:
        self.asked.append(address)
        if isinstance(self.problem, Unavailable):
            raise self.problem
        place = {HELP: Place(1, 10, HELP), SALES: Place(1, 11, SALES)}
        return place.get(address.lower().replace("+token", ""))

    async def keep(self, place: Place, delivery: Delivery) -> Kept:
        await asyncio.sleep(self.slow_s)
        if self.problem is not None and self.problem_of in (None, place.inbox_id):
            raise self.problem
        known = any(place == other and delivery.raw == before.raw for other, before in self.kept)
        if not known:
            self.kept.append((place, delivery))
        return Kept(len(self.kept), known)

    @property
    def raw(self) -> list[bytes]:
        return [delivery.raw for _, delivery in self.kept]


@dataclass
class Listening:
    """A door that is open."""

    door: Door
    shelf: Shelf
    loop: asyncio.AbstractEventLoop
    port: int = 0

    def client(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, "client.example", timeout=30)

    def lmtp(self) -> smtplib.LMTP:
        return smtplib.LMTP("127.0.0.1", self.port, "client.example", timeout=30)

    def wire(self) -> Wire:
        return Wire(self.port)


class Wire:
    """Somebody who speaks SMTP by hand."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, text: bytes) -> None:
        self._socket.sendall(text)

    def answer(self) -> str:
        """The next answer; empty when the other side has hung up."""
        try:
            while (line := self._file.readline()) and line[3:4] == b"-":
                pass
        except ConnectionResetError:
            return ""
        return line.decode().strip()

    def say(self, text: str) -> str:
        self.send(text.encode() + b"\r\n")
        return self.answer()

    def begin(self, *recipients: str, greeting: str = "EHLO") -> None:
        """Everything up to the data."""
        assert self.answer().startswith("220")
        for line in (
            f"{greeting} client.example",
            "MAIL FROM:<paul@buyer.example>",
            *(f"RCPT TO:<{one}>" for one in recipients),
        ):
            assert self.say(line).startswith("250")
        assert self.say("DATA").startswith("354")

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@contextmanager
def listening(way: Any = "smtp", tls: ssl.SSLContext | None = None, **bounds: Any) -> Iterator[Listening]:
    """A listener in a thread, on the event loop that the server has."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[Door, asyncio.Server]:
        door = Door(shelf, way, "mail.shop.example", tls, Bounds(**bounds))
        return door, await asyncio.get_running_loop().create_server(door.talk, "127.0.0.1", 0)

    async def stop() -> None:
        server.close()
        await door.close()

    def run(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)

    shelf = Shelf()
    door, server = run(start())
    try:
        yield Listening(door, shelf, loop, server.sockets[0].getsockname()[1])
    finally:
        run(stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def smtp() -> Iterator[Listening]:
    with listening() as here:
        yield here


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
        wait(lambda: _greets(here))
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
            wait(lambda: _greets(here))
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
        assert time.monotonic() - began >= 0.5
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


# -- Hostile clients


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
            for _ in range(200):
                wire.send(b"x\r\n")
                time.sleep(0.02)
        assert here.shelf.kept == []


def test_a_command_that_never_ends_is_not_waited_for() -> None:
    with listening(silence_s=0.5) as here, here.wire() as wire:
        wire.answer()
        with pytest.raises(OSError):
            for _ in range(200):
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
        wait(lambda: _greets(here))


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
    with listening(silence_s=10, idle_s=0.5) as here, here.client() as client:
        for number in range(8):
            client.sendmail("paul@buyer.example", [HELP], MAIL + b"%d\r\n" % number)
            time.sleep(0.1)
    assert len(here.shelf.raw) == 8


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
        wait(lambda: _greets(here))
        for wire in wires:
            wire.close()


def _greets(here: Listening) -> bool:
    with here.wire() as wire:
        return wire.answer().startswith("220")


def test_there_is_only_so_much_memory() -> None:
    with listening(memory=100 * KB) as here:
        with here.wire() as greedy:
            greedy.begin(HELP)
            greedy.send(b"x" * 90 * KB)
            time.sleep(0.2)
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


# -- The end


def test_who_waits_for_the_answer_still_gets_it_when_the_server_stops(smtp: Listening) -> None:
    smtp.shelf.slow_s = 0.5
    with smtp.wire() as waiting, smtp.wire() as idle:
        idle.answer()
        waiting.begin(HELP)
        waiting.send(MAIL + b".\r\n")
        time.sleep(0.1)
        closing = asyncio.run_coroutine_threadsafe(smtp.door.close(), smtp.loop)
        assert idle.answer().startswith("421")
        assert waiting.answer().startswith("250")
        assert waiting.answer().startswith("421")
        closing.result(10)
