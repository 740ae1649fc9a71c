"""Asking for the visitor's password once more, before something that matters."""

from __future__ import annotations

from deskhand.oauth import own_password, pages, throttle
from deskhand.web.pages import Asked

EMPTY = "Enter your password."
WRONG = "This is not your password."


class NotConfirmed(Exception):
    """The password was not given, or is not right; the text says it to the visitor."""


async def confirm(asked: Asked, given: str) -> str:
    """The stored form of the visitor's password, if it is the one that was given; raises NotConfirmed.

    Slowed down together with signing in, so that an open session is no way to guess faster.
    """
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
