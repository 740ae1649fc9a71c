"""Which index each folder is read from: a page costs as much among a hundred thousand conversations as among fifty.

SQLite plans without statistics, so what it does here it does everywhere. PostgreSQL's plans depend on the rows, and
are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from deskhand.db.engine import Reader
from deskhand.db.sqlite import SqliteSession
from deskhand.desk.conversations.listing import finding
from deskhand.desk.conversations.listing.filters import Wanted
from deskhand.desk.conversations.listing.walking import End
from deskhand.desk.inboxes.folders import Folder, folder_id
from tests.live import LiveServer
from tests.world import open_desk

AT = "2026-01-01T00:00:00Z"
ORDERS = {
    "latest": ("modifiedAt", True, "ix_conversation_folder_modified"),
    "newest": ("createdAt", True, "ix_conversation_folder"),
    "oldest": ("createdAt", False, "ix_conversation_folder"),
    "waiting": ("waitingSince", False, "ix_conversation_folder_waiting"),
}


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("plans"))
    yield live
    live.stop()


@pytest.fixture
def plans(sqlite: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Reader], Any]], list[list[str]]]:
    """The plans of the statements on conversations that some work runs."""
    ran: list[tuple[SqliteSession, str, Any]] = []
    plain = SqliteSession._fetch_text

    def fetch(session: SqliteSession, text: str, values: Any) -> list[Any]:
        if "AS page JOIN conversation" in text:
            ran.append((session, f"EXPLAIN QUERY PLAN {text}", values))
        return plain(session, text, values)

    def of(work: Callable[[Reader], Any]) -> list[list[str]]:
        ran.clear()
        sqlite.app.database.read_now(work)
        return [[str(row[-1]) for row in plain(*one)] for one in ran]

    monkeypatch.setattr(SqliteSession, "_fetch_text", fetch)
    return of


@pytest.mark.parametrize("order", list(ORDERS))
@pytest.mark.parametrize("kind", [Folder.UNASSIGNED, Folder.MINE, Folder.ASSIGNED, Folder.CLOSED, Folder.SNOOZED])
def test_every_folder_is_read_from_an_index_in_its_order(
    sqlite: LiveServer, plans: Callable[[Callable[[Reader], Any]], list[list[str]]], kind: Folder, order: str
) -> None:
    desk = open_desk(sqlite)
    sort, descending, index = ORDERS[order]
    wanted = Wanted(
        desk.account_id, desk.user_id, None, "all", folder=folder_id(desk.add_inbox(), kind), sort=sort,
        descending=descending,
    )  # fmt: skip
    if kind is Folder.MINE:  # of what one person has there is never much to sort
        index = "ix_conversation_mine"

    def work(db: Reader) -> None:
        finding.find(db, wanted)
        finding.find(db, msgspec.structs.replace(wanted, page=2))
        finding.beside(db, wanted, End(AT, 5), 5)
        finding.beside(db, msgspec.structs.replace(wanted, descending=not descending), End(AT, 5), 5)

    found = plans(work)
    assert len(found) == 4
    for plan in found:
        chosen = plan[: next(at for at, line in enumerate(plan) if line.startswith("SCAN page"))]
        assert any(f"USING COVERING INDEX {index} " in line or f"USING INDEX {index} " in line for line in chosen), plan
        assert kind is Folder.MINE or not any("TEMP B-TREE" in line for line in chosen), plan


@pytest.mark.parametrize("sort", ["createdAt", "modifiedAt"])
def test_everything_is_read_from_an_index_in_its_order(
    sqlite: LiveServer, plans: Callable[[Callable[[Reader], Any]], list[list[str]]], sort: str
) -> None:
    desk = open_desk(sqlite)
    index = {"createdAt": "ix_conversation_created", "modifiedAt": "ix_conversation_modified"}[sort]
    wanted = Wanted(desk.account_id, desk.user_id, None, "all", sort=sort)
    (plan,) = plans(lambda db: finding.find(db, wanted))
    assert any(f"INDEX {index} " in line for line in plan)
    assert sum("TEMP B-TREE" in line for line in plan) == 1, "that of the page itself"
