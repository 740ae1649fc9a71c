"""Reading who is in a team; the teams themselves are read as the staff that they are."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.catalogue.problems import NotFound
from deskhand.db.engine import Reader
from deskhand.db.statements import P
from deskhand.desk.teams.tables import team_member
from deskhand.desk.users import queries as users
from deskhand.desk.users.queries import UserRow
from deskhand.desk.users.tables import staff

_MEMBERS = users.listing(
    users.STAFF.join(
        team_member,
        sa.and_(team_member.c.user_id == staff.c.id, team_member.c.account_id == staff.c.account_id),
    ).where(*users.WORKING, team_member.c.team_id == P("team_id"))
)


def by_id(db: Reader, account_id: int, id: int) -> UserRow:
    """A team; raises NotFound where the account has no such."""
    row = users.by_id(db, account_id, id)
    if row is None or row.type != "team":
        raise NotFound
    return row


def members(db: Reader, account_id: int, team_id: int, page: int) -> tuple[list[UserRow], int]:
    """A page of a team's users, and how many there are; the deactivated left out."""
    return users.on_page(db, _MEMBERS, page, account_id=account_id, team_id=team_id)
