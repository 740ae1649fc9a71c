"""Counting anew finds what is wrong with the counters, says it in words and sets it right."""

from __future__ import annotations

from deskhand.desk.checking import counters
from deskhand.desk.checking.finding import Finding
from deskhand.desk.counters import counter
from deskhand.desk.inboxes.folders import Folder, folder_id
from tests.desk.checking.conftest import Change
from tests.world import Desk


def check(desk: Desk) -> dict[str, Finding]:
    found = desk.server.app.database.read_now(counters.check)
    return {finding.name.removeprefix("counters: "): finding for finding in found}


def test_what_the_api_keeps_is_right(full: Desk):
    found = check(full)
    assert list(found) == ["status", "folder", "folder_active", "owner", "owner_active", "tag"]
    assert all(finding.ok and not finding.differences for finding in found.values())


def test_a_counter_that_is_too_high_is_told_in_words_and_set_right(full: Desk, change: Change):
    change(counter.update().where(counter.c.kind == "status", counter.c.key == 3).values(n=counter.c.n + 40))
    found = check(full)
    assert [name for name, finding in found.items() if not finding.ok] == ["status"]
    assert found["status"].text == "2 counters wrong"
    words = "conversations with status closed in inbox 501 of account 1: the counter says 42, there are 2"
    assert found["status"].differences[0] == words
    assert full.write(counters.repair) == 2
    assert check(full)["status"].ok


def test_counters_that_are_missing_or_should_not_be_there_are_found(full: Desk, change: Change):
    tag = counter.c.kind == "tag"
    change(counter.delete().where(tag))
    stray = {"account_id": 1, "kind": "owner_active", "key": 77, "inbox_id": 501, "n": 3}
    change(counter.insert().values(**stray))
    drafts = {"account_id": 1, "kind": "folder_active", "key": folder_id(501, Folder.DRAFTS), "inbox_id": 501, "n": -1}
    change(counter.insert().values(**drafts))
    found = check(full)
    assert {name for name, finding in found.items() if not finding.ok} == {"tag", "owner_active", "folder_active"}
    assert found["tag"].text == "4 counters wrong"
    assert found["owner_active"].differences == (
        "active conversations of user or team 77 in inbox 501 of account 1: the counter says 3, there are 0",
    )
    assert found["folder_active"].differences == (
        "active conversations in folder Drafts in inbox 501 of account 1: the counter says -1, there are 0",
    )
    assert full.write(counters.repair) == 6
    assert all(finding.ok for finding in check(full).values())
    assert full.write(counters.repair) == 0
