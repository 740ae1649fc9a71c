"""Who is signed in to the web pages: a cookie with a random value whose hash is stored."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa
from starlette.requests import HTTPConnection

from deskhand.db.engine import Conflict, Database, Reader, Unavailable, Writer
from deskhand.db.statements import Insert, P, columns, command, rows, value
from deskhand.desk.users.tables import staff
from deskhand.lib.clock import Clock, to_wire
from deskhand.lib.secrets import digest, new_token
from deskhand.oauth.expiry import delete_expired
from deskhand.oauth.tables import sign_in_step, web_session

COOKIE = "deskhand_session"
LIFE_S = 14 * 24 * 3600
SEEN_EVERY = timedelta(minutes=5)
"""How old it may get what is known of when and where a session was used last."""
CONFIRMED_FOR = timedelta(minutes=10)
"""How long it counts that somebody has shown that it is them."""
_USER_AGENT_MOST = 500


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is stored."""

    account_id: int
    user_id: int
    session_hash: str
    csrf_token: str
    expires_at: str
    created_at: str
    user_agent: str = ""
    address: str = ""
    seen_at: str = ""
    confirmed_at: str | None = None


class SignedIn(msgspec.Struct, frozen=True):
    """Who is signed in. Every form they send must carry `csrf_token`: see `is_own_form`."""

    user_id: int
    account_id: int
    csrf_token: str
    session_id: int
    seen_at: str | None


class Session(msgspec.Struct, frozen=True):
    """A session as its user sees it; sessions that began before anything was noted of them say less."""

    id: int
    created_at: str
    user_agent: str | None
    address: str | None
    seen_at: str | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session is used: what the browser calls itself, and the network address."""

    user_agent: str = ""
    address: str = ""

    @classmethod
    def of(cls, request: HTTPConnection) -> Origin:
        host = request.client.host if request.client else ""
        return cls(_storable(request.headers.get("user-agent", "")), host)


_ADD = Insert(web_session, NewSession)
_CURRENT = rows(
    SignedIn,
    sa.select(
        web_session.c.user_id,
        web_session.c.account_id,
        web_session.c.csrf_token,
        web_session.c.id.label("session_id"),
        web_session.c.seen_at,
    )
    .join(staff, sa.and_(staff.c.id == web_session.c.user_id, staff.c.account_id == web_session.c.account_id))
    .where(
        web_session.c.session_hash == P("hash"),
        web_session.c.expires_at > P("now"),
        staff.c.state == "active",
        staff.c.type == "user",
    ),
)
_END = command(sa.delete(web_session).where(web_session.c.session_hash == P("hash")))
_OF_USER = (web_session.c.account_id == P("account_id"), web_session.c.user_id == P("user_id"))
_END_OF_USER = command(sa.delete(web_session).where(*_OF_USER))
_END_ONE = command(sa.delete(web_session).where(*_OF_USER, web_session.c.id == P("id")))
_END_OTHERS = command(sa.delete(web_session).where(*_OF_USER, web_session.c.id != P("id")))
_END_STEPS = command(
    sa.delete(sign_in_step).where(sign_in_step.c.account_id == P("account_id"), sign_in_step.c.user_id == P("user_id"))
)
_SESSIONS = rows(
    Session,
    sa.select(*columns(web_session, *Session.__struct_fields__))
    .where(*_OF_USER, web_session.c.expires_at > P("now"))
    .order_by(sa.func.coalesce(web_session.c.seen_at, web_session.c.created_at).desc(), web_session.c.id.desc())
    .limit(sa.literal_column("200")),
)
_CONFIRMED = value(
    int,
    sa.select(sa.func.count())
    .select_from(web_session)
    .where(*_OF_USER, web_session.c.id == P("id"), web_session.c.confirmed_at > P("since")),
)
_CONFIRM = command(sa.update(web_session).where(*_OF_USER, web_session.c.id == P("id")).values(confirmed_at=P("now")))
_SEEN = command(
    sa.update(web_session)
    .where(*_OF_USER, web_session.c.id == P("id"))
    .values(user_agent=P("user_agent"), address=P("address"), seen_at=P("now"))
)
_DELETE_EXPIRED = delete_expired(web_session)


async def current(request: HTTPConnection, database: Database, clock: Clock) -> SignedIn | None:
    """Who sent a request, or None when nobody active is signed in."""
    look_up = looking_up(request, clock)
    return await database.read(look_up) if look_up else None


def looking_up(request: HTTPConnection, clock: Clock) -> Callable[[Reader], SignedIn | None] | None:
    """Looks up who sent a request, as `current`; None for one that names no session."""
    given = request.cookies.get(COOKIE)
    if not given:
        return None
    hash, now = digest(given), to_wire(clock.now())
    return lambda db: db.one(_CURRENT, hash=hash, now=now)


def is_own_form(request: HTTPConnection, expected: str, given: str | None) -> bool:
    """Whether a form was sent from a page of ours: it carries the token that only such a page knows.

    Browsers say where a request comes from, too. That alone stops a sibling host that may set our cookies.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    return bool(expected) and hmac.compare_digest(expected.encode(), (given or "").encode("utf-8", "replace"))


async def note(request: HTTPConnection, signed_in: SignedIn, database: Database, clock: Clock) -> None:
    """Write down where and when a session was used, if that is not known well enough. Nothing depends on it."""
    now = clock.now()
    if signed_in.seen_at is not None and signed_in.seen_at > to_wire(now - SEEN_EVERY):
        return
    origin, who = Origin.of(request), {"account_id": signed_in.account_id, "user_id": signed_in.user_id}
    given = {"user_agent": origin.user_agent, "address": origin.address, "now": to_wire(now)}
    with suppress(Unavailable, Conflict):
        await database.write(lambda tx: tx.run(_SEEN, id=signed_in.session_id, **who, **given))


def start(
    tx: Writer,
    *,
    account_id: int,
    user_id: int,
    now: datetime,
    before: str | None,
    origin: Origin | None = None,
    confirmed: datetime | Literal["now"] | None = "now",
) -> str:
    """Sign a user in; gives the cookie's value, always a new one. The session `before`, if any, ends.

    `confirmed` is when they have shown that it is them; None: somebody else vouched for that, who knows when.
    """
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
            user_agent=origin.user_agent if origin else "",
            address=origin.address if origin else "",
            seen_at=to_wire(now),
            confirmed_at=None if confirmed is None else to_wire(now if confirmed == "now" else confirmed),
        ),
    )
    return made


def of_user(db: Reader, account_id: int, user_id: int, now: str) -> list[Session]:
    """Where a user is signed in, what was used last first."""
    return db.all(_SESSIONS, account_id=account_id, user_id=user_id, now=now)


def confirm(tx: Writer, account_id: int, user_id: int, id: int, now: datetime) -> None:
    """Write down that it is really the user who sits where a session is."""
    tx.run(_CONFIRM, account_id=account_id, user_id=user_id, id=id, now=to_wire(now))


def is_confirmed(db: Reader, account_id: int, user_id: int, id: int, now: datetime) -> bool:
    """Whether it was really the user who sat there a moment ago: they signed in, or showed it once more."""
    return db.first(_CONFIRMED, account_id=account_id, user_id=user_id, id=id, since=to_wire(now - CONFIRMED_FOR)) > 0


def end(tx: Writer, given: str) -> None:
    """Sign out the session a cookie's value names."""
    tx.run(_END, hash=digest(given))


def end_one(tx: Writer, account_id: int, user_id: int, id: int) -> bool:
    """Sign a user out in one place; False when they were not signed in there."""
    return tx.run(_END_ONE, account_id=account_id, user_id=user_id, id=id) == 1


def end_others(tx: Writer, account_id: int, user_id: int, kept: int) -> int:
    """Sign a user out everywhere but in one session; gives how many places that were."""
    tx.run(_END_STEPS, account_id=account_id, user_id=user_id)
    return tx.run(_END_OTHERS, account_id=account_id, user_id=user_id, id=kept)


def end_of_user(tx: Writer, account_id: int, user_id: int) -> None:
    """Sign a user out everywhere, as when their password changes; who is about to sign in begins anew."""
    tx.run(_END_STEPS, account_id=account_id, user_id=user_id)
    tx.run(_END_OF_USER, account_id=account_id, user_id=user_id)


def _storable(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:_USER_AGENT_MOST]
