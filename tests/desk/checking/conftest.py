"""A desk of its own on each database, with conversations of all kinds made through the API."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.db.statements import command
from tests import postgresql
from tests.live import LiveServer
from tests.world import Desk, open_desk, unique

Change = Callable[[sa.Executable], None]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Conversations with every status, owners, tags and a file; nothing is wrong with them."""
    url = ""
    if request.param == "postgresql":
        url = postgresql.create_database(request.getfixturevalue("postgresql_server"), unique("checking"))
    live = LiveServer(tmp_path_factory.mktemp("checking"), url)
    desk = open_desk(live)
    inboxes = [desk.add_inbox("Support"), desk.add_inbox("Sales")]
    owner = desk.add_user("Ines", role="admin")
    for inbox_id in inboxes:
        for status in ("active", "pending", "closed"):
            start(desk, inbox_id, status=status)
            start(desk, inbox_id, status=status, assignTo=owner, tags=["urgent", "refund"])
    start(desk, inboxes[0], status="active", tags=["urgent"])
    yield desk
    live.stop()


@pytest.fixture
def change(full: Desk) -> Change:
    """Changes rows behind everybody's back."""

    def run(statement: sa.Executable) -> None:
        full.write(lambda tx: tx.run(command(statement, keep=False)))

    return run


def start(desk: Desk, inbox_id: int, **conversation: Any) -> int:
    file = {"fileName": "a.txt", "mimeType": "text/plain", "data": base64.b64encode(b"the same for all").decode()}
    thread = {"type": "customer", "customer": {"email": "vera@shop.example"}, "text": "Hello", "attachments": [file]}
    body = {
        "subject": "Where is it?",
        "type": "email",
        "mailboxId": inbox_id,
        "customer": {"email": "vera@shop.example"},
        "threads": [thread],
        **conversation,
    }
    answer = desk.post("/v2/conversations", body)
    assert answer.status_code == 201, answer.text
    return int(answer.headers["Resource-ID"])
