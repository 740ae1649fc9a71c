"""Who a caller is and which inboxes they may see."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.catalogue.problems import AccessDenied, NotFound
from deskhand.db.engine import Reader
from deskhand.db.statements import P, columns, rows, value
from deskhand.desk.call import Actor, AsAgent, Policy
from deskhand.desk.users.tables import account, inbox_access, staff, user_preference

SEES_ALL = ("owner", "admin")
STALE = "access"
"""The name under which changes of users, their inboxes or their credentials are announced to memory caches."""


class _Known(msgspec.Struct, frozen=True):
    account_id: int
    user_id: int
    role: str
    rate_limit: int
    lock_after_days: int
    thread_editing: int
    timezone: str
    plan: str


class Person(_Known, frozen=True):
    """A user with what pages show of them, and with what they prefer where they chose something."""

    first_name: str
    last_name: str
    email: str | None
    photo_url: str | None
    own_timezone: str
    theme: str | None
    undo_s: int | None
    after_send: str | None
    send_status: str | None


_KNOWN = (
    sa.select(
        staff.c.account_id,
        staff.c.id.label("user_id"),
        staff.c.role,
        account.c.rate_limit,
        account.c.lock_after_days,
        account.c.thread_editing,
        account.c.timezone,
        account.c.plan,
    )
    .join(account, account.c.id == staff.c.account_id)
    .where(staff.c.id == P("user_id"), staff.c.state == "active")
)
# Agents come through the gateway and by no other door, so no credential may stand for a system user.
_USER = rows(_Known, _KNOWN.where(staff.c.type != "system_user"))
_PERSON = rows(
    Person,
    _KNOWN.add_columns(
        *columns(staff, "first_name", "last_name", "email", "photo_url"),
        staff.c.timezone.label("own_timezone"),
        *columns(user_preference, "theme", "undo_s", "after_send", "send_status"),
    )
    .outerjoin(
        user_preference,
        sa.and_(user_preference.c.account_id == staff.c.account_id, user_preference.c.user_id == staff.c.id),
    )
    .where(staff.c.type != "system_user"),
)
_SYSTEM_USER = rows(_Known, _KNOWN.where(staff.c.account_id == P("account_id"), staff.c.type == "system_user"))
_INBOXES = value(
    int,
    sa.select(inbox_access.c.inbox_id)
    .where(inbox_access.c.user_id == P("user_id"), inbox_access.c.account_id == P("account_id"))
    .order_by(inbox_access.c.inbox_id),
)


def actor(db: Reader, user_id: int) -> Actor | None:
    """The user as a caller, or None when they are unknown or not active."""
    known = db.one(_USER, user_id=user_id)
    return None if known is None else _actor(db, known)


def person(db: Reader, user_id: int) -> tuple[Actor, Person] | None:
    """As `actor`, with what pages show of them."""
    known = db.one(_PERSON, user_id=user_id)
    return None if known is None else (_actor(db, known), known)


def _actor(db: Reader, known: _Known) -> Actor:
    inboxes = None
    if known.role not in SEES_ALL:
        inboxes = tuple(db.all(_INBOXES, user_id=known.user_id, account_id=known.account_id))
    return Actor(known.account_id, known.user_id, known.role, inboxes, _policy(known))


def agent(db: Reader, given: AsAgent) -> Actor | None:
    """An agent as a caller; None when the account has no such system user, or no longer."""
    known = db.one(_SYSTEM_USER, account_id=given.account_id, user_id=given.user_id)
    if known is None:
        return None
    inboxes = None if given.inboxes is None else tuple(sorted(given.inboxes))
    return Actor(known.account_id, known.user_id, "admin", inboxes, _policy(known), given.inboxes, given.hide)


def _policy(known: _Known) -> Policy:
    return Policy(known.rate_limit, known.lock_after_days, known.thread_editing, known.timezone, known.plan)


def may_see(actor: Actor, inbox_id: int) -> bool:
    """Whether the caller may see an inbox of their account."""
    return actor.inboxes is None or inbox_id in actor.inboxes


def may_know(actor: Actor, inbox_id: int) -> bool:
    """Whether the caller may know that an inbox of their account exists: all but agents narrowed to others."""
    return actor.only is None or inbox_id in actor.only


def require_administrator(actor: Actor) -> None:
    """Raises AccessDenied for a caller who is neither owner nor administrator."""
    if actor.role not in SEES_ALL:
        raise AccessDenied


def require_inbox(actor: Actor, inbox_id: int) -> None:
    """Raises AccessDenied for an inbox of the account that the caller may not see, NotFound if not even know of."""
    if not may_see(actor, inbox_id):
        raise AccessDenied if actor.only is None else NotFound
