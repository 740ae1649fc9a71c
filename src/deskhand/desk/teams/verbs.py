"""Deciding who is in a team: all of it anew, or who comes and who leaves."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, FieldError
from deskhand.catalogue.teams import UpdateTeamMembers
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in
from deskhand.db.statements import Insert, P, command, value
from deskhand.desk.access import require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.teams import queries
from deskhand.desk.teams.tables import team_member
from deskhand.desk.users import queries as users


class Membership(msgspec.Struct, frozen=True):
    """That a user is in a team."""

    account_id: int
    team_id: int
    user_id: int


_ADD = Insert(team_member, Membership)
_CLEAR = command(
    sa.delete(team_member).where(team_member.c.account_id == P("account_id"), team_member.c.team_id == P("team_id"))
)
_REMOVE = command(
    sa.delete(team_member).where(
        team_member.c.account_id == P("account_id"),
        team_member.c.team_id == P("team_id"),
        ids_in(team_member.c.user_id, P("user_ids", sa.Text)),
    )
)
_IDS = value(
    int,
    sa.select(team_member.c.user_id).where(
        team_member.c.account_id == P("account_id"), team_member.c.team_id == P("team_id")
    ),
)


def set_members(tx: Writer, account_id: int, team_id: int, user_ids: Iterable[int]) -> None:
    """Decide who is in a team, in place of those before."""
    tx.run(_CLEAR, account_id=account_id, team_id=team_id)
    tx.add_many(_ADD, (Membership(account_id, team_id, user_id) for user_id in dict.fromkeys(user_ids)))


def change_members(tx: Writer, actor: Actor, team_id: int, change: UpdateTeamMembers) -> None:
    """Add users to a team and take others out of it.

    Raises NotFound, AccessDenied, and BadRequest for ids that are no users, or are both to come and to leave.
    """
    team = queries.by_id(tx, actor.account_id, team_id)
    require_administrator(actor)
    faults = _faults(tx, team.account_id, change)
    if faults:
        raise BadRequest(*faults)
    if change.deleted_user_ids:
        gone = msgspec.json.encode(change.deleted_user_ids).decode()
        tx.run(_REMOVE, account_id=team.account_id, team_id=team.id, user_ids=gone)
    there = set(tx.all(_IDS, account_id=team.account_id, team_id=team.id))
    added = (id for id in dict.fromkeys(change.added_user_ids) if id not in there)
    tx.add_many(_ADD, (Membership(team.account_id, team.id, id) for id in added))


def _faults(db: Reader, account_id: int, change: UpdateTeamMembers) -> list[FieldError]:
    """What is wrong with either list; who was deleted can leave a team, but not come into one."""
    known = users.by_ids(db, account_id, (*change.added_user_ids, *change.deleted_user_ids))
    people = {id for id, row in known.items() if row.type == "user"}
    working = {id for id in people if known[id].state != "inactive"}
    added = set(change.added_user_ids)
    faults = [
        FieldError(f"addedUserIds[{position}]", "no such user", "ValidIdentifier", id)
        for position, id in enumerate(change.added_user_ids)
        if id not in working
    ]
    for position, id in enumerate(change.deleted_user_ids):
        if id not in people or id in added:
            text = "is to be added as well" if id in added else "no such user"
            faults.append(FieldError(f"deletedUserIds[{position}]", text, "ValidIdentifier", id))
    return faults
