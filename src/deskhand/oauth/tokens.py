"""Access and refresh tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import Insert, P, command, rows
from deskhand.desk.access import STALE
from deskhand.lib.clock import to_wire
from deskhand.lib.secrets import digest, new_token
from deskhand.oauth.expiry import delete_expired
from deskhand.oauth.tables import application, token

LIFE_S = 172_800
"""How long an access token lives. Source: https://developer.helpscout.com/mailbox-api/overview/authentication"""


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it is stored."""

    account_id: int
    application_id: int
    user_id: int
    access_hash: str
    refresh_hash: str | None
    expires_at: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the client gets, once."""

    access: str
    refresh: str | None


class _Refreshable(msgspec.Struct, frozen=True):
    id: int
    user_id: int


class Holder(msgspec.Struct, frozen=True):
    """Whose an access token is: an application, and the user it acts as."""

    application_id: int
    application_name: str
    user_id: int


_ADD = Insert(token, NewToken)
_HOLDER = rows(
    Holder,
    sa.select(token.c.application_id, application.c.name.label("application_name"), token.c.user_id)
    .join(application, application.c.id == token.c.application_id)
    .where(token.c.access_hash == P("hash")),
)
_BY_REFRESH = rows(
    _Refreshable,
    sa.select(token.c.id, token.c.user_id).where(
        token.c.refresh_hash == P("hash"), token.c.application_id == P("application_id")
    ),
)
_SPEND_REFRESH = command(
    sa.update(token).where(token.c.id == P("id"), token.c.refresh_hash == P("hash")).values(refresh_hash=sa.null())
)
_REVOKE_OF_USER = command(
    sa.delete(token).where(token.c.account_id == P("account_id"), token.c.user_id == P("user_id"))
)
_DELETE_EXPIRED = delete_expired(token, token.c.refresh_hash.is_(None))


def issue(
    tx: Writer, *, account_id: int, application_id: int, user_id: int, now: datetime, refreshable: bool
) -> Tokens:
    """Make a new access token, and a refresh token for the flow that has one; both are stored as hashes."""
    made = Tokens(new_token(), new_token() if refreshable else None)
    tx.run(_DELETE_EXPIRED, now=to_wire(now))
    tx.add(
        _ADD,
        NewToken(
            account_id=account_id,
            application_id=application_id,
            user_id=user_id,
            access_hash=digest(made.access),
            refresh_hash=digest(made.refresh) if made.refresh else None,
            expires_at=to_wire(now + timedelta(seconds=LIFE_S)),
            created_at=to_wire(now),
        ),
    )
    return made


def holder(db: Reader, given: str) -> Holder | None:
    """Whose an access token is, whether it still holds or has expired."""
    return db.one(_HOLDER, hash=digest(given))


def spend_refresh(tx: Writer, application_id: int, given: str) -> int | None:
    """The user a refresh token stands for, and the end of it; None when it is unknown, spent or another's.

    The access token that came with it stays valid until it expires. Of two transactions that spend one refresh token,
    the database lets one change the row.
    """
    hash = digest(given)
    found = tx.one(_BY_REFRESH, hash=hash, application_id=application_id)
    if found is None or tx.run(_SPEND_REFRESH, id=found.id, hash=hash) != 1:
        return None
    return found.user_id


def revoke_of_user(tx: Writer, account_id: int, user_id: int) -> None:
    """End everything that applications may do as a user, at once."""
    tx.run(_REVOKE_OF_USER, account_id=account_id, user_id=user_id)
    tx.changed(STALE)
