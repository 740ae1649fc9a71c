"""Whose work a user's report is about: a user, or the members of a team together."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.db.engine import Reader
from deskhand.db.statements import P, value
from deskhand.desk.call import Actor
from deskhand.desk.reports.selecting import Selection
from deskhand.desk.teams.tables import team_member
from deskhand.desk.users import queries as users
from deskhand.desk.users.queries import UserRow

_MEMBERS = value(
    int,
    sa.select(team_member.c.user_id)
    .where(team_member.c.account_id == P("account_id"), team_member.c.team_id == P("team_id"))
    .order_by(team_member.c.user_id),
)


class Workers(msgspec.Struct, frozen=True):
    """Who a report is about, and the users whose figures are summed."""

    row: UserRow
    ids: tuple[int, ...]


def workers(db: Reader, actor: Actor, id: int) -> Workers:
    """A user, a team or a system user by their id, active or not; raises BadRequest where the account has no such."""
    row = users.by_id(db, actor.account_id, id)
    if row is None:
        raise BadRequest(FieldError("user", "no such user or team", "ValidIdentifier", id, "QUERY"))
    members = db.all(_MEMBERS, account_id=actor.account_id, team_id=id) if row.type == "team" else [id]
    return Workers(row, tuple(members))


def working(selection: Selection, of: Workers) -> Selection:
    """The selection with the filter `users`: statements that know it bind the ids as the parameter `users`."""
    given = selection.given | {"users": msgspec.json.encode(of.ids).decode()}
    return Selection(selection.account_id, selection.filters | {"users"}, given)
