"""A gateway killed at any moment: no write is on the desk that its log does not know of, none is there twice.

Agents write and somebody approves, the process is killed, and after each restart the desk's tables are compared with
the log. Agents send again what was cut off, with the same Idempotency-Key. The desk is in the killed process, on either
database, or on a server of its own that goes on. DESKHAND_TEST_SEED repeats the moments of a run, as far as they decide
it; with `--deep` there are thirty kills.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from deskhand.catalogue.matching import Matcher
from deskhand.catalogue.operations import OPERATIONS
from deskhand.db.database import SQLITE_FILE
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.gateway import admin_tokens, reading
from deskhand.gateway.calls import Request
from deskhand.gateway.reading import arguments_hash
from deskhand.lib.clock import SystemClock
from tests import postgresql
from tests.journeys.servers import Server, wait
from tests.journeys.test_crash import Direct
from tests.live import LiveServer
from tests.world import Desk, open_desk

DEEP = bool(os.environ.get("DESKHAND_TEST_DEEP"))
KILLS = {"sqlite": 4, "postgresql": 3, "remote": 3} if not DEEP else {"sqlite": 10, "postgresql": 10, "remote": 10}
WRITERS, ASKERS = 4, 2
AFTER_S = (0.15, 0.6)
TAGS = ("vip", "refund", "late", "bug", "beta")
MATCHER = Matcher(OPERATIONS)
CUSTOMER = {"email": "paul@buyer.example"}
NOT_AGAIN = ("outcome_unknown", "under_way", "duplicate")


class Killed(Exception):
    """The gateway is gone; whether the last write was done nobody knows."""


@dataclass
class Sent:
    """One write: the call itself, and what was heard of it last."""

    agent_id: int
    method: str
    path: str
    body: Any
    key: str
    text: str = ""
    answer: requests.Response | None = None
    approval_id: int = 0

    @property
    def hash(self) -> str:
        """What the log knows it by."""
        headers = {"content-type": "application/json"}
        request = Request(self.method, self.path, "", headers, json.dumps(self.body).encode())
        return arguments_hash(reading.read(MATCHER, request))

    @property
    def made(self) -> int:
        """The id of what it made, once that was acknowledged."""
        done = self.answer is not None and self.answer.status_code == 201
        return int(self.answer.headers["Resource-ID"]) if done and self.answer is not None else 0


@dataclass
class Writer:
    """An agent and its client, who sends again what was cut off."""

    id: int
    key: str
    inbox_id: int
    rng: random.Random
    asks: bool
    """Whether its replies wait for a person."""
    name: str
    sent: list[Sent] = field(default_factory=list)
    conversations: list[int] = field(default_factory=list)
    cut: Sent | None = None
    serial: Iterator[int] = field(default_factory=count)

    def write_until_killed(self, url: str) -> None:
        with requests.Session() as http, suppress(Killed):
            if self.cut is not None:
                self.call(http, url, self.cut)
            while True:
                self.call(http, url, self.next())

    def next(self) -> Sent:
        if self.asks or not self.conversations or self.rng.random() < 0.15:
            if not self.asks or not self.conversations:
                return self.begin()
            return self.reply(self.conversations.pop())  # one for each: whatever is written makes others go back
        conversation = self.rng.choice(self.conversations[-5:])
        match self.rng.randrange(4):
            case 0:
                return self.reply(conversation)
            case 1 | 2:
                text = self.word()
                return self.new("POST", f"/v2/conversations/{conversation}/notes", {"text": text}, text)
        tags = self.rng.sample(TAGS, self.rng.randrange(4))
        return self.new("PUT", f"/v2/conversations/{conversation}/tags", {"tags": tags})

    def begin(self) -> Sent:
        text = self.word()
        body = {
            "subject": text, "type": "email", "mailboxId": self.inbox_id, "status": "active", "customer": CUSTOMER,
            "threads": [{"type": "note", "text": text}],
        }  # fmt: skip
        return self.new("POST", "/v2/conversations", body, text)

    def reply(self, conversation: int) -> Sent:
        text = self.word()
        return self.new(
            "POST", f"/v2/conversations/{conversation}/reply", {"text": text, "customer": CUSTOMER}, text
        )  # fmt: skip

    def new(self, method: str, path: str, body: Any, text: str = "") -> Sent:
        one = Sent(self.id, method, path, body, f"{self.name}-{next(self.serial)}", text)
        self.sent.append(one)
        return one

    def word(self) -> str:
        return f"{self.name}x{next(self.serial)}y"

    def call(self, http: requests.Session, url: str, one: Sent) -> None:
        self.cut = one
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": one.key}
        try:
            answer = http.request(one.method, url + one.path, json=one.body, headers=headers, timeout=30)
        except requests.RequestException:
            raise Killed from None
        one.answer, self.cut = answer, None
        if answer.status_code == 201 and one.path == "/v2/conversations":
            self.conversations.append(one.made)
        elif answer.status_code == 202:
            one.approval_id = answer.json()["approval_id"]
        else:
            unknown = answer.status_code == 409 and answer.json()["reason"] in NOT_AGAIN
            assert unknown or answer.status_code in (201, 204), (one, answer.text)


@dataclass
class Person:
    """Approves what waits, again and again, twice at a time."""

    token: str
    approved: Counter[int] = field(default_factory=Counter)

    def approve_until_killed(self, url: str) -> None:
        with requests.Session() as http, ThreadPoolExecutor(2) as pool:
            http.headers["Authorization"] = f"Bearer {self.token}"
            try:
                while True:
                    waiting = self.ask(http, "GET", f"{url}/admin/v1/approvals?state=waiting").json()["approvals"]
                    for one in waiting[:4]:
                        place = f"{url}/admin/v1/approvals/{one['id']}/approve"
                        twice = [pool.submit(self.ask, http, "POST", place) for _ in range(2)]
                        found = [asked.result() for asked in twice]
                        self.approved[one["id"]] += sum(
                            answer.status_code == 200 and answer.json()["state"] == "executed" for answer in found
                        )
                    time.sleep(0.02)
            except requests.RequestException:
                return

    @staticmethod
    def ask(http: requests.Session, method: str, url: str) -> requests.Response:
        return http.request(method, url, json={} if method == "POST" else None, timeout=30)


# -- What the tables say


@dataclass
class Tables:
    """The desk's tables, and those of the gateway; they may be the same."""

    desk: Direct
    gateway: Direct

    def decisions(self) -> list[dict[str, Any]]:
        """What was decided, as the log has it."""
        query = "SELECT content FROM audit_record WHERE type = 'decision' ORDER BY account_id, number"
        return [json.loads(row[0]) for row in self.gateway.rows(query)]

    def compare(self, writers: list[Writer], person: Person) -> None:
        """Whatever is on the desk was logged before, and is there once."""
        allowed = [one for one in self.decisions() if one["decision"] == "allowed"]
        logged = Counter((one["agent"]["id"], one["arguments_hash"]) for one in allowed)
        sent = [one for writer in writers for one in writer.sent]
        threads = {
            text: (n, id) for text, n, id in self.desk.rows(
                "SELECT body, count(*), min(id) FROM thread WHERE type IN ('message', 'note') GROUP BY body"
            )
        }  # fmt: skip
        by_text = {one.text: one for one in sent if one.text}
        assert set(threads) <= set(by_text)
        for text, (times, _) in threads.items():
            assert times == 1, f"{text} is there {times} times"
            assert logged[by_text[text].agent_id, by_text[text].hash] >= 1, f"{text} is not in the log"
        for one in sent:
            if one.made:
                assert one.text in threads, f"{one.text} was acknowledged and is gone"
        self._tags(allowed)
        self._approvals(sent, threads, person)

    def _tags(self, allowed: list[dict[str, Any]]) -> None:
        """What leaves no text behind: each change is an event, and has a decision about its conversation."""
        decided = Counter(one["conversation_id"] for one in allowed if one["operation"] == "set_conversation_tags")
        query = "SELECT subject_id, count(*) FROM event WHERE name = 'convo.tags' GROUP BY subject_id"
        for conversation, times in self.desk.rows(query):
            assert times <= decided[conversation], conversation

    def _approvals(self, sent: list[Sent], threads: dict[str, Any], person: Person) -> None:
        by_hash = {one.hash: one.text for one in sent if one.approval_id}
        query = "SELECT id, state, arguments_hash, resource_id FROM approval"
        for id, state, hashed, made in self.gateway.rows(query):
            text = by_hash.get(hashed)
            there = threads.get(text) if text is not None else None
            assert person.approved[id] <= 1
            if state == "executed":
                assert text is None or (there is not None and there[1] == made)
            elif state in ("waiting", "denied", "expired", "returned"):
                assert there is None, (id, state, text)

    def until_nothing_is_under_way(self) -> None:
        self.gateway.until_nothing_is_under_way()

    def close(self) -> None:
        for one in {id(direct): direct for direct in (self.desk, self.gateway)}.values():
            one.close()


# -- Setting up


@contextmanager
def running(kind: str, folder: Path, database_url: str) -> Iterator[tuple[Server, Tables, Desk, LiveServer | None]]:
    """A gateway that can be killed, and the account that it works for; the desk's owner sees the desk."""
    upgrade(sqlalchemy_url(database_url, folder / SQLITE_FILE))
    there = None
    if kind == "remote":
        (folder / "there").mkdir()
        there = LiveServer(folder / "there")
    server, own = Server(folder, database_url), Direct(folder, database_url)
    tables = Tables(own if there is None else Direct(folder / "there", ""), own)
    try:
        server.start()
        outside = SimpleNamespace(app=SimpleNamespace(database=own.database), clock=SystemClock())
        yield server, tables, open_desk(cast(LiveServer, outside)), there
    finally:
        server.close()
        tables.close()
        if there is not None:
            there.stop()


def hired(server: Server, home: Desk, there: LiveServer | None, rng: random.Random) -> tuple[list[Writer], Person]:
    """Agents who may write, some of whom have to ask before they reply."""
    token = home.write(lambda tx: admin_tokens.create(tx, home.account_id, "Tests", datetime.now(UTC))).token

    def made(path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.post(f"{server.url}/admin/v1{path}", json=body, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return answer.json()

    desk = home if there is None else open_desk(there)
    more: dict[str, Any] = {}
    if there is not None:
        given = {"base_url": there.url, "client_id": desk.client_id, "client_secret": desk.client_secret}
        more["connection_id"] = made("/connections", {"name": "There", **given})["id"]
    inbox = desk.add_inbox()
    resources = {name: {"level": "full"} for name in ("conversations", "threads", "customers", "inboxes")}
    writers = []
    for number in range(WRITERS + ASKERS):
        asks = number >= WRITERS
        actions = {"reply_to_conversation": "hold"} if asks else {}
        grants = {"resources": resources, "actions": actions}
        agent = made("/agents", {"name": f"Agent {number}", "grants": grants, **more})
        seed = random.Random(rng.random())
        writers.append(Writer(agent["id"], agent["key"], inbox, seed, asks, f"{'a' if asks else 'w'}{number}"))
    return writers, Person(token)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "remote"])
def test_no_write_is_on_the_desk_that_the_log_does_not_know_of(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seed = int(os.environ.get("DESKHAND_TEST_SEED") or random.randrange(10**9))
    sys.stdout.write(f"DESKHAND_TEST_SEED={seed}\n")
    database_url = ""
    if kind == "postgresql":
        server_url = request.getfixturevalue("postgresql_server")
        postgresql.drop_database(server_url, "gateway_crash")
        database_url = postgresql.create_database(server_url, "gateway_crash")
    rng = random.Random(seed)
    began = time.monotonic()
    with running(kind, tmp_path, database_url) as (server, tables, home, there):
        writers, person = hired(server, home, there, rng)
        cut = 0
        for _ in range(KILLS[kind]):
            with ThreadPoolExecutor(len(writers) + 1) as pool:
                working = [pool.submit(one.write_until_killed, server.url) for one in writers]
                working.append(pool.submit(person.approve_until_killed, server.url))
                wait(rng.uniform(*AFTER_S), person.approved.total, 1)
                server.kill()
                for one in working:
                    one.result(60)
            cut += sum(one.cut is not None for one in writers)
            tables.until_nothing_is_under_way()
            tables.compare(writers, person)
            server.start()
            verified = requests.get(
                f"{server.url}/admin/v1/audit/verify", headers={"Authorization": f"Bearer {person.token}"}, timeout=30
            ).json()
            assert verified["ok"], verified
        again = send_what_was_cut_off(writers, server.url)
        tables.compare(writers, person)
    acknowledged = Counter(
        (one.method, one.path.rpartition("/")[2], one.answer.status_code)
        for writer in writers for one in writer.sent if one.answer is not None
    )  # fmt: skip
    sys.stdout.write(
        f"{kind}: {KILLS[kind]} kills in {time.monotonic() - began:.1f} s, {acknowledged.total()} writes answered, "
        f"{cut} cut off, {person.approved.total()} approved, sent again at the end: {again}\n"
    )
    assert acknowledged.total() > KILLS[kind]
    assert cut > KILLS[kind]
    assert person.approved.total() > 0


def send_what_was_cut_off(writers: list[Writer], url: str) -> list[int]:
    """What each client hears when it sends its last write once more."""
    with requests.Session() as http:
        left = [writer for writer in writers if writer.cut is not None]
        for writer in left:
            assert writer.cut is not None
            writer.call(http, url, writer.cut)
    return [writer.sent[-1].answer.status_code for writer in left if writer.sent[-1].answer is not None]
