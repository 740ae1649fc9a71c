"""Opening accounts; adding users, deactivating them, and deciding which inboxes they see."""

from __future__ import annotations

from typing import Literal

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command
from deskhand.desk.access import STALE
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
