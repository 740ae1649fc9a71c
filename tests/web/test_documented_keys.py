"""docs/inbox.md names every key that the inbox has, and no other letter."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "src" / "deskhand" / "web" / "templates"
OTHERWISE = {"Shift", "Enter", "Esc", "Ctrl", "↓", "↑"}
"""Keys of the table that scripts listen to by themselves."""


def test_the_table_of_keys_is_that_of_the_code() -> None:
    table = (ROOT / "docs" / "inbox.md").read_text().partition("## Keys")[2].partition("##")[0]
    told = {key for line in re.findall(r"^\| (`.*?) \|", table, re.M) for one in re.findall(r"`([^`]+)`", line)
            for key in one.split()}  # fmt: skip
    parts = [
        "frame.html",
        "inbox/list.html",
        "inbox/list_keys.html",
        "conversation/show.html",
        "conversation/menus.html",
    ]
    text = "".join((TEMPLATES / part).read_text() for part in [*parts, "writing/panel.html"])
    keys = set(re.findall(r'data-key="([^"{ ])"', text)) | set(re.findall(r'\("(\S)", "[a-z]', text))
    assert {key.upper() for key in keys} == told - OTHERWISE
