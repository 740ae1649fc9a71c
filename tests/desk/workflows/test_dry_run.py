"""Dry runs: what a workflow would do and why, that nothing changes by it, and that it then happens as was told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest
from deskhand.db.statements import command
from deskhand.desk.workflows import dry_run
from deskhand.desk.workflows.actions import AddNote, AddTags, Assign, Reply, SetStatus
from deskhand.desk.workflows.conditions import Body, Group, HasAttachment, HasStatus, Subject, WaitingSince
from deskhand.desk.workflows.dry_run import DryRun
from deskhand.desk.workflows.verbs import NewWorkflow
from deskhand.schema import METADATA
from tests.desk.conversations.builders import add, created, read, start
from tests.desk.workflows.waiting import automatic, by_machine, items, ran, until
from tests.world import Desk

REFUND = Subject("contains", "refund")


@pytest.fixture
def inbox(desk: Desk) -> int:
    return desk.add_inbox()


def spec(desk: Desk, inbox: int, *actions: Any, when: list[list[Any]], **more: Any) -> NewWorkflow:
    groups = [Group(group) for group in when]
    return NewWorkflow(
        account_id=desk.account_id, inbox_id=inbox, name="Try", actions=actions, type="automatic", conditions=groups,
        created_at=desk.now, **more,
    )  # fmt: skip


def tried(desk: Desk, wanted: NewWorkflow, most: int = 100, id: int | None = None) -> DryRun:
    now = desk.server.clock.now()
    return desk.server.app.database.read_now(lambda db: dry_run.of(db, wanted, most, now, id))


def everything(desk: Desk) -> dict[str, list[Any]]:
    """Every row that the account has."""
    found = {}
    for table in METADATA.sorted_tables:
        if "account_id" in table.c and table.name not in ("rate_lease", "job"):
            named = ", ".join(f'"{column.name}"' for column in table.c)
            text = f'SELECT {named} FROM "{table.name}" WHERE account_id = {desk.account_id}'
            found[table.name] = sorted(fetched(desk, text), key=repr)
    return found


def fetched(desk: Desk, text: str) -> list[Any]:
    return list(desk.server.app.database.lanes["write"].run_now(lambda session: session._fetch_text(text, ())))


def test_it_tells_what_would_be_done_and_why(desk: Desk, inbox: int) -> None:
    wanted = spec(
        desk, inbox, SetStatus("closed"), AddNote("x"),
        when=[[REFUND, Body("contains", "money back")], [HasStatus("is", ["active"])], [HasAttachment(False)]],
    )  # fmt: skip
    first = start(desk, inbox, subject="Refund, please")
    second = start(desk, inbox, subject="Hello")
    third = start(desk, inbox, subject="A refund", status="pending")
    found = tried(desk, wanted)
    assert (found.looked_at, found.matches, found.would_run) == (3, 1, 1)
    by_id = {one.conversation_id: one for one in found.conversations}
    assert list(by_id) == [third, second, first]
    assert by_id[first].actions == ["marked as closed", "added a note"]
    assert [(one.place, one.condition, one.saw, one.held) for one in by_id[first].because] == [
        ("conditions[0].any[0]", "the subject contains “refund”", "Refund, please", True),
        ("conditions[1].any[0]", "the status is active", "active", True),
        ("conditions[2].any[0]", "it has no attachment", "no attachment", True),
    ]
    assert by_id[second].actions == []
    assert [(one.place, one.saw, one.held) for one in by_id[second].because] == [
        ("conditions[0].any[0]", "Hello", False), ("conditions[0].any[1]", "It flickers.", False),
    ]  # fmt: skip
    assert [(one.place, one.saw) for one in by_id[third].because] == [("conditions[1].any[0]", "pending")]


def test_only_the_newest_of_its_inbox_are_looked_at(desk: Desk, inbox: int) -> None:
    made = [start(desk, inbox, status=status) for status in ("active", "closed", "pending", "spam", "active")]
    start(desk, desk.add_inbox())
    wanted = spec(desk, inbox, SetStatus("closed"), when=[[Subject("is_not", "x")]])
    for most in (1, 3, 5, 100):
        assert [one.conversation_id for one in tried(desk, wanted, most).conversations] == made[::-1][:most]


def test_it_changes_nothing(desk: Desk, inbox: int) -> None:
    for number in range(5):
        start(desk, inbox, subject=f"Refund {number}")
    lea = desk.add_user(inboxes=(inbox,))
    wanted = spec(desk, inbox, SetStatus("closed"), Assign(lea), AddNote("x"), when=[[REFUND]])
    settle(desk)
    before = everything(desk)
    assert tried(desk, wanted).would_run == 5
    assert everything(desk) == before


def settle(desk: Desk) -> None:
    """Wait until no event of the account waits to be looked at."""
    event = METADATA.tables["event"]
    waiting = sa.select(event.c.id).where(event.c.account_id == desk.account_id, event.c.handled == 0)
    text = str(waiting.compile(compile_kwargs={"literal_binds": True}))
    until(lambda: not fetched(desk, text))


def test_what_it_tells_then_happens(desk: Desk, inbox: int) -> None:
    reply = created(desk.post(f"/v2/mailboxes/{inbox}/saved-replies", {"name": "Thanks", "text": "<p>Hi</p>"}))
    actions = (Reply(reply), SetStatus("pending"))
    when: list[list[Any]] = [[REFUND, HasStatus("is", ["spam"])], [Body("not_contains", "secret")]]
    made = [
        start(desk, inbox, subject="Refund"), start(desk, inbox), start(desk, inbox, status="spam"),
        start(desk, inbox, subject="refund", threads=[{"type": "customer", "text": "A secret"}]),
    ]  # fmt: skip
    made.append(start(desk, inbox, subject="A refund for the robot"))
    by_machine(desk, made[-1])
    settle(desk)
    told = {one.conversation_id: one for one in tried(desk, spec(desk, inbox, *actions, when=when)).conversations}
    workflow = automatic(desk, inbox, when, *actions, name="Try")
    for id in made:
        created(add(desk, id, "notes"))
    expected = [id for id in made if told[id].would_run]
    assert len(expected) == 3
    for id in expected:
        assert ran(desk, id) == [f"The workflow Try ran: {', '.join(told[id].actions)}"]
    assert "sent no reply, because the customer's last message was sent by a machine" in told[made[-1]].actions
    settle(desk)
    assert [id for id in made if items(desk, id)] == expected
    again = tried(desk, spec(desk, inbox, *actions, when=when), id=workflow)
    assert [one.conversation_id for one in again.conversations if one.ran] == expected[::-1]
    assert again.would_run == 0


def test_time_is_told_as_it_is_now(desk: Desk, inbox: int) -> None:
    id = start(desk, inbox)
    wanted = spec(desk, inbox, SetStatus("closed"), when=[[WaitingSince("more_than", 2, "hours")]])
    assert tried(desk, wanted).matches == 0
    desk.server.clock.advance(timedelta(hours=2, seconds=1))
    (found,) = tried(desk, wanted).conversations
    assert found.matches
    assert found.because[0].saw == read(desk, id)["customerWaitingSince"]["time"]


def test_one_that_could_not_be_added_is_refused(desk: Desk, inbox: int) -> None:
    for wanted, path in (
        (spec(desk, 999_999_999, SetStatus("closed"), when=[[REFUND]]), "inbox_id"),
        (spec(desk, inbox, AddTags([999_999_999]), when=[[REFUND]]), "actions[0]"),
        (spec(desk, inbox, SetStatus("closed"), when=[]), "conditions"),
    ):
        with pytest.raises(BadRequest) as caught:
            tried(desk, wanted)
        assert [fault.path for fault in caught.value.errors] == [path]


def test_a_thousand_conversations_are_tried_quickly(desk: Desk, inbox: int) -> None:
    first = start(desk, inbox, subject="Refund")
    table = METADATA.tables["conversation"]
    kept = [column.name for column in table.c if column.name not in ("id", "number")]
    copies = sa.text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999) SELECT i FROM n")
    numbers = copies.columns(sa.column("i", sa.BigInteger)).subquery("numbers")
    query = sa.select(numbers.c.i + 10_000_000, *(table.c[name] for name in kept)).where(table.c.id == first)
    desk.write(lambda tx: tx.run(command(sa.insert(table).from_select(["number", *kept], query), keep=False)))
    wanted = spec(desk, inbox, SetStatus("closed"), when=[[REFUND, Body("matches", "money")]])
    assert tried(desk, wanted, dry_run.MOST).would_run == 1_000


def test_slow_regular_expressions_do_not_add_up(desk: Desk, inbox: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        start(desk, inbox, subject="Refund")
    wanted = spec(desk, inbox, SetStatus("closed"), when=[[Subject("matches", "ref.nd")]])
    assert tried(desk, wanted).matches == 2
    monkeypatch.setattr(dry_run, "ALL_PATTERNS_S", 0.0)  # as if those before had taken all the time
    found = tried(desk, wanted)
    assert found.matches == 0
    assert {one.because[0].saw for one in found.conversations} == {"the regular expression took too long on Refund"}
