"""Making sure that it is really the visitor, before something changes how somebody signs in.

Who has a password gives it once more. Who signs in by another service alone must have done so within minutes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from deskhand.db.engine import Reader
from deskhand.lib.clock import to_wire
from deskhand.oauth import own_password, pages, sessions, throttle
from deskhand.web.pages import Asked

How = Literal["password", "recent", "sign in"]
"""By the password; not at all, as they have just signed in; or by signing in anew."""
RECENT = timedelta(minutes=10)
EMPTY = "Enter your password."
WRONG = "This is not your password."
TOO_OLD = "You signed in more than ten minutes ago. Sign out and in again, and do this then."


class NotConfirmed(Exception):
    """It may be somebody else; the text says to the visitor what is missing."""


async def how(asked: Asked) -> How:
    """How the visitor has to show that it is them."""
    return await asked.read(lambda db: _how(db, asked))


async def confirm(asked: Asked, given: str) -> str | None:
    """The stored form of the visitor's password, if it is the one that was given; None for who has none.

    Raises NotConfirmed. Slowed down together with signing in, so that an open session is no way to guess faster.
    """
    wanted = await how(asked)
    if wanted == "sign in":
        raise NotConfirmed(TOO_OLD)
    if wanted == "recent":
        return None
    if not given:
        raise NotConfirmed(EMPTY)
    attempt = throttle.Attempt(asked.visitor.email, pages.host(asked.request), asked.web.clock.now())
    try:
        await asked.write(attempt.begin)
    except throttle.TooMany as refused:
        raise NotConfirmed(pages.too_many(refused.retry_after_s)) from None
    stored = await asked.read(lambda db: own_password.stored(db, asked.account_id, asked.visitor.id))
    if not await asked.web.passwords.verify(stored, given) or stored is None:
        raise NotConfirmed(WRONG)
    await asked.write(attempt.succeed)
    return stored


def _how(db: Reader, asked: Asked) -> How:
    who = asked.account_id, asked.visitor.id
    if own_password.stored(db, *who) is not None:
        return "password"
    began = sessions.began(db, *who, asked.visitor.session_id)
    return "recent" if began is not None and began > to_wire(asked.web.clock.now() - RECENT) else "sign in"
