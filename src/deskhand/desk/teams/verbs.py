"""Deciding who is in a team."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command
from deskhand.desk.teams.tables import team_member


class Membership(msgspec.Struct, frozen=True):
    """That a user is in a team."""

    account_id: int
    team_id: int
    user_id: int


_ADD = Insert(team_member, Membership)
_CLEAR = command(
    sa.delete(team_member).where(team_member.c.account_id == P("account_id"), team_member.c.team_id == P("team_id"))
)


def set_members(tx: Writer, account_id: int, team_id: int, user_ids: Iterable[int]) -> None:
    """Decide who is in a team, in place of those before."""
    tx.run(_CLEAR, account_id=account_id, team_id=team_id)
    tx.add_many(_ADD, (Membership(account_id, team_id, user_id) for user_id in dict.fromkeys(user_ids)))
