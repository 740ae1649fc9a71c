"""Verifying finds whatever was done to a chain, in the database and in an export far away from it."""

from __future__ import annotations

import base64
import json
import shutil
import string
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deskhand.db.sqlite import open_sqlite
from deskhand.gateway import chain
from deskhand.gateway.chain import chained
from deskhand.gateway.verifying import Point, Verification, verify_file
from deskhand.lib.canonical import canonical
from deskhand.lib.signing_keys import SigningKey
from tests.gateway.audited import Audited, another_account, assert_chained, faults, first_account, lines_faults

Lines = list[bytes]
MISMATCH = "its content does not match its hash"
UNLINKED = "it does not follow from the record before it"
NO_END = "the end is missing: an export ends with a signed checkpoint"


@pytest.fixture
def log(log: Audited) -> Audited:
    """Three calls: six records."""
    log.add(*(log.entry(conversation_id=number) for number in (1, 2, 3)))
    return log


@pytest.fixture(scope="module")
def lines(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """An export of such a chain: six records and the line that closes it."""
    folder = tmp_path_factory.mktemp("export")
    database = open_sqlite(Path(shutil.copy(migrated, folder)))
    log = first_account(lambda: database, database, SigningKey(folder / "audit.key"))
    log.add(*(log.entry(conversation_id=number) for number in (1, 2, 3)))
    lines = log.export()
    database.close()
    assert len(lines) == 7
    return lines


def written(record: dict[str, Any]) -> bytes:
    """A record as an export has it, whatever is in it, its hash reckoned anew."""
    content = canonical({name: value for name, value in record.items() if name != "hash"})
    return b'{"hash":"%s",%s' % (chained(record["previous_hash"], content).encode(), content[1:])


def rehashed(line: bytes, **changed: Any) -> bytes:
    return written(json.loads(line) | changed)


# -- What is in order


def test_an_export_is_the_chain_and_a_signed_end(log: Audited):
    records = [json.loads(line) for line in log.export()]
    assert_chained(records)
    assert records[:-1] == log.records()
    end = records[-1]
    assert (end["type"], end["why"], end["number"], end["account_id"]) == ("checkpoint", "export", 7, log.account_id)
    assert len(log.records()) == 6  # the end is made for the export


def test_what_was_not_touched_verifies(log: Audited, tmp_path: Path):
    lines = log.export()
    (tmp_path / "export.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    result = verify_file(tmp_path / "export.jsonl")
    assert (result.ok, result.records, result.first, result.last, result.problems) == (True, 6, 1, 6, ())
    assert result.keys == (log.key.public,)
    assert result.head == Point(6, json.loads(lines[5])["hash"])
    stored = log.verify()
    assert (stored.ok, stored.records, stored.first, stored.last, stored.head) == (True, 6, 1, 6, result.head)


def test_an_export_may_be_written_anew_as_long_as_it_says_the_same(lines: Lines):
    loose = [json.dumps(dict(sorted(json.loads(line).items(), reverse=True)), indent=None).encode() for line in lines]
    assert loose != lines
    assert lines_faults(loose) == []
    assert lines_faults([line + b"\r" for line in lines]) == []


def test_an_empty_chain_verifies_and_so_does_its_export(log: Audited):
    log = another_account(log)
    result = log.verify()
    assert (result.ok, result.records, result.first, result.last, result.head) == (True, 0, None, None, None)
    assert lines_faults(log.export()) == []


def test_the_chain_may_grow_while_it_is_verified(log: Audited, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("deskhand.gateway.verifying.PAGE", 4)
    verification = Verification(log.account_id)
    for _ in range(5):
        assert log.database.read_now(verification.page) is None
        log.add(log.entry(), log.entry())
    while (result := log.database.read_now(verification.page)) is None:
        pass
    assert (result.ok, result.records) == (True, 26)


# -- What was done to an export


def edited_fields() -> list[str]:
    return [
        "at", "agent", "decision", "reason", "sentence", "operation", "conversation_id", "rule", "number", "type",
        "previous_hash", "arguments_hash", "grant_version", "door", "path", "approval_id",
    ]  # fmt: skip


@pytest.mark.parametrize("name", edited_fields())
def test_an_edit_is_found_where_it_is(lines: Lines, name: str):
    record = json.loads(lines[2])
    old = record[name]
    record[name] = old + 1 if isinstance(old, int) else "2020-01-01T00:00:00Z" if isinstance(old, str) else {"id": 8}
    hash = record.pop("hash")
    edited = b'{"hash":"%s",%s' % (hash.encode(), canonical(record)[1:])
    found = lines_faults([*lines[:2], edited, *lines[3:]])
    assert found
    assert MISMATCH in [problem for _, problem in found]
    assert {number for number, _ in found} <= {3, 4, 5}


def test_a_field_more_or_less_is_found(lines: Lines):
    record = json.loads(lines[2])
    more = json.dumps(record | {"note": 1}).encode()
    less = json.dumps({name: value for name, value in record.items() if name != "rule"}).encode()
    for edited in (more, less):
        assert lines_faults([*lines[:2], edited, *lines[3:]]) == [(3, MISMATCH)]


def test_an_edit_with_a_hash_made_anew_is_found_at_the_next_record(lines: Lines):
    edited = rehashed(lines[2], decision="allowed")
    assert lines_faults([*lines[:2], edited, *lines[3:]]) == [(4, UNLINKED)]


def test_a_chain_made_anew_from_an_edit_on_is_found_by_its_signature(lines: Lines):
    forged, previous = lines[:2], json.loads(lines[1])["hash"]
    for line in lines[2:]:
        forged.append(rehashed(line, previous_hash=previous, **({"decision": "allowed"} if line == lines[2] else {})))
        previous = json.loads(forged[-1])["hash"]
    assert lines_faults(forged) == [(7, "its signature is wrong")]


def test_the_last_record_edited_is_found(lines: Lines):
    forged = [*lines[:5], rehashed(lines[5], status=200)]
    assert lines_faults([*forged, lines[6]]) == [(7, UNLINKED)]


def test_a_signature_written_in_another_way_is_found(lines: Lines):
    """The last character of 64 bytes in base64 has four bits that mean nothing."""
    signature = json.loads(lines[6])["signature"]
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    same = signature[:-3] + letters[letters.index(signature[-3]) + 1] + "=="
    assert base64.b64decode(same) == base64.b64decode(signature)
    assert lines_faults([*lines[:6], rehashed(lines[6], signature=same)]) == [(7, "its signature is wrong")]


def test_any_hash_changed_is_found(lines: Lines):
    for place, line in enumerate(lines):
        record = json.loads(line)
        record["hash"] = "0" + record["hash"][1:] if record["hash"][0] != "0" else "1" + record["hash"][1:]
        assert (place + 1, MISMATCH) in lines_faults([*lines[:place], canonical(record), *lines[place + 1 :]])


@pytest.mark.parametrize("place", range(6))
def test_a_removed_record_is_found(lines: Lines, place: int):
    found = lines_faults([*lines[:place], *lines[place + 1 :]])
    assert found == [(place + 2, f"record {place + 1} is missing before it")]


def test_several_removed_records_are_found(lines: Lines):
    assert lines_faults([lines[0], *lines[4:]]) == [(5, "records 2 to 4 are missing before it")]


@pytest.mark.parametrize(("one", "other"), [(0, 1), (2, 3), (1, 4), (4, 5), (5, 6)])
def test_a_swap_is_found(lines: Lines, one: int, other: int):
    swapped = list(lines)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    assert lines_faults(swapped)


def test_an_inserted_record_is_found(lines: Lines):
    again = lines_faults([*lines[:3], lines[2], *lines[3:]])
    assert again == [(3, "it stands behind record 3")]
    made = rehashed(lines[2], previous_hash=json.loads(lines[2])["hash"], number=4)
    assert lines_faults([*lines[:3], made, *lines[3:]])


@pytest.mark.parametrize("kept", range(7))
def test_a_truncated_export_is_found(lines: Lines, kept: int):
    assert (kept, NO_END) in lines_faults(lines[:kept])


def test_half_a_line_at_the_end_is_found(lines: Lines):
    found = lines_faults([*lines[:5], lines[5][:200]])
    assert found[0][0] == 6
    assert found[0][1].startswith("it can't be read: ")
    assert found[1][1] == NO_END


def test_an_export_truncated_where_an_older_one_ended_is_found(log: Audited):
    older = log.export()
    log.add(log.entry())
    newer = log.export()
    for kept in range(len(newer)):
        assert lines_faults(newer[:kept])
    # With the older export's own end it is that export. Whoever noted a later record finds that it isn't there.
    noted = Point(8, json.loads(newer[7])["hash"])
    assert lines_faults(newer, head=noted) == []
    assert lines_faults(older, head=noted) == [(8, "the record that must be there is not, or not with this hash")]
    assert lines_faults(newer, head=Point(8, "0" * 64))


def test_nothing_may_stand_behind_the_end(lines: Lines):
    found = lines_faults([*lines, lines[0]])
    assert (1, "it stands behind the checkpoint that ends the export") in found


def test_a_name_that_stands_twice_in_a_record_is_found(lines: Lines):
    doubled = lines[2][:-1] + b',"decision":"refused"}'
    found = dict(lines_faults([*lines[:2], doubled, *lines[3:]]))
    assert found[3] == "it can't be read: a name stands twice in it"


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"hash":1}', b'{"hash":"' + b"0" * 64 + b'",}',
     b'{"hash":"x","type":"decision","number":"3","at":"","previous_hash":""}', b'{"number":1e999}', b"9" * 5_000],
    ids=lambda line: repr(line)[:20],
)  # fmt: skip
def test_a_line_that_is_no_record_is_found(lines: Lines, line: bytes):
    found = lines_faults([*lines[:2], line, *lines[3:]])
    assert found[0][0] == 3
    assert found[0][1].startswith("it can't be read: ")


# -- Who signed


def test_another_key_is_found_if_the_right_one_is_known(log: Audited, tmp_path: Path):
    stranger = SigningKey(tmp_path / "stranger.key")
    log.key, right = stranger, log.key
    forged = log.export()
    assert lines_faults(forged) == []  # nobody can tell
    (found,) = lines_faults(forged, keys=[right.public])
    assert found == (7, f"it was signed with the key {stranger.public}, which is none of those that may sign")
    assert lines_faults(forged, keys=[right.public, stranger.public]) == []


def test_a_key_that_changes_within_a_chain_is_found(log: Audited, tmp_path: Path):
    log.clock.advance(timedelta(hours=2))
    log.add(log.entry())
    stranger = SigningKey(tmp_path / "stranger.key")
    log.key, right = stranger, log.key
    lines = log.export()
    (found,) = lines_faults(lines)
    assert found[1].startswith("it was signed with another key than the checkpoints before it: ")
    assert lines_faults(lines, keys=[right.public, stranger.public]) == []


def test_a_checkpoint_of_another_account_is_found(log: Audited):
    log.clock.advance(timedelta(hours=2))
    log.add(log.entry())
    *lines, end = log.export()
    signed = json.loads(end)
    foreign = chain.signed(
        log.account_id + 1, {"why": "export"}, signed["number"], signed["at"], signed["previous_hash"], log.key
    )
    found = lines_faults([*lines, written(json.loads(foreign.content))])
    assert found == [(signed["number"], "it belongs to the chain of another account")]


# -- What was done to the database


def test_an_edit_in_the_database_is_found(log: Audited):
    content = log.records()[2] | {"reason": "granted"}
    del content["hash"]
    log.change(3, content=canonical(content).decode())
    assert faults(log.verify()) == [(3, MISMATCH)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("decision", "allowed"), ("agent_id", 8), ("operation", None), ("resource", "tags"), ("inbox_id", 1),
        ("conversation_id", None), ("type", "admin"), ("at", "2020-01-01T00:00:00Z"), ("of", 1),
    ],
)  # fmt: skip
def test_a_column_that_lists_filter_by_can_not_be_changed_unnoticed(log: Audited, column: str, value: Any):
    log.change(3, **{column: value})
    assert faults(log.verify()) == [(3, "the columns beside it say something else than the record")]


def test_a_changed_hash_in_the_database_is_found(log: Audited):
    log.change(3, hash="0" * 64)
    assert faults(log.verify()) == [(3, MISMATCH), (4, UNLINKED)]


def test_what_is_no_record_in_the_database_is_found(log: Audited):
    log.change(3, content="{")
    ((number, problem),) = faults(log.verify())
    assert number == 3
    assert problem.startswith("it can't be read: ")


def test_removed_records_are_found_also_at_the_end(log: Audited):
    log.remove(2)
    assert faults(log.verify()) == [(3, "record 2 is missing before it")]
    log.remove(5, 6)
    assert (6, "the records after 4 are missing at the end") in faults(log.verify())
    log.remove(1, 3, 4)
    assert faults(log.verify()) == [(6, "the records after 0 are missing at the end")]


def test_a_record_behind_the_end_is_found(log: Audited):
    record = chain.made(log.account_id, {"type": "admin", "sentence": "x"}, 7, "2026-01-01T00:00:00Z", "0" * 64)
    log.database.write_now(lambda tx: tx.add_many(chain._ADD, [record]))
    assert (7, UNLINKED) in faults(log.verify())
    assert (6, "the chain does not end where the database says that it does") in faults(log.verify())


def test_a_chain_cut_off_by_somebody_who_moved_its_end_is_found_by_what_was_noted(log: Audited):
    noted = log.verify().head
    assert noted is not None
    before = log.records()[3]
    log.remove(5, 6)
    log.database.write_now(
        lambda tx: tx.run(
            chain._MOVE, account_id=log.account_id, number=4, hash=before["hash"], signed_number=0,
            signed_at=before["at"],
        )
    )  # fmt: skip
    assert log.verify().ok
    assert faults(log.verify(head=noted)) == [(6, "the record that must be there is not, or not with this hash")]


def test_a_record_moved_to_another_account_is_found(log: Audited):
    other = another_account(log)
    other.add(other.entry())
    log.remove(6)
    other.change(2, account_id=log.account_id, number=6)
    assert log.verify().ok is False
    assert other.verify().ok is False


@pytest.mark.parametrize("number", range(1, 7))
def test_every_single_record_matters(log: Audited, number: int):
    log.remove(number)
    assert log.verify().ok is False
