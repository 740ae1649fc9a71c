"""Authorization codes: given to an application through the browser, exchanged once for tokens."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Writer
from deskhand.db.statements import Insert, P, command, rows
from deskhand.lib.clock import to_wire
from deskhand.lib.secrets import digest, new_token
from deskhand.oauth.expiry import delete_expired
from deskhand.oauth.tables import code

LIFE_S = 300
"""How long a code may wait to be exchanged. Our choice; the documentation names no time."""


class NewCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code as it is stored."""

    account_id: int
    application_id: int
    user_id: int
    code_hash: str
    expires_at: str


class _Code(msgspec.Struct, frozen=True):
    id: int
    user_id: int


_ADD = Insert(code, NewCode)
_BY_HASH = rows(
    _Code,
    sa.select(code.c.id, code.c.user_id).where(
        code.c.code_hash == P("hash"), code.c.application_id == P("application_id"), code.c.expires_at > P("now")
    ),
)
_SPEND = command(sa.delete(code).where(code.c.id == P("id")))
_DELETE_EXPIRED = delete_expired(code)


def issue(tx: Writer, *, account_id: int, application_id: int, user_id: int, now: datetime) -> str:
    """Make a code that lets an application act as a user."""
    made = new_token()
    tx.run(_DELETE_EXPIRED, now=to_wire(now))
    tx.add(
        _ADD,
        NewCode(
            account_id=account_id,
            application_id=application_id,
            user_id=user_id,
            code_hash=digest(made),
            expires_at=to_wire(now + timedelta(seconds=LIFE_S)),
        ),
    )
    return made


def spend(tx: Writer, application_id: int, given: str, now: datetime) -> int | None:
    """The user who gave the code to this application; None when it is unknown, expired, spent or another's.

    Of two transactions that spend one code, the database lets one delete the row.
    """
    found = tx.one(_BY_HASH, hash=digest(given), application_id=application_id, now=to_wire(now))
    if found is None or tx.run(_SPEND, id=found.id) != 1:
        return None
    return found.user_id
