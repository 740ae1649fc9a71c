"""Reading users, and the teams and system users who share their table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, Statement, columns, rows, value
from deskhand.desk.users.tables import inbox_access, staff, user_status

PAGE_SIZE = 50


class UserRow(msgspec.Struct, frozen=True):
    """A user as stored; a team has its name as the first name."""

    id: int
    account_id: int
    type: str
    first_name: str
    last_name: str
    email: str | None
    role: str
    state: str
    timezone: str
    photo_url: str | None
    job_title: str
    phone: str
    alternate_emails: str
    mention: str
    created_at: str
    updated_at: str


class Person(msgspec.Struct, frozen=True):
    """A user, team or system user (`type`) as other resources name them; a team has its name as `first`."""

    id: int
    type: str
    first: str
    last: str
    email: str | None
    photo_url: str | None


STAFF = sa.select(*columns(staff, *UserRow.__struct_fields__)).where(staff.c.account_id == P("account_id"))
"""The rows of an account, for queries that narrow them further."""
WORKING = (staff.c.type == sa.literal_column("'user'"), staff.c.state != sa.literal_column("'inactive'"))
"""People, those with an open invitation included; neither the deactivated nor teams nor system users."""
_TEAMS = STAFF.where(staff.c.type == sa.literal_column("'team'"), staff.c.state != sa.literal_column("'inactive'"))
_SYSTEM_USERS = STAFF.where(
    staff.c.type == sa.literal_column("'system_user'"), staff.c.state != sa.literal_column("'inactive'")
)
_BY_EMAIL = staff.c.email == P("email")
# The inboxes' slice lies above this one, so its table is named here by the columns that are needed.
_inbox = sa.table("inbox", sa.column("id", sa.BigInteger), sa.column("account_id", sa.BigInteger))
_IS_OURS = sa.exists().where(_inbox.c.id == P("inbox_id"), _inbox.c.account_id == staff.c.account_id)
_SEES_INBOX = sa.or_(
    staff.c.role.in_([sa.literal_column("'owner'"), sa.literal_column("'admin'")]),
    sa.exists().where(
        inbox_access.c.user_id == staff.c.id,
        inbox_access.c.account_id == staff.c.account_id,
        inbox_access.c.inbox_id == P("inbox_id"),
    ),
)


class Presence(msgspec.Struct, frozen=True):
    """A user who can be given work, and whether they are active or away."""

    id: int
    status: str


class Listing(msgspec.Struct, frozen=True):
    """The two statements of a list: a page of it, and how many there are in all."""

    page: Statement[UserRow]
    count: Statement[int]


def listing(select: sa.Select[Any]) -> Listing:
    """The statements that list what `select`, made from STAFF, finds; oldest first."""
    page = select.order_by(staff.c.id).limit(P("size", sa.Integer)).offset(P("start", sa.BigInteger))
    return Listing(rows(UserRow, page), value(int, sa.select(sa.func.count()).select_from(select.subquery())))


_LISTS = {
    (False, False): listing(STAFF.where(*WORKING)),
    (True, False): listing(STAFF.where(*WORKING, _BY_EMAIL)),
    (False, True): listing(STAFF.where(*WORKING, _IS_OURS, _SEES_INBOX)),
    (True, True): listing(STAFF.where(*WORKING, _BY_EMAIL, _IS_OURS, _SEES_INBOX)),
}
"""By whether an e-mail address and an inbox are asked for."""
_TEAM_LIST = listing(_TEAMS)
_SYSTEM_USER_LIST = listing(_SYSTEM_USERS)
_BY_ID = rows(UserRow, STAFF.where(staff.c.id == P("id")))
_BY_IDS = rows(UserRow, STAFF.where(ids_in(staff.c.id, P("ids", sa.Text))))
_WITH_EMAIL = rows(UserRow, STAFF.where(_BY_EMAIL))
_AT_WORK = rows(
    Presence,
    sa.select(staff.c.id, sa.func.coalesce(user_status.c.status, sa.literal_column("'active'")).label("status"))
    .outerjoin(
        user_status, sa.and_(user_status.c.user_id == staff.c.id, user_status.c.account_id == staff.c.account_id)
    )
    .where(
        staff.c.account_id == P("account_id"),
        staff.c.type == sa.literal_column("'user'"),
        staff.c.state == sa.literal_column("'active'"),
        staff.c.role != sa.literal_column("'light user'"),
        _IS_OURS,
        _SEES_INBOX,
    )
    .order_by(staff.c.id),
)
_PEOPLE = rows(
    Person,
    sa.select(
        staff.c.id,
        staff.c.type,
        staff.c.first_name.label("first"),
        staff.c.last_name.label("last"),
        staff.c.email,
        staff.c.photo_url,
    ).where(staff.c.account_id == P("account_id"), ids_in(staff.c.id, P("ids", sa.Text))),
)


def find(db: Reader, account_id: int, email: str | None, inbox_id: int | None, page: int) -> tuple[list[UserRow], int]:
    """A page of an account's users, and how many there are.

    They can be narrowed to the one with an e-mail address, and to those who see an inbox.
    """
    wanted = {"account_id": account_id, "email": (email or "").lower(), "inbox_id": inbox_id}
    return on_page(db, _LISTS[email is not None, inbox_id is not None], page, **wanted)


def find_teams(db: Reader, account_id: int, page: int) -> tuple[list[UserRow], int]:
    """A page of an account's teams, and how many there are."""
    return on_page(db, _TEAM_LIST, page, account_id=account_id)


def find_system_users(db: Reader, account_id: int, page: int) -> tuple[list[UserRow], int]:
    """A page of an account's system users, and how many there are."""
    return on_page(db, _SYSTEM_USER_LIST, page, account_id=account_id)


def on_page(db: Reader, wanted: Listing, page: int, **given: Any) -> tuple[list[UserRow], int]:
    """A page of a list, counting from 1, and how many rows the list has."""
    found = db.all(wanted.page, **given, size=PAGE_SIZE, start=(page - 1) * PAGE_SIZE)
    return found, db.first(wanted.count, **given)


def by_id(db: Reader, account_id: int, id: int) -> UserRow | None:
    """A user, team or system user, active or not."""
    return db.one(_BY_ID, account_id=account_id, id=id)


def by_ids(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, UserRow]:
    """Users, teams and system users by id, active or not; one statement for all. Unknown ids are left out."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found = db.all(_BY_IDS, account_id=account_id, ids=msgspec.json.encode(wanted).decode())
    return {row.id: row for row in found}


def by_email(db: Reader, account_id: int, email: str) -> UserRow | None:
    """Who of the account has an e-mail address, active or not."""
    return db.one(_WITH_EMAIL, account_id=account_id, email=email.lower())


def at_work(db: Reader, account_id: int, inbox_id: int) -> list[Presence]:
    """The users who see an inbox, may answer in it and have signed in to the account, oldest first."""
    return db.all(_AT_WORK, account_id=account_id, inbox_id=inbox_id)


def people(db: Reader, account_id: int, ids: Iterable[int]) -> dict[int, Person]:
    """Users, teams and system users by id, active or not; one statement for all. Unknown ids are left out."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found = db.all(_PEOPLE, account_id=account_id, ids=msgspec.json.encode(wanted).decode())
    return {person.id: person for person in found}
