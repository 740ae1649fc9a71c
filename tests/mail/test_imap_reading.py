"""Taking in what lies in mailboxes, on a real Dovecot: everything once, by UID, and without a trace."""

from __future__ import annotations

import asyncio
import imaplib
import logging
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from deskhand.db.engine import Unavailable
from deskhand.desk.conversations.mail import received_listing
from deskhand.desk.conversations.mail.received_listing import Listed
from deskhand.mail import imap_positions
from deskhand.mail.imap_in import Folder
from deskhand.mail.imap_positions import Held, Position
from deskhand.mail.imap_reading import BEFORE, KNOWN, NOT_GIVEN, NOT_KEPT, TOO_LARGE, Reading
from deskhand.mail.inbound import LARGEST, Delivery, Keeper, Kept, Place
from deskhand.settings import imap_server
from tests import dovecot
from tests.dovecot import Dovecot
from tests.mail.post_office import make_certificate
from tests.world import Desk

USERS = [f"help{number}@shop.example" for number in range(80)]


def mail(name: object, more: str = "") -> bytes:
    header = f"From: paul@buyer.example\r\nSubject: {name}\r\nMessage-ID: <{name}@buyer.example>\r\n"
    return f"{header}\r\n{more}\r\n".encode()


@dataclass
class Mailbox:
    """A mailbox on a mail server, and the inbox that is fetched from it."""

    server: Dovecot
    desk: Desk
    inbox: int
    folder: str = "INBOX"
    scheme: str = "imap"
    options: str = ""
    keeper: Keeper | None = None
    largest: int = LARGEST
    step_s: float = 10.0
    user: str = USERS[0]

    def __post_init__(self) -> None:
        self.failures: Reading | None = None

    def begin(self, since: datetime | None = None) -> None:
        now = self.desk.server.clock.now()
        self.desk.write(lambda tx: imap_positions.begin(tx, *self.where, since, now))

    @property
    def where(self) -> tuple[int, int, str]:
        return self.desk.account_id, self.inbox, self.folder

    def take(self, mark: int = 1) -> Held | None:
        now = self.desk.server.clock.now()
        return self.desk.write(lambda tx: imap_positions.take(tx, *self.where, now, mark))

    def look(self, url: str = "") -> Position:
        """One look, as a server has it; gives how far it came."""
        held = self.take()
        assert held is not None
        app = self.desk.server.app
        if self.failures is None:
            keeper = self.keeper or app.keeper
            self.failures = Reading(app.database, keeper, app.clock, self.largest, self.step_s)
        self.failures.keeper = self.keeper or app.keeper
        server = imap_server(url or self.server.url(self.user, self.scheme, self.options))
        place = Place(self.desk.account_id, self.inbox, "help@desk.example")
        self.desk.server.run(self.failures.look(held, server, place, 0))
        return self.position()

    def position(self) -> Position:
        found = self.desk.server.app.database.read_now(lambda db: imap_positions.one(db, *self.where))
        assert found is not None
        return found

    def came(self) -> list[Listed]:
        """What was kept, in the order in which it came."""
        read = self.desk.server.app.database.read_now
        return read(lambda db: received_listing.newest(db, self.desk.account_id, self.inbox, 10_000))[::-1]

    def ids(self) -> list[str]:
        return [one.message_id.strip("<>").partition("@")[0] for one in self.came()]

    def lay(self, *names: object, arrived: str = "") -> None:
        self.server.lay(self.user, *map(mail, names), folder=self.folder, arrived=arrived)


@pytest.fixture(scope="module")
def mail_server() -> Iterator[tuple[Dovecot, Iterator[str]]]:
    """A mail server, and users that have no mail yet."""
    with dovecot.running(*USERS) as server:
        yield server, iter(USERS)


@pytest.fixture
def untouched(desk: Desk, mail_server: tuple[Dovecot, Iterator[str]]) -> Mailbox:
    server, users = mail_server
    return Mailbox(server, desk, desk.add_inbox(), user=next(users))


@pytest.fixture
def mailbox(untouched: Mailbox) -> Mailbox:
    untouched.begin()
    return untouched


class Between:
    """A keeper to which something happens in between."""

    def __init__(self, keeper: Keeper, happens: Callable[[int, Delivery], None]) -> None:
        self._keeper = keeper
        self._happens = happens
        self._number = 0

    async def place_of(self, address: str) -> Place | None:
        return await self._keeper.place_of(address)

    async def keep(self, place: Place, delivery: Delivery) -> Kept:
        self._number += 1
        await asyncio.to_thread(self._happens, self._number, delivery)
        return await self._keeper.keep(place, delivery)


def test_all_is_taken_once_and_nothing_is_changed(mailbox: Mailbox) -> None:
    mailbox.lay("a", "b", "c")
    with mailbox.server.opened(mailbox.user) as other:  # another mail program has seen one, and answered it
        other.select("INBOX")
        other.store("2", "+FLAGS", r"(\Seen \Answered)")
    before = mailbox.server.flags(mailbox.user)
    position = mailbox.look()
    assert mailbox.ids() == ["a", "b", "c"]
    assert (position.on_server, position.taken, position.skipped, position.error) == (3, 3, 0, "")
    mailbox.look()
    mailbox.lay("d")
    assert mailbox.look().taken == 4
    assert mailbox.ids() == ["a", "b", "c", "d"]
    assert mailbox.server.flags(mailbox.user)[:3] == before
    assert r"\Seen" not in mailbox.server.flags(mailbox.user)[3]
    ((raw, place),) = [(mail("a"), one.place) for one in mailbox.came()[:1]]
    assert mailbox.came()[0].size == len(raw)
    assert place == f"INBOX/{position.uid_validity}/1"


def test_what_others_delete_makes_no_difference(mailbox: Mailbox) -> None:
    mailbox.lay(*range(6))
    mailbox.look()
    with mailbox.server.opened(mailbox.user) as other:
        other.select("INBOX")
        other.store("1:4", "+FLAGS", r"(\Deleted)")
        other.expunge()
    mailbox.lay("new")
    position = mailbox.look()
    assert mailbox.ids() == ["0", "1", "2", "3", "4", "5", "new"]
    assert (position.on_server, position.taken, position.last_uid) == (3, 7, 7)


def test_what_is_deleted_while_it_is_looked_at_stops_nothing(mailbox: Mailbox) -> None:
    mailbox.lay(*range(10))

    def happens(number: int, _: Delivery) -> None:
        if number == 3:
            with mailbox.server.opened(mailbox.user) as other:
                other.select("INBOX")
                other.store("5:7", "+FLAGS", r"(\Deleted)")
                other.expunge()
            mailbox.lay("late")

    mailbox.keeper = Between(mailbox.desk.server.app.keeper, happens)
    position = mailbox.look()
    kept = mailbox.ids()
    assert set(kept) >= {"0", "1", "2", "3", "7", "8", "9", "late"}
    assert len(kept) == len(set(kept))
    assert (position.taken, position.skipped, position.last_uid) == (len(kept), 0, 11)


def test_a_folder_made_anew_is_looked_at_from_the_beginning(mailbox: Mailbox) -> None:
    mailbox.folder = "Support"
    mailbox.begin()
    with mailbox.server.opened(mailbox.user) as other:
        other.create("Support")
    mailbox.lay("a", "b", "c")
    before = mailbox.look()
    with mailbox.server.opened(mailbox.user) as other:
        other.delete("Support")
        other.create("Support")
    mailbox.lay("new", "c", "b", "newer")
    after = mailbox.look()
    assert after.uid_validity != before.uid_validity
    assert mailbox.ids() == ["a", "b", "c", "new", "newer"]
    assert (after.on_server, after.taken, after.skipped_why()) == (4, 2, {KNOWN: 2})
    assert msgspec.structs.replace(mailbox.look(), checked_at=after.checked_at) == after


def test_folders_may_have_any_name(mailbox: Mailbox) -> None:
    mailbox.folder = 'Käufer & "mehr"'
    mailbox.begin()
    with mailbox.server.opened(mailbox.user) as other:
        other.create('"K&AOQ-ufer &- \\"mehr\\""')
        other.append('"K&AOQ-ufer &- \\"mehr\\""', "", None, mail("a"))
    assert mailbox.look().error == ""
    assert mailbox.ids() == ["a"]


def test_one_that_is_broken_and_one_too_large_stop_nothing(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    mailbox.largest = 20_000
    names = [*range(30)]
    mailbox.lay(*names[:10])
    mailbox.server.lay(mailbox.user, mail("large", "x" * 20_000))
    mailbox.lay(*names[10:20], "broken", *names[20:])
    broken = next(file for file in mailbox.server.files(mailbox.user) if b"<broken@" in file.read_bytes())
    broken.chmod(0)
    looks = 0
    while (position := mailbox.look()).error:
        looks += 1
        assert "message 22 can't be had" in position.error
        assert looks < 5
    assert mailbox.ids() == [str(name) for name in names]
    assert (position.on_server, position.taken, position.skipped) == (32, 30, 2)
    assert position.skipped_why() == {TOO_LARGE: 1, NOT_GIVEN: 1}
    assert any("message 22" in line and NOT_GIVEN in line for line in caplog.messages)
    assert any("message 11" in line and "bytes" in line for line in caplog.messages)


def test_a_broken_one_that_is_the_last_is_an_alarm_and_not_passed(mailbox: Mailbox) -> None:
    mailbox.lay("a", "broken")
    mailbox.server.files(mailbox.user)[1].chmod(0)
    for _ in range(5):
        position = mailbox.look()
    assert "message 2" in position.error
    assert (position.last_uid, mailbox.ids()) == (1, ["a"])
    mailbox.server.files(mailbox.user)[1].chmod(0o600)
    mailbox.failures = None  # as after a restart
    assert mailbox.look().error == ""
    assert mailbox.ids() == ["a", "broken"]


def test_one_that_can_t_be_kept_stops_nothing(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    def happens(_: int, delivery: Delivery) -> None:
        if b"<odd@" in delivery.raw:
            raise ValueError("odd")

    mailbox.keeper = Between(mailbox.desk.server.app.keeper, happens)
    mailbox.lay("a", "odd")
    assert mailbox.look().error == f"message 2 can't be taken: {NOT_KEPT} (ValueError: odd)"
    mailbox.lay("b")
    position = mailbox.look()
    assert mailbox.ids() == ["a", "b"]
    assert (position.error, position.skipped_why()) == ("", {NOT_KEPT: 1})
    assert any("message 2 in the folder INBOX" in line and "is skipped" in line for line in caplog.messages)


def test_when_nothing_can_be_kept_nothing_is_passed(mailbox: Mailbox) -> None:
    def happens(number: int, _: Delivery) -> None:
        if number > 3:
            raise Unavailable("the disk is full")

    mailbox.keeper = Between(mailbox.desk.server.app.keeper, happens)
    mailbox.lay(*range(6))
    position = mailbox.look()
    assert (position.last_uid, position.taken, position.error) == (3, 3, "the disk is full")
    mailbox.keeper = None
    position = mailbox.look()
    assert (position.last_uid, position.taken, position.error) == (6, 6, "")
    assert mailbox.ids() == list(map(str, range(6)))


def test_what_was_kept_but_not_passed_is_not_taken_twice(mailbox: Mailbox) -> None:
    mailbox.lay(*range(4))
    position = mailbox.look()
    # As if the process had died after the second had been kept.
    held = mailbox.take(7)
    assert held is not None
    back = msgspec.structs.replace(position, last_uid=1, taken=1)
    assert mailbox.desk.write(lambda tx: held.progress(tx, back))
    now = mailbox.desk.server.clock.now()
    mailbox.desk.write(lambda tx: held.well(tx, 4, now, 0))
    after = mailbox.look()
    assert (after.last_uid, after.taken, after.skipped) == (4, 4, 0)
    assert mailbox.ids() == list(map(str, range(4)))


def test_a_server_that_restarts_is_gone_on_with(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "deskhand.mail")
    mailbox.lay("a")
    mailbox.look()
    mailbox.server.stop()
    for _ in range(3):
        position = mailbox.look()
        assert "can't be used: [Errno 111] Connection refused" in position.error
    assert sum("can't be read" in line for line in caplog.messages) == 1
    mailbox.server.start()
    mailbox.lay("b")
    assert mailbox.look().error == ""
    assert mailbox.ids() == ["a", "b"]
    assert any("can be read again" in line for line in caplog.messages)


def test_a_server_that_restarts_in_the_middle_is_gone_on_with(mailbox: Mailbox) -> None:
    def happens(number: int, _: Delivery) -> None:
        if number == 5:
            mailbox.server.stop()

    mailbox.keeper = Between(mailbox.desk.server.app.keeper, happens)
    mailbox.lay(*range(10))
    position = mailbox.look()
    assert position.error
    assert position.last_uid == 5
    mailbox.keeper = None
    mailbox.server.start()
    assert mailbox.look().taken == 10
    assert mailbox.ids() == list(map(str, range(10)))


def test_a_wrong_password_is_said_in_words(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    url = mailbox.server.url(mailbox.user).replace(mailbox.server.password, "wr0ng%2Fpass")
    for _ in range(2):
        error = mailbox.look(url).error
        assert f"refused the sign-in of {mailbox.user}: [AUTHENTICATIONFAILED]" in error
        assert "wr0ng" not in error
    assert sum("refused the sign-in" in line for line in caplog.messages) == 1


def test_other_faults_are_said_in_words(mailbox: Mailbox) -> None:
    mailbox.folder = "Nowhere"
    mailbox.begin()
    assert "does not open the folder Nowhere" in mailbox.look().error


def test_a_server_that_says_nothing_is_not_waited_for(mailbox: Mailbox) -> None:
    mailbox.step_s = 0.3
    with socket.create_server(("127.0.0.1", 0)) as mute:
        error = mailbox.look(f"imap://u:p@127.0.0.1:{mute.getsockname()[1]}").error
    assert error.endswith("took too long to answer")


def test_a_server_that_talks_nonsense_is_said_in_words(mailbox: Mailbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as odd:
        odd.listen()

        def talk(*_: object) -> None:
            connection, _ = odd.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        mailbox.desk.server.run(_both(mailbox, talk))
        error = mailbox.look(f"imap://u:p@127.0.0.1:{odd.getsockname()[1]}").error
    assert "can't be used" in error


async def _both(_: Mailbox, talk: Callable[..., None]) -> None:
    asyncio.get_running_loop().run_in_executor(None, talk)


def test_connections_can_be_encrypted(desk: Desk, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with dovecot.running(USERS[0], certificate=certificate) as server:
        mailbox = Mailbox(server, desk, desk.add_inbox(), scheme="imap+starttls", options="?verify=no")
        mailbox.begin()
        mailbox.lay("a")
        assert mailbox.look().error == ""
        assert mailbox.ids() == ["a"]
        mailbox.options = ""
        assert "certificate of the IMAP server 127.0.0.1" in mailbox.look().error


def test_old_mail_is_left_where_only_what_comes_from_now_on_is_wanted(untouched: Mailbox) -> None:
    mailbox, old = untouched, '"01-Nov-2026 10:00:00 +0100"'
    mailbox.folder = "Support"
    with mailbox.server.opened(mailbox.user) as other:
        other.create("Support")
    mailbox.lay(*range(5), arrived=old)
    mailbox.begin(since=datetime.now(UTC))
    position = mailbox.look()
    assert (position.taken, position.skipped_why(), mailbox.ids()) == (0, {BEFORE: 5}, [])
    mailbox.lay("new")
    assert mailbox.look().taken == 1
    # The same where the folder is made anew: what is old stays old.
    with mailbox.server.opened(mailbox.user) as other:
        other.delete("Support")
        other.create("Support")
    mailbox.lay(*range(5), arrived=old)
    mailbox.lay("new", "newer")
    assert mailbox.look().skipped_why() == {BEFORE: 5, KNOWN: 1}
    assert mailbox.ids() == ["new", "newer"]


def test_clocks_may_be_minutes_apart(untouched: Mailbox) -> None:
    untouched.begin(since=datetime.now(UTC))
    untouched.lay("a", arrived=imaplib.Time2Internaldate(datetime.now(UTC) - timedelta(minutes=3)))
    untouched.look()
    assert untouched.ids() == ["a"]


def test_only_one_process_looks_at_a_time(mailbox: Mailbox) -> None:
    first = mailbox.take(1)
    assert first is not None
    assert mailbox.take(2) is None
    now = mailbox.desk.server.clock.now()
    later = now + timedelta(seconds=imap_positions.HELD_S + 1)
    second = mailbox.desk.write(lambda tx: imap_positions.take(tx, *mailbox.where, later, 2))
    assert second is not None
    # The first one notices that it has lost it, and writes nothing more.
    assert not mailbox.desk.write(lambda tx: first.hold_on(tx, now))
    assert not mailbox.desk.write(lambda tx: first.progress(tx, first.position))
    mailbox.desk.write(lambda tx: first.badly(tx, "late", now, 0))
    assert mailbox.position().error == ""


def test_a_clock_that_is_set_back_stops_no_looks(mailbox: Mailbox) -> None:
    held, now = mailbox.take(1), mailbox.desk.server.clock.now()
    assert held is not None
    mailbox.desk.write(lambda tx: held.well(tx, 0, now, 60))
    read = mailbox.desk.server.app.database.read_now
    due = (mailbox.inbox, "INBOX")
    assert due in read(lambda db: imap_positions.not_due(db, now, 60))
    earlier = now - timedelta(minutes=10)
    assert due not in read(lambda db: imap_positions.not_due(db, earlier, 60))
    assert mailbox.desk.write(lambda tx: imap_positions.take(tx, *mailbox.where, earlier, 2, 60)) is not None


def test_whoever_reads_for_long_is_seen_to_be_reading(mailbox: Mailbox) -> None:
    mailbox.lay("a", "b")
    before = mailbox.position().checked_at
    seen: list[str] = []

    def happens(number: int, _: Delivery) -> None:
        if number == 1:
            mailbox.desk.server.clock.advance(timedelta(seconds=7))
            time.sleep(1.1)  # it is written each second
        else:
            seen.append(mailbox.position().checked_at)

    mailbox.keeper = Between(mailbox.desk.server.app.keeper, happens)
    mailbox.look()
    assert seen[0] > before


def test_a_fault_that_nobody_thought_of_is_told_too(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("what?")

    monkeypatch.setattr(Folder, "after", broken)
    assert mailbox.look().error == "reading it failed, see the log (RuntimeError)"


def test_two_at_once_take_everything_once(mailbox: Mailbox) -> None:
    mailbox.lay(*range(20))
    app = mailbox.desk.server.app
    server = imap_server(mailbox.server.url(mailbox.user))
    place = Place(mailbox.desk.account_id, mailbox.inbox, "help@desk.example")
    first = mailbox.take(1)
    later = mailbox.desk.server.clock.now() + timedelta(seconds=imap_positions.HELD_S + 1)
    second = mailbox.desk.write(lambda tx: imap_positions.take(tx, *mailbox.where, later, 2))
    assert first is not None
    assert second is not None

    async def both() -> None:
        looks = [Reading(app.database, app.keeper, app.clock).look(held, server, place, 0) for held in (first, second)]
        await asyncio.gather(*looks)

    mailbox.desk.server.run(both())
    assert mailbox.position().taken == 20
    assert sorted(map(int, mailbox.ids())) == list(range(20))


def test_another_account_s_inbox_has_its_own(mailbox: Mailbox) -> None:
    mailbox.lay("a")
    mailbox.look()
    assert mailbox.desk.server.app.database.read_now(
        lambda db: imap_positions.one(db, mailbox.desk.account_id + 1, mailbox.inbox, "INBOX")
    ) is None  # fmt: skip
