"""Exports: the raw chain to be verified anywhere, and a table that no spreadsheet takes for formulas."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import Any

import pytest

from deskhand.gateway import audit_export
from deskhand.gateway.audit import Audit, By, Named
from deskhand.gateway.audit_export import COLUMNS, Csv, JsonLines
from deskhand.gateway.audit_listing import Filters
from deskhand.gateway.verifying import verify_lines
from tests.gateway.audited import Audited, another_account


def whole(log: Audited, source: JsonLines | Csv) -> bytes:
    content = b""
    while piece := log.database.read_now(source.piece):
        content += piece
    return content


def table(log: Audited, **filters: Any) -> list[dict[str, str]]:
    text = whole(log, Csv(log.account_id, Filters(**filters))).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_an_export_comes_in_pieces_and_ends_where_the_chain_was_when_it_began(
    log: Audited, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audit_export, "PIECE", 7)
    other = another_account(log)
    other.add(other.entry())

    async def work(audit: Audit) -> None:
        await asyncio.gather(*(audit.decided(log.entry()) for _ in range(30)))

    log.run(work)
    source = JsonLines(log.account_id, log.key, log.clock.now())
    pieces = [log.database.read_now(source.piece)]
    log.run(work)
    while piece := log.database.read_now(source.piece):
        pieces.append(piece)
    assert len(pieces) == 6
    result = verify_lines(b"".join(pieces).splitlines(True))
    assert (result.ok, result.records) == (True, 30)


def test_each_line_is_a_record_that_others_can_read(log: Audited):
    log.add(log.entry(sentence='Zoë 🚀 "quoted" \\ x'))
    lines = whole(log, JsonLines(log.account_id, log.key, log.clock.now())).decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line)["type"] for line in lines] == ["decision", "completion", "checkpoint"]
    assert [json.loads(line) for line in lines[:2]] == log.records()


def test_a_table_has_an_entry_in_each_row(log: Audited):
    log.add(log.entry(), log.entry(decision="allowed"))
    audit = log.audit()
    log.database.write_now(lambda tx: audit.admin(tx, log.account_id, By("admin_token", 3), "Ada paused Triage"))
    first, second, change = table(log)
    assert tuple(first) == COLUMNS
    assert (first["id"], first["agent_id"], first["agent"], first["status"], first["milliseconds"]) == (
        "1", "7", "Triage", "403", "3",
    )  # fmt: skip
    assert first["sentence"] == "Triage was refused to delete conversation #1874 in Orders"
    assert (second["id"], second["decision"]) == ("3", "allowed")
    assert (change["type"], change["actor"], change["operation"]) == ("admin", "admin_token 3", "")
    assert [row["id"] for row in table(log, decision="allowed")] == ["3"]


def test_a_table_comes_in_pieces(log: Audited, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit_export, "PIECE", 3)
    numbers = log.add(*(log.entry() for _ in range(8)))
    assert [row["id"] for row in table(log)] == [str(number) for number in numbers]
    empty = another_account(log)
    assert table(empty) == []
    assert whole(empty, Csv(empty.account_id, Filters())).decode().split(",")[0] == "id"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＠", " =", "'=", '"=', "|", "\t="])
def test_no_cell_begins_a_formula(log: Audited, start: str):
    given = f'{start}HYPERLINK("http://x",A1)'
    log.add(log.entry(agent=Named(7, given), sentence=given, rule=given, path=given))
    (row,) = table(log)
    for name in ("agent", "sentence", "rule", "path"):
        assert row[name][0] not in "=+-@＝＋－＠\t\r"
        assert "HYPERLINK" in row[name]


def test_line_breaks_and_quotes_stay_within_their_cell(log: Audited):
    log.add(log.entry(sentence='a "b", c\n=d;e'))
    (row,) = table(log)
    assert row["sentence"] == 'a "b", c =d;e'
    assert row["hash"] == log.records()[0]["hash"]
