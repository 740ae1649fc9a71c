"""Who looks at a page: a signed-in user, with what pages need to know of them, read in one go."""

from __future__ import annotations

from datetime import datetime, tzinfo

import msgspec
from starlette.requests import HTTPConnection

from deskhand.db.engine import Database, Reader
from deskhand.desk import access
from deskhand.desk.access import Person
from deskhand.desk.call import Actor
from deskhand.desk.users.preferences import Preferences, chosen
from deskhand.lib.clock import Clock
from deskhand.oauth import sessions
from deskhand.oauth.sessions import SignedIn
from deskhand.web import words


class Visitor(msgspec.Struct, frozen=True):
    """A signed-in user. Every form they send carries `csrf`; `session_id` is the session of this browser."""

    actor: Actor
    name: str
    email: str
    photo_url: str | None
    timezone: str
    csrf: str
    session_id: int
    preferences: Preferences

    @property
    def id(self) -> int:
        return self.actor.user_id

    @property
    def account_id(self) -> int:
        return self.actor.account_id

    @property
    def administers(self) -> bool:
        """Whether they may change settings and agents."""
        return self.actor.role in access.SEES_ALL

    @property
    def zone(self) -> tzinfo:
        return words.zone(self.timezone)

    def local(self, at: datetime) -> datetime:
        """A moment in the visitor's time zone."""
        return at.astimezone(self.zone)


async def visitor(request: HTTPConnection, database: Database, clock: Clock) -> Visitor | None:
    """Who sent a request; None when nobody active is signed in."""
    look_up = sessions.looking_up(request, clock)
    if look_up is None:
        return None

    def read(db: Reader) -> tuple[SignedIn, Visitor] | None:
        signed_in = look_up(db)
        found = access.person(db, signed_in.user_id) if signed_in else None
        return None if signed_in is None or found is None else (signed_in, _visitor(signed_in, *found))

    found = await database.read(read)
    if found is None:
        return None
    signed_in, who = found
    await sessions.note(request, signed_in, database, clock)
    return who


def _visitor(signed_in: SignedIn, actor: Actor, row: Person) -> Visitor:
    return Visitor(
        actor,
        words.full_name(row.first_name, row.last_name, row.email or ""),
        row.email or "",
        row.photo_url,
        row.own_timezone or row.timezone,
        signed_in.csrf_token,
        signed_in.session_id,
        chosen(row.theme, row.undo_s, row.after_send, row.send_status),
    )
