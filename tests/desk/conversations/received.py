"""Threads that came by mail, as receiving a mail leaves them."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.statements import command
from deskhand.desk.conversations.tables import thread_mail
from deskhand.lib.blobs import BlobStore
from tests.world import Desk


def received(desk: Desk, conversation_id: int, thread_id: int, mail: bytes, *, direction: str = "in") -> str:
    """Keep the mail that a thread came by; gives its file's name."""
    stored = BlobStore(desk.server.app.settings.data_dir / "blobs").put(mail)
    row = {
        "account_id": desk.account_id,
        "thread_id": thread_id,
        "conversation_id": conversation_id,
        "direction": direction,
        "message_id": f"<{thread_id}@buyer.example>",
        "state": "received" if direction == "in" else "sent",
        "error": "",
        "at": desk.now,
        "source_sha256": stored.sha256,
    }
    desk.write(lambda tx: tx.run(command(sa.insert(thread_mail).values(row), keep=False)))
    return stored.sha256
