"""Tags that are shown and tags by which conversations are found must be the same."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from deskhand.desk.checking import tags
from deskhand.desk.checking.finding import Finding
from deskhand.desk.conversations.tables import conversation, conversation_tag
from tests.desk.checking.conftest import Change
from tests.world import Desk


@pytest.fixture(autouse=True)
def in_order_afterwards(full: Desk) -> object:
    yield
    full.write(tags.repair)


def check(desk: Desk) -> Finding:
    return desk.server.app.database.read_now(tags.check)


def first_tagged() -> sa.ScalarSelect[int]:
    return sa.select(sa.func.min(conversation.c.id)).where(conversation.c.tags != "[]").scalar_subquery()


def test_what_the_api_keeps_is_right(full: Desk):
    assert check(full) == Finding("tags", True, "right")


@pytest.mark.parametrize("batch", [1, 2, tags.BATCH])
def test_a_tag_by_which_a_conversation_is_no_longer_found_comes_back(
    full: Desk, change: Change, monkeypatch: pytest.MonkeyPatch, batch: int
):
    monkeypatch.setattr(tags, "BATCH", batch)
    change(conversation_tag.delete().where(conversation_tag.c.conversation_id == first_tagged()))
    found = check(full)
    assert (found.ok, found.text) == (False, "1 conversation shown with other tags than found by")
    assert found.differences[0].endswith("it shows the tags 301, 302, it is found by none")
    assert full.write(tags.repair) == 1
    assert check(full).ok


def test_a_conversation_found_by_a_tag_it_does_not_show_is_found_by_it_no_longer(full: Desk, change: Change):
    untagged = sa.select(sa.func.min(conversation.c.id)).where(conversation.c.tags == "[]").scalar_subquery()
    change(conversation_tag.insert().values(account_id=1, conversation_id=untagged, tag_id=302))
    found = check(full)
    assert found.differences[0].endswith("it shows the tags none, it is found by 302")
    full.write(tags.repair)
    assert check(full).ok


def test_tags_of_conversations_that_are_gone_are_removed(full: Desk, change: Change):
    change(conversation_tag.insert().values(account_id=1, conversation_id=1, tag_id=302))
    assert check(full).text == "1 tag of conversations that are not there"
    assert full.write(tags.repair) == 1
    assert check(full).ok
