"""Outgoing HTTP: what is refused, where it is cut off, and what is said when there is no answer."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import pytest

from deskhand.lib.outbound import READ_MOST, Allowed, Answer, NoAnswer, Outbound, refusal
from deskhand.lib.outbound_client import Client
from tests.receiver import Received, Receiver, Reply, receiving

T = TypeVar("T")
LOOPBACK = Allowed(loopback=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def run(work: Callable[[Outbound], Awaitable[T]], allowed: Allowed = LOOPBACK, timeout_s: float = 5) -> T:
    async def within() -> T:
        async with Outbound("Tests/1", allowed, timeout_s) as outbound:
            return await work(outbound)

    return asyncio.run(within())


def post(url: str, allowed: Allowed = LOOPBACK, timeout_s: float = 5) -> Answer:
    return run(lambda outbound: outbound.post(url, b"{}", {}), allowed, timeout_s)


def refused(url: str, **kwargs: Any) -> str:
    with pytest.raises(NoAnswer) as caught:
        post(url, **kwargs)
    return str(caught.value)


@contextmanager
def answering(*pieces: bytes, pause_s: float = 0) -> Iterator[str]:
    """A server that says these bytes to the first who connects, and then closes the connection."""
    listener, over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve() -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with closing(connection):
            connection.recv(65536)
            for piece in pieces:
                try:
                    connection.sendall(piece)
                except OSError:
                    return
                over.wait(pause_s)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    over.set()
    listener.close()
    thread.join(5)


# -- What is sent


def test_exactly_these_bytes_and_headers_are_sent(receiver: Receiver) -> None:
    body = '{"text":"Grüße\\n"}'.encode()
    headers = {"Content-Type": "application/json", "X-One": "1"}
    answer = run(lambda outbound: outbound.post(receiver.url + "/a?b=c%20d", body, headers))
    (one,) = receiver.received
    assert (one.path, one.body) == ("/a?b=c%20d", body)
    assert (one.headers["content-type"], one.headers["x-one"]) == ("application/json", "1")
    assert one.headers["user-agent"] == "Tests/1"
    assert "accept-encoding" not in one.headers
    assert answer == Answer(200, b"ok")


def test_a_body_of_many_megabytes_is_sent_whole(receiver: Receiver) -> None:
    body = b"0123456789" * 1_500_000
    assert run(lambda outbound: outbound.post(receiver.url, body, {})).status == 200
    (one,) = receiver.received
    assert one.body == body
    assert one.headers["content-length"] == str(len(body))


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(302, headers=(("Location", "/elsewhere"),))
    assert post(receiver.url).status == 302
    assert len(receiver.received) == 1


def test_cookies_are_not_kept(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(headers=(("Set-Cookie", "a=b"),))

    async def twice(outbound: Outbound) -> None:
        for _ in range(2):
            await outbound.post(receiver.url, b"", {})

    run(twice)
    assert ["cookie" in one.headers for one in receiver.received] == [False, False]


# -- What comes back


def test_only_the_beginning_of_an_answer_is_read(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(200, b"x" * (20 * READ_MOST))
    assert post(receiver.url) == Answer(200, b"x" * READ_MOST)


def test_a_compressed_answer_is_not_unpacked(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(200, b"no gzip", headers=(("Content-Encoding", "gzip"),))
    assert post(receiver.url).beginning == b"no gzip"


def test_an_answer_that_never_ends_counts_by_its_status() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nslow", pause_s=60) as url:
        assert post(url, timeout_s=3) == Answer(200, b"slow")


def test_an_answer_that_breaks_off_counts_by_its_status() -> None:
    with answering(b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf") as url:
        assert post(url) == Answer(500, b"half")


def test_nothing_lasts_longer_than_the_time_out(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(after_s=15)
    began = time.monotonic()
    assert refused(receiver.url, timeout_s=0.2) == "no answer within 0.2 s"
    assert time.monotonic() - began < 10


def test_headers_that_trickle_do_not_last_longer_either() -> None:
    with answering(*[b"HTTP/1.1 200 OK\r\n"], *[b"X: y\r\n"] * 100, pause_s=0.2) as url:
        assert refused(url, timeout_s=0.3) == "no answer within 0.3 s"


def test_what_is_not_http_is_no_answer() -> None:
    with answering(b"220 mail.example ESMTP\r\n") as url:
        assert refused(url) == "what came back is not HTTP"
    with answering() as url:
        assert "closed" in refused(url)


def test_why_there_was_no_answer_is_said_in_words() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        free = listener.getsockname()[1]
    assert refused(f"http://127.0.0.1:{free}/") == "the connection was refused"
    assert refused("http://nowhere.invalid/") == "its name was not found"
    assert refused("gopher://127.0.0.1/") == "this URL can't be called"
    assert refused("http://" + "a" * 300 + ".example/") != ""


def test_what_speaks_no_tls_is_no_answer(receiver: Receiver) -> None:
    assert refused(receiver.url.replace("http", "https")).startswith("TLS: ")


# -- Where nothing is sent


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f000001"])
def test_this_machine_is_not_called_by_any_of_its_names(receiver: Receiver, host: str) -> None:
    port = receiver.url.rpartition(":")[2]
    words = refused(f"http://{host}:{port}/", allowed=Allowed())
    assert "is a loopback address" in words or words == "this URL can't be called"
    assert receiver.received == []


def test_a_name_that_leads_to_this_machine_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo
    asked = []

    def fake(host: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        return look_up("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", fake)
    url = receiver.url.replace("127.0.0.1", "harmless.example")
    assert refused(url, allowed=Allowed()) == "refused to call it: 127.0.0.1 is a loopback address"
    assert receiver.received == []
    assert post(url).status == 200, "so it is the address that decides"
    assert set(asked) == {"harmless.example"}


def test_a_name_is_looked_up_once_and_what_was_found_is_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that changes its mind between the check and the call gains nothing."""
    look_up = socket.getaddrinfo
    answers = iter(["127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **named: look_up(next(answers), *more, **named))

    async def thrice(outbound: Outbound) -> list[Answer]:
        url = receiver.url.replace("127.0.0.1", "twofaced.example")
        return list(await asyncio.gather(*(outbound.post(url, b"", {}) for _ in range(3))))

    assert [answer.status for answer in run(thrice)] == [200] * 3


@pytest.mark.parametrize(
    ("address", "public", "loopback", "private"),
    [
        ("8.8.8.8", True, True, True),
        ("2606:4700::1111", True, True, True),
        ("::ffff:8.8.8.8", True, True, True),
        ("64:ff9b::8.8.8.8", True, True, True),
        ("127.0.0.1", False, True, True),
        ("127.255.255.254", False, True, True),
        ("::1", False, True, True),
        ("::ffff:127.0.0.1", False, True, True),
        ("64:ff9b::127.0.0.1", False, True, True),
        ("2002:7f00:1::", False, True, True),
        ("10.1.2.3", False, False, True),
        ("172.16.0.1", False, False, True),
        ("192.168.1.1", False, False, True),
        ("100.64.0.1", False, False, True),
        ("198.18.0.1", False, False, True),
        ("fc00::1", False, False, True),
        ("fec0::1", False, False, True),
        ("::ffff:10.0.0.1", False, False, True),
        ("64:ff9b::192.168.1.1", False, False, True),
        ("2001:0:53aa:64c:0:5efe:7f00:1", False, False, True),
        ("169.254.169.254", False, False, False),
        ("::ffff:169.254.169.254", False, False, False),
        ("fe80::1", False, False, False),
        ("fd00:ec2::254", False, False, False),
        ("100.100.100.200", False, False, False),
        ("::ffff:192.0.0.192", False, False, False),
        ("168.63.129.16", False, False, False),
        ("fe80::1%eth0", False, False, False),
        ("0.0.0.0", False, False, False),
        ("::", False, False, False),
        ("224.0.0.1", False, False, False),
        ("ff02::1", False, False, False),
    ],
)
def test_only_public_addresses_are_called_unless_others_are_allowed(
    address: str, public: bool, loopback: bool, private: bool
) -> None:
    found = [not refusal(address, allowed) for allowed in (Allowed(), Allowed(loopback=True), Allowed(private=True))]
    assert found == [public, loopback, private]


# -- Nobody waits for another


def test_a_slow_name_holds_up_no_other(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up, asked, answered = socket.getaddrinfo, list[str](), threading.Event()

    def fake(host: str, *args: Any, **kwargs: Any) -> Any:
        if host.startswith("slow"):
            asked.append(host)
            answered.wait(60)
        return look_up("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", fake)

    async def both(outbound: Outbound) -> Answer:
        slow = [asyncio.create_task(outbound.post(f"http://slow{number}.example:1/", b"", {})) for number in range(30)]
        try:
            while len(asked) < 30:  # noqa: ASYNC110 (threads ask)
                await asyncio.sleep(0.01)
            return await outbound.post(receiver.url.replace("127.0.0.1", "quick.example"), b"", {})
        finally:
            answered.set()
            await asyncio.gather(*slow, return_exceptions=True)

    assert run(both).status == 200


def test_connections_are_used_again(receiver: Receiver) -> None:
    opened = []

    class Counting(Client):
        def _open(self, info: tuple[Any, ...]) -> socket.socket:
            opened.append(info)
            return super()._open(info)

    async def ten() -> None:
        client = Counting({}, LOOPBACK, timeout_s=30, connect_s=None)
        for _ in range(10):
            await client.post(receiver.url, b"x", {})
        await client.close()

    asyncio.run(ten())
    assert (len(receiver.received), len(opened)) == (10, 1)


def test_who_is_stopped_during_the_first_call_is_told(receiver: Receiver) -> None:
    async def main() -> None:
        async with Outbound("deskhand", Allowed(loopback=True)) as outbound:
            call = asyncio.create_task(outbound.post(receiver.url, b"", {}))
            await asyncio.sleep(0)
        with pytest.raises(NoAnswer, match="stopped"):
            await call

    asyncio.run(main())
    assert not receiver.received


def test_received_bodies_are_as_sent(receiver: Receiver) -> None:
    bodies = [bytes([number]) * number * 1000 for number in range(5)]

    async def all_of_them(outbound: Outbound) -> None:
        await asyncio.gather(*(outbound.post(receiver.url, body, {}) for body in bodies))

    run(all_of_them)

    def size(one: Received) -> int:
        return len(one.body)

    assert [one.body for one in sorted(receiver.received, key=size)] == bodies
