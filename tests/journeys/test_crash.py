"""A server killed at any moment loses no acknowledged write and leaves no half-written conversation.

Eight clients write, the process is killed, and after a restart all they know is compared with what the API shows and
with what lies in the tables and on the disk. DESKHAND_TEST_SEED repeats the moments of a run, as far as they decide it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
import sqlalchemy as sa

from deskhand.db.database import SQLITE_FILE, open_database
from deskhand.db.engine import Database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.desk.checking import counters, files, tags
from deskhand.lib.clock import SystemClock
from tests import postgresql
from tests.journeys.servers import Server, wait
from tests.live import LiveServer
from tests.world import Desk, open_desk

KILLS = 15  # on each database
CLIENTS = 8
AFTER_S = (0.1, 0.6)
STATUSES = ("active", "pending", "closed", "spam")
TAGS = ("vip", "refund", "late", "bug", "beta")


# What clients know ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """All that a client expects of a conversation; threads by their texts, files by name and hash."""

    status: str = "active"
    tags: frozenset[str] = frozenset()
    threads: frozenset[tuple[str, str]] = frozenset()
    files: frozenset[tuple[str, str]] = frozenset()
    deleted: bool = False


@dataclass
class Known:
    """A conversation: how it is for certain, and how it is if the call that was cut off came through."""

    subject: str
    value: str
    state: State
    id: int = 0
    possible: State | None = None


class Killed(Exception):
    """The server is gone; whether the last write was done nobody knows."""


@dataclass
class Account:
    """What calls need."""

    desk: Desk
    inbox_id: int
    field_id: int


@dataclass
class Client:
    """One of those who write at the same time; each has its own conversations."""

    number: int
    account: Account
    rng: random.Random
    known: list[Known] = field(default_factory=list)
    creating: Known | None = None
    touched: set[int] = field(default_factory=set)
    acknowledged: Counter[str] = field(default_factory=Counter)
    serial: Iterator[int] = field(default_factory=count)
    added: set[str] = field(default_factory=set)
    """Texts of replies and notes that came after their conversation: each is told of by an event of its own."""

    def write_until_killed(self, url: str) -> None:
        kinds: list[Callable[[Known], None]] = [
            self.reply, self.reply, self.note, self.note, self.status, self.status, self.tag, self.tag, self.delete,
        ]  # fmt: skip
        with requests.Session() as http:
            self.http, self.url = http, url
            try:
                while True:
                    mine = [one for one in self.known if not one.state.deleted]
                    if len(mine) < 2 or self.rng.random() < 0.3:
                        self.create()
                    else:
                        self.rng.choice(kinds)(self.rng.choice(mine[-6:]))
            except Killed:
                return

    def call(self, kind: str, method: str, path: str, body: Any = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.account.desk.token}"}
        try:
            answer = self.http.request(method, self.url + path, json=body, headers=headers, timeout=30)
        except requests.RequestException:
            raise Killed from None
        assert answer.status_code in (201, 204), (kind, answer.status_code, answer.text)
        self.acknowledged[kind] += 1
        return answer

    def word(self) -> str:
        return f"w{self.number}x{next(self.serial)}"

    def create(self) -> None:
        subject, rng = self.word(), self.rng
        texts = [("customer", self.word())]
        texts += [(rng.choice(("message", "note", "phone")), self.word()) for _ in range(rng.randrange(3))]
        state = State(rng.choice(STATUSES), self.some_tags(), frozenset(texts))
        customer = {"email": f"{subject}@buyer.example"}
        threads: list[dict[str, Any]] = [
            {"type": kind if kind != "message" else "reply", "text": text, "customer": customer} for kind, text in texts
        ]
        if rng.random() < 0.25:
            file, known = self.file()
            threads[0]["attachments"] = [file]
            state = replace(state, files=frozenset({known}))
        one = Known(subject, str(rng.randrange(10**6)), state)
        body = {
            "subject": subject, "type": "email", "mailboxId": self.account.inbox_id, "status": state.status,
            "customer": customer, "threads": threads, "tags": sorted(state.tags),
            "fields": [{"id": self.account.field_id, "value": one.value}], "assignTo": None,
        }  # fmt: skip
        self.creating = one
        answer = self.call("create", "POST", "/v2/conversations", body)
        one.id, self.creating = int(answer.headers["Resource-ID"]), None
        self.known.append(one)
        self.touched.add(one.id)

    def change(self, one: Known, kind: str, method: str, path: str, body: Any, after: State) -> None:
        one.possible = after
        self.touched.add(one.id)
        self.call(kind, method, f"/v2/conversations/{one.id}{path}", body)
        one.state, one.possible = after, None

    def reply(self, one: Known) -> None:
        text = self.later()
        after = replace(one.state, status="active", threads=one.state.threads | {("message", text)})
        body = {"text": text, "customer": {"email": f"{one.subject}@buyer.example"}}
        self.change(one, "reply", "POST", "/reply", body, after)

    def note(self, one: Known) -> None:
        text = self.later()
        body: dict[str, Any] = {"text": text}
        after = replace(one.state, threads=one.state.threads | {("note", text)})
        if self.rng.random() < 0.25:
            file, known = self.file()
            body["attachments"] = [file]
            after = replace(after, files=after.files | {known})
        self.change(one, "note", "POST", "/notes", body, after)

    def status(self, one: Known) -> None:
        status = self.rng.choice(STATUSES)
        body = {"op": "replace", "path": "/status", "value": status}
        self.change(one, "status", "PATCH", "", body, replace(one.state, status=status))

    def tag(self, one: Known) -> None:
        names = self.some_tags()
        self.change(one, "tags", "PUT", "/tags", {"tags": sorted(names)}, replace(one.state, tags=names))

    def delete(self, one: Known) -> None:
        self.change(one, "delete", "DELETE", "", None, State(deleted=True))

    def later(self) -> str:
        text = self.word()
        self.added.add(text)
        return text

    def some_tags(self) -> frozenset[str]:
        return frozenset(self.rng.sample(TAGS, self.rng.randrange(4)))

    def file(self) -> tuple[dict[str, str], tuple[str, str]]:
        data, name = self.rng.randbytes(self.rng.randrange(1, 60_000)), f"{self.word()}.bin"
        file = {"fileName": name, "mimeType": "application/octet-stream", "data": base64.b64encode(data).decode()}
        return file, (name, hashlib.sha256(data).hexdigest())


# What the API shows --------------------------------------------------------------------------------------------------


def settle(client: Client, url: str, direct: Direct, *, everything: bool) -> None:
    """Compare what a client knows with what is there; what nobody knew is known from here on."""
    if client.creating is not None:
        found = direct.ids_of(client.creating.subject)
        if found:
            client.creating.id = found[0]
            client.known.append(client.creating)
            client.touched.add(found[0])
        client.creating = None
    with requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {client.account.desk.token}"
        for one in client.known:
            if everything or one.id in client.touched:
                shown = look(http, url, one)
                assert shown in (one.state, one.possible), (one, shown)
                one.state, one.possible = shown, None
    client.touched.clear()


def look(http: requests.Session, url: str, one: Known) -> State:
    """A conversation as the API shows it now, whole."""
    answer = http.get(f"{url}/v2/conversations/{one.id}", params={"embed": "threads"}, timeout=30)
    if answer.status_code == 404:
        return State(deleted=True)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["subject"] == one.subject
    assert [value["value"] for value in shown["customFields"]] == [one.value]
    threads = [thread for thread in shown["_embedded"]["threads"] if thread["type"] != "lineitem"]
    assert shown["threads"] == len(threads)
    assert shown["folderId"] % 10 == {"spam": 7, "closed": 6}.get(shown["status"], 1)
    attached = [file for thread in threads for file in thread["_embedded"]["attachments"]]
    return State(
        status=shown["status"],
        tags=frozenset(tag["tag"] for tag in shown["tags"]),
        threads=frozenset((thread["type"], thread["body"]) for thread in threads),
        files=frozenset((file["filename"], content(http, file)) for file in attached),
    )


def content(http: requests.Session, file: dict[str, Any]) -> str:
    data = base64.b64decode(http.get(file["_links"]["data"]["href"], timeout=30).json()["data"])
    assert len(data) == file["size"]
    return hashlib.sha256(data).hexdigest()


# What lies in the tables ---------------------------------------------------------------------------------------------

OF_THREADS = "SELECT count(*) FROM thread t WHERE t.conversation_id = c.id AND t.type <> 'lineitem'"
PARTS = ("thread", "attachment", "conversation_tag", "conversation_field")
NOTHING_BY_NAME = {
    "threads": f"SELECT c.id FROM conversation c WHERE c.threads <> ({OF_THREADS} AND t.state = 'published')",
    "capped threads": f"SELECT c.id FROM conversation c WHERE c.capped_threads <> ({OF_THREADS})",
    "conversations without threads": f"SELECT c.id FROM conversation c WHERE ({OF_THREADS}) = 0",
    **{
        f"{part} of nothing": f"SELECT p.conversation_id FROM {part} p LEFT JOIN conversation c"
        " ON c.id = p.conversation_id AND c.account_id = p.account_id WHERE c.id IS NULL"
        for part in PARTS
    },
    "search of nothing": "SELECT s.id FROM conversation_search s LEFT JOIN conversation c ON c.id = s.id >> 12"
    " AND c.account_id = s.account_id WHERE c.id IS NULL",
    "subject not searchable": "SELECT c.id FROM conversation c WHERE 1 <>"
    " (SELECT count(*) FROM conversation_search s WHERE s.id IN (c.id << 12, (c.id << 12) + 1))",
    "threads not searchable": f"SELECT c.id FROM conversation c WHERE ({OF_THREADS}) <>"
    " (SELECT count(*) FROM conversation_search s WHERE s.id BETWEEN (c.id << 12) + 2 AND (c.id << 12) + 4095)",
    "attachments without their thread": "SELECT a.id FROM attachment a LEFT JOIN thread t ON t.id = a.thread_id"
    " AND t.conversation_id = a.conversation_id WHERE t.id IS NULL",
    "numbers of attachments": "SELECT t.id FROM thread t"
    " WHERE t.attachments <> (SELECT count(*) FROM attachment a WHERE a.thread_id = t.id)",
    "marks of attachments": "SELECT c.id FROM conversation c WHERE c.attachments <>"
    " (SELECT count(DISTINCT a.conversation_id) FROM attachment a WHERE a.conversation_id = c.id)",
    "customers": "SELECT c.id FROM conversation c LEFT JOIN customer u ON u.id = c.customer_id WHERE u.id IS NULL",
    "numbers": "SELECT number FROM conversation GROUP BY account_id, number HAVING count(*) > 1",
    "next numbers": "SELECT a.id FROM account a JOIN conversation c ON c.account_id = a.id"
    " GROUP BY a.id, a.next_number HAVING a.next_number <= max(c.number)",
    "creations told of": "SELECT c.id FROM conversation c WHERE 1 <>"
    " (SELECT count(*) FROM event e WHERE e.subject_id = c.id AND e.name = 'convo.created')",
    "events of threads": "SELECT e.id FROM event e LEFT JOIN thread t ON t.id = e.thread_id"
    " WHERE e.thread_id IS NOT NULL AND t.id IS NULL AND e.subject_id IN (SELECT id FROM conversation)",
    "addresses": "SELECT u.id FROM customer u WHERE u.email IS NULL OR NOT EXISTS"
    " (SELECT 1 FROM customer_entry n WHERE n.customer_id = u.id AND n.value = u.email)",
}
"""Statements that find nothing where everything is in order."""
UNDER_WAY = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend' AND state <> 'idle'"
)
TOLD = (
    "SELECT t.body, count(e.id) FROM thread t LEFT JOIN event e ON e.thread_id = t.id"
    " WHERE t.type IN ('message', 'note') GROUP BY t.id, t.body"
)


class Direct:
    """A look at the database and the files past the server."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.database: Database = open_database(database_url, folder)
        url = sqlalchemy_url(database_url, folder / SQLITE_FILE)
        self.engine = sa.create_engine(url)
        self._hashed: dict[str, int] = {}

    def rows(self, query: str, **given: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(query), given))

    def ids_of(self, subject: str) -> list[int]:
        return [row[0] for row in self.rows("SELECT id FROM conversation WHERE subject = :subject", subject=subject)]

    def until_nothing_is_under_way(self) -> None:
        """PostgreSQL ends what the killed process had begun when it sees the connection closed."""
        deadline = time.monotonic() + 60
        while self.engine.dialect.name == "postgresql" and self.rows(UNDER_WAY):
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def look(self, clients: list[Client]) -> None:
        """Everything fits together, and every acknowledged creation was told of once."""
        for name, query in NOTHING_BY_NAME.items():
            assert self.rows(query) == [], name
        found = [*self.database.read_now(counters.check), self.database.read_now(tags.check)]
        found.append(self.database.read_now(lambda db: files.check(db, self.folder / "blobs")))
        assert [one for one in found if not one.ok] == []
        self._fields()
        self._files()
        known = {one.id for client in clients for one in client.known}
        told = Counter(row[0] for row in self.rows("SELECT subject_id FROM event WHERE name = 'convo.created'"))
        assert {id for id in known if told[id] != 1} == set()
        gone = Counter(row[0] for row in self.rows("SELECT subject_id FROM event WHERE name = 'convo.deleted'"))
        assert gone == {one.id: 1 for client in clients for one in client.known if one.state.deleted}
        assert {row[0] for row in self.rows("SELECT id FROM conversation")} == known - set(gone)
        added = set().union(*(client.added for client in clients))
        assert [text for text, events in self.rows(TOLD) if events != (text in added)] == []

    def _fields(self) -> None:
        found: dict[int, dict[int, str]] = {}
        for id, field_id, value in self.rows("SELECT conversation_id, field_id, value FROM conversation_field"):
            found.setdefault(id, {})[field_id] = value
        for id, text in self.rows("SELECT id, custom_fields FROM conversation"):
            assert {one["id"]: one["value"] for one in json.loads(text)} == found.get(id, {}), id

    def _files(self) -> None:
        for name, size in self.rows("SELECT DISTINCT sha256, size FROM attachment"):
            if name not in self._hashed:
                data = (self.folder / "blobs" / name[:2] / name).read_bytes()
                assert hashlib.sha256(data).hexdigest() == name
                self._hashed[name] = len(data)
            assert self._hashed[name] == size

    def close(self) -> None:
        self.database.close()
        self.engine.dispose()


# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_fifteen_kills_lose_no_acknowledged_write(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    seed = int(os.environ.get("DESKHAND_TEST_SEED") or random.randrange(10**9))
    database_url = ""
    if kind == "postgresql":
        server_url = request.getfixturevalue("postgresql_server")
        postgresql.drop_database(server_url, "crash")
        database_url = postgresql.create_database(server_url, "crash")
    upgrade(sqlalchemy_url(database_url, tmp_path / SQLITE_FILE))
    rng = random.Random(seed)
    began = time.monotonic()
    with running(tmp_path, database_url) as (server, direct):
        account = opened(direct.database)
        clients = [Client(number, account, random.Random(rng.random())) for number in range(CLIENTS)]
        cut = 0
        for _ in range(KILLS):
            with ThreadPoolExecutor(CLIENTS) as pool:
                writing = [pool.submit(client.write_until_killed, server.url) for client in clients]
                written = lambda: min(client.acknowledged.total() for client in clients)  # noqa: E731
                wait(rng.uniform(*AFTER_S), written, written() + 2)
                server.kill()
                for one in writing:
                    one.result(60)
            direct.until_nothing_is_under_way()
            server.start()
            cut += sum(client.creating is not None for client in clients)
            cut += sum(one.possible is not None for client in clients for one in client.known)
            compare(clients, server, direct)
        compare(clients, server, direct, everything=True)
        found_by_search(clients, server)
        if kind == "sqlite":
            assert direct.rows("PRAGMA integrity_check") == [("ok",)]
    acknowledged = sum((client.acknowledged for client in clients), Counter[str]())
    sys.stdout.write(
        f"{kind}: DESKHAND_TEST_SEED={seed}, {KILLS} kills in {time.monotonic() - began:.1f} s, "
        f"{acknowledged.total()} writes acknowledged {dict(acknowledged)}, {cut} cut off\n"
    )
    assert acknowledged.total() > KILLS * CLIENTS
    assert cut > KILLS


@contextmanager
def running(folder: Path, database_url: str) -> Iterator[tuple[Server, Direct]]:
    server, direct = Server(folder, database_url), Direct(folder, database_url)
    try:
        server.start()
        yield server, direct
    finally:
        server.close()
        direct.close()


def opened(database: Database) -> Account:
    """An account with an inbox and a custom field, put in past the server."""
    outside = SimpleNamespace(app=SimpleNamespace(database=database), clock=SystemClock())
    desk = open_desk(cast(LiveServer, outside))
    inbox_id = desk.add_inbox()
    return Account(desk, inbox_id, desk.add_field(inbox_id, "Order", "number"))


def compare(clients: list[Client], server: Server, direct: Direct, *, everything: bool = False) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        comparing = [pool.submit(settle, one, server.url, direct, everything=everything) for one in clients]
        for one in comparing:
            one.result(60)
    direct.look(clients)


def found_by_search(clients: list[Client], server: Server) -> None:
    """The index of words survived too: what is there is found by subject and by each text, what is gone is not."""
    for client in clients:
        headers = {"Authorization": f"Bearer {client.account.desk.token}"}
        for one in client.known[-12:]:
            for word in (one.subject, *(text for _, text in one.state.threads)):
                asked = {"query": f"({word})", "status": "all"}
                answer = requests.get(f"{server.url}/v2/conversations", asked, headers=headers, timeout=30)
                found = [shown["id"] for shown in answer.json()["_embedded"]["conversations"]]
                assert found == ([] if one.state.deleted else [one.id]), (word, one)
