"""Old records can be removed, and what is left still proves itself."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from deskhand.gateway import retention
from deskhand.gateway.audit import By
from deskhand.gateway.retention import Broken, Removed, Retention, Upkeep, retain_now
from deskhand.gateway.verifying import Point
from tests.gateway.audited import Audited, another_account, assert_chained, faults, lines_faults

DAYS = 30


def retain(log: Audited, days: int = DAYS) -> Removed:
    by = By("command_line")
    return retain_now(log.database, Retention(log.audit(), log.key, log.clock, log.account_id, days, by))


@pytest.fixture
def log(log: Audited) -> Audited:
    """Six records of 40 days ago and four of today."""
    log.add(*(log.entry(reason=f"old {n}") for n in range(3)))
    log.clock.advance(timedelta(days=40))
    log.add(*(log.entry(reason=f"new {n}") for n in range(2)))
    return log


def test_old_records_go_and_a_signed_checkpoint_stands_in_their_place(log: Audited):
    before = log.records()
    gone = before[:7]  # the third call's records let a checkpoint fall due
    assert retain(log) == Removed(6, 6)
    base, *rest = log.records()
    assert (base["type"], base["why"], base["number"]) == ("checkpoint", "retention", 6)
    assert (base["removed_through"], base["removed_hash"]) == (6, gone[5]["hash"])
    assert base["removed_until"] == gone[5]["at"]
    assert_chained([base])
    assert rest[: len(before) - 6] == before[6:]
    assert_chained(rest, previous=gone[5]["hash"])
    change = rest[-1]
    assert change["sentence"] == "Audit records older than 30 days were removed"
    assert change["actor"] == {"type": "command_line", "id": None}


def test_what_is_left_verifies_here_and_in_an_export(log: Audited):
    retain(log)
    result = log.verify(keys=[log.key.public])
    assert (result.ok, result.first) == (True, 6)
    assert lines_faults(log.export(), keys=[log.key.public]) == []
    log.add(log.entry())
    assert log.verify().ok


def test_nothing_old_nothing_removed(log: Audited):
    assert retain(log, days=50) == Removed(0, None)
    records = log.records()
    retain(log)
    assert retain(log) == Removed(0, None)  # twice is as good as once
    assert len(log.records()) == len(records) - 6 + 2


def test_it_may_be_done_again_and_again_until_nothing_but_the_end_is_left(log: Audited):
    for _ in range(3):
        retain(log)
        log.clock.advance(timedelta(days=40))
        assert log.verify().ok
        assert lines_faults(log.export()) == []
    log.add(log.entry())
    assert log.verify().ok
    assert another_account(log).verify().ok


def test_many_records_go_step_by_step_and_each_leaves_a_whole_chain(log: Audited, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "STEP", 2)
    step = Retention(log.audit(), log.key, log.clock, log.account_id, DAYS, None)
    for through in (2, 4, 6):
        assert log.database.write_now(step.step) is True
        assert log.verify().ok
        assert log.records()[0]["removed_through"] == through
    assert log.database.write_now(step.step) is False
    assert step.removed == Removed(6, 6)
    assert [record["type"] for record in log.records()].count("admin") == 1


def test_the_point_where_records_were_removed_may_be_what_somebody_noted(log: Audited):
    noted = log.records()[5]
    retain(log)
    assert log.verify(head=Point(6, noted["hash"])).ok
    assert not log.verify(head=Point(5, noted["previous_hash"])).ok  # it is gone


def test_records_that_were_tampered_with_are_not_removed(log: Audited):
    log.change(2, hash="0" * 64)
    with pytest.raises(Broken, match="record 2: its content does not match its hash"):
        retain(log)
    assert len(log.records()) == 11


def test_a_beginning_that_was_cut_off_or_made_up_is_found(log: Audited):
    retain(log)
    base = log.records()[0]
    export = log.export()
    assert faults_of(export[1:]) == [(7, "records 1 to 6 are missing before it")]
    for changed in ({"removed_hash": "0" * 64}, {"removed_through": 5}, {"removed_until": "2020-01-01T00:00:00Z"}):
        forged = json.dumps(base | changed).encode()
        assert faults_of([forged, *export[1:]])
    log.remove(6)
    assert faults(log.verify())[0] == (7, "records 1 to 6 are missing before it")


def faults_of(lines: list[bytes]) -> list[tuple[int, str]]:
    return lines_faults(lines)


def test_a_checkpoint_of_a_removal_can_not_stand_elsewhere(log: Audited):
    retain(log)
    base, *rest = log.export()
    moved = lines_faults([*rest[:2], base, *rest[2:]])
    assert (6, "it stands behind record 8") in moved


# -- By itself


def test_a_server_removes_and_signs_what_is_due(log: Audited):
    upkeep = Upkeep(log.database, log.audit(), log.key, log.clock, days=DAYS)
    for _ in range(2):
        asyncio.run(upkeep.once())
    records: list[dict[str, Any]] = log.records()
    assert records[0]["why"] == "retention"
    assert [record["actor"] for record in records if record["type"] == "admin"] == [None]
    log.clock.advance(timedelta(hours=2))
    asyncio.run(upkeep.once())
    assert log.records()[-1]["why"] == "regular"
    count = len(log.records())
    log.clock.advance(timedelta(hours=2))
    asyncio.run(upkeep.once())
    assert len(log.records()) == count  # there is nothing new to sign
    assert log.verify().ok


def test_a_chain_that_was_tampered_with_holds_up_no_others(log: Audited, caplog: pytest.LogCaptureFixture):
    first, second = another_account(log), another_account(log)
    for each in (first, second):
        each.clock = log.clock
        each.add(each.entry())
    first.change(1, decision="allowed")
    log.clock.advance(timedelta(days=DAYS + 1))
    asyncio.run(Upkeep(log.database, log.audit(), log.key, log.clock, days=DAYS).once())
    assert f"account {first.account_id} can't be looked after: record 1" in caplog.text
    assert first.records()[0]["number"] == 1
    assert second.records()[0]["why"] == "retention"


def test_without_a_number_of_days_all_is_kept(log: Audited):
    asyncio.run(Upkeep(log.database, log.audit(), log.key, log.clock).once())
    assert log.records()[0]["number"] == 1
