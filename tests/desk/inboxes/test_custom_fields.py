"""Custom fields as administrators change them: their order, and the ids of choices that stay."""

from __future__ import annotations

import pytest

from deskhand.catalogue.problems import AccessDenied, BadRequest, NotFound
from deskhand.db.engine import Writer
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.inboxes import custom_fields, queries
from deskhand.desk.inboxes.custom_fields import Choice, FieldChange
from deskhand.desk.inboxes.queries import Field
from tests.world import Desk, open_desk


def acting(tx: Writer, desk: Desk, user_id: int | None = None) -> Actor:
    actor = access.actor(tx, user_id or desk.user_id)
    assert actor is not None
    return actor


def fields(desk: Desk, inbox: int) -> list[Field]:
    return desk.server.app.database.read_now(lambda db: queries.fields_of(db, desk.account_id, (inbox,)))


@pytest.mark.parametrize(
    "moved, by, order", [("a", 1, "bac"), ("c", -1, "acb"), ("a", -1, "abc"), ("c", 5, "abc"), ("a", 5, "bca")]
)
def test_a_field_moves_as_far_as_there_is_room(desk: Desk, moved: str, by: int, order: str) -> None:
    inbox = desk.add_inbox()
    ids = {name: desk.add_field(inbox, name, "singleline") for name in "abc"}
    desk.write(lambda tx: custom_fields.move(tx, acting(tx, desk), ids[moved], by))
    assert "".join(field.name for field in fields(desk, inbox)) == order


def test_choices_that_stay_keep_their_ids_and_come_in_the_order_given(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id = desk.add_field(inbox, "Plan", "dropdown", ("Pro", "Free", "Old"))
    pro, free, _ = fields(desk, inbox)[0].options
    wanted = FieldChange(
        name="Plan", type="number", choices=[Choice("New"), Choice(" Free ", free.id), Choice("Paid", pro.id)]
    )  # fmt: skip
    desk.write(lambda tx: custom_fields.change(tx, acting(tx, desk), id, wanted))
    (after,) = fields(desk, inbox)
    assert after.type == "dropdown"  # it stays what it was
    assert [option.label for option in after.options] == ["New", "Free", "Paid"]
    assert [option.id for option in after.options][1:] == [free.id, pro.id]


def test_another_field_s_choice_is_not_taken_over(desk: Desk) -> None:
    inbox = desk.add_inbox()
    id, other = (desk.add_field(inbox, name, "dropdown", ("Pro",)) for name in ("Plan", "Tier"))
    theirs = next(field for field in fields(desk, inbox) if field.id == other).options[0]
    wanted = FieldChange(name="Plan", type="dropdown", choices=[Choice("Mine", theirs.id)])
    desk.write(lambda tx: custom_fields.change(tx, acting(tx, desk), id, wanted))
    plan, tier = fields(desk, inbox)
    assert tier.options == (theirs,) and plan.options[0].label == "Mine" and plan.options[0].id != theirs.id


def test_fields_are_administrators_and_of_one_s_own_account(desk: Desk) -> None:
    inbox, ines = desk.add_inbox(), desk.add_user()
    id, stranger = desk.add_field(inbox, "Plan", "singleline"), open_desk(desk.server)
    theirs = stranger.add_field(stranger.add_inbox(), "Plan", "singleline")
    wanted = FieldChange(name="Level", type="singleline")
    with pytest.raises(AccessDenied):
        desk.write(lambda tx: custom_fields.change(tx, acting(tx, desk, ines), id, wanted))
    with pytest.raises(NotFound):
        desk.write(lambda tx: custom_fields.delete(tx, acting(tx, desk), theirs))
    with pytest.raises(BadRequest):
        desk.write(lambda tx: custom_fields.add(tx, acting(tx, desk), inbox, FieldChange(name="plan", type="date")))
