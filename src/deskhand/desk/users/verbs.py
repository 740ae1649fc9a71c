"""Opening accounts; adding users, deactivating them, and deciding which inboxes they see."""

from __future__ import annotations

from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, AlreadyThere, FieldError, NotFound
from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command
from deskhand.desk.access import STALE, require_administrator
from deskhand.desk.call import Actor
from deskhand.desk.users import queries
from deskhand.desk.users.tables import account, inbox_access, staff


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account as it begins. `rate_limit` is in units a minute (0: none), `lock_after_days` 0 means never."""

    name: str
    plan: str = "plus"
    timezone: str = "UTC"
    rate_limit: int = 400
    lock_after_days: int = 0
    thread_editing: int = 0
    next_number: int = 1001
    created_at: str


class NewStaff(msgspec.Struct, frozen=True, kw_only=True):
    """A user, team or system user to be added; `alternate_emails` is a JSON list."""

    account_id: int
    type: Literal["user", "team", "system_user"] = "user"
    first_name: str
    last_name: str = ""
    email: str | None = None
    role: str = "user"
    state: Literal["active", "invited", "inactive"] = "active"
    timezone: str = "UTC"
    photo_url: str | None = None
    job_title: str = ""
    phone: str = ""
    alternate_emails: str = "[]"
    mention: str = ""
    password_hash: str | None = None
    created_at: str
    updated_at: str


class Access(msgspec.Struct, frozen=True):
    """That a user sees an inbox."""

    account_id: int
    user_id: int
    inbox_id: int


_ADD_ACCOUNT = Insert(account, NewAccount)
_ADD_STAFF = Insert(staff, NewStaff)
_ADD_ACCESS = Insert(inbox_access, Access)
_NO_ACCESS = command(
    sa.delete(inbox_access).where(inbox_access.c.account_id == P("account_id"), inbox_access.c.user_id == P("user_id"))
)
_SET_STATE = command(
    sa.update(staff)
    .where(staff.c.account_id == P("account_id"), staff.c.id == P("id"))
    .values(state=P("state"), updated_at=P("now"))
)
_RENAME = command(
    sa.update(staff)
    .where(staff.c.account_id == P("account_id"), staff.c.id == P("id"))
    .values(first_name=P("first_name"), last_name=P("last_name"), updated_at=P("now"))
)
_FREE_EMAIL = command(
    sa.update(staff).where(staff.c.account_id == P("account_id"), staff.c.id == P("id")).values(email=sa.null())
)


def open_account(tx: Writer, new: NewAccount) -> int:
    """Open an account; gives its id."""
    return tx.add(_ADD_ACCOUNT, new)


def add_staff(tx: Writer, new: NewStaff) -> int:
    """Add a user, team or system user; raises Duplicate when the account has somebody with this e-mail.

    Addresses are kept in lower case, by which they are found and compared.
    """
    return tx.add(_ADD_STAFF, msgspec.structs.replace(new, email=new.email.lower()) if new.email else new)


def set_inboxes(tx: Writer, account_id: int, user_id: int, inbox_ids: tuple[int, ...]) -> None:
    """Decide which inboxes a user sees, in place of those before."""
    tx.run(_NO_ACCESS, account_id=account_id, user_id=user_id)
    tx.add_many(_ADD_ACCESS, (Access(account_id, user_id, inbox_id) for inbox_id in inbox_ids))
    tx.changed(STALE)


def set_state(tx: Writer, account_id: int, user_id: int, state: str, now: str) -> None:
    """Activate or deactivate a user; a deactivated user's tokens stop working at once."""
    tx.run(_SET_STATE, account_id=account_id, id=user_id, state=state, now=now)
    tx.changed(STALE)


def rename(tx: Writer, account_id: int, user_id: int, first_name: str, last_name: str, now: str) -> None:
    """Give somebody another name, also for what they wrote before."""
    tx.run(_RENAME, account_id=account_id, id=user_id, first_name=first_name, last_name=last_name, now=now)


def free_address(tx: Writer, account_id: int, email: str) -> None:
    """Make sure that nobody has an e-mail address: who was deleted loses it, anybody else raises AlreadyThere."""
    owner = queries.by_email(tx, account_id, email)
    if owner is None:
        return
    if owner.state != "inactive":
        raise AlreadyThere(FieldError("email", "belongs to a user already", "ValidIdentifier", email))
    tx.run(_FREE_EMAIL, account_id=account_id, id=owner.id)


def delete(tx: Writer, actor: Actor, id: int, now: str) -> None:
    """Delete a user: they stay known by name, but sign in no more and see nothing.

    Raises NotFound, and AccessDenied for callers who are no administrators, for the owner and for oneself.
    """
    user = queries.by_id(tx, actor.account_id, id)
    if user is None or user.type != "user" or user.state == "inactive":
        raise NotFound
    require_administrator(actor)
    for refused, text in (
        (user.role == "owner", "the owner can't be deleted"),
        (user.id == actor.user_id, "nobody can delete themselves"),
    ):
        if refused:
            raise AccessDenied(FieldError("userId", text, "ValidIdentifier", id, "URI"))
    set_inboxes(tx, actor.account_id, id, ())
    set_state(tx, actor.account_id, id, "inactive", now)
