"""Entries are committed before a call is made, in one unbroken chain, whoever writes and whatever happens."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deskhand.db.engine import Database, Session, Writer
from deskhand.db.postgresql import open_postgresql
from deskhand.db.sqlite import SqliteSession, open_sqlite
from deskhand.gateway import chain
from deskhand.gateway.audit import Audit, AuditUnavailable, By, Named
from deskhand.gateway.verifying import Verification, read_page
from deskhand.lib.clock import SystemClock
from deskhand.lib.signing_keys import SigningKey
from tests.gateway.audited import TRIAGE, Audited, another_account, assert_chained, refusal

ROOT = Path(__file__).parents[2]


def test_a_call_is_two_records_of_one_chain(log: Audited):
    (number,) = log.add(log.entry())
    decision, completion = log.records()
    assert_chained([decision, completion])
    assert decision == {
        "type": "decision", "number": 1, "at": decision["at"], "previous_hash": "0" * 64, "hash": decision["hash"],
        "agent": {"id": 7, "name": "Triage"}, "door": "rest", "operation": "delete_conversation",
        "resource": "conversations", "action": "delete", "method": "DELETE", "path": "/v2/conversations/5123",
        "inbox_id": 501, "conversation_id": 5123, "conversation_number": 1874, "decision": "refused",
        "reason": "missing_grant", "rule": "deleting needs full",
        "sentence": "Triage was refused to delete conversation #1874 in Orders", "grant_version": 3,
        "arguments_hash": "ab" * 32, "approval_id": None,
    }  # fmt: skip
    assert completion == {
        "type": "completion", "number": 2, "at": completion["at"], "previous_hash": decision["hash"],
        "hash": completion["hash"], "of": number, "status": 403, "milliseconds": 3, "resource_id": None,
    }  # fmt: skip


def test_a_decision_is_there_for_everybody_once_it_has_a_number(log: Audited):
    async def work(audit: Audit) -> None:
        number = await audit.decided(log.entry())
        other = log.again()
        (record,) = other.read_now(lambda db: read_page(db, log.account_id, 0, 10), "slow")
        other.close()
        assert record.number == number

    log.run(work)


def test_each_account_has_a_chain_of_its_own(log: Audited):
    other = another_account(log)

    async def both(audit: Audit) -> list[int]:
        given = [each.entry(reason=str(n)) for n in range(20) for each in (log, other)]
        return await asyncio.gather(*map(audit.decided, given))

    numbers = log.run(both)
    assert sorted(numbers) == sorted([*range(1, 21), *range(1, 21)])
    for each in (log, other):
        assert_chained(each.records())
        assert [record["reason"] for record in each.records()] == [str(n) for n in range(20)]


def test_calls_that_come_together_share_transactions(log: Audited):
    transactions: list[int] = []

    async def work(audit: Audit) -> None:
        append = audit._append

        def counted(tx: Writer, batch: Sequence[Any]) -> list[int]:
            transactions.append(len(batch))
            return append(tx, batch)

        audit._append = counted  # type: ignore[method-assign]
        numbers = await asyncio.gather(*(audit.decided(log.entry()) for _ in range(500)))
        assert numbers == list(range(1, 501))
        for number in numbers:
            await audit.completed(log.account_id, number, 200, 1)

    log.run(work)
    assert sum(transactions) == 1000
    assert len(transactions) <= 4
    assert_chained(log.records())


def test_a_completion_waits_for_company_but_not_for_long(log: Audited):
    async def work(audit: Audit) -> None:
        number = await audit.decided(log.entry())
        await audit.completed(log.account_id, number, 200, 1)
        for _ in range(3_000):
            await asyncio.sleep(0.01)
            if len(log.records()) == 2:
                return
        raise AssertionError("it was never written")

    log.run(work)


def test_several_processes_append_to_one_chain(log: Audited):
    """Each thread has a database and a loop of its own, as a process has."""

    def appending() -> None:
        database = log.again()

        async def work() -> None:
            audit = Audit(database, SystemClock(), log.key)

            async def one() -> None:
                number = await audit.decided(log.entry())
                await audit.completed(log.account_id, number, 200, 1)

            for _ in range(10):
                await asyncio.gather(*(one() for _ in range(5)))
            await audit.settle()

        asyncio.run(work())
        database.close()

    threads = [threading.Thread(target=appending) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = log.verify()
    assert (result.ok, result.records) == (True, 400)
    assert_chained(log.records())


def test_a_caller_who_goes_away_leaves_its_entry(log: Audited):
    async def work(audit: Audit) -> None:
        task = asyncio.ensure_future(audit.decided(log.entry()))
        await asyncio.sleep(0)
        task.cancel()
        assert await audit.decided(log.entry()) == 2

    log.run(work)
    assert log.verify().records == 2


# -- What people and programs give


def test_texts_of_others_are_on_one_line(log: Audited):
    name = "Triage\n2026 Drafter was allowed\u202e\x1b[2J \ud800"
    log.add(log.entry(agent=Named(7, name), path="/v2/\r\nx" + "y" * 9_000, sentence="a\u2028b", rule="c\nd"))
    record = log.records()[0]
    assert record["agent"]["name"] == "Triage 2026 Drafter was allowed [2J"
    assert record["path"].startswith("/v2/ xyyy")
    assert len(record["path"]) == 500
    assert (record["sentence"], record["rule"]) == ("a b", "c d")


def test_ids_that_no_database_can_hold_stop_nobody(log: Audited):
    log.add(log.entry(conversation_id=10**40, inbox_id=2**63), log.entry())
    assert log.records()[0]["conversation_id"] == 10**40
    assert log.verify().ok


def test_arguments_are_kept_only_if_wanted(log: Audited):
    given = {"path": {"conversation_id": 5123}, "body": {"text": "Hello"}}
    log.add(log.entry(arguments=given))
    assert "arguments" not in log.records()[0]
    log.keep_arguments = True
    log.add(log.entry(arguments=given))
    assert log.records()[2]["arguments"] == given
    assert log.verify().ok


# -- Changes of the administration


def test_a_change_and_its_entry_are_one_transaction(log: Audited):
    audit = log.audit()
    by = By("admin_token", 3)
    number = log.database.write_now(
        lambda tx: audit.admin(tx, log.account_id, by, "Ada paused\nTriage", {"agent_id": 7}, agent=TRIAGE)
    )
    (record,) = log.records()
    assert (number, record["type"]) == (1, "admin")
    assert record["actor"] == {"type": "admin_token", "id": 3}
    assert record["sentence"] == "Ada paused Triage"
    assert (record["particulars"], record["agent"]) == ({"agent_id": 7}, {"id": 7, "name": "Triage"})

    def fails(tx: object) -> None:
        audit.admin(tx, log.account_id, by, "Ada deleted Triage")  # type: ignore[arg-type]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        log.database.write_now(fails)
    assert len(log.records()) == 1
    log.add(log.entry())
    assert_chained(log.records())


def test_failed_sign_ins_are_logged_but_never_flood_the_log(log: Audited):
    async def work(audit: Audit) -> list[int | None]:
        tries = [
            audit.failed_sign_in(log.account_id, "the key expired", agent=TRIAGE, prefix="dh_agent_ab")
            for _ in range(50)
        ]
        return await asyncio.gather(*tries)

    async def later(audit: Audit) -> None:
        for _ in range(25):
            await audit.failed_sign_in(log.account_id, "the key expired", agent=TRIAGE)
        log.clock.advance(timedelta(minutes=1))
        await audit.failed_sign_in(log.account_id, "no such key")

    assert [number for number in log.run(work) if number] == list(range(1, 21))
    first = log.records()[0]
    assert first["sentence"] == "Somebody failed to sign in as Triage: the key expired"
    assert (first["type"], first["decision"], first["status"], first["prefix"]) == (
        "decision", "refused", 401, "dh_agent_ab",
    )  # fmt: skip
    log.run(later)
    last = log.records()[-1]
    assert last["not_logged"] == 5
    assert "an agent: no such key (5 more since the entry before are not logged one by one)" in last["sentence"]


# -- Signed checkpoints


def checkpoints(log: Audited) -> list[int]:
    return [record["number"] for record in log.records() if record["type"] == "checkpoint"]


def test_every_thousand_records_are_signed(log: Audited):
    async def work(audit: Audit) -> None:
        for _ in range(3):
            await asyncio.gather(*(audit.decided(log.entry()) for _ in range(700)))

    log.run(work)
    assert checkpoints(log) == [1401]
    record = log.records()[1400]
    assert (record["why"], record["account_id"], record["public_key"]) == ("regular", log.account_id, log.key.public)
    assert_chained(log.records())
    assert log.verify(keys=[log.key.public]).ok


def test_new_records_are_signed_within_the_hour(log: Audited):
    log.add(log.entry(), status=None)
    log.clock.advance(timedelta(minutes=59))
    log.add(log.entry(), status=None)
    assert checkpoints(log) == []
    log.clock.advance(timedelta(minutes=1))
    log.add(log.entry(), status=None)
    assert checkpoints(log) == [4]
    log.clock.advance(timedelta(days=3))
    log.database.write_now(lambda tx: chain.append(tx, log.account_id, [], log.clock.now(), log.key))
    assert checkpoints(log) == [4]  # there is nothing new to sign


# -- When it can't be written


@pytest.fixture
def file(migrated: Path, tmp_path: Path) -> Path:
    """A SQLite database that nobody else uses."""
    return Path(shutil.copy(migrated, tmp_path))


def test_on_a_full_disk_calls_are_refused_and_nothing_is_half_written(file: Path, caplog: pytest.LogCaptureFixture):
    database = open_sqlite(file)

    def set_room(pages: int) -> None:
        def limit(session: Session) -> int:
            assert isinstance(session, SqliteSession)
            (used,) = session.connection.execute("PRAGMA page_count").fetchone()
            return int(session.connection.execute(f"PRAGMA max_page_count = {used + pages}").fetchone()[0])

        database.lanes["write"].run_now(limit)

    async def work() -> tuple[list[int], int]:
        audit = Audit(database, SystemClock(), SigningKey(file.with_name("audit.key")))
        written, refused = [], 0
        set_room(20)
        for _ in range(200):
            try:
                written.append(await audit.decided(refusal(1)))
            except AuditUnavailable as problem:
                assert "full" in str(problem)
                refused += 1
            else:
                await audit.completed(1, written[-1], 200, 1)
        set_room(1_000)
        written.append(await audit.decided(refusal(1)))
        await audit.settle()
        return written, refused

    written, refused = asyncio.run(work())
    assert len(written) > 5
    assert refused > 5
    assert "the audit log can't be written" in caplog.text
    records = [json.loads(record.content) for record in database.read_now(lambda db: read_page(db, 1, 0, 10_000))]
    assert [record["number"] for record in records if record["type"] == "decision"] == written
    # The calls were made; that they ended is written as soon as there is room.
    assert [record["of"] for record in records if record["type"] == "completion"] == written[:-1]
    assert_whole(database)
    database.close()


def test_while_the_database_is_away_calls_are_refused(tmp_path: Path):
    database = open_postgresql("postgresql://127.0.0.1:9/desk")

    async def work() -> None:
        audit = Audit(database, SystemClock(), SigningKey(tmp_path / "audit.key"))
        many = await asyncio.gather(*(audit.decided(refusal(1)) for _ in range(10)), return_exceptions=True)
        assert [type(each) for each in many] == [AuditUnavailable] * 10
        await audit.completed(1, 5, 200, 1)  # says nothing: the call has been made
        await audit.settle()

    asyncio.run(work())
    database.close()


APPENDING = """
import asyncio, sys
from pathlib import Path
from deskhand.db.sqlite import open_sqlite
from deskhand.gateway.audit import Audit
from deskhand.lib.clock import SystemClock
from deskhand.lib.signing_keys import SigningKey
from tests.gateway.audited import refusal

async def main(file):
    audit = Audit(open_sqlite(file), SystemClock(), SigningKey(file.with_name("audit.key")))
    async def calls():
        while True:
            number = await audit.decided(refusal(1))
            sys.stdout.write(f"{number}\\n")
            sys.stdout.flush()
            await audit.completed(1, number, 200, 1)
    await asyncio.gather(*(calls() for _ in range(8)))

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_killed_process_leaves_a_whole_chain_with_all_it_promised(file: Path):
    promised: list[int] = []
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", APPENDING, file],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        )  # fmt: skip
        assert process.stdout is not None
        for _ in range(150):
            promised.append(int(process.stdout.readline()))
        process.send_signal(signal.SIGKILL)
        promised += [int(line) for line in process.stdout.read().split("\n")[:-1]]
        process.wait()
        process.stdout.close()
    database = open_sqlite(file)
    records = database.read_now(lambda db: read_page(db, 1, 0, 100_000))
    decided = {record.number for record in records if record.type == "decision"}
    assert decided >= set(promised)
    assert_whole(database)
    database.close()


def assert_whole(database: Database) -> None:
    verification = Verification(1)
    while (result := database.read_now(verification.page)) is None:
        pass
    assert result.problems == ()
