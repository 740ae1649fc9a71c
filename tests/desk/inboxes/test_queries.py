"""What other slices ask about inboxes."""

from __future__ import annotations

from typing import Any

from deskhand.desk.inboxes import queries
from tests.world import Desk, open_desk


def test_fields_of_several_inboxes_come_in_one_statement(desk: Desk) -> None:
    first, second, third = desk.add_inbox(), desk.add_inbox(), desk.add_inbox()
    region = desk.add_field(second, "Region", "dropdown", ("North", "South"))
    notes = desk.add_field(first, "Notes", "multiline", required=True)
    desk.add_field(third, "Elsewhere", "date")

    def work(db: Any) -> tuple[list[queries.Field], int]:
        before = db.ran
        return queries.fields_of(db, desk.account_id, (second, first, second)), db.ran - before

    fields, statements = desk.server.app.database.read_now(work)
    assert [(one.id, one.inbox_id, one.required) for one in fields] == [(notes, first, True), (region, second, False)]
    assert [option.label for option in fields[1].options] == ["North", "South"]
    assert fields[0].options == ()
    assert statements == 1


def test_no_inboxes_have_no_fields_and_cost_nothing(desk: Desk) -> None:
    def work(db: Any) -> tuple[list[queries.Field], int]:
        before = db.ran
        return queries.fields_of(db, desk.account_id, ()), db.ran - before

    assert desk.server.app.database.read_now(work) == ([], 0)


def test_another_accounts_inbox_is_unknown(desk: Desk) -> None:
    stranger = open_desk(desk.server)
    inbox_id = desk.add_inbox(default_status="pending")
    desk.add_field(inbox_id, "Plan", "singleline")
    database = desk.server.app.database
    row = database.read_now(lambda db: queries.by_id(db, desk.account_id, inbox_id))
    assert row is not None
    assert row.default_status == "pending"
    assert database.read_now(lambda db: queries.by_id(db, stranger.account_id, inbox_id)) is None
    assert database.read_now(lambda db: queries.fields_of(db, stranger.account_id, (inbox_id,))) == []
