"""Deciding who is in a team."""

from __future__ import annotations

from deskhand.desk.teams.verbs import set_members
from tests.world import Desk


def test_setting_members_replaces_those_before(desk: Desk) -> None:
    ines, omar = desk.add_user("Ines"), desk.add_user("Omar")
    team_id, other = desk.add_team("Tier Two", (ines,)), desk.add_team("Tier One", (ines,))
    desk.write(lambda tx: set_members(tx, desk.account_id, team_id, (omar,)))
    assert members(desk, team_id) == [omar]
    assert members(desk, other) == [ines]


def members(desk: Desk, team_id: int) -> list[int]:
    return [user["id"] for user in desk.get(f"/v2/teams/{team_id}/members").json()["_embedded"]["users"]]
