"""Teams: groups of users that conversations can be assigned to."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from deskhand.catalogue.links import Links
from deskhand.catalogue.needs import no_inbox
from deskhand.catalogue.operation import HS, Action, ListOf, NoContent, One, Operation, Resource
from deskhand.catalogue.users import User
from deskhand.catalogue.values import Id, PageNumber, Shape

MEMBERS_MOST = 1_000
"""Users that one call can add to a team or take out of it; our choice."""


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


class UpdateTeamMembers(Shape, kw_only=True):
    """Who shall come into a team and who shall leave it; who is in already, or not in, changes nothing."""

    added_user_ids: Annotated[list[Id], Meta(max_length=MEMBERS_MOST)]
    deleted_user_ids: Annotated[list[Id], Meta(max_length=MEMBERS_MOST)]


list_teams = Operation(
    name="list_teams", method="GET", path="/v2/teams",
    resource=Resource.TEAMS, action=Action.READ, needs=no_inbox, query=ListTeams, returns=ListOf("teams", Team),
    phrase="list teams",
    summary="List the teams of the account.",
    source=HS + "teams/list-teams",
)  # fmt: skip

get_team = Operation(
    name="get_team", method="GET", path="/v2/teams/{team_id}",
    resource=Resource.TEAMS, action=Action.READ, needs=no_inbox, returns=One(Team),
    phrase="read team {team_id}",
    summary="One team; not documented, but each team links to itself.",
    source=HS + "teams/list-teams",
)  # fmt: skip

list_team_members = Operation(
    name="list_team_members", method="GET", path="/v2/teams/{team_id}/members",
    resource=Resource.TEAMS, action=Action.READ, needs=no_inbox, query=ListTeamMembers, returns=ListOf("users", User),
    phrase="list who is in team {team_id}",
    summary="List the users of a team.",
    source=HS + "teams/list-team-members",
)  # fmt: skip

update_team_members = Operation(
    name="update_team_members", method="PUT", path="/v2/teams/{team_id}/members",
    resource=Resource.TEAMS, action=Action.WRITE, needs=no_inbox, body=UpdateTeamMembers, returns=NoContent(),
    errors=((403, "the caller is neither owner nor administrator"),),
    phrase="change who is in team {team_id}",
    summary="Add users to a team and take others out of it.",
    source=HS + "teams/update-team-members",
)  # fmt: skip

OPERATIONS = (list_teams, get_team, list_team_members, update_team_members)
