"""Who looks at a page: a signed-in user, with what pages need to know of them, read in one go."""

from __future__ import annotations

from datetime import datetime, tzinfo

import msgspec
from starlette.requests import HTTPConnection

from deskhand.db.engine import Database, Reader
from deskhand.desk import access
from deskhand.desk.call import Actor
from deskhand.desk.users import queries as users
from deskhand.desk.users.preferences import Preferences, preferences
from deskhand.lib.clock import Clock
from deskhand.oauth import sessions
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
    signed_in = await sessions.current(request, database, clock)
    if signed_in is None:
        return None
    who = signed_in

    def read(db: Reader) -> Visitor | None:
        actor = access.actor(db, who.user_id)
        row = users.by_id(db, who.account_id, who.user_id)
        if actor is None or row is None:
            return None
        return Visitor(
            actor,
            words.full_name(row.first_name, row.last_name, row.email or ""),
            row.email or "",
            row.photo_url,
            row.timezone or actor.policy.timezone,
            who.csrf_token,
            who.session_id,
            preferences(db, who.account_id, who.user_id),
        )

    found = await database.read(read)
    if found is not None:
        await sessions.note(request, who, database, clock)
    return found
