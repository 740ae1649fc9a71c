"""Servers that lie, or never end: what they say is bounded, checked, and told of in words."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest

from deskhand.mail import imap_in
from deskhand.mail.imap_in import Folder, ImapFailed, NotGiven, Wire, opened
from deskhand.settings import imap_server

LIST = b'* %d FETCH (UID %d RFC822.SIZE 100 INTERNALDATE "23-Nov-2026 10:00:00 +0000")\r\n'
PASSWORD = 'p"a\\ss  w0rd'


@dataclass
class Liar:
    """An IMAP server with messages of these UIDs, that says what it is told to say to some commands."""

    uids: list[int] = field(default_factory=lambda: [5, 6, 9])
    validity: bytes = b"77"
    exists: bytes = b""
    says: dict[str, Callable[[str], bytes]] = field(default_factory=dict)
    greeting: bytes = b"* OK here\r\n"
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def answer(self, line: str) -> bytes:
        tag, command = line.split(" ", 1)
        self.asked.append(command)
        end = f"{tag} OK done\r\n".encode()
        for pattern, say in self.says.items():
            if re.match(pattern, command):
                return say(tag)
        if command.startswith("CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1\r\n" + end
        if command.startswith("EXAMINE"):
            exists = self.exists or b"%d" % len(self.uids)
            return b"* %s EXISTS\r\n* OK [UIDVALIDITY %s] yes\r\n" % (exists, self.validity) + end
        if found := re.match(r"FETCH (\d+):(\d+) ", command):
            numbers = range(int(found[1]), int(found[2]) + 1)
            return b"".join(LIST % (number, self.uids[number - 1]) for number in numbers) + end
        if found := re.match(r"UID FETCH (\d+) \(UID\)", command):
            uid = int(found[1])
            return (LIST % (self.uids.index(uid) + 1, uid) if uid in self.uids else b"") + end
        return end

    def talk(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            connection.sendall(self.greeting)
            for line in lines:
                connection.sendall(self.answer(line.decode().strip()))


@contextmanager
def listening(liar: Liar) -> Iterator[Liar]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        liar.port = listener.getsockname()[1]

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=liar.talk, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield liar
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def reading(liar: Liar, most: int = 1 << 20) -> Iterator[Folder]:
    with listening(liar), opened(imap_server(server_url(liar)), "INBOX", 60.0, Wire(most)) as folder:
        yield folder


def server_url(liar: Liar) -> str:
    return f"imap://u:{quote(PASSWORD)}@127.0.0.1:{liar.port}"


def ok(text: bytes) -> Callable[[str], bytes]:
    """What is said to a command that goes well."""
    return lambda tag: text + tag.encode() + b" OK done\r\n"


def test_an_honest_one_is_read() -> None:
    with reading(Liar()) as folder:
        assert [(one.uid, one.size) for one in folder.after(5, 10)] == [(6, 100), (9, 100)]


@pytest.mark.parametrize("number", ["9999999999999", "4000000000"])
def test_a_message_without_end_is_not_taken_into_memory(number: str) -> None:
    began = time.monotonic()
    liar = Liar(says={"UID FETCH 5": ok(b"* 1 FETCH (UID 5 BODY[] {%s}\r\nx" % number.encode())})
    with reading(liar) as folder, pytest.raises(ImapFailed, match="more than 1 MB"):
        folder.raw(5)
    assert time.monotonic() - began < 20


def test_answers_without_end_are_not_listened_to() -> None:
    flood = b"* OK still here, and I go on and on\r\n" * 100_000
    with reading(Liar(says={"FETCH": ok(flood)})) as folder, pytest.raises(ImapFailed, match="more than 1 MB"):
        folder.after(0, 10)
    with pytest.raises(ImapFailed, match="more than 1 MB"), reading(Liar(says={"CAPABILITY": ok(flood)})):
        pass


def test_a_connection_can_be_cut_while_it_is_opened() -> None:
    liar, wire, failed = Liar(says={"CAPABILITY": lambda _: b"* CAP"}), Wire(), []

    def open_it() -> None:
        try:
            with opened(imap_server(server_url(liar)), "INBOX", 60.0, wire):
                pass
        except ImapFailed as problem:
            failed.append(problem)

    with listening(liar):
        thread = threading.Thread(target=open_it, daemon=True)
        thread.start()
        while not liar.asked:
            time.sleep(0.01)
        wire.cut()
        thread.join(30)
    assert not thread.is_alive()
    assert len(failed) == 1


@pytest.mark.parametrize("validity", [b"0", b"x", b"99999999999", b"9" * 5000])
def test_a_uidvalidity_that_is_none_is_said_in_words(validity: bytes) -> None:
    with pytest.raises(ImapFailed, match="UIDVALIDITY"), reading(Liar(validity=validity)):
        pass


def test_more_messages_than_there_can_be_are_said_in_words() -> None:
    with pytest.raises(ImapFailed, match="EXISTS"), reading(Liar(exists=b"99999999999")):
        pass


@pytest.mark.parametrize("uids", [[5, 5, 9], [5, 9, 6], [5, 6, 6], [5, 6, 99999999999999999999], [5, 6, 2]])
def test_uids_that_can_t_be_are_said_in_words(uids: list[int]) -> None:
    with reading(Liar(uids)) as folder, pytest.raises(ImapFailed, match="UID"):
        for _ in range(10):
            folder.after(4, 10)
            folder.after(0, 10)  # as who compares does


def test_a_listing_behind_where_we_are_does_not_go_round_for_ever() -> None:
    liar = Liar([5, 6, 9], says={r"FETCH 3:3 \(UID R": ok(LIST % (3, 6))})
    with reading(liar) as folder, pytest.raises(ImapFailed, match="UID"):
        folder.after(6, 10)


def test_a_message_that_is_not_listed_is_not_passed_over() -> None:
    liar = Liar(says={"FETCH 1:3 ": ok(LIST % (1, 5) + LIST % (3, 9))})
    with reading(liar) as folder, pytest.raises(ImapFailed, match="lists 2 of 3 messages"):
        folder.after(0, 10)


def test_what_else_is_said_of_a_message_does_not_make_it_two() -> None:
    says = LIST % (1, 5) + b"* 2 FETCH (UID 6 FLAGS (\\Seen))\r\n" + LIST % (2, 6) + LIST % (3, 9)
    with reading(Liar(says={"FETCH 1:3 ": ok(says)})) as folder:
        found = folder.after(0, 10)
    assert [one.uid for one in found] == [5, 6, 9]
    assert all(one.size == 100 and one.arrived is not None for one in found)


def test_what_is_there_and_not_given_is_not_taken_to_be_deleted() -> None:
    with reading(Liar()) as folder:
        assert folder.raw(7) is None
        with pytest.raises(NotGiven):
            folder.raw(6)


@pytest.mark.parametrize("body", [b"NIL", b'""', b"{0}\r\n"])
def test_nothing_is_no_message_where_there_is_one(body: bytes) -> None:
    with reading(Liar(says={"UID FETCH 6": ok(b"* 2 FETCH (UID 6 BODY[] %s)\r\n" % body)})) as folder:
        assert folder.raw(6) == b""
        with pytest.raises(NotGiven):
            folder.raw(6, 100)


def test_the_next_messages_are_found_at_once() -> None:
    liar = Liar([*range(1, 1001)])
    with reading(liar) as folder:
        uid = folder.after(0, 100)[-1].uid
        before = len(liar.asked)
        assert folder.after(uid, 100)[0].uid == 101
        assert len(liar.asked) - before <= 3


@pytest.mark.parametrize(
    "said", ['LOGIN "u" "p\\"a\\\\ss  w0rd" is wrong', 'p"a\\ss  w0rd', 'no p"a\\ss w0rd', "AHUAcCJhXHNzICB3MHJk"]
)
def test_a_password_is_never_repeated(said: str) -> None:
    liar = Liar(says={"LOGIN": lambda tag: f"{tag} NO {said}\r\n".encode()})
    with pytest.raises(ImapFailed, match="refused the sign-in") as refused, reading(liar):
        pass
    assert not re.search(r"w0rd|AHUA", str(refused.value))


def test_what_one_server_may_say_is_twice_a_message() -> None:
    assert imap_in.ANSWER_MOST > 50 * 1024 * 1024
