"""Teams as clients read them."""

from __future__ import annotations

from deskhand.desk.users import verbs as users
from tests.world import Desk, open_desk


def test_a_team_is_shown_with_its_links(desk: Desk) -> None:
    team_id = desk.add_team("Tier Two")
    body = desk.get(f"/v2/teams/{team_id}").json()
    place = f"{desk.server.url}/v2/teams/{team_id}"
    assert body == {
        "id": team_id,
        "name": "Tier Two",
        "timezone": "UTC",
        "photoUrl": None,
        "mention": "",
        "initials": "TT",
        "createdAt": body["createdAt"],
        "updatedAt": body["updatedAt"],
        "_links": {"self": {"href": place}, "members": {"href": f"{place}/members"}},
    }
    assert all(desk.get(link["href"]).status_code == 200 for link in body["_links"].values())


def test_the_list_has_the_teams_of_the_account_alone(desk: Desk) -> None:
    open_desk(desk.server).add_team()
    desk.add_user()
    ids = [desk.add_team("Tier One"), desk.add_team("Tier Two")]
    body = desk.get("/v2/teams").json()
    assert [team["id"] for team in body["_embedded"]["teams"]] == ids
    assert body["page"] == {"size": 50, "totalElements": 2, "totalPages": 1, "number": 1}


def test_members_are_users(desk: Desk) -> None:
    ines, omar, other = desk.add_user("Ines"), desk.add_user("Omar"), desk.add_user("Lea")
    team_id = desk.add_team("Tier Two", (omar, ines, omar))
    desk.add_team("Tier One", (other,))
    body = desk.get(f"/v2/teams/{team_id}/members").json()
    assert body["_embedded"]["users"] == [desk.get(f"/v2/users/{id}").json() for id in (ines, omar)]
    assert body["page"] == {"size": 50, "totalElements": 2, "totalPages": 1, "number": 1}


def test_a_deactivated_user_is_no_longer_listed(desk: Desk) -> None:
    ines = desk.add_user()
    team_id = desk.add_team("Tier Two", (ines, desk.user_id))
    desk.write(lambda tx: users.set_state(tx, desk.account_id, ines, "inactive", desk.now))
    body = desk.get(f"/v2/teams/{team_id}/members").json()
    assert [user["id"] for user in body["_embedded"]["users"]] == [desk.user_id]


def test_a_team_of_nobody_has_an_empty_list(desk: Desk) -> None:
    assert desk.get(f"/v2/teams/{desk.add_team()}/members").json()["_embedded"] == {"users": []}


def test_what_is_no_team_of_the_account_is_not_found(desk: Desk) -> None:
    foreign = open_desk(desk.server).add_team()
    for id in (desk.user_id, foreign, 999_999_999):
        assert desk.get(f"/v2/teams/{id}").status_code == 404
        assert desk.get(f"/v2/teams/{id}/members").status_code == 404


def test_a_page_far_beyond_the_end_is_empty(desk: Desk) -> None:
    for path in ("/v2/teams", f"/v2/teams/{desk.add_team()}/members"):
        assert list(desk.get(path, page=1_000_000_000).json()["_embedded"].values()) == [[]]
