"""Making sure that it is really the user who sits at an open session, before it lets somebody in for good.

Who has a password gives it once more, who has none a code of their second factor; who has neither signs in at the
provider anew. It counts for some minutes, in this session alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deskhand.db.engine import Database, Reader, Writer
from deskhand.lib.clock import Clock
from deskhand.lib.sealing import Sealer, SealingError
from deskhand.oauth import own_password, pages, second_factor, sessions, throttle
from deskhand.oauth.passwords import Passwords

Way = Literal["password", "code", "provider", "sign in"]
"""By the password; by a code; by signing in at the provider; or by signing out and in again, where there is none."""
EMPTY: dict[Way, str] = {"password": "Enter your password.", "code": "Enter a code from your app."}
WRONG: dict[Way, str] = {
    "password": "This is not your password.",
    "code": "This code is not right, or it was used before. Try the next one.",
}
AWAY = "You signed in more than ten minutes ago. Sign in once more, and do this then."
NO_KEY = "Codes can’t be checked now: the key of this server is missing. Use a recovery code."


class NotConfirmed(Exception):
    """It may be somebody else; the text says to the user what is missing."""


@dataclass(frozen=True, slots=True)
class Who:
    """A user at one of their sessions, and the network address that they ask from."""

    account_id: int
    user_id: int
    session_id: int
    email: str
    host: str


@dataclass(frozen=True, slots=True)
class Confirming:
    """Makes sure. `provider` is what people call the OpenID provider, empty where there is none."""

    database: Database
    clock: Clock
    sealer: Sealer
    passwords: Passwords
    provider: str = ""

    async def is_confirmed(self, who: Who) -> bool:
        """Whether they have shown it within the last minutes."""
        now, session = self.clock.now(), (who.account_id, who.user_id, who.session_id)
        return await self.database.read(lambda db: sessions.is_confirmed(db, *session, now))

    async def way(self, who: Who) -> Way:
        """How they have to show it. There is no second way beside it, or the weakest of all would be what counts."""

        def read(db: Reader) -> Way:
            if own_password.stored(db, who.account_id, who.user_id) is not None:
                return "password"
            if second_factor.is_on(db, who.account_id, who.user_id):
                return "code"
            return "provider" if self.provider else "sign in"

        return await self.database.read(read)

    async def confirm(self, who: Who, given: str) -> str | None:
        """Take a password or a code; gives the stored form of the password, None where it was a code.

        Raises NotConfirmed. Slowed down together with signing in, so that an open session is no way to guess faster.
        """
        way = await self.way(who)
        if way in ("provider", "sign in"):
            raise NotConfirmed(AWAY)
        if not given.strip():
            raise NotConfirmed(EMPTY[way])
        name, rule = (who.email, throttle.PASSWORD) if way == "password" else (str(who.user_id), throttle.CODE)
        attempt = throttle.Attempt(name, who.host, self.clock.now(), rule)
        try:
            await self.database.write(attempt.begin)
        except throttle.TooMany as refused:
            raise NotConfirmed(pages.too_many(refused.retry_after_s)) from None
        stored = await self._password(who, given) if way == "password" else None
        if way == "code" and not await self._code(who, given):
            raise NotConfirmed(WRONG[way])

        def write(tx: Writer) -> None:
            attempt.succeed(tx)
            sessions.confirm(tx, who.account_id, who.user_id, who.session_id, self.clock.now())

        await self.database.write(write)
        return stored

    async def _password(self, who: Who, given: str) -> str:
        stored = await self.database.read(lambda db: own_password.stored(db, who.account_id, who.user_id))
        if not await self.passwords.verify(stored, given) or stored is None:
            raise NotConfirmed(WRONG["password"])
        return stored

    async def _code(self, who: Who, given: str) -> bool:
        def write(tx: Writer) -> bool:
            return second_factor.check(tx, self.sealer, who.account_id, who.user_id, given, self.clock.now())

        try:
            return await self.database.write(write)
        except SealingError:
            raise NotConfirmed(NO_KEY) from None
