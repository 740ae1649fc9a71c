"""Changing users: their names, address and role. An account always keeps an owner, and nobody raises themselves."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, AlreadyThere, BadRequest, FieldError, NotFound, empty
from deskhand.catalogue.users import JOB_TITLE_MOST, NAME_MOST
from deskhand.catalogue.values import Email, decode_hook
from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, command, rows, value
from deskhand.desk.access import STALE, require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.users import queries, security_notices, sign_in_links, verbs
from deskhand.desk.users.queries import WORKING, UserRow
from deskhand.desk.users.security_notices import Notice
from deskhand.desk.users.tables import account, inbox_access, staff
from deskhand.outbox import events

ROLES = ("owner", "admin", "user", "light user")
"""From the one who may do everything to the one who may do least."""


class UserChange(msgspec.Struct, frozen=True, kw_only=True):
    """All that administrators decide about a user beside their inboxes."""

    first_name: str
    last_name: str
    email: str
    role: str
    job_title: str = ""


class _Seen(msgspec.Struct, frozen=True):
    user_id: int
    inbox_id: int


_CHANGE = command(
    sa.update(staff)
    .where(staff.c.account_id == P("account_id"), staff.c.id == P("id"))
    .values(
        first_name=P("first_name"), last_name=P("last_name"), email=P("email"), role=P("role"),
        job_title=P("job_title"), updated_at=P("now"),
    )
)  # fmt: skip
_OTHER_OWNERS = value(
    int,
    sa.select(sa.func.count())
    .select_from(staff)
    .where(
        staff.c.account_id == P("account_id"),
        staff.c.type == sa.literal_column("'user'"),
        staff.c.role == sa.literal_column("'owner'"),
        staff.c.state == sa.literal_column("'active'"),
        staff.c.id != P("id"),
    ),
)
_LOCK = value(int, sa.select(account.c.id).where(account.c.id == P("account_id")).with_for_update())
_ALL = rows(UserRow, queries.STAFF.where(*WORKING).order_by(staff.c.id))
_SEEN = rows(
    _Seen,
    sa.select(inbox_access.c.user_id, inbox_access.c.inbox_id)
    .where(inbox_access.c.account_id == P("account_id"))
    .order_by(inbox_access.c.user_id, inbox_access.c.inbox_id),
)


def all_of(db: Reader, account_id: int) -> list[UserRow]:
    """All users of an account, those with an open invitation included, oldest first."""
    return db.all(_ALL, account_id=account_id)


def seen_inboxes(db: Reader, account_id: int) -> dict[int, list[int]]:
    """The inboxes that users were let into, by user; owners and administrators see all and may be missing."""
    found: dict[int, list[int]] = {}
    for row in db.all(_SEEN, account_id=account_id):
        found.setdefault(row.user_id, []).append(row.inbox_id)
    return found


def user(db: Reader, account_id: int, id: int) -> UserRow:
    """A user who has not been deleted; raises NotFound."""
    found = queries.by_id(db, account_id, id)
    if found is None or found.type != "user" or found.state == "inactive":
        raise NotFound
    return found


def change(tx: Writer, actor: Actor, id: int, wanted: UserChange, now: str) -> None:
    """Change a user. Raises NotFound, AccessDenied, BadRequest, and AlreadyThere for an address that is taken.

    Owners are changed and made by owners alone, for who can change somebody's address can take their place.
    """
    require_administrator(actor)
    tx.one(_LOCK, account_id=actor.account_id)  # so that two owners can't both step down at once
    before = user(tx, actor.account_id, id)
    faults = _faults(wanted)
    if faults:
        raise BadRequest(*faults)
    _require_may_raise(tx, actor, before, wanted.role)
    email = wanted.email.strip().lower()
    if email != before.email:
        _free(tx, actor.account_id, id, email)
    tx.run(
        _CHANGE, account_id=actor.account_id, id=id, first_name=wanted.first_name.strip(),
        last_name=wanted.last_name.strip(), email=email, role=wanted.role, job_title=wanted.job_title.strip(), now=now,
    )  # fmt: skip
    if email != before.email:  # what was mailed to the old address opens nothing any more
        sign_in_links.withdraw(tx, actor.account_id, id)
        if before.state == "invited":
            sign_in_links.issue(tx, actor.account_id, id, "welcome", now)
        elif before.state == "active":
            _tell(tx, actor, before, email, now)
    tx.changed(STALE)
    tx.changed(events.PAGES)


def require_may_change(actor: Actor, user: UserRow) -> None:
    """Raises AccessDenied for who is no administrator, and for an owner who is to be changed by somebody else."""
    require_administrator(actor)
    if user.role == "owner" and actor.role != "owner":
        raise AccessDenied(FieldError("", "Only an owner can change an owner", "ValidIdentifier"))


def _tell(tx: Writer, actor: Actor, before: UserRow, email: str, now: str) -> None:
    """Tell of a new address both there and at the old one."""
    who = None if actor.user_id == before.id else queries.by_id(tx, actor.account_id, actor.user_id)
    by = " ".join(filter(None, (who.first_name, who.last_name))) if who else ""
    notices = [
        Notice(what="address", user_id=before.id, email=to, at=now, by=by, address=email)
        for to in (before.email, email)
        if to
    ]
    security_notices.tell_all(tx, actor.account_id, notices)


def _faults(wanted: UserChange) -> list[FieldError]:
    faults = []
    for path, text in (("first_name", wanted.first_name), ("last_name", wanted.last_name)):
        if not text.strip():
            faults.append(empty(path))
        elif len(text.strip()) > NAME_MOST:
            faults.append(FieldError(path, f"must have at most {NAME_MOST} characters", "Size"))
    if len(wanted.job_title.strip()) > JOB_TITLE_MOST:
        faults.append(FieldError("job_title", f"must have at most {JOB_TITLE_MOST} characters", "Size"))
    if wanted.role not in ROLES:
        faults.append(FieldError("role", "is not one of the roles", "EnumValue"))
    try:
        decode_hook(Email, wanted.email)
    except ValueError:
        faults.append(FieldError("email", "must be an e-mail address", "Email"))
    return faults


def _require_may_raise(db: Reader, actor: Actor, before: UserRow, role: str) -> None:
    require_may_change(actor, before)
    if role == before.role:
        return
    if role == "owner" and actor.role != "owner":
        raise AccessDenied(FieldError("role", "only an owner can make an owner", "EnumValue"))
    if actor.user_id == before.id and ROLES.index(role) < ROLES.index(before.role):
        raise AccessDenied(FieldError("role", "nobody can raise themselves", "EnumValue"))
    if before.role == "owner" and not db.first(_OTHER_OWNERS, account_id=before.account_id, id=before.id):
        raise BadRequest(FieldError("role", "must stay owner: an account needs one who can sign in", "EnumValue"))
    if role == "owner" and before.state != "active":
        raise BadRequest(FieldError("role", "can be owner only once they have accepted the invitation", "EnumValue"))


def _free(tx: Writer, account_id: int, id: int, email: str) -> None:
    """Make sure that nobody else has an address; who was deleted loses it."""
    owner = queries.by_email(tx, account_id, email)
    if owner is not None and owner.id == id:
        return
    try:
        verbs.free_address(tx, account_id, email)
    except AlreadyThere:
        raise AlreadyThere(FieldError("email", "belongs to somebody here already", "Unique", email)) from None
