"""What reports know of replies must be what the threads say."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from deskhand.db.migrations import reply_facts
from deskhand.desk.checking import replies
from deskhand.desk.checking.finding import Finding
from deskhand.desk.conversations.tables import conversation, thread, thread_mail
from deskhand.desk.loading import Batch
from deskhand.lib.clock import to_wire
from tests.desk.checking.conftest import Change
from tests.desk.reports.builders import add_row
from tests.world import Desk

CONVERSATIONS, FIRST = 300, 8_800_000_000


@pytest.fixture(scope="module")
def written(full: Desk) -> Desk:
    """Conversations in which customers and staff wrote at random, often in the same second."""
    batch, pick, began = Batch(), random.Random(1), datetime(2026, 5, 1, tzinfo=UTC)
    for id in range(FIRST, FIRST + CONVERSATIONS):
        add_row(
            batch, "conversation", id=id, account_id=full.account_id, number=id, status="active", cc="[]", bcc="[]",
            tags="[]", custom_fields="[]", created_at=to_wire(began),
        )  # fmt: skip
        for number in range(pick.randrange(9)):
            add_row(
                batch, "thread", id=id * 10 + number, account_id=full.account_id, conversation_id=id,
                type=pick.choice(("customer", "customer", "message", "message", "note", "lineitem")),
                state=pick.choice(("published",) * 5 + ("draft", "hidden")),
                created_by_type=pick.choice(("user", "user", "user", "customer")),
                created_at=to_wire(began + timedelta(seconds=pick.randrange(6))),
                source_type=pick.choice(("email", "api", "api", "workflows")),
            )  # fmt: skip
            if id % 3 == 0:
                add_row(
                    batch, "thread_mail", account_id=full.account_id, thread_id=id * 10 + number, conversation_id=id,
                    direction="in", state="received", automatic=number % 3,
                )  # fmt: skip
    full.write(batch.load)
    return full


@pytest.fixture(autouse=True)
def in_order_afterwards(full: Desk) -> Iterator[None]:
    yield
    full.write(replies.repair)


def check(desk: Desk) -> Finding:
    return desk.server.app.database.read_now(replies.check)


@pytest.mark.parametrize("batch", [7, replies.BATCH])
def test_what_was_loaded_or_kept_by_the_api_is_right(written: Desk, monkeypatch: pytest.MonkeyPatch, batch: int):
    monkeypatch.setattr(replies, "BATCH", batch)
    assert check(written) == Finding("replies", True, "right")


def test_what_is_wrong_is_told_in_words_and_set_right(written: Desk, change: Change):
    answered = FIRST
    change(conversation.update().where(conversation.c.id == answered).values(replies=77))
    message = sa.select(sa.func.max(thread.c.id)).where(thread.c.type == "message").scalar_subquery()
    change(thread.update().where(thread.c.id == message).values(waited_since="2026-01-01T00:00:00Z"))
    found = check(written)
    assert (found.ok, found.text) == (False, "2 conversations with other replies than reports count")
    assert found.differences[0].startswith(f"conversation {answered} of account {written.account_id}: there are ")
    assert found.differences[0].endswith("wrong threads: none")
    assert written.write(replies.repair) == 2
    assert check(written).ok


def test_the_migration_works_out_the_same(written: Desk, change: Change):
    """Before it no mail was known to be automatic."""
    change(thread_mail.update().values(automatic=0))
    written.write(replies.repair)
    change(thread.update().values(waited_since=None, first_reply=0))
    change(conversation.update().values(replies=0, first_reply_at=None))
    assert len(check(written).differences) > 100
    for statement in reply_facts.STATEMENTS:
        change(sa.text(statement))
    assert check(written) == Finding("replies", True, "right")
