"""Making, renaming and listing teams. Deleting one is the conversations' slice's: it lets go of what the team owned."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import BadRequest, FieldError, NotFound, empty
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, command, rows
from deskhand.desk.access import require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.teams import queries
from deskhand.desk.teams.tables import team_member
from deskhand.desk.teams.verbs import set_members
from deskhand.desk.users import queries as users
from deskhand.desk.users import verbs as staff_verbs
from deskhand.desk.users.queries import UserRow
from deskhand.desk.users.tables import staff
from deskhand.lib.text import fold
from deskhand.outbox import events

NAME_MOST = 60
"""Characters of a team's name. Source: our choice."""


class TeamMember(msgspec.Struct, frozen=True):
    """A user in a team."""

    team_id: int
    id: int
    first: str
    last: str
    photo_url: str | None


_TEAMS = rows(
    UserRow,
    users.STAFF.where(
        staff.c.type == sa.literal_column("'team'"), staff.c.state != sa.literal_column("'inactive'")
    ).order_by(staff.c.id),
)
_MEMBERS = rows(
    TeamMember,
    sa.select(
        team_member.c.team_id,
        staff.c.id,
        staff.c.first_name.label("first"),
        staff.c.last_name.label("last"),
        staff.c.photo_url,
    )
    .join(staff, sa.and_(staff.c.id == team_member.c.user_id, staff.c.account_id == team_member.c.account_id))
    .where(team_member.c.account_id == P("account_id"), *users.WORKING)
    .order_by(team_member.c.team_id, staff.c.id),
)
_LEAVE = command(
    sa.delete(team_member).where(team_member.c.account_id == P("account_id"), team_member.c.team_id == P("team_id"))
)


def all_of(db: Reader, account_id: int) -> list[UserRow]:
    """The account's teams, oldest first."""
    return db.all(_TEAMS, account_id=account_id)


def members(db: Reader, account_id: int) -> dict[int, list[TeamMember]]:
    """Who is in which team, by team."""
    found: dict[int, list[TeamMember]] = {}
    for one in db.all(_MEMBERS, account_id=account_id):
        found.setdefault(one.team_id, []).append(one)
    return found


def team(db: Reader, account_id: int, id: int) -> UserRow:
    """A team that has not been deleted; raises NotFound."""
    found = queries.by_id(db, account_id, id)
    if found.state == "inactive":
        raise NotFound
    return found


def create(tx: Writer, actor: Actor, name: str, member_ids: Sequence[int], now: str) -> int:
    """Make a team; gives its id. Raises AccessDenied and BadRequest."""
    require_administrator(actor)
    name = _checked(tx, actor.account_id, name, member_ids)
    new = staff_verbs.NewStaff(
        account_id=actor.account_id, type="team", first_name=name, timezone=actor.policy.timezone, created_at=now,
        updated_at=now,
    )  # fmt: skip
    id = staff_verbs.add_staff(tx, new)
    set_members(tx, actor.account_id, id, member_ids)
    tx.changed(events.PAGES)
    return id


def change(tx: Writer, actor: Actor, id: int, name: str, member_ids: Sequence[int], now: str) -> None:
    """Give a team another name and other members; raises NotFound, AccessDenied and BadRequest."""
    require_administrator(actor)
    team(tx, actor.account_id, id)
    name = _checked(tx, actor.account_id, name, member_ids, id)
    staff_verbs.rename(tx, actor.account_id, id, name, "", now)
    set_members(tx, actor.account_id, id, member_ids)
    tx.changed(events.PAGES)


def close(tx: Writer, actor: Actor, id: int, now: str) -> None:
    """Delete a team: it stays known by its name, but is nobody's any more. Raises NotFound and AccessDenied."""
    require_administrator(actor)
    team(tx, actor.account_id, id)
    tx.run(_LEAVE, account_id=actor.account_id, team_id=id)
    staff_verbs.set_state(tx, actor.account_id, id, "inactive", now)
    tx.changed(events.PAGES)


def _checked(db: Reader, account_id: int, name: str, member_ids: Sequence[int], id: int = 0) -> str:
    """The name without spaces around it; raises BadRequest for a name that is taken and for members who are none."""
    name, faults = name.strip(), []
    if not name:
        faults.append(empty("name"))
    elif len(name) > NAME_MOST:
        faults.append(FieldError("name", f"must have at most {NAME_MOST} characters", "Size"))
    elif any(fold(one.first_name) == fold(name) and one.id != id for one in all_of(db, account_id)):
        faults.append(FieldError("name", "belongs to another team", "Unique"))
    known = users.by_ids(db, account_id, member_ids)
    if any((row := known.get(one)) is None or row.type != "user" or row.state == "inactive" for one in member_ids):
        faults.append(FieldError("members", "must be users of this account", "ValidIdentifier"))
    if faults:
        raise BadRequest(*faults)
    return name
