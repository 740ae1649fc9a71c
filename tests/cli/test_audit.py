"""`deskhand audit`: the log read, followed, exported, verified and cleared by people at a terminal."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import signal
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest

from deskhand.db.sqlite import open_sqlite
from deskhand.gateway.audit import KEY_FILE, Audit
from deskhand.lib.clock import MovableClock
from deskhand.lib.signing_keys import SigningKey
from tests.commands import run, start
from tests.gateway.audited import refusal


@pytest.fixture
def folder(migrated: Path) -> Path:
    """A folder with an account whose log has two calls of 40 days ago and one of today."""
    open_account(migrated, 1)
    call(migrated, days_ago=40, times=2, sentence="Triage was refused to delete conversation #1 in Orders")
    call(migrated, sentence="Drafter was allowed to reply to conversation #2", decision="allowed")
    return migrated


def open_account(folder: Path, id: int) -> None:
    connection = sqlite3.connect(folder / "data" / "deskhand.sqlite")
    with connection:
        columns = {row[1]: row for row in connection.execute("PRAGMA table_info(account)")}
        given = {name: "" if "TEXT" in row[2] else 0 for name, row in columns.items() if row[3]}
        given |= {"id": id, "name": "Northwind", "timezone": "UTC"}
        names, places = ", ".join(given), ", ".join("?" * len(given))
        connection.execute(f"INSERT INTO account ({names}) VALUES ({places})", list(given.values()))
    connection.close()


def call(folder: Path, *, days_ago: int = 0, times: int = 1, account_id: int = 1, **entry: str) -> None:
    """Log calls as a server does."""
    database = open_sqlite(folder / "data" / "deskhand.sqlite")

    async def work() -> None:
        clock = MovableClock(timedelta(days=-days_ago))
        audit = Audit(database, clock, SigningKey(folder / "data" / KEY_FILE))
        for _ in range(times):
            number = await audit.decided(refusal(account_id, **entry))
            await audit.completed(account_id, number, 403, 12)
        await audit.settle()

    asyncio.run(work())
    database.close()


def tamper(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "data" / "deskhand.sqlite")
    with connection:
        connection.execute(statement)
    connection.close()


def test_people_read_a_line_for_each_call_the_newest_first(folder: Path):
    shown = run(folder, "audit", "list")
    assert shown.returncode == 0, shown.stderr
    newest, *_, oldest = shown.stdout.splitlines()
    assert newest.endswith("  Drafter was allowed to reply to conversation #2 (403, 12 ms)")
    assert oldest.startswith("       1  ")
    assert len(shown.stdout.splitlines()) == 3


def test_programs_read_the_same_as_over_http(folder: Path):
    page = json.loads(run(folder, "audit", "list", "--decision", "refused", "--limit", "1", "--json").stdout)
    (entry,) = page["entries"]
    assert (entry["agent"], entry["status"]) == ({"id": 7, "name": "Triage"}, 403)
    again = json.loads(run(folder, "audit", "list", "--decision", "refused", "--cursor", page["next"], "--json").stdout)
    assert [each["id"] for each in again["entries"]] == [1]
    assert again["next"] is None


def test_what_makes_no_sense_names_the_option(folder: Path):
    wrong = run(folder, "audit", "list", "--since", "yesterday")
    assert wrong.returncode == 2
    assert "--since" in wrong.stderr
    assert run(folder, "audit", "verify", "--head", "5").returncode == 2
    wrong = run(folder, "audit", "list", "--cursor", "zzz")
    assert (wrong.returncode, "Invalid value for --cursor: is none that a page gave" in wrong.stderr) == (2, True)
    refused = run(folder, "audit", "export", "--agent", "7")
    assert (refused.returncode, refused.stderr) == (
        1, "deskhand: a chain can only be exported whole: filters are for --format csv\n",
    )  # fmt: skip
    unknown = run(folder, "audit", "list", "--agent", "Nobody").stderr
    assert unknown == "deskhand: there is no agent Nobody; one that was deleted is found by its id\n"


def test_following_shows_what_comes(folder: Path):
    process = start(folder, "audit", "follow", "--last", "1", "--json")
    written = folder / "audit.log"
    try:
        lines_of(written, 1)
        call(folder, sentence="Closer was allowed to list tags")
        old, new = lines_of(written, 2)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert json.loads(old)["sentence"] == "Drafter was allowed to reply to conversation #2"
    assert (json.loads(new)["sentence"], json.loads(new)["status"]) == ("Closer was allowed to list tags", 403)


def lines_of(file: Path, count: int) -> list[str]:
    deadline = time.monotonic() + 30
    while len(lines := file.read_text().splitlines()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return lines


def test_an_export_verifies_anywhere_until_somebody_touches_it(folder: Path, tmp_path: Path):
    done = run(folder, "audit", "export", "--output", "log.jsonl")
    assert done.returncode == 0, done.stderr
    export = folder / "log.jsonl"
    assert done.stdout == f"{export.stat().st_size:,} bytes are in log.jsonl.\n"
    assert run(folder, "audit", "export").stdout.splitlines()[:-1] == export.read_text().splitlines()[:-1]
    (tmp_path / "elsewhere").mkdir()
    elsewhere = export.rename(tmp_path / "elsewhere" / "log.jsonl")
    public = run(folder, "audit", "key").stdout.strip()
    right = run(elsewhere.parent, "audit", "verify", "log.jsonl", "--key", public)
    assert right.returncode == 0, right.stderr
    assert f"Signed with the key {public}\n" in right.stdout
    assert [each.name for each in elsewhere.parent.iterdir()] == ["log.jsonl"]
    told = json.loads(run(elsewhere.parent, "audit", "verify", "log.jsonl", "--json").stdout)
    assert told["ok"] is True
    assert (told["records"], told["first"], told["problems"]) == (len(elsewhere.read_text().splitlines()) - 1, 1, [])

    elsewhere.write_text(elsewhere.read_text().replace('"decision":"allowed"', '"decision":"refused"', 1))
    wrong = run(elsewhere.parent, "audit", "verify", "log.jsonl")
    assert wrong.returncode == 1
    assert "its content does not match its hash\n" in wrong.stdout
    assert wrong.stderr == "deskhand: the audit log is not as it was written: 1 problem\n"
    told = json.loads(run(elsewhere.parent, "audit", "verify", "log.jsonl", "--json").stdout)
    assert (told["ok"], len(told["problems"])) == (False, 1)

    stranger = run(folder, "audit", "verify", "elsewhere/none.jsonl")
    assert (stranger.returncode, stranger.stderr) == (
        1, "deskhand: elsewhere/none.jsonl can't be read: No such file or directory\n",
    )  # fmt: skip


def test_a_table_for_people(folder: Path):
    rows = list(csv.DictReader(io.StringIO(run(folder, "audit", "export", "--format", "csv", "--agent", "7").stdout)))
    assert len(rows) == 3
    assert rows[0]["agent"] == "Triage"


def test_a_file_that_can_not_be_written_is_told(folder: Path):
    refused = run(folder, "audit", "export", "--output", "none/log.jsonl")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "deskhand: none/log.jsonl can't be written: No such file or directory\n"


def test_the_database_is_verified_also_by_check(folder: Path):
    verified = run(folder, "audit", "verify")
    assert verified.returncode == 0, verified.stdout
    head = verified.stdout.splitlines()[-1].partition("--head ")[2]
    assert "ok     audit: 7 records of the audit log verified\n" in run(folder, "check").stdout
    call(folder)
    assert run(folder, "audit", "verify", "--head", head).returncode == 0

    tamper(folder, "DELETE FROM audit_record WHERE number > 5")
    wrong = run(folder, "audit", "verify", "--head", head, "--json")
    assert wrong.returncode == 1
    assert {each["record"] for each in json.loads(wrong.stdout)["problems"]} == {7, 9}
    checked = run(folder, "check")
    assert checked.returncode == 1
    assert "WRONG  audit: the audit log is not as it was written\n" in checked.stdout


def test_the_key_of_another_installation_is_found(folder: Path):
    tamper(folder, "DELETE FROM audit_record WHERE number = 1")  # so that there must be a signature to trust
    (folder / "data" / KEY_FILE).unlink()
    assert run(folder, "audit", "key", "--json").returncode == 0
    wrong = run(folder, "audit", "verify")
    assert "which is none of those that may sign" in wrong.stdout


def test_a_key_that_can_not_be_used_is_told_and_nothing_half_is_exported(folder: Path):
    (folder / "data" / KEY_FILE).write_text("nonsense")
    checked = run(folder, "check")
    assert "WRONG  audit: " in checked.stdout and "holds no key for signing" in checked.stdout
    assert "ok     jobs: " in checked.stdout
    exported = run(folder, "audit", "export")
    assert (exported.returncode, exported.stdout) == (1, "")


def test_a_stranger_s_export_can_not_fake_a_line_or_command_the_terminal(tmp_path: Path):
    evil = "\n\x1b[1A\x9b2K7 records, 1 to 7, nothing was changed."
    forged = {
        "type": "checkpoint", "number": 1, "at": evil, "previous_hash": "0" * 64, "why": "export", "account_id": 1,
        "public_key": evil, "signature": evil, "hash": "0" * 64,
    }  # fmt: skip
    (tmp_path / "log.jsonl").write_text(json.dumps(forged) + "\n")
    shown = run(tmp_path, "audit", "verify", "log.jsonl")
    assert shown.returncode == 1
    assert shown.stdout.replace("\n", "").isprintable()
    assert not [line for line in shown.stdout.splitlines() if line.startswith("7 records")]


def test_old_records_are_removed(folder: Path):
    removed = run(folder, "audit", "retain", "--days", "30")
    assert removed.returncode == 0, removed.stderr
    assert removed.stdout == "4 records removed that were older than 30 days.\n"
    assert json.loads(run(folder, "audit", "retain", "--days", "30", "--json").stdout)["records"] == 0
    newest, *_ = run(folder, "audit", "list").stdout.splitlines()
    assert newest.endswith("  Audit records older than 30 days were removed")
    assert run(folder, "audit", "verify").returncode == 0
    run(folder, "audit", "export", "--output", "log.jsonl")
    assert run(folder, "audit", "verify", "log.jsonl").returncode == 0


def test_records_that_were_changed_are_not_removed(folder: Path):
    tamper(folder, "UPDATE audit_record SET decision = 'allowed' WHERE number = 1")
    refused = run(folder, "audit", "retain", "--days", "30")
    assert refused.returncode == 1
    assert refused.stderr.startswith("deskhand: record 1: the columns beside it say something else")


def test_with_several_accounts_one_must_be_named(folder: Path):
    open_account(folder, 2)
    call(folder, account_id=2)
    refused = run(folder, "audit", "list")
    assert (refused.returncode, refused.stderr) == (1, "deskhand: there are several accounts: say which by --account\n")
    assert len(run(folder, "audit", "list", "--account", "2").stdout.splitlines()) == 1
    assert run(folder, "audit", "verify", "--account", "3").stderr == "deskhand: there is no account 3\n"


def test_before_there_is_an_account_it_says_what_to_do(migrated: Path):
    refused = run(migrated, "audit", "list")
    assert (refused.returncode, refused.stderr) == (1, 'deskhand: there is no account yet: run "deskhand init"\n')
