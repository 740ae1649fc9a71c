"""The server is killed again and again while it mails: every published reply arrives under a Message-ID of its own.

DESKHAND_TEST_DEEP kills ten times as often. DESKHAND_TEST_SEED repeats the moments of a run, as far as they decide it.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from deskhand.db.database import SQLITE_FILE
from deskhand.db.migrate import sqlalchemy_url, upgrade
from tests import postgresql
from tests.journeys.servers import wait
from tests.journeys.test_crash import Account, Direct, opened, running
from tests.mail.post_office import PostOffice, post_office

KILLS = 50 if os.environ.get("DESKHAND_TEST_DEEP") else 5
CLIENTS = 4
AFTER_S = (0.3, 1.0)
SENT_WITHIN_S = 120
WAITING = "SELECT count(*) FROM job WHERE state = 'waiting' AND kind = 'send_email'"
# What was claimed by the process that was killed is due again two minutes later: as if they had passed.
LATER = "UPDATE job SET due_at = 0 WHERE state = 'waiting'"
REPLIES = (
    "SELECT t.id, t.body, m.message_id, m.state, m.error FROM thread t LEFT JOIN thread_mail m ON m.thread_id = t.id"
    " WHERE t.type = 'message' AND t.state = 'published' AND t.imported = 0"
)


@dataclass
class Client:
    """One of those who reply at the same time."""

    number: int
    account: Account
    replies: set[int] = field(default_factory=set)
    serial: int = 0

    def reply_until_killed(self, url: str) -> None:
        with requests.Session() as http:
            http.headers["Authorization"] = f"Bearer {self.account.desk.token}"
            try:
                while True:
                    self._reply(http, url)
            except requests.RequestException:
                return

    def _reply(self, http: requests.Session, url: str) -> None:
        self.serial += 1
        word = f"c{self.number}x{self.serial}"
        customer = {"email": f"{word}@buyer.example"}
        threads = [
            {"type": "reply", "text": f"{word}a", "customer": customer},
            {"type": "note", "text": "internal", "customer": customer},
        ]
        body = {
            "subject": "x", "type": "email", "mailboxId": self.account.inbox_id, "status": "active",
            "customer": customer, "threads": threads,
        }  # fmt: skip
        answer = http.post(f"{url}/v2/conversations", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
        path = f"{url}/v2/conversations/{answer.headers['Resource-ID']}/reply"
        for letter, draft in (("b", False), ("c", True)):
            given = {"text": word + letter, "customer": customer, "draft": draft}
            answer = http.post(path, json=given, timeout=30)
            assert answer.status_code == 201, answer.text
            if not draft:
                self.replies.add(int(answer.headers["Resource-ID"]))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_killed_worker_loses_no_mail(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = int(os.environ.get("DESKHAND_TEST_SEED") or random.randrange(10**9))
    rng = random.Random(seed)
    database_url = ""
    if kind == "postgresql":
        server_url = request.getfixturevalue("postgresql_server")
        postgresql.drop_database(server_url, "mail_crash")
        database_url = postgresql.create_database(server_url, "mail_crash")
    upgrade(sqlalchemy_url(database_url, tmp_path / SQLITE_FILE))
    began = time.monotonic()
    with post_office() as office:
        monkeypatch.setenv("DESKHAND_TEST_SMTP_PORT", str(office.port))
        with running(tmp_path, database_url) as (server, direct):
            account = opened(direct.database)
            clients = [Client(number, account) for number in range(CLIENTS)]
            for _ in range(KILLS):
                office.answers = ["451 Later"] * 3
                with ThreadPoolExecutor(CLIENTS) as pool:
                    writing = [pool.submit(client.reply_until_killed, server.url) for client in clients]
                    slowest = lambda: min(client.serial for client in clients)  # noqa: E731
                    wait(rng.uniform(*AFTER_S), slowest, slowest() + 2)
                    server.kill()
                    for one in writing:
                        one.result(60)
                direct.until_nothing_is_under_way()
                hurry(direct)
                server.start()
            until_all_is_sent(direct)
            compare(office, direct, clients)
    ids = Counter(str(one.message["Message-ID"]) for one in office.received)
    sys.stdout.write(
        f"{kind}: DESKHAND_TEST_SEED={seed}, {KILLS} kills in {time.monotonic() - began:.1f} s, "
        f"{len(ids)} mails, {sum(count > 1 for count in ids.values())} of them more than once\n"
    )
    assert len(ids) > KILLS * CLIENTS


def hurry(direct: Direct) -> None:
    with direct.engine.begin() as connection:
        connection.exec_driver_sql(LATER)


def until_all_is_sent(direct: Direct) -> None:
    """Nothing is claimed for long and nothing waits for its pause, so that what is left are few seconds of work."""
    deadline = time.monotonic() + SENT_WITHIN_S
    hurried = time.monotonic()
    while direct.rows(WAITING) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
        if time.monotonic() - hurried > 10:  # what was refused for now
            hurry(direct)
            hurried = time.monotonic()


def compare(office: PostOffice, direct: Direct, clients: list[Client]) -> None:
    """Each reply that is stored has arrived, as itself and under an id of its own; each acknowledged one is stored."""
    replies = direct.rows(REPLIES)
    assert [row for row in replies if (row.state, row.error) != ("sent", "")] == []
    arrived = {str(one.message["Message-ID"]): body_of(one.message) for one in office.received}
    assert arrived == {row.message_id: row.body for row in replies}
    assert len(arrived) == len(replies)
    assert {id for client in clients for id in client.replies} <= {row.id for row in replies}
    assert direct.rows("SELECT count(*) FROM thread WHERE state = 'draft'")[0][0] > 0
    assert direct.rows("SELECT count(*) FROM job WHERE state = 'failed'") == [(0,)]


def body_of(message: object) -> str:
    """What it says, without what was said before."""
    text = str(message.get_body(("plain",)).get_content()).replace("\r\n", "\n")  # type: ignore[attr-defined]
    return text.partition("\n\nOn ")[0].strip()
