"""The mails that threads came by."""

from __future__ import annotations

import pytest

from deskhand.desk.conversations.threads.sources import as_text
from deskhand.lib.blobs import BlobStore
from tests.desk.conversations.builders import read, start, threads
from tests.desk.conversations.received import received
from tests.world import Desk

MAIL = b"Message-ID: <1@buyer.example>\r\nSubject: Lamp\r\n\r\nIt flickers.\r\n"


def test_a_mail_is_given_as_it_was_received(desk: Desk) -> None:
    id = start(desk, desk.add_inbox())
    thread_id = threads(desk, id)[0].id
    received(desk, id, thread_id, MAIL)
    path = f"/v2/conversations/{id}/threads/{thread_id}/original-source"
    assert desk.get(path).json() == {"original": MAIL.decode()}
    assert desk.request("GET", path, headers={"Accept": "message/rfc822"}).content == MAIL
    assert "original" not in str(read(desk, id, embed="threads"))


@pytest.mark.parametrize("direction", ["out", "in"])
def test_a_mail_that_left_or_is_kept_no_more_has_no_source(desk: Desk, direction: str) -> None:
    id = start(desk, desk.add_inbox())
    thread_id = threads(desk, id)[0].id
    sha256 = received(desk, id, thread_id, MAIL + direction.encode(), direction=direction)
    if direction == "in":
        BlobStore(desk.server.app.settings.data_dir / "blobs").path(sha256).unlink()
    assert desk.get(f"/v2/conversations/{id}/threads/{thread_id}/original-source").status_code == 404


def test_bytes_that_are_no_utf_8_are_not_lost() -> None:
    assert as_text("Grüße".encode()) == "Grüße"
    assert as_text("Grüße".encode("latin-1")) == "Grüße"
