"""Who may own a conversation, and who may be named as the author of a thread."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from deskhand.catalogue.problems import unknown_id
from deskhand.db.engine import Reader, Writer
from deskhand.db.portable import ids_in
from deskhand.db.statements import P, Statement, rows, value
from deskhand.desk.access import SEES_ALL
from deskhand.desk.call import Actor
from deskhand.desk.users.tables import inbox_access, staff


class Staff(msgspec.Struct, frozen=True):
    """Somebody of the support staff, as far as ownership goes."""

    id: int
    type: str
    first_name: str
    last_name: str
    role: str
    state: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class OpenTo(msgspec.Struct, frozen=True):
    """An inbox that a user sees."""

    user_id: int
    inbox_id: int


_BY_ID = sa.select(staff.c.id, staff.c.type, staff.c.first_name, staff.c.last_name, staff.c.role, staff.c.state).where(
    staff.c.account_id == P("account_id"), staff.c.id == P("id")
)
_STAFF = rows(Staff, _BY_ID)
_KEPT = rows(Staff, _BY_ID.with_for_update(read=True))
_SEES = value(
    int,
    sa.select(inbox_access.c.inbox_id).where(
        inbox_access.c.account_id == P("account_id"),
        inbox_access.c.user_id == P("user_id"),
        inbox_access.c.inbox_id == P("inbox_id"),
    ),
)

CANDIDATES_MOST = 300


def _candidates(inbox: sa.ColumnElement[bool]) -> Statement[Staff]:
    return rows(
        Staff,
        sa.select(staff.c.id, staff.c.type, staff.c.first_name, staff.c.last_name, staff.c.role, staff.c.state)
        .where(
            staff.c.account_id == P("account_id"),
            staff.c.state != sa.literal_column("'inactive'"),
            sa.or_(
                staff.c.type == sa.literal_column("'team'"),
                sa.and_(
                    staff.c.type == sa.literal_column("'user'"),
                    sa.or_(
                        staff.c.role.in_([sa.literal_column("'owner'"), sa.literal_column("'admin'")]),
                        sa.exists().where(
                            inbox_access.c.account_id == staff.c.account_id,
                            inbox_access.c.user_id == staff.c.id,
                            inbox,
                        ),
                    ),
                ),
            ),
        )
        .order_by(staff.c.type.desc(), staff.c.first_name, staff.c.id)
        .limit(sa.literal_column(str(CANDIDATES_MOST))),
    )


_CANDIDATES = _candidates(inbox_access.c.inbox_id == P("inbox_id"))
_CANDIDATES_OF_ANY = _candidates(ids_in(inbox_access.c.inbox_id, P("inbox_ids", sa.Text)))
_OPEN_TO = rows(
    OpenTo,
    sa.select(inbox_access.c.user_id, inbox_access.c.inbox_id)
    .where(
        inbox_access.c.account_id == P("account_id"),
        ids_in(inbox_access.c.user_id, P("user_ids", sa.Text)),
        ids_in(inbox_access.c.inbox_id, P("inbox_ids", sa.Text)),
    )
    .order_by(inbox_access.c.user_id, inbox_access.c.inbox_id),
)


def candidates(db: Reader, account_id: int, inbox_id: int) -> list[Staff]:
    """Who may be chosen to own a conversation of an inbox: users who see it, then teams, by name."""
    return db.known(_CANDIDATES, account_id=account_id, inbox_id=inbox_id)


def candidates_of_any(
    db: Reader, account_id: int, inbox_ids: Sequence[int]
) -> tuple[list[Staff], dict[int, list[int]]]:
    """Who may be chosen to own conversations of one of some inboxes; and which of them, for those who don't see all."""
    listed = msgspec.json.encode(inbox_ids).decode()
    found = db.known(_CANDIDATES_OF_ANY, account_id=account_id, inbox_ids=listed)
    sees: dict[int, list[int]] = {one.id: [] for one in found if one.type == "user" and one.role not in SEES_ALL}
    user_ids = msgspec.json.encode(list(sees)).decode()
    for one in db.known(_OPEN_TO, account_id=account_id, user_ids=user_ids, inbox_ids=listed):
        sees[one.user_id].append(one.inbox_id)
    return found, sees


def by_id(db: Reader, account_id: int, id: int) -> Staff | None:
    """A user, team or system user of the account."""
    return db.one(_STAFF, account_id=account_id, id=id)


def to_own(tx: Writer, account_id: int, id: int) -> Staff | None:
    """Somebody who is to own a conversation; None for whom the account does not have, or no longer.

    They can't be deleted before this transaction ends, so whoever deletes them finds what they own by then.
    """
    found = tx.one(_KEPT, account_id=account_id, id=id)
    return None if found is None or found.state == "inactive" else found


def require_author(db: Reader, actor: Actor, given: int | None, path: str = "user") -> int:
    """The author of a thread: the caller unless another user is named; raises BadRequest for an unknown one."""
    if given is None or given == actor.user_id:
        return actor.user_id
    found = by_id(db, actor.account_id, given)
    if found is None or found.type == "team" or found.state == "inactive":
        raise unknown_id(path, given, "user")
    return given


def require_owner(
    tx: Writer, actor: Actor, given: int | None | UnsetType, otherwise: int | None, path: str = "assignTo"
) -> int | None:
    """The owner a change asks for: left out keeps `otherwise`, null is nobody; raises BadRequest for an unknown one."""
    if given is UNSET:
        return otherwise
    if given is None:
        return None
    found = to_own(tx, actor.account_id, given)
    if found is None:
        raise unknown_id(path, given, "user or team")
    return found.id


def may_own_in(db: Reader, account_id: int, owner: Staff, inbox_id: int) -> bool:
    """Whether somebody may own conversations of an inbox: teams and system users always, users who see it."""
    if owner.type != "user" or owner.role in SEES_ALL:
        return True
    return db.one(_SEES, account_id=account_id, user_id=owner.id, inbox_id=inbox_id) is not None
