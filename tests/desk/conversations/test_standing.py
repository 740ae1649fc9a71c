"""How a conversation stands, as a mark and read from it again."""

from __future__ import annotations

from deskhand.desk.conversations import standing
from deskhand.desk.conversations.standing import Standing


def test_a_mark_is_read_as_it_was_made() -> None:
    for stands in (Standing("active", 501, 0, 0), Standing("closed", 501, 41, 27_300_000_006)):
        assert standing.read(stands.mark) == stands


def test_a_mark_of_several_conversations_tells_of_none() -> None:
    assert standing.read("1f" * 16) is None
    assert standing.read("") is None
