"""Teams: groups of users that conversations can be assigned to."""

from __future__ import annotations

from msgspec import field

from deskhand.catalogue.links import Links
from deskhand.catalogue.operation import HS, Action, ListOf, One, Operation, Resource
from deskhand.catalogue.users import User
from deskhand.catalogue.values import PageNumber, Shape


class Team(Shape, kw_only=True):
    """A team as it is read."""

    id: int
    name: str
    timezone: str
    photo_url: str | None
    mention: str
    initials: str
    created_at: str
    updated_at: str
    links: Links = field(name="_links")


class ListTeams(Shape, kw_only=True):
    """Which teams to list."""

    page: PageNumber = 1


class ListTeamMembers(Shape, kw_only=True):
    """Which of a team's users to list."""

    page: PageNumber = 1


list_teams = Operation(
    name="list_teams", method="GET", path="/v2/teams",
    resource=Resource.TEAMS, action=Action.READ, query=ListTeams, returns=ListOf("teams", Team),
    phrase="list teams",
    summary="List the teams of the account.",
    source=HS + "teams/list-teams",
)  # fmt: skip

get_team = Operation(
    name="get_team", method="GET", path="/v2/teams/{team_id}",
    resource=Resource.TEAMS, action=Action.READ, returns=One(Team),
    phrase="read team {team_id}",
    summary="One team; not documented, but each team links to itself.",
    source=HS + "teams/list-teams",
)  # fmt: skip

list_team_members = Operation(
    name="list_team_members", method="GET", path="/v2/teams/{team_id}/members",
    resource=Resource.TEAMS, action=Action.READ, query=ListTeamMembers, returns=ListOf("users", User),
    phrase="list who is in team {team_id}",
    summary="List the users of a team.",
    source=HS + "teams/list-team-members",
)  # fmt: skip

OPERATIONS = (list_teams, get_team, list_team_members)
