"""How many statements a page takes: on PostgreSQL each is a way to another process and back."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

import deskhand.db.remembered
from deskhand.desk.inboxes.folders import Folder, folder_id
from tests import postgresql
from tests.desk.conversations.builders import reply, start
from tests.live import LiveServer
from tests.web.people import Person, add_conversation, signed_in
from tests.world import Desk, open_desk, unique

FOLDER, CONVERSATION = 11, 22
TOTAL, FILES = 1, 1
"""What a list takes beside that which has more than a page, and a conversation with files."""
FILE = {"fileName": "a.txt", "mimeType": "text/plain", "data": base64.b64encode(b"a").decode()}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def counted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk on a server without a worker, whose statements would be counted too."""
    url = ""
    if request.param == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("counted"))
    live = LiveServer(tmp_path_factory.mktemp("counted"), url, worker="separate")
    yield open_desk(live)
    live.stop()


def statements(desk: Desk, me: Person, path: str) -> int:
    """How many a page takes, once what changes rarely is known."""

    def ran() -> int:
        return sum(session.ran for lane in desk.server.app.database.lanes.values() for session in lane.sessions)

    me.page(path)
    before = ran()
    me.page(path)
    return ran() - before


def test_pages_take_few_statements_however_much_there_is(counted: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deskhand.db.remembered, "LASTS_S", 3600.0)
    desk, me = counted, signed_in(counted)
    inbox_id = desk.add_inbox()
    folder = f"/folder/{folder_id(inbox_id, Folder.UNASSIGNED)}"
    id = add_conversation(desk, inbox_id)
    assert statements(desk, me, folder) == FOLDER
    for path in (f"/conversation/{id}", f"/conversation/{id}?from={folder}"):
        assert statements(desk, me, path) == CONVERSATION

    desk.add_field(inbox_id, unique("Order"), "number")
    for n in range(51):
        start(desk, inbox_id, tags=[f"tag {n}"])
        desk.add_inbox()
        desk.add_team(unique("Team"))
    for _ in range(12):
        reply(desk, id, attachments=[FILE])
    assert statements(desk, me, folder) == FOLDER + TOTAL
    assert statements(desk, me, f"/conversation/{id}?from={folder}") == CONVERSATION + FILES
