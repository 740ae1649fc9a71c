"""The log as people and programs read it: one entry for each call, found by what they ask for."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from deskhand.catalogue.problems import BadRequest
from deskhand.gateway import audit_listing
from deskhand.gateway.audit import Audit, By, Named
from deskhand.gateway.audit_listing import Filters, Page, read_filters
from deskhand.lib.clock import to_wire
from tests.gateway.audited import TRIAGE, Audited, another_account

DRAFTER = Named(8, "Drafter")


def page(log: Audited, cursor: str | None = None, limit: int = 50, **filters: Any) -> Page:
    return log.database.read_now(
        lambda db: audit_listing.entries(db, log.account_id, Filters(**filters), cursor, limit)
    )


def ids(log: Audited, **filters: Any) -> list[int]:
    return [entry.id for entry in page(log, **filters).entries]


def test_a_decision_and_its_completion_are_one_entry(log: Audited):
    other = another_account(log)
    other.add(other.entry())
    (number,) = log.add(log.entry(decision="allowed", reason="granted"), status=204)
    (entry,) = page(log).entries
    stored = log.records()[0]
    assert (entry.id, entry.status, entry.milliseconds) == (number, 204, 3)
    assert entry.agent == {"id": 7, "name": "Triage"}
    assert (entry.previous_hash, entry.hash) == (stored["previous_hash"], stored["hash"])
    for name in ("at", "operation", "resource", "action", "inbox_id", "conversation_id", "decision", "reason",
                 "sentence", "grant_version", "arguments_hash", "rule", "method", "path", "door"):  # fmt: skip
        assert getattr(entry, name) == stored[name]


def test_without_its_end_a_call_has_no_status(log: Audited):
    log.add(log.entry(), status=None)
    (entry,) = page(log).entries
    assert (entry.status, entry.milliseconds) == (None, None)


def test_changes_of_the_administration_stand_between_the_calls(log: Audited):
    log.add(log.entry())
    audit = log.audit()
    log.database.write_now(
        lambda tx: audit.admin(tx, log.account_id, By("user", 2), "Ada paused Triage", {"state": "paused"}, TRIAGE)
    )
    log.add(log.entry())
    newest, change, oldest = page(log).entries
    assert (newest.type, change.type, oldest.type) == ("decision", "admin", "decision")
    assert (change.operation, change.decision, change.sentence) == (None, None, "Ada paused Triage")
    assert (change.actor, change.particulars) == ({"type": "user", "id": 2}, {"state": "paused"})
    assert ids(log, type="admin") == [change.id]
    assert ids(log, agent=7) == [newest.id, change.id, oldest.id]


def test_entries_are_found_by_what_they_are_about(log: Audited):
    given = [
        log.entry(),
        log.entry(agent=DRAFTER, operation="reply_to_conversation", resource="threads", decision="allowed"),
        log.entry(agent=DRAFTER, operation="set_conversation_tags", decision="held", inbox_id=502, conversation_id=9),
        log.entry(agent=None, operation=None, resource=None, inbox_id=None, conversation_id=None, sentence="Zoë wért"),
    ]
    a, b, c, d = log.add(*given)
    assert ids(log) == [d, c, b, a]
    assert ids(log, agent=8) == [c, b]
    assert ids(log, operation="reply_to_conversation") == [b]
    assert ids(log, decision="refused") == [d, a]
    assert ids(log, inbox=501) == [b, a]
    assert ids(log, resource="conversations") == [c, a]
    assert ids(log, conversation=9) == [c]
    assert ids(log, text="DELETE Conversation") == [c, b, a]
    assert ids(log, text="ZOË") == [d]
    assert ids(log, text="delete", agent=8, decision="allowed") == [b]
    assert ids(log, agent=8, conversation=5123) == [b]
    assert ids(log, agent=99) == []


def test_entries_are_found_by_time_even_if_the_clock_was_set_back(log: Audited):
    start = log.clock.now()
    (a,) = log.add(log.entry())
    log.clock.advance(timedelta(days=2))
    (b,) = log.add(log.entry())
    log.clock.advance(timedelta(days=-1))
    (c,) = log.add(log.entry())
    one_day, two_days = (to_wire(start + timedelta(days=days) - timedelta(seconds=5)) for days in (1, 2))
    assert ids(log, since=one_day) == [c, b]
    assert ids(log, since=two_days) == [b]
    assert ids(log, until=two_days) == [c, a]
    assert ids(log, since=one_day, until=two_days) == [c]
    assert ids(log, since="2999-01-01T00:00:00Z") == []
    assert ids(log, until="1999-01-01T00:00:00Z") == []


def test_since_is_included_and_until_is_not(log: Audited):
    log.add(log.entry())
    at = page(log).entries[0].at
    assert (len(ids(log, since=at)), len(ids(log, until=at))) == (1, 0)


@pytest.mark.parametrize("span", [3, 10, 50_000])
@pytest.mark.parametrize("filters", [{}, {"agent": 8}, {"decision": "allowed"}, {"text": "x 1"}])
def test_pages_follow_each_other_without_gaps(
    log: Audited, span: int, filters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audit_listing, "SPAN", span)
    monkeypatch.setattr(audit_listing, "_SEARCHED", 4)
    given = [
        log.entry(agent=(TRIAGE, DRAFTER)[n % 2], decision=("allowed", "refused")[n % 3 > 0], sentence=f"x {n}")
        for n in range(40)
    ]

    async def work(audit: Audit) -> None:
        await asyncio.gather(*map(audit.decided, given))

    log.run(work)
    wanted = [
        number for number, entry in reversed(list(enumerate(given, 1)))
        if (not filters or (filters.get("agent") == 8 and number % 2 == 0) or entry.decision == filters.get("decision")
            or ("text" in filters and filters["text"] in entry.sentence))
    ]  # fmt: skip
    assert wanted
    found: list[int] = []
    cursor: str | None = None
    for _ in range(100):
        one = page(log, cursor, 7, **filters)
        assert len(one.entries) <= 7
        found += [entry.id for entry in one.entries]
        cursor = one.next
        if cursor is None:
            break
    assert found == wanted


def test_what_is_new_comes_the_oldest_first(log: Audited):
    def since(number: int, **filters: Any) -> tuple[list[int], int]:
        found, reached = log.database.read_now(
            lambda db: audit_listing.entries_since(db, log.account_id, Filters(**filters), number)
        )
        return [entry.id for entry in found], reached

    assert since(0) == ([], 0)
    a, b = log.add(log.entry(), log.entry(agent=DRAFTER))
    assert since(0) == ([a, b], 4)
    assert since(a, agent=7) == ([], 4)
    assert since(4) == ([], 4)


def test_one_entry_is_found_by_its_number(log: Audited):
    a, _ = log.add(log.entry(sentence="first"), log.entry())
    found = log.database.read_now(lambda db: audit_listing.entry(db, log.account_id, a))
    assert found is not None
    assert (found.sentence, found.status) == ("first", 403)
    assert log.database.read_now(lambda db: audit_listing.entry(db, log.account_id, 2)) is None  # a completion
    assert log.database.read_now(lambda db: audit_listing.entry(db, another_account(log).account_id, a)) is None


def test_filters_are_read_from_a_query():
    query = {"agent": "7", "operation": "read_approval", "decision": "held", "inbox": "501", "since": "", "limit": "3"}
    assert read_filters(query) == (Filters(agent=7, operation="read_approval", decision="held", inbox=501), None, 3)
    assert read_filters({}) == (Filters(), None, audit_listing.LIMIT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("agent", "x"), ("agent", "0"), ("agent", "-1"), ("agent", "１"), ("agent", str(2**63)), ("agent", "9" * 5000),
        ("inbox", "1.0"), ("conversation", "a"), ("decision", "maybe"), ("resource", "turn"), ("operation", "x\0"),
        ("operation", "DELETE"), ("since", "yesterday"), ("until", "2026-13-01T00:00:00Z"), ("limit", "0"),
        ("limit", "501"), ("type", "completion"), ("mailbox", "1"), ("cursor", "x"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_names_its_field(log: Audited, name: str, value: str):
    with pytest.raises(BadRequest) as refused:
        filters, cursor, limit = read_filters({name: value})
        log.database.read_now(lambda db: audit_listing.entries(db, log.account_id, filters, cursor, limit))
    assert [error.path for error in refused.value.errors] == [name]


@pytest.mark.parametrize(
    "cursor", ["", "YmVmb3Jl", "é", "YmVmb3JlIC0x", "YmVmb3JlIDk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "=="]
)
def test_a_cursor_that_no_page_gave_is_refused(log: Audited, cursor: str):
    with pytest.raises(BadRequest):
        page(log, cursor)


def test_a_record_that_somebody_spoilt_hides_no_others(log: Audited):
    a, b, c = log.add(log.entry(), log.entry(), log.entry())
    log.change(a, content="{")
    log.change(b + 1, content="[]")
    log.change(c, content='{"sentence":1}')
    assert ids(log) == [c, b, a]
    assert [entry.sentence == audit_listing.UNREADABLE for entry in page(log).entries] == [True, False, True]
    assert ids(log, text="can't be read") == [c, a]
