"""Who is signed in to the web pages: a cookie with a random value whose hash is stored."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from starlette.requests import HTTPConnection

from deskhand.db.engine import Database, Reader, Writer
from deskhand.db.statements import Insert, P, command, rows
from deskhand.desk.users.tables import staff
from deskhand.lib.clock import Clock, to_wire
from deskhand.lib.secrets import digest, new_token
from deskhand.oauth.expiry import delete_expired
from deskhand.oauth.tables import web_session

COOKIE = "deskhand_session"
LIFE_S = 14 * 24 * 3600


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is stored."""

    account_id: int
    user_id: int
    session_hash: str
    csrf_token: str
    expires_at: str
    created_at: str


class SignedIn(msgspec.Struct, frozen=True):
    """Who is signed in. Every form they send must carry `csrf_token`: see `is_own_form`."""

    user_id: int
    account_id: int
    csrf_token: str


_ADD = Insert(web_session, NewSession)
_CURRENT = rows(
    SignedIn,
    sa.select(web_session.c.user_id, web_session.c.account_id, web_session.c.csrf_token)
    .join(staff, sa.and_(staff.c.id == web_session.c.user_id, staff.c.account_id == web_session.c.account_id))
    .where(
        web_session.c.session_hash == P("hash"),
        web_session.c.expires_at > P("now"),
        staff.c.state == "active",
        staff.c.type == "user",
    ),
)
_END = command(sa.delete(web_session).where(web_session.c.session_hash == P("hash")))
_END_OF_USER = command(
    sa.delete(web_session).where(web_session.c.account_id == P("account_id"), web_session.c.user_id == P("user_id"))
)
_DELETE_EXPIRED = delete_expired(web_session)


async def current(request: HTTPConnection, database: Database, clock: Clock) -> SignedIn | None:
    """Who sent a request, or None when nobody active is signed in."""
    given = request.cookies.get(COOKIE)
    if not given:
        return None
    hash, now = digest(given), to_wire(clock.now())

    def look_up(db: Reader) -> SignedIn | None:
        return db.one(_CURRENT, hash=hash, now=now)

    return await database.read(look_up)


def is_own_form(request: HTTPConnection, expected: str, given: str | None) -> bool:
    """Whether a form was sent from a page of ours: it carries the token that only such a page knows.

    Browsers say where a request comes from, too. That alone stops a sibling host that may set our cookies.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    return bool(expected) and hmac.compare_digest(expected.encode(), (given or "").encode("utf-8", "replace"))


def start(tx: Writer, *, account_id: int, user_id: int, now: datetime, before: str | None) -> str:
    """Sign a user in; gives the cookie's value, always a new one. The session `before`, if any, ends."""
    if before:
        end(tx, before)
    tx.run(_DELETE_EXPIRED, now=to_wire(now))
    made = new_token(43)
    tx.add(
        _ADD,
        NewSession(
            account_id=account_id,
            user_id=user_id,
            session_hash=digest(made),
            csrf_token=new_token(),
            expires_at=to_wire(now + timedelta(seconds=LIFE_S)),
            created_at=to_wire(now),
        ),
    )
    return made


def end(tx: Writer, given: str) -> None:
    """Sign out the session a cookie's value names."""
    tx.run(_END, hash=digest(given))


def end_of_user(tx: Writer, account_id: int, user_id: int) -> None:
    """Sign a user out everywhere, as when their password changes."""
    tx.run(_END_OF_USER, account_id=account_id, user_id=user_id)
