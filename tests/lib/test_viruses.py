"""The file that virus scanners are tried with is told from all others."""

from __future__ import annotations

import pytest

from deskhand.lib.viruses import is_virus
from tests.viruses import TEST_FILE


@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n", b" \t\r\n\x1a"])
def test_the_test_file_is_known_with_white_space_behind_it(tail: bytes) -> None:
    assert is_virus(TEST_FILE + tail)


@pytest.mark.parametrize("data", [b"", b"hello", b" " + TEST_FILE, TEST_FILE + b"x", TEST_FILE + b" " * 100])
def test_anything_else_is_not(data: bytes) -> None:
    assert not is_virus(data)
