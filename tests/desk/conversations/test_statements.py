"""How many statements a call takes: as many for 25 rows as for 3, and no list reads what threads say."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from deskhand.db.engine import Session
from deskhand.db.postgresql import PostgresSession
from deskhand.db.sqlite import SqliteSession
from deskhand.desk import access
from deskhand.oauth import bearer
from tests import postgresql
from tests.desk.conversations.builders import created, given, reply, start, wrote
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique

FILE = {"fileName": "a.txt", "mimeType": "text/plain", "data": base64.b64encode(b"a").decode()}


class Ran:
    """The statements of one call: their number by the sessions' own count, and the text of those that gave rows."""

    def __init__(self) -> None:
        self.count = 0
        self.texts: list[str] = []


@dataclass
class Filled:
    """An account with so many of everything."""

    desk: Desk
    inbox_id: int
    ids: list[int]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server without a worker, whose statements would be counted too."""
    url = ""
    if request.param == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("counted"))
    live = LiveServer(tmp_path_factory.mktemp("counted"), url, worker="separate")
    yield live
    live.stop()


@pytest.fixture(scope="module")
def small(server: LiveServer) -> Filled:
    return filled(server, 3)


@pytest.fixture(scope="module")
def large(server: LiveServer) -> Filled:
    """More than a page of everything."""
    return filled(server, 51)


def filled(server: LiveServer, count: int) -> Filled:
    desk = open_desk(server)
    inbox_id = desk.add_inbox()
    ids = fill(desk, inbox_id, count)
    for _ in range(count):
        reply(desk, ids[0], attachments=[FILE])
        desk.add_inbox()
        desk.add_team(unique("Team"))
    return Filled(desk, inbox_id, ids)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch, server: LiveServer) -> Callable[[], Any]:
    """Watches what the application's lanes run inside a `with` block."""
    monkeypatch.setattr(bearer, "REMEMBER_S", 3600)
    texts: list[str] = []

    def remembering(kind: type[Any], name: str) -> None:
        plain = getattr(kind, name)

        def run(session: Session, text: str, values: Any) -> Any:
            # The other database's server has a worker that looks for work meanwhile.
            if any(session in lane.sessions for lane in server.app.database.lanes.values()):
                texts.append(text)
            return plain(session, text, values)

        monkeypatch.setattr(kind, name, run)

    for kind in (SqliteSession, PostgresSession):
        for name in ("_fetch_text", "_execute", "_execute_many"):
            remembering(kind, name)

    def total() -> int:
        lanes = server.app.database.lanes.values()
        return sum(session.ran for lane in lanes for session in lane.sessions)

    @contextmanager
    def block() -> Iterator[Ran]:
        ran, before = Ran(), total()
        texts.clear()
        yield ran
        ran.count, ran.texts = total() - before, list(texts)
        assert ran.count == len(texts), texts

    return block


def fill(desk: Desk, inbox_id: int, count: int) -> list[int]:
    """Conversations with all that could cost a statement each: people, threads, files, tags, fields, owners."""
    field_id = desk.add_field(inbox_id, unique("Order"), "number")
    ids = []
    for n in range(count):
        threads = [wrote(attachments=[FILE]), {"type": "reply", "text": "…", "cc": ["x@buyer.example"]}]
        body = given(
            inbox_id,
            threads=threads,
            tags=[f"tag {n}", "vip"],
            fields=[{"id": field_id, "value": str(n)}],
            assignTo=desk.add_user(inboxes=(inbox_id,)) if n % 2 else desk.user_id,
            user=desk.add_user(),
        )
        ids.append(created(desk.post("/v2/conversations", body)))
    return ids


def measured(watch: Callable[[], Any], desk: Desk, call: Callable[[], requests.Response]) -> Ran:
    ran: Ran
    desk.server.app.database.versions[access.STALE] += 1
    assert desk.get("/v2/users/me").ok  # from here on the caller is known for long
    with watch() as ran:
        answer = call()
    assert answer.ok, answer.text
    return ran


# Lists: how many statements they take for 3 rows and for more than a page. A full page has to be counted.
LISTS: dict[str, tuple[int, int, str, dict[str, Any]]] = {
    "conversations": (1, 1, "/v2/conversations", {}),
    "of all statuses": (2, 2, "/v2/conversations", {"status": "all", "sortField": "waitingSince"}),
    "of an inbox": (1, 1, "/v2/conversations", {"mailbox": "{inbox}"}),
    "of a folder": (1, 2, "/v2/conversations", {"folder": "{inbox}5"}),
    "by tag and owner": (1, 2, "/v2/conversations", {"tag": "vip", "assigned_to": "{user}"}),
    "by search": (2, 2, "/v2/conversations", {"query": "(body:flickers)"}),
    "with threads": (3, 3, "/v2/conversations", {"embed": "threads"}),
    "threads": (3, 4, "/v2/conversations/{id}/threads", {}),
    "customers": (3, 4, "/v2/customers", {}),
    "customers of an inbox": (3, 4, "/v2/customers", {"mailbox": "{inbox}"}),
    "inboxes": (2, 2, "/v2/mailboxes", {}),
    "fields": (2, 2, "/v2/mailboxes/{inbox}/fields", {}),
    "folders": (5, 5, "/v2/mailboxes/{inbox}/folders", {}),
    "tags": (2, 2, "/v2/tags", {}),
    "users": (2, 2, "/v2/users", {}),
    "teams": (2, 2, "/v2/teams", {}),
}


@pytest.mark.parametrize(("of_few", "of_many", "path", "query"), LISTS.values(), ids=LISTS)
def test_a_list_takes_no_more_statements_for_many_rows(
    small: Filled, large: Filled, watch: Callable[[], Any], of_few: int, of_many: int, path: str, query: dict[str, Any]
) -> None:
    few = measured(watch, small.desk, lambda: get(small, path, query))
    many = measured(watch, large.desk, lambda: get(large, path, query))
    assert (few.count, many.count) == (of_few, of_many), many.texts
    if "threads" not in path and "embed" not in query:
        for text in few.texts + many.texts:
            assert "body" not in text, text


def get(account: Filled, path: str, query: dict[str, Any]) -> requests.Response:
    names = {"inbox": account.inbox_id, "user": account.desk.user_id, "id": account.ids[0]}
    asked = {name: text.format(**names) for name, text in query.items()}
    return account.desk.get(path.format(**names), **asked)


READS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "a conversation": (1, "/v2/conversations/{id}", {}),
    "with its threads": (3, "/v2/conversations/{id}", {"embed": "threads"}),
    "a customer": (3, "/v2/customers/{customer}", {}),
    "an inbox": (1, "/v2/mailboxes/{inbox}", {}),
    "a tag": (1, "/v2/tags/{tag}", {}),
    "a user": (1, "/v2/users/{user}", {}),
}


@pytest.mark.parametrize(("exactly", "path", "query"), READS.values(), ids=READS)
def test_a_read_takes_as_many_statements_whatever_is_in_it(
    desk: Desk, watch: Callable[[], Any], exactly: int, path: str, query: dict[str, Any]
) -> None:
    inbox_id = desk.add_inbox()
    (id,) = fill(desk, inbox_id, 1)
    shown = desk.get(f"/v2/conversations/{id}").json()
    names = {
        "id": id, "inbox": inbox_id, "customer": shown["primaryCustomer"]["id"], "tag": shown["tags"][0]["id"],
        "user": desk.user_id,
    }  # fmt: skip
    few = measured(watch, desk, lambda: desk.get(path.format(**names), **query))
    for _ in range(25):
        reply(desk, id, attachments=[FILE])
    fill(desk, inbox_id, 3)
    many = measured(watch, desk, lambda: desk.get(path.format(**names), **query))
    assert (few.count, many.count) == (exactly, exactly), many.texts


def writes(desk: Desk, inbox_id: int) -> dict[str, tuple[int, Callable[[int], requests.Response]]]:
    """Writes of a conversation and how many statements each takes; BEGIN, COMMIT and all counters are one each."""
    path = "/v2/conversations/{}"
    customer = {"id": desk.get("/v2/customers").json()["_embedded"]["customers"][0]["id"]}

    def create(_: int) -> requests.Response:
        threads = [wrote(), {"type": "reply", "text": "Soon."}, {"type": "note", "text": "Look."}]
        return desk.post("/v2/conversations", given(inbox_id, customer=customer, threads=threads, tags=["vip"]))

    return {
        "reply": (15, lambda id: desk.post(path.format(id) + "/reply", {"text": "Soon.", "customer": customer})),
        "note": (7, lambda id: desk.post(path.format(id) + "/notes", {"text": "Look."})),
        "create": (17, create),
        "status": (8, lambda id: desk.patch(path.format(id), {"op": "replace", "path": "/status", "value": "closed"})),
        "tags": (11, lambda id: desk.put(path.format(id) + "/tags", {"tags": ["vip", "other"]})),
        "delete": (30, lambda id: desk.delete(path.format(id))),
    }


@pytest.mark.parametrize("kind", ["reply", "note", "create", "status", "tags", "delete"])
def test_a_write_takes_as_many_statements_however_much_there_is(
    desk: Desk, watch: Callable[[], Any], kind: str
) -> None:
    inbox_id = desk.add_inbox()
    start(desk, inbox_id, tags=["vip", "other"])
    plain = start(desk, inbox_id, status="pending", threads=[wrote(attachments=[FILE])])
    exactly, write = writes(desk, inbox_id)[kind]
    exactly += bool(desk.server.app.settings.database_url)  # PostgreSQL tells the worker, which is elsewhere
    few = measured(watch, desk, lambda: write(plain))
    big = start(desk, inbox_id, status="pending", threads=[wrote(f"part {n}", attachments=[FILE]) for n in range(25)])
    fill(desk, inbox_id, 10)
    many = measured(watch, desk, lambda: write(big))
    assert (few.count, many.count) == (exactly, exactly), many.texts
    bodies = [text for text in many.texts if text.startswith("SELECT") and "thread.body" in text]
    assert [text for text in bodies if "thread_mail" not in text] == [], "only of replies that are about to leave"
