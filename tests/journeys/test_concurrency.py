"""Thirty-two clients on the same conversations: nothing acknowledged is lost, no number given twice, all counts right.

One server process on SQLite, three on PostgreSQL.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from deskhand.db.database import SQLITE_FILE, open_database
from deskhand.db.engine import Database
from deskhand.db.migrate import sqlalchemy_url, upgrade
from deskhand.desk.checking import counters, tags
from deskhand.lib.clock import SystemClock
from tests import postgresql
from tests.journeys.servers import Server
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique

CLIENTS = 32
DEEP = bool(os.environ.get("DESKHAND_TEST_DEEP"))
STEPS = 120 if DEEP else 24
SHARED = 8
STATUSES = ("active", "pending", "closed", "spam")
TAGS = ("vip", "refund", "late", "bug", "beta")


@dataclass(frozen=True)
class Place:
    """An account, the servers that all serve it, and what the clients share."""

    desk: Desk
    database: Database
    urls: Sequence[str]
    inboxes: tuple[int, int]
    users: tuple[int, ...]
    shared: tuple[int, ...]

    def seen_from(self, url: str) -> Desk:
        """The account as another server shows it, over connections of its own."""
        server = cast(LiveServer, SimpleNamespace(url=url, clock=self.desk.server.clock, app=self.desk.server.app))
        return replace(self.desk, server=server, http=requests.Session())


@dataclass
class Done:
    """What a client knows to have happened."""

    notes: list[tuple[int, str]] = field(default_factory=list)
    created: list[int] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, url = tmp_path_factory.mktemp("concurrency"), ""
    if request.param == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("concurrency"))
    upgrade(sqlalchemy_url(url, folder / SQLITE_FILE))
    servers = [Server(folder, url) for _ in range(3 if url else 1)]
    for server in servers:
        server.start()
    database = open_database(url, folder)
    try:
        yield furnished(database, [server.url for server in servers])
    finally:
        database.close()
        for server in servers:
            server.close()


def furnished(database: Database, urls: Sequence[str]) -> Place:
    app = SimpleNamespace(database=database)
    server = cast(LiveServer, SimpleNamespace(url=urls[0], clock=SystemClock(), app=app))
    desk = open_desk(server)
    inboxes = desk.add_inbox("One"), desk.add_inbox("Two")
    users = tuple(desk.add_user(name, inboxes=inboxes) for name in ("Ines", "Lea", "Tom"))
    shared = tuple(create(desk, inboxes[0], f"shared {n}") for n in range(SHARED))
    return Place(desk, database, urls, inboxes, users, shared)


def create(desk: Desk, inbox: int, subject: str) -> int:
    customer = {"email": f"{subject.split()[0]}@buyer.example"}
    body = {
        "subject": subject, "type": "email", "mailboxId": inbox, "status": "active", "customer": customer,
        "threads": [{"type": "customer", "text": "Hello", "customer": customer}],
    }  # fmt: skip
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])


def at_once(place: Place, work: Any) -> list[Any]:
    """Let every client do its work, all of them together, spread over the servers."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        desks = [place.seen_from(place.urls[n % len(place.urls)]) for n in range(CLIENTS)]
        return list(pool.map(work, range(CLIENTS), desks))


def test_whatever_is_done_at_once_nothing_is_lost_and_every_count_is_right(place: Place) -> None:
    def work(number: int, desk: Desk) -> Done:
        rng, done = random.Random(number), Done()
        for step in range(STEPS):
            one_step(place, desk, rng, done, f"client {number} step {step}")
        return done

    all_done = at_once(place, work)

    numbers = [row["number"] for row in listed(place.desk)]
    assert len(numbers) == len(set(numbers))
    created = [id for done in all_done for id in done.created]
    assert len(created) == len(set(created))
    gone = {id for done in all_done for id in done.deleted}
    assert {row["id"] for row in listed(place.desk)} == (set(created) | set(place.shared)) - gone
    for id in place.shared:
        texts = Counter(
            thread["body"] for page in pages(place.desk, f"/v2/conversations/{id}/threads", "threads")
            for thread in page if thread["type"] == "note"
        )  # fmt: skip
        assert texts == Counter(text for done in all_done for where, text in done.notes if where == id)
    all_is_counted(place.database)


def one_step(place: Place, desk: Desk, rng: random.Random, done: Done, text: str) -> None:
    id = rng.choice(place.shared)
    path = f"/v2/conversations/{id}"
    draw = rng.random()
    if draw < 0.12:
        answer = desk.post(f"{path}/notes", {"text": text})
        if answer.status_code == 201:
            done.notes.append((id, text))
        else:
            assert answer.status_code == 412, answer.text  # a hundred threads are the most
        return
    if draw < 0.25:
        done.created.append(create(desk, rng.choice(place.inboxes), f"{rng.choice('abcdefgh')} asks"))
        return
    if draw < 0.3 and done.created:
        gone = done.created[rng.randrange(len(done.created))]
        if gone not in done.deleted:
            done.deleted.append(gone)
            assert desk.delete(f"/v2/conversations/{gone}").status_code == 204
        return
    if draw < 0.55:
        answer = desk.put(f"{path}/tags", {"tags": rng.sample(TAGS, rng.randrange(4))})
    elif draw < 0.7:
        answer = desk.patch(path, {"op": "replace", "path": "/status", "value": rng.choice(STATUSES)})
    elif draw < 0.85:
        answer = desk.patch(path, {"op": "replace", "path": "/assignTo", "value": rng.choice(place.users)})
    elif draw < 0.95:
        answer = desk.patch(path, {"op": "move", "path": "/mailboxId", "value": rng.choice(place.inboxes)})
    else:
        answer = desk.get("/v2/conversations", status="all", embed="threads")
    assert answer.status_code in (200, 204), (answer.status_code, answer.text)


def test_changes_of_different_fields_at_once_all_stay(place: Place) -> None:
    """Each round, every client changes one field of one conversation; no change may undo another."""
    ids = [create(place.desk, place.inboxes[0], f"round {n}") for n in range(CLIENTS // 4)]

    def work(number: int, desk: Desk) -> None:
        path = f"/v2/conversations/{ids[number // 4]}"
        for step in range(8):
            last = step == 7
            match number % 4:
                case 0:
                    answer = desk.patch(path, {"op": "replace", "path": "/subject", "value": f"subject {step}"})
                case 1:
                    value = "pending" if last else STATUSES[step % 3]
                    answer = desk.patch(path, {"op": "replace", "path": "/status", "value": value})
                case 2:
                    owner = place.users[2 if last else step % 2]
                    answer = desk.patch(path, {"op": "replace", "path": "/assignTo", "value": owner})
                case _:
                    answer = desk.put(f"{path}/tags", {"tags": ["last"] if last else [TAGS[step % 5]]})
            assert answer.status_code == 204, answer.text

    at_once(place, work)

    for id in ids:
        shown = place.desk.get(f"/v2/conversations/{id}").json()
        assert (shown["subject"], shown["status"], shown["assignee"]["id"], [tag["tag"] for tag in shown["tags"]]) == (
            "subject 7", "pending", place.users[2], ["last"],
        )  # fmt: skip
    all_is_counted(place.database)


def test_one_new_address_written_from_everywhere_is_one_customer(place: Place) -> None:
    at_once(place, lambda number, desk: create(desk, place.inboxes[number % 2], "everyone asks at once"))

    found = place.desk.get("/v2/customers", query='(email:"everyone@buyer.example")').json()
    assert found["page"]["totalElements"] == 1
    all_is_counted(place.database)


def listed(desk: Desk) -> list[Any]:
    return [row for page in pages(desk, "/v2/conversations", "conversations", status="all") for row in page]


def pages(desk: Desk, path: str, key: str, **params: Any) -> Iterator[list[Any]]:
    number = 1
    while True:
        content = desk.get(path, page=number, **params).json()
        yield content["_embedded"][key]
        if number >= content["page"]["totalPages"]:
            return
        number += 1


def all_is_counted(database: Database) -> None:
    found = [*database.read_now(counters.check, "slow"), database.read_now(tags.check, "slow")]
    assert [finding for finding in found if not finding.ok] == []
