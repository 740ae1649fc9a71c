"""Who is named in a note."""

from __future__ import annotations

import pytest

from deskhand.desk.conversations.drafts.mentions import Colleague, named

KNOWN = [
    Colleague(2, "user", "Lea", "Storm", "user", None),
    Colleague(3, "user", "Lea", "Stormsen", "user", None),
    Colleague(4, "user", "Änne", "", "user", None),
    Colleague(5, "team", "Tier Two", "", "user", None),
    Colleague(6, "user", "Bo", "Ek", "user", None),
]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("@Lea Storm, look", [2]),
        ("@Lea Stormsen: look", [3]),
        ("(@lea storm) and @TIER two", [2, 5]),
        ("@Bo @Bo Ek @bo", [6]),
        ("@Lea", []),
        ("@ÄNNE", [4]),
        ("lea@storm.example @", []),
        ("@Bob", []),
        ("no @ at all", []),
        ("mail bo@Bo Ek", []),
    ],
)
def test_names_are_found_whole_and_the_longest_first(text: str, who: list[int]) -> None:
    assert named(text, KNOWN) == who
