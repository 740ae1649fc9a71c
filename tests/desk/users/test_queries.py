"""What other slices ask about users."""

from __future__ import annotations

from typing import Any

from deskhand.desk.users import queries
from deskhand.desk.users.queries import Person
from tests.world import Desk, open_desk


def test_people_of_any_type_come_in_one_statement(desk: Desk) -> None:
    stranger = open_desk(desk.server)
    ines, team = desk.add_user("Ines", "Okafor"), desk.add_team("Tier Two")
    ids = [team, ines, ines, stranger.user_id, 999_999_999]

    def work(db: Any) -> tuple[dict[int, Person], int]:
        before = db.ran
        return queries.people(db, desk.account_id, ids), db.ran - before

    found, statements = desk.server.app.database.read_now(work)
    email = desk.get(f"/v2/users/{ines}").json()["email"]
    assert found == {
        ines: Person(ines, "user", "Ines", "Okafor", email, None),
        team: Person(team, "team", "Tier Two", "", None, None),
    }
    assert statements == 1


def test_nobody_costs_nothing(desk: Desk) -> None:
    def work(db: Any) -> tuple[dict[int, Person], int]:
        before = db.ran
        return queries.people(db, desk.account_id, ()), db.ran - before

    assert desk.server.app.database.read_now(work) == ({}, 0)
