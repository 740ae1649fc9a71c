"""Who has given the right password and has yet to give a code: remembered for minutes by a cookie, never a session."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, columns, command, rows
from deskhand.desk.users.tables import staff
from deskhand.lib.clock import to_wire
from deskhand.lib.secrets import digest, new_token
from deskhand.oauth.expiry import delete_expired
from deskhand.oauth.tables import sign_in_step

COOKIE = "deskhand_step"
LIFE_S = 600


class Step(msgspec.Struct, frozen=True):
    """Somebody half signed in."""

    id: int
    account_id: int
    user_id: int
    email: str | None


class _NewStep(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    user_id: int
    step_hash: str
    expires_at: str


_ADD = Insert(sign_in_step, _NewStep)
_CURRENT = rows(
    Step,
    sa.select(*columns(sign_in_step, "id", "account_id", "user_id"), staff.c.email)
    .join(staff, sa.and_(staff.c.id == sign_in_step.c.user_id, staff.c.account_id == sign_in_step.c.account_id))
    .where(
        sign_in_step.c.step_hash == P("hash"),
        sign_in_step.c.expires_at > P("now"),
        staff.c.state == sa.literal_column("'active'"),
        staff.c.type == sa.literal_column("'user'"),
    ),
)
_END = command(sa.delete(sign_in_step).where(sign_in_step.c.step_hash == P("hash")))
_DELETE_EXPIRED = delete_expired(sign_in_step)


def begin(tx: Writer, account_id: int, user_id: int, now: datetime) -> str:
    """Remember that a user's password was right; gives the cookie's value."""
    tx.run(_DELETE_EXPIRED, now=to_wire(now))
    made = new_token(43)
    expires_at = to_wire(now + timedelta(seconds=LIFE_S))
    tx.add(_ADD, _NewStep(account_id=account_id, user_id=user_id, step_hash=digest(made), expires_at=expires_at))
    return made


def current(db: Reader, given: str, now: datetime) -> Step | None:
    """Whose step a cookie's value names; None when it is over."""
    return db.one(_CURRENT, hash=digest(given), now=to_wire(now))


def end(tx: Writer, given: str) -> bool:
    """Take the step away; False when somebody else was quicker."""
    return tx.run(_END, hash=digest(given)) == 1
