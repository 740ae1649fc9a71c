"""Teams and who is in them."""

from __future__ import annotations

from deskhand.catalogue import teams as operations
from deskhand.catalogue.operation import NoBody, NoQuery
from deskhand.catalogue.teams import ListTeamMembers, ListTeams, Team, UpdateTeamMembers
from deskhand.catalogue.users import User
from deskhand.desk.call import Call, Page, implements
from deskhand.desk.teams import queries, represent, verbs
from deskhand.desk.users import queries as users
from deskhand.desk.users import represent as represent_users
from deskhand.desk.users.queries import PAGE_SIZE


@implements(operations.list_teams)
def list_teams(call: Call[ListTeams, NoBody]) -> Page[Team]:
    page = call.query.page
    found, total = users.find_teams(call.tx, call.actor.account_id, page)
    return Page([represent.team(row, call.base) for row in found], page, PAGE_SIZE, total)


@implements(operations.get_team)
def get_team(call: Call[NoQuery, NoBody]) -> Team:
    return represent.team(queries.by_id(call.tx, call.actor.account_id, call.path[0]), call.base)


@implements(operations.list_team_members)
def list_team_members(call: Call[ListTeamMembers, NoBody]) -> Page[User]:
    page = call.query.page
    team = queries.by_id(call.tx, call.actor.account_id, call.path[0])
    found, total = queries.members(call.tx, team.account_id, team.id, page)
    return Page([represent_users.user(row, call.base) for row in found], page, PAGE_SIZE, total)


@implements(operations.update_team_members)
def update_team_members(call: Call[NoQuery, UpdateTeamMembers]) -> None:
    verbs.change_members(call.tx, call.actor, call.path[0], call.body)
