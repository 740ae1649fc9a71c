"""Opening inboxes and giving them fields."""

from __future__ import annotations

from deskhand.desk.inboxes import queries
from deskhand.desk.inboxes.verbs import NewField, add_field
from tests.world import Desk


def test_a_field_comes_last_unless_it_has_a_position(desk: Desk) -> None:
    inbox_id = desk.add_inbox()

    def new(name: str, position: int = 0) -> NewField:
        return NewField(account_id=desk.account_id, inbox_id=inbox_id, name=name, type="singleline", position=position)

    for field in (new("b", 5), new("c"), new("a", 1)):
        desk.write(lambda tx, field=field: add_field(tx, field))  # type: ignore[misc]
    found = desk.server.app.database.read_now(lambda db: queries.fields_of(db, desk.account_id, [inbox_id]))
    assert [(field.name, field.position) for field in found] == [("a", 1), ("b", 5), ("c", 6)]
