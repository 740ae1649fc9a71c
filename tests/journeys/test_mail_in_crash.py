"""The server is killed again and again while mail comes: what it has acknowledged or fetched becomes one thread each.

DESKHAND_TEST_DEEP kills ten times as often. DESKHAND_TEST_SEED repeats the moments of a run, as far as they decide it.
"""

from __future__ import annotations

import os
import random
import smtplib
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deskhand.db.database import SQLITE_FILE
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.desk.inboxes import mail_settings
from deskhand.desk.inboxes.mail_settings import MailChange
from deskhand.lib.sealing import KEY_FILE, Sealer
from deskhand.mail import imap_positions
from tests import dovecot, postgresql
from tests.commands import free_port
from tests.dovecot import Dovecot
from tests.journeys.servers import Server, wait
from tests.journeys.test_crash import Account, Direct, opened, running

KILLS = 50 if os.environ.get("DESKHAND_TEST_DEEP") else 5  # on each database, while mail comes by both ways
CLIENTS = 4
USER = "help@desk.example"
AFTER_S = (0.15, 0.5)
LAID_EACH = 12
READ_WITHIN_S = 120
# What the process that was killed had claimed is due again later: as if that time had passed.
LATER = ("UPDATE job SET due_at = 0 WHERE state = 'waiting'", "UPDATE imap_position SET due_at = 0")
STATES = "SELECT state, reason, count(*) AS n FROM received_mail GROUP BY state, reason"
THREADS = (
    "SELECT c.subject, t.body, m.message_id FROM thread t JOIN conversation c ON c.id = t.conversation_id"
    " LEFT JOIN thread_mail m ON m.thread_id = t.id WHERE t.type = 'customer'"
)


def mail(word: str) -> bytes:
    """A message like no other, from somebody at a place of their own."""
    return (
        f"From: Paul <paul@{word}.example>\r\nTo: help@desk.example\r\nSubject: {word}\r\n"
        f"Message-ID: <{word}@buyer.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\nText of {word}.\r\n"
    ).encode()


@dataclass
class Client:
    """A mail server that delivers: what it gets no 250 for it sends again, as mail servers do."""

    number: int
    port: int
    address: str
    sent: set[str] = field(default_factory=set)
    unsure: list[str] = field(default_factory=list)
    again: int = 0

    def deliver_until_killed(self) -> None:
        with suppress(OSError, smtplib.SMTPException), smtplib.SMTP("127.0.0.1", self.port, timeout=30) as smtp:
            while True:
                self.deliver(smtp, self.unsure[0] if self.unsure else f"c{self.number}x{len(self.sent)}")

    def deliver(self, smtp: smtplib.SMTP, word: str) -> None:
        self.again += word in self.unsure
        self.unsure = [word]
        assert smtp.sendmail("paul@buyer.example", [self.address], mail(word)) == {}
        self.sent.add(word)
        self.unsure = []


@dataclass
class World:
    """A server that is killed, and what is to be there in the end."""

    server: Server
    direct: Direct
    account: Account
    rng: random.Random

    def kill(self, delivered: Callable[[], int]) -> None:
        """Kill the server after a moment, once all have delivered some more."""
        wait(self.rng.uniform(*AFTER_S), delivered, delivered() + 2)
        self.server.kill()
        self.direct.until_nothing_is_under_way()
        self.hurry()

    def hurry(self) -> None:
        with self.direct.engine.begin() as connection:
            for statement in LATER:
                connection.exec_driver_sql(statement)

    def until_all_is_read(self, number: int) -> None:
        deadline = time.monotonic() + READ_WITHIN_S
        hurried = time.monotonic()
        while True:
            states = {state: n for state, _, n in self.direct.rows(STATES)}
            if states.get("waiting", 0) == 0 and sum(states.values()) >= number:
                return
            assert time.monotonic() < deadline, self.direct.rows(STATES)
            time.sleep(0.1)
            if time.monotonic() - hurried > 5:
                self.hurry()
                hurried = time.monotonic()

    def compare(self, words: set[str]) -> None:
        """Each message is one thread in a conversation of its own, as it was written."""
        assert [row for row in self.direct.rows(STATES) if row.state != "taken"] == []
        threads = self.direct.rows(THREADS)
        assert Counter(row.subject for row in threads) == Counter(words)
        assert {row.message_id for row in threads} == {f"<{word}@buyer.example>" for word in words}
        assert all(f"Text of {row.subject}." in row.body for row in threads)
        assert self.direct.rows("SELECT count(*) FROM job WHERE state = 'failed'") == [(0,)]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url = ""
    if request.param == "postgresql":
        server_url = request.getfixturevalue("postgresql_server")
        postgresql.drop_database(server_url, "mail_in_crash")
        url = postgresql.create_database(server_url, "mail_in_crash")
    upgrade(sqlalchemy_url(url, tmp_path / SQLITE_FILE))
    return url


@pytest.fixture
def rng() -> random.Random:
    seed = int(os.environ.get("DESKHAND_TEST_SEED") or random.randrange(10**9))
    sys.stdout.write(f"DESKHAND_TEST_SEED={seed}\n")
    return random.Random(seed)


def test_a_killed_server_loses_nothing(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: random.Random
) -> None:
    port = free_port()
    monkeypatch.setenv("DESKHAND_TEST_MAIL_PORT", str(port))
    with dovecot.running(USER) as mailboxes, running(tmp_path, database_url) as (server, direct):
        world = World(server, direct, opened(direct.database), rng)
        ((address,),) = direct.rows("SELECT email FROM inbox")
        fetch(world.account, mailboxes, tmp_path)
        clients = [Client(number, port, address) for number in range(CLIENTS)]
        laid: set[str] = set()
        for kill in range(KILLS):
            with ThreadPoolExecutor(CLIENTS) as pool:
                delivering = [pool.submit(client.deliver_until_killed) for client in clients]
                these = [f"k{kill}x{number}" for number in range(LAID_EACH)]
                mailboxes.lay(USER, *map(mail, these))
                laid.update(these)
                world.kill(lambda: min(len(client.sent) for client in clients))
                for one in delivering:
                    one.result(60)
            server.start()
        for client in clients:
            for word in client.unsure:
                with smtplib.SMTP("127.0.0.1", port, timeout=30) as smtp:
                    client.deliver(smtp, word)
        sent = set().union(*(client.sent for client in clients))
        world.until_all_is_read(len(sent) + len(laid))
        world.compare(sent | laid)
        ((last_uid, taken, skipped, error),) = until_passed(direct, len(laid))
    again = sum(client.again for client in clients)
    sys.stdout.write(f"{KILLS} kills, {len(sent)} mails sent, {again} of them again, {len(laid)} fetched\n")
    assert len(sent) > KILLS * CLIENTS
    assert again > 0
    assert (last_uid, taken, skipped, error) == (len(laid), len(laid), 0, "")


def fetch(account: Account, mailboxes: Dovecot, folder: Path) -> None:
    """Have all that lies in the mailbox fetched."""
    desk, change = account.desk, MailChange(imap=mailboxes.url(USER))
    sealer, begun = Sealer("", folder / KEY_FILE), desk.server.clock.now()
    where = (desk.account_id, account.inbox_id)
    desk.write(lambda tx: mail_settings.change(tx, *where, change, sealer, desk.now))
    desk.write(lambda tx: imap_positions.begin(tx, *where, "INBOX", None, begun))


def until_passed(direct: Direct, number: int) -> list[tuple[int, int, int, str]]:
    """How far the mailbox has been read, once it was read whole."""
    deadline = time.monotonic() + READ_WITHIN_S
    while True:
        found = [tuple(row) for row in direct.rows("SELECT last_uid, taken, skipped, error FROM imap_position")]
        if found[0][0] >= number or time.monotonic() > deadline:
            return found
        time.sleep(0.1)
