"""A user's own password: looking at it once more before something that matters, and changing it."""

from __future__ import annotations

import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, command, value
from deskhand.desk.users import security_notices, sign_in_links
from deskhand.desk.users.tables import staff
from deskhand.oauth import sessions

_ONE = (staff.c.account_id == P("account_id"), staff.c.id == P("user_id"), staff.c.password_hash.is_not(None))
_STORED = value(str, sa.select(staff.c.password_hash).where(*_ONE))
# Only where it is still the one that was looked at: of two changes at once, one comes too late.
_CHANGE = command(
    sa.update(staff)
    .where(*_ONE, staff.c.password_hash == P("before"))
    .values(password_hash=P("after"), updated_at=P("now"))
)


def stored(db: Reader, account_id: int, user_id: int) -> str | None:
    """A user's password as it is stored; None for those who have none."""
    return db.one(_STORED, account_id=account_id, user_id=user_id)


def change(tx: Writer, account_id: int, user_id: int, before: str, after: str, *, kept: int, now: str) -> bool:
    """Put another stored password in place of `before`: all sessions but the one `kept` end, and mailed links die.

    A mail tells of it. False when somebody was quicker.
    """
    if not tx.run(_CHANGE, account_id=account_id, user_id=user_id, before=before, after=after, now=now):
        return False
    sessions.end_others(tx, account_id, user_id, kept)
    sign_in_links.withdraw(tx, account_id, user_id)
    security_notices.tell(tx, account_id, user_id, "password", now)
    return True
