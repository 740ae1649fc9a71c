"""How the users of an account sign in: when each was seen last, and who has a second factor."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from deskhand.db.engine import Reader, Writer
from deskhand.db.statements import P, rows, value
from deskhand.oauth import sessions, tokens
from deskhand.oauth.tables import second_factor, web_session


class Seen(msgspec.Struct, frozen=True):
    """A user's sessions in browsers, and when one of them was used last."""

    user_id: int
    sessions: int
    at: str


_SEEN = rows(
    Seen,
    sa.select(
        web_session.c.user_id,
        sa.func.count().label("sessions"),
        sa.func.max(sa.func.coalesce(web_session.c.seen_at, web_session.c.created_at)).label("at"),
    )
    .where(web_session.c.account_id == P("account_id"), web_session.c.expires_at > P("now"))
    .group_by(web_session.c.user_id),
)
_WITH_FACTOR = value(
    int,
    sa.select(second_factor.c.user_id)
    .where(second_factor.c.account_id == P("account_id"), second_factor.c.on_since.is_not(None))
    .order_by(second_factor.c.user_id),
)


def seen(db: Reader, account_id: int, now: str) -> dict[int, Seen]:
    """When the users of an account were seen last, by user; who is signed in nowhere is left out."""
    return {one.user_id: one for one in db.all(_SEEN, account_id=account_id, now=now)}


def with_second_factor(db: Reader, account_id: int) -> set[int]:
    """The users of an account who are asked for a code after the password."""
    return set(db.all(_WITH_FACTOR, account_id=account_id))


def sign_out(tx: Writer, account_id: int, user_id: int) -> None:
    """Sign a user out of every browser and of every program that acts as them."""
    sessions.end_of_user(tx, account_id, user_id)
    tokens.revoke_of_user(tx, account_id, user_id)
