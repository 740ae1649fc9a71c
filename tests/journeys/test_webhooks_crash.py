"""The server is killed again and again while it delivers: every event's webhook arrives, always under the same key.

DESKHAND_TEST_DEEP kills ten times as often. DESKHAND_TEST_SEED repeats the moments of a run, as far as they decide it.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from deskhand.catalogue.webhooks import NewWebhook
from deskhand.db.database import SQLITE_FILE
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.desk.call import Actor, Policy
from deskhand.desk.webhooks import verbs
from tests import postgresql
from tests.journeys.servers import wait
from tests.journeys.test_crash import Account, Direct, opened, running
from tests.receiver import Received, Receiver, Reply, receiving

KILLS = 50 if os.environ.get("DESKHAND_TEST_DEEP") else 5
CLIENTS = 3
AFTER_S = (0.3, 1.0)
EVENTS = ["convo.created", "convo.note.created", "convo.status", "customer.created"]
WEBHOOKS = {"/quick": "V2", "/moody": "V3"}
WAITING = "SELECT count(*) FROM job WHERE state = 'waiting'"
UNHANDLED = "SELECT count(*) FROM event WHERE handled = 0"
# What was claimed by the process that was killed is due again two minutes later: as if they had passed.
LATER = "UPDATE job SET due_at = 0 WHERE state = 'waiting'"
MISSING = (
    "SELECT e.id, w.id, count(d.id) FROM event e CROSS JOIN webhook w"
    " LEFT JOIN webhook_delivery d ON d.event_id = e.id AND d.webhook_id = w.id"
    " WHERE e.name IN ('convo.created', 'convo.note.created', 'convo.status', 'customer.created')"
    " GROUP BY e.id, w.id HAVING count(d.id) <> 1"
)


@dataclass
class Client:
    """One of those who write at the same time."""

    number: int
    account: Account
    conversations: set[int] = field(default_factory=set)
    notes: set[int] = field(default_factory=set)
    serial: int = 0

    def write_until_killed(self, url: str) -> None:
        with requests.Session() as http:
            http.headers["Authorization"] = f"Bearer {self.account.desk.token}"
            try:
                while True:
                    self._write(http, url)
            except requests.RequestException:
                return

    def _write(self, http: requests.Session, url: str) -> None:
        self.serial += 1
        customer = {"email": f"c{self.number}x{self.serial}@buyer.example"}
        body = {
            "subject": "x", "type": "email", "mailboxId": self.account.inbox_id, "status": "active",
            "customer": customer, "threads": [{"type": "customer", "text": "x", "customer": customer}],
        }  # fmt: skip
        answer = http.post(f"{url}/v2/conversations", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
        id = int(answer.headers["Resource-ID"])
        self.conversations.add(id)
        note = {"text": "n", "status": "closed"}
        answer = http.post(f"{url}/v2/conversations/{id}/notes", json=note, timeout=30)
        assert answer.status_code == 201, answer.text
        self.notes.add(id)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_killed_worker_loses_no_delivery(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    seed = int(os.environ.get("DESKHAND_TEST_SEED") or random.randrange(10**9))
    rng = random.Random(seed)
    database_url = ""
    if kind == "postgresql":
        server_url = request.getfixturevalue("postgresql_server")
        postgresql.drop_database(server_url, "webhooks_crash")
        database_url = postgresql.create_database(server_url, "webhooks_crash")
    upgrade(sqlalchemy_url(database_url, tmp_path / SQLITE_FILE))
    began = time.monotonic()
    with receiving() as receiver, running(tmp_path, database_url) as (server, direct):
        receiver.answer = moody(rng)
        account = opened(direct.database)
        add_webhooks(account, receiver)
        clients = [Client(number, account) for number in range(CLIENTS)]
        for _ in range(KILLS):
            with ThreadPoolExecutor(CLIENTS) as pool:
                writing = [pool.submit(client.write_until_killed, server.url) for client in clients]
                slowest = lambda: min(client.serial for client in clients)  # noqa: E731
                wait(rng.uniform(*AFTER_S), slowest, slowest() + 2)
                server.kill()
                for one in writing:
                    one.result(60)
            direct.until_nothing_is_under_way()
            run(direct, LATER)
            server.start()
        until_all_is_sent(direct)
        compare(receiver, direct, clients)
    keys = Counter(one.key for one in receiver.received)
    sys.stdout.write(
        f"{kind}: DESKHAND_TEST_SEED={seed}, {KILLS} kills in {time.monotonic() - began:.1f} s, "
        f"{len(keys)} deliveries, {sum(count > 1 for count in keys.values())} of them more than once\n"
    )
    assert len(keys) > KILLS * CLIENTS


def moody(rng: random.Random) -> Callable[[Received], Reply]:
    """The one receiver always takes what comes, the other refuses some of it."""

    def answer(one: Received) -> Reply:
        return Reply(500 if one.path == "/moody" and rng.random() < 0.1 else 200, after_s=rng.random() * 0.01)

    return answer


def add_webhooks(account: Account, receiver: Receiver) -> None:
    desk = account.desk
    owner = Actor(desk.account_id, desk.user_id, "owner", None, Policy(0, 0, 0, "UTC", "pro"))
    for path, version in WEBHOOKS.items():
        new = NewWebhook(url=receiver.url + path, events=EVENTS, secret="x", payload_version=version)
        desk.write(lambda tx, new=new: verbs.create(tx, owner, new, desk.now))  # type: ignore[misc]


def run(direct: Direct, statement: str) -> None:
    with direct.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def until_all_is_sent(direct: Direct) -> None:
    deadline = time.monotonic() + 60
    while direct.rows(WAITING) != [(0,)] or direct.rows(UNHANDLED) != [(0,)]:
        assert time.monotonic() < deadline
        with suppress(sa.exc.OperationalError):  # PostgreSQL gave us up for the worker, who locks the same rows
            run(direct, "UPDATE job SET due_at = 0 WHERE state = 'waiting' AND claim = 0")
        time.sleep(0.1)


def compare(receiver: Receiver, direct: Direct, clients: list[Client]) -> None:
    """Each event has one delivery for each webhook, and what arrived is what those say."""
    assert direct.rows(MISSING) == []
    known = {key: (event, body) for key, event, body in direct.rows("SELECT key, event, body FROM webhook_delivery")}
    arrived = defaultdict(set)
    for one in receiver.received:
        arrived[one.key].add((one.event, one.body.decode()))
    assert arrived == {key: {said} for key, said in known.items()}
    assert direct.rows("SELECT DISTINCT state FROM webhook_delivery") == [("delivered",)]
    for path in WEBHOOKS:
        told = {
            event: {one.json["id"] for one in receiver.named(event) if one.path == path}
            for event in ("convo.created", "convo.note.created")
        }
        for client in clients:
            assert client.conversations <= told["convo.created"]
            assert client.notes <= told["convo.note.created"]
